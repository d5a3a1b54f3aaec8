//! The caller's identity, and the check of what they can read.
//!
//! The HTTP API's JWT authorizer has verified the token. The function reads the claims that it passes on
//! ([claims](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html)); without claims the request is
//! unauthenticated.

use crate::http::event::Claims;
use crate::http::problem::{Problem, ProblemKind};

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The subject: the user's id.
    pub subject: String,
    reads_any: bool,
}

impl Principal {
    /// Returns the caller of these claims, or `None` without a subject. `read_any` is the scope that allows reading every user.
    pub(crate) fn of(claims: Claims, read_any: Option<&str>) -> Option<Self> {
        let subject = claims.sub.filter(|sub| !sub.is_empty())?;
        // API Gateway writes an array claim as "[a b]".
        let scopes = claims.scope.unwrap_or_default();
        let scopes = scopes.strip_prefix('[').and_then(|scopes| scopes.strip_suffix(']')).unwrap_or(&scopes);
        let reads_any = read_any.is_some_and(|read_any| scopes.split([' ', ',']).any(|scope| scope == read_any));
        Some(Self { subject, reads_any })
    }

    /// Returns the id of the user that the path names (`me` is the caller), if this caller can read that user.
    ///
    /// # Errors
    /// 403, the same whether or not the user exists.
    pub(crate) fn may_read(&self, id: &str) -> Result<String, Problem> {
        match id {
            "me" => Ok(self.subject.clone()),
            id if id == self.subject || self.reads_any => Ok(id.to_owned()),
            _ => Err(ProblemKind::Forbidden.into()),
        }
    }
}

/// Reads the claims of a token of `cargo dev token`. It is unsigned, so only a build with the feature `local-tokens` has this function.
#[cfg(feature = "local-tokens")]
pub(crate) fn local_claims(headers: &http::HeaderMap) -> Option<Claims> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    #[derive(serde::Deserialize)]
    struct Issuer {
        iss: String,
    }

    // The scheme's case does not count (RFC 9110, section 11.1).
    let (scheme, token) = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let mut parts = token.split('.');
    let payload = URL_SAFE_NO_PAD.decode(parts.nth(1)?).ok()?;
    let Issuer { iss } = serde_json::from_slice(&payload).ok()?;
    let is_local = scheme.eq_ignore_ascii_case("bearer") && parts.next() == Some("") && iss == "lean-routes-local";
    if is_local { serde_json::from_slice(&payload).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(sub: Option<&str>, scope: Option<&str>) -> Option<Principal> {
        Principal::of(Claims { sub: sub.map(Into::into), scope: scope.map(Into::into) }, Some("all:read"))
    }

    #[test]
    fn claims_without_a_subject_have_no_principal() {
        assert_eq!(principal(None, Some("all:read")), None);
        assert_eq!(principal(Some(""), Some("all:read")), None);
    }

    #[test]
    fn callers_read_their_own_data_or_with_the_scope_all() {
        let may = |scope, id: &str| principal(Some("u-1"), scope).unwrap().may_read(id);
        assert_eq!(may(None, "u-1").unwrap(), "u-1");
        assert_eq!(may(None, "me").unwrap(), "u-1");
        assert_eq!(may(None, "u-2").unwrap_err().kind, ProblemKind::Forbidden);
        for scope in ["all:read", "x all:read", "[x all:read]", "[all:read]"] {
            assert_eq!(may(Some(scope), "u-2").unwrap(), "u-2", "{scope}");
        }
        for scope in ["all:reader", "xall:read", "all", "[]", ""] {
            assert_eq!(may(Some(scope), "u-2").unwrap_err().kind, ProblemKind::Forbidden, "{scope}");
        }
        let nothing_configured = Principal::of(Claims { sub: Some("u-1".into()), scope: Some(String::new()) }, None).unwrap();
        assert!(nothing_configured.may_read("u-2").is_err());
    }

    #[cfg(feature = "local-tokens")]
    #[test]
    fn the_scheme_of_a_local_token_is_bearer_in_any_case() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

        let token = |iss: &str| format!("e30.{}.", URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{iss}","sub":"u-1","scope":["a"]}}"#)));
        let subject = |authorization: String| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::AUTHORIZATION, authorization.try_into().unwrap());
            local_claims(&headers).and_then(|claims| claims.sub)
        };
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            assert_eq!(subject(format!("{scheme} {}", token("lean-routes-local"))).as_deref(), Some("u-1"), "{scheme}");
        }
        for scheme in ["Basic", "Bearers", ""] {
            assert_eq!(subject(format!("{scheme} {}", token("lean-routes-local"))), None, "{scheme}");
        }
        assert_eq!(subject(format!("Bearer {}", token("another"))), None);
        assert_eq!(subject(token("lean-routes-local")), None);
    }
}
