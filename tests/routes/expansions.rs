//! Related items, by `expand`.

use insta::assert_snapshot;
use serde_json::json;

use crate::stack::{Stack, order};

#[tokio::test]
async fn related_items_are_put_in_and_missing_ones_left_out() {
    assert_snapshot!(Stack::shop().orders("limit=2&expand=customer,items.product").await.shown_body());
}

#[tokio::test]
async fn an_expansion_adds_the_list_that_it_is_in() {
    assert_snapshot!(Stack::shop().orders("limit=1&expand=items.product&fields=orderId").await.shown_body());
}

#[tokio::test]
async fn an_expansion_keeps_the_chosen_fields_of_its_list() {
    assert_snapshot!(Stack::shop().orders("limit=1&expand=items.product&fields=orderId,items.quantity").await.shown_body());
}

#[tokio::test]
async fn expansions_cost_one_more_round() {
    let answer = Stack::shop().orders("limit=5&expand=customer,items.product").await;
    assert_eq!(answer.spent().0, 2, "page and customer at once, then the products");
}

/// Beyond a hundred distinct products the page is cut; one order that names more is read in batches.
#[tokio::test]
async fn a_page_is_cut_at_a_hundred_related_items() {
    let stack = Stack::empty();
    let line = |number: u32| json!({"productId": format!("p-{number}"), "name": "x", "quantity": 1, "unitPrice": 1});
    let with_lines = |number: u32, lines: std::ops::Range<u32>| {
        let mut order = order(number, "u-1");
        order["items"] = lines.map(line).collect();
        order
    };
    stack.put("products", (0..400).map(|number| json!({"productId": format!("p-{number}"), "name": "n"})));
    // Oldest first: 40 + 40 + 40 distinct, then 150 in one order, then a repeat of the first.
    let orders = [0..40, 40..80, 80..120, 200..350, 0..40];
    stack.put("orders", (0_u32..).zip(orders).map(|(number, lines)| with_lines(3 * number, lines)));
    let pages = stack.walk_orders("sort=oldest&expand=items.product").await;
    for order in pages.iter().flat_map(|page| page.column("items")) {
        assert!(order.as_array().unwrap().iter().all(|line| line["product"]["productId"] == line["productId"]));
    }
    assert_eq!(pages.iter().map(|page| page.ids("orderId").len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
}
