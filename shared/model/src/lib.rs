//! This bundle's resources and routes: the first part that a fork replaces.
//!
//! Everything here is data. A field that is not listed does not exist for callers, whatever the table holds. The simple rules are checked
//! when this crate compiles, the rest (indexes against `template.yaml`, filters against indexes) in the contract test.
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
pub static RESOURCES: [&api::Resource; 3] = [&PRODUCTS, &USERS, &ORDERS];

/// Every route.
pub static ROUTES: [&api::Route; 3] = [&LIST_PRODUCTS, &GET_USER, &LIST_USER_ORDERS];

// A resource or route that is not sound does not compile.
const _: () = {
    let mut i = 0;
    while i < RESOURCES.len() {
        assert!(RESOURCES[i].is_sound(), "a resource's key, summary or `modified` names what is no field");
        i += 1;
    }
    i = 0;
    while i < ROUTES.len() {
        assert!(ROUTES[i].is_sound(), "a route's filter or sort names what is no field, or it has no sort");
        i += 1;
    }
};

/// A field, in the order: name, kind, what it is.
const fn field(name: &'static str, kind: api::Kind, about: &'static str) -> api::Field {
    api::Field { name, kind, about }
}
