//! Where items are written to, with the scalars and places that are noted on the way.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::join::Insertion;
use crate::json::Attribute;
use crate::read::Value;

/// A string or number attribute, as its decoded text.
///
/// It is read from one attribute value of DynamoDB's JSON, such as those of a `LastEvaluatedKey`,
/// with [`serde_json`]:
///
/// ```
/// use projection::Scalar;
/// let scalar: Scalar<'_> = serde_json::from_str(r#"{"N":"1E+30"}"#)?;
/// assert_eq!(scalar, Scalar::Number("1E+30".into()));
/// assert!(serde_json::from_str::<Scalar<'_>>(r#"{"BOOL":true}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scalar<'a> {
    /// An `S`.
    Text(Cow<'a, str>),
    /// An `N`, digit for digit; a valid JSON number.
    Number(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    /// Returns the text, whichever the type.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    /// Returns the same with a text of its own.
    pub fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Self::Number(text) => Scalar::Number(Cow::Owned(text.into_owned())),
        }
    }

    /// Reads an attribute value; `None` if it is of any other type.
    pub(crate) fn read(attribute: &Attribute<'a>) -> Option<Self> {
        match attribute {
            Attribute::Text(text) => Some(Self::Text(text.0.clone())),
            Attribute::Number(number) => Some(Self::Number(number.clone())),
            Attribute::Binary(_)
            | Attribute::Boolean(_)
            | Attribute::Null
            | Attribute::Nested(..) => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Attribute::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("a string or number attribute is expected"))
    }
}

/// The JSON that a [`Transcoder`](crate::Transcoder) has written, with what it has noted on the
/// way. Made once a page: each item is appended.
#[derive(Debug, Default)]
pub struct Output<'a> {
    /// The items, one directly after the other.
    pub json: Vec<u8>,
    /// The picks of the last item: a scalar, or `None` where it had none, for each name, in their
    /// order.
    pub picks: Vec<Option<Scalar<'a>>>,
    /// The places in `json` where a member can be put into elements of the joined list, of all
    /// items.
    pub insertions: Vec<Insertion>,
    /// The values of the item that is being read.
    pub(crate) values: Vec<Value<'a>>,
}
