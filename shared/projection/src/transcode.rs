//! DynamoDB's JSON into plain JSON.
//!
//! An item is read before it is written: the text of each looked-at value is borrowed from the
//! input as it stands, then the members are written in the model's order. So the same item always
//! gives the same bytes, whatever order it came in.
//!
//! Only what is declared is shown. A value that is not of the declared kind cannot be cut down to
//! its declared members, so it is left out.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _};

use crate::error::Malformed;
use crate::join::{Insertion, Join};
use crate::json::{Attribute, Text, Type};
use crate::layout::{Layout, Reads};
use crate::output::{Output, Scalar};
use crate::read::{Members, Value};
use crate::selection::Selection;

/// Writes items as the JSON of a selection. Made once a request.
///
/// - Members come in the model's order at every level; absent ones are left out.
/// - Strings keep their characters and are escaped as `serde_json` does, numbers keep their digits;
///   binary is its base64 text; null is `null`.
/// - Sets of strings come sorted by the bytes of their texts.
/// - Where an [`Object`](crate::Kind::Object) or [`Objects`](crate::Kind::Objects) is declared and
///   something else comes, it is left out; so are elements of `Objects` that are no maps, elements
///   of [`Texts`](crate::Kind::Texts) that are no strings, maps, lists and sets where a scalar is
///   declared, and sets of numbers or binary everywhere. A scalar of another type than declared is
///   shown as it is.
/// - Of two members with one name the first counts.
#[derive(Debug)]
pub struct Transcoder {
    layout: Layout,
    /// The members whose scalars are reported.
    picks: Vec<usize>,
}

impl Transcoder {
    /// Prepares for this selection. `picks` are top-level attributes whose scalars are reported
    /// whether or not they are chosen; `join`, if its list is chosen, has the places in the list's
    /// elements reported.
    pub fn new(selection: &Selection, picks: &[&'static str], join: Option<Join>) -> Self {
        let layout = Layout::new(selection.fields, &selection.chosen, picks, join);
        let picks = picks.iter().filter_map(|pick| layout.find(pick)).collect();
        Self { layout, picks }
    }

    /// Reads one item, `{"name":{"S":"…"},…}`, and appends its JSON object to `output`.
    ///
    /// # Errors
    /// [`Malformed`], as for [`item`](Self::item), and if anything follows the item.
    pub fn read<'a>(&self, item: &'a str, output: &mut Output<'a>) -> Result<(), Malformed> {
        let mut deserializer = serde_json::Deserializer::from_str(item);
        let before = (output.json.len(), output.insertions.len());
        self.item(output).deserialize(&mut deserializer)?;
        deserializer.end().map_err(|error| {
            self.undo(before, output);
            error.into()
        })
    }

    /// Returns the seed that reads one item from a deserializer of [`serde_json`] over a slice or
    /// string, and appends its JSON object to `output`: for items within an answer.
    ///
    /// Afterwards `output.picks` are those of this item, and the insertions of its elements have been
    /// added.
    ///
    /// # Errors
    ///
    /// The seed's error is the deserializer's, if it has no item there or if a value that is shown
    /// or picked is not valid: a number that is no JSON number, or a string with half a surrogate
    /// pair. `output.json` and `output.insertions` are then as they were, and all picks `None`. Values
    /// that are not looked at need to be JSON, no more.
    pub fn item<'t, 'de>(&'t self, output: &'t mut Output<'de>) -> ItemSeed<'t, 'de> {
        ItemSeed { transcoder: self, output }
    }

    /// The top-level attributes that are looked at.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.layout.members.iter().map(|member| member.name)
    }

    /// Writes the item whose values have been read, and takes its picks.
    fn write(&self, output: &mut Output<'_>) -> Result<(), Malformed> {
        let Output { json, picks, insertions, values } = output;
        for pick in &self.picks {
            picks.push(match values.get(*pick) {
                Some(Value::Attribute(attribute)) => Scalar::read(attribute),
                _ => None,
            });
        }
        Writer { values, json, insertions }.object(&self.layout, 0)
    }

    /// Takes back what has been written since `before`: lengths of the JSON and of the insertions.
    fn undo(&self, before: (usize, usize), output: &mut Output<'_>) {
        output.json.truncate(before.0);
        output.insertions.truncate(before.1);
        output.picks.clear();
        output.picks.resize(self.picks.len(), None);
    }
}

/// Reads one item: see [`Transcoder::item`].
#[derive(Debug)]
pub struct ItemSeed<'t, 'de> {
    transcoder: &'t Transcoder,
    output: &'t mut Output<'de>,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { transcoder, output } = self;
        let before = (output.json.len(), output.insertions.len());
        output.picks.clear();
        output.values.clear();
        let read = Members { layout: &transcoder.layout, values: &mut output.values }
            .deserialize(deserializer);
        let written = read.and_then(|_| transcoder.write(output).map_err(D::Error::custom));
        if written.is_err() {
            transcoder.undo(before, output);
        }
        written
    }
}

