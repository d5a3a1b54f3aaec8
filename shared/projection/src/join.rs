//! Joins: another table's item put into each element of a list, after the page was written.
//!
//! Which items are needed is known only when the page has been read, so the page is written first, with a note of
//! where each element ends and which key it names; the items are fetched, and one more copy puts them in.

/// A top-level list of objects whose elements name an item of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// The list: a top-level [`Kind::Objects`](crate::Kind::Objects) field.
    pub list: &'static str,
    /// The attribute of its elements that names the item: a string or number. It need not be chosen, nor declared.
    pub key: &'static str,
}

/// A place in the written JSON where a member can be put into an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joint {
    /// The offset in the output of the element's closing `}`.
    pub at: usize,
    /// The element is empty so far, so no comma goes before the member.
    pub first: bool,
    /// The decoded text of the element's key.
    pub key: String,
}

/// Copies `json` with `"member":value` at the end of each element for whose key `lookup` has a value (itself JSON).
///
/// The `joints` ascend, as a transcoder reports them; one that lies outside of `json` or before the one ahead of it
/// is skipped. `member` is a plain name: one that JSON would escape must come escaped.
///
/// ```
/// use projection::{Joint, splice};
/// let joints = [Joint { at: 9, first: false, key: "p1".into() }, Joint { at: 12, first: true, key: "p2".into() }];
/// let json = splice(br#"[{"q":100},{}]"#, &joints, "part", |key| match key {
///     "p1" => Some(br#"{"id":1}"#),
///     _ => None,
/// });
/// assert_eq!(json, br#"[{"q":100,"part":{"id":1}},{}]"#);
/// ```
pub fn splice<'v>(json: &[u8], joints: &[Joint], member: &str, lookup: impl Fn(&str) -> Option<&'v [u8]>) -> Vec<u8> {
    let mut spliced = Vec::with_capacity(json.len() + joints.len() * 64);
    let mut copied = 0;
    for joint in joints {
        let (Some(value), Some(before)) = (lookup(&joint.key), json.get(copied..joint.at)) else {
            continue;
        };
        spliced.extend_from_slice(before);
        spliced.extend_from_slice(if joint.first { b"\"" } else { b",\"" });
        spliced.extend_from_slice(member.as_bytes());
        spliced.extend_from_slice(b"\":");
        spliced.extend_from_slice(value);
        copied = joint.at;
    }
    spliced.extend_from_slice(json.get(copied..).unwrap_or_default());
    spliced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(at: usize, first: bool, key: &str) -> Joint {
        Joint { at, first, key: key.to_owned() }
    }

    #[test]
    fn found_ones_are_put_in_and_vanished_ones_left_out() {
        let json = br#"{"items":[{"a":1},{},{"a":2}]}"#;
        let joints = [joint(16, false, "x"), joint(19, true, "y"), joint(27, false, "gone")];
        let lookup = |key: &str| (key != "gone").then_some(if key == "x" { b"10" } else { b"{}".as_slice() });
        assert_eq!(splice(json, &joints, "p", lookup), br#"{"items":[{"a":1,"p":10},{"p":{}},{"a":2}]}"#);
        assert_eq!(splice(json, &joints, "p", |_| None), json);
        assert_eq!(splice(json, &[], "p", |_| Some(b"1")), json);
    }

    #[test]
    fn joints_that_do_not_fit_are_skipped() {
        let joints = [joint(1, true, "x"), joint(0, true, "x"), joint(9, true, "x")];
        assert_eq!(splice(b"{}", &joints, "p", |_| Some(b"1")), br#"{"p":1}"#);
    }
}
