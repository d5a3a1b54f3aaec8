//! This bundle's resources and routes: the first part that a fork replaces.
//!
//! Everything here is data. A field that is not listed does not exist for callers, whatever the
//! table holds. The simple rules are checked when this crate compiles, the rest (indexes against
//! `template.yaml`, filters against indexes) in the contract test.
//!
//! ```
//! use model::{LIST_PRODUCTS, ROUTES};
//!
//! assert_eq!(LIST_PRODUCTS.path, "/v1/products");
//! assert!(ROUTES.iter().all(|route| route.path.starts_with("/v1/")));
//! ```

mod orders;
mod products;
mod users;

pub use orders::{LIST_USER_ORDERS, ORDERS};
pub use products::{LIST_PRODUCTS, PRODUCTS};
pub use users::{GET_USER, USERS};

/// Every resource.
pub const RESOURCES: &[&api::Resource] = &[&PRODUCTS, &USERS, &ORDERS];

/// Every route.
pub const ROUTES: &[&api::Route] = &[&LIST_PRODUCTS, &GET_USER, &LIST_USER_ORDERS];

const _: () = api::check(RESOURCES, ROUTES);
