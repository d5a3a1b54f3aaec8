//! Members of the template whose values are needed here, so that no intrinsic function can stand in
//! their place.

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;

pub(super) fn text<'a>(of: &'a Value, member: &str) -> Result<&'a str> {
    of[member].as_str().with_context(|| format!("{member} must be a literal string"))
}

pub(super) fn list<'a>(of: &'a Value, member: &str) -> Result<&'a Vec<Value>> {
    of[member].as_array().with_context(|| format!("{member} must be a literal list"))
}

/// A part of a CreateTable request: there, and free of intrinsic functions.
pub(super) fn plain(of: &Value, member: &str) -> Result<Value> {
    fn has_intrinsic(value: &Value) -> bool {
        match value {
            Value::Object(object) => {
                object.iter().any(|(k, v)| k == "Ref" || k.starts_with("Fn::") || has_intrinsic(v))
            }
            Value::Array(items) => items.iter().any(has_intrinsic),
            _ => false,
        }
    }
    match &of[member] {
        Value::Null => Err(anyhow!("{member} is missing")),
        value if has_intrinsic(value) => {
            Err(anyhow!("{member} depends on the deployment, so no local table can be made of it"))
        }
        value => Ok(value.clone()),
    }
}
