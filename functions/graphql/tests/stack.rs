//! The fixture bundle's functions and the endpoint over it, in this process.

use std::{
    io::Read,
    sync::LazyLock,
    time::{Duration, Instant},
};

use api::{App, Client, Config, Interface, Partition, Route};
use aws_sdk_dynamodb::config::{Builder, Credentials, Region, retry::RetryPartition};
use base64::{Engine, engine::general_purpose::STANDARD};
use dev::{
    bundle::Bundle,
    database::{self, Local},
    template::Template,
};
use dynoxide::AttributeValue;
use graphql::{Endpoint, Options, PATHS};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use serde_json::{Value, json};

/// A user with many orders, and one with none.
pub(crate) const CALLER: &str = "u-1";
pub(crate) const OTHER: &str = "u-2";

/// The database that the tests share; none of them writes, but for quotas of callers of their own.
pub(crate) static SHARED: LazyLock<Stack> = LazyLock::new(Stack::new);

/// The database, and the functions of the bundle.
pub(crate) struct Stack {
    local: Local,
}

/// A response as a caller gets it, after decompression.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) log: Value,
}

impl Stack {
    /// Makes the tables with the sample rows.
    fn new() -> Self {
        let local = database::start(&Template::parse(shop::TEMPLATE).unwrap()).unwrap();
        let stack = Self { local };
        let in_a_shard = |mut product: Value| {
            product["shard"] = 0.into();
            product
        };
        stack.put("products", (1..=400).map(shop::sample::product).map(in_a_shard));
        stack.put("users", (1..=9).map(shop::sample::user));
        stack.put("orders", (1..=600).map(shop::sample::order));
        stack
    }

    fn put(&self, table: &str, rows: impl Iterator<Item = Value>) {
        let items = rows.map(|row| match attribute(&row) {
            AttributeValue::M(item) => item,
            other => panic!("{other:?}"),
        });
        let options = dynoxide::ImportOptions::default();
        self.local.db.0.import_items(table, items.collect(), options).unwrap();
    }

    fn client(&self) -> Client {
        Self::client_of(&self.local.url)
    }

    fn client_of(url: &str) -> Client {
        let config = Builder::new()
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .endpoint_url(url)
            // The budget for retries is shared by all clients of a process otherwise.
            .retry_partition(RetryPartition::new(url.to_owned()));
        Client::new(config)
    }

    fn config(route: &'static Route, quota: Option<&str>) -> Config {
        let variable = |name: &str| {
            let value = match name {
                "CURSOR_SECRET" => "a secret for tests, of more than 32 characters",
                "READ_ANY_SCOPE" => "read:any",
                "SERVER_TIMING" => "full",
                "CALLER_LIMIT" => quota?,
                "LIMITS_TABLE" => "limits",
                "CATALOG_SHARDS" => "1",
                table => {
                    return Some(table.strip_suffix("_TABLE")?.to_lowercase().replace('_', "-"));
                }
            };
            Some(value.to_owned())
        };
        Config::read(route, variable).unwrap()
    }

    fn server_over(client: &Client, options: Options, quota: Option<&str>) -> Server {
        server(shop::ROUTES, client, options, quota)
    }

    /// Makes the functions of the routes, which share a client: it remembers the sizes of items.
    pub(crate) fn apps(&self) -> Vec<App> {
        let client = self.client();
        let app = |route: &&'static Route| App::new(Self::config(route, None), client.clone());
        shop::ROUTES.iter().map(app).collect()
    }

    /// Makes the endpoint with these options.
    pub(crate) fn server(&self, options: Options) -> Server {
        Self::server_over(&self.client(), options, None)
    }

    /// Makes the endpoint with a quota for each caller, such as `5;w=3600`.
    pub(crate) fn with_quota(&self, quota: &str) -> Server {
        Self::server_over(&self.client(), USUAL, Some(quota))
    }

    /// Makes the endpoint for any document, without introspection.
    pub(crate) fn usual(&self) -> Server {
        self.server(USUAL)
    }

    /// Makes the endpoint with a database that cannot be reached.
    pub(crate) fn cut_off() -> Server {
        Self::server_over(&Self::client_of("http://127.0.0.1:1"), USUAL, None)
    }
}

fn server(
    routes: &[&'static Route],
    client: &Client,
    options: Options,
    quota: Option<&str>,
) -> Server {
    let configs = routes.iter().map(|route| Stack::config(route, quota)).collect();
    let interface = Interface::new("graphql", PATHS, configs, client).unwrap();
    Server { interface, endpoint: Endpoint::new(routes, options).unwrap(), _local: None }
}

/// Makes the endpoint of the bundle that stands in this repository, with the rows of its samples.
pub(crate) fn of_workspace() -> Server {
    let bundle = Bundle::of_workspace().unwrap();
    let local = database::start(&bundle.template).unwrap();
    let stack = Stack { local };
    for resource in bundle.resources {
        let path = format!("../../samples/{}.jsonl", resource.name);
        let text = std::fs::read_to_string(path).unwrap();
        let sharded = resource.table.indexes.iter().find_map(|index| match index.partition {
            Partition::Shards(name) => Some(name),
            Partition::Attributes(_) => None,
        });
        let rows = text.lines().map(|line| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            if let Some(name) = sharded {
                row[name] = 0.into();
            }
            row
        });
        stack.put(&bundle.find(resource.name).unwrap().table.local_name, rows);
    }
    let server = server(bundle.routes, &stack.client(), USUAL, None);
    Server { _local: Some(stack), ..server }
}

