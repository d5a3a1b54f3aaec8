//! A whole bundle in this process: a template's tables over DynamoDB's wire protocol, and the
//! handlers behind real events.

use std::{
    io::Read,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use api::{App, Client, Config, Partition, Resource, Route};
use aws_sdk_dynamodb::config::{Builder, Credentials, Region, retry::RetryPartition};
use base64::{Engine, engine::general_purpose::STANDARD};
use dev::{
    database::{self, Local},
    template::Template,
};
use lambda_http::Body;
use serde_json::{Value, json};
use shop::{RESOURCES, ROUTES};

use crate::{
    contract::Checkout,
    direct::item,
    proxy::{Fault, Proxy},
    undisturbed::{ATTEMPT, PATIENCE, note},
};

/// The clients that were made. The SDK's budget for retries is shared by all clients of a process
/// unless each has its own partition.
static CLIENTS: AtomicU32 = AtomicU32::new(0);

/// The local database and the environment of the functions.
pub(crate) struct Stack {
    pub(crate) local: Local,
    pub(crate) shards: u16,
    region: &'static str,
    resources: &'static [&'static Resource],
    read_any_scope: String,
    /// True if a proxy makes calls fail, so that a failure can be the right answer.
    fails: bool,
    /// More environment variables, such as quotas.
    pub(crate) variables: Vec<(&'static str, String)>,
}

fn tier_of_all() -> Option<String> {
    std::env::var("CACHE_URL_OF_TESTS").ok()
}

/// A response as a caller gets it, after decompression.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) compressed: bool,
}

impl Stack {
    /// Makes the fixture bundle's tables, empty, with one shard.
    pub(crate) fn empty() -> Self {
        Self::over(RESOURCES, shop::TEMPLATE)
    }

