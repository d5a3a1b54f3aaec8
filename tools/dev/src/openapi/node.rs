//! A document that keeps the order in which it was written, as YAML and as JSON.
//!
//! `serde_json::Value` sorts its members, and the YAML libraries that write at all write what a diff makes hard to
//! read. The writer here knows the few forms that this document needs, and a test reads all of it back.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use std::fmt::Write as _;

/// Folded lines are broken before this column, counted from their own indentation.
const WIDTH: usize = 100;

/// A value whose members stay in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Null, a boolean or a number.
    Plain(Value),
    /// A string.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<(String, Node)>),
}

/// A mapping.
pub(crate) fn map<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Map(members.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

/// A sequence.
pub(crate) fn list<T: Into<Node>>(items: impl IntoIterator<Item = T>) -> Node {
    Node::List(items.into_iter().map(Into::into).collect())
}

/// `{"$ref": "#/components/…"}`
pub(crate) fn reference(kind: &str, name: &str) -> Node {
    map([("$ref", format!("#/components/{kind}/{name}").into())])
}

impl Node {
    /// This mapping with one member more; anything else stays as it is.
    pub(crate) fn with(mut self, name: &str, node: impl Into<Node>) -> Self {
        if let Self::Map(members) = &mut self {
            members.push((name.to_owned(), node.into()));
        }
        self
    }

    /// The member of a mapping.
    #[cfg(test)]
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(other, _)| other == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// JSON text whose top-level members come in this order; one that is not named comes last.
    pub(crate) fn ordered(value: Value, names: &[&str]) -> Self {
        let Self::Map(mut members) = Self::from(value) else { return Self::Map(Vec::new()) };
        members.sort_by_key(|(name, _)| names.iter().position(|other| other == name).unwrap_or(names.len()));
        Self::Map(members)
    }

    /// The document as YAML 1.2, in block style.
    pub(crate) fn yaml(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    /// Writes the value after `name:` or `-`, with the line's end.
    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(members) if !members.is_empty() => {
                for (i, (name, node)) in members.iter().enumerate() {
                    // The first member of a mapping in a sequence stands on the line of its dash.
                    if i > 0 || !out.ends_with("- ") {
                        out.extend(std::iter::repeat_n(' ', indent));
                    }
                    out.push_str(&quoted(name));
                    out.push(':');
                    node.write_after(indent + 2, out);
                }
            }
            Self::List(items) if !items.is_empty() => {
                for item in items {
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str("- ");
                    match item {
                        Self::Map(members) if !members.is_empty() => item.write(indent + 2, out),
                        _ => {
                            out.pop();
                            item.write_after(indent + 2, out);
                        }
                    }
                }
            }
            Self::Map(_) => out.push_str("{}\n"),
            Self::List(_) => out.push_str("[]\n"),
            Self::Plain(value) => {
                let _ = writeln!(out, "{value}");
            }
            Self::Text(text) => {
                out.push_str(&scalar(text, indent));
                out.push('\n');
            }
        }
    }

    fn write_after(&self, indent: usize, out: &mut String) {
        let inline = match self {
            // Short lists of plain words stand on one line.
            Self::List(items) => flow(items),
            _ => None,
        };
        match (self, inline) {
            (_, Some(inline)) => {
                let _ = writeln!(out, " {inline}");
            }
            (Self::Map(members), _) if !members.is_empty() => {
                out.push('\n');
                self.write(indent, out);
            }
            (Self::List(items), _) if !items.is_empty() => {
                out.push('\n');
                self.write(indent, out);
            }
            _ => {
                out.push(' ');
                self.write(indent, out);
            }
        }
    }
}

/// A list of scalars on one line, if it is short and needs no quotes that flow style would add.
fn flow(items: &[Node]) -> Option<String> {
    let mut line = String::from("[");
    for (i, item) in items.iter().enumerate() {
        line.push_str(if i == 0 { "" } else { ", " });
        match item {
            Node::Plain(value) => line.push_str(&value.to_string()),
            Node::Text(text) if !text.contains([',', '[', ']', '{', '}', '\n']) => line.push_str(&quoted(text)),
            _ => return None,
        }
    }
    line.push(']');
    (!items.is_empty() && line.len() <= WIDTH).then_some(line)
}

/// A string: plain where that is safe, folded or literal where it is long.
fn scalar(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let block = !text.is_empty() && !text.starts_with([' ', '\n']) && !text.contains(|c: char| c.is_control() && c != '\n');
    if block && text.contains('\n') && !text.ends_with('\n') && !text.contains(" \n") {
        let lines = text.lines().map(|line| if line.is_empty() { String::from("\n") } else { format!("\n{margin}{line}") });
        return lines.fold(String::from("|-"), |text, line| text + line.trim_end_matches(' '));
    }
    if !block || text.len() <= WIDTH || text.contains("  ") || text.ends_with(' ') || !text.contains(' ') {
        return quoted(text);
    }
    let mut out = String::from(">-");
    let mut column = WIDTH;
    for word in text.split(' ') {
        if column + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            out.push_str(&margin);
            column = 0;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out
}

/// A string on one line: plain, in single quotes, or, with control characters, as JSON has it.
fn quoted(text: &str) -> String {
    const WORDS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "~"];
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '$');
    let inside = text.chars().all(|c| c.is_alphanumeric() || " _-./$(){}+=;,<>|…'".contains(c) || c == ':');
    let apart = !text.contains(": ") && !text.ends_with([':', ' ']) && !text.contains(" #");
    if first && inside && apart && !WORDS.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, node)| map.serialize_entry(name, node))?;
                map.end()
            }
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Plain(value.into())
    }
}

impl From<u32> for Node {
    fn from(value: u32) -> Self {
        Self::Plain(value.into())
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Array(items) => list(items),
            Value::Object(members) => Self::Map(members.into_iter().map(|(name, value)| (name, value.into())).collect()),
            plain => Self::Plain(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn what_is_written_is_read_back() {
        let words = "word, 'quoted' and: more ".repeat(12);
        let texts = [
            "",
            " ",
            "a",
            "200",
            "1.5",
            "true",
            "No",
            "null",
            "~",
            "a: b",
            "a #b",
            "- a",
            "#a",
            "it's",
            "\"x\"",
            "^[^\\u0000-\\u001F]+$",
            "a\nb",
            "a\n\n- b: c\n  indented\nd",
            "a\n",
            "\na",
            "a \nb",
            "tab\there",
            "é…",
            "{a}",
            "[a]",
            "*",
            "/v1/users/{id}",
            "2026-01-31",
            "https://x.example/{a}",
            words.trim(),
            "W/\"x\"",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "a,b",
            "null,",
            "a:",
            "> a",
            "| a",
        ];
        let document = map([
            ("texts", list(texts)),
            ("values", list([Node::Plain(Value::Null), true.into(), 3.into(), Node::Plain(49.98.into()), map([]), list::<Node>([])])),
            (
                "maps",
                list([map([("a", "1".into()), ("200", list([map([("x", list([list(["y"])]))])]))]), map([("b", words.trim().into())])]),
            ),
            ("b", map([("z", 1.into()), ("y", list(["a, b", "c"])), ("long", words.trim().into())])),
        ]);
        let read = yaml::to_json(&document.yaml()).unwrap();
        assert_eq!(read, serde_json::to_value(&document).unwrap(), "{}", document.yaml());
    }
}
