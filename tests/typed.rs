//! Calls of the official client other than the reads: typed answers, writes, and answers whose
//! bytes do not arrive.

#[path = "../shared/api/examples/put_thing.rs"]
#[expect(dead_code, reason = "the example's `main` is for Lambda")]
mod put_thing;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use lambda_http::{Body, Request, RequestExt};

use crate::{
    proxy::Fault,
    stack::{Stack, event, send_to},
    undisturbed::undisturbed,
};

async fn things(stack: &Stack) -> api::Client {
    let client = stack.client();
    let key = KeySchemaElement::builder()
        .attribute_name("thingId")
        .key_type(KeyType::Hash)
        .build()
        .unwrap();
    let attribute = AttributeDefinition::builder()
        .attribute_name("thingId")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let create =
        client.sdk().create_table().table_name("things").billing_mode(BillingMode::PayPerRequest);
    create.key_schema(key).attribute_definitions(attribute).send().await.unwrap();
    client
}

async fn put(
    client: &api::Client,
    header: Option<(&str, &str)>,
    body: &str,
) -> (u16, Option<String>) {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = http::Method::PUT;
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    if let Some((name, value)) = header {
        request
            .headers_mut()
            .insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let request = request
        .with_path_parameters(HashMap::from([("thingId".to_owned(), vec!["t-1".to_owned()])]));
    let response = put_thing::put_thing(client, "things", request).await.unwrap();
    (
        response.status().as_u16(),
        response.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned()),
    )
}

#[tokio::test]
async fn a_write_holds_to_its_precondition() {
    let stack = Stack::empty();
    let client = things(&stack).await;
    let etag = |version: u32| Some(format!("\"{version}\""));
    assert_eq!(
        put(&client, Some(("if-none-match", "*")), r#"{"name":"first"}"#).await,
        (201, etag(1))
    );
    assert_eq!(
        put(&client, Some(("if-none-match", "*")), r#"{"name":"again"}"#).await,
        (412, None)
    );
    assert_eq!(
        put(&client, Some(("if-match", "\"1\"")), r#"{"name":"second"}"#).await,
        (204, etag(2))
    );
    assert_eq!(
        put(&client, Some(("if-match", "\"1\"")), r#"{"name":"late"}"#).await,
        (412, None),
        "somebody was faster"
    );
    assert_eq!(put(&client, None, r#"{"name":"blind"}"#).await, (428, None));
    assert_eq!(put(&client, Some(("if-match", "\"2\"")), r#"{"title":1}"#).await, (400, None));
    let read = client
        .sdk()
        .get_item()
        .table_name("things")
        .key("thingId", AttributeValue::S("t-1".to_owned()))
        .send()
        .await
        .unwrap();
    assert_eq!(read.item.unwrap()["name"], AttributeValue::S("second".to_owned()));
}

/// A handler may call the client that the reads use; it gets typed answers.
#[tokio::test]
async fn a_handler_s_own_call_is_typed() {
    let stack = Stack::shop();
    let app = stack.app(&shop::GET_USER);
    let users = app.client().scan().table_name("users").send().await.unwrap();
    assert_eq!(users.count, 2);
    assert!(users.items().iter().all(|user| user.contains_key("passwordHash")));
    let event = event("/v1/users/{userId}", Some("u-1"), "", Some("u-1"), &[]).to_string();
    assert_eq!(send_to(&app, &event).await.status, 200);
    let query = app.client().query().table_name("orders").key_condition_expression("userId = :u");
    let orders = query
        .expression_attribute_values(":u", AttributeValue::S("u-1".to_owned()))
        .send()
        .await
        .unwrap();
    assert_eq!(orders.items().len(), 40);
}

/// A successful status without an answer of DynamoDB is an error. It must not be read as "no
/// items".
#[tokio::test]
async fn bytes_that_do_not_arrive_are_an_error() {
    let mut stack = Stack::shop();
    let proxy = stack.behind(&[]);
    for status in [201, 204, 206] {
        undisturbed(async || {
            proxy.only(&[Fault::Reply(status, "")]);
            assert_eq!(stack.user("").await.status, 502, "{status}");
            proxy.only(&[Fault::Reply(status, r#"{"Items":[],"Count":0,"ScannedCount":0}"#)]);
            assert_eq!(stack.products("").await.status, 502, "{status}");
        })
        .await;
    }
}
