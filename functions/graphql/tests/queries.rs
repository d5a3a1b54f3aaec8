//! The answers to queries.

use serde_json::{Value, json};

use crate::stack::{CALLER, OTHER, SHARED, Sent, Stack};

#[tokio::test]
async fn a_page_has_the_picked_fields_in_the_order_of_the_document() {
    let server = SHARED.usual();
    let query = r#"{ cheap: products(category: "laptops", sort: price_asc, first: 2) {
        pageInfo { hasNextPage hasPreviousPage } edges { node { price title: name dimensions { width } __typename } } __typename } }"#;
    let answer = server.send(&Sent::post(query)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.starts_with(r#"{"data":{"cheap":{"pageInfo":{"hasNextPage":true,"hasPreviousPage":false},"edges":[{"node":{"price":"#),
        "{}",
        answer.body
    );
    let data = &answer.json()["data"]["cheap"];
    assert_eq!(data["edges"].as_array().unwrap().len(), 2);
    assert_eq!(data["__typename"], "ProductsConnection");
    assert_eq!(data["edges"][0]["node"]["__typename"], "Product");
    assert!(data["edges"][0]["node"]["title"].is_string(), "{data}");
    assert_eq!(answer.log["items"], 2);
}

#[tokio::test]
async fn a_user_and_the_orders_are_read_side_by_side() {
    let server = SHARED.usual();
    let query = r#"{ user { name address { city } orders(first: 3, status: [paid, shipped]) {
        customer { email } edges { node { orderId status items { quantity product { name } } } } } } }"#;
    let answer = server.send(&Sent::post(query)).await;
    let user = &answer.json()["data"]["user"];
    assert!(user["name"].is_string() && user["address"]["city"].is_string(), "{}", answer.body);
    assert!(user["orders"]["customer"]["email"].is_string(), "{}", answer.body);
    for edge in user["orders"]["edges"].as_array().unwrap() {
        assert!(["paid", "shipped"].contains(&edge["node"]["status"].as_str().unwrap()));
    }
    // The user, the customer and two Queries at once, then the products.
    assert_eq!(answer.spent().0, 2, "{}", answer.log);
}

#[tokio::test]
async fn an_item_of_which_only_lists_are_picked_is_not_read() {
    let server = SHARED.usual();
    let answer = server
        .send(&Sent::post("{ user { orders(first: 1) { edges { node { orderId } } } } }"))
        .await;
    let alone =
        server.send(&Sent::post("{ userOrders(first: 1) { edges { node { orderId } } } }")).await;
    assert_eq!(answer.json()["data"]["user"]["orders"], alone.json()["data"]["userOrders"]);
    assert_eq!(answer.spent(), alone.spent());
}

#[tokio::test]
async fn fragments_directives_and_variables_are_those_of_graphql() {
    let server = SHARED.usual();
    let body = json!({
        "query": "query A($n: Int = 2, $yes: Boolean!, $sort: ProductSort) { products(first: $n, sort: $sort) { edges { ...E } } x: __typename @skip(if: $yes) }
            fragment E on ProductsEdge { node { ...N ... on Product { sku @include(if: $yes) } } }
            fragment N on Product { name @skip(if: $yes) price }
            query B { __typename }",
        "operationName": "A", "variables": {"yes": true, "sort": "price_desc"}
    });
    let answer = server.send(&Sent::body(&body.to_string()).by(CALLER)).await;
    let edges = answer.json()["data"]["products"]["edges"].clone();
    assert_eq!(edges.as_array().unwrap().len(), 2, "{}", answer.body);
    let names: Vec<_> = edges[0]["node"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["price", "sku"]);
}

#[tokio::test]
async fn fields_of_one_key_are_merged() {
    let server = SHARED.usual();
    let data = server
        .data("{ products(first: 1) { edges { node { name } } } products(first: 1) { edges { node { price } cursor } } }")
        .await;
    let edge = &data["products"]["edges"][0];
    assert!(edge["node"]["name"].is_string() && edge["node"]["price"].is_number(), "{data}");
    assert!(edge["cursor"].is_string());
}

#[tokio::test]
async fn a_connection_is_walked_both_ways() {
    let server = SHARED.usual();
    let page = async |arguments: &str| {
        let query = format!(
            "{{ userOrders({arguments}) {{ edges {{ cursor node {{ orderId }} }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }} }}"
        );
        server.data(&query).await["userOrders"].clone()
    };
    let ids = |page: &Value| -> Vec<String> {
        let edges = page["edges"].as_array().unwrap().iter();
        edges.map(|edge| edge["node"]["orderId"].as_str().unwrap().to_owned()).collect()
    };
    let (mut forward, mut after) = (Vec::new(), String::new());
    let last = loop {
        let page = page(&format!("first: 7{after}")).await;
        forward.extend(ids(&page));
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_empty());
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(page["pageInfo"]["startCursor"], edges[0]["cursor"]);
        assert_eq!(page["pageInfo"]["endCursor"], edges[edges.len() - 1]["cursor"]);
        if page["pageInfo"]["hasNextPage"] == false {
            break page;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    };
    assert!(forward.len() > 50);
    let mut backward = ids(&last);
    let mut before = last["pageInfo"]["startCursor"].to_string();
    loop {
        let page = page(&format!("last: 5, before: {before}")).await;
        backward.splice(0..0, ids(&page));
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = page["pageInfo"]["startCursor"].to_string();
    }
    assert_eq!(backward, forward);
    // From the end, without a cursor.
    let end = page("last: 4").await;
    assert_eq!(ids(&end), forward[forward.len() - 4..]);
    assert_eq!(end["pageInfo"]["hasNextPage"], false);
    // Any row's cursor goes on from there.
    let middle = &last["edges"][0]["cursor"];
    let number = forward.iter().position(|id| *id == ids(&last)[0]).unwrap();
    assert_eq!(ids(&page(&format!("first: 100, after: {middle}")).await), forward[number + 1..]);
}

