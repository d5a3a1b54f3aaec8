//! The options of `cargo dev new route`, checked against the bundle.

use super::route::{NewAccess, NewRoute};
use super::{name, path};
use crate::bundle::Bundle;
use anyhow::{Result, bail, ensure};

/// The options of a new route.
#[derive(Debug, Clone)]
pub struct RouteOptions {
    /// The name of the function.
    pub name: String,
    /// The name of its resource.
    pub resource: String,
    /// A list, not one item.
    pub list: bool,
    /// The path; by default one that follows from the resource.
    pub path: Option<String>,
    /// The field that holds the id of the caller; public without it.
    pub owner: Option<String>,
}

/// Reads and checks the options of a route.
pub(super) fn checked(options: RouteOptions, bundle: &Bundle) -> Result<NewRoute> {
    let RouteOptions { name, resource, list, path, owner } = options;
    name::check(&name)?;
    let resource = bundle.find(&resource)?.resource;
    ensure!(
        bundle.routes.iter().all(|route| route.name != name),
        "there is a route {name} already"
    );
    ensure!(
        bundle.template.resource(&name::pascal(&name)).is_none(),
        "template.yaml has a resource {} already",
        name::pascal(&name)
    );
    let path = match path {
        Some(path) => path,
        None => path::of(resource, list, owner.as_deref(), bundle)?,
    };
    path::check(&path)?;
    let shape = |path: &str| {
        path.split('/')
            .map(|segment| if segment.starts_with('{') { "{}" } else { segment }.to_owned())
            .collect::<Vec<_>>()
    };
    if let Some(other) = bundle.routes.iter().find(|route| shape(route.path) == shape(&path)) {
        bail!("{path}: {} has this path already", other.name);
    }
    let access = owner.map_or(NewAccess::Public, NewAccess::Owner);
    let new = NewRoute { name, path, resource, access, is_list: list };
    let fields: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
    let owner = match &new.access {
        NewAccess::Owner(field) => Some(field.as_str()),
        NewAccess::Public => None,
    };
    for name in new.parameters().chain(owner) {
        ensure!(
            fields.contains(&name),
            "{name} is no field of {}; it has: {}",
            resource.name,
            fields.join(", ")
        );
    }
    if !list {
        for field in path::key_fields(resource) {
            let named = new.parameters().any(|name| name == field);
            ensure!(
                named,
                "{}: the path of one item names its key: {{{}}}",
                new.path,
                path::key_fields(resource).collect::<Vec<_>>().join("} {")
            );
        }
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(
        name: &str,
        resource: &str,
        list: bool,
        path: Option<&str>,
        owner: Option<&str>,
    ) -> String {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let (path, owner) = (path.map(str::to_owned), owner.map(str::to_owned));
        let options = RouteOptions {
            name: name.to_owned(),
            resource: resource.to_owned(),
            list,
            path,
            owner,
        };
        match checked(options, &bundle) {
            Ok(new) => new.path,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_path_follows_from_the_resource() {
        assert_eq!(
            path_of("get-product", "products", false, None, None),
            "/v1/products/{productId}"
        );
        assert_eq!(path_of("list-all-users", "users", true, None, None), "/v1/users");
        assert_eq!(
            path_of("get-order", "orders", false, None, None),
            "/v1/users/{userId}/orders/{orderId}"
        );
        assert_eq!(
            path_of("x", "orders", true, None, Some("orderId")),
            "--path is required: no resource has the key orderId alone"
        );
    }

    #[test]
    fn a_route_that_cannot_be_served_is_refused() {
        let list = |path| path_of("x", "products", true, Some(path), None);
        assert_eq!(list("v1/things"), "v1/things: a path begins with a slash");
        assert_eq!(
            list("/v1/Things"),
            "/v1/Things: a segment is small letters, digits and hyphens, or {FIELD}"
        );
        assert_eq!(list("/v1/{sku}/{sku}"), "/v1/{sku}/{sku}: {sku} is there twice");
        assert_eq!(list("/v1/products"), "/v1/products: list-products has this path already");
        let fields =
            "orderId, userId, status, placedAt, updatedAt, currency, total, itemCount, items";
        let one = |path, owner| path_of("x", "orders", false, Some(path), owner);
        assert_eq!(
            one("/v1/orders/{id}", None),
            format!("id is no field of orders; it has: {fields}")
        );
        assert_eq!(
            one("/v1/o/{orderId}", None),
            "/v1/o/{orderId}: the path of one item names its key: {userId} {orderId}"
        );
        assert_eq!(
            one("/v1/o/{userId}/{orderId}", Some("who")),
            format!("who is no field of orders; it has: {fields}")
        );
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        assert_eq!(
            path_of("get-user", "users", false, None, None),
            "there is a route get-user already"
        );
        assert_eq!(
            path_of("products-table", "users", false, None, None),
            "template.yaml has a resource ProductsTable already"
        );
        assert_eq!(
            path_of("x", "things", false, None, None),
            "there is no resource things; there are: products, users, orders"
        );
    }
}
