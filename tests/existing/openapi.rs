//! The published contract of the bundles over existing tables: it has every rule that the functions
//! apply, and their answers have the shape that it says.

use api::{Resource, Route, Shape};
use dev::{bundle::Bundle, openapi, sample::Sample};
use serde_json::{Value, json};

use super::{classic, event, single_table, tenant};
use crate::stack::{Stack, send_to};

/// Returns the contract of a bundle, with examples of these rows.
fn document(
    resources: &'static [&'static Resource],
    routes: &'static [&'static Route],
    template: &str,
    rows: &[(&str, Value)],
) -> Value {
    let bundle = Bundle::of(resources, routes, template).unwrap();
    let lines = |resource: &Resource| {
        let of = rows.iter().filter(|(name, _)| *name == resource.name);
        of.map(|(_, row)| row.to_string()).collect()
    };
    let sample = Sample::of(resources, lines);
    assert_eq!(openapi::without_example(&bundle, &sample), Vec::<String>::new());
    serde_json::from_str(&openapi::text(&bundle, &sample)).unwrap()
}

fn of_single_table() -> Value {
    document(
        single_table::RESOURCES,
        single_table::ROUTES,
        single_table::TEMPLATE,
        &[
            ("users", json!({"PK": "USER#u-1", "SK": "PROFILE", "name": "Ann"})),
            (
                "orders",
                json!({"PK": "USER#u-1", "SK": "ORDER#o-1", "status": "paid", "productId": "p-1", "approvals": [{"userId": "u-1"}]}),
            ),
            ("lines", json!({"PK": "ORDER#o-1", "SK": "LINE#1", "quantity": 2})),
        ],
    )
}

fn of_classic() -> Value {
    let reading = json!({
        "deviceId": "d-1", "readingId": "r-1", "site": "oslo", "batch": "b-1", "level": 3, "takenAt": 1_704_067_200, "seenAt": "1704067200001",
        "valid": true
    });
    document(classic::RESOURCES, classic::ROUTES, classic::TEMPLATE, &[("readings", reading)])
}

fn of_tenant() -> Value {
    document(
        tenant::RESOURCES,
        tenant::ROUTES,
        tenant::TEMPLATE,
        &[
            ("projects", json!({"tenantId": "t-1", "projectId": "p-1", "title": "A"})),
            ("tasks", json!({"taskId": "k-1", "tenantId": "t-1", "projectId": "p-1"})),
        ],
    )
}

/// Follows a reference.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Returns a parameter of a route.
fn parameter<'a>(document: &'a Value, path: &str, name: &str) -> &'a Value {
    let all = document["paths"][path]["parameters"].as_array().unwrap();
    let all = all.iter().map(|parameter| resolved(document, parameter));
    all.into_iter()
        .find(|parameter| parameter["name"] == name)
        .unwrap_or_else(|| panic!("{path}: {name}"))
}

#[test]
fn every_path_parameter_has_its_own_description() {
    let (single, classic, tenant) = (of_single_table(), of_classic(), of_tenant());
    for (document, path, name, about) in [
        (
            &single,
            "/users/{userId}/orders/{orderId}",
            "userId",
            "Who placed it; `me` stands for the caller.",
        ),
        (&single, "/users/{userId}/orders/{orderId}", "orderId", "The order's id."),
        (&single, "/orders/{orderId}/lines", "orderId", "The order."),
        (&single, "/states/{status}/orders", "status", "Its state."),
        (&classic, "/devices/{deviceId}/readings/{readingId}", "deviceId", "The device."),
        (&classic, "/devices/{deviceId}/readings/{readingId}", "readingId", "The reading."),
        (
            &tenant,
            "/tenants/{tenantId}/projects/{projectId}/tasks",
            "tenantId",
            "The tenant; `me` stands for the caller.",
        ),
        (&tenant, "/tenants/{tenantId}/projects/{projectId}/tasks", "projectId", "The project."),
        (&tenant, "/projects/{projectId}", "projectId", "The project's id."),
    ] {
        let parameter = parameter(document, path, name);
        let found = (&parameter["in"], &parameter["required"], &parameter["description"]);
        assert_eq!(found, (&json!("path"), &json!(true), &json!(about)), "{path}: {name}");
        assert_eq!(parameter["schema"]["maxLength"], api::MAX_TEXT_CHARS, "{path}: {name}");
    }
}

