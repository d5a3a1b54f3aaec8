//! The comparison of the candidates' answers.

use crate::candidate::Candidate;
use crate::scenario::Scenario;
use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;

/// Checks that the JSON equals the first candidate's, except for cursors, which differ between
/// candidates.
pub(super) fn same(
    body: &str,
    reference: &mut Option<Value>,
    candidate: &Candidate,
    scenario: &Scenario,
) -> Result<()> {
    if scenario.peers.is_empty() {
        return Ok(());
    }
    let mut value: Value =
        serde_json::from_str(body).with_context(|| format!("{}: no JSON", candidate.name))?;
    plain(&mut value);
    match value.pointer_mut("/page/next") {
        Some(next) if next.is_string() => *next = "a cursor".into(),
        _ => {}
    }
    let reference = reference.get_or_insert_with(|| value.clone());
    if *reference == value {
        return Ok(());
    }
    let shown = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    Err(anyhow!(
        "{} answers {} with other JSON than the first: {} instead of {}",
        candidate.name,
        scenario.name,
        shown(&value),
        shown(reference)
    ))
}

/// Normalizes numbers: 4, 4.0 and 4e0 are equal.
fn plain(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(elements) => elements.iter_mut().for_each(plain),
        Value::Object(members) => members.values_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
