//! The same routes with the AWS SDK and lambda_http as in their READMEs, and two naive routes for a
//! comparison of paging.

use std::{collections::HashMap, env};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde_json::{Map, Value, json};

const USER: [&str; 10] =
    ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"];
const SUMMARY: [&str; 10] = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_from_env().await;
    let client = Client::new(&config);
    run(service_fn(|request: Request| route(&client, request))).await
}

async fn route(client: &Client, request: Request) -> Result<Response<Body>, Error> {
    let path = request.raw_http_path().to_owned();
    let query = request.query_string_parameters();
    let number = |name: &str, default: usize| query.first(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let parameters = request.path_parameters();
    let id = parameters.first("userId").unwrap_or_default();
    let body = if path.ends_with("/orders") {
        naive_orders(client, id, number("enrich", usize::MAX)).await?
    } else if path.starts_with("/v1/users/") {
        get_user(client, id).await?
    } else if query.first("offset").is_some() {
        products_by_offset(client, number("limit", 25), number("offset", 0)).await?
    } else {
        list_products(client, number("limit", 25)).await?
    };
    let response = Response::builder().status(200).header("content-type", "application/json");
    Ok(response.body(serde_json::to_string(&body)?.into())?)
}

/// A projection of attributes, and the names behind its placeholders.
fn projection(names: &[&str]) -> (String, HashMap<String, String>) {
    let placeholders: Vec<String> = (0..names.len()).map(|i| format!("#p{i}")).collect();
    let names = names.iter().map(|name| (*name).to_owned());
    (placeholders.join(","), placeholders.iter().cloned().zip(names).collect())
}

/// The chosen members in their order.
fn chosen(item: HashMap<String, AttributeValue>, names: &[&str]) -> Result<Value, Error> {
    let mut item: Map<String, Value> = serde_dynamo::from_item(item)?;
    Ok(names.iter().filter_map(|name| item.remove(*name).map(|value| ((*name).to_owned(), value))).collect::<Map<_, _>>().into())
}

async fn get_item(client: &Client, table: &str, key: (&str, &str), names: &[&str]) -> Result<Option<Value>, Error> {
    let (projection, placeholders) = projection(names);
    let call = client.get_item().table_name(env::var(table)?).key(key.0, AttributeValue::S(key.1.to_owned()));
    let call = call.projection_expression(projection).set_expression_attribute_names(Some(placeholders));
    call.send().await?.item.map(|item| chosen(item, names)).transpose()
}

async fn get_user(client: &Client, id: &str) -> Result<Value, Error> {
    get_item(client, "USERS_TABLE", ("userId", id), &USER).await?.ok_or_else(|| "no such user".into())
}

async fn list_products(client: &Client, limit: usize) -> Result<Value, Error> {
    let (projection, mut placeholders) = projection(&SUMMARY);
    placeholders.insert("#k".to_owned(), "shard".to_owned());
    let call = client.query().table_name(env::var("PRODUCTS_TABLE")?).index_name("byShardCreatedAt");
    let call = call.key_condition_expression("#k = :k").expression_attribute_values(":k", AttributeValue::N("0".to_owned()));
    let call = call.projection_expression(projection).set_expression_attribute_names(Some(placeholders));
    let output = call.scan_index_forward(false).limit(i32::try_from(limit + 1)?).send().await?;
    let items = output.items.unwrap_or_default();
    let more = items.len() > limit;
    let items = items.into_iter().take(limit).map(|item| chosen(item, &SUMMARY)).collect::<Result<Vec<_>, _>>()?;
    let next = items.last().filter(|_| more).map(|last| cursor(last));
    Ok(json!({ "items": items, "page": { "limit": limit, "next": next, "prev": null } }))
}

fn cursor(last: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!({ "createdAt": last["createdAt"], "productId": last["productId"] }).to_string())
}

/// Pages by offset: reads from the beginning and drops the items before the page.
async fn products_by_offset(client: &Client, limit: usize, offset: usize) -> Result<Value, Error> {
    let (projection, mut placeholders) = projection(&SUMMARY);
    placeholders.insert("#k".to_owned(), "shard".to_owned());
    let (mut seen, mut start, mut items) = (0, None, Vec::new());
    loop {
        let call = client.query().table_name(env::var("PRODUCTS_TABLE")?).index_name("byShardCreatedAt");
        let call = call.key_condition_expression("#k = :k").expression_attribute_values(":k", AttributeValue::N("0".to_owned()));
        let call = call.projection_expression(&projection).set_expression_attribute_names(Some(placeholders.clone()));
        let left = offset + limit - seen;
        let call = call.scan_index_forward(false).limit(i32::try_from(left)?).set_exclusive_start_key(start);
        let output = call.send().await?;
        for item in output.items.unwrap_or_default() {
            if seen >= offset {
                items.push(chosen(item, &SUMMARY)?);
            }
            seen += 1;
        }
        start = output.last_evaluated_key;
        if start.is_none() || seen >= offset + limit {
            return Ok(json!({ "items": items, "page": { "limit": limit, "offset": offset } }));
        }
    }
}

/// Returns all orders of a user, each with its customer and its products fetched one by one. After
/// `enrich` orders nothing more is fetched, so that a benchmark ends in reasonable time.
async fn naive_orders(client: &Client, user: &str, enrich: usize) -> Result<Value, Error> {
    let (mut orders, mut start) = (Vec::new(), None);
    loop {
        let call = client.query().table_name(env::var("ORDERS_TABLE")?).index_name("byPlacedAt");
        let call = call.key_condition_expression("userId = :u").expression_attribute_values(":u", AttributeValue::S(user.to_owned()));
        let output = call.scan_index_forward(false).set_exclusive_start_key(start).send().await?;
        for item in output.items.unwrap_or_default() {
            let order: Value = serde_dynamo::from_item(item)?;
            orders.push(order);
        }
        start = output.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    for order in orders.iter_mut().take(enrich) {
        let customer = get_item(client, "USERS_TABLE", ("userId", user), &USER).await?;
        order["customer"] = customer.into();
        for line in order["items"].as_array_mut().into_iter().flatten() {
            let id = line["productId"].as_str().unwrap_or_default().to_owned();
            line["product"] = get_item(client, "PRODUCTS_TABLE", ("productId", &id), &SUMMARY).await?.into();
        }
    }
    // Lambda accepts 6 MB. The rest is left out of the answer, but the work for it is done.
    let mut bytes = 0;
    let kept = orders
        .iter()
        .take_while(|order| {
            bytes += order.to_string().len();
            bytes < 5_000_000
        })
        .count();
    let all = orders.len();
    orders.truncate(kept);
    Ok(json!({ "count": all, "items": orders }))
}
