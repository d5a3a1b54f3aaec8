//! The declaration of a bundle: its resources and routes. It is data that planning, validation,
//! documents and tests read.

mod list;
mod quota;

pub use cache_headers::Policy;
pub use pagination::{Index, Order, Partition, Projects, Table};
pub use projection::{Epoch, Field, Join, Kind, field};

pub use list::{Accepts, Expansion, Filter, Limits, List, Place, SortOption};
pub use quota::{Quota, Weights};

use projection::names_in;

/// A kind of item: its table, and the part that the API shows. Several resources can share a table.
#[derive(Debug)]
pub struct Resource {
    /// The plural name: the loader's file is `<name>.jsonl`, the local table `<name>`.
    pub name: &'static str,
    /// The environment variable that holds the table's name.
    pub table_variable: &'static str,
    /// Keys and indexes.
    pub table: Table,
    /// Attributes with the same text in every item of the resource, such as a sort key that is
    /// always `PROFILE`, or a `type`. Items of other resources in the same table lack them. Usually
    /// none.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Every field that a caller may see, in the order of answers. For callers, other attributes do
    /// not exist.
    pub fields: &'static [Field],
    /// The fields of an item in a list, if the caller chooses none.
    pub summary: &'static [&'static str],
    /// The field with the time of the item's last change.
    pub modified: Option<&'static str>,
    /// The cache policy: who may store an answer, and for how long.
    pub policy: Policy,
}

/// One function: a path and its kind of answer.
#[derive(Debug)]
pub struct Route {
    /// The name of the crate, the binary and the event files.
    pub name: &'static str,
    /// The path. A path parameter has the name of a field, such as `{thingId}`, and stands for its
    /// value: it is part of an item's key, or an equality condition of a list.
    pub path: &'static str,
    /// One sentence for the published contract.
    pub about: &'static str,
    /// The resource whose items the route shows.
    pub resource: &'static Resource,
    /// The callers that are allowed.
    pub access: Access,
    /// The quota that counts its requests.
    pub quota: Quota,
    /// One item or a list.
    pub shape: Shape,
}

/// The callers that a route allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Any caller with a valid token.
    SignedIn,
    /// Callers whose token has this scope, in the claim `scope` or `scp`.
    Scope(&'static str),
    /// The owner of the item or list, or a caller with the scope of `READ_ANY_SCOPE`: the caller's
    /// `claim` equals the item's `field`.
    ///
    /// If the path has the field as a parameter, `me` stands for the caller, and every other value
    /// is a 403. If not, a list shows the caller's own items, and an item of somebody else is a
    /// 404, as one that does not exist.
    Owner {
        /// The field that names the owner.
        field: &'static str,
        /// The claim that names the caller: `sub`, or one for a tenant.
        claim: &'static str,
    },
}

impl Access {
    /// The caller whose id, the claim `sub`, is in `field`.
    #[must_use]
    pub const fn owner(field: &'static str) -> Self {
        Self::Owner { field, claim: "sub" }
    }
}

/// The kind of answer of a route.
#[derive(Debug)]
pub enum Shape {
    /// The item that the path names.
    One,
    /// A page of items.
    List(List),
}

/// Checks a bundle's declarations when it compiles. The contract test checks the rest, such as
/// indexes against `template.yaml`.
///
/// # Panics
/// If a resource's key attribute is neither a field's nor fixed; if a summary, `modified`, a filter
/// or a sort names what is no field; if a route that is not public has a cache policy that lets
/// shared caches keep its answers; or if a public route has a quota for each caller, or another one
/// a quota for each address. In a `const` the compiler reports it:
///
/// ```compile_fail
/// # use api::*;
/// # static THINGS: Resource = Resource {
/// #     name: "things",
/// #     table_variable: "THINGS_TABLE",
/// #     table: Table { key: &["thingId"], indexes: &[] },
/// #     fixed: &[],
/// #     fields: &[field("name", Kind::Text, "Its name.")],
/// #     summary: &["name"],
/// #     modified: None,
/// #     policy: Policy::PUBLIC_READ_MOSTLY,
/// # };
/// const _: () = api::check(&[&THINGS], &[]); // The key `thingId` is no field.
/// ```
pub const fn check(resources: &[&Resource], routes: &[&Route]) {
    let mut i = 0;
    while i < resources.len() {
        let Resource { table, fields, summary, modified, .. } = resources[i];
        let mut j = 0;
        while j < table.key.len() {
            assert!(
                resources[i].holds(table.key[j]),
                "a resource's key attribute is neither a field's nor fixed"
            );
            j += 1;
        }
        assert!(names_in(fields, summary), "a resource's summary names what is no field");
        if let Some(name) = modified {
            assert!(names_in(fields, &[*name]), "a resource's `modified` names what is no field");
        }
        i += 1;
    }
    i = 0;
    while i < routes.len() {
        let fields = routes[i].resource.fields;
        let private =
            matches!(routes[i].resource.policy, Policy::PrivateRevalidate | Policy::NoStore);
        assert!(
            private || matches!(routes[i].access, Access::Public),
            "a route that is not public has a public cache policy"
        );
        let public = matches!(routes[i].access, Access::Public);
        assert!(
            !public || !matches!(routes[i].quota, Quota::PerCaller(_)),
            "a public route has a quota for each caller, and no caller"
        );
        assert!(
            public || !matches!(routes[i].quota, Quota::PerAddress(_)),
            "a route that is not public has a quota for each address, not for each caller"
        );
        if let Shape::List(List { filters, sorts, .. }) = &routes[i].shape {
            let mut j = 0;
            while j < filters.len() {
                assert!(names_in(fields, &[filters[j].field]), "a filter's field is no field");
                j += 1;
            }
            j = 0;
            while j < sorts.len() {
                assert!(names_in(fields, &[sorts[j].field]), "a sort's field is no field");
                j += 1;
            }
        }
        i += 1;
    }
}

