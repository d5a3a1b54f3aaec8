//! Reads the members of an answer: its items through the transcoder, the others as they are.

use std::{borrow::Cow, collections::HashMap, fmt};

use bytes::Bytes;
use projection::{Insertion, Malformed, Output, Scalar, Transcoder};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Item;

/// A key's attributes. Only those that are used must be strings or numbers.
pub(super) type Key<'de> = HashMap<Cow<'de, str>, &'de RawValue>;

/// The member of an answer that holds its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemsMember {
    /// `Item`: one item.
    Item,
    /// `Items`: an array.
    Items,
    /// `Responses`: an array for each table.
    Responses,
}

/// The values that the transcoder picks from one item, for a position or a key.
pub(super) type Picks<'de> = Vec<Option<Scalar<'de>>>;

/// The members of any of the three answers.
#[derive(Debug, Default)]
pub(super) struct AnswerMembers<'de> {
    pub(super) items: Option<Vec<(Picks<'de>, Item)>>,
    pub(super) count: Option<u32>,
    pub(super) scanned: Option<u32>,
    pub(super) last: Option<Key<'de>>,
    pub(super) unprocessed: HashMap<Cow<'de, str>, Unprocessed<'de>>,
    pub(super) units: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Unprocessed<'a> {
    #[serde(rename = "Keys", borrow)]
    pub(super) keys: Vec<Key<'a>>,
}

#[derive(Debug, Deserialize)]
struct Capacity {
    #[serde(rename = "CapacityUnits", default)]
    units: f64,
}

impl<'de> AnswerMembers<'de> {
    /// Reads a whole answer. Without a place, its items are skipped.
    pub(super) fn read(
        body: &'de [u8],
        items: Option<(ItemsMember, &Transcoder)>,
    ) -> Result<Self, Malformed> {
        let mut deserializer = serde_json::Deserializer::from_str(std::str::from_utf8(body)?);
        let members = deserializer.deserialize_map(AnswerVisitor { items, bytes: body.len() })?;
        deserializer.end()?;
        Ok(members)
    }
}

struct AnswerVisitor<'t> {
    items: Option<(ItemsMember, &'t Transcoder)>,
    /// The size of the answer. Its items take about half of it without DynamoDB's type descriptors.
    bytes: usize,
}

impl<'de> Visitor<'de> for AnswerVisitor<'_> {
    type Value = AnswerMembers<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an answer of DynamoDB")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnswerMembers<'de>, A::Error> {
        let mut members = AnswerMembers::default();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match (&*name, self.items) {
                ("Item", Some((place @ ItemsMember::Item, transcoder)))
                | ("Items", Some((place @ ItemsMember::Items, transcoder)))
                | ("Responses", Some((place @ ItemsMember::Responses, transcoder))) => {
                    let mut written = Written::default();
                    written.output.json.reserve(self.bytes / 2);
                    map.next_value_seed(ItemsSeed { place, transcoder, written: &mut written })?;
                    if members.items.replace(written.finish()).is_some() {
                        return Err(A::Error::custom("items come twice"));
                    }
                }
                ("Count", _) => members.count = map.next_value()?,
                ("ScannedCount", _) => members.scanned = map.next_value()?,
                ("LastEvaluatedKey", _) => members.last = map.next_value()?,
                ("UnprocessedKeys", Some((ItemsMember::Responses, _))) => {
                    members.unprocessed = map.next_value()?
                }
                ("ConsumedCapacity", Some((ItemsMember::Responses, _))) => {
                    members.units = map
                        .next_value::<Vec<Capacity>>()?
                        .iter()
                        .map(|capacity| capacity.units)
                        .sum();
                }
                ("ConsumedCapacity", _) => members.units = map.next_value::<Capacity>()?.units,
                // Without this, one in place of an item would read as "there is no such item".
                ("__type", _) => return Err(A::Error::custom("an error with a status of success")),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
    }
}

/// Reads an item, an array of items, or an object with an array of items a table.
struct ItemsSeed<'t, 'de> {
    place: ItemsMember,
    transcoder: &'t Transcoder,
    written: &'t mut Written<'de>,
}

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            ItemsMember::Item => {
                self.transcoder.item(&mut self.written.output).deserialize(deserializer)?;
                self.written.end_item();
                Ok(())
            }
            ItemsMember::Items => deserializer.deserialize_seq(self),
            ItemsMember::Responses => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { transcoder, written, .. } = self;
        while items
            .next_element_seed(ItemsSeed { place: ItemsMember::Item, transcoder, written })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tables: A) -> Result<(), A::Error> {
        let Self { transcoder, written, .. } = self;
        while tables.next_key::<IgnoredAny>()?.is_some() {
            tables.next_value_seed(ItemsSeed { place: ItemsMember::Items, transcoder, written })?;
        }
        Ok(())
    }
}

/// The items of one answer. They are written one after another into one buffer, which is split when
/// the answer is complete.
#[derive(Default)]
struct Written<'de> {
    output: Output<'de>,
    /// For each item: its picks, its end in the JSON, and the number of expansion positions up to
    /// there.
    ends: Vec<(Picks<'de>, usize, usize)>,
}

impl<'de> Written<'de> {
    fn end_item(&mut self) {
        let picks = std::mem::take(&mut self.output.picks);
        self.ends.push((picks, self.output.json.len(), self.output.insertions.len()));
    }

    fn finish(self) -> Vec<(Picks<'de>, Item)> {
        let all = Bytes::from(self.output.json);
        let mut insertions = self.output.insertions.into_iter();
        let (mut start, mut insertions_before) = (0, 0);
        let cut = |(picks, end, insertions_to): (Picks<'de>, usize, usize)| {
            let insertions = insertions
                .by_ref()
                .take(insertions_to - insertions_before)
                .map(|insertion| Insertion { at: insertion.at - start, ..insertion })
                .collect();
            let item = Item { json: all.slice(start..end), insertions };
            (start, insertions_before) = (end, insertions_to);
            (picks, item)
        };
        self.ends.into_iter().map(cut).collect()
    }
}
