//! The allow-list: which fields exist, and what each of them holds.
//!
//! It is plain data, so that a model is a `static` and its cheap rules can be checked by the
//! compiler.

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

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
    /// A time, stored as a string in RFC 3339, UTC, milliseconds, `Z`.
    Timestamp,
    /// A time, stored as the time since 1970 and shown as [`Kind::Timestamp`] is.
    Epoch(Epoch),
    /// A string that stands in `attribute` behind `prefix`, as in the keys of a table that holds
    /// several kinds of item: the key `PK = "BOOK#b-1"` is shown as `b-1`. A value without the
    /// prefix is left out. Only top-level fields can have this kind.
    Prefixed {
        /// The attribute.
        attribute: &'static str,
        /// The text before the shown string.
        prefix: &'static str,
    },
    /// A list or set of strings.
    Texts,
    /// A map with these members, and no others.
    Object(&'static [Field]),
    /// A list of maps with these members, and no others.
    Objects(&'static [Field]),
}

impl Kind {
    /// Returns the declared members below a field of this kind: those of [`Kind::Object`] and
    /// [`Kind::Objects`].
    pub const fn members(self) -> Option<&'static [Field]> {
        match self {
            Self::Object(members) | Self::Objects(members) => Some(members),
            _ => None,
        }
    }
}

/// The forms of a time since 1970-01-01T00:00:00Z
/// ([Unix time](https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap04.html)).
///
/// Texts are compared as texts: all must have the same [number of digits](Self::digits). Times before
/// 2001-09-09 need leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Whole seconds, a number.
    Seconds,
    /// Whole milliseconds, a number.
    Milliseconds,
    /// Whole seconds, a string.
    SecondsText,
    /// Whole milliseconds, a string.
    MillisecondsText,
}

impl Epoch {
    /// Returns the number of nanoseconds in one unit.
    #[must_use]
    pub const fn nanoseconds(self) -> i128 {
        match self {
            Self::Seconds | Self::SecondsText => 1_000_000_000,
            Self::Milliseconds | Self::MillisecondsText => 1_000_000,
        }
    }

    /// Returns true if the times are stored as strings, and false if they are numbers.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::SecondsText | Self::MillisecondsText)
    }

    /// Returns the number of digits of a stored text, which is enough for the years 1970 to 2286:
    /// ten of seconds, 13 of milliseconds. Of stored numbers, it is that of texts in the same unit.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Seconds | Self::SecondsText => 10,
            Self::Milliseconds | Self::MillisecondsText => 13,
        }
    }

    /// Returns a stored time in RFC 3339, UTC, milliseconds, `Z`; `None` for what is no whole
    /// number, or a year before 0 or after 9999.
    #[must_use]
    pub fn shown(self, stored: &str) -> Option<String> {
        const MILLIS: &[BorrowedFormatItem<'_>] = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let ticks: i64 = stored.parse().ok()?;
        let time =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(ticks) * self.nanoseconds())
                .ok()?;
        (time.year() >= 0).then(|| time.format(MILLIS).ok()).flatten()
    }
}

/// One field that a caller may choose. What is not named by a `Field` does not exist for callers.
///
/// Fields form a tree: a list of fields must not lie, through its objects, below itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The API's name, and the attribute's too, unless the kind is [`Kind::Prefixed`]. One with
    /// `,`, `.`, a parenthesis or white space can be shown, but not be named in a selection's text.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// One sentence for the published contract.
    pub about: &'static str,
}

impl Field {
    /// Returns the name of the attribute that holds the field's value.
    #[must_use]
    pub const fn attribute(&self) -> &'static str {
        match self.kind {
            Kind::Prefixed { attribute, .. } => attribute,
            _ => self.name,
        }
    }
}

/// Returns a field: a short form for declarations.
#[must_use]
pub const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Returns whether every one of `names` is a field of `fields` (top level). For assertions at
/// compile time.
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

/// Returns whether one of `fields` (top level) is stored in `attribute`. For assertions at compile
/// time.
#[must_use]
pub const fn attribute_in(fields: &[Field], attribute: &str) -> bool {
    let mut f = 0;
    while f < fields.len() {
        if same(fields[f].attribute().as_bytes(), attribute.as_bytes()) {
            return true;
        }
        f += 1;
    }
    false
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
