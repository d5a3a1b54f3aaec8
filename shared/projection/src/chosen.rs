//! The tree of chosen fields.

use std::fmt;

use crate::field::Field;

/// The chosen part of one level.
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

impl Chosen {
    /// Iterates over the chosen fields of a level whose declared fields are `fields`, each with
    /// what is chosen below it.
    pub(crate) fn walk(
        &self,
        fields: &'static [Field],
    ) -> impl Iterator<Item = (&'static Field, &Self)> {
        let (all, part) = match self {
            Self::All => (fields, [].as_slice()),
            Self::Part(nodes) => ([].as_slice(), nodes.as_slice()),
        };
        let part =
            part.iter().filter_map(|node| fields.get(node.index).map(|field| (field, &node.below)));
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

    /// Returns the same choice among `fields`, which are the beginning of this level's fields,
    /// without the rest.
    pub(crate) fn restricted_to(&self, fields: &'static [Field]) -> Self {
        let Self::Part(nodes) = self else { return Self::All };
        let kept = nodes.iter().filter_map(|node| {
            let below = match fields.get(node.index)?.kind.members() {
                Some(members) => node.below.restricted_to(members),
                None => node.below.clone(),
            };
            Some(Node { index: node.index, below })
        });
        Self::Part(kept.collect())
    }

    /// Turns a level of which all is chosen whole into [`Chosen::All`], so that one meaning has one
    /// form.
    pub(crate) fn settle(&mut self, fields: &'static [Field]) {
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

    /// Writes the canonical text.
    pub(crate) fn write(
        &self,
        fields: &'static [Field],
        to: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
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
