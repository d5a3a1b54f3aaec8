//! Field selection for DynamoDB items: which fields a caller may name, what to ask DynamoDB for, and the JSON of
//! exactly those fields.
//!
//! # Why
//!
//! A read API that lets its callers choose fields has three places where "which fields" must mean the same: the
//! caller's text, the ProjectionExpression, and the answer. Kept apart they drift, and what drifts last is the answer,
//! where a member that nobody meant to publish is a leak. Here all three come from one [`Selection`] over one
//! allow-list of [`Field`]s; what is not declared does not exist, at any level.
//!
//! The answer is made from the bytes that DynamoDB sent, in one pass, without building maps of attribute values.
//! Since members are put into the model's order, whatever order they came in, the same item always gives the same
//! bytes, and a hash of them can be an ETag.
//!
//! # Use
//!
//! ```
//! use projection::{Field, Kind, Malformed, Scan, Selection, Taken, Transcoder};
//!
//! const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
//!     Field { name, kind, about }
//! }
//! static ADDRESS: [Field; 2] =
//!     [field("street", Kind::Text, "Street and number."), field("city", Kind::Text, "Town or city.")];
//! static PERSON: [Field; 3] = [
//!     field("id", Kind::Text, "The person's id."),
//!     field("name", Kind::Text, "As the person writes it."),
//!     field("address", Kind::Object(&ADDRESS), "Where the person lives."),
//! ];
//!
//! // What the caller wrote; all that is wrong with it is told at once.
//! let selection = Selection::parse("address.city,name", &PERSON).map_err(|errors| format!("{errors:?}"))?;
//! let errors = Selection::parse("nmae,address.zip", &PERSON).err().unwrap_or_default();
//! assert_eq!(errors[0].to_string(), "unknown field \"nmae\"; did you mean \"name\"? valid: id, name, address");
//! assert_eq!(errors[1].to_string(), "unknown field \"address.zip\"; valid: street, city");
//!
//! // What to ask DynamoDB for: the selection, and the key that the cursor needs.
//! let expression = selection.expression(&["id"]);
//! assert_eq!(expression.text, "#p0,#p1.#p2,#p3");
//! assert_eq!(expression.names[3], ("#p3".to_owned(), "id".to_owned()));
//!
//! // What it sent, and the answer.
//! let body = br#"{"Items":[{"secret":{"S":"x"},"address":{"M":{"city":{"S":"Oslo"},"zip":{"S":"0150"}}},
//!     "id":{"S":"7"},"name":{"S":"Ada \u00c5"}}],"Count":1}"#;
//! let mut transcoder = Transcoder::new(&selection, &["id"], None);
//! let (mut taken, mut out) = (Taken::default(), Vec::new());
//! let mut scan = Scan::new(body);
//! let mut members = scan.object()?;
//! while let Some(name) = members.next(&mut scan)? {
//!     if name.is("Items") {
//!         let mut items = scan.array()?;
//!         while items.next(&mut scan)? {
//!             transcoder.item(&mut scan, &mut taken, &mut out)?;
//!         }
//!     } else {
//!         scan.skip()?;
//!     }
//! }
//! assert_eq!(String::from_utf8_lossy(&out), r#"{"name":"Ada \u00c5","address":{"city":"Oslo"}}"#);
//! assert_eq!(taken.picks[0].as_ref().map(|id| id.as_str()), Some("7"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//!
//! No HTTP, no client, no requests: the bytes come from wherever you have them. No writing of items, no list indices
//! in paths (`items[0]`), no wildcards, no exclusions: a caller says what it wants. No float anywhere.

mod expression;
mod field;
mod grammar;
mod join;
mod number;
mod pick;
mod plan;
mod scan;
mod selection;
mod string;
mod transcode;
mod value;

#[cfg(test)]
mod sample;

pub use expression::Expression;
pub use field::{Field, Kind, names_in};
pub use grammar::{FieldError, MAX_ERRORS};
pub use join::{Join, Joint, splice};
pub use number::compare;
pub use pick::{Scalar, Taken};
pub use scan::{Elements, Malformed, Members, Next, Scan};
pub use selection::Selection;
pub use string::Raw;
pub use transcode::Transcoder;
