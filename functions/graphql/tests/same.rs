//! Random queries, and the requests to the routes that say the same: rows, order, cursors, errors,
//! read units and rounds are equal.
//!
//! `GRAPHQL_QUERIES=2000 cargo test --workspace --test endpoint -- same` runs more of them, and
//! `GRAPHQL_SEED` others.

use api::App;
use serde_json::{Map, Value};
use shop::random::Random;

use crate::stack::{Answer, CALLER, SHARED, Sent, Server, rest};

const USUAL_QUERIES: usize = 200;

/// One question in both languages.
struct Question {
    route: &'static str,
    /// The root field and, below it, the fields on the way to the answer of the route.
    field: &'static str,
    /// The arguments without those of the page.
    arguments: Vec<String>,
    parameters: Vec<String>,
    /// The picked fields of an item in both languages.
    picked: String,
    fields: String,
    /// The fields of the connection.
    beside: &'static str,
    limit: Option<usize>,
}

const PRODUCT: &[(&str, &str)] = &[
    ("productId", "productId"),
    ("name", "name"),
    ("price", "price"),
    ("brand", "brand"),
    ("rating", "rating"),
    ("stock", "stock"),
    ("createdAt", "createdAt"),
    ("description", "description"),
    ("tags", "tags"),
    ("dimensions { width depth }", "dimensions(width,depth)"),
    ("updatedAt", "updatedAt"),
];
/// The fields that every index of the products holds.
const COVERED: usize = 7;
const ORDER: &[(&str, &str)] = &[
    ("orderId", "orderId"),
    ("status", "status"),
    ("placedAt", "placedAt"),
    ("total", "total"),
    ("itemCount", "itemCount"),
    ("items { productId quantity unitPrice }", "items(productId,quantity,unitPrice)"),
    ("items { quantity product { name price } }", "items(quantity,product(name,price))"),
];
const USER: &[(&str, &str)] = &[
    ("userId", "userId"),
    ("name", "name"),
    ("email", "email"),
    ("address { city coordinates { lat } }", "address(city,coordinates(lat))"),
    ("company { title }", "company(title)"),
];

fn fields(random: &mut Random, of: &[(&str, &str)]) -> (String, String) {
    let mut left = of.to_vec();
    let (mut picked, mut fields) = (Vec::new(), Vec::new());
    for _ in 0..=random.below(left.len()) {
        let (one, other) = left.swap_remove(random.below(left.len()));
        picked.push(one);
        fields.push(other);
    }
    // Two selections of one list would be one field twice.
    if picked.iter().filter(|one| one.starts_with("items")).count() > 1 {
        let last = picked.iter().rposition(|one| one.starts_with("items")).unwrap();
        picked.remove(last);
        fields.remove(last);
    }
    (picked.join(" "), fields.join(","))
}

