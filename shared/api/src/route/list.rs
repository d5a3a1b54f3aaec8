//! The declaration of a list: its filters, sorts, expansions and page sizes.

use pagination::Order;
use projection::Join;

use super::{MAX_LIMIT, Resource};

/// The choices that a list offers.
#[derive(Debug)]
pub struct List {
    /// Query parameters that narrow the list.
    pub filters: &'static [Filter],
    /// The sorts; the first is the default. A list without any takes the order of its index and has
    /// no parameter `sort`.
    pub sorts: &'static [SortOption],
    /// Related items that a caller can ask for.
    pub expansions: &'static [Expansion],
    /// The sizes of its pages.
    pub limits: Limits,
}

/// The sizes of a list's pages, in items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    default: u32,
    greatest: u32,
}

impl Limits {
    /// 25 items, and up to 100 if the caller asks for more.
    pub const USUAL: Self = Self::new(25, MAX_LIMIT);

    /// Returns the sizes: `default` items without the parameter `limit`, and at most `greatest`
    /// with it.
    ///
    /// # Panics
    /// Unless 1 ≤ `default` ≤ `greatest` ≤ [`MAX_LIMIT`]. In a `static` the compiler reports it:
    ///
    /// ```compile_fail
    /// static LIMITS: api::Limits = api::Limits::new(50, 25);
    /// ```
    #[must_use]
    pub const fn new(default: u32, greatest: u32) -> Self {
        assert!(
            1 <= default && default <= greatest,
            "a page has at least one item, and the default is not above the greatest limit"
        );
        assert!(
            greatest <= MAX_LIMIT,
            "a page has at most 100 items: DynamoDB fetches no more by key in one call"
        );
        Self { default, greatest }
    }

    /// Returns the number of items on a page if the request has no `limit`.
    #[must_use]
    pub const fn default(self) -> u32 {
        self.default
    }

    /// Returns the greatest `limit` that a caller may ask for.
    #[must_use]
    pub const fn greatest(self) -> u32 {
        self.greatest
    }
}

/// A query parameter that narrows a list.
#[derive(Debug)]
pub struct Filter {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The field that is compared.
    pub field: &'static str,
    /// The valid values, and the comparison.
    pub accepts: Accepts,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// The valid values of a filter, and how the attribute is compared with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// Equal to this text of 1 to 128 printable characters.
    Text,
    /// Begins with this text of 1 to 128 printable characters.
    Prefix,
    /// Equal to one of these, or to one of several of them, separated by commas.
    OneOf(&'static [&'static str]),
    /// Equal to this number.
    Number,
    /// `true` or `false`, for a boolean.
    Boolean,
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
    /// The field: the first RANGE attribute of an index.
    pub field: &'static str,
    /// Ascending or descending.
    pub order: Order,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// Related items that a caller may ask for with `expand`.
#[derive(Debug)]
pub struct Expansion {
    /// The value of `expand`.
    pub name: &'static str,
    /// The resource of the related items.
    pub resource: &'static Resource,
    /// The fields of the related items that are shown.
    pub fields: &'static [&'static str],
    /// The place in the answer.
    pub place: Place,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// The place of an expansion in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Once, next to `items`, under the expansion's name: the owner whom the path names. It is read
    /// in parallel with the page.
    NextToItems,
    /// In each element of a list within each item, as `member`.
    Within {
        /// The list, and its elements' attribute that holds the related item's key.
        join: Join,
        /// The member's name.
        member: &'static str,
    },
}
