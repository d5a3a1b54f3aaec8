//! The floor: the cost of `get-user` and `list-products` with only the work that the answer needs.
//!
//! No async, no SDK, no retries, no timeouts, no validation, no ETag, no log line. A benchmark's
//! lower bound, not a way to write a function.

mod dynamodb;
mod http;
mod sigv4;
mod transform;

use std::{env, io, net::TcpStream};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).map_err(|_| io::Error::other(format!("{name} is not set")));
    let api = variable("AWS_LAMBDA_RUNTIME_API")?;
    let mut dynamodb = dynamodb::Client::connect(&variable)?;
    let users = variable("USERS_TABLE")?;
    let products = variable("PRODUCTS_TABLE")?;

    let mut runtime = TcpStream::connect(&api)?;
    runtime.set_nodelay(true)?;
    let mut incoming = Vec::new();
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n");
    loop {
        http::send(&mut runtime, next.as_bytes(), b"")?;
        let event = http::receive(&mut runtime, &mut incoming)?;
        let id = http::header(event.head, "lambda-runtime-aws-request-id").unwrap_or_default();
        let text = std::str::from_utf8(event.body).map_err(io::Error::other)?;
        let body = if text.contains("\"rawPath\":\"/v1/users/") {
            user(&mut dynamodb, &users, text)?
        } else {
            list(&mut dynamodb, &products, text)?
        };
        let mut response = br#"{"statusCode":200,"headers":{"content-type":"application/json"},"isBase64Encoded":false,"body":""#.to_vec();
        transform::escape(&body, &mut response);
        response.extend_from_slice(b"\"}");
        let head = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {api}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            response.len()
        );
        http::send(&mut runtime, head.as_bytes(), &response)?;
        http::receive(&mut runtime, &mut incoming)?;
    }
}

/// Returns the text after a given one, up to a quote or an ampersand.
fn between<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(['"', '&']).next()
}

fn user(dynamodb: &mut dynamodb::Client, table: &str, event: &str) -> io::Result<Vec<u8>> {
    let id = between(event, "\"pathParameters\":{\"userId\":\"").unwrap_or_default();
    let (names, projection) = transform::placeholders(transform::USER.iter().copied());
    let request = format!(
        r##"{{"TableName":"{table}","Key":{{"userId":{{"S":"{id}"}}}},"ProjectionExpression":"{projection}","ExpressionAttributeNames":{{{names}}}}}"##
    );
    let answer = dynamodb.call("GetItem", &request)?;
    let mut out = Vec::with_capacity(1_024);
    transform::one(answer, &mut out)?;
    Ok(out)
}

fn list(dynamodb: &mut dynamodb::Client, table: &str, event: &str) -> io::Result<Vec<u8>> {
    let query =
        between(event, "\"rawQueryString\":\"").and_then(|_| event.split_once("\"rawQueryString\":\"")).map_or("", |(_, rest)| rest);
    let limit: usize = query.split('"').next().and_then(|query| between(query, "limit=")).and_then(|text| text.parse().ok()).unwrap_or(25);
    let (names, projection) = transform::placeholders(transform::SUMMARY.iter().copied());
    let request = format!(
        r##"{{"TableName":"{table}","IndexName":"byShardCreatedAt","KeyConditionExpression":"#k = :k","ProjectionExpression":"{projection}","ExpressionAttributeNames":{{"#k":"shard",{names}}},"ExpressionAttributeValues":{{":k":{{"N":"0"}}}},"ScanIndexForward":false,"Limit":{}}}"##,
        limit + 1
    );
    let answer = dynamodb.call("Query", &request)?;
    let mut out = Vec::with_capacity(answer.len());
    transform::page(answer, limit, &mut out)?;
    Ok(out)
}
