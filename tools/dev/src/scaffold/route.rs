//! A new route: its declaration as Rust, with the filters and sorts that its indexes serve.

use super::name;
use anyhow::{Context as _, Result, ensure};
use api::{Kind, Partition, Resource};

/// Whom a new route allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NewAccess {
    Public,
    /// The caller whose id this field holds.
    Owner(String),
}

/// A route to be made.
#[derive(Debug, Clone)]
pub(super) struct NewRoute {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) resource: &'static Resource,
    pub(super) access: NewAccess,
    pub(super) is_list: bool,
}

impl NewRoute {
    /// Returns the static of the route; `resource` is the static of its resource.
    pub(super) fn declaration(&self, resource: &str) -> Result<String> {
        let words = name::words(self.resource.name);
        let (mut about, mut shape) = (format!("Get one of the {words}."), "Shape::One".to_owned());
        if self.is_list {
            let offers = self.offers()?;
            let (_, _, first) = offers.sorts.first().context("a list has a sort")?;
            about = format!(
                "List {words}, {} unless sorted otherwise.",
                first.trim_start_matches("the ")
            );
            shape = offers.text();
        }
        let quota = match &self.access {
            NewAccess::Public => "Quota::None",
            NewAccess::Owner(_) => "Quota::PerCaller(Weights::ONE)",
        };
        let access = match &self.access {
            NewAccess::Public => "Access::Public".to_owned(),
            NewAccess::Owner(field) => {
                if self.parameters().any(|name| name == field) {
                    about += " `me` stands for the caller.";
                }
                format!("Access::owner({field:?})")
            }
        };
        Ok(format!(
            "\n/// `GET {}`\npub static {}: Route = Route {{\nname: {:?},\npath: {:?},\nabout: {about:?},\nresource: &{resource},\n\
             access: {access},\nquota: {quota},\nshape: {shape},\n}};\n",
            self.path,
            name::screaming(&self.name),
            self.name,
            self.path
        ))
    }

    /// Returns the names that the declaration uses.
    pub(super) fn imports(&self) -> Result<Vec<&'static str>> {
        let mut names = vec!["Access", "Quota", "Route", "Shape"];
        if self.access != NewAccess::Public {
            names.push("Weights");
        }
        if self.is_list {
            names.extend(["Limits", "List", "Order", "SortOption"]);
            if !self.offers()?.filters.is_empty() {
                names.extend(["Accepts", "Filter"]);
            }
        }
        Ok(names)
    }

    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Returns the filters and sorts that the indexes serve in every combination.
    fn offers(&self) -> Result<Offers> {
        let resource = self.resource;
        // The fields that have one value in every request.
        let mut given: Vec<_> = self.parameters().collect();
        if let NewAccess::Owner(owner) = &self.access
            && !given.contains(&owner.as_str())
        {
            given.push(owner);
        }
        let serves_all = |index: &&api::Index| match index.partition {
            Partition::Attributes(names) => {
                names.iter().all(|name| given.contains(name)) && !index.range.is_empty()
            }
            Partition::Shards(_) => given.is_empty(),
        };
        let of_all: Vec<_> = resource.table.indexes.iter().filter(serves_all).collect();
        let name = resource.name;
        match given.as_slice() {
            [] => ensure!(
                !of_all.is_empty(),
                "{name} has no index over all rows: this list needs one (`--index NAME:SORT` of `cargo dev new resource`)"
            ),
            given => ensure!(
                !of_all.is_empty(),
                "{name} has no index with the partition {} that could list them",
                given.join(", ")
            ),
        }
        let kind = |name: &str| resource.field(name).map(|field| field.kind);
        let mut sorts: Vec<(String, &'static str, String)> = Vec::new();
        for field in of_all.iter().filter_map(|index| index.range.first().copied()) {
            if sorts.iter().any(|(_, known, _)| *known == field) {
                continue;
            }
            let words = name::words(field);
            let named = |order: &str| format!("{field}_{order}");
            let (down, up, high, low) = match kind(field) {
                Some(Kind::Timestamp) if sorts.is_empty() => (
                    "newest".to_owned(),
                    "oldest".to_owned(),
                    "the latest".to_owned(),
                    "the earliest".to_owned(),
                ),
                Some(Kind::Number | Kind::Integer) => (
                    named("desc"),
                    named("asc"),
                    format!("the highest {words}"),
                    format!("the lowest {words}"),
                ),
                _ => (
                    named("desc"),
                    named("asc"),
                    format!("the last {words}"),
                    format!("the first {words}"),
                ),
            };
            sorts.extend([(down, field, high + " first"), (up, field, low + " first")]);
        }
        let mut filters = Vec::new();
        for name in resource.table.indexes.iter().flat_map(|index| match index.partition {
            Partition::Attributes(names) => names,
            Partition::Shards(_) => &[],
        }) {
            let everywhere =
                resource.table.indexes.iter().all(|index| index.covers(&resource.table, name));
            if everywhere
                && kind(name) == Some(Kind::Text)
                && !given.contains(name)
                && !filters.contains(name)
            {
                filters.push(*name);
            }
        }
        Ok(Offers { filters, sorts })
    }
}

