//! An error of one parameter of a request.

use projection::nearest;
use serde::Serialize;

/// One error of one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterError {
    /// The parameter's name as the caller wrote it, cut to 64 characters.
    pub parameter: String,
    /// The reason, and the values that would be valid.
    pub detail: String,
    /// The nearest valid name or value, if one is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl ParameterError {
    /// Makes an error without a suggestion.
    pub fn new(parameter: &str, detail: impl Into<String>) -> Self {
        Self { parameter: excerpt(parameter), detail: detail.into(), suggestion: None }
    }

    /// Makes the error of a parameter whose name is not in `valid`.
    pub(crate) fn unknown_name(name: &str, valid: &[&str]) -> Self {
        Self::unknown(name, "is not a parameter of this route", name, "parameters", valid)
    }

    /// Makes the error of a parameter with a value, or one value of a list, that is not in `valid`.
    pub(crate) fn unknown_value(parameter: &str, value: &str, valid: &[&str]) -> Self {
        Self::unknown(
            parameter,
            &format!("`{}` is not a valid value", excerpt(value)),
            value,
            "values",
            valid,
        )
    }

    fn unknown(parameter: &str, reason: &str, text: &str, noun: &str, valid: &[&str]) -> Self {
        let suggestion = nearest(&excerpt(text), valid.iter().copied()).map(str::to_owned);
        let list = valid.join(", ");
        let detail = match &suggestion {
            Some(nearest) => format!("{reason}; did you mean `{nearest}`? Valid {noun}: {list}"),
            None => format!("{reason}; valid {noun}: {list}"),
        };
        Self { suggestion, ..Self::new(parameter, detail) }
    }
}

/// Cuts a caller's text to 64 characters, to be repeated in a response.
#[must_use]
pub fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_suggested_only_if_it_is_near() {
        let suggestion = |name: &str| {
            ParameterError::unknown_name(name, &["category", "limit", "minPrice"]).suggestion
        };
        for (near, known) in [
            ("LIMIT", "limit"),
            ("lmit", "limit"),
            ("limi", "limit"),
            ("catgeroy", "category"),
            ("minprice", "minPrice"),
        ] {
            assert_eq!(suggestion(near).as_deref(), Some(known), "{near}");
        }
        for far in ["l", "limits-of-all", "cat", "xxxxx", ""] {
            assert_eq!(suggestion(far), None, "{far}");
        }
    }

    #[test]
    fn an_unknown_value_is_told_with_the_valid_ones() {
        let error = |value| ParameterError::unknown_value("status", value, &["pending", "shipped"]);
        let near = error("shiped");
        assert_eq!(
            near.detail,
            "`shiped` is not a valid value; did you mean `shipped`? Valid values: pending, shipped"
        );
        assert_eq!(
            (near.parameter.as_str(), near.suggestion.as_deref()),
            ("status", Some("shipped"))
        );
        assert_eq!(
            error("lost").detail,
            "`lost` is not a valid value; valid values: pending, shipped"
        );
        assert!(error(&"é".repeat(4096)).detail.len() < 256);
        let name = ParameterError::unknown_name(&"é".repeat(4096), &["category"]);
        assert_eq!(name.parameter, "é".repeat(64));
        assert!(name.detail.len() < 256 && name.suggestion.is_none());
    }
}
