//! The caller's identity, and the check of what they can read.
//!
//! The HTTP API's JWT authorizer has verified the token. The function reads the claims that it
//! passes on
//! ([claims](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html));
//! without claims the request is unauthenticated.

use projection::Field;

use crate::http::event::Claims;
use crate::http::problem::{Problem, ProblemKind};
use crate::route::Access;

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The subject, the claim `sub`.
    pub subject: String,
    /// The claim that names the caller as an owner, on a route that has one.
    own: Option<String>,
    /// True if the caller has the scope that the route asks for, or the one that may read
    /// everybody's items.
    has_scope: bool,
    /// True if the caller has the scope that may read everybody's items, whatever the route asks
    /// for: it is a service, with a quota of its own.
    pub(crate) is_service: bool,
}

impl Principal {
    /// Returns the caller of these claims, or `None` without a subject. `read_any` is the scope
    /// that allows reading everybody's items.
    pub(crate) fn of(claims: &Claims<'_>, access: Access, read_any: Option<&str>) -> Option<Self> {
        let (scope, own) = match access {
            Access::Public | Access::SignedIn => (None, None),
            Access::Scope(scope) => (Some(scope), None),
            Access::Owner { claim, .. } => (read_any, claims.text(claim)),
        };
        let has = |scope| claims.has_word("scope", scope) || claims.has_word("scp", scope);
        let has_scope = scope.is_some_and(has);
        let is_service = read_any.is_some_and(has);
        Some(Self { subject: claims.text("sub")?, own, has_scope, is_service })
    }

    /// Checks that the caller may use a route at all, apart from the question whose items they
    /// read.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn may_use(&self, access: Access) -> Result<(), Problem> {
        match access {
            Access::Scope(_) if !self.has_scope => Err(ProblemKind::Forbidden.into()),
            Access::Public | Access::SignedIn | Access::Scope(_) | Access::Owner { .. } => Ok(()),
        }
    }

    /// Returns the owner that the path names (`me` is the caller), if this caller can read their
    /// items.
    ///
    /// # Errors
    /// 403, the same whether or not there is such an owner.
    pub(crate) fn may_read(&self, named: &str) -> Result<String, Problem> {
        match (named, &self.own) {
            ("me", Some(own)) => Ok(own.clone()),
            ("me", None) => Err(ProblemKind::Forbidden.into()),
            (named, Some(own)) if named == own => Ok(named.to_owned()),
            (named, _) if self.has_scope => Ok(named.to_owned()),
            _ => Err(ProblemKind::Forbidden.into()),
        }
    }

    /// Returns the owner whose items the caller reads where the path names none: the caller.
    ///
    /// # Errors
    /// 403 for a token without the claim.
    pub(crate) fn owner(&self) -> Result<String, Problem> {
        self.own.clone().ok_or_else(|| ProblemKind::Forbidden.into())
    }

    /// Returns the claim that names the caller as an owner.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// Returns `true` if the caller may read everybody's items.
    pub(crate) fn reads_any(&self) -> bool {
        self.has_scope
    }
}

/// The part of a route's items that a request may read.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The values that items must have: those of the path, and the owner.
    pub(crate) values: Vec<(&'static Field, String)>,
    /// The caller's subject, on a route that is not public.
    pub(crate) caller: Option<String>,
    /// True if an item of another owner than that of `values` may be shown: it was named by the
    /// rest of the path.
    pub(crate) of_anybody: bool,
}

impl Grant {
    /// Returns the value of a field, if the items' values have it.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(field, _)| field.name == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the claims of a token of `cargo dev token`, as JSON. It is unsigned, so only a build
/// with the feature `local-tokens` has this function, and that of these tests.
#[cfg(any(feature = "local-tokens", test))]
pub(crate) fn local_token(headers: &http::HeaderMap) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    #[derive(serde::Deserialize)]
    struct Issuer {
        iss: String,
    }

