//! Tokens for the local stack.
//!
//! Unsigned JWTs (RFC 7519 section 6): whoever can type can make one. That is why only a build with the Cargo feature
//! `local-tokens` accepts them, and only `cargo dev` turns that on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// The issuer that a local build accepts.
pub const ISSUER: &str = "lean-routes-local";

/// A token for a subject, with a space-separated scope.
pub fn token(sub: &str, scope: Option<&str>) -> String {
    let mut claims = json!({ "iss": ISSUER, "sub": sub });
    if let Some(scope) = scope {
        claims["scope"] = scope.into();
    }
    let header = json!({ "alg": "none", "typ": "JWT" });
    let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.", encode(header), encode(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_fixed() {
        let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let token = token("u-1", Some("lean-routes/users:read other"));
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(decode(parts[0]), r#"{"alg":"none","typ":"JWT"}"#);
        let claims: serde_json::Value = serde_json::from_str(&decode(parts[1])).unwrap();
        assert_eq!(claims, json!({"iss": ISSUER, "sub": "u-1", "scope": "lean-routes/users:read other"}));
        assert_eq!(parts[2], "");
        assert!(!decode(super::token("ü\"1", None).split('.').nth(1).unwrap()).contains("scope"));
    }
}
