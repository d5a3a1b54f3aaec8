//! The contract: what several places of a bundle state about the same fact agrees.
//!
//! `shared/model` is the truth for fields, filters and sorts, `template.yaml` for tables, indexes,
//! routes, permissions and environment. The emulator checks neither an index's projection nor any
//! permission, so both are checked here. (`openapi.json` is checked where it is generated, in
//! `tools/dev`.)
//!
//! Each check returns every mistake of a bundle, one sentence that names what is missing and where.
//! The tests here want none in the bundle that stands in this repository; [`wrong`] shows each
//! check a bundle with one mistake.

mod events;
mod functions;
mod permissions;
mod tables;
mod wrong;

use std::{
    collections::BTreeSet,
    ops::Deref,
    path::{Path, PathBuf},
};

use api::{Index, Projects, Resource};
use dev::{bundle::Bundle, template::Function};
use serde_json::Value;

/// A bundle and the folder that it stands in.
pub(crate) struct Checkout {
    bundle: Bundle,
    root: PathBuf,
}

type Names<'a> = BTreeSet<&'a str>;

/// Returns the folder with the events of an interface.
fn events_of(function: &str) -> String {
    format!("functions/{function}/events")
}

impl Deref for Checkout {
    type Target = Bundle;

    fn deref(&self) -> &Bundle {
        &self.bundle
    }
}

impl Checkout {
    fn of_this_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        Self { bundle: Bundle::of_workspace().unwrap(), root }
    }

    /// Returns the text of a file of the bundle; empty if there is no such file.
    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// Returns the names in a folder of the bundle, sorted; none if there is no such folder.
    fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the functions that serve all routes behind an interface of their own.
    fn interfaces(&self) -> Vec<&Function> {
        self.bundle.interfaces(&self.root)
    }

    /// Returns the sample rows of a resource.
    pub(crate) fn samples(&self, resource: &Resource) -> Vec<Value> {
        let lines = self.text(&format!("samples/{}.jsonl", resource.name));
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the logical id of a resource's table, or a text for it that no template has.
    fn table_id(&self, resource: &Resource) -> String {
        self.template.table(resource.name).map_or_else(
            || format!("no table for {}", resource.name),
            |table| table.logical_id.clone(),
        )
    }
}

/// Returns a sentence for each name that only one of two places has: `at: what lacks "x"` and
/// `at: what has "x", which …`.
fn differences(
    at: &str,
    what: &str,
    given: &Names<'_>,
    wanted: &Names<'_>,
    otherwise: &str,
) -> Vec<String> {
    let lacks = wanted.difference(given).map(|name| format!("{at}: {what} lacks {name:?}"));
    let has =
        given.difference(wanted).map(|name| format!("{at}: {what} has {name:?}, {otherwise}"));
    lacks.chain(has).collect()
}

/// Returns a sentence for each field of a summary that an index should hold, so that a list without
/// parameters is one Query. An index that projects keys alone is slim on purpose.
fn default_lists(bundle: &Checkout) -> Vec<String> {
    let listed = |resource: &Resource| {
        bundle.routes.iter().any(|route| route.is_list() && route.resource.name == resource.name)
    };
    let slim = |index: &Index| matches!(index.projects, Projects::Attributes([]));
    let mut mistakes = Vec::new();
    for resource in bundle.resources.iter().filter(|resource| listed(resource)) {
        for index in resource.table.indexes.iter().filter(|index| !slim(index)) {
            let missing =
                resource.summary.iter().filter(|name| !index.covers(&resource.table, name));
            let at = index.name.unwrap_or("the table");
            mistakes.extend(missing.map(|name| {
                format!("{}: {at} lacks {name:?}, which the summary shows", resource.name)
            }));
        }
    }
    mistakes
}

/// Returns the mistakes of every check that needs no database.
fn all(bundle: &Checkout) -> Vec<String> {
    [
        api::mistakes(bundle.resources, bundle.routes),
        default_lists(bundle),
        tables::mistakes(bundle),
        functions::mistakes(bundle),
        functions::environment(bundle),
        functions::alarms(bundle),
        permissions::mistakes(bundle),
        events::mistakes(bundle),
    ]
    .concat()
}

fn none(mistakes: Vec<String>) {
    assert!(mistakes.is_empty(), "\n  {}\n", mistakes.join("\n  "));
}

#[test]
fn the_declarations_say_nothing_wrong() {
    none(api::mistakes(model::RESOURCES, model::ROUTES));
}

#[test]
fn the_fixture_s_declarations_say_nothing_wrong() {
    none(api::mistakes(shop::RESOURCES, shop::ROUTES));
}

#[test]
fn a_list_without_parameters_is_one_query() {
    none(default_lists(&Checkout::of_this_repository()));
}

#[test]
fn the_template_has_the_tables_and_indexes_of_the_model() {
    none(tables::mistakes(&Checkout::of_this_repository()));
}

#[test]
fn every_route_has_its_function_its_crate_and_its_entry_in_the_router() {
    none(functions::mistakes(&Checkout::of_this_repository()));
}

#[test]
fn every_function_gets_the_variables_that_it_reads() {
    none(functions::environment(&Checkout::of_this_repository()));
}

#[test]
fn every_function_is_watched_by_the_alarms() {
    none(functions::alarms(&Checkout::of_this_repository()));
}

#[test]
fn every_function_may_do_what_its_plans_need_and_nothing_else() {
    none(permissions::mistakes(&Checkout::of_this_repository()));
}

#[test]
fn every_route_has_events() {
    none(events::mistakes(&Checkout::of_this_repository()));
}

#[tokio::test]
async fn every_event_gets_the_status_that_its_name_states() {
    none(events::answers(&Checkout::of_this_repository()).await);
}

/// A crate that accepted local tokens by default would let anybody in.
#[test]
fn no_crate_accepts_local_tokens_by_default() {
    let manifest = Checkout::of_this_repository().text("shared/api/Cargo.toml");
    assert!(
        manifest.contains("local-tokens = [\"credential-chain\"]")
            && !manifest.contains("default =")
    );
}

/// A release build that accepts unsigned tokens cannot be made. The compiler reads the crate's text
/// alone, so it says besides that the dependencies are missing.
#[test]
fn a_release_build_with_local_tokens_does_not_compile() {
    let checkout = Checkout::of_this_repository();
    let said = |options: &[&str]| {
        let output = std::process::Command::new("rustc")
            .current_dir(checkout.root.join("shared/api"))
            .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-o", "/dev/null"])
            .args(options)
            .arg("src/lib.rs")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stderr).contains("`local-tokens` accepts unsigned tokens")
    };
    let tokens = "--cfg=feature=\"local-tokens\"";
    assert!(said(&["-O", tokens]), "a release build accepts unsigned tokens");
    assert!(!said(&[tokens]) && !said(&["-O"]), "another build is refused too");
}