    // The scheme's case does not count (RFC 9110, section 11.1).
    let (scheme, token) =
        headers.get(http::header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let mut parts = token.split('.');
    let payload = URL_SAFE_NO_PAD.decode(parts.nth(1)?).ok()?;
    let Issuer { iss } = serde_json::from_slice(&payload).ok()?;
    let is_local = scheme.eq_ignore_ascii_case("bearer")
        && parts.next() == Some("")
        && iss == "lean-routes-local";
    is_local.then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Access = Access::owner("ownerId");

    fn principal(claims: &str, access: Access) -> Option<Principal> {
        Principal::of(&serde_json::from_str(claims).unwrap(), access, Some("all:read"))
    }

    #[test]
    fn claims_without_a_subject_have_no_principal() {
        for claims in [
            r#"{"scope":"all:read"}"#,
            r#"{"sub":"","scope":"all:read"}"#,
            r#"{"sub":["u-1"]}"#,
            r#"{"sub":1}"#,
            "{}",
        ] {
            assert_eq!(principal(claims, OWNER), None, "{claims}");
        }
    }

    #[test]
    fn an_owner_can_be_named_by_another_claim() {
        let tenant = Access::Owner { field: "tenantId", claim: "tenant" };
        let member = principal(r#"{"sub":"u-1","tenant":"t-1"}"#, tenant).unwrap();
        assert_eq!(
            (member.owner().unwrap(), member.may_read("me").unwrap()),
            ("t-1".to_owned(), "t-1".to_owned())
        );
        assert!(
            member.may_read("t-1").is_ok()
                && member.may_read("u-1").is_err()
                && member.may_read("t-2").is_err()
        );
        let stranger = principal(r#"{"sub":"t-1"}"#, tenant).unwrap();
        assert!(
            stranger.owner().is_err()
                && stranger.may_read("me").is_err()
                && stranger.may_read("t-1").is_err()
        );
        assert_eq!((member.own(), stranger.own()), (Some("t-1"), None));
        // Not even with the scope: `me` is nobody then, and no owner of that name.
        let service = principal(r#"{"sub":"s","scope":"all:read"}"#, tenant).unwrap();
        assert!(service.may_read("me").is_err() && service.may_read("t-1").is_ok());
    }

    #[test]
    fn a_scope_is_in_scope_or_scp_as_a_text_or_a_list() {
        let staff = Access::Scope("all:read");
        for claim in [
            r#""scope":"x all:read""#,
            r#""scp":"all:read""#,
            r#""scp":["x","all:read"]"#,
            r#""scope":["all:read"]"#,
            r#""scope":"[x all:read]""#,
        ] {
            let claims = format!(r#"{{"sub":"u-1",{claim}}}"#);
            assert!(principal(&claims, staff).unwrap().may_use(staff).is_ok(), "{claim}");
        }
        for claim in [
            r#""scope":"all:reader""#,
            r#""scp":["x all:read"]"#,
            r#""scopes":"all:read""#,
            r#""scope":{"all:read":1}"#,
            r#""scp":1"#,
        ] {
            let claims = format!(r#"{{"sub":"u-1",{claim}}}"#);
            assert!(principal(&claims, staff).unwrap().may_use(staff).is_err(), "{claim}");
        }
    }

    #[test]
    fn callers_read_their_own_data_or_with_the_scope_all() {
        let caller = |scope: Option<&str>| {
            principal(&serde_json::json!({"sub": "u-1", "scope": scope}).to_string(), OWNER)
                .unwrap()
        };
        let may = |scope, id: &str| caller(scope).may_read(id);
        assert_eq!(may(None, "u-1").unwrap(), "u-1");
        assert_eq!(may(None, "me").unwrap(), "u-1");
        assert_eq!(may(None, "u-2").unwrap_err().kind, ProblemKind::Forbidden);
        for scope in ["all:read", "x all:read", "[x all:read]", "[all:read]"] {
            assert_eq!(may(Some(scope), "u-2").unwrap(), "u-2", "{scope}");
        }
        for scope in ["all:reader", "xall:read", "all", "[]", ""] {
            assert_eq!(
                may(Some(scope), "u-2").unwrap_err().kind,
                ProblemKind::Forbidden,
                "{scope}"
            );
        }
        let nothing_configured = Principal::of(
            &serde_json::from_str(r#"{"sub":"u-1","scope":""}"#).unwrap(),
            OWNER,
            None,
        )
        .unwrap();
        assert!(nothing_configured.may_read("u-2").is_err());
    }

    #[test]
    fn the_scheme_of_a_local_token_is_bearer_in_any_case() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

        let token = |iss: &str| {
            format!(
                "e30.{}.",
                URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{iss}","sub":"u-1","scope":["a"]}}"#))
            )
        };
        let subject = |authorization: String| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::AUTHORIZATION, authorization.try_into().unwrap());
            let claims = local_token(&headers)?;
            serde_json::from_slice::<Claims<'_>>(&claims).unwrap().text("sub")
        };
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            assert_eq!(
                subject(format!("{scheme} {}", token("lean-routes-local"))).as_deref(),
                Some("u-1"),
                "{scheme}"
            );
        }
        for scheme in ["Basic", "Bearers", ""] {
            assert_eq!(
                subject(format!("{scheme} {}", token("lean-routes-local"))),
                None,
                "{scheme}"
            );
        }
        assert_eq!(subject(format!("Bearer {}", token("another"))), None);
        assert_eq!(subject(token("lean-routes-local")), None);
    }
}
