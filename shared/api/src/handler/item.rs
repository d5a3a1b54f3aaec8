//! The steps for a single item: parse, run, reply. A single GetItem needs no planning.

use pagination::{Condition, Value};
use projection::{Field, Selection};

use crate::app::{App, ItemApp};
use crate::dynamodb::answer::Item;
use crate::handler::parameters;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::request::Request;
use crate::http::response::Reply;
use crate::route::{Access, Resource};
use crate::stored::{shown_time, stored};

/// A request for one item, its parameters checked.
#[derive(Debug)]
pub struct ItemRequest<'r> {
    app: &'r App,
    request: &'r Request,
    key: Vec<Value>,
    /// The owner that the item must have, if its key does not say so.
    owner: Option<Condition>,
    selection: Selection,
}

/// An item that has been read.
#[derive(Debug)]
pub struct FoundItem {
    resource: &'static Resource,
    item: Item,
    /// The time of its last change, in RFC 3339.
    modified: Option<String>,
}

impl<'r> ItemRequest<'r> {
    /// Reads the path and the parameters that the route declares.
    ///
    /// # Errors
    /// 401 and 403 before any other check; then 414; then one 400 that lists every wrong parameter.
    pub fn parse(app: ItemApp<'r>, request: &'r Request) -> Result<Self, Problem> {
        let app = app.app();
        let route = app.route();
        let grant = request.grant(route)?;
        let mut errors = Vec::new();
        let query = request.query(&["fields"], &mut errors)?;
        let selection = parameters::fields(
            &query,
            route.resource.fields,
            Selection::all(route.resource.fields),
            &mut errors,
        );
        let Some(key) = route.resource.key(|field| grant.value(field.name).map(str::to_owned))
        else {
            tracing::error!(
                path = route.path,
                "the path and the owner do not give every attribute of the item's key"
            );
            return Err(ProblemKind::Internal.into());
        };
        let owner = match route.access {
            Access::Owner { field, .. } if !grant.of_anybody => {
                grant.values.iter().find(|(other, _)| other.name == field)
            }
            _ => None,
        };
        let owner =
            owner.filter(|(field, _)| !route.resource.table.key.contains(&field.attribute()));
        let owner = owner.map(|(field, value)| {
            Condition::equal(field.attribute(), stored(field, value.clone()))
        });
        if errors.is_empty() {
            Ok(Self { app, request, key, owner, selection })
        } else {
            Err(Problem::parameters(errors))
        }
    }

    /// Reads the item.
    ///
    /// # Errors
    /// 429 if the caller's quota is used up; 404 if there is no such item; 502, 503 and 504 for failures of DynamoDB.
    pub async fn run(self) -> Result<FoundItem, Problem> {
        let Self { app, request, key, owner, selection } = self;
        let resource = app.route().resource;
        let modified = resource.modified.and_then(|name| resource.field(name));
        let picks: Vec<_> = modified.map(Field::attribute).into_iter().collect();
        // Somebody else's item is answered as one that does not exist.
        let reader = app
            .reader(resource, &app.config().table, request, &selection, None)
            .with_conditions(owner);
        let read = async { Ok(reader.get(&resource.table, &key, &picks).await?) };
        let found = app.within_quota(request, app.route().quota.weights().cost(1, 0), read).await?;
        let (item, picked) = found.ok_or(ProblemKind::NotFound)?;
        let modified = modified.and_then(|field| shown_time(field, picked.first()?.as_ref()?));
        Ok(FoundItem { resource, item, modified })
    }
}

impl FoundItem {
    /// Returns the item's JSON.
    #[must_use]
    pub fn into_json(self) -> Vec<u8> {
        self.item.json.into()
    }

    /// Makes the reply.
    #[must_use]
    pub fn reply(self) -> Reply {
        let Self { resource, item, modified } = self;
        Reply { body: item.json.into(), policy: resource.policy, modified, link: None, items: 1 }
    }
}
