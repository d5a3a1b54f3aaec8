//! What a table's indexes offer: which partition, in which order, with which attributes.

use crate::{Position, Value};

/// A table and the indexes that its lists are read from.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The primary key's attributes, partition key first.
    pub key: &'static [&'static str],
    /// The indexes. Where several serve a request equally well, the first is taken.
    pub indexes: &'static [Index],
}

/// One order in which a table can be read: a secondary index, or the table itself.
///
/// Its key is HASH `partition`, RANGE (`sort`, `id`), with DynamoDB's
/// [multi-attribute keys](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html):
/// ties of `sort` are broken by `id`, so that every item has a place of its own. Where the sort attribute is unique by itself
/// (a table's sort key), `id` names it again.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The index's name; `None` is the table itself.
    pub name: Option<&'static str>,
    /// Which items lie together.
    pub partition: Partition,
    /// The attribute that gives the order.
    pub sort: &'static str,
    /// The attribute that breaks ties.
    pub id: &'static str,
    /// What the index holds of an item.
    pub projects: Projects,
}

/// The HASH part of an index's key.
#[derive(Debug, Clone, Copy)]
pub enum Partition {
    /// These attributes: each must be given by an equality condition.
    Attributes(&'static [&'static str]),
    /// A shard number in this attribute, from 0 up to the number of shards: the list is merged from all of them.
    Shards(&'static str),
}

/// An index's projection.
#[derive(Debug, Clone, Copy)]
pub enum Projects {
    /// Every attribute.
    All,
    /// These attributes (INCLUDE), and the keys of index and table.
    Attributes(&'static [&'static str]),
}

impl Index {
    /// The attributes of the HASH key.
    #[must_use]
    pub fn partition_attributes(&self) -> &[&'static str] {
        match &self.partition {
            Partition::Attributes(names) => names,
            Partition::Shards(name) => std::slice::from_ref(name),
        }
    }

    /// Whether `attribute` is part of the index's key.
    #[must_use]
    pub fn is_key(&self, attribute: &str) -> bool {
        self.sort == attribute || self.id == attribute || self.partition_attributes().contains(&attribute)
    }

    /// Returns the position of an item, whose attributes `attribute` returns by name; `None` if the item lacks the sort attribute or the id.
    #[must_use]
    pub fn position(&self, attribute: impl Fn(&str) -> Option<Value>) -> Option<Position> {
        Some(Position { sort: attribute(self.sort)?, id: attribute(self.id)? })
    }

    /// Whether a Query of this index brings `attribute`.
    #[must_use]
    pub fn covers(&self, table: &Table, attribute: &str) -> bool {
        match self.projects {
            Projects::All => true,
            Projects::Attributes(names) => names.contains(&attribute) || self.is_key(attribute) || table.key.contains(&attribute),
        }
    }
}

impl Table {
    /// What is wrong with the declaration, in words; empty if nothing is. Cheap enough for a test, too dear for a request.
    ///
    /// Every index must hold the table's key among its own, or no start key could be made from a position.
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
