//! A selection: which of the declared fields were chosen, at every level, in the model's order.

use std::fmt;

use crate::{Expression, Field, FieldError, expression, grammar};

/// The fields that an answer shows.
///
/// Always in the model's order and in one canonical form: duplicates and overlaps are gone, and an object all of
/// whose members were named is an object chosen whole. Two texts that mean the same give equal selections.
///
/// [`Display`](fmt::Display) writes the canonical text, which parses back to an equal selection (an empty
/// selection writes an empty text, which does not parse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub(crate) fields: &'static [Field],
    pub(crate) chosen: Chosen,
}

/// What is chosen of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// All that is declared; at a leaf, the leaf.
    All,
    /// These, ascending by their index.
    Part(Vec<Node>),
}

/// One chosen field of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its index among the level's fields.
    pub(crate) index: usize,
    pub(crate) below: Chosen,
}

impl Selection {
    /// Reads a text like `name,address.city,items(productId,quantity)` against the declared `fields`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text, in the order in which it stands there (at most
    /// [`MAX_ERRORS`](crate::MAX_ERRORS)). The work is linear in the length of the text.
    pub fn parse(text: &str, fields: &'static [Field]) -> Result<Self, Vec<FieldError>> {
        let mut chosen = grammar::parse(text, fields)?;
        chosen.settle(fields);
        Ok(Self { fields, chosen })
    }

    /// Every declared field. Allocates nothing.
    pub const fn all(fields: &'static [Field]) -> Self {
        Self { fields, chosen: Chosen::All }
    }

    /// These top-level fields, whole: for a fixed summary. A name that is not among `fields` is left out (and
    /// fails a debug assertion); [`names_in`](crate::names_in) checks it at compile time.
    pub fn of(fields: &'static [Field], names: &[&str]) -> Self {
        debug_assert!(crate::names_in(fields, names), "{names:?} must all be declared");
        let mut nodes = Vec::with_capacity(names.len());
        nodes
            .extend((0..fields.len()).filter(|&index| names.contains(&fields[index].name)).map(|index| Node { index, below: Chosen::All }));
        let mut chosen = Chosen::Part(nodes);
        chosen.settle(fields);
        Self { fields, chosen }
    }

    /// The same with the top-level field `name` whole. A name that is not declared changes nothing.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        if let Some(index) = self.fields.iter().position(|field| field.name == name) {
            self.chosen.insert(&[index]);
            self.chosen.settle(self.fields);
        }
        self
    }

    /// Whether the top-level field `name` is chosen, whole or in part.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|chosen| chosen == name)
    }

    /// The names of the top-level attributes that are chosen, whole or in part, in the model's order.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        self.chosen.walk(self.fields).map(|(field, _)| field.name)
    }

    /// The ProjectionExpression that fetches this selection, and the top-level attributes `also` (the keys that a
    /// cursor is made of), from DynamoDB.
    pub fn expression(&self, also: &[&str]) -> Expression {
        expression::build(self, also)
    }
}

impl Chosen {
    /// The chosen fields of a level whose declared fields are `fields`, with what is chosen below each.
    pub(crate) fn walk(&self, fields: &'static [Field]) -> impl Iterator<Item = (&'static Field, &Self)> {
        let (all, part) = match self {
            Self::All => (fields, [].as_slice()),
            Self::Part(nodes) => ([].as_slice(), nodes.as_slice()),
        };
        let part = part.iter().filter_map(|node| fields.get(node.index).map(|field| (field, &node.below)));
        all.iter().map(|field| (field, &Self::All)).chain(part)
    }

    /// Chooses the field at the end of a path of indices, whole.
    pub(crate) fn insert(&mut self, path: &[usize]) {
        let mut level = self;
        for (step, &index) in path.iter().enumerate() {
            let Self::Part(nodes) = level else { return };
            let at = match nodes.binary_search_by_key(&index, |node| node.index) {
                Ok(at) => at,
                Err(at) => {
                    nodes.insert(at, Node { index, below: Self::Part(Vec::new()) });
                    at
                }
            };
            if step + 1 == path.len() {
                nodes[at].below = Self::All;
            }
            level = &mut nodes[at].below;
        }
    }

    /// Makes a level of which all is chosen whole [`Chosen::All`], so that there is one form for one meaning.
    fn settle(&mut self, fields: &'static [Field]) {
        let Self::Part(nodes) = self else { return };
        let mut whole = nodes.len() == fields.len();
        for node in nodes {
            if let Some(members) = fields.get(node.index).and_then(|field| field.kind.members()) {
                node.below.settle(members);
            }
            whole &= node.below == Self::All;
        }
        if whole {
            *self = Self::All;
        }
    }

    fn write(&self, fields: &'static [Field], to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (field, below)) in self.walk(fields).enumerate() {
            if at > 0 {
                to.write_str(",")?;
            }
            to.write_str(field.name)?;
            if let (Self::Part(nodes), Some(members)) = (below, field.kind.members()) {
                let (open, close) = if nodes.len() == 1 { (".", "") } else { ("(", ")") };
                to.write_str(open)?;
                below.write(members, to)?;
                to.write_str(close)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chosen.write(self.fields, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ADDRESS, FIELDS};

    fn canonical(text: &str) -> String {
        Selection::parse(text, FIELDS).unwrap().to_string()
    }

    #[test]
    fn one_meaning_has_one_form() {
        assert_eq!(canonical("name,id,name"), "id,name");
        assert_eq!(canonical("address.city,address"), "address");
        assert_eq!(canonical("address,address.city"), "address");
        assert_eq!(canonical("address.geo.lat,address(geo(lng),city)"), "address(city,geo)");
        assert_eq!(canonical("address.street,address.city,address.geo"), "address");
        assert_eq!(canonical("address.geo(lat)"), "address.geo.lat");
        assert_eq!(canonical("items(quantity,productId),id"), "id,items(productId,quantity)");
        let all = Selection::all(FIELDS);
        assert_eq!(Selection::parse(&all.to_string(), FIELDS).unwrap(), all);
    }

    #[test]
    fn fixed_selections() {
        assert_eq!(Selection::of(FIELDS, &["total", "id"]).to_string(), "id,total");
        assert_eq!(Selection::of(ADDRESS, &["street", "city", "geo"]), Selection::all(ADDRESS));
        assert_eq!(Selection::of(FIELDS, &[]).to_string(), "");
        assert_eq!(Selection::of(FIELDS, &[]).attributes().count(), 0);
    }

    #[test]
    fn with_adds_a_whole_field() {
        let selection = Selection::parse("address.city", FIELDS).unwrap();
        assert_eq!(selection.clone().with("id").to_string(), "id,address.city");
        assert_eq!(selection.clone().with("address").to_string(), "address");
        assert_eq!(selection.clone().with("nothing"), selection);
        assert_eq!(Selection::all(FIELDS).with("id"), Selection::all(FIELDS));
    }

    #[test]
    fn contains_and_attributes_look_at_the_top() {
        let selection = Selection::parse("address.city,id", FIELDS).unwrap();
        assert!(selection.contains("address") && selection.contains("id"));
        assert!(!selection.contains("city") && !selection.contains("name"));
        assert_eq!(selection.attributes().collect::<Vec<_>>(), ["id", "address"]);
    }
}