impl Route {
    /// Returns the names of the path parameters, in their order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(parameter)
    }

    /// Returns the expansions that the route offers.
    #[must_use]
    pub fn expansions(&self) -> &'static [Expansion] {
        match &self.shape {
            Shape::One => &[],
            Shape::List(list) => list.expansions,
        }
    }

    /// Returns the fields that a request can name: those of the resource, and each expansion as an
    /// object with the fields that it shows, where it stands in the answer. They live as long as
    /// the process, so call it once.
    #[must_use]
    pub fn selectable(&self) -> &'static [Field] {
        self.with_expansions(&[])
    }

    /// Returns the same fields, with one that no request can name at each level that has an
    /// expansion. A selection of all that can be named there is not the whole level, so it shows
    /// that the expansion was named.
    pub(crate) fn selectable_by_name(&self) -> &'static [Field] {
        self.with_expansions(&[field("", Kind::Text, "")])
    }

    fn with_expansions(&self, page_fields: &[Field]) -> &'static [Field] {
        if self.expansions().is_empty() {
            return self.resource.fields;
        }
        let mut fields = self.resource.fields.to_vec();
        for Expansion { name, resource, fields: shown, place, about } in self.expansions() {
            let shown: Vec<_> = resource
                .fields
                .iter()
                .filter(|field| shown.contains(&field.name))
                .copied()
                .collect();
            let kind = Kind::Object(shown.leak());
            match place {
                Place::NextToItems => fields.push(field(name, kind, about)),
                Place::Within { join, member } => {
                    for list in fields.iter_mut().filter(|list| list.name == join.list) {
                        let members = [
                            list.kind.members().unwrap_or_default(),
                            &[field(member, kind, about)],
                            page_fields,
                        ]
                        .concat();
                        list.kind = Kind::Objects(members.leak());
                    }
                }
            }
        }
        fields.extend(page_fields);
        fields.leak()
    }

    /// Returns the resources that the route reads: its own, then those of its expansions.
    pub fn resources(&self) -> impl Iterator<Item = &'static Resource> {
        std::iter::once(self.resource)
            .chain(self.expansions().iter().map(|expansion| expansion.resource))
    }

    /// Returns `true` if the route makes cursors, and so needs their secret.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List(_))
    }

    /// Returns `true` if the route needs the number of shards: a list of a table that has some.
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        self.is_list() && self.resource.table.is_sharded()
    }
}

/// Returns the name of the path parameter that a segment of a declared path stands for: `thingId`
/// of `{thingId}`.
pub(crate) fn parameter(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The maximum number of items on a page of any list
/// ([BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)
/// takes 100 keys).
pub const MAX_LIMIT: u32 = 100;
/// The position of the last item that `page` can reach.
pub const MAX_PAGED_ITEM: u32 = 1_000;
/// The maximum length of a query string, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// The maximum size of a request's body, in bytes. Only an [`Interface`](crate::Interface) takes one.
pub const MAX_REQUEST_BODY_BYTES: usize = 16 << 10;
/// The most digits before the point of a number in a path or a filter.
pub const MAX_WHOLE_DIGITS: usize = 20;
/// The most digits after the point of a number in a path or a filter. With the others they are the
/// 38 digits of a number in DynamoDB.
pub const MAX_FRACTION_DIGITS: usize = 18;
/// The maximum length of a text in a path or a filter, in characters.
pub const MAX_TEXT_CHARS: usize = 128;
/// The maximum size of a body before compression, in bytes. A page is cut before it. The only
/// exception is one item (of a list or alone) whose own text has more, because its characters are
/// escaped in JSON.
pub const MAX_BODY_BYTES: usize = 1 << 20;
