//! Limits on a document, before it is validated.
//!
//! Whoever reads a document afterwards follows each spread of a fragment, again and again: so every
//! selection counts, with what is spread put in. A fragment is measured once, however often it is
//! spread.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The maximum depth of fields, with the fragments put in. `user { orders { edges { node { items {
/// product { name } } } } } }` has 7.
pub(crate) const MAX_DEPTH: usize = 8;
/// The maximum depth of fields, fragments and inline fragments.
pub(crate) const MAX_RECURSION: usize = 24;
/// The same for a query of the schema: what tools send goes deep into the types of types.
pub(crate) const MAX_INTROSPECTION_DEPTH: usize = 16;
/// The maximum number of selections (fields, spreads and inline fragments) of all operations, with
/// the fragments put in, and of each fragment.
pub(crate) const MAX_SELECTIONS: usize = 500;
/// The maximum number of directives in a document.
pub(crate) const MAX_DIRECTIVES: usize = 20;
/// The maximum number of reads of an operation. Aliases count.
pub(crate) const MAX_READS: usize = 4;
/// The maximum number of errors in an answer.
pub(crate) const MAX_ERRORS: usize = 32;
/// The maximum size of the errors of an answer, in bytes. The first one is always there.
pub(crate) const MAX_ERROR_BYTES: usize = 16 << 10;
/// The maximum length of an error's message, in characters: it repeats what a caller sent.
pub(crate) const MAX_MESSAGE: usize = 512;
/// The maximum cost of an operation in read units; see [`reads`](crate::reads).
pub(crate) const MAX_COST: f64 = 50.0;

/// The size of a selection with its fragments put in.
#[derive(Debug, Default, Clone, Copy)]
struct Size {
    /// Fields on the longest way down.
    depth: usize,
    /// Fields, fragments and inline fragments on the longest way down.
    recursion: usize,
    /// Fields, spreads and inline fragments.
    selections: usize,
}

/// Measures every operation and every fragment of a document.
pub(crate) fn check_document(document: &ExecutableDocument) -> Result<(), String> {
    let mut measure =
        Measure { document, known: HashMap::new(), open: Vec::new(), introspects: false };
    let (mut selections, mut depth, mut recursion) = (0_usize, 0, 0);
    for (_, operation) in document.operations.iter() {
        let size = measure.set(&operation.node.selection_set.node)?;
        selections = selections.saturating_add(size.selections);
        (depth, recursion) = (depth.max(size.depth), recursion.max(size.recursion));
    }
    // A fragment that no operation spreads is refused by validation, which reads it too.
    for name in document.fragments.keys() {
        let size = measure.fragment(name)?;
        (depth, recursion) = (depth.max(size.depth), recursion.max(size.recursion));
        if size.selections > MAX_SELECTIONS {
            selections = size.selections;
        }
    }
    let most = if measure.introspects { MAX_INTROSPECTION_DEPTH } else { MAX_DEPTH };
    if depth > most {
        return Err(format!("fields are nested deeper than {most}"));
    }
    if recursion > MAX_RECURSION {
        return Err(format!("fields and fragments are nested deeper than {MAX_RECURSION}"));
    }
    if selections > MAX_SELECTIONS {
        return Err(format!(
            "the document has more than {MAX_SELECTIONS} fields and fragments, with those that are spread put in"
        ));
    }
    let directives = directives(document);
    if directives > MAX_DIRECTIVES {
        return Err(format!("the document has more than {MAX_DIRECTIVES} directives"));
    }
    Ok(())
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    known: HashMap<&'a str, Size>,
    /// The fragments that are being measured.
    open: Vec<&'a str>,
    introspects: bool,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Result<Size, String> {
        let mut sum = Size::default();
        for item in &set.items {
            let (size, is_field) = match &item.node {
                Selection::Field(field) => {
                    self.introspects |= field.node.name.node == "__schema";
                    (self.set(&field.node.selection_set.node)?, true)
                }
                Selection::InlineFragment(inline) => {
                    (self.set(&inline.node.selection_set.node)?, false)
                }
                Selection::FragmentSpread(spread) => {
                    (self.fragment(&spread.node.fragment_name.node)?, false)
                }
            };
            sum.selections = sum.selections.saturating_add(size.selections).saturating_add(1);
            sum.depth = sum.depth.max(size.depth + usize::from(is_field));
            sum.recursion = sum.recursion.max(size.recursion + 1);
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a str) -> Result<Size, String> {
        if let Some(size) = self.known.get(name) {
            return Ok(*size);
        }
        if self.open.contains(&name) {
            return Err(format!("the fragment `{name}` spreads itself"));
        }
        // Validation names an unknown fragment.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        self.open.push(name);
        let size = self.set(&fragment.node.selection_set.node)?;
        self.open.pop();
        self.known.insert(name, size);
        Ok(size)
    }
}

fn directives(document: &ExecutableDocument) -> usize {
    fn of_set(set: &SelectionSet) -> usize {
        let of = |selection: &Selection| {
            let below = match selection {
                Selection::Field(field) => of_set(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => of_set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => 0,
            };
            selection.directives().len() + below
        };
        set.items.iter().map(|item| of(&item.node)).sum()
    }
    let operations = document.operations.iter().map(|(_, operation)| {
        let variables = operation.node.variable_definitions.iter();
        let of_variables: usize = variables.map(|variable| variable.node.directives.len()).sum();
        operation.node.directives.len() + of_variables + of_set(&operation.node.selection_set.node)
    });
    let fragments = document
        .fragments
        .values()
        .map(|fragment| fragment.node.directives.len() + of_set(&fragment.node.selection_set.node));
    operations.chain(fragments).sum()
}
