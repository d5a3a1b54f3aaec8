//! The declaration of a table and its indexes.

use crate::{Position, Value};

/// A table and the indexes that its lists are read from.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The attributes of the primary key, partition key first.
    pub key: &'static [&'static str],
    /// The indexes. If several serve a list equally well, the first one is used.
    pub indexes: &'static [Index],
}

/// A secondary index, or the table itself: one order in which items can be read.
///
/// Its key is HASH `partition`, RANGE (`sort`, `id`), with DynamoDB's
/// [multi-attribute keys](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html):
/// `id` breaks ties of `sort`, so that no two items have the same position. If the sort attribute is unique by itself (the sort key of a
/// table), `id` names it again.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The index's name; `None` is the table itself.
    pub name: Option<&'static str>,
    /// The HASH key.
    pub partition: Partition,
    /// The attribute that gives the order.
    pub sort: &'static str,
    /// The attribute that breaks ties.
    pub id: &'static str,
    /// The attributes that the index holds.
    pub projects: Projects,
}

/// The HASH part of an index's key.
#[derive(Debug, Clone, Copy)]
pub enum Partition {
    /// These attributes, one to four. A list needs an equality condition on each.
    Attributes(&'static [&'static str]),
    /// This attribute, which holds a shard number from 0 to the number of shards minus 1. A list is merged from all shards.
    Shards(&'static str),
}

/// An index's projection.
#[derive(Debug, Clone, Copy)]
pub enum Projects {
    /// Every attribute.
    All,
    /// These attributes (INCLUDE), and the key attributes of the index and the table.
    Attributes(&'static [&'static str]),
}

impl Index {
    /// Returns the attributes of the HASH key.
    #[must_use]
    pub fn partition_attributes(&self) -> &[&'static str] {
        match &self.partition {
            Partition::Attributes(names) => names,
            Partition::Shards(name) => std::slice::from_ref(name),
        }
    }

    /// Returns true if `attribute` is part of the index's key.
    #[must_use]
    pub fn is_key(&self, attribute: &str) -> bool {
        self.sort == attribute || self.id == attribute || self.partition_attributes().contains(&attribute)
    }

    /// Returns the position of an item, whose attributes `attribute` returns by name; `None` if the item lacks the sort attribute or the id.
    #[must_use]
    pub fn position(&self, attribute: impl Fn(&str) -> Option<Value>) -> Option<Position> {
        Some(Position { sort: attribute(self.sort)?, id: attribute(self.id)? })
    }

    /// Returns true if a Query of this index can return `attribute`.
    #[must_use]
    pub fn covers(&self, table: &Table, attribute: &str) -> bool {
        match self.projects {
            Projects::All => true,
            Projects::Attributes(names) => names.contains(&attribute) || self.is_key(attribute) || table.key.contains(&attribute),
        }
    }
}

impl Table {
    /// Returns what is wrong with the declaration, in words; empty if nothing is. Call it in a test, not for each request.
    ///
    /// The key of every index must include the table's key, because a position must be enough to make a start key.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for index in self.indexes {
            for key in self.key.iter().filter(|key| !index.is_key(key)) {
                mistakes.push(format!("{:?}: the table's key attribute {key} is no key attribute of the index", index.name));
            }
            if index.partition_attributes().is_empty() || index.partition_attributes().len() > 4 {
                mistakes.push(format!("{:?}: one to four partition attributes", index.name));
            }
        }
        mistakes
    }
}
