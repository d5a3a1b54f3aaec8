//! `cargo dev new` and `cargo dev remove sample`: every place of a resource or a route, written at
//! once.
//!
//! A resource stands in `shared/model`, `template.yaml` and `samples/`; a route in `shared/model`,
//! `functions/`, `Cargo.toml`, `template.yaml` and `events/`. What is written is a beginning, to be
//! changed by hand: it is ordinary code.
//!
//! - `options`, `name`, `path`: the command line, checked.
//! - `resource`, `route`: a declaration as Rust; `event`, `rows`: events and sample rows.
//! - `rust`, `manifest`, `template`: edits of a text of each kind.
//! - `change`: all edits of a command, written at once or shown.

mod change;
mod event;
mod manifest;
mod name;
mod options;
mod path;
mod resource;
mod route;
mod rows;
mod rust;
mod template;

use crate::bundle::Bundle;
use crate::rows::Rows;
use crate::sample::Sample;
use crate::{process, workspace};
use anyhow::{Result, bail, ensure};
use api::Resource;
use change::Change;
use event::Example;
pub use options::RouteOptions;
use resource::NewResource;
use route::NewAccess;
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
    let new = options::checked(options, &bundle)?;
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
    // Those of the routes, and those that serve all routes.
    let functions = bundle.template.functions.iter().map(|function| function.binary.as_str());
    let routes = bundle.routes.iter().map(|route| route.name);
    let functions: Vec<_> = functions
        .filter(|name| routes.clone().all(|route| route != *name))
        .chain(routes.clone())
        .collect();
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