/// Writes from the values of an item that has been read.
struct Writer<'t> {
    values: &'t [Value<'t>],
    json: &'t mut Vec<u8>,
    insertions: &'t mut Vec<Insertion>,
}

impl Writer<'_> {
    /// Writes the object whose values begin at `base`.
    fn object(&mut self, layout: &Layout, base: usize) -> Result<(), Malformed> {
        let start = self.json.len();
        self.json.push(b'{');
        let values = self.values.get(base..).unwrap_or_default();
        for (member, value) in layout.members.iter().zip(values).take(layout.shown) {
            let before = self.json.len();
            if before > start + 1 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(member.label.as_bytes());
            if !self.value(&member.reads, value)? {
                self.json.truncate(before);
            }
        }
        self.json.push(b'}');
        if let Some(Value::Attribute(key)) = layout.key.and_then(|key| values.get(key))
            && let Some(key) = Scalar::read(key)
        {
            let first = self.json.len() - start == 2;
            self.insertions.push(Insertion {
                at: self.json.len() - 1,
                first,
                key: key.as_str().to_owned(),
            });
        }
        Ok(())
    }

    /// Writes a value. Returns `false`, and has written nothing, if it is not to be shown.
    fn value(&mut self, reads: &Reads, value: &Value<'_>) -> Result<bool, Malformed> {
        match (reads, value) {
            (Reads::Object(layout), Value::Object(base)) => self.object(layout, *base)?,
            (Reads::Objects(layout), Value::Objects(bases)) => {
                self.array(bases, |writer, base| writer.object(layout, *base).map(|()| true))?;
            }
            (Reads::Scalar, Value::Attribute(attribute)) => return self.scalar(attribute),
            (Reads::Prefixed(prefix), Value::Attribute(Attribute::Text(Text(text)))) => {
                return self.text_or_nothing(match text {
                    Cow::Borrowed(text) => text.strip_prefix(prefix).map(Cow::Borrowed),
                    Cow::Owned(text) => {
                        text.strip_prefix(prefix).map(|text| Cow::Owned(text.to_owned()))
                    }
                });
            }
            (
                Reads::Epoch(epoch),
                Value::Attribute(Attribute::Text(Text(stored)) | Attribute::Number(stored)),
            ) => {
                return self.text_or_nothing(epoch.shown(stored).map(Cow::Owned));
            }
            (Reads::Texts, Value::Attribute(Attribute::Nested(Type::Texts, set))) => {
                let mut texts: Vec<Text<'_>> = serde_json::from_str(set)?;
                // The members of a set differ, so no order among equals is lost.
                texts.sort_unstable();
                self.array(&texts, |writer, text| writer.text(text).map(|()| true))?;
            }
            (Reads::Texts, Value::Attribute(Attribute::Nested(Type::List, list))) => {
                self.array(
                    &serde_json::from_str::<Vec<Attribute<'_>>>(list)?,
                    |writer, element| match element {
                        Attribute::Text(text) => writer.text(text).map(|()| true),
                        _ => Ok(false),
                    },
                )?;
            }
            (Reads::Texts, Value::Attribute(attribute)) => return self.scalar(attribute),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes a string if there is one, and returns whether there is.
    fn text_or_nothing(&mut self, text: Option<Cow<'_, str>>) -> Result<bool, Malformed> {
        text.map(|text| self.text(&Text(text))).transpose().map(|written| written.is_some())
    }

    /// Writes an attribute value if it is a scalar, and returns whether it is.
    fn scalar(&mut self, attribute: &Attribute<'_>) -> Result<bool, Malformed> {
        match attribute {
            Attribute::Text(text) | Attribute::Binary(text) => self.text(text)?,
            Attribute::Number(number) => self.json.extend_from_slice(number.as_bytes()),
            Attribute::Boolean(true) => self.json.extend_from_slice(b"true"),
            Attribute::Boolean(false) => self.json.extend_from_slice(b"false"),
            Attribute::Null => self.json.extend_from_slice(b"null"),
            Attribute::Nested(..) => return Ok(false),
        }
        Ok(true)
    }

    /// Writes a string. One that was borrowed from the input needs no escapes.
    fn text(&mut self, Text(text): &Text<'_>) -> Result<(), Malformed> {
        match text {
            Cow::Borrowed(text) => {
                self.json.push(b'"');
                self.json.extend_from_slice(text.as_bytes());
                self.json.push(b'"');
            }
            Cow::Owned(text) => serde_json::to_writer(&mut *self.json, text)?,
        }
        Ok(())
    }

    /// Writes an array of those elements for which `write` returns `true`.
    fn array<T>(
        &mut self,
        elements: &[T],
        write: impl Fn(&mut Self, &T) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed> {
        let start = self.json.len();
        self.json.push(b'[');
        for element in elements {
            let before = self.json.len();
            if before > start + 1 {
                self.json.push(b',');
            }
            if !write(self, element)? {
                self.json.truncate(before);
            }
        }
        self.json.push(b']');
        Ok(())
    }
}
