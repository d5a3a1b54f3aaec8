//! A selection: which of the declared fields were chosen, at every level, in the model's order.

use std::fmt;

use crate::chosen::{Chosen, Node};
use crate::error::FieldErrors;
use crate::expression::{self, Expression};
use crate::field::{Field, names_in};
use crate::grammar;

/// The fields that an answer shows.
///
/// Always in the model's order and in one canonical form: duplicates and overlaps are gone, and an
/// object all of whose members were named is an object chosen whole. Two texts that mean the same
/// give equal selections.
///
/// [`Display`](fmt::Display) writes the canonical text, which parses back to an equal selection (an
/// empty selection writes an empty text, which does not parse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub(crate) fields: &'static [Field],
    pub(crate) chosen: Chosen,
}

impl Selection {
    /// Reads a text like `name,address.city,items(partId,quantity)` against the declared `fields`.
    ///
    /// # Errors
    ///
    /// [`FieldErrors`]: all errors of the text, in order. The work is linear in the length of the
    /// text.
    pub fn parse(text: &str, fields: &'static [Field]) -> Result<Self, FieldErrors> {
        grammar::parse(text, fields).map(|chosen| Self { fields, chosen })
    }

    /// Chooses every declared field. Allocates nothing.
    pub const fn all(fields: &'static [Field]) -> Self {
        Self { fields, chosen: Chosen::All }
    }

    /// Chooses these top-level fields, whole: for a fixed summary. A name that is not among
    /// `fields` is left out (and fails a debug assertion); [`names_in`](crate::names_in) checks it
    /// at compile time.
    pub fn of(fields: &'static [Field], names: &[&str]) -> Self {
        debug_assert!(names_in(fields, names), "{names:?} must all be declared");
        let mut nodes = Vec::with_capacity(names.len());
        nodes.extend(
            (0..fields.len())
                .filter(|&index| names.contains(&fields[index].name))
                .map(|index| Node { index, below: Chosen::All }),
        );
        let mut chosen = Chosen::Part(nodes);
        chosen.settle(fields);
        Self { fields, chosen }
    }

    /// Returns what was chosen by name below the field at the end of `path`, which has members;
    /// `None` if the field was not named, because it is not chosen, or is chosen with all that
    /// stands around it.
    #[must_use]
    pub fn part(&self, path: &[&str]) -> Option<Self> {
        let (mut fields, mut chosen) = (self.fields, &self.chosen);
        for name in path {
            let index = fields.iter().position(|field| field.name == *name)?;
            let Chosen::Part(nodes) = chosen else { return None };
            chosen = &nodes.iter().find(|node| node.index == index)?.below;
            fields = fields.get(index)?.kind.members()?;
        }
        Some(Self { fields, chosen: chosen.clone() })
    }

    /// Returns the same selection of `fields`, without what they do not have. At every level,
    /// `fields` are the beginning of this selection's fields.
    #[must_use]
    pub fn restricted_to(&self, fields: &'static [Field]) -> Self {
        let mut chosen = self.chosen.restricted_to(fields);
        chosen.settle(fields);
        Self { fields, chosen }
    }

    /// Adds the top-level field `name`, whole. A name that is not declared changes nothing.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        if let Some(index) = self.fields.iter().position(|field| field.name == name) {
            self.chosen.insert(&[index]);
            self.chosen.settle(self.fields);
        }
        self
    }

    /// Returns whether the top-level field `name` is chosen, whole or in part.
    pub fn contains(&self, name: &str) -> bool {
        self.chosen.walk(self.fields).any(|(field, _)| field.name == name)
    }

    /// Iterates over the names of the chosen top-level attributes, whole or in part, in the model's
    /// order.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        self.chosen.walk(self.fields).map(|(field, _)| field.attribute())
    }

    /// Returns the ProjectionExpression that fetches this selection, and the top-level attributes
    /// `also` (such as the keys that a cursor is made of), from DynamoDB.
    pub fn expression(&self, also: &[&str]) -> Expression {
        expression::build(self.fields, &self.chosen, also)
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
    fn a_part_is_what_was_named_below_a_field() {
        let part = |text: &str, path: &[&str]| {
            Selection::parse(text, FIELDS).unwrap().part(path).map(|part| part.to_string())
        };
        assert_eq!(part("id,address(city,geo.lat)", &["address"]).as_deref(), Some("city,geo.lat"));
        assert_eq!(part("address.geo", &["address", "geo"]).as_deref(), Some("lat,lng"));
        assert_eq!(part("items(partId)", &["items"]).as_deref(), Some("partId"));
        assert_eq!(
            part("address", &["address", "geo"]),
            None,
            "chosen with all that stands around it"
        );
        assert_eq!(part("id", &["address"]), None);
        assert_eq!(part("id", &["id"]), None, "a field without members has no part");
        assert_eq!(part("id", &["nothing"]), None);
    }

    #[test]
    fn a_selection_is_restricted_to_fewer_fields() {
        let restricted = |text: &str| {
            Selection::parse(text, FIELDS).unwrap().restricted_to(&FIELDS[..2]).to_string()
        };
        let (first, second) = (FIELDS[0].name, FIELDS[1].name);
        assert_eq!(
            restricted(&format!("{second},{first},address.city")),
            format!("{first},{second}")
        );
        assert_eq!(restricted("address.city"), "");
        let whole = Selection::all(FIELDS).restricted_to(&FIELDS[..2]);
        assert_eq!(whole, Selection::all(&FIELDS[..2]));
    }

    #[test]
    fn one_meaning_has_one_form() {
        assert_eq!(canonical("name,id,name"), "id,name");
        assert_eq!(canonical("address.city,address"), "address");
        assert_eq!(canonical("address,address.city"), "address");
        assert_eq!(canonical("address.geo.lat,address(geo(lng),city)"), "address(city,geo)");
        assert_eq!(canonical("address.street,address.city,address.geo"), "address");
        assert_eq!(canonical("address.geo(lat)"), "address.geo.lat");
        assert_eq!(canonical("items(quantity,partId),id"), "id,items(partId,quantity)");
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
