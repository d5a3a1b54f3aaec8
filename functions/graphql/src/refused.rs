//! Requests that are refused before anything is read, and the bodies that say so.

use api::Interface;
use async_graphql::parser::{parse_query, types::ExecutableDocument};
use http::StatusCode;

use crate::conflicts::conflict;
use crate::errors::Error;
use crate::limits::{MAX_COST, MAX_ERROR_BYTES, MAX_ERRORS, MAX_READS};
use crate::reads::Read;
use crate::tokens::{Wrong, check_text};

const PARSE_FAILED: &str = "PARSE_FAILED";
pub(crate) const VALIDATION_FAILED: &str = "VALIDATION_FAILED";

/// A refusal: status, code for the log, errors.
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) allow: Option<&'static str>,
    pub(crate) errors: Vec<Error>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, reason: &'static str, errors: Vec<Error>) -> Self {
        Self { status, reason, allow: None, errors }
    }

    /// A document that is too large, in one of the ways of [`limits`](crate::limits).
    pub(crate) fn too_large(message: String) -> Self {
        let errors = vec![Error::new("DOCUMENT_TOO_LARGE", message)];
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "graphql: document too large", errors)
    }

    pub(crate) fn invalid(errors: Vec<Error>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "graphql: invalid document", errors)
    }
}

/// Parses a text that is within the limits.
pub(crate) fn parse(text: &str) -> Result<ExecutableDocument, Refused> {
    let refused =
        |error| Refused::new(StatusCode::BAD_REQUEST, "graphql: parse failed", vec![error]);
    check_text(text).map_err(|wrong| match wrong {
        Wrong::TooLarge(message) => Refused::too_large(message),
        Wrong::OpenString(at) => {
            refused(Error::new(PARSE_FAILED, "a string begins here and does not end").at(at))
        }
    })?;
    parse_query(text).map_err(|error| refused(Error::of_document(PARSE_FAILED, error.into())))
}

/// Refuses fields of one key that are not the same field.
pub(crate) fn check_conflicts(document: &ExecutableDocument) -> Result<(), Refused> {
    match conflict(document) {
        Some((message, at)) => {
            Err(Refused::invalid(vec![Error::new(VALIDATION_FAILED, message).at(at)]))
        }
        None => Ok(()),
    }
}

/// Refuses an operation with too many reads, or reads that can cost too much.
pub(crate) fn check_cost(interface: &Interface, reads: &[Read]) -> Result<(), Refused> {
    if reads.len() > MAX_READS {
        let message = format!("the operation has {} reads; {MAX_READS} are allowed", reads.len());
        return Err(Refused::too_large(message));
    }
    let cost: f64 = reads.iter().map(|read| read.cost(interface)).sum();
    if cost > MAX_COST {
        let message = format!(
            "the operation can cost {cost} read units, and {MAX_COST} are allowed: ask for fewer items, or for fewer fields that the index does not hold"
        );
        let errors = vec![Error::new("COST_TOO_HIGH", message)];
        let reason = "graphql: cost too high";
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason, errors));
    }
    Ok(())
}

/// Writes a body: errors first, so that a client that reads as it comes has them. Those above the
/// limits are left out.
pub(crate) fn body(data: Option<Vec<u8>>, errors: &[Error]) -> Vec<u8> {
    let mut body = Vec::with_capacity(data.as_ref().map_or(0, Vec::len) + 256);
    body.push(b'{');
    if !errors.is_empty() || data.is_none() {
        body.extend_from_slice(b"\"errors\":");
        body.push(b'[');
        let begin = body.len();
        for (number, error) in errors.iter().take(MAX_ERRORS).enumerate() {
            // Writing an error cannot fail.
            let json = serde_json::to_vec(error).unwrap_or_default();
            if number > 0 && body.len() - begin + json.len() > MAX_ERROR_BYTES {
                break;
            }
            if number > 0 {
                body.push(b',');
            }
            body.extend(json);
        }
        body.push(b']');
    }
    if let Some(data) = data {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(b"\"data\":");
        body.extend(data);
    }
    body.push(b'}');
    body
}
