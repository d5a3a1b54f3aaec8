//! A function that serves all routes behind an interface of its own, as callers see it: its paths,
//! the schema that it publishes, and its trusted documents. [`Bundle::interfaces`] has the rule by
//! which such a function is recognised.

use crate::bundle::{Bundle, SCHEMA};
use crate::template::Template;
use anyhow::{Context as _, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// An interface over all routes.
#[derive(Debug, Clone)]
pub struct Interface {
    /// The name of its function.
    pub name: String,
    /// Its paths.
    pub paths: Vec<Entry>,
    /// The text of its schema.
    pub schema: String,
    /// The files of its folder `documents`, sorted by name.
    pub documents: Vec<Document>,
}

/// A path of an interface, which takes GET and POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path, without parameters.
    pub path: String,
    /// True if it has an authorizer.
    pub authorized: bool,
}

/// A document that an interface runs by its hash, whatever else it takes.
#[derive(Debug, Clone)]
pub struct Document {
    /// The name of the file, without its extension.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A variable of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// The type as it is written, such as `[ID!]`.
    pub(crate) kind: String,
    pub(crate) has_default: bool,
}

impl Interface {
    /// Reads the interfaces of the bundle in this folder.
    ///
    /// # Errors
    /// If a schema or a document cannot be read.
    pub fn all(bundle: &Bundle, root: &Path) -> Result<Vec<Self>> {
        let of = |name: &str| {
            let folder = root.join("functions").join(name);
            let mut documents = Vec::new();
            for entry in std::fs::read_dir(folder.join("documents")).into_iter().flatten() {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "graphql") {
                    let stem = path.file_stem().unwrap_or_default();
                    documents.push(Document {
                        name: stem.to_string_lossy().into_owned(),
                        text: read(&path)?,
                    });
                }
            }
            documents.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(Self {
                name: name.to_owned(),
                paths: paths(&bundle.template, name),
                schema: read(&folder.join(SCHEMA))?,
                documents,
            })
        };
        bundle.interfaces(root).into_iter().map(|function| of(&function.binary)).collect()
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| crate::workspace::shown(path))
}

fn paths(template: &Template, name: &str) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    let Some(function) = template.function(name) else { return found };
    let declared = template.resource(&function.logical_id).unwrap_or(&Value::Null);
    let events = &declared["Properties"]["Events"];
    for route in &function.routes {
        let authorizer = events[&route.event]["Properties"]["Auth"]["Authorizer"].as_str();
        if found.iter().all(|entry| entry.path != route.path) {
            let authorized = authorizer.is_some_and(|name| name != "NONE");
            found.push(Entry { path: route.path.clone(), authorized });
        }
    }
    found
}

impl Document {
    /// Returns the id by which a request names it: `sha256:` and what `sha256sum` prints.
    pub fn id(&self) -> String {
        let mut id = "sha256:".to_owned();
        for byte in Sha256::digest(&self.text) {
            let _ = write!(id, "{byte:02x}");
        }
        id
    }

    /// Returns the variables of the first operation.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        let code = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
        let text = self.text.lines().map(code).collect::<Vec<_>>().join("\n");
        // They are in parentheses, before the first selection set.
        let declared = match text.find(['(', '{']) {
            Some(begin) if text[begin..].starts_with('(') => &text[begin + 1..],
            _ => return Vec::new(),
        };
        let mut depth = 1;
        let end = declared.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let declared = &declared[..end.unwrap_or(declared.len())];
        let variable = |declared: &str| {
            let (name, rest) = declared.split_once(':')?;
            let kind = rest.split(['=', ',', '@']).next().unwrap_or_default().trim();
            let has_default = rest.contains('=');
            Some(Variable { name: name.trim().to_owned(), kind: kind.to_owned(), has_default })
        };
        declared.split('$').skip(1).filter_map(variable).collect()
    }
}

impl Variable {
    /// Returns what is sent for the variable, of a text that some item has: `None` to leave it out.
    ///
    /// # Errors
    /// If it cannot be left out.
    pub(crate) fn value(&self, text: Option<&str>) -> Result<Option<Value>, ()> {
        let needed = self.kind.ends_with('!') && !self.has_default;
        let value = match (self.kind.trim_matches(['[', ']', '!']), text) {
            _ if self.has_default => None,
            ("Boolean" | "Float" | "Int", Some(text)) => serde_json::from_str(text).ok(),
            ("ID" | "String", Some(text)) => Some(Value::from(text)),
            // The values of other types may be written in another way than in items.
            (_, Some(text)) if needed => Some(Value::from(text)),
            _ => None,
        };
        match value {
            None if needed => Err(()),
            Some(value) if self.kind.starts_with('[') => Ok(Some(Value::Array(vec![value]))),
            value => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables(text: &str) -> Vec<Variable> {
        Document { name: "a".to_owned(), text: text.to_owned() }.variables()
    }

    #[test]
    fn the_variables_are_those_of_the_operation() {
        let of = |text| {
            let shown = |v: Variable| format!("{} {} {}", v.name, v.kind, v.has_default);
            variables(text).into_iter().map(shown).collect::<Vec<_>>()
        };
        let text = "# about $no: Int\nquery A(\n  $first: Int = 10, $ids: [ID!]! # not $this: Int\n\
                    $in: X = {a: (1)} $b: Boolean @d(a: 1)) { a(b: $b) { c(d: $first) } }";
        let found = ["first Int true", "ids [ID!]! false", "in X true", "b Boolean false"];
        assert_eq!(of(text), found);
        for text in ["{ a(b: 1) }", "query A { a(b: $c) }", "query A($b", ""] {
            assert_eq!(of(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_variable_takes_a_value_of_its_type() {
        let value = |declared: &str, text| {
            variables(&format!("query({declared}) {{a}}")).remove(0).value(text)
        };
        for (declared, text, sent) in [
            ("$a: String", Some("x"), Ok(Some(json!("x")))),
            ("$a: String", None, Ok(None)),
            ("$a: String = \"y\"", Some("x"), Ok(None)),
            ("$a: ID!", None, Err(())),
            ("$a: ID! = 1", None, Ok(None)),
            ("$a: [ID!]!", Some("7"), Ok(Some(json!(["7"])))),
            ("$a: Int!", Some("7"), Ok(Some(json!(7)))),
            ("$a: Int!", Some("x"), Err(())),
            ("$a: Sort", Some("x"), Ok(None)),
            ("$a: Sort!", Some("x"), Ok(Some(json!("x")))),
        ] {
            assert_eq!(value(declared, text), sent, "{declared} of {text:?}");
        }
    }

    #[test]
    fn the_id_is_the_hash_that_sha256sum_prints() {
        let id = Document { name: String::new(), text: "{a}\n".to_owned() }.id();
        assert_eq!(id, "sha256:2711b48410b73525fd07435b5b21e680638425df2ed3ac3e71a11ac85cd842cb");
    }
}
