//! Who may read what, before anything else is looked at.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{ORDERS, USER};
use crate::stack::{Stack, event};

/// Right and wrong parameters: access is decided before they are.
const QUERIES: [&str; 2] = ["", "fields=nonsense&limit=0&cursor=x"];

/// Returns the requests of `sub` for the data of `id`, on every private route.
fn requests(id: &str, sub: Option<&str>) -> impl Iterator<Item = Value> {
    [USER, ORDERS]
        .into_iter()
        .flat_map(move |path| QUERIES.map(|query| event(path, Some(id), query, sub, &[])))
}

#[tokio::test]
async fn without_a_token_is_unauthorized() {
    let stack = Stack::shop();
    assert_snapshot!(stack.send(&event(USER, Some("u-1"), "", None, &[])).await.shown());
    for request in requests("u-1", None) {
        assert_eq!(stack.send(&request).await.status, 401, "{request}");
    }
}

#[tokio::test]
async fn another_s_data_is_forbidden_whether_or_not_it_exists() {
    let stack = Stack::shop();
    assert_snapshot!(stack.send(&event(USER, Some("u-2"), "", Some("u-1"), &[])).await.shown());
    for (other, missing) in requests("u-2", Some("u-1")).zip(requests("u-99", Some("u-1"))) {
        let (other, missing) = (stack.send(&other).await, stack.send(&missing).await);
        assert_eq!((other.status, &other.body), (403, &missing.body));
    }
}

/// Only the authorizer's claims count in a deployable build.
#[tokio::test]
async fn a_token_in_the_header_is_nothing_by_itself() {
    let stack = Stack::shop();
    let token = format!("Bearer {}", dev::token::token("u-1", None));
    for path in [USER, ORDERS] {
        assert_eq!(
            stack
                .send(&event(path, Some("u-1"), "", None, &[("authorization", &token)]))
                .await
                .status,
            401
        );
    }
}

#[tokio::test]
async fn a_scope_reads_anybody_s_data() {
    let stack = Stack::shop();
    for path in [USER, ORDERS] {
        let mut request = event(path, Some("u-2"), "", Some("u-1"), &[]);
        request["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
            json!("openid lean-routes/users:read");
        assert_eq!(stack.send(&request).await.status, 200);
    }
}
