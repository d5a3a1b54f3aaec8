//! Field selection for DynamoDB items (being written).

/// What a field holds, for documentation and for what lies below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A number, digit for digit as DynamoDB gives it.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A string in RFC 3339, UTC, milliseconds, `Z`.
    Timestamp,
    /// A list or set of strings.
    Texts,
    /// Anything: maps, lists, sets, binary, null; shown whole.
    Any,
    /// A map with these members, and no others.
    Object(&'static [Field]),
    /// A list of maps with these members, and no others.
    Objects(&'static [Field]),
}

/// One field that a caller may choose. What is not named by a `Field` does not exist for callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The attribute's name, which is the API's name too.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// One sentence for the published contract.
    pub about: &'static str,
}
