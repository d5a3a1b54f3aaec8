//! Tokens for the local stack.
//!
//! Unsigned JWTs (RFC 7519 section 6): anyone can make one. Therefore only a build with the Cargo
//! feature `local-tokens` accepts them, and only `cargo dev` enables it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// The issuer that a local build accepts.
pub const ISSUER: &str = "lean-routes-local";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// Returns a token for a subject, with a space-separated scope.
pub fn token(sub: &str, scope: Option<&str>) -> String {
    let claims = serde_json::to_string(&Claims { iss: ISSUER, sub, scope }).unwrap_or_default();
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}.", encode(r#"{"alg":"none","typ":"JWT"}"#), encode(&claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_fixed() {
        let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let token = token("caller-1", Some("lean-routes/read:any other"));
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(decode(parts[0]), r#"{"alg":"none","typ":"JWT"}"#);
        let claims =
            r#"{"iss":"lean-routes-local","sub":"caller-1","scope":"lean-routes/read:any other"}"#;
        assert_eq!(decode(parts[1]), claims);
        assert_eq!(parts[2], "");
        let plain = super::token("ü\"1", None);
        assert_eq!(
            decode(plain.split('.').nth(1).unwrap()),
            r#"{"iss":"lean-routes-local","sub":"ü\"1"}"#
        );
    }
}
