//! An event through the real conversion into each handler, over in-process DynamoDB.

use serde_json::{Value, json};

use crate::stack::{Answer, Stack, event, order};

const USER: &str = "/v1/users/{userId}";
const ORDERS: &str = "/v1/users/{userId}/orders";

#[tokio::test]
async fn a_default_list_is_the_newest_summaries() {
    let stack = Stack::shop();
    let answer = stack.products("").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.ids("productId").len(), 25);
    let first = &answer.json()["items"][0];
    let names: Vec<_> = first.as_object().unwrap().keys().cloned().collect();
    let mut summary = vec!["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];
    summary.sort_unstable();
    assert!(names.iter().all(|name| summary.contains(&name.as_str())), "{names:?}");
    assert!(answer.body.starts_with(r#"{"items":[{"productId":"#), "members in the model's order");
    let created = answer.ids("createdAt");
    assert!(created.is_sorted_by(|a, b| a >= b));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=30, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400"));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    assert!(answer.header("etag").unwrap().starts_with("W/\""));
    assert_eq!(answer.header("last-modified"), None);
    assert_eq!(answer.json()["page"]["limit"], 25);
    assert_eq!(answer.prev(), None);
    let link = answer.header("link").unwrap();
    assert_eq!(link, format!("<?>; rel=\"first\", <?cursor={}>; rel=\"next\"", answer.next().unwrap()));
}

#[tokio::test]
async fn fields_filters_and_sort() {
    let stack = Stack::shop();
    let answer = stack.products("category=laptops&sort=price_asc&fields=name,price&limit=100").await;
    assert_eq!(answer.column("price").len(), 20);
    assert!(answer.column("price").is_sorted_by(|a, b| a.as_f64() <= b.as_f64()));
    assert!(answer.json()["items"].as_array().unwrap().iter().all(|item| item.as_object().unwrap().len() == 2));

    let answer = stack.products("minPrice=2&maxPrice=4.99&sort=price_desc&limit=100").await;
    let prices = answer.column("price");
    assert!(prices.iter().all(|price| (2.0..=4.99).contains(&price.as_f64().unwrap())) && !prices.is_empty());
    assert!(prices.is_sorted_by(|a, b| a.as_f64() >= b.as_f64()));

    let answer = stack.products("brand=Rare&inStock=true&limit=100&fields=brand,stock").await;
    assert!(answer.column("brand").iter().all(|brand| brand == "Rare") && !answer.column("brand").is_empty());
    assert!(answer.column("stock").iter().all(|stock| stock.as_u64() > Some(0)));
    let answer = stack.products("inStock=false&limit=100").await;
    assert_eq!(answer.column("stock"), vec![json!(0); 15]);

    // Outside the index: keys from the index, fields from the table, in the index's order.
    let answer = stack.products("sort=price_asc&fields=productId,price,description,dimensions(width,depth)&limit=20").await;
    assert!(answer.column("price").is_sorted_by(|a, b| a.as_f64() <= b.as_f64()));
    assert_eq!(answer.json()["items"][0]["dimensions"], json!({"width": 1.5, "depth": 3}));
    assert_eq!(answer.spent().0, 2, "a Query and a BatchGetItem");
}

#[tokio::test]
async fn a_user_reads_their_own_record() {
    let stack = Stack::shop();
    let answer = stack.user("").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["address"]["coordinates"], json!({"lat": 59.91, "lng": 10.75}));
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    assert_eq!(answer.header("last-modified"), Some("Fri, 01 Mar 2024 00:00:00 GMT"));
    assert_eq!(answer.spent().0, 1);
    let chosen = stack.user("fields=name,email,address(city,coordinates.lat),address.city").await;
    assert_eq!(chosen.body, r#"{"name":"User 1","email":"u1@example.org","address":{"city":"Oslo","coordinates":{"lat":59.91}}}"#);
    let me = stack.send(&event(USER, Some("me"), "fields=userId", Some("u-1"), &[])).await;
    assert_eq!(me.body, r#"{"userId":"u-1"}"#);
}

#[tokio::test]
async fn orders_by_time_and_status() {
    let stack = Stack::shop();
    let all = stack.orders("limit=100").await;
    assert_eq!(all.ids("orderId").len(), 40);
    assert!(all.ids("placedAt").is_sorted_by(|a, b| a >= b));
    assert!(all.json()["items"][0].get("items").is_none(), "a summary has no lines");
    let paid = stack.orders("status=paid&sort=oldest&limit=100").await;
    assert!(paid.column("status").iter().all(|status| status == "paid"));
    assert!(paid.ids("placedAt").is_sorted() && paid.ids("placedAt").len() == 8);
    let days = stack.orders("from=2024-01-03T00:00:00Z&to=2024-01-05T00:00:00Z&limit=100").await.ids("placedAt");
    assert!(!days.is_empty());
    let within = |day: &String| ("2024-01-03".."2024-01-05").contains(&day.as_str());
    assert!(days.iter().all(within));
    assert_eq!(all.ids("placedAt").iter().filter(|day| within(day)).count(), days.len());
    // `to` is exclusive to the millisecond.
    let at = &all.ids("placedAt")[5];
    assert!(stack.orders(&format!("from={at}&to={}", at.replace(".000Z", ".001Z"))).await.ids("placedAt").contains(at));
    assert!(!stack.orders(&format!("to={at}&limit=100")).await.ids("placedAt").contains(at));
}

#[tokio::test]
async fn expansions_are_read_once() {
    let stack = Stack::shop();
    let answer = stack.orders("limit=5&expand=customer,items.product").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let json = answer.json();
    assert_eq!(json["customer"], json!({"userId": "u-1", "name": "User 1", "email": "u1@example.org"}));
    for order in json["items"].as_array().unwrap() {
        assert_eq!(order["items"][0]["product"]["productId"], order["items"][0]["productId"]);
        assert!(order["items"][0]["product"].get("description").is_none(), "the product's summary");
        assert!(order["items"][1].get("product").is_none(), "a vanished product is left out");
    }
    assert_eq!(answer.spent().0, 2, "page and customer at once, then the products");
    let chosen = stack.orders("limit=2&expand=items.product&fields=orderId,items.quantity").await.json();
    let line = &chosen["items"][0]["items"][0];
    assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), ["quantity", "product"]);
}

