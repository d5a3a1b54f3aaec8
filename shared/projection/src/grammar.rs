//! The text of a selection.
//!
//! ```text
//! selection = member *( "," member )
//! member    = path [ "(" selection ")" ]
//! path      = name *( "." name )
//! ```
//!
//! The text comes from anyone, so it is read in one loop without recursion, and memory is bounded.
//! All errors are reported at once: after an unknown name the rest of that member is read for its
//! shape alone, and the next member is checked again.

use std::fmt::{self, Write as _};

use crate::chosen::Chosen;
use crate::error::{FieldError, FieldErrors, MAX_ERRORS};
use crate::field::Field;
use crate::nearest::nearest;

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 32;
/// How many characters of a caller's text an error repeats.
const MAX_ECHO: usize = 64;
/// An open parenthesis, or the text as a whole.
struct Group {
    /// Where it opened, in bytes.
    opened: usize,
    /// How many steps lead to its level.
    steps: usize,
    /// The fields of its level; `None` below something that is wrong already.
    fields: Option<&'static [Field]>,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Indices and names of the fields that lead to where the parser stands.
    path: Vec<usize>,
    names: Vec<&'static str>,
    groups: Vec<Group>,
    chosen: Chosen,
    errors: Vec<FieldError>,
}

/// Reads a text against the declared `fields`, and gives its one canonical form.
pub(crate) fn parse(text: &str, fields: &'static [Field]) -> Result<Chosen, FieldErrors> {
    if text.is_empty() {
        let detail = format!("no field is named; valid: {}", list(fields));
        return Err(FieldErrors(vec![FieldError { path: String::new(), detail, nearest: None }]));
    }
    let mut parser = Parser {
        text,
        at: 0,
        path: Vec::with_capacity(4),
        names: Vec::with_capacity(4),
        groups: vec![Group { opened: 0, steps: 0, fields: Some(fields) }],
        chosen: Chosen::Part(Vec::with_capacity(8)),
        errors: Vec::new(),
    };
    parser.run();
    if !parser.errors.is_empty() {
        return Err(FieldErrors(parser.errors));
    }
    parser.chosen.settle(fields);
    Ok(parser.chosen)
}

