//! The allow-list: which fields exist, and what each of them holds.
//!
//! It is plain data, so that a model is a `static` and its cheap rules can be checked by the compiler.

/// The kind of value that a field holds, for documentation and for what lies below it.
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
    /// A map with these members, and no others.
    Object(&'static [Field]),
    /// A list of maps with these members, and no others.
    Objects(&'static [Field]),
}

impl Kind {
    /// Returns the declared members below a field of this kind: those of [`Kind::Object`] and [`Kind::Objects`].
    pub const fn members(self) -> Option<&'static [Field]> {
        match self {
            Self::Object(members) | Self::Objects(members) => Some(members),
            _ => None,
        }
    }
}

/// One field that a caller may choose. What is not named by a `Field` does not exist for callers.
///
/// Fields form a tree: a list of fields must not lie, through its objects, below itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The attribute's name, which is the API's name too. One with `,`, `.`, a parenthesis or white space can be
    /// shown, but not be named in a selection's text.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// One sentence for the published contract.
    pub about: &'static str,
}

/// Returns a field: a short form for declarations.
#[must_use]
pub const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Returns whether every one of `names` is a field of `fields` (top level). For assertions at compile time.
///
/// ```
/// # use projection::{Field, Kind, names_in};
/// static FIELDS: [Field; 1] = [Field { name: "name", kind: Kind::Text, about: "" }];
/// const _: () = assert!(names_in(&FIELDS, &["name"]));
/// const _: () = assert!(!names_in(&FIELDS, &["nmae"]));
/// ```
pub const fn names_in(fields: &[Field], names: &[&str]) -> bool {
    let mut n = 0;
    while n < names.len() {
        let mut f = 0;
        while f < fields.len() && !same(fields[f].name.as_bytes(), names[n].as_bytes()) {
            f += 1;
        }
        if f == fields.len() {
            return false;
        }
        n += 1;
    }
    true
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::FIELDS;

    #[test]
    fn names_are_checked_at_the_top_level() {
        assert!(names_in(FIELDS, &[]));
        assert!(names_in(FIELDS, &["id", "name", "address"]));
        assert!(!names_in(FIELDS, &["id", "city"]));
        assert!(!names_in(FIELDS, &["i"]));
        assert!(!names_in(&[], &["id"]));
    }
}
