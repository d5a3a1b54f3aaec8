//! The declaration of a table and its indexes.

use crate::Value;

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
/// | kind | `name` | `partition` | `range` |
/// |---|---|---|---|
/// | the table itself | `None` | its HASH key | its RANGE key |
/// | a local index | its name | the table's HASH key | its RANGE key |
/// | a global index | its name | its HASH key | its RANGE key, or nothing |
/// | a global index with [multi-attribute keys][multi] | its name | 1 to 4 attributes | 0 to 4 attributes |
///
/// If the key attributes of the table are all part of the index's key, as in
/// `partition: ["genre"], range: ["year", "bookId"]`, no two items have the same key in it: the
/// index is [unique](Index::is_unique). In other indexes items with equal keys come in an order of
/// DynamoDB's own, which is stable; a position in them is DynamoDB's start key, which has the
/// table's key as well.
///
/// Lists can be merged from several partitions if no two items of different partitions have the same
/// range: each key attribute of the table is part of the range, or has one value in all of the
/// partitions.
///
/// [multi]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The index's name; `None` is the table itself.
    pub name: Option<&'static str>,
    /// The HASH key.
    pub partition: Partition,
    /// The RANGE key, in its order. The first attribute gives the order of lists.
    pub range: &'static [&'static str],
    /// The attributes that the index holds.
    pub projects: Projects,
}

/// The HASH part of an index's key.
#[derive(Debug, Clone, Copy)]
pub enum Partition {
    /// These attributes, one to four. A list needs an equality condition on each, or one of several
    /// values.
    Attributes(&'static [&'static str]),
    /// This attribute, which holds a shard number from 0 to the number of shards minus 1. A list is
    /// merged from all shards.
    Shards(&'static str),
}

/// An index's projection.
#[derive(Debug, Clone, Copy)]
pub enum Projects {
    /// Every attribute.
    All,
    /// These attributes (INCLUDE), and the key attributes of the index and the table. None of them
    /// is KEYS_ONLY.
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
        self.range.contains(&attribute) || self.partition_attributes().contains(&attribute)
    }

    /// Returns true if no two items of `table` have the same key in the index.
    #[must_use]
    pub fn is_unique(&self, table: &Table) -> bool {
        table.key.iter().all(|key| self.is_key(key))
    }

    /// Returns true if no two items of different partitions have the same range, given the
    /// attributes that have one value in all of the partitions.
    pub(crate) fn is_mergeable(&self, table: &Table, constant: &[&str]) -> bool {
        table.key.iter().all(|key| self.range.contains(key) || constant.contains(key))
    }

    /// Returns the attributes that, with the partition, make DynamoDB's start key: the RANGE key,
    /// then what the table's key has more.
    pub fn position_attributes(&self, table: &Table) -> impl Iterator<Item = &'static str> {
        self.range.iter().chain(table.key.iter().filter(|key| !self.is_key(key))).copied()
    }

    /// Returns true if a Query of this index can return `attribute`.
    #[must_use]
    pub fn covers(&self, table: &Table, attribute: &str) -> bool {
        match self.projects {
            Projects::All => true,
            Projects::Attributes(names) => {
                names.contains(&attribute)
                    || self.is_key(attribute)
                    || table.key.contains(&attribute)
            }
        }
    }
}

impl Table {
    /// Returns `true` if an index spreads its items over shards, so that a reader must know their
    /// number.
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        self.indexes.iter().any(|index| matches!(index.partition, Partition::Shards(_)))
    }

    /// Returns true if an item can have this primary key, its values in the order of
    /// [`Table::key`]. DynamoDB refuses every request that has another one: an empty text, more
    /// than 2,048 bytes in a partition key, more than 1,024 in a sort key
    /// ([constraints](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)).
    #[must_use]
    pub fn can_hold(&self, key: &[Value]) -> bool {
        let fits = |(i, value): (usize, &Value)| match value {
            Value::S(text) => (1..=if i == 0 { 2_048 } else { 1_024 }).contains(&text.len()),
            Value::N(_) => true,
            Value::Bool(_) => false,
        };
        key.len() == self.key.len() && key.iter().enumerate().all(fits)
    }

    /// Returns what is wrong with the declaration, one sentence each; empty if nothing is. Call it
    /// in a test, not for each request.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !(1..=2).contains(&self.key.len()) {
            mistakes.push(format!(
                "the table's key has {} attributes: give its partition key and, if it has one, its sort key",
                self.key.len()
            ));
        }
        for index in self.indexes {
            let name = index.name.unwrap_or("the table itself");
            let mut mistake = |text: String| mistakes.push(format!("{name}: {text}"));
            let partition = index.partition_attributes();
            if !(1..=4).contains(&partition.len()) {
                mistake(format!(
                    "a partition of {} attributes: DynamoDB takes 1 to 4",
                    partition.len()
                ));
            }
            if index.range.len() > 4 {
                mistake(format!(
                    "a range of {} attributes: DynamoDB takes up to 4",
                    index.range.len()
                ));
            }
            for (i, attribute) in partition.iter().chain(index.range).enumerate() {
                if partition.iter().chain(index.range).take(i).any(|other| other == attribute) {
                    mistake(format!("{attribute} is twice in its key"));
                }
            }
            if index.name.is_none()
                && (partition != &self.key[..self.key.len().min(1)]
                    || index.range != self.key.get(1..).unwrap_or_default())
            {
                mistake("its key is not the table's key".to_owned());
            }
            if index.name.is_none() && index.range.is_empty() {
                mistake(
                    "a table without a sort key has one item in a partition: it cannot be listed"
                        .to_owned(),
                );
            }
            if matches!(index.partition, Partition::Shards(_)) && !index.is_mergeable(self, &[]) {
                let missing: Vec<_> =
                    self.key.iter().filter(|key| !index.range.contains(key)).copied().collect();
                mistake(format!(
                    "shards can be merged only if its range has {}",
                    missing.join(" and ")
                ));
            }
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [The limits of a key of an index](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html).
    #[test]
    fn a_key_of_an_index_has_up_to_four_attributes_in_each_part() {
        static FOUR: [&str; 4] = ["a", "b", "c", "d"];
        static FIVE: [&str; 5] = ["e", "f", "g", "h", "i"];
        let mistakes = |partition, range| {
            let indexes: &'static [Index] = vec![Index {
                name: Some("by"),
                partition: Partition::Attributes(partition),
                range,
                projects: Projects::All,
            }]
            .leak();
            Table { key: &["id"], indexes }.mistakes()
        };
        assert_eq!(mistakes(&FOUR, &FIVE[..4]), [""; 0]);
        assert_eq!(mistakes(&FOUR[..1], &[]), [""; 0]);
        assert_eq!(mistakes(&[], &FIVE).len(), 2);
        assert_eq!(
            mistakes(&FIVE, &FOUR),
            ["by: a partition of 5 attributes: DynamoDB takes 1 to 4"]
        );
    }
}
