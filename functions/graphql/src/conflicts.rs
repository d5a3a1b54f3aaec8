//! Fields of one key that are not the same field
//! ([FieldsInSetCanMerge](https://spec.graphql.org/October2021/#sec-Field-Selection-Merging)): which
//! of them would the answer have?
//!
//! The types of the schema have no subtypes, so every pair counts. async-graphql compares them too,
//! but it writes an error for each argument of each pair in each fragment around them: a short
//! document has a million. It does not compare what is below two fields of one key.

use async_graphql::{
    Pos,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

/// Returns the first conflict of a document that is within the limits, with its place.
pub(crate) fn conflict(document: &ExecutableDocument) -> Option<(String, Pos)> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set);
    operations
        .chain(fragments)
        .find_map(|set| Merge { document }.set(&set.node, &mut Vec::new()).err())
}

/// A field with what is below all fields of its key.
struct Merged<'a> {
    field: &'a Field,
    below: Vec<Merged<'a>>,
}

struct Merge<'a> {
    document: &'a ExecutableDocument,
}

impl<'a> Merge<'a> {
    fn set(&self, set: &'a SelectionSet, into: &mut Vec<Merged<'a>>) -> Result<(), (String, Pos)> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    let is_of = |merged: &Merged<'_>| merged.field.response_key().node == *key;
                    let index = into.iter().position(is_of).unwrap_or_else(|| {
                        into.push(Merged { field: &field.node, below: Vec::new() });
                        into.len() - 1
                    });
                    let merged = &mut into[index];
                    if !is_same(merged.field, &field.node) {
                        let message = format!(
                            "the fields `{key}` are different fields or have different arguments: give one of them an alias"
                        );
                        return Err((message, field.pos));
                    }
                    self.set(&field.node.selection_set.node, &mut merged.below)?;
                }
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node, into)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    if let Some(fragment) = fragment {
                        self.set(&fragment.node.selection_set.node, into)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_same(one: &Field, other: &Field) -> bool {
    // A fragment can be spread several times.
    std::ptr::eq(one, other)
        || one.name.node == other.name.node
            && one.arguments.len() == other.arguments.len()
            && one
                .arguments
                .iter()
                .all(|(name, value)| other.get_argument(&name.node) == Some(value))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn fields_of_one_key_are_the_same_field() {
        for (document, conflicts) in [
            ("{ a a b c: a }", false),
            ("{ a: b a: c }", true),
            ("{ a: b a }", true),
            ("{ a(b: 1, c: $d) a(c: $d, b: 1) }", false),
            ("{ a(b: 1) a(b: 2) }", true),
            ("{ a(b: 1) a }", true),
            ("{ a a(b: 1) }", true),
            ("{ ... on A { a: b } a: c }", true),
            ("{ ... on A { a: b } ... on B { a: c } }", true),
            ("{ ...F a: c } fragment F on A { a: b }", true),
            ("{ ...F ...F } fragment F on A { a(b: 1) { c } }", false),
            ("{ a { b: c } a { b: d } }", true),
            ("{ a { b: c } a { b: c d } }", false),
            ("{ a { b } c { b: d } }", false),
            ("{ __typename } fragment F on A { a: b a: c }", true),
            ("query A { a: b } query B { a: c }", false),
        ] {
            let parsed = parse_query(document).unwrap();
            assert_eq!(conflict(&parsed).is_some(), conflicts, "{document}");
        }
    }
}
