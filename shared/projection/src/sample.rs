//! A small model for the unit tests.

use crate::field::{Field, Kind};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

pub(crate) const GEO: &[Field] = &[field("lat", Kind::Number), field("lng", Kind::Number)];
pub(crate) const ADDRESS: &[Field] =
    &[field("street", Kind::Text), field("city", Kind::Text), field("geo", Kind::Object(GEO))];
pub(crate) const LINE: &[Field] =
    &[field("partId", Kind::Text), field("quantity", Kind::Integer), field("name", Kind::Text)];
pub(crate) const FIELDS: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("total", Kind::Number),
    field("active", Kind::Boolean),
    field("tags", Kind::Texts),
    field("address", Kind::Object(ADDRESS)),
    field("items", Kind::Objects(LINE)),
];
