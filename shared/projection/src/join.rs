//! Joins: another table's item put into each element of a list, after the page was written.
//!
//! Which items are needed is known only when the page has been read, so the page is written first,
//! with a note of where each element ends and which key it names; the items are fetched, and one
//! more copy puts them in.

/// A top-level list of objects whose elements name an item of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// The list: a top-level [`Kind::Objects`](crate::Kind::Objects) field.
    pub list: &'static str,
    /// The attribute of its elements that names the item: a string or number. It need not be
    /// chosen, nor declared.
    pub key: &'static str,
}

/// A place in the written JSON where a member can be put into an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// The offset in the output of the element's closing `}`.
    pub at: usize,
    /// The element is empty so far, so no comma goes before the member.
    pub first: bool,
    /// The decoded text of the element's key.
    pub key: String,
}

/// Copies `json` with `"member":value` at the end of each element for whose key `lookup` has a
/// value (itself JSON).
///
/// The copy has at most `most` bytes: it ends with the last value that fits, and the elements after
/// it stay as they are. If `json` itself has more, nothing is inserted. The second result is true
/// if every value was inserted.
///
/// The `insertions` ascend, as a transcoder reports them; one that lies outside of `json` or before the
/// one ahead of it is skipped. `member` is a plain name: one that JSON would escape must come
/// escaped.
///
/// ```
/// use projection::{Insertion, splice};
/// let insertions = [
///     Insertion { at: 9, first: false, key: "p1".into() },
///     Insertion { at: 12, first: true, key: "p2".into() },
/// ];
/// let lookup = |key: &str| (key == "p1").then_some(br#"{"id":1}"#.as_slice());
/// let (json, complete) = splice(br#"[{"q":100},{}]"#, &insertions, "part", usize::MAX, lookup);
/// assert_eq!(json, br#"[{"q":100,"part":{"id":1}},{}]"#);
/// assert!(complete);
/// let insertions = [Insertion { at: 2, first: true, key: "p1".into() }];
/// assert_eq!(splice(b"[{}]", &insertions, "part", 10, lookup), (b"[{}]".to_vec(), false));
/// ```
pub fn splice<'v>(
    json: &[u8],
    insertions: &[Insertion],
    member: &str,
    most: usize,
    lookup: impl Fn(&str) -> Option<&'v [u8]>,
) -> (Vec<u8>, bool) {
    let mut spliced = Vec::with_capacity(json.len() + (insertions.len() * 64).min(most));
    let mut copied = 0;
    // What the rest of `json` leaves for values.
    let mut left = most.saturating_sub(json.len());
    let mut complete = true;
    for insertion in insertions {
        let (Some(value), Some(before)) = (lookup(&insertion.key), json.get(copied..insertion.at))
        else {
            continue;
        };
        let bytes = usize::from(!insertion.first) + member.len() + 3 + value.len();
        if bytes > left {
            complete = false;
            break;
        }
        left -= bytes;
        spliced.extend_from_slice(before);
        spliced.extend_from_slice(if insertion.first { b"\"" } else { b",\"" });
        spliced.extend_from_slice(member.as_bytes());
        spliced.extend_from_slice(b"\":");
        spliced.extend_from_slice(value);
        copied = insertion.at;
    }
    spliced.extend_from_slice(json.get(copied..).unwrap_or_default());
    (spliced, complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insertion(at: usize, first: bool, key: &str) -> Insertion {
        Insertion { at, first, key: key.to_owned() }
    }

    #[test]
    fn found_ones_are_put_in_and_vanished_ones_left_out() {
        let json = br#"{"items":[{"a":1},{},{"a":2}]}"#;
        let insertions =
            [insertion(16, false, "x"), insertion(19, true, "y"), insertion(27, false, "gone")];
        let lookup = |key: &str| {
            (key != "gone").then_some(if key == "x" { b"10" } else { b"{}".as_slice() })
        };
        let all = br#"{"items":[{"a":1,"p":10},{"p":{}},{"a":2}]}"#;
        assert_eq!(splice(json, &insertions, "p", usize::MAX, lookup), (all.to_vec(), true));
        assert_eq!(splice(json, &insertions, "p", usize::MAX, |_| None), (json.to_vec(), true));
        assert_eq!(splice(json, &[], "p", 0, |_| Some(b"1")), (json.to_vec(), true));
        // One byte less and the last value does not fit; the first one takes seven bytes.
        assert_eq!(splice(json, &insertions, "p", all.len(), lookup), (all.to_vec(), true));
        let first = br#"{"items":[{"a":1,"p":10},{},{"a":2}]}"#;
        for most in json.len() + 7..all.len() {
            assert_eq!(
                splice(json, &insertions, "p", most, lookup),
                (first.to_vec(), false),
                "{most}"
            );
        }
        for most in 0..json.len() + 7 {
            assert_eq!(
                splice(json, &insertions, "p", most, lookup),
                (json.to_vec(), false),
                "{most}"
            );
        }
    }

    #[test]
    fn joints_that_do_not_fit_are_skipped() {
        let insertions =
            [insertion(1, true, "x"), insertion(0, true, "x"), insertion(9, true, "x")];
        assert_eq!(
            splice(b"{}", &insertions, "p", usize::MAX, |_| Some(b"1")),
            (br#"{"p":1}"#.to_vec(), true)
        );
    }
}
