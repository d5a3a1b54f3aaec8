//! Edits of the Rust files of `shared/model`: pure functions from text to text. Comments and order
//! stay; rustfmt sorts what is added.

use anyhow::{Context as _, Result};
use std::ops::Range;

/// Adds a module, and names that it exports, to a `lib.rs`.
pub(super) fn module(lib: &str, module: &str) -> Result<String> {
    let line = format!("mod {module};\n");
    match lib.rfind("\nmod ").or_else(|| lib.starts_with("mod ").then_some(0)) {
        Some(last) => Ok(insert(lib, end_of_line(lib, last + 1), &line)),
        None => Ok(insert(lib, after_doc(lib), &format!("\n{line}"))),
    }
}

/// Exports a name of a module from a `lib.rs`.
pub(super) fn export(lib: &str, module: &str, name: &str) -> Result<String> {
    let of_module = format!("pub use {module}::");
    if let Some(start) = lib.find(&of_module) {
        let start = start + of_module.len();
        let end = start + lib[start..].find(';').context("a `pub use` without its end")?;
        let names = lib[start..end]
            .trim()
            .trim_start_matches('{')
            .trim_end_matches('}')
            .trim()
            .trim_end_matches(',');
        return Ok(format!("{}{{{names}, {name}}}{}", &lib[..start], &lib[end..]));
    }
    let line = format!("pub use {module}::{name};\n");
    match lib.rfind("\npub use ") {
        Some(last) => {
            let end = last + lib[last..].find(';').context("a `pub use` without its end")?;
            Ok(insert(lib, end_of_line(lib, end), &line))
        }
        None => {
            let last = lib.rfind("\nmod ").context("there is no `mod` line")?;
            Ok(insert(lib, end_of_line(lib, last + 1), &format!("\n{line}")))
        }
    }
}

/// Appends an element to the list `const NAME: … = &[…];`.
pub(super) fn element(lib: &str, list: &str, element: &str) -> Result<String> {
    let range = elements(lib, list)?;
    let elements = lib[range.clone()].trim().trim_end_matches(',');
    let elements =
        if elements.is_empty() { element.to_owned() } else { format!("{elements}, {element}") };
    Ok(format!("{}{elements}{}", &lib[..range.start], &lib[range.end..]))
}

/// Finds what is between the brackets of the list `const NAME: … = &[…];`.
fn elements(lib: &str, list: &str) -> Result<Range<usize>> {
    let declared = lib
        .find(&format!("const {list}:"))
        .with_context(|| format!("there is no `const {list}`"))?;
    // The brackets of the value, not those of the type. rustfmt breaks a long line behind the `=`.
    let value = lib[declared..].find(" =").map(|at| declared + at + " =".len());
    let value = value.map(|at| at + lib[at..].len() - lib[at..].trim_start().len());
    let begin = value
        .filter(|at| lib[*at..].starts_with("&["))
        .with_context(|| format!("`const {list}` is no `&[…]`"))?
        + "&[".len();
    let end =
        begin + lib[begin..].find(']').with_context(|| format!("`const {list}` does not end"))?;
    Ok(begin..end)
}

/// Adds names to `use api::{…};`.
pub(super) fn imports(file: &str, names: &[&str]) -> Result<String> {
    const USE: &str = "use api::{";
    let Some(start) = file.find(USE) else {
        let line = format!("\n{USE}{}}};\n", names.join(", "));
        return Ok(insert(file, after_doc(file), &line));
    };
    let start = start + USE.len();
    let end = start + file[start..].find('}').context("`use api::{` does not end")?;
    let mut all: Vec<_> =
        file[start..end].split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    all.extend(
        names
            .iter()
            .filter(|name| !file[start..end].split(',').any(|known| known.trim() == **name)),
    );
    Ok(format!("{}{}{}", &file[..start], all.join(", "), &file[end..]))
}

/// Returns the name of the static that declares a resource, if it is in this file.
pub(super) fn resource_static<'a>(file: &'a str, resource: &str) -> Option<&'a str> {
    let named = file.find(&format!("name: \"{resource}\""))?;
    let declared = file[..named].rfind("pub static ")? + "pub static ".len();
    let (name, kind) = file[declared..named].split_once(':')?;
    kind.trim_start().starts_with("Resource").then(|| name.trim())
}

/// Removes modules with all that is exported from them, empties the lists, and removes examples
/// from the doc comment.
pub(super) fn emptied(lib: &str, modules: &[String]) -> Result<String> {
    let mut text = String::new();
    let (mut skips_example, mut skips_use) = (false, false);
    for line in lib.split_inclusive('\n') {
        let fence = line.starts_with("//! ```");
        let of_module = |begin: &str, end: &str| {
            modules.iter().any(|module| line.starts_with(&format!("{begin}{module}{end}")))
        };
        skips_use |= of_module("pub use ", "::");
        if !(skips_example || fence || skips_use || of_module("mod ", ";")) {
            text.push_str(line);
        }
        skips_example ^= fence;
        skips_use &= !line.contains(';');
    }
    // The empty line before an example.
    text = text.replace("//!\n\n", "\n");
    for list in ["RESOURCES", "ROUTES"] {
        let elements = elements(&text, list)?;
        text.replace_range(elements, "");
    }
    Ok(text)
}