#[tokio::test]
async fn nobody_reads_for_another_and_nobody_learns_who_exists() {
    let stack = Stack::shop();
    for path in [USER, ORDERS] {
        for query in ["", "fields=nonsense&limit=0&cursor=x"] {
            let other = stack.send(&event(path, Some("u-2"), query, Some("u-1"), &[])).await;
            let missing = stack.send(&event(path, Some("u-99"), query, Some("u-1"), &[])).await;
            assert_eq!((other.status, missing.status), (403, 403));
            assert_eq!(other.body, missing.body);
            let nobody = stack.send(&event(path, Some("u-1"), query, None, &[])).await;
            assert_eq!(nobody.status, 401);
            assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
            assert_eq!(nobody.header("cache-control"), Some("no-store"));
            // A deployable build ignores a token in the header: only the authorizer's claims count.
            let token = format!("Bearer {}", dev::token::token("u-1", None));
            let local = stack.send(&event(path, Some("u-1"), query, None, &[("authorization", &token)])).await;
            assert_eq!(local.status, 401);
        }
        let mut any = event(path, Some("u-2"), "", Some("u-1"), &[]);
        any["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = json!("openid lean-routes/users:read");
        assert_eq!(stack.send(&any).await.status, 200);
    }
    let mut any = event(USER, Some("u-99"), "", Some("u-1"), &[]);
    any["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = json!("[lean-routes/users:read]");
    assert_eq!(stack.send(&any).await.status, 404);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let stack = Stack::shop();
    let answer = stack.products("categry=x&limit=0&sort=best&minPrice=ten&fields=nmae,costPrice&page=1&page=2&inStock=yes").await;
    let mut wrong = answer.wrong();
    wrong.sort();
    assert_eq!(wrong, ["categry", "fields", "fields", "inStock", "limit", "minPrice", "page", "sort"]);
    let json = answer.json();
    let errors = json["errors"].as_array().unwrap();
    let of = |name: &str| errors.iter().find(|error| error["parameter"] == name).unwrap();
    assert_eq!(of("categry")["suggestion"], "category");
    assert!(of("sort")["detail"].as_str().unwrap().contains("price_asc"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(json["instance"], "r-1");

    assert_eq!(stack.products("minPrice=5&maxPrice=4").await.wrong(), ["maxPrice"]);
    assert_eq!(stack.products("page=41").await.wrong(), ["page"]);
    assert_eq!(stack.products("page=1&brand=x").await.wrong(), ["page"]);
    assert_eq!(stack.products("page=1&minPrice=1").await.wrong(), ["page"], "by price, but sorted by time");
    assert_eq!(stack.products("page=1&cursor=x").await.wrong(), ["page"]);
    assert_eq!(stack.orders("from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z").await.wrong(), ["to"]);
    assert_eq!(stack.orders("status=lost&expand=customer,all").await.wrong(), ["status", "expand"]);
    let near = stack.orders("status=shiped&sort=newst&expand=custmer").await.json();
    let suggestions: Vec<_> = near["errors"].as_array().unwrap().iter().map(|error| error["suggestion"].clone()).collect();
    assert_eq!(suggestions, ["shipped", "newest", "customer"]);
    assert_eq!(stack.user("limit=1").await.wrong(), ["limit"]);
    assert_eq!(stack.products(&format!("category={}", "x".repeat(129))).await.wrong(), ["category"]);
    assert_eq!(stack.products(&"x".repeat(4097)).await.status, 414);
    // A hidden field gets the same answer as one that does not exist.
    let hidden = stack.products("fields=costPrice").await.body.replace("costPrice", "X");
    assert_eq!(hidden, stack.products("fields=costPryce").await.body.replace("costPryce", "X"));
}

/// A range that begins where it ends has no item: an empty list without a read.
#[tokio::test]
async fn an_empty_range_is_an_empty_list() {
    let stack = Stack::shop();
    for range in
        ["from=2024-01-02T00:00:00Z&to=2024-01-02T00:00:00Z", "from=2024-01-02&to=2024-01-02", "status=paid&from=2024-01-02&to=2024-01-02"]
    {
        let answer = stack.orders(range).await;
        assert_eq!(
            (answer.status, answer.json()["items"].clone(), answer.next(), answer.spent()),
            (200, json!([]), None, (0, 0.0)),
            "{range}"
        );
    }
}

/// Several values of an enumerated filter are read side by side, in one round, and merged in the order of the list.
#[tokio::test]
async fn several_states_are_one_list() {
    let stack = Stack::shop();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stack.orders(&format!("status=paid,shipped&limit=3{cursor}")).await;
        assert_eq!((page.status, page.spent().0), (200, 1), "{}", page.body);
        assert!(page.column("status").iter().all(|status| status == "paid" || status == "shipped"));
        seen.extend(page.column("placedAt").into_iter().zip(page.ids("orderId")).map(|(time, id)| (time.to_string(), id)));
        match page.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 16);
    assert!(seen.iter().rev().is_sorted(), "{seen:?}");
    assert_eq!(stack.orders("status=paid,lost").await.wrong(), ["status"]);
    assert_eq!(stack.orders("status=paid,").await.wrong(), ["status"]);
    let same = [stack.orders("status=shipped,paid,paid&limit=3").await, stack.orders("status=paid,shipped&limit=3").await];
    assert_eq!(same[0].ids("orderId"), same[1].ids("orderId"));
    assert_eq!(same[0].next(), same[1].next(), "the same list has the same cursor");
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_and_then_none() {
    let stack = Stack::shop();
    for (path, id, query) in [("/v1/products", None, "limit=3"), (USER, Some("u-1"), ""), (ORDERS, Some("u-1"), "limit=3")] {
        let ask = |headers: &[(&str, &str)]| event(path, id, query, id, headers);
        let first = stack.send(&ask(&[])).await;
        let second = stack.send(&ask(&[])).await;
        assert_eq!((first.status, &first.body, first.header("etag")), (200, &second.body, second.header("etag")));
        let etag = first.header("etag").unwrap();
        let third = stack.send(&ask(&[("if-none-match", &format!("\"other\", {etag}"))])).await;
        assert_eq!((third.status, third.body.as_str()), (304, ""));
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(third.header(name), first.header(name));
        }
        assert_eq!(third.header("content-type"), None);
        let mut head = ask(&[("accept-encoding", "gzip")]);
        head["requestContext"]["http"]["method"] = json!("HEAD");
        let head = stack.send(&head).await;
        assert_eq!((head.status, head.body.as_str(), head.header("etag")), (200, "", first.header("etag")));
        assert_eq!(head.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn gzip_for_those_who_take_it() {
    let stack = Stack::shop();
    let ask = |accept| event("/v1/products", None, "", None, &[("accept-encoding", accept)]);
    let plain = stack.send(&ask("identity")).await;
    let packed = stack.send(&ask("br, gzip;q=0.8")).await;
    assert!(packed.compressed && !plain.compressed);
    assert_eq!(packed.body, plain.body);
    assert_eq!(packed.header("etag"), plain.header("etag"), "a weak tag: one for both");
    assert!(!stack.send(&ask("gzip;q=0, *")).await.compressed);
    let small = event(USER, Some("u-1"), "fields=name", Some("u-1"), &[("accept-encoding", "gzip")]);
    assert!(!stack.send(&small).await.compressed, "below 1 KiB");
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_its_caller() {
    let stack = Stack::shop();
    stack.put("orders", (0..40).map(|number| order(number, "u-2")));
    let any = |id: &str, sub: &str, query: &str| {
        let mut event = event(ORDERS, Some(id), query, Some(sub), &[]);
        event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = json!("lean-routes/users:read");
        event
    };
    let cursor = stack.send(&any("u-1", "u-1", "limit=5")).await.next().unwrap();
    let refused = |answer: &Answer| answer.status == 400 && answer.json()["type"] == "/problems/invalid-cursor";
    // Another limit and other fields: the same list.
    assert_eq!(stack.send(&any("u-1", "u-1", &format!("limit=7&fields=total&expand=customer&cursor={cursor}"))).await.status, 200);
    for (id, sub, query) in
        [("u-2", "u-1", ""), ("u-1", "u-2", ""), ("u-2", "u-2", ""), ("u-1", "u-1", "&status=paid"), ("u-1", "u-1", "&sort=oldest")]
    {
        let answer = stack.send(&any(id, sub, &format!("limit=5{query}&cursor={cursor}"))).await;
        assert!(refused(&answer), "{id} {sub} {query}: {}", answer.body);
    }
    assert!(refused(&stack.products(&format!("cursor={cursor}")).await));
    let cursor = stack.products("limit=5").await.next().unwrap();
    assert!(refused(&stack.products(&format!("category=laptops&cursor={cursor}")).await));
    assert!(refused(&stack.products(&format!("cursor={}A", &cursor[..cursor.len() - 1])).await));
    // All other errors come first, because a cursor is bound to the other parameters.
    assert_eq!(stack.products(&format!("limit=x&cursor={cursor}x")).await.wrong(), ["limit"]);
}

#[tokio::test]
async fn a_walk_through_the_handlers_gives_each_order_once_and_back() {
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
            let (mut seen, mut cursor, mut last) = (Vec::new(), String::new(), None);
            loop {
                let page = stack.orders(&format!("{query}&limit={limit}{cursor}")).await;
                assert_eq!(page.status, 200, "{}", page.body);
                seen.extend(page.ids("orderId"));
                last = page.prev().or(last);
                match page.next() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(seen, whole, "{query} limit {limit}");
            let mut back = Vec::new();
            while let Some(prev) = last.take() {
                let page = stack.orders(&format!("{query}&limit={limit}&cursor={prev}")).await;
                back.splice(0..0, page.ids("orderId"));
                last = page.prev();
            }
            assert_eq!(back, whole[..back.len()]);
        }
    }
}

#[tokio::test]
async fn pages_by_number_carry_cursors() {
    let stack = Stack::shop();
    let whole = stack.products("limit=60").await.ids("productId");
    let third = stack.products("page=3&limit=10").await;
    assert_eq!(third.ids("productId"), whole[20..30]);
    assert_eq!(third.spent().0, 2, "one count and one page");
    let link = third.header("link").unwrap().to_owned();
    assert!(link.starts_with("<?limit=10>; rel=\"first\", <?limit=10&cursor="), "{link}");
    let fourth = stack.products(&format!("limit=10&cursor={}", third.next().unwrap())).await;
    assert_eq!(fourth.ids("productId"), whole[30..40]);
    let second = stack.products(&format!("limit=10&cursor={}", third.prev().unwrap())).await;
    assert_eq!(second.ids("productId"), whole[10..20]);
}

#[tokio::test]
async fn nothing_hidden_is_ever_shown() {
    let stack = Stack::shop();
    let mut bodies = Vec::new();
    for query in ["", "fields=dimensions,productId", "limit=100&fields=dimensions,images,tags,sku,description,weight,updatedAt"] {
        bodies.push(stack.products(query).await);
    }
    bodies.push(stack.user("").await);
    for query in ["limit=100&fields=items,orderId", "expand=customer,items.product"] {
        bodies.push(stack.orders(query).await);
    }
    for answer in bodies {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.body.contains("sentinel") && !answer.body.contains("shard"), "{}", answer.body);
        let json: Value = answer.json();
        assert!(json.is_object());
    }
}

/// A handler that panics gives the app's own 500, and the next request is served.
#[tokio::test]
async fn a_panic_is_a_500_from_a_process_that_lives_on() {
    let stack = Stack::shop();
    let app = stack.app(&shop::LIST_PRODUCTS);
    let event = event("/v1/products", None, "limit=1", None, &[]).to_string();
    let left = std::time::Duration::from_secs(5);
    let panics = async |_: &api::App, _: &api::Request| -> Result<api::Reply, api::Problem> { panic!("sentinel-panic") };
    let (response, log) = app.respond(&event, "r-1", left, &panics).await;
    assert_eq!(response.status_code, 500);
    assert!(!format!("{response:?}{log}").contains("sentinel"));
    let (response, _) = app.respond(&event, "r-2", left, &api::answer).await;
    assert_eq!(response.status_code, 200);
}

/// Beyond a hundred distinct products the page is cut; one order that names more is read in batches.
#[tokio::test]
async fn expansion_cuts_the_page_at_a_hundred_products() {
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
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stack.orders(&format!("sort=oldest&expand=items.product{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for order in page.json()["items"].as_array().unwrap() {
            assert!(order["items"].as_array().unwrap().iter().all(|line| line["product"]["productId"] == line["productId"]));
        }
        pages.push(page.ids("orderId").len());
        match page.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, [2, 1, 1, 1]);
}
