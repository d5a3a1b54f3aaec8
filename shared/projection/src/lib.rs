#![doc = include_str!("../README.md")]

#[cfg(feature = "aws-sdk")]
mod attributes;
mod chosen;
mod error;
mod expression;
mod field;
mod grammar;
mod join;
mod json;
mod layout;
mod nearest;
mod output;
mod read;
mod selection;
mod transcode;

#[cfg(test)]
mod sample;

pub use error::{FieldError, FieldErrors, MAX_ERRORS, Malformed};
pub use expression::Expression;
pub use field::{Epoch, Field, Kind, attribute_in, field, names_in};
pub use join::{Insertion, Join, splice};
pub use nearest::nearest;
pub use output::{Output, Scalar};
pub use selection::Selection;
pub use transcode::{ItemSeed, Transcoder};
