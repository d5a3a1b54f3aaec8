//! What a bundle declares: its resources and its routes. Data, read by everything else: planning, validation, documents, tests.

pub use cache_headers::Policy;
pub use pagination::{Index, Order, Partition, Projects, Table};
pub use projection::{Field, Join, Kind};

use projection::names_in;

/// A table, and what the API shows of its items.
#[derive(Debug)]
pub struct Resource {
    /// The plural name: the loader's file is `<name>.jsonl`, the local table `<name>`.
    pub name: &'static str,
    /// The environment variable that holds the table's name.
    pub table_variable: &'static str,
    /// Keys and indexes.
    pub table: Table,
    /// Every field that a caller may see, in the order in which answers show them. What is not here does not exist.
    pub fields: &'static [Field],
    /// The fields of an item in a list, where the caller chooses none.
    pub summary: &'static [&'static str],
    /// The field that says when the item was last changed.
    pub modified: Option<&'static str>,
    /// Who may keep an answer, and for how long.
    pub policy: Policy,
}

/// One function: a path and what it answers.
#[derive(Debug)]
pub struct Route {
    /// The crate's, the binary's and the events' name.
    pub name: &'static str,
    /// The path, with `{id}` for the one path parameter that there may be.
    pub path: &'static str,
    /// One sentence for the published contract.
    pub about: &'static str,
    /// Whose items it shows.
    pub resource: &'static Resource,
    /// Who may ask.
    pub access: Access,
    /// One item or a list.
    pub shape: Shape,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// The user whose id the path names, or a caller with the scope of `READ_ANY_SCOPE`. The attribute holds the user's id: an
    /// item's key, or an equality condition of a list.
    Owner(&'static str),
}

/// What a route answers.
#[derive(Debug)]
pub enum Shape {
    /// The item that the path names.
    One,
    /// A page of items.
    List(List),
}

/// The choices that a list offers.
#[derive(Debug)]
pub struct List {
    /// Query parameters that narrow the list.
    pub filters: &'static [Filter],
    /// The orders; the first is the default.
    pub sorts: &'static [SortOption],
    /// Related items that can be put in.
    pub expansions: &'static [Expansion],
}

/// A query parameter that narrows a list.
#[derive(Debug)]
pub struct Filter {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The attribute that it looks at.
    pub attribute: &'static str,
    /// What it takes, and how it compares.
    pub accepts: Accepts,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// What a filter's value may be, and how the attribute compares with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// Equal to this text of 1 to 128 printable characters.
    Text,
    /// Equal to one of these.
    OneOf(&'static [&'static str]),
    /// At least this number.
    AtLeast,
    /// At most this number.
    AtMost,
    /// At or after this time.
    From,
    /// Before this time.
    Before,
    /// `true`: at least 1. `false`: less than 1. For an attribute that counts.
    Positive,
}

/// An order that a caller may choose.
#[derive(Debug)]
pub struct SortOption {
    /// The value of `sort`.
    pub name: &'static str,
    /// The attribute.
    pub attribute: &'static str,
    /// Up or down.
    pub order: Order,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// Related items that a caller may ask for with `expand`.
#[derive(Debug)]
pub struct Expansion {
    /// The value of `expand`.
    pub name: &'static str,
    /// Where the related items live.
    pub resource: &'static Resource,
    /// The fields shown of them.
    pub fields: &'static [&'static str],
    /// Where they go.
    pub place: Place,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// Where an expansion goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Once, beside `items`, under the expansion's name: the user whom the path names. Read at the same time as the page.
    Beside,
    /// Into each element of a list within each item, as `member`.
    Within {
        /// The list, and its elements' attribute that holds the related item's key.
        join: Join,
        /// The member's name.
        member: &'static str,
    },
}

impl Resource {
    /// Whether the key, the summary and the time of the last change are fields. For assertions at compile time.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        let modified = match self.modified {
            Some(name) => names_in(self.fields, &[name]),
            None => true,
        };
        modified && names_in(self.fields, self.table.key) && names_in(self.fields, self.summary)
    }
}

impl Route {
    /// Whether what a list is filtered and sorted by are fields of its resource, and there is an order. For assertions at compile time.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        let Shape::List(List { filters, sorts, .. }) = &self.shape else { return true };
        let (mut filter, mut sort) = (0, 0);
        while filter < filters.len() && names_in(self.resource.fields, &[filters[filter].attribute]) {
            filter += 1;
        }
        while sort < sorts.len() && names_in(self.resource.fields, &[sorts[sort].attribute]) {
            sort += 1;
        }
        filter == filters.len() && sort == sorts.len() && sort > 0
    }

    /// The resources that the route reads: its own, then those of its expansions.
    pub fn resources(&self) -> impl Iterator<Item = &'static Resource> {
        let expansions = match &self.shape {
            Shape::One => [].as_slice(),
            Shape::List(list) => list.expansions,
        };
        std::iter::once(self.resource).chain(expansions.iter().map(|expansion| expansion.resource))
    }

    /// Whether the route hands out cursors, and so needs their secret.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List(_))
    }
}

/// The most items on a page.
pub const MAX_LIMIT: u32 = 100;
/// The items on a page where the caller does not say.
pub const DEFAULT_LIMIT: u32 = 25;
/// The last item that `page` reaches.
pub const MAX_PAGED_ITEM: u32 = 1_000;
/// The longest query string, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// The longest text in a path or a filter, in characters.
pub const MAX_TEXT_CHARS: usize = 128;
/// The most bytes of items on a page.
pub const MAX_PAGE_BYTES: usize = 1 << 20;