impl Parser<'_> {
    fn run(&mut self) {
        loop {
            self.member();
            if self.errors.len() >= MAX_ERRORS {
                let detail = format!(
                    "there is more that is wrong; the first {MAX_ERRORS} errors are listed"
                );
                self.errors.truncate(MAX_ERRORS);
                self.errors.push(FieldError { path: String::new(), detail, nearest: None });
                return;
            }
            if self.groups.len() > MAX_DEPTH {
                return self.wrong(self.at, format_args!("nested deeper than {MAX_DEPTH} levels"));
            }
            if self.at >= self.text.len() {
                break;
            }
        }
        if let [_, unclosed, ..] = self.groups.as_slice() {
            self.wrong(unclosed.opened, format_args!("\"(\" is never closed"));
        }
    }

    /// Reads one member, up to and with the `,` or `(` after it, or to the end.
    fn member(&mut self) {
        let Some(group) = self.groups.last() else {
            return;
        };
        self.path.truncate(group.steps);
        self.names.truncate(group.steps);
        let mut level = group.fields;
        loop {
            let found = self.name(level);
            let below = found.map(|field| field.kind.members());
            let opened = self.at;
            match self.next() {
                next @ Some(b'.' | b'(') => {
                    level = match below {
                        Some(Some(members)) => Some(members),
                        Some(None) => {
                            self.leaf();
                            None
                        }
                        None => None,
                    };
                    if next == Some(b'(') {
                        self.groups.push(Group { opened, steps: self.path.len(), fields: level });
                        return;
                    }
                }
                next => {
                    if found.is_some() {
                        self.chosen.insert(&self.path);
                    }
                    if next == Some(b')') {
                        self.close(opened);
                    }
                    // A text that ends in a comma ends in a member without a name.
                    if next == Some(b',') && self.at == self.text.len() {
                        self.missing();
                    }
                    return;
                }
            }
        }
    }

    /// Closes groups up to the next `,`, or to the end.
    fn close(&mut self, mut opened: usize) {
        loop {
            if self.groups.len() > 1 {
                self.groups.pop();
            } else {
                self.wrong(opened, format_args!("\")\" closes nothing"));
            }
            opened = self.at;
            match self.text.as_bytes().get(self.at) {
                Some(b')') => self.at += 1,
                Some(b',') => {
                    self.at += 1;
                    if self.at == self.text.len() {
                        self.missing();
                    }
                    return;
                }
                Some(_) => return self.wrong(opened, format_args!("\",\" or \")\" is expected")),
                None => return,
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at).copied();
        self.at = (self.at + 1).min(self.text.len());
        byte
    }

    /// Reads a name and looks it up in `level`; `None` if it is wrong, which adds an error, or if
    /// `level` is not known.
    fn name(&mut self, level: Option<&'static [Field]>) -> Option<&'static Field> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b',' | b'.' | b'(' | b')'))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            self.missing();
            return None;
        }
        if let Some(space) = name.find(char::is_whitespace) {
            self.wrong(self.at + space, format_args!("white space is not allowed"));
            self.at += end;
            return None;
        }
        self.at += end;
        let fields = level?;
        let Some(index) = fields.iter().position(|field| field.name == name) else {
            self.unknown(name, fields);
            return None;
        };
        self.path.push(index);
        self.names.push(fields[index].name);
        Some(&fields[index])
    }

    fn missing(&mut self) {
        self.wrong(self.at, format_args!("a field's name is missing"));
    }

    /// Adds an error about the shape of the text at this byte.
    fn wrong(&mut self, at: usize, what: fmt::Arguments<'_>) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let character = before.chars().count() + 1;
        let start = before.rfind([',', '(', ')']).map_or(0, |comma| comma + 1);
        let member = self.text.get(start..).unwrap_or_default();
        let path = echo(member.split([',', '(', ')']).next().unwrap_or_default());
        self.errors.push(FieldError {
            path,
            detail: format!("{what} (character {character})"),
            nearest: None,
        });
    }

    fn leaf(&mut self) {
        let path = echo(&self.names.join("."));
        let detail = format!("field {path:?} has no members to choose from");
        self.add(FieldError { path, detail, nearest: None });
    }

    fn unknown(&mut self, name: &str, fields: &'static [Field]) {
        let mut prefix = self.names.join(".");
        if !prefix.is_empty() {
            prefix.push('.');
        }
        let path = echo(&format!("{prefix}{}", echo(name)));
        let mut detail = format!("unknown field {path:?}");
        let nearest = nearest(name, fields.iter().map(|field| field.name));
        if let Some(nearest) = nearest {
            let _ = write!(detail, "; did you mean \"{prefix}{nearest}\"?");
        }
        let _ =
            write!(detail, "{} valid: {}", if nearest.is_some() { "" } else { ";" }, list(fields));
        self.add(FieldError { path, detail, nearest });
    }

    /// Adds an error unless it is there already: a name that is wrong twice is one mistake.
    fn add(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

fn list(fields: &[Field]) -> String {
    let mut list = String::new();
    for field in fields {
        let _ = write!(list, "{}{}", if list.is_empty() { "" } else { ", " }, field.name);
    }
    list
}

fn echo(text: &str) -> String {
    text.chars().take(MAX_ECHO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::FIELDS;

    fn details(text: &str) -> Vec<String> {
        parse(text, FIELDS).unwrap_err().iter().map(|error| error.detail.clone()).collect()
    }

    const TOP: &str = "id, name, total, active, tags, address, items";

    #[test]
    fn unknown_names_are_reported_with_the_valid_ones() {
        assert_eq!(
            details("nmae"),
            [format!("unknown field \"nmae\"; did you mean \"name\"? valid: {TOP}")]
        );
        assert_eq!(details("password"), [format!("unknown field \"password\"; valid: {TOP}")]);
        assert_eq!(
            details("address.ctiy"),
            [
                "unknown field \"address.ctiy\"; did you mean \"address.city\"? valid: street, city, geo"
            ]
        );
        assert_eq!(details("items(PARTID)").len(), 1);
        let errors = parse("items(PARTID)", FIELDS).unwrap_err();
        assert_eq!((errors[0].path.as_str(), errors[0].nearest), ("items.PARTID", Some("partId")));
    }

    #[test]
    fn all_errors_are_reported_each_once() {
        let all = details("nmae,id,address(x,city,geo(y)),nmae,id.z,unknown(a,b(c))");
        assert_eq!(all.len(), 5, "{all:#?}");
        assert!(all[1].starts_with("unknown field \"address.x\""));
        assert!(all[2].starts_with("unknown field \"address.geo.y\""));
        assert_eq!(all[3], "field \"id\" has no members to choose from");
        assert!(all[4].starts_with("unknown field \"unknown\""), "{all:#?}");
        assert_eq!(
            parse("id.z,,id", FIELDS).unwrap_err().to_string(),
            "field \"id\" has no members to choose from; a field's name is missing (character 6)"
        );
    }

    #[test]
    fn the_depth_is_bounded() {
        let deep = |levels: usize| parse(&"x(".repeat(levels), FIELDS).unwrap_err().to_string();
        assert!(!deep(MAX_DEPTH - 1).contains("nested deeper"));
        assert!(deep(MAX_DEPTH).contains("nested deeper than 32 levels (character 65)"));
        assert_eq!(deep(MAX_DEPTH), deep(2 * MAX_DEPTH));
    }

    #[test]
    fn malformed_texts_say_where() {
        assert_eq!(details(""), [format!("no field is named; valid: {TOP}")]);
        assert_eq!(details("id,,name"), ["a field's name is missing (character 4)"]);
        assert_eq!(details("id,"), ["a field's name is missing (character 4)"]);
        assert_eq!(details(",id"), ["a field's name is missing (character 1)"]);
        assert_eq!(details("address(city"), ["\"(\" is never closed (character 8)"]);
        assert_eq!(details("address(city))"), ["\")\" closes nothing (character 14)"]);
        assert_eq!(details("id)"), ["\")\" closes nothing (character 3)"]);
        assert_eq!(details("address()"), ["a field's name is missing (character 9)"]);
        assert_eq!(details("address(city),"), ["a field's name is missing (character 15)"]);
        assert_eq!(details("address."), ["a field's name is missing (character 9)"]);
        assert_eq!(details("id, name"), ["white space is not allowed (character 4)"]);
        assert_eq!(
            details("a b,id,c d,,id"),
            [
                "white space is not allowed (character 2)",
                "white space is not allowed (character 9)",
                "a field's name is missing (character 12)"
            ]
        );
        assert_eq!(details("address(city)id"), ["\",\" or \")\" is expected (character 14)"]);
        assert_eq!(details("é"), [format!("unknown field \"é\"; valid: {TOP}")]);
    }

    #[test]
    fn what_a_caller_wrote_is_repeated_in_bounded_length() {
        let errors = parse(&"é".repeat(4096), FIELDS).unwrap_err();
        assert_eq!(errors[0].path.chars().count(), 64);
        assert!(errors[0].detail.len() < 512);
    }

    #[test]
    fn attacks_are_cheap() {
        let many: String = (0..800).map(|n| format!("x{n},")).collect();
        for text in
            ["(".repeat(4096), "a.".repeat(2048), "address(".repeat(512), ")".repeat(4096), many]
        {
            let errors = parse(&text, FIELDS).unwrap_err();
            assert!(errors.len() <= MAX_ERRORS + 1, "{}", errors.len());
        }
        assert!(
            details(&"address(".repeat(512)).iter().any(|detail| detail.contains("deeper than 32"))
        );
    }
}