/// The position behind the doc comment at the beginning of a file.
fn after_doc(file: &str) -> usize {
    file.split_inclusive('\n').take_while(|line| line.starts_with("//!")).map(str::len).sum()
}

/// The position behind the line that a position is in.
fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn insert(text: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &text[..at], &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str =
        "//! The bundle.\n\n/// Every resource.\npub const RESOURCES: &[&api::Resource] = &[];\n";
    const LIB: &str = "//! The bundle.\n\nmod parts;\nmod things;\n\npub use parts::PARTS;\npub use things::{GET_THING, THINGS};\n\n\
                       /// Every resource.\npub const RESOURCES: &[&api::Resource] = &[\n    &THINGS,\n    &PARTS,\n];\n";

    #[test]
    fn a_module_is_added_to_an_empty_bundle() {
        let lib = export(&module(EMPTY, "things").unwrap(), "things", "THINGS").unwrap();
        let lib = element(&lib, "RESOURCES", "&THINGS").unwrap();
        assert_eq!(
            lib,
            "//! The bundle.\n\nmod things;\n\npub use things::THINGS;\n\n/// Every resource.\n\
             pub const RESOURCES: &[&api::Resource] = &[&THINGS];\n"
        );
    }

    #[test]
    fn a_module_is_added_to_others() {
        let lib = export(&module(LIB, "words").unwrap(), "words", "WORDS").unwrap();
        assert!(
            lib.contains("mod things;\nmod words;\n")
                && lib.contains("THINGS};\npub use words::WORDS;\n"),
            "{lib}"
        );
    }

    #[test]
    fn a_name_joins_those_of_its_module() {
        assert!(
            export(LIB, "parts", "LIST_PARTS")
                .unwrap()
                .contains("pub use parts::{PARTS, LIST_PARTS};")
        );
        assert!(
            export(LIB, "things", "LIST_THINGS")
                .unwrap()
                .contains("pub use things::{GET_THING, THINGS, LIST_THINGS};")
        );
    }

    #[test]
    fn an_element_is_added_to_a_list_on_a_line_of_its_own() {
        let lib = "pub const ROUTES: &[&api::Route] =\n    &[&GET_THING, &LIST_THINGS];\n";
        assert_eq!(
            element(lib, "ROUTES", "&GET_PART").unwrap(),
            "pub const ROUTES: &[&api::Route] =\n    &[&GET_THING, &LIST_THINGS, &GET_PART];\n"
        );
        let other = "pub const ROUTES: &[&api::Route] = all();\n\nconst OTHER: &[u8] = &[];\n";
        let error = element(other, "ROUTES", "&GET_PART").unwrap_err().to_string();
        assert_eq!(error, "`const ROUTES` is no `&[…]`");
    }

    #[test]
    fn an_emptied_bundle_has_no_module_of_it_left() {
        let lib = "//! The bundle.\n//!\n//! ```\n//! use model::THINGS;\n//! ```\n\nmod own;\nmod things;\n\npub use things::{\n    GET_THING,\n    THINGS,\n};\n\n\
                   /// Every resource.\npub const RESOURCES: &[&api::Resource] = &[&THINGS];\n\n/// Every route.\npub const ROUTES: &[&api::Route] = &[\n    &GET_THING,\n];\n";
        assert_eq!(
            emptied(lib, &["things".to_owned()]).unwrap(),
            "//! The bundle.\n\nmod own;\n\n\n/// Every resource.\npub const RESOURCES: &[&api::Resource] = &[];\n\n/// Every route.\n\
             pub const ROUTES: &[&api::Route] = &[];\n"
        );
    }

    #[test]
    fn names_are_imported_once() {
        let file = "//! Things.\n\nuse api::{\n    Field, Kind,\n};\n";
        assert_eq!(
            imports(file, &["Kind", "Route"]).unwrap(),
            "//! Things.\n\nuse api::{Field, Kind, Route};\n"
        );
        assert_eq!(
            imports("//! Things.\n\nconst X: u8 = 1;\n", &["Route"]).unwrap(),
            "//! Things.\n\nuse api::{Route};\n\nconst X: u8 = 1;\n"
        );
    }

    #[test]
    fn a_resource_is_found_in_its_file() {
        let file = "pub static THINGS: Resource = Resource {\n    name: \"things\",\n};\npub static GET: Route = Route {\n    name: \"get-thing\",\n};\n";
        assert_eq!(resource_static(file, "things"), Some("THINGS"));
        assert_eq!(resource_static(file, "get-thing"), None);
        assert_eq!(resource_static(file, "parts"), None);
    }
}
