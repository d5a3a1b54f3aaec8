//! Media types, statuses, caches, trusted documents.

use graphql::Options;
use serde_json::json;

use crate::stack::{SHARED, Sent};

const PAGE: &str = "query=%7Bproducts(first:3)%7Bedges%7Bcursor%7D%7D%7D";

#[tokio::test]
async fn the_answer_has_the_media_type_that_is_asked_for() {
    let server = SHARED.usual();
    for (accept, media_type) in [
        ("application/json", "application/json; charset=utf-8"),
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
    ] {
        for sent in
            [Sent::get(PAGE), Sent::post("{ __typename }"), Sent::post("{ x }"), Sent::post("{")]
        {
            let answer = server.send(&sent.header("accept", accept)).await;
            assert_eq!(answer.header("content-type"), Some(media_type));
            assert!(answer.header("vary").unwrap().contains("accept"));
        }
    }
    let answer = server.send(&Sent::get(PAGE).header("accept", "text/html")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (406, Some("application/problem+json"))
    );
}

#[tokio::test]
async fn requests_that_are_none_have_the_statuses_of_http() {
    let server = SHARED.usual();
    let json = |body: &str| Sent::body(body);
    let large = json!({"query": format!("{{ __typename }} # {}", "x".repeat(16_384))}).to_string();
    for (what, sent, status) in [
        ("no body", json(""), 400),
        ("no JSON", json("{"), 400),
        ("a batch", json(r#"[{"query":"{__typename}"}]"#), 422),
        ("no query", json("{}"), 422),
        ("another media type", json("{}").header("content-type", "text/plain"), 415),
        ("no media type", json("{}").header("content-type", ""), 415),
        ("a large body", json(&large), 413),
        (
            "base64",
            json("eyJxdWVyeSI6IntfX3R5cGVuYW1lfSJ9").with("isBase64Encoded", true.into()),
            200,
        ),
        ("what is no base64", json("!").with("isBase64Encoded", true.into()), 400),
        ("no query string", Sent::get(""), 422),
        ("variables that are no JSON", Sent::get("query=%7B__typename%7D&variables=x"), 400),
        ("an unknown parameter", Sent::get("query=%7B__typename%7D&qery=x"), 400),
        ("empty parameters", Sent::get("query=%7B__typename%7D&variables=&operationName="), 200),
        ("a long query", Sent::get(&format!("query={}", ",".repeat(4_091))), 414),
        ("the longest query", Sent::get(&format!("query={}", ",".repeat(4_090))), 400),
        ("a mutation by GET", Sent::get("query=mutation%7Ba%7D"), 405),
        ("another path", Sent::get(PAGE).path("/v1/other"), 404),
        ("the path for callers, without one", Sent::get(PAGE).path("/v1/graphql"), 401),
        ("another operation", Sent::get("query=%7B__typename%7D&operationName=A"), 422),
        ("several operations", Sent::post("query A { __typename } query B { __typename }"), 422),
    ] {
        let answer = server.send(&sent).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        if status != 200 {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
        }
        let is_problem = answer.header("content-type") == Some("application/problem+json");
        assert_eq!(
            is_problem,
            answer.json()["errors"].is_null() && status != 200 || answer.json()["type"].is_string(),
            "{what}: {}",
            answer.body
        );
    }
    let mutation = server.send(&Sent::get("query=mutation%7Ba%7D")).await;
    assert_eq!(mutation.header("allow"), Some("POST"));
    let put = server
        .send(&Sent::get(PAGE).with("requestContext", json!({"http": {"method": "PUT"}})))
        .await;
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, POST")));
}

#[tokio::test]
async fn an_answer_to_get_is_kept_as_the_strictest_of_its_parts() {
    let server = SHARED.usual();
    let public =
        "public, max-age=30, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400";
    let both = "query=%7Bproducts(first:3)%7Bedges%7Bcursor%7D%7D%20user%7Bname%7D%7D";
    for (sent, policy) in [
        (Sent::get(PAGE), public),
        (Sent::get(PAGE).by("u-1"), "private, no-cache"),
        (Sent::get(both).by("u-1"), "private, no-cache"),
        (Sent::get(both), "no-store"),
        (Sent::get("query=%7B__typename%7D"), "private, no-cache"),
        (Sent::post("{ products(first: 3) { edges { cursor } } }"), "no-store"),
    ] {
        let answer = server.send(&sent).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some(policy)),
            "{sent:?}"
        );
        let vary = answer.header("vary").unwrap();
        assert_eq!(vary.contains("origin"), policy == public, "{sent:?}: {vary}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let Some(tag) = answer.header("etag") else {
            assert_eq!(policy, "no-store");
            continue;
        };
        let again = server.send(&sent.clone().header("if-none-match", tag)).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        let other = sent.header("accept", "application/graphql-response+json");
        assert_ne!(server.send(&other).await.header("etag"), Some(tag));
    }
}

#[tokio::test]
async fn a_long_answer_is_compressed() {
    let server = SHARED.usual();
    let query = "query=%7Bproducts(first:50)%7Bedges%7Bnode%7Bname%20price%7D%7D%7D%7D";
    let answer = server.send(&Sent::get(query).header("accept-encoding", "gzip")).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.json()["data"]["products"]["edges"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_trusted_document_is_run_by_its_hash_and_nothing_else_is() {
    let server = SHARED.server(Options { introspection: false, any_document: false });
    let document = include_str!("../documents/catalogue.graphql");
    let id = hash(document);
    let sent = Sent::get(&format!("documentId=sha256:{id}&variables=%7B%22first%22:2%7D"));
    let answer = server.send(&sent).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["data"]["products"]["edges"].as_array().unwrap().len(), 2);
    let same = server.send(&Sent::post(document)).await;
    assert_eq!(same.status, 200, "{}", same.body);
    for (sent, code) in [
        (Sent::post("{ __typename }"), "DOCUMENT_NOT_TRUSTED"),
        (Sent::get(&format!("documentId=sha256:{}", "0".repeat(64))), "DOCUMENT_NOT_FOUND"),
        (Sent::get("documentId=x"), "DOCUMENT_NOT_FOUND"),
    ] {
        let answer = server.send(&sent).await;
        assert_eq!((answer.status, answer.codes()), (422, vec![code.to_owned()]));
    }
}

fn hash(text: &str) -> String {
    use sha2::{Digest, Sha256};

    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
