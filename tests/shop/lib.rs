//! A bundle of its own for the tests of the platform, the benchmark and the fuzz targets: a shop. A
//! fork keeps it, and replaces `shared/model`.
//!
//! [`TEMPLATE`] declares its tables, [`sample`] generates rows for them, [`random`] generates numbers
//! for tests. Each route is a function: the binaries `shop-NAME`.

mod orders;
mod products;
mod users;

pub mod random;
pub mod sample;

pub use orders::{LIST_USER_ORDERS, ORDERS};
pub use products::{LIST_PRODUCTS, PRODUCTS};
pub use users::{GET_USER, USERS};

/// The tables, in CloudFormation's language, as `template.yaml` declares those of the bundle.
pub const TEMPLATE: &str = include_str!("template.yaml");

/// Every resource.
pub const RESOURCES: &[&api::Resource] = &[&PRODUCTS, &USERS, &ORDERS];

/// Every route.
pub const ROUTES: &[&api::Route] = &[&LIST_PRODUCTS, &GET_USER, &LIST_USER_ORDERS];

const _: () = api::check(RESOURCES, ROUTES);