/// OpenAPI 3.1, section 4.8.30: the scopes or roles that are required, also of a bearer token.
#[test]
fn the_security_of_a_route_names_its_scope() {
    let (single, classic, tenant) = (of_single_table(), of_classic(), of_tenant());
    for (document, path, security) in [
        (&single, "/orders/{orderId}/lines", json!([{"token": ["orders:read"]}])),
        (&single, "/states/{status}/orders", json!([{"token": ["orders:read"]}])),
        (&single, "/users/{userId}/orders", json!([{"token": []}])),
        (&classic, "/sites/{site}/readings", json!([])),
        (&tenant, "/all-tasks/{taskId}", json!([{"token": []}])),
        (&tenant, "/projects", json!([{"token": []}])),
    ] {
        let operations = &document["paths"][path];
        assert_eq!(
            (&operations["get"]["security"], &operations["head"]["security"]),
            (&security, &security),
            "{path}"
        );
        let statuses = operations["get"]["responses"].as_object().unwrap();
        assert_eq!(statuses.contains_key("401"), security != json!([]), "{path}");
        assert_eq!(statuses.contains_key("403"), security != json!([]), "{path}");
    }
    let about = |path: &str| single["paths"][path]["get"]["description"].as_str().unwrap();
    assert!(about("/orders/{orderId}/lines").contains("The token needs the scope `orders:read`."));
    assert!(about("/users/{userId}/orders").contains("has the scope `lean-routes/read:any`"));
}

#[test]
fn filters_and_sorts_have_their_values_and_bounds() {
    let (single, classic) = (of_single_table(), of_classic());
    let site = "/sites/{site}/readings";
    let schema = |name: &str| parameter(&classic, site, name)["schema"].clone();
    assert_eq!(
        schema("sort"),
        json!({"type": "string", "enum": ["newest", "oldest"], "default": "newest"})
    );
    assert_eq!(
        schema("from"),
        json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
    );
    assert_eq!(
        (schema("level")["type"].clone(), schema("level")["format"].clone()),
        (json!("string"), json!("decimal"))
    );
    let valid = parameter(&classic, "/devices/{deviceId}/readings", "valid");
    assert_eq!(valid["schema"], json!({"type": "boolean"}));
    let since = parameter(&single, "/users/{userId}/orders", "since");
    assert_eq!(
        (&since["schema"]["minLength"], &since["schema"]["maxLength"]),
        (&json!(1), &json!(128))
    );
    let expand = parameter(&single, "/users/{userId}/orders", "expand");
    assert_eq!(expand["schema"]["items"]["enum"], json!(["customer", "approvals.user"]));
    assert_eq!((&expand["style"], &expand["explode"]), (&json!("form"), &json!(false)));
    // A list without sorts or expansions has no such parameters.
    let names = |path: &str| classic["paths"][path]["parameters"].to_string();
    for absent in ["\"sort\"", "\"expand\""] {
        assert!(!names("/batches/{batch}/readings").contains(absent), "{absent}");
    }
}