    /// Makes the tables of a template, empty. A resource with the variable `ORDER_LINES_TABLE` is
    /// in the table `OrderLinesTable`.
    pub(crate) fn over(resources: &'static [&'static Resource], template: &str) -> Self {
        let local = database::start(&Template::parse(template).unwrap()).unwrap();
        Self::of(local, resources, "lean-routes/users:read".into())
    }

    /// If the environment has `CACHE_URL_OF_TESTS`, the functions have that cache tier, so that any
    /// test can run over one. Each stack then has a region of its own, so that none finds what
    /// another has stored.
    fn of(local: Local, resources: &'static [&'static Resource], read_any_scope: String) -> Self {
        let (mut region, mut variables) = ("eu-central-1", Vec::new());
        if let Some(url) = tier_of_all() {
            let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
            region = format!("test-{}-{number}", std::process::id()).leak();
            variables.push(("CACHE_URL", url));
        }
        Self { local, shards: 1, region, resources, read_any_scope, fails: false, variables }
    }

    /// Makes a bundle's tables, with the rows of its samples.
    pub(crate) fn with_samples(bundle: &Checkout) -> Self {
        let local = database::start(&bundle.template).unwrap();
        let stack = Self::of(local, bundle.resources, bundle.read_any_scope());
        for resource in bundle.resources {
            let sharded = resource.table.indexes.iter().find_map(|index| match index.partition {
                Partition::Shards(name) => Some(name),
                Partition::Attributes(_) => None,
            });
            let rows = bundle.samples(resource).into_iter().map(|mut row| {
                if let Some(name) = sharded {
                    row[name] = json!(0);
                }
                row
            });
            stack.put(resource.name, rows);
        }
        stack
    }

    /// Makes a small shop: 60 products in two categories, two users, 40 orders of the first. Every
    /// hidden value begins with `sentinel-`.
    pub(crate) fn shop() -> Self {
        let stack = Self::empty();
        stack.put("products", (0..60).map(product));
        stack.put("users", (1..=2).map(user));
        stack.put("orders", (0..40).map(|number| order(number, "u-1")));
        stack
    }

    /// Puts a proxy before the database, which does to each call what `script` says.
    pub(crate) fn behind(&mut self, script: &[Fault]) -> Proxy {
        let proxy = Proxy::before(&self.local.url, script);
        self.local.url.clone_from(&proxy.url);
        self.fails = true;
        proxy
    }

    pub(crate) fn put(&self, table: &str, items: impl Iterator<Item = Value>) {
        let items = items.map(|json| item(&json)).collect();
        self.local.db.0.import_items(table, items, dynoxide::ImportOptions::default()).unwrap();
    }

    /// Returns an environment variable, as `cargo dev up` sets it.
    fn variable(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.variables.iter().find(|(other, _)| *other == name) {
            return Some(value.clone());
        }
        let shards = self.shards.to_string();
        let value = match name {
            "CURSOR_SECRET" => "a secret for tests, of more than 32 characters",
            "READ_ANY_SCOPE" => &self.read_any_scope,
            "CATALOG_SHARDS" => &shards,
            "SERVER_TIMING" => "full",
            table => {
                self.resources.iter().find(|resource| resource.table_variable == table)?;
                return Some(table.strip_suffix("_TABLE")?.to_lowercase().replace('_', "-"));
            }
        };
        Some(value.to_owned())
    }

    /// Gives callers, services or addresses (`CALLER_LIMIT`, …) a quota, such as `600;w=60`.
    pub(crate) fn with_quota(mut self, variable: &'static str, quota: &str) -> Self {
        self.variables.push((variable, quota.to_owned()));
        self.variables.push(("LIMITS_TABLE", "limits".to_owned()));
        self
    }

    /// Makes a client with connections of its own.
    pub(crate) fn client(&self) -> Client {
        self.client_of(&self.local.url)
    }

    pub(crate) fn client_of(&self, url: &str) -> Client {
        self.client_in(self.region, url)
    }

    pub(crate) fn client_in(&self, region: &'static str, url: &str) -> Client {
        let config = Builder::new()
            .region(Region::from_static(region))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .endpoint_url(url)
            .retry_partition(RetryPartition::new(format!(
                "test {}",
                CLIENTS.fetch_add(1, Ordering::Relaxed)
            )));
        Client::new(config)
    }

    /// Makes the function of a route.
    pub(crate) fn app(&self, route: &'static Route) -> App {
        self.app_over(route, self.client())
    }

    pub(crate) fn app_over(&self, route: &'static Route, client: Client) -> App {
        App::new(self.config(route), client)
    }

    /// Returns the configuration of a route's function.
    pub(crate) fn config(&self, route: &'static Route) -> Config {
        Config::read(route, |name| self.variable(name)).unwrap()
    }

    /// Sends an event to the function that the route key names.
    pub(crate) async fn send(&self, event: &Value) -> Answer {
        let (_, path) = event["routeKey"].as_str().unwrap().split_once(' ').unwrap();
        let route = ROUTES
            .iter()
            .find(|route| route.path == path)
            .unwrap_or_else(|| panic!("no route {path}"));
        let (app, event) = (self.app(route), event.to_string());
        if self.fails { send_once(&app, &event).await } else { send_to(&app, &event).await }
    }

    pub(crate) async fn products(&self, query: &str) -> Answer {
        self.send(&event("/v1/products", None, query, None, &[])).await
    }

    pub(crate) async fn orders(&self, query: &str) -> Answer {
        self.send(&event("/v1/users/{userId}/orders", Some("u-1"), query, Some("u-1"), &[])).await
    }

    /// Walks a user's orders to the end; returns the pages.
    pub(crate) async fn walk_orders(&self, query: &str) -> Vec<Answer> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.orders(&format!("{query}{cursor}")).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let next = page.next();
            pages.push(page);
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    }

    pub(crate) async fn user(&self, query: &str) -> Answer {
        self.send(&event("/v1/users/{userId}", Some("u-1"), query, Some("u-1"), &[])).await
    }
}

