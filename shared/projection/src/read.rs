//! Reading an item: its looked-at values, in one pass.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::{Attribute, Type, single};
use crate::layout::{Layout, Reads};

/// The value of a member. An object's values stand side by side, one for each member of its layout.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// It has not come.
    Absent,
    /// It is not of the declared kind.
    Hidden,
    /// An attribute value to be looked at when it is written.
    Attribute(Attribute<'a>),
    /// A map, whose values begin there.
    Object(usize),
    /// A list; of its elements those that are maps, whose values begin there.
    Objects(Vec<usize>),
}

/// Reads the members of a map. Gives the place from which on their values have been appended.
pub(crate) struct Members<'t, 'de> {
    pub(crate) layout: &'t Layout,
    pub(crate) values: &'t mut Vec<Value<'de>>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, 'de> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = usize;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let Self { layout, values } = self;
        let base = values.len();
        values.resize(base + layout.members.len(), Value::Absent);
        while let Some(found) = map.next_key_seed(Name(layout))? {
            let found = found.and_then(|index| Some((base + index, layout.members.get(index)?)));
            // Of two members with one name the first counts.
            let Some((place, member)) =
                found.filter(|(place, _)| matches!(values.get(*place), Some(Value::Absent)))
            else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = match &member.reads {
                Reads::Scalar | Reads::Texts | Reads::Prefixed(_) | Reads::Epoch(_) => {
                    Value::Attribute(map.next_value()?)
                }
                Reads::Object(layout) => {
                    map.next_value_seed(Nested { kind: Type::Map, layout, values })?
                }
                Reads::Objects(layout) => {
                    map.next_value_seed(Nested { kind: Type::List, layout, values })?
                }
            };
            if let Some(slot) = values.get_mut(place) {
                *slot = value;
            }
        }
        Ok(base)
    }
}

/// Reads a member's name. Gives its index in the layout.
struct Name<'t>(&'t Layout);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.find(name))
    }
}

/// Reads an attribute value that shall be a map, or a list of maps.
struct Nested<'t, 'de> {
    kind: Type,
    layout: &'t Layout,
    values: &'t mut Vec<Value<'de>>,
}

impl<'de> DeserializeSeed<'de> for Nested<'_, 'de> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_, 'de> {
    type Value = Value<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
        let Self { kind: wanted, layout, values } = self;
        single(map, |kind, map| match kind {
            Type::Map if wanted == kind => {
                map.next_value_seed(Members { layout, values }).map(Value::Object)
            }
            Type::List if wanted == kind => {
                map.next_value_seed(Elements { layout, values }).map(Value::Objects)
            }
            _ => map.next_value::<IgnoredAny>().map(|_| Value::Hidden),
        })
    }
}

/// Reads a list. Gives where the values of each element that is a map begin.
struct Elements<'t, 'de> {
    layout: &'t Layout,
    values: &'t mut Vec<Value<'de>>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, 'de> {
    type Value = Vec<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<usize>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, 'de> {
    type Value = Vec<usize>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<usize>, A::Error> {
        let Self { layout, values } = self;
        let mut maps = Vec::new();
        while let Some(element) =
            list.next_element_seed(Nested { kind: Type::Map, layout, values })?
        {
            if let Value::Object(base) = element {
                maps.push(base);
            }
        }
        Ok(maps)
    }
}