/// Two lists of one resource, with other limits and expansions each.
#[test]
fn each_list_has_its_own_limit_and_page() {
    let (single, classic) = (of_single_table(), of_classic());
    let page = |document: &Value, path: &str| {
        let content = &document["paths"][path]["get"]["responses"]["200"]["content"];
        resolved(document, &content["application/json"]["schema"])["properties"].clone()
    };
    for (document, path, usual, most) in [
        (&single, "/users/{userId}/orders", 25, 100),
        (&single, "/states/{status}/orders", 10, 50),
        (&classic, "/batches/{batch}/readings", 25, 100),
    ] {
        let limit = &parameter(document, path, "limit")["schema"];
        assert_eq!((&limit["default"], &limit["maximum"]), (&json!(usual), &json!(most)), "{path}");
        assert_eq!(page(document, path)["items"]["maxItems"], most, "{path}");
    }
    assert!(page(&single, "/users/{userId}/orders")["customer"].is_object());
    assert!(page(&single, "/states/{status}/orders")["customer"].is_null());
    let shown = &single["paths"]["/users/{userId}/orders"]["get"]["responses"]["200"]["content"];
    let expanded = &shown["application/json"]["examples"]["expanded"]["value"];
    let user = json!({"userId": "u-1", "name": "Ann"});
    assert_eq!(expanded["customer"], user);
    assert_eq!(expanded["items"][0]["approvals"], json!([{"userId": "u-1", "user": user}]));
}

/// Checks an answer against a schema: its members are declared, and a list is not longer than it
/// may be.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let declared = &schema["properties"][name];
                assert!(declared.is_object(), "{at}: {name} is not in the contract");
                fits(document, declared, value, &format!("{at}.{name}"));
            }
        }
        Value::Array(values) => {
            let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
            assert!(values.len() as u64 <= most, "{at}: {} values", values.len());
            values.iter().for_each(|value| fits(document, &schema["items"], value, at));
        }
        Value::String(_) => assert!(schema.to_string().contains("\"string\""), "{at}: a text"),
        Value::Number(_) => assert!(
            ["integer", "number"].iter().any(|kind| schema["type"] == *kind),
            "{at}: a number"
        ),
        Value::Bool(_) => assert_eq!(schema["type"], "boolean", "{at}"),
        Value::Null => assert!(schema["type"].to_string().contains("null"), "{at}: null"),
    }
}

#[tokio::test]
async fn answers_have_the_shape_that_the_contract_says() {
    let claims = json!({"sub": "u-1", "tenant": "t-1", "scope": "orders:read"});
    let values = [
        ("userId", "u-1"),
        ("orderId", "o-00"),
        ("status", "paid"),
        ("site", "oslo"),
        ("deviceId", "d-0"),
        ("readingId", "r-00"),
        ("batch", "b-1"),
        ("tenantId", "t-1"),
        ("projectId", "p-01"),
        ("taskId", "k-01"),
    ];
    let bundles: [(Stack, &[&Route], Value); 3] = [
        (single_table::stack(), single_table::ROUTES, of_single_table()),
        (classic::stack(), classic::ROUTES, of_classic()),
        (tenant::stack(), tenant::ROUTES, of_tenant()),
    ];
    for (stack, routes, document) in &bundles {
        for route in *routes {
            let path: Vec<_> = values
                .into_iter()
                .filter(|(name, _)| route.parameters().any(|other| other == *name))
                .collect();
            let fields: Vec<_> = route.resource.fields.iter().map(|field| field.name).collect();
            let mut queries = vec![String::new(), format!("fields={}", fields.join(","))];
            if let Shape::List(list) = &route.shape {
                queries.push(format!("limit={}", list.limits.greatest()));
            }
            let expansions: Vec<_> =
                route.expansions().iter().map(|expansion| expansion.name).collect();
            if !expansions.is_empty() {
                queries.push(format!("expand={}", expansions.join(",")));
            }
            for query in queries {
                let event = event(route, &path, &query, claims.clone());
                let answer = send_to(&stack.app(route), &event.to_string()).await;
                let at = format!("{} {query}", route.path);
                assert_eq!(answer.status, 200, "{at}: {}", answer.body);
                let content = &document["paths"][route.path]["get"]["responses"]["200"]["content"];
                fits(document, &content["application/json"]["schema"], &answer.json(), &at);
            }
        }
    }
}