#[tokio::test]
async fn everybody_gets_what_is_public_and_an_error_for_the_rest() {
    let server = SHARED.usual();
    let query = r#"{"query":"{ products(first: 1) { edges { node { name } } } user { name orders { edges { node { total } } } } }"}"#;
    let answer = server.send(&Sent::body(query)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json()["data"]["products"]["edges"][0]["node"]["name"].is_string());
    assert!(answer.json()["data"]["user"].is_null());
    assert_eq!(
        answer.json()["errors"],
        json!([{"message": "Authentication required", "locations": [{"line": 1, "column": 50}], "path": ["user"],
            "extensions": {"code": "UNAUTHENTICATED"}}])
    );
    // A caller's claims count for nothing on this path.
    let claims =
        json!({"http": {"method": "POST"}, "authorizer": {"jwt": {"claims": {"sub": CALLER}}}});
    let with_claims = server.send(&Sent::body(query).with("requestContext", claims)).await;
    assert_eq!(with_claims.body, answer.body);
}

#[tokio::test]
async fn rights_are_those_of_the_routes() {
    let server = SHARED.usual();
    for (query, codes) in [
        (format!(r#"{{ user(userId: "{OTHER}") {{ name }} }}"#), vec!["FORBIDDEN"]),
        (
            format!(r#"{{ userOrders(userId: "{OTHER}") {{ edges {{ cursor }} }} }}"#),
            vec!["FORBIDDEN"],
        ),
        (
            format!(r#"{{ user(userId: "{OTHER}") {{ orders {{ edges {{ cursor }} }} }} }}"#),
            vec!["FORBIDDEN"],
        ),
        (format!(r#"{{ user(userId: "{CALLER}") {{ name }} }}"#), vec![]),
    ] {
        let answer = server.send(&Sent::post(&query)).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (200, codes.into_iter().map(str::to_owned).collect()),
            "{query}"
        );
    }
    let nobody = server.send(&Sent::post("{ user { name } }").by("u-nobody")).await;
    assert_eq!(nobody.codes(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn errors_of_arguments_are_the_routes_and_name_the_argument() {
    let server = SHARED.usual();
    let errors = async |query: &str| {
        let answer = server.send(&Sent::post(query)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["errors"].clone()
    };
    let errors_of_two =
        errors("{ x: products(first: 101, minPrice: \"x\") { edges { cursor } } }").await;
    assert_eq!(errors_of_two[0]["path"], json!(["x"]));
    let messages: Vec<_> = errors_of_two
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "minPrice: must be a decimal number such as `10` or `9.99` (at most 20 digits before the point and 18 after it)",
            "first: must be a whole number from 1 to 100"
        ]
    );
    let both = errors("{ products(first: 1, last: 1) { edges { cursor } } }").await;
    assert_eq!(both[0]["extensions"]["argument"], "first");
    let cursor = errors("{ products(after: \"x\") { edges { cursor } } }").await;
    assert_eq!(cursor[0]["extensions"]["code"], "INVALID_CURSOR");
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_if_nothing_came() {
    let server = Stack::cut_off();
    let answer = server.send(&Sent::post("{ products { edges { cursor } } }")).await;
    assert!([503, 504].contains(&answer.status), "{}", answer.body);
    let again = (answer.status == 503).then_some("1");
    assert_eq!(answer.header("retry-after"), again);
    assert!(answer.json()["data"].is_null() && answer.codes().len() == 1, "{}", answer.body);
    let some = server.send(&Sent::post("{ __typename products { edges { cursor } } }")).await;
    assert_eq!(some.status, 200, "{}", some.body);
    assert_eq!(some.json()["data"], json!({"__typename": "Query", "products": null}));
    assert_eq!(some.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_quota_counts_each_read_as_its_route_does() {
    // Two units: a page of up to 50 items and an expansion.
    let expensive = "{ userOrders(first: 50) { customer { name } edges { cursor } } }";
    // A write that a busy machine takes too long for admits the request without counting it. The
    // windows of another length have other counters.
    let mut lengths = 3_600..3_660;
    let (server, first) = loop {
        let length = lengths.next().expect("no write of a quota came in time");
        let server = SHARED.with_quota(&format!("4;w={length}"));
        let first = server.send(&Sent::post(expensive)).await;
        assert_eq!(first.status, 200, "{}", first.body);
        server.send(&Sent::post(expensive)).await;
        if server.send(&Sent::post(expensive)).await.status == 429 {
            break (server, first);
        }
    };
    assert!(first.header("ratelimit").is_some(), "{:?}", first.headers);
    let public = server.send(&Sent::post("{ products { edges { cursor } } }")).await;
    assert_eq!((public.status, public.header("ratelimit")), (200, None));
    let refused = server.send(&Sent::post(expensive)).await;
    assert!(refused.header("retry-after").is_some(), "{:?}", refused.headers);
    assert_eq!(refused.codes(), ["QUOTA_EXCEEDED"]);
}
