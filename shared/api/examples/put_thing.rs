//! A write in addition to the read routes: `PUT /v1/things/{thingId}`, as one more function.
//!
//! It uses the client that the routes use, with the operations of the official SDK. The
//! precondition of the request becomes the condition of the PutItem, so that of two writers who
//! read the same version one is refused: `If-Match: "7"` replaces only version 7, and
//! `If-None-Match: *` only creates
//! ([RFC 9110, section 13](https://www.rfc-editor.org/rfc/rfc9110#section-13)).

use std::collections::HashMap;

use api::Client;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use lambda_http::{Body, Error, Request, RequestExt, RequestPayloadExt, Response, service_fn};

/// The body of the request.
#[derive(serde::Deserialize)]
pub(crate) struct Thing {
    name: String,
}

/// Writes a thing if the precondition of the request holds.
///
/// # Errors
/// Failures of DynamoDB, which Lambda answers with a 500.
pub(crate) async fn put_thing(
    client: &Client,
    table: &str,
    request: Request,
) -> Result<Response<Body>, Error> {
    let answer = |status: u16, etag: Option<u64>| {
        let response = Response::builder().status(status).header("cache-control", "no-store");
        let response = etag
            .into_iter()
            .fold(response, |response, version| response.header("etag", format!("\"{version}\"")));
        Ok(response.body(Body::Empty)?)
    };
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(id) = request
        .path_parameters()
        .first("thingId")
        .filter(|id| (1..=2_048).contains(&id.len()))
        .map(str::to_owned)
    else {
        return answer(404, None);
    };
    let Ok(Some(thing)) = request.json::<Thing>() else { return answer(400, None) };
    let (condition, seen) = match (header("if-match"), header("if-none-match")) {
        (Some(etag), None) => match etag.trim_matches('"').parse::<u64>() {
            Ok(version) => ("#version = :seen", Some(version)),
            Err(_) => return answer(412, None),
        },
        (None, Some("*")) => ("attribute_not_exists(thingId)", None),
        // RFC 6585, section 3: this resource is changed conditionally or not at all.
        _ => return answer(428, None),
    };
    let version = seen.unwrap_or(0).saturating_add(1);
    let item = HashMap::from([
        ("thingId", S(id)),
        ("name", S(thing.name)),
        ("version", N(version.to_string())),
    ]);
    let put = client.sdk().put_item().table_name(table).condition_expression(condition);
    let put = seen.into_iter().fold(put, |put, seen| {
        put.expression_attribute_names("#version", "version")
            .expression_attribute_values(":seen", N(seen.to_string()))
    });
    match put
        .set_item(Some(item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
        .send()
        .await
    {
        Ok(_) => answer(if seen.is_some() { 204 } else { 201 }, Some(version)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
        {
            answer(412, None)
        }
        Err(error) => Err(error.into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::from_environment().await?;
    let table = std::env::var("THINGS_TABLE")?;
    let (client, table) = (&client, table.as_str());
    lambda_http::run(service_fn(async move |request| put_thing(client, table, request).await)).await
}
