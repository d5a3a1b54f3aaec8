//! The data of an answer: what the reads brought, in the order of the document, with its keys, and
//! null for what is not there.
//!
//! Values are copied as the routes wrote them, so a number keeps every digit.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::graph::{Graph, Of, Root};
use crate::picked::Picked;
use crate::reads::{Found, TYPENAME, member};

/// The results of the reads, by the keys on the way to their fields. A failed one is absent.
pub(crate) type Results = HashMap<Vec<String>, Found>;

/// Writes the data of an answer.
pub(crate) struct Writer<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) results: &'a Results,
    /// The data of `__schema` and `__type`.
    pub(crate) introspection: &'a serde_json::Value,
    pub(crate) out: Vec<u8>,
    /// True if the answer would have more than [`MAX_BYTES`]. What is written then is of no use.
    pub(crate) is_too_large: bool,
}

/// The maximum size of an answer's data, in bytes. Aliases can repeat what the routes sent, whose
/// bodies have at most 1 MiB. Lambda sends at most 6 MB, in which each quotation mark is two.
pub(crate) const MAX_BYTES: usize = 2 << 20;

/// An object of JSON, whose values stay text.
#[derive(Deserialize)]
struct Members<'a>(#[serde(borrow)] HashMap<Cow<'a, str>, &'a RawValue>);

const NULL: &[u8] = b"null";

impl Writer<'_> {
    pub(crate) fn query(&mut self, picked: &[Picked<'_>]) {
        self.object(picked, |writer, picked| {
            let root = writer.graph.roots.iter().position(|root| root.name == picked.name);
            match root {
                Some(root) => writer.route(root, picked, &[]),
                None if picked.name == TYPENAME => writer.text("Query"),
                None => {
                    let value = &writer.introspection[picked.key];
                    let json = value.to_string();
                    writer.raw(json.as_bytes());
                }
            }
        });
    }

    fn route(&mut self, number: usize, picked: &Picked<'_>, above: &[String]) {
        let graph = self.graph;
        let Some(root) = graph.roots.get(number) else { return self.raw(NULL) };
        let path = [above, &[picked.key.to_owned()]].concat();
        let results = self.results;
        match results.get(&path) {
            Some(Found::Item(json)) => self.item(root, json, picked, &path),
            Some(Found::List(listed)) => self.connection(root, listed, picked),
            // An item that was not read, because only lists below it are picked.
            None if results.keys().any(|key| key.len() > path.len() && key.starts_with(&path)) => {
                self.item(root, b"{}", picked, &path);
            }
            None => self.raw(NULL),
        }
    }

    fn item(&mut self, root: &Root, json: &[u8], picked: &Picked<'_>, path: &[String]) {
        let json = std::str::from_utf8(json).unwrap_or("null");
        self.value(root.item, json, &picked.below, path);
    }

    fn connection(&mut self, root: &Root, listed: &api::Listed, picked: &Picked<'_>) {
        self.object(&picked.below, |writer, picked| match picked.name {
            TYPENAME => writer.text(&format!("{}Connection", root.connection)),
            "edges" => {
                writer.raw(b"[");
                for (number, item) in listed.items.iter().enumerate() {
                    if number > 0 {
                        writer.raw(b",");
                    }
                    writer.object(&picked.below, |writer, picked| match picked.name {
                        TYPENAME => writer.text(&format!("{}Edge", root.connection)),
                        "cursor" => writer.text(&item.cursor),
                        _ => writer.item(root, &item.json, picked, &[]),
                    });
                }
                writer.raw(b"]");
            }
            "pageInfo" => {
                let edge = |item: Option<&api::ListedItem>| item.map(|item| item.cursor.clone());
                let start = listed.prev.clone().or_else(|| edge(listed.items.first()));
                let end = listed.next.clone().or_else(|| edge(listed.items.last()));
                writer.object(&picked.below, |writer, picked| match picked.name {
                    TYPENAME => writer.text("PageInfo"),
                    "hasNextPage" => writer.flag(listed.next.is_some()),
                    "hasPreviousPage" => writer.flag(listed.prev.is_some()),
                    "startCursor" => writer.text_or_null(start.as_deref()),
                    _ => writer.text_or_null(end.as_deref()),
                });
            }
            "partialExpansion" => {
                let names = listed.partial.join(", ");
                writer.text_or_null((!names.is_empty()).then_some(names.as_str()))
            }
            name => {
                let found = listed.next_to_items.iter().find(|(other, _)| *other == name);
                let of = root.next_to_items.iter().find(|(expansion, _)| expansion.name == name);
                match (found, of) {
                    (Some((_, json)), Some((_, of))) => {
                        let json = std::str::from_utf8(json).unwrap_or("null");
                        writer.value(*of, json, &picked.below, &[]);
                    }
                    _ => writer.raw(NULL),
                }
            }
        });
    }

    /// Writes an object of JSON as the type `object`.
    fn value(&mut self, object: usize, json: &str, picked: &[Picked<'_>], path: &[String]) {
        let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(json) else {
            return self.raw(NULL);
        };
        let graph = self.graph;
        let Some(of) = graph.objects.get(object) else { return self.raw(NULL) };
        self.object(picked, |writer, picked| {
            if picked.name == TYPENAME {
                return writer.text(&of.name);
            }
            let value = members.get(picked.name).map(|value| value.get());
            match (member(&of.members, picked.name).map(|member| member.of), value) {
                (Some(Of::Route(root)), _) => writer.route(root, picked, path),
                (None, _) | (_, None) => writer.raw(NULL),
                (Some(Of::Leaf(_) | Of::Texts), Some(value)) => writer.raw(value.as_bytes()),
                (Some(Of::One(object)), Some(value)) => {
                    writer.value(object, value, &picked.below, &[]);
                }
                (Some(Of::Many(object)), Some(value)) => {
                    let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(value) else {
                        return writer.raw(NULL);
                    };
                    writer.raw(b"[");
                    for (number, value) in values.iter().enumerate() {
                        if number > 0 {
                            writer.raw(b",");
                        }
                        writer.value(object, value.get(), &picked.below, &[]);
                    }
                    writer.raw(b"]");
                }
            }
        });
    }

    fn object(&mut self, picked: &[Picked<'_>], mut write: impl FnMut(&mut Self, &Picked<'_>)) {
        self.raw(b"{");
        for (number, picked) in picked.iter().enumerate() {
            if number > 0 {
                self.raw(b",");
            }
            self.text(picked.key);
            self.raw(b":");
            write(self, picked);
        }
        self.raw(b"}");
    }

    fn raw(&mut self, json: &[u8]) {
        if self.out.len() + json.len() > MAX_BYTES {
            self.is_too_large = true;
        } else {
            self.out.extend_from_slice(json);
        }
    }

    fn flag(&mut self, flag: bool) {
        self.raw(if flag { b"true" } else { b"false" });
    }

    fn text(&mut self, text: &str) {
        // Writing a string cannot fail.
        let json = serde_json::to_vec(text).unwrap_or_default();
        self.raw(&json);
    }

    fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.raw(NULL),
        }
    }
}