fn question(random: &mut Random) -> Question {
    let (mut arguments, mut parameters) = (Vec::new(), Vec::new());
    let mut say = |argument: String, parameter: String| {
        arguments.push(argument);
        parameters.push(parameter);
    };
    let limits = [1, 2, 3, 7, 10, 25, 40, 100, 0, 101];
    let limit = (!random.chance(4)).then(|| *random.pick(&limits));
    match random.below(5) {
        0 => {
            let (picked, fields) = fields(random, USER);
            let (route, field, beside) = ("get-user", "user", "");
            Question { route, field, arguments, parameters, picked, fields, beside, limit: None }
        }
        kind @ (1 | 2) => {
            if random.chance(2) {
                let states = random.some(&["pending", "paid", "shipped", "delivered"]);
                say(
                    format!("status: [{}]", states.join(" ")),
                    format!("status={}", states.join(",")),
                );
            }
            if random.chance(3) {
                let from = random.pick(&["2024-01-05", "2024-03-01T12:00:00Z", "2025-01-01"]);
                say(format!("from: \"{from}\""), format!("from={from}"));
            }
            if random.chance(3) {
                say("sort: oldest".into(), "sort=oldest".into());
            }
            let (picked, mut fields) = fields(random, ORDER);
            let beside = if random.chance(4) {
                fields += ",customer(name,email)";
                "customer { name email }"
            } else {
                ""
            };
            let field = if kind == 1 { "userOrders" } else { "orders" };
            let route = "list-user-orders";
            Question { route, field, arguments, parameters, picked, fields, beside, limit }
        }
        _ => {
            if random.chance(2) {
                let category = random.pick(&["laptops", "books", "beauty", "nothing"]);
                say(format!("category: \"{category}\""), format!("category={category}"));
            }
            if random.chance(3) {
                let price = random.pick(&["10", "99.5", "-1", "x"]);
                let argument = if random.chance(2) && *price != "x" {
                    (*price).to_owned()
                } else {
                    format!("\"{price}\"")
                };
                say(format!("minPrice: {argument}"), format!("minPrice={price}"));
            }
            if random.chance(4) {
                let flag = random.chance(2);
                say(format!("inStock: {flag}"), format!("inStock={flag}"));
            }
            if random.chance(2) {
                let sort = random.pick(&["newest", "oldest", "price_asc", "price_desc"]);
                say(format!("sort: {sort}"), format!("sort={sort}"));
            }
            let of = if random.chance(2) { &PRODUCT[..COVERED] } else { PRODUCT };
            let (picked, fields) = fields(random, of);
            let (route, field, beside) = ("list-products", "products", "");
            Question { route, field, arguments, parameters, picked, fields, beside, limit }
        }
    }
}

/// A page's place: after a cursor, or before one.
enum Place {
    Start,
    After(String),
    Before(String),
}

impl Question {
    fn is_list(&self) -> bool {
        self.route != "get-user"
    }

    fn graphql(&self, place: &Place) -> String {
        let Self { field, picked, beside, .. } = self;
        if !self.is_list() {
            return format!("{{ user(userId: \"{CALLER}\") {{ {picked} }} }}");
        }
        let mut arguments = self.arguments.clone();
        let count = if matches!(place, Place::Before(_)) { "last" } else { "first" };
        arguments.extend(self.limit.map(|limit| format!("{count}: {limit}")));
        match place {
            Place::Start => {}
            Place::After(cursor) => arguments.push(format!("after: \"{cursor}\"")),
            Place::Before(cursor) => arguments.push(format!("before: \"{cursor}\"")),
        }
        let arguments = match arguments.is_empty() {
            true => String::new(),
            false => format!("({})", arguments.join(", ")),
        };
        let page = format!(
            "{field}{arguments} {{ {beside} edges {{ node {{ {picked} }} cursor }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
        );
        if *field == "orders" {
            format!("{{ user {{ {page} }} }}")
        } else {
            format!("{{ {page} }}")
        }
    }

    fn rest(&self, cursor: Option<&str>) -> String {
        let mut parameters = self.parameters.clone();
        parameters.push(format!("fields={}", self.fields));
        parameters.extend(self.limit.map(|limit| format!("limit={limit}")));
        parameters.extend(cursor.map(|cursor| format!("cursor={cursor}")));
        parameters.join("&")
    }

    /// Returns the value of the field.
    fn answered(&self, answer: &Answer) -> Value {
        let data = &answer.json()["data"];
        if self.field == "orders" {
            data["user"]["orders"].clone()
        } else {
            data[self.field].clone()
        }
    }
}

/// Removes members that are null: the routes leave out what is not there.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Map<_, _> =
                members.map(|(name, value)| (name.clone(), without_null(value))).collect();
            members.into()
        }
        Value::Array(values) => values.iter().map(without_null).collect(),
        other => other.clone(),
    }
}

/// Returns true if the query is too expensive to be said in GraphQL, and is refused as such.
fn is_too_expensive(answer: &Answer) -> bool {
    answer.status == 422 && answer.codes() == ["COST_TOO_HIGH"]
}

struct Both {
    server: Server,
    apps: Vec<App>,
}

