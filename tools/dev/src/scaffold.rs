//! `cargo dev new` and `cargo dev remove sample`: every place of a resource or a route, written at
//! once.
//!
//! A resource stands in `shared/model`, `template.yaml` and `samples/`; a route in `shared/model`,
//! `functions/`, `Cargo.toml`, `template.yaml` and `events/`. What is written is a beginning, to be
//! changed by hand: it is ordinary code.

mod change;
mod event;
mod manifest;
mod name;
mod resource;
mod route;
mod rows;
mod rust;
mod template;

use crate::bundle::Bundle;
use crate::rows::Rows;
use crate::sample::Sample;
use crate::{process, workspace};
use anyhow::{Context as _, Result, bail, ensure};
use api::Resource;
use change::Change;
use event::Example;
use resource::NewResource;
use route::{NewAccess, NewRoute};
use std::path::Path;
use tokio::process::Command;

const LIB: &str = "shared/model/src/lib.rs";
const MANIFEST: &str = "Cargo.toml";
const TEMPLATE: &str = "template.yaml";
const FUNCTION_MANIFEST: &str = include_str!("scaffold/function/Cargo.toml.in");
const FUNCTION_MAIN: &str = include_str!("scaffold/function/main.rs.in");

/// How a change is made.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// Print the difference and write nothing.
    pub dry_run: bool,
    /// Go on although there are changes that are not committed.
    pub allow_dirty: bool,
    /// Do not run the contract test at the end.
    pub no_test: bool,
}

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

/// Makes a resource: its declaration, its table and its sample rows.
///
/// # Errors
/// If an option is wrong or a name is taken; then nothing is written.
pub async fn resource(name: &str, key: &str, indexes: &[String], mode: Mode) -> Result<()> {
    let new = NewResource::parse(name, key, indexes)?;
    let root = workspace::root();
    let (bundle, module) = (Bundle::of_workspace()?, name::snake(name));
    ensure!(
        bundle.resources.iter().all(|resource| resource.name != name),
        "there is a resource {name} already"
    );
    let table = format!("{}Table", name::pascal(name));
    ensure!(
        bundle.template.resource(&table).is_none(),
        "template.yaml has a resource {table} already"
    );
    let mut change = Change::begin(root.clone(), mode.allow_dirty)?;
    change.create(&format!("shared/model/src/{module}.rs"), new.module())?;
    change.edit(LIB, |lib| {
        let lib = rust::export(&rust::module(lib, &module)?, &module, &name::screaming(name))?;
        rust::element(&lib, "RESOURCES", &format!("&{}", name::screaming(name)))
    })?;
    change.edit(TEMPLATE, |text| template::with_resource(text, &new))?;
    change.create(&format!("samples/{name}.jsonl"), rows::lines(&new))?;
    finish(change, &root, mode).await
}

/// Makes a route: its declaration, its function in every place, and its events.
///
/// # Errors
/// If an option is wrong or a name is taken; then nothing is written.
pub async fn route(options: RouteOptions, mode: Mode) -> Result<()> {
    let root = workspace::root();
    let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
    let new = new_route(options, &bundle)?;
    let name = new.name.as_str();
    let table = bundle.find(new.resource.name)?.table.logical_id.as_str();
    let mut change = Change::begin(root.clone(), mode.allow_dirty)?;
    let (file, resource) = declared_in(&change, new.resource)?;
    let module =
        Path::new(&file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    let declaration = new.declaration(&resource)?;
    change.edit(&file, |text| Ok(rust::imports(text, &new.imports()?)? + &declaration))?;
    change.edit(LIB, |lib| {
        let lib = if file == LIB {
            lib.to_owned()
        } else {
            rust::export(lib, &module, &name::screaming(name))?
        };
        rust::element(&lib, "ROUTES", &format!("&{}", name::screaming(name)))
    })?;
    let of_function =
        |text: &str| text.replace("@function@", name).replace("@FUNCTION@", &name::screaming(name));
    change.create(&format!("functions/{name}/Cargo.toml"), of_function(FUNCTION_MANIFEST))?;
    change.create(&format!("functions/{name}/src/main.rs"), of_function(FUNCTION_MAIN))?;
    change.edit(MANIFEST, |text| manifest::with_route(text, &new.path, name))?;
    change.edit(TEMPLATE, |text| template::with_route(text, &new, table))?;
    let rows = Rows::of_sample(&bundle, &sample);
    let caller = rows.caller(&bundle);
    let owner = match &new.access {
        NewAccess::Owner(field) => {
            Some((field.as_str(), rows.text(new.resource, field).unwrap_or(caller)))
        }
        NewAccess::Public => None,
    };
    let value = |name: &str| match owner {
        Some((field, caller)) if field == name => Some(caller),
        _ => rows.text(new.resource, name),
    };
    let values = new.parameters().map(|name| (name, value(name).unwrap_or("1"))).collect();
    for (case, event) in
        event::all(&Example { path: &new.path, values, owner, is_list: new.is_list })
    {
        change.create(&format!("events/{name}.{case}.json"), event)?;
    }
    finish(change, &root, mode).await
}

/// Removes every resource and every route: what is left is an empty bundle.
///
/// # Errors
/// If a file is not as it was written; then nothing is removed.
pub async fn remove_sample(mode: Mode) -> Result<()> {
    let root = workspace::root();
    let bundle = Bundle::of_workspace()?;
    let resources: Vec<_> = bundle.resources.iter().map(|resource| resource.name).collect();
    let functions: Vec<_> = bundle.routes.iter().map(|route| route.name).collect();
    ensure!(!resources.is_empty(), "the bundle is empty already");
    let mut change = Change::begin(root.clone(), mode.allow_dirty)?;
    let mut modules = Vec::new();
    for path in change.files("shared/model/src")? {
        let declares = [": Resource =", ": Route ="]
            .iter()
            .any(|what| change.text(&path).is_ok_and(|text| text.contains(what)));
        if path != LIB && declares {
            modules.extend(
                Path::new(&path).file_stem().and_then(|stem| stem.to_str()).map(str::to_owned),
            );
            change.remove(&path);
        }
    }
    change.edit(LIB, |lib| rust::emptied(lib, &modules))?;
    for function in &functions {
        for path in change.files(&format!("functions/{function}"))? {
            change.remove(&path);
        }
    }
    for path in change.files("events")? {
        let of =
            path.trim_start_matches("events/").split('.').next().unwrap_or_default().to_owned();
        if functions.contains(&of.as_str()) {
            change.remove(&path);
        }
    }
    for resource in &resources {
        let path = format!("samples/{resource}.jsonl");
        if change.exists(&path) {
            change.remove(&path);
        }
    }
    change.edit(MANIFEST, manifest::without_routes)?;
    change.edit(TEMPLATE, |text| Ok(template::without(text, &resources, &functions)))?;
    finish(change, &root, mode).await
}

/// Reads and checks the options of a route.
fn new_route(options: RouteOptions, bundle: &Bundle) -> Result<NewRoute> {
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
        None => default_path(resource, list, owner.as_deref(), bundle)?,
    };
    check_path(&path)?;
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
        for field in key_fields(resource) {
            let named = new.parameters().any(|name| name == field);
            ensure!(
                named,
                "{}: the path of one item names its key: {{{}}}",
                new.path,
                key_fields(resource).collect::<Vec<_>>().join("} {")
            );
        }
    }
    Ok(new)
}

