//! Errors as GraphQL has them: message, locations, path, and a code in the extensions.

use api::{Problem, ProblemKind};
use async_graphql::{Pos, ServerError};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::arguments::{AFTER, BEFORE, FIRST, LAST};
use crate::limits::MAX_MESSAGE;
use crate::picked::Picked;

/// An error of a request or of a field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Error {
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) path: Vec<String>,
    extensions: Extensions,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Location {
    line: usize,
    column: usize,
}

#[derive(Debug, Clone)]
struct Extensions {
    code: String,
    parameter: Option<String>,
    suggestion: Option<String>,
}

impl Serialize for Extensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code)?;
        for (name, value) in [("argument", &self.parameter), ("suggestion", &self.suggestion)] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl Error {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let message = match message.char_indices().nth(MAX_MESSAGE) {
            Some(_) => message.chars().take(MAX_MESSAGE - 1).chain(['…']).collect(),
            None => message,
        };
        Self {
            message,
            locations: Vec::new(),
            path: Vec::new(),
            extensions: Extensions { code: code.to_owned(), parameter: None, suggestion: None },
        }
    }

    pub(crate) fn at(self, at: Pos) -> Self {
        Self { locations: vec![Location { line: at.line, column: at.column }], ..self }
    }

    /// Makes the error of a document that async-graphql refuses. Its parser draws the line, which
    /// can be long, and says what is wrong below it.
    pub(crate) fn of_document(code: &str, error: ServerError) -> Self {
        let locations = error.locations.iter();
        let locations = locations.map(|at| Location { line: at.line, column: at.column }).collect();
        let last = error.message.rsplit('\n').next().unwrap_or_default();
        let message = last.trim_start().strip_prefix("= ").unwrap_or(&error.message);
        Self { locations, ..Self::new(code, message) }
    }

    /// Makes the errors of a field whose route answers with a problem: one for each wrong
    /// parameter, else one. `named` returns the argument's name for a parameter's.
    pub(crate) fn of_problem(
        problem: &Problem,
        at: Pos,
        path: &[String],
        named: impl Fn(&str) -> String,
    ) -> Vec<Self> {
        let code = code(problem.kind);
        let of = |message: String| Self { path: path.to_vec(), ..Self::new(&code, message).at(at) };
        if problem.errors.is_empty() {
            return vec![of(message(problem.kind))];
        }
        let errors = problem.errors.iter().map(|error| {
            let argument = named(&error.parameter);
            let mut all = of(format!("{argument}: {}", error.detail));
            all.extensions.parameter = Some(argument);
            all.extensions.suggestion.clone_from(&error.suggestion);
            all
        });
        errors.collect()
    }
}

/// Returns the code of a kind of problem: the last part of its type, such as `INVALID_CURSOR`. A
/// caller who is missing is `UNAUTHENTICATED`, as GraphQL clients know it.
pub(crate) fn code(kind: ProblemKind) -> String {
    match kind {
        ProblemKind::Unauthorized => "UNAUTHENTICATED".to_owned(),
        _ => {
            let name = kind.uri().rsplit('/').next().unwrap_or_default();
            name.to_ascii_uppercase().replace('-', "_")
        }
    }
}

fn message(kind: ProblemKind) -> String {
    kind.title().to_owned()
}

/// Returns the argument of a field that became a parameter of its route.
pub(crate) fn argument(picked: &[Picked<'_>], path: &[String], parameter: &str) -> String {
    let mut field: Option<&Picked<'_>> = None;
    for key in path {
        let within = field.map_or(picked, |field| &field.below);
        field = within.iter().find(|picked| picked.key == *key);
    }
    let has = |name: &str| field.is_some_and(|field| field.argument(name).is_some());
    let name = match parameter {
        "limit" if has(LAST) => LAST,
        "limit" => FIRST,
        "cursor" if has(BEFORE) => BEFORE,
        "cursor" => AFTER,
        other => other,
    };
    name.to_owned()
}
