//! The facts that a bundle declares: its resources, its routes, and the template that deploys them.
//!
//! Every command takes them from here, so none of them knows a resource by name, and a test can
//! pass another bundle.

use crate::template::{Function, Table, Template};
use anyhow::{Context as _, Result, bail};
use api::{Accepts, Access, Resource, Route, Shape};
use std::path::Path;

/// The scope that may read any caller's items, if template.yaml has no default for it.
const READ_ANY_SCOPE: &str = "lean-routes/read:any";

/// The file by which an interface over all routes is recognised, here and in `.ci`.
pub(crate) const SCHEMA: &str = "schema.graphql";

/// A bundle's declarations.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Every resource.
    pub resources: &'static [&'static Resource],
    /// Every route.
    pub routes: &'static [&'static Route],
    /// Tables, functions and permissions.
    pub template: Template,
}

/// A resource, with the table that stores it.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// The declaration.
    pub resource: &'static Resource,
    /// The table of the template.
    pub table: &'a Table,
}

impl Bundle {
    /// Returns the workspace's own bundle: `shared/model` and `template.yaml`.
    ///
    /// # Errors
    /// If the template cannot be read.
    pub fn of_workspace() -> Result<Self> {
        Ok(Self {
            resources: model::RESOURCES,
            routes: model::ROUTES,
            template: Template::of_workspace()?,
        })
    }

    /// Makes a bundle of its declarations and the text of its template.
    ///
    /// # Errors
    /// If the template cannot be read.
    pub fn of(
        resources: &'static [&'static Resource],
        routes: &'static [&'static Route],
        template: &str,
    ) -> Result<Self> {
        Ok(Self { resources, routes, template: Template::parse(template)? })
    }

    /// Returns every resource with its table, in the order of the declarations.
    ///
    /// # Errors
    /// If the template has no table for one of them.
    pub fn stored(&self) -> Result<Vec<Stored<'_>>> {
        self.resources.iter().map(|resource| self.find(resource.name)).collect()
    }

    /// Returns the resource of a name, with its table.
    ///
    /// # Errors
    /// If there is none. The error lists the names that there are.
    pub fn find(&self, name: &str) -> Result<Stored<'_>> {
        let Some(resource) = self.resources.iter().find(|resource| resource.name == name) else {
            bail!("there is no resource {name}; there are: {}", self.names());
        };
        // Resources that share a table have its variable in common.
        let shared =
            || self.template.table(self.template.table_variables().get(resource.table_variable)?);
        let table = self.template.table(name).or_else(shared);
        let table =
            table.with_context(|| format!("template.yaml has no table of the resource {name}"))?;
        Ok(Stored { bundle: self, resource, table })
    }

    /// Returns the names of the resources, for messages.
    pub fn names(&self) -> String {
        self.resources.iter().map(|resource| resource.name).collect::<Vec<_>>().join(", ")
    }

    /// Returns the functions that serve all routes behind an interface of their own, such as a
    /// query language: those of the template that are no route's, and whose folder has the schema
    /// that they publish.
    pub fn interfaces(&self, root: &Path) -> Vec<&Function> {
        let is_route = |name: &str| self.routes.iter().any(|route| route.name == name);
        let has_schema = |name: &str| root.join("functions").join(name).join(SCHEMA).is_file();
        let functions = self.template.functions.iter();
        functions
            .filter(|function| !is_route(&function.binary) && has_schema(&function.binary))
            .collect()
    }

    /// Returns the scope that may read any caller's items: the template's default.
    pub fn read_any_scope(&self) -> String {
        let default = |name: &str| {
            self.template.document["Parameters"][name]["Default"]
                .as_str()
                .filter(|text| !text.is_empty())
        };
        match (default("ScopeServer"), default("ReadAnyScope")) {
            (Some(server), Some(scope)) => format!("{server}/{scope}"),
            (_, scope) => scope.unwrap_or(READ_ANY_SCOPE).to_owned(),
        }
    }

    /// Returns the field that holds the id of the caller, the claim `sub`: that of the first route
    /// with an owner.
    pub fn caller_field(&self) -> Option<&'static str> {
        self.routes.iter().find_map(|route| match route.access {
            Access::Owner { field, claim: "sub" } => Some(field),
            _ => None,
        })
    }
}

impl Stored<'_> {
    /// Returns the fields that have a fixed set of values, with these values: those that a filter
    /// compares with one of a list.
    pub(crate) fn enumerations(&self) -> Vec<(&'static str, &'static [&'static str])> {
        let routes =
            self.bundle.routes.iter().filter(|route| route.resource.name == self.resource.name);
        let filters = routes.flat_map(|route| match &route.shape {
            Shape::One => [].as_slice(),
            Shape::List(list) => list.filters,
        });
        let options = filters.filter_map(|filter| match filter.accepts {
            Accepts::OneOf(options) => Some((filter.field, options)),
            _ => None,
        });
        options.collect()
    }

    /// Returns true if the path of a route names the owner by this field, for which `me` can stand.
    pub(crate) fn is_owner_in_path(&self, name: &str) -> bool {
        let names = |route: &Route| {
            matches!(route.access, Access::Owner { field, .. } if field == name)
                && route.parameters().any(|other| other == name)
        };
        self.bundle.routes.iter().any(|route| names(route))
    }
}