/// Sends an event to an app whose calls do not fail, and parses the response. If the machine was
/// too busy to answer in time, the event is sent again.
pub(crate) async fn send_to(app: &App, event: &str) -> Answer {
    let began = Instant::now();
    loop {
        let sent = Instant::now();
        let answer = send_once(app, event).await;
        let late = matches!(answer.status, 503 | 504) && sent.elapsed() >= ATTEMPT;
        if !late || began.elapsed() > PATIENCE {
            return answer;
        }
    }
}

/// Sends an event to an app, as the Lambda runtime does, and parses the response.
pub(crate) async fn send_once(app: &App, event: &str) -> Answer {
    sent(app, event, "r-1", Duration::from_secs(5)).await.0
}

/// Sends an event with this id, for which Lambda has this time left. Returns the response and the
/// log line.
pub(crate) async fn sent(app: &App, event: &str, id: &str, left: Duration) -> (Answer, Value) {
    let sent = Instant::now();
    let (response, log) = app.respond(event, id, left, &api::answer).await;
    note(sent.elapsed());
    assert!(!log.contains("sentinel"));
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["status"], response.status_code);
    // Converted to JSON and back, as for API Gateway.
    let wire: Value = serde_json::to_value(&response).unwrap();
    assert!(wire["headers"].is_object() && wire["statusCode"].is_number());
    let compressed = response.headers.contains_key("content-encoding");
    let body = match response.body.unwrap() {
        Body::Empty => String::new(),
        Body::Text(text) if response.is_base64_encoded => {
            let bytes = STANDARD.decode(text).unwrap();
            let mut body = String::new();
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut body).unwrap();
            body
        }
        Body::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let status = u16::try_from(response.status_code).unwrap();
    (Answer { status, headers, body, compressed }, line)
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Returns the status, the headers and the body, for a snapshot. `Server-Timing` is left out.
    pub(crate) fn shown(&self) -> String {
        let is_shown =
            |name: &str| name != "server-timing" && (name != "age" || tier_of_all().is_none());
        let mut headers: Vec<_> = self.headers.iter().filter(|(name, _)| is_shown(name)).collect();
        headers.sort();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let tag = self.header("etag").filter(|_| self.next().or(self.prev()).is_some());
        let text = self.without_cursors(format!("{}\n{headers}\n{}", self.status, self.body));
        tag.map_or(text.clone(), |tag| text.replace(tag, "TAG"))
    }

    /// Returns the body, for a snapshot.
    pub(crate) fn shown_body(&self) -> String {
        self.without_cursors(self.body.clone())
    }

    /// Writes an item on each line, and names in place of cursors: they, and the tags of bodies
    /// with them, change from day to day.
    fn without_cursors(&self, text: String) -> String {
        let cursors = [("NEXT", self.cursor("next")), ("PREV", self.cursor("prev"))];
        let name = |text: String, (name, cursor): (&str, Option<String>)| {
            cursor.map_or(text.clone(), |cursor| text.replace(&cursor, name))
        };
        cursors.into_iter().fold(text, name).replace("},{", "},\n{")
    }

    fn cursor(&self, name: &str) -> Option<String> {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        json["page"][name].as_str().map(str::to_owned)
    }

    /// Returns the values of one member of all items of a page.
    pub(crate) fn column(&self, name: &str) -> Vec<Value> {
        self.json()["items"].as_array().unwrap().iter().map(|item| item[name].clone()).collect()
    }

    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        self.column(name).iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn next(&self) -> Option<String> {
        self.cursor("next")
    }

    pub(crate) fn prev(&self) -> Option<String> {
        self.cursor("prev")
    }

    /// Returns rounds and units, from `Server-Timing`.
    pub(crate) fn spent(&self) -> (u32, f64) {
        let timing = self.header("server-timing").unwrap();
        let part =
            |name: &str| timing.split(name).nth(1).unwrap().split([' ', '"']).next().unwrap();
        (part("rounds=").parse().unwrap(), part("units=").parse().unwrap())
    }

    /// Returns the parameters that a 400 names.
    pub(crate) fn wrong(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let json = self.json();
        assert_eq!(json["type"], "/problems/invalid-parameter", "{json}");
        json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["parameter"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Makes an API Gateway event, payload 2.0.
pub(crate) fn event(
    path: &str,
    id: Option<&str>,
    query: &str,
    sub: Option<&str>,
    headers: &[(&str, &str)],
) -> Value {
    let parameter = path.split(['{', '}']).nth(1).unwrap_or_default();
    let raw_path = path.replace(&format!("{{{parameter}}}"), id.unwrap_or(""));
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("GET {path}"),
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "example.org", "domainPrefix": "api",
            "http": {"method": "GET", "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": format!("GET {path}"), "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1_773_342_238_000_u64
        },
        "isBase64Encoded": false
    });
    if let Some(id) = id {
        event["pathParameters"] = json!({parameter: id});
    }
    if let Some(sub) = sub {
        event["requestContext"]["authorizer"] =
            json!({"jwt": {"claims": {"sub": sub, "iss": "issuer"}, "scopes": null}});
    }
    event
}