pub(crate) const USUAL: Options = Options { introspection: false, any_document: true };

fn attribute(json: &Value) -> AttributeValue {
    match json {
        Value::Null => AttributeValue::NULL(true),
        Value::Bool(flag) => AttributeValue::BOOL(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(list) => AttributeValue::L(list.iter().map(attribute).collect()),
        Value::Object(map) => AttributeValue::M(
            map.iter().map(|(name, json)| (name.clone(), attribute(json))).collect(),
        ),
    }
}

/// The endpoint's function.
pub(crate) struct Server {
    interface: Interface,
    endpoint: Endpoint,
    /// A database of its own.
    _local: Option<Stack>,
}

/// A request to the endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    event: Value,
}

impl Sent {
    fn to(method: &str, path: &str) -> Self {
        let event = json!({
            "version": "2.0",
            "routeKey": format!("{method} {path}"),
            "rawPath": path,
            "rawQueryString": "",
            "headers": {},
            "requestContext": {
                "domainName": "example.org",
                "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}
            },
            "isBase64Encoded": false
        });
        Self { event }
    }

    /// A query by POST of the caller.
    pub(crate) fn post(query: &str) -> Self {
        Self::body(&json!({"query": query}).to_string()).by(CALLER)
    }

    /// A body by POST to the path for everybody.
    pub(crate) fn body(body: &str) -> Self {
        let mut sent =
            Self::to("POST", "/v1/graphql/public").header("content-type", "application/json");
        sent.event["body"] = body.into();
        sent
    }

    /// A query by GET to the path for everybody.
    pub(crate) fn get(query_string: &str) -> Self {
        let mut sent = Self::to("GET", "/v1/graphql/public");
        sent.event["rawQueryString"] = query_string.into();
        sent
    }

    /// The same request of a caller, to the path for callers.
    pub(crate) fn by(mut self, sub: &str) -> Self {
        self = self.path("/v1/graphql");
        self.event["requestContext"]["authorizer"] =
            json!({"jwt": {"claims": {"sub": sub}, "scopes": null}});
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        let method = self.event["requestContext"]["http"]["method"].as_str().unwrap();
        self.event["routeKey"] = format!("{method} {path}").into();
        self.event["rawPath"] = path.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    pub(crate) fn with(mut self, member: &str, value: Value) -> Self {
        self.event[member] = value;
        self
    }
}

impl Server {
    pub(crate) async fn send(&self, sent: &Sent) -> Answer {
        self.send_event(&sent.event.to_string()).await
    }

    /// Sends an event as it is.
    pub(crate) async fn send_event(&self, event: &str) -> Answer {
        let handler = async |interface: &Interface, call: &api::Call| {
            self.endpoint.answer(interface, call).await
        };
        undisturbed(async || {
            self.interface.respond(event, "r-1", Duration::from_secs(5), &handler).await
        })
        .await
    }

    /// Sends a query of the caller, and returns its data. There is no error.
    pub(crate) async fn data(&self, query: &str) -> Value {
        let answer = self.send(&Sent::post(query)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json()["errors"].is_null(), "{}", answer.body);
        answer.json()["data"].clone()
    }
}

/// Sends a GET to the function of a route.
pub(crate) async fn rest(app: &App, user: Option<&str>, query: &str) -> Answer {
    let path = app.route().path;
    let mut sent = Sent::to("GET", path).by(CALLER).path(path);
    sent.event["rawQueryString"] = query.into();
    if let Some(user) = user {
        sent.event["pathParameters"] = json!({"userId": user});
    }
    let event = sent.event.to_string();
    undisturbed(async || app.respond(&event, "r-1", Duration::from_secs(5), &api::answer).await)
        .await
}

/// Sends a request, and sends it again if the machine was too busy to answer in time.
async fn undisturbed(send: impl AsyncFn() -> (ApiGatewayV2httpResponse, String)) -> Answer {
    let began = Instant::now();
    loop {
        let sent = Instant::now();
        let (response, log) = send().await;
        let answer = Answer::of(response, &log);
        let late =
            matches!(answer.status, 503 | 504) && sent.elapsed() > Duration::from_millis(900);
        if !late || began.elapsed() > Duration::from_secs(60) {
            return answer;
        }
    }
}

impl Answer {
    fn of(response: ApiGatewayV2httpResponse, log: &str) -> Self {
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
        assert!(!body.contains("sentinel") && !log.contains("sentinel"), "{body}");
        let headers = response.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let status = u16::try_from(response.status_code).unwrap();
        Self { status, headers, body, log: serde_json::from_str(log).unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Returns rounds and read units.
    pub(crate) fn spent(&self) -> (u64, f64) {
        (self.log["rounds"].as_u64().unwrap(), self.log["readUnits"].as_f64().unwrap())
    }

    /// Returns the codes of the errors.
    pub(crate) fn codes(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let code = |error: &Value| error["extensions"]["code"].as_str().unwrap().to_owned();
        errors.iter().map(code).collect()
    }
}
