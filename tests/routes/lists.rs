//! Lists: filters, sorts, fields, pages.

use insta::assert_snapshot;
use serde_json::json;

use crate::stack::Stack;

#[tokio::test]
async fn a_page_has_items_links_and_a_policy() {
    assert_snapshot!(Stack::shop().products("limit=2").await.shown());
}

#[tokio::test]
async fn a_page_of_a_caller_s_own_list_is_private() {
    assert_snapshot!(Stack::shop().orders("limit=2").await.shown());
}

#[tokio::test]
async fn a_list_without_parameters_is_the_newest_25() {
    let answer = Stack::shop().products("").await;
    assert_eq!(answer.ids("productId").len(), 25);
    assert!(answer.ids("createdAt").is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn the_last_page_has_no_next() {
    let answer = Stack::shop().orders("limit=100").await;
    assert_eq!((answer.ids("orderId").len(), answer.next(), answer.prev()), (40, None, None));
}

#[tokio::test]
async fn chosen_fields_come_in_the_model_s_order() {
    assert_snapshot!(
        Stack::shop()
            .products("category=laptops&sort=price_asc&fields=price,name&limit=3")
            .await
            .shown_body()
    );
}

#[tokio::test]
async fn a_partition_s_items_are_sorted() {
    let answer = Stack::shop().products("category=laptops&sort=price_asc&limit=100").await;
    assert_eq!(answer.column("category"), vec![json!("laptops"); 20]);
    assert!(answer.column("price").is_sorted_by(|a, b| a.as_f64() <= b.as_f64()));
}

#[tokio::test]
async fn a_range_holds_both_of_its_ends() {
    let answer =
        Stack::shop().products("minPrice=2.99&maxPrice=4.99&sort=price_desc&limit=100").await;
    let mut prices = answer.column("price");
    assert!(prices.is_sorted_by(|a, b| a.as_f64() >= b.as_f64()));
    prices.dedup();
    assert_eq!(prices, [json!(4.99), json!(3.99), json!(2.99)]);
    let one = Stack::shop().products("minPrice=2.99&maxPrice=2.990&limit=100").await;
    assert_eq!(one.column("price"), vec![json!(2.99); 9], "both ends are the same number");
}

#[tokio::test]
async fn filters_that_are_no_key_conditions_hold_together() {
    let answer =
        Stack::shop().products("brand=Rare&inStock=true&limit=100&fields=brand,stock").await;
    assert!(!answer.column("brand").is_empty());
    assert!(answer.column("brand").iter().all(|brand| brand == "Rare"));
    assert!(answer.column("stock").iter().all(|stock| stock.as_u64() > Some(0)));
}

#[tokio::test]
async fn what_is_out_of_stock_has_a_count_of_zero() {
    assert_eq!(
        Stack::shop().products("inStock=false&limit=100").await.column("stock"),
        vec![json!(0); 15]
    );
}

#[tokio::test]
async fn fields_outside_the_index_are_read_from_the_table_in_the_index_s_order() {
    let answer = Stack::shop()
        .products(
            "sort=price_asc&fields=productId,price,description,dimensions(width,depth)&limit=20",
        )
        .await;
    assert!(answer.column("price").is_sorted_by(|a, b| a.as_f64() <= b.as_f64()));
    assert_eq!(answer.json()["items"][0]["dimensions"], json!({"width": 1.5, "depth": 3}));
    assert_eq!(answer.spent().0, 2, "a Query and a BatchGetItem");
}

#[tokio::test]
async fn an_enumerated_filter_gives_one_state() {
    let paid = Stack::shop().orders("status=paid&sort=oldest&limit=100").await;
    assert_eq!(paid.column("status"), vec![json!("paid"); 8]);
    assert!(paid.ids("placedAt").is_sorted());
}

/// Several values are read side by side, in one round, and merged in the order of the list.
#[tokio::test]
async fn several_states_are_one_list() {
    let stack = Stack::shop();
    let pages = stack.walk_orders("status=paid,shipped&limit=3").await;
    let mut seen = Vec::new();
    for page in &pages {
        assert_eq!(page.spent().0, 1, "{}", page.body);
        assert!(page.column("status").iter().all(|status| status == "paid" || status == "shipped"));
        seen.extend(page.ids("placedAt").into_iter().zip(page.ids("orderId")));
    }
    assert_eq!(seen.len(), 16);
    assert!(seen.iter().rev().is_sorted(), "{seen:?}");
}

#[tokio::test]
async fn the_values_of_a_filter_are_one_set_for_cursors() {
    let stack = Stack::shop();
    let [one, other] = [
        stack.orders("status=shipped,paid,paid&limit=3").await,
        stack.orders("status=paid,shipped&limit=3").await,
    ];
    assert_eq!(one.ids("orderId"), other.ids("orderId"));
    assert_eq!(one.next(), other.next());
}

#[tokio::test]
async fn a_range_of_times_begins_with_its_start() {
    let stack = Stack::shop();
    let all = stack.orders("limit=100").await.ids("placedAt");
    let found = stack
        .orders("from=2024-01-03T00:00:00Z&to=2024-01-05T00:00:00Z&limit=100")
        .await
        .ids("placedAt");
    let within = all
        .into_iter()
        .filter(|time| ("2024-01-03".."2024-01-05").contains(&time.as_str()))
        .collect::<Vec<_>>();
    assert_eq!(found, within);
    assert!(!found.is_empty());
}

#[tokio::test]
async fn a_range_of_times_ends_a_millisecond_before_its_end() {
    let stack = Stack::shop();
    let at = stack.orders("limit=100").await.ids("placedAt").swap_remove(5);
    let after = at.replace(".000Z", ".001Z");
    assert!(stack.orders(&format!("from={at}&to={after}")).await.ids("placedAt").contains(&at));
    assert!(!stack.orders(&format!("to={at}&limit=100")).await.ids("placedAt").contains(&at));
}

#[tokio::test]
async fn an_empty_range_is_an_empty_list_without_a_read() {
    let stack = Stack::shop();
    for range in [
        "from=2024-01-02T00:00:00Z&to=2024-01-02T00:00:00Z",
        "from=2024-01-02&to=2024-01-02",
        "status=paid&from=2024-01-02&to=2024-01-02",
    ] {
        let answer = stack.orders(range).await;
        assert_eq!(
            (answer.status, answer.column("orderId"), answer.next(), answer.spent()),
            (200, vec![], None, (0, 0.0)),
            "{range}"
        );
    }
}

#[tokio::test]
async fn a_page_by_number_costs_a_count_and_a_page() {
    let stack = Stack::shop();
    let whole = stack.products("limit=60").await.ids("productId");
    let third = stack.products("page=3&limit=10").await;
    assert_eq!(third.ids("productId"), whole[20..30]);
    assert_eq!(third.spent().0, 2);
}

#[tokio::test]
async fn a_page_by_number_links_to_its_neighbours_by_cursor() {
    let stack = Stack::shop();
    let whole = stack.products("limit=60").await.ids("productId");
    let third = stack.products("page=3&limit=10").await;
    let link = third.header("link").unwrap();
    assert!(link.starts_with("<?limit=10>; rel=\"first\", <?limit=10&cursor="), "{link}");
    let fourth = stack.products(&format!("limit=10&cursor={}", third.next().unwrap())).await;
    assert_eq!(fourth.ids("productId"), whole[30..40]);
    let second = stack.products(&format!("limit=10&cursor={}", third.prev().unwrap())).await;
    assert_eq!(second.ids("productId"), whole[10..20]);
}

/// All headers of a page fit into the 4 KB that a proxy may have for them, whatever the query that
/// its links repeat.
#[tokio::test]
async fn a_long_query_makes_no_headers_that_a_proxy_refuses() {
    let stack = Stack::shop();
    let cursor = stack.products("limit=5").await.next().unwrap();
    for names in [1, 50, 80, 100, 150, 200, 250, 300, 350] {
        let fields = vec!["productId"; names].join(",");
        let answer = stack.products(&format!("limit=5&fields={fields}&cursor={cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.next().is_some() && answer.prev().is_some());
        let bytes = answer.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
        assert!(bytes.sum::<usize>() <= 4_096, "{names} names: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_walk_gives_each_order_once_and_back() {
    let stack = Stack::shop();
    for query in [
        "",
        "sort=oldest",
        "status=paid",
        "from=2024-01-03T00:00:00Z",
        "to=2024-01-06T00:00:00Z",
        "from=2024-01-02T00:00:00Z&to=2024-01-04T10:00:00Z&sort=oldest",
    ] {
        let whole = stack.orders(&format!("{query}&limit=100")).await.ids("orderId");
        for limit in [1, 3, 100] {
            let query = format!("{query}&limit={limit}");
            let pages = stack.walk_orders(&query).await;
            let seen: Vec<_> = pages.iter().flat_map(|page| page.ids("orderId")).collect();
            assert_eq!(seen, whole, "{query}");
            let mut back = Vec::new();
            let mut prev = pages.iter().rev().find_map(|page| page.prev());
            while let Some(cursor) = prev {
                let page = stack.orders(&format!("{query}&cursor={cursor}")).await;
                back.splice(0..0, page.ids("orderId"));
                prev = page.prev();
            }
            assert_eq!(back, whole[..back.len()], "{query}, back");
        }
    }
}