pub(crate) fn product(number: u32) -> Value {
    let mut product = json!({
        "productId": format!("p-{number}"), "sku": format!("SKU-{number}"), "name": format!("Product \"{number}\" é"),
        "description": "words ".repeat(30), "category": if number.is_multiple_of(3) { "laptops" } else { "beauty" },
        "price": f64::from(number % 7) + 0.99, "currency": "EUR", "rating": f64::from(number % 50) / 10.0, "stock": number % 4,
        "tags": ["a", "b"], "weight": 5, "dimensions": {"width": 1.5, "height": 2, "depth": 3, "secret": "sentinel-dimension"},
        "images": ["https://example.org/1.webp"], "thumbnail": "https://example.org/t.webp",
        "createdAt": format!("2024-01-{:02}T00:00:00.000Z", 1 + number % 28), "updatedAt": "2024-02-01T12:30:15.000Z",
        "shard": 0, "costPrice": "sentinel-cost"
    });
    if !number.is_multiple_of(5) {
        product["brand"] = json!(if number % 20 == 1 { "Rare" } else { "Common" });
    }
    product
}

fn user(number: u32) -> Value {
    json!({
        "userId": format!("u-{number}"), "name": format!("User {number}"), "email": format!("u{number}@example.org"), "phone": "+49 30 1",
        "profilePicture": "https://example.org/u.webp", "birthDate": "1990-1-2",
        "address": {"street": "1 Main St", "city": "Oslo", "state": "O", "postalCode": "0150", "country": "Norway",
                    "coordinates": {"lat": 59.91, "lng": 10.75}, "doorCode": "sentinel-door"},
        "company": {"name": "Acme", "department": "R&D", "title": "Dr"}, "createdAt": "2024-01-01T00:00:00.000Z",
        "updatedAt": "2024-03-01T00:00:00.000Z", "passwordHash": "sentinel-password", "ssn": "sentinel-ssn"
    })
}

/// Makes an order of two lines; the product of the second does not exist.
pub(crate) fn order(number: u32, user: &str) -> Value {
    let status = ["pending", "paid", "shipped", "delivered", "cancelled"][number as usize % 5];
    json!({
        "orderId": format!("o-{number:04}"), "userId": user, "status": status,
        "placedAt": format!("2024-01-{:02}T{:02}:00:00.000Z", 1 + number / 3 % 28, number % 24),
        "updatedAt": "2024-05-01T00:00:00.000Z", "currency": "EUR", "total": 19.98, "itemCount": 2,
        "items": [
            {"productId": format!("p-{}", number % 60), "name": "Then", "quantity": 2, "unitPrice": 9.99, "margin": "sentinel-margin"},
            {"productId": "p-gone", "name": "Gone", "quantity": 1, "unitPrice": 1}
        ],
        "paymentToken": "sentinel-payment"
    })
}