/// The fields that are the key of a resource.
fn key_fields(resource: &'static Resource) -> impl Iterator<Item = &'static str> {
    let key = resource.table.key.iter();
    key.filter_map(|key| resource.fields.iter().find(|field| field.attribute() == *key))
        .map(|field| field.name)
}

/// `/v1/articles`, `/v1/articles/{articleId}` or, below the resource whose key comes first,
/// `/v1/authors/{authorId}/articles`.
fn default_path(
    resource: &'static Resource,
    list: bool,
    owner: Option<&str>,
    bundle: &Bundle,
) -> Result<String> {
    let key: Vec<_> = key_fields(resource).collect();
    let first = if list { owner } else { key.first().copied().filter(|_| key.len() > 1) };
    let mut path = "/v1".to_owned();
    if let Some(first) = first {
        let of = bundle.resources.iter().find(|other| other.table.key == [first]);
        let of = of.with_context(|| {
            format!("--path is required: no resource has the key {first} alone")
        })?;
        path += &format!("/{}/{{{first}}}", of.name);
    }
    path += &format!("/{}", resource.name);
    if !list {
        path += &key
            .iter()
            .filter(|name| Some(**name) != first)
            .map(|name| format!("/{{{name}}}"))
            .collect::<String>();
    }
    Ok(path)
}

fn check_path(path: &str) -> Result<()> {
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let parameter = |segment: &str| {
        segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')).map(str::to_owned)
    };
    let segments =
        path.strip_prefix('/').with_context(|| format!("{path}: a path begins with a slash"))?;
    let mut names = Vec::new();
    for segment in segments.split('/') {
        let name = parameter(segment);
        ensure!(
            is_plain(segment) || name.is_some(),
            "{path}: a segment is small letters, digits and hyphens, or {{FIELD}}"
        );
        if let Some(name) = name {
            ensure!(!names.contains(&name), "{path}: {{{name}}} is there twice");
            names.push(name);
        }
    }
    Ok(())
}

/// Finds the file and the static that declare a resource.
fn declared_in(change: &Change, resource: &Resource) -> Result<(String, String)> {
    for path in change.files("shared/model/src")? {
        if let Some(name) = rust::resource_static(&change.text(&path)?, resource.name) {
            return Ok((path.clone(), name.to_owned()));
        }
    }
    bail!(
        "no file of shared/model/src has a `pub static … : Resource` with the name {:?}",
        resource.name
    )
}

/// Writes the change, then, with the new declarations compiled, the contract; and tests whether all
/// places agree.
async fn finish(change: Change, root: &Path, mode: Mode) -> Result<()> {
    change.finish(mode.dry_run)?;
    if mode.dry_run {
        return Ok(());
    }
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root).args(arguments);
        cargo
    };
    process::run(
        cargo(&["run", "--quiet", "--package", "dev", "--", "openapi"]),
        "cargo dev openapi",
    )
    .await?;
    println!("              openapi.json");
    let test = ["test", "--quiet", "--workspace", "--test", "bundle", "--", "contract"];
    if mode.no_test {
        println!("next: cargo {}", test.join(" "));
        return Ok(());
    }
    process::run(cargo(&test), "the contract test").await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn path_of(
        name: &str,
        resource: &str,
        list: bool,
        path: Option<&str>,
        owner: Option<&str>,
    ) -> String {
        let bundle = Bundle {
            resources: shop::RESOURCES,
            routes: shop::ROUTES,
            template: Template::parse(shop::TEMPLATE).unwrap(),
        };
        let (path, owner) = (path.map(str::to_owned), owner.map(str::to_owned));
        let options = RouteOptions {
            name: name.to_owned(),
            resource: resource.to_owned(),
            list,
            path,
            owner,
        };
        match new_route(options, &bundle) {
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
