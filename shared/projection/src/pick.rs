//! Scalars picked out of items on the way: what cursors, merges and joins are made of.

use std::borrow::Cow;

use crate::value::Type;
use crate::{Malformed, Scan};

/// A string or number attribute, as its decoded text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scalar<'a> {
    /// An `S`.
    Text(Cow<'a, str>),
    /// An `N`, digit for digit; a valid JSON number.
    Number(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    /// The text, whichever the type.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    /// The same, standing on its own.
    pub fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Self::Number(text) => Scalar::Number(Cow::Owned(text.into_owned())),
        }
    }

    /// Reads one attribute value, such as those of a `LastEvaluatedKey`: `{"S":"…"}` or `{"N":"…"}`. A value of
    /// any other type is stepped over and is `None`.
    ///
    /// # Errors
    /// If no attribute value comes.
    ///
    /// ```
    /// use projection::{Scalar, Scan};
    /// let scalar = Scalar::read(&mut Scan::new(br#"{"N":"1E+30"}"#))?;
    /// assert_eq!(scalar, Some(Scalar::Number("1E+30".into())));
    /// assert_eq!(Scalar::read(&mut Scan::new(br#"{"BOOL":true}"#))?, None);
    /// # Ok::<(), projection::Malformed>(())
    /// ```
    pub fn read(scan: &mut Scan<'a>) -> Result<Option<Self>, Malformed> {
        let kind = Type::read(scan)?;
        let scalar = match kind {
            Type::Text => Some(Self::Text(scan.string()?.text()?)),
            Type::Number => Some(Self::Number(crate::value::number(scan)?.text()?)),
            _ => {
                scan.skip()?;
                None
            }
        };
        Type::close(scan)?;
        Ok(scalar)
    }
}

/// What a [`Transcoder`](crate::Transcoder) takes out of items on the way. Made once a page and handed to each item.
#[derive(Debug, Default)]
pub struct Taken<'a> {
    /// Of the last item: a scalar, or `None` where it had none, for each name that was asked for, in that order.
    pub picks: Vec<Option<Scalar<'a>>>,
    /// Of all items so far: the places where the elements of the joined list can be spliced into.
    pub joints: Vec<crate::Joint>,
}
