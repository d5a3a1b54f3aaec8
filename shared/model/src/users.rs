//! Users: each reads their own record.

use api::{Access, Field, Kind, Policy, Quota, Resource, Route, Shape, Table, Weights, field};

const FIELDS: &[Field] = &[
    field("userId", Kind::Text, "The user's id."),
    field("name", Kind::Text, "The name, as the user writes it."),
    field("email", Kind::Text, "The e-mail address."),
    field("phone", Kind::Text, "The telephone number."),
    field("profilePicture", Kind::Text, "The URL of a picture."),
    field("birthDate", Kind::Text, "The date of birth."),
    field("address", Kind::Object(ADDRESS), "The postal address."),
    field("company", Kind::Object(COMPANY), "Where the user works."),
    field("createdAt", Kind::Timestamp, "When the user signed up."),
    field("updatedAt", Kind::Timestamp, "When the user's record was last changed."),
];

const ADDRESS: &[Field] = &[
    field("street", Kind::Text, "Street and number."),
    field("city", Kind::Text, "Town or city."),
    field("state", Kind::Text, "State or province."),
    field("postalCode", Kind::Text, "The postal code."),
    field("country", Kind::Text, "The country's name."),
    field("coordinates", Kind::Object(COORDINATES), "Where that is."),
];

const COORDINATES: &[Field] = &[
    field("lat", Kind::Number, "Degrees of latitude."),
    field("lng", Kind::Number, "Degrees of longitude."),
];

const COMPANY: &[Field] = &[
    field("name", Kind::Text, "The company's name."),
    field("department", Kind::Text, "The user's department."),
    field("title", Kind::Text, "The user's job title."),
];

/// The table `users`. Attributes that are not listed here are hidden.
pub static USERS: Resource = Resource {
    name: "users",
    table_variable: "USERS_TABLE",
    table: Table { key: &["userId"], indexes: &[] },
    fixed: &[],
    fields: FIELDS,
    summary: USER_SUMMARY,
    modified: Some("updatedAt"),
    policy: Policy::PrivateRevalidate,
};

/// `GET /v1/users/{userId}`
pub static GET_USER: Route = Route {
    name: "get-user",
    path: "/v1/users/{userId}",
    about: "Get a user. `me` stands for the caller.",
    resource: &USERS,
    access: Access::owner("userId"),
    quota: Quota::PerCaller(Weights::ONE),
    shape: Shape::One,
};

/// The fields that other lists show of a user.
pub(crate) const USER_SUMMARY: &[&str] = &["userId", "name", "email"];