impl Both {
    /// Asks both, compares the answers, and returns the route's.
    async fn ask(&self, question: &Question, place: &Place, cursor: Option<&str>) -> Option<Value> {
        let app = self.apps.iter().find(|app| app.route().name == question.route).unwrap();
        let query = question.graphql(place);
        let graphql = self.server.send(&Sent::post(&query)).await;
        if is_too_expensive(&graphql) {
            return None;
        }
        let user = app.route().path.contains("{userId}").then_some("me");
        let parameters = question.rest(cursor);
        let rest = rest(app, user, &parameters).await;
        let shown = format!("{query}\n{parameters}\n{}\n{}", graphql.body, rest.body);
        assert_eq!(graphql.spent(), rest.spent(), "{shown}");
        assert_eq!(graphql.status, 200, "{shown}");
        if rest.status != 200 {
            let details = |json: &Value, name: &str| -> Vec<String> {
                let errors = json["errors"].as_array().unwrap().iter();
                errors.map(|error| error[name].as_str().unwrap().to_owned()).collect()
            };
            let messages = details(&graphql.json(), "message");
            let details = details(&rest.json(), "detail");
            assert_eq!(messages.len(), details.len(), "{shown}");
            for (message, detail) in messages.iter().zip(&details) {
                assert!(message.ends_with(detail), "{shown}");
            }
            return None;
        }
        assert!(graphql.json()["errors"].is_null(), "{shown}");
        let (answered, asked) = (question.answered(&graphql), rest.json());
        if !question.is_list() {
            assert_eq!(without_null(&answered), asked, "{shown}");
            return Some(asked);
        }
        let edges = answered["edges"].as_array().unwrap();
        let nodes: Vec<_> = edges.iter().map(|edge| without_null(&edge["node"])).collect();
        assert_eq!(Value::from(nodes), asked["items"], "{shown}");
        if !question.beside.is_empty() {
            assert_eq!(answered["customer"], asked["customer"], "{shown}");
        }
        let (info, page) = (&answered["pageInfo"], &asked["page"]);
        assert_eq!(info["hasNextPage"], !page["next"].is_null(), "{shown}");
        assert_eq!(info["hasPreviousPage"], !page["prev"].is_null(), "{shown}");
        let end = edges.last().map(|edge| edge["cursor"].clone()).unwrap_or_default();
        let start = edges.first().map(|edge| edge["cursor"].clone()).unwrap_or_default();
        if page["next"].is_null() {
            assert_eq!(info["endCursor"], end, "{shown}");
        } else {
            assert_eq!(info["endCursor"], page["next"], "{shown}");
        }
        if !edges.is_empty() {
            assert_eq!(info["startCursor"], start, "{shown}");
        }
        let mut asked = asked;
        asked["start"] = info["startCursor"].clone();
        Some(asked)
    }
}

#[tokio::test]
async fn a_query_is_the_requests_that_say_the_same() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let queries = variable("GRAPHQL_QUERIES").unwrap_or(USUAL_QUERIES);
    let mut random = Random(variable("GRAPHQL_SEED").unwrap_or(16) as u64);
    // Each side has one client, and both clients see the same questions in the same order.
    let both = Both { server: SHARED.usual(), apps: SHARED.apps() };
    let (mut asked, mut compared, mut walked) = (0, 0, 0);
    while asked < queries {
        let question = question(&mut random);
        asked += 1;
        let Some(first) = both.ask(&question, &Place::Start, None).await else { continue };
        compared += 1;
        let Some(next) = first["page"]["next"].as_str() else { continue };
        asked += 1;
        let second = both.ask(&question, &Place::After(next.to_owned()), Some(next)).await.unwrap();
        let (Some(prev), Some(start)) = (second["page"]["prev"].as_str(), second["start"].as_str())
        else {
            continue;
        };
        asked += 1;
        // The cursor of the first row, with `before`, is the route's `prev`.
        let back = both.ask(&question, &Place::Before(start.to_owned()), Some(prev)).await.unwrap();
        assert_eq!(back["items"], first["items"]);
        walked += 1;
    }
    println!("{asked} queries: {compared} compared from their start, {walked} walked on and back");
    assert!(compared * 3 > queries / 2 && walked * 10 > queries, "{compared} {walked}");
}
