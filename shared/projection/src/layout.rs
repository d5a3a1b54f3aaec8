//! A selection laid out for reading items: the members of each level, with how each is read.

use crate::chosen::Chosen;
use crate::field::{Epoch, Field, Kind};
use crate::join::Join;

/// The members of one object that are looked at.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The shown members in the model's order, then those that are only picked.
    pub(crate) members: Vec<Member>,
    /// How many members are shown.
    pub(crate) shown: usize,
    /// The index of the member that is a join's key.
    pub(crate) key: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Member {
    /// The attribute.
    pub(crate) name: &'static str,
    /// `"name":`, with the field's name.
    pub(crate) label: String,
    pub(crate) reads: Reads,
}

/// The part of a member's value that is shown.
#[derive(Debug)]
pub(crate) enum Reads {
    /// Scalars.
    Scalar,
    /// Strings, without this prefix.
    Prefixed(&'static str),
    /// Times since 1970.
    Epoch(Epoch),
    /// Scalars, and lists and sets of strings.
    Texts,
    /// A map.
    Object(Layout),
    /// A list of maps.
    Objects(Layout),
}

impl Layout {
    /// Lays out a level and those below it. `picks` are read whether or not they are shown; the
    /// join's list is one of the level's fields.
    pub(crate) fn new(
        fields: &'static [Field],
        chosen: &Chosen,
        picks: &[&'static str],
        join: Option<Join>,
    ) -> Self {
        let mut members: Vec<_> = chosen
            .walk(fields)
            .map(|(field, below)| Member::new(field, reads(field, below, join)))
            .collect();
        let shown = members.len();
        for name in picks {
            if members.iter().all(|member| member.name != *name) {
                members.push(Member { name, label: String::new(), reads: Reads::Scalar });
            }
        }
        Self { members, shown, key: None }
    }

    /// Returns the index of a member.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }
}

impl Member {
    fn new(field: &Field, reads: Reads) -> Self {
        Self {
            name: field.attribute(),
            label: format!("{}:", serde_json::Value::from(field.name)),
            reads,
        }
    }
}

fn reads(field: &Field, below: &Chosen, join: Option<Join>) -> Reads {
    match field.kind {
        Kind::Object(fields) => Reads::Object(Layout::new(fields, below, &[], None)),
        Kind::Objects(fields) => {
            Reads::Objects(match join.filter(|join| join.list == field.name) {
                Some(join) => {
                    let layout = Layout::new(fields, below, &[join.key], None);
                    Layout { key: layout.find(join.key), ..layout }
                }
                None => Layout::new(fields, below, &[], None),
            })
        }
        Kind::Texts => Reads::Texts,
        Kind::Prefixed { prefix, .. } => Reads::Prefixed(prefix),
        Kind::Epoch(epoch) => Reads::Epoch(epoch),
        Kind::Text | Kind::Number | Kind::Integer | Kind::Boolean | Kind::Timestamp => {
            Reads::Scalar
        }
    }
}
