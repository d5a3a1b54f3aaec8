//! The ProjectionExpression of a selection.
//!
//! Every name is a placeholder, so no list of reserved words is needed; no two paths overlap,
//! because DynamoDB refuses that ([AWS: projection expressions][aws]).
//!
//! [aws]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html

use std::fmt::Write as _;

use crate::chosen::Chosen;
use crate::field::{Field, Kind};

/// A ProjectionExpression with the placeholders that it uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expression {
    /// For `ProjectionExpression`: `#p0,#p1.#p2`. Empty if nothing is to be fetched, which DynamoDB
    /// does not take.
    pub text: String,
    /// For `ExpressionAttributeNames`: the placeholder and the name, each once.
    pub names: Vec<(String, String)>,
}

/// Writes the expression of the chosen fields and of the top-level attributes `also`.
pub(crate) fn build(fields: &'static [Field], chosen: &Chosen, also: &[&str]) -> Expression {
    let mut expression =
        Expression { text: String::with_capacity(64), names: Vec::with_capacity(16) };
    let mut path = String::new();
    for (field, below) in chosen.walk(fields) {
        // An attribute that is needed whole anyway stands for its parts too.
        let below = if also.contains(&field.attribute()) { &Chosen::All } else { below };
        expression.field(&mut path, field, below);
    }
    for (at, name) in also.iter().enumerate() {
        if !chosen.walk(fields).any(|(field, _)| field.attribute() == *name)
            && !also[..at].contains(name)
        {
            expression.path("", name);
        }
    }
    expression
}

impl Expression {
    /// Adds the paths of a field. They end at a list: a path cannot reach into each of its
    /// elements.
    fn field(&mut self, parent: &mut String, field: &'static Field, below: &Chosen) {
        match (field.kind, below) {
            (Kind::Object(members), Chosen::Part(_)) => {
                let length = parent.len();
                let known = self.known(field.name);
                parent.push_str(&self.names[known].0);
                parent.push('.');
                for (member, below) in below.walk(members) {
                    self.field(parent, member, below);
                }
                parent.truncate(length);
            }
            _ => self.path(parent, field.attribute()),
        }
    }

    fn path(&mut self, parent: &str, name: &str) {
        let known = self.known(name);
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(parent);
        self.text.push_str(&self.names[known].0);
    }

    /// Returns the index of a name's placeholder: one for each name, wherever it stands.
    fn known(&mut self, name: &str) -> usize {
        if let Some(known) = self.names.iter().position(|(_, known)| known == name) {
            return known;
        }
        let index = self.names.len();
        let mut placeholder = String::with_capacity(8);
        placeholder.push_str("#p");
        let _ = write!(placeholder, "{index}");
        self.names.push((placeholder, name.to_owned()));
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grammar, sample::FIELDS};

    fn of(text: &str, also: &[&str]) -> Expression {
        build(FIELDS, &grammar::parse(text, FIELDS).unwrap(), also)
    }

    /// The expression with its placeholders filled in.
    fn shown(text: &str, also: &[&str]) -> String {
        let expression = of(text, also);
        let name = |placeholder: &str| {
            expression
                .names
                .iter()
                .find(|(known, _)| known == placeholder)
                .map(|(_, name)| name.clone())
                .unwrap()
        };
        let path = |path: &str| path.split('.').map(name).collect::<Vec<_>>().join(".");
        expression.text.split(',').map(path).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn paths_stop_at_lists_and_at_whole_objects() {
        assert_eq!(shown("name,address.city", &[]), "name,address.city");
        assert_eq!(shown("address(geo(lat),city)", &[]), "address.city,address.geo.lat");
        assert_eq!(shown("address.geo", &[]), "address.geo");
        assert_eq!(shown("items(partId)", &[]), "items");
        assert_eq!(shown("tags,address", &[]), "tags,address");
    }

    #[test]
    fn also_never_overlaps() {
        assert_eq!(shown("name", &["id", "shard", "id"]), "name,id,shard");
        assert_eq!(shown("id,name", &["id"]), "id,name");
        assert_eq!(shown("address.city", &["address"]), "address");
        assert_eq!(shown("items(partId)", &["items"]), "items");
    }

    #[test]
    fn a_name_has_one_placeholder() {
        let expression = of("name,items(name),address(city)", &["city"]);
        assert_eq!(expression.text, "#p0,#p1.#p2,#p3,#p2");
        let names: Vec<_> = expression.names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["name", "address", "city", "items"]);
    }

    #[test]
    fn nothing_chosen_is_an_empty_text() {
        let nothing = Chosen::Part(Vec::new());
        assert_eq!(build(FIELDS, &nothing, &[]), Expression::default());
        assert_eq!(build(FIELDS, &nothing, &["id"]).text, "#p0");
    }
}