/// The choices of a list: filters by their attributes; sorts with name, field and meaning, each
/// field descending, then ascending.
struct Offers {
    filters: Vec<&'static str>,
    sorts: Vec<(String, &'static str, String)>,
}

impl Offers {
    fn text(&self) -> String {
        let filter = |name: &&str| {
            format!(
                "Filter {{ parameter: {name:?}, field: {name:?}, accepts: Accepts::Text, about: \"Those of this {}.\" }},\n",
                name::words(name)
            )
        };
        let sort = |(index, (name, field, about)): (usize, &(String, &str, String))| {
            let order = if index.is_multiple_of(2) { "Descending" } else { "Ascending" };
            format!(
                "SortOption {{ name: {name:?}, field: {field:?}, order: Order::{order}, about: {about:?} }},\n"
            )
        };
        format!(
            "Shape::List(List {{\nfilters: &[{}],\nsorts: &[\n{}],\nexpansions: &[],\nlimits: Limits::USUAL,\n}})",
            self.filters.iter().map(filter).collect::<String>(),
            self.sorts.iter().enumerate().map(sort).collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(resource: &'static Resource, access: NewAccess) -> NewRoute {
        NewRoute {
            name: "list-them".to_owned(),
            path: if access == NewAccess::Public { "/v1/them" } else { "/v1/users/{userId}/them" }
                .to_owned(),
            resource,
            access,
            is_list: true,
        }
    }

    #[test]
    fn a_public_list_has_the_sorts_of_the_indexes_over_all_rows() {
        let text = list(&shop::PRODUCTS, NewAccess::Public).declaration("PRODUCTS").unwrap();
        assert!(text.contains("field: \"category\", accepts: Accepts::Text"), "{text}");
        assert!(text.contains("name: \"price_desc\", field: \"price\", order: Order::Descending, about: \"the highest price first\""));
        assert!(
            text.contains("about: \"List products, highest price first unless sorted otherwise.\"")
        );
        let error =
            list(&shop::ORDERS, NewAccess::Public).declaration("ORDERS").unwrap_err().to_string();
        assert!(error.starts_with("orders has no index over all rows"), "{error}");
    }

    #[test]
    fn a_private_list_has_the_sorts_of_the_callers_indexes() {
        let text = list(&shop::ORDERS, NewAccess::Owner("userId".to_owned()))
            .declaration("ORDERS")
            .unwrap();
        assert!(
            text.contains(
                "access: Access::owner(\"userId\"),\nquota: Quota::PerCaller(Weights::ONE),\n"
            ) && text.contains("name: \"newest\", field: \"placedAt\""),
            "{text}"
        );
        assert!(
            text.contains("parameter: \"status\"") && !text.contains("parameter: \"userId\""),
            "{text}"
        );
        let route = list(&shop::ORDERS, NewAccess::Owner("orderId".to_owned()));
        let error = NewRoute { path: "/v1/them".to_owned(), ..route }
            .declaration("ORDERS")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "orders has no index with the partition orderId that could list them");
    }
}
