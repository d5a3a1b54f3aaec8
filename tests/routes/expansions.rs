//! Related items, by `expand`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::ORDERS;
use crate::{
    stack::{Stack, event, order, send_once},
    undisturbed::undisturbed,
};

#[tokio::test]
async fn related_items_are_put_in_and_missing_ones_left_out() {
    assert_snapshot!(
        Stack::shop().orders("limit=2&expand=customer,items.product").await.shown_body()
    );
}

#[tokio::test]
async fn an_expansion_adds_the_list_that_it_is_in() {
    assert_snapshot!(
        Stack::shop().orders("limit=1&expand=items.product&fields=orderId").await.shown_body()
    );
}

#[tokio::test]
async fn an_expansion_keeps_the_chosen_fields_of_its_list() {
    assert_snapshot!(
        Stack::shop()
            .orders("limit=1&expand=items.product&fields=orderId,items.quantity")
            .await
            .shown_body()
    );
}

#[tokio::test]
async fn expansions_cost_one_more_round() {
    let answer = Stack::shop().orders("limit=5&expand=customer,items.product").await;
    assert_eq!(answer.spent().0, 2, "page and customer at once, then the products");
}

/// Returns an order of `u-1` with a line for each of these products.
fn with_lines(number: u32, products: std::ops::Range<u32>) -> Value {
    let line = |number: u32| json!({"productId": format!("p-{number}"), "name": "x", "quantity": 1, "unitPrice": 1});
    let mut order = order(number, "u-1");
    order["items"] = products.map(line).collect();
    order
}

/// Beyond a hundred distinct products the page is cut; one order that names more is read in
/// batches.
#[tokio::test]
async fn a_page_is_cut_at_a_hundred_related_items() {
    let stack = Stack::empty();
    stack.put(
        "products",
        (0..400).map(|number| json!({"productId": format!("p-{number}"), "name": "n"})),
    );
    // Oldest first: 40 + 40 + 40 distinct, then 150 in one order, then a repeat of the first.
    let orders = [0..40, 40..80, 80..120, 200..350, 0..40];
    stack.put("orders", (0_u32..).zip(orders).map(|(number, lines)| with_lines(3 * number, lines)));
    let pages = stack.walk_orders("sort=oldest&expand=items.product").await;
    for order in pages.iter().flat_map(|page| page.column("items")) {
        assert!(
            order
                .as_array()
                .unwrap()
                .iter()
                .all(|line| line["product"]["productId"] == line["productId"])
        );
    }
    assert_eq!(
        pages.iter().map(|page| page.ids("orderId").len()).collect::<Vec<_>>(),
        [2, 1, 1, 1]
    );
}

/// A hundred keys are one BatchGetItem, so a page that names exactly as many is whole.
#[tokio::test]
async fn a_page_of_exactly_a_hundred_related_items_is_one_page_and_one_fetch() {
    let mut stack = Stack::empty();
    stack.put(
        "products",
        (0..200).map(|number| json!({"productId": format!("p-{number}"), "name": "n"})),
    );
    let proxy = stack.behind(&[]);
    let query = "sort=oldest&limit=3&expand=items.product";
    for (second, orders) in [(50..99, 2), (50..100, 2), (50..101, 1)] {
        stack.put("orders", [with_lines(0, 0..50), with_lines(3, second)].into_iter());
        undisturbed(async || {
            let app = stack.app(&shop::LIST_USER_ORDERS);
            let ask = async || {
                let event = event(ORDERS, Some("u-1"), query, Some("u-1"), &[]).to_string();
                send_once(&app, &event).await
            };
            // After the first fetch the client knows how large the items are.
            ask().await;
            proxy.calls();
            let page = ask().await;
            assert_eq!(page.ids("orderId").len(), orders, "{}", page.body);
            assert_eq!(proxy.calls(), ["query", "batchgetitem"]);
        })
        .await;
    }
}

/// `fields` reaches into expansions, and the plan reads just those fields of the related items.
#[tokio::test]
async fn fields_of_related_items_are_chosen_as_those_of_the_item() {
    let stack = Stack::shop();
    let first = async |query: &str| {
        let answer = stack.orders(&format!("sort=oldest&limit=1&{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.json()
    };
    for expand in ["expand=customer,items.product&", ""] {
        let json = first(&format!(
            "{expand}fields=orderId,customer(name),items(quantity,product(name,price))"
        ))
        .await;
        let product = json!({"name": "Product \"0\" é", "price": 0.99});
        let lines = json!([{"quantity": 2, "product": product}, {"quantity": 1}]);
        assert_eq!(json["items"], json!([{"orderId": "o-0000", "items": lines}]), "{expand}");
        assert_eq!(json["customer"], json!({"name": "User 1"}), "{expand}");
    }
    let json = first("fields=items.product.price").await;
    assert_eq!(json["items"], json!([{"items": [{"product": {"price": 0.99}}, {}]}]));
    assert!(json.get("customer").is_none());
    let json = first("fields=customer.name").await;
    assert_eq!(
        (json["items"].clone(), json["customer"].clone()),
        (json!([{}]), json!({"name": "User 1"}))
    );
    // All of the lines is not their expansion.
    let json = first("fields=items").await;
    assert!(
        json["items"][0]["items"][0].get("product").is_none()
            && json["items"][0]["items"][0]["quantity"] == 2
    );
    let json = first("fields=items&expand=items.product").await;
    assert_eq!(json["items"][0]["items"][0]["product"]["productId"], "p-0");
    // All of an item's fields, one by one, with the expansions: they were named.
    let summary = "productId,name,category,brand,price,currency,rating,stock,thumbnail,createdAt";
    let lines = format!("items(productId,name,quantity,unitPrice,product({summary}))");
    let json = first(&format!("fields={lines}")).await;
    assert_eq!(json["items"][0]["items"][0]["product"]["name"], "Product \"0\" é");
    let all = "orderId,userId,status,placedAt,updatedAt,currency,total,itemCount,customer(userId,name,email)";
    let json = first(&format!("fields={all},{lines}")).await;
    assert_eq!(json["customer"]["email"], "u1@example.org");
    assert_eq!(json["items"][0]["items"][0]["product"]["price"], 0.99);
    assert_eq!(json["items"][0]["items"][0]["quantity"], 2);
    // What an expansion does not show cannot be chosen.
    for hidden in [
        "customer(phone)",
        "items(product(description))",
        "items(product(costPrice))",
        "customer(passwordHash)",
        "product(name)",
    ] {
        assert_eq!(stack.orders(&format!("fields={hidden}")).await.wrong(), ["fields"], "{hidden}");
    }
}
