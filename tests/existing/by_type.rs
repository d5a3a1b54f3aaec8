//! One table by a bare `id`, whose items a `type` tells apart: books for everybody, and the orders
//! of a user. The indexes have the type among their attributes.

use api::*;
use serde_json::{Value, json};

use super::{ask, walk};
use crate::stack::Stack;

const TABLE: Table = Table {
    key: &["id"],
    indexes: &[
        Index {
            name: Some("byOwnerAt"),
            partition: Partition::Attributes(&["ownerId"]),
            range: &["at", "id"],
            projects: Projects::Attributes(&["type", "name"]),
        },
        Index {
            name: Some("byShelfAt"),
            partition: Partition::Attributes(&["ownerId", "shelf"]),
            range: &["at", "id"],
            projects: Projects::Attributes(&["type", "name"]),
        },
    ],
};
const SHELVES: &[&str] =
    &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
static BOOKS: Resource = Resource {
    name: "books",
    table_variable: "THINGS_TABLE",
    table: TABLE,
    fixed: &[("type", "BOOK")],
    fields: &[
        field("id", Kind::Text, "The book's id."),
        field("name", Kind::Text, "Its title."),
        field("at", Kind::Timestamp, "When it was printed."),
    ],
    summary: &["id", "name"],
    modified: Some("at"),
    policy: Policy::PUBLIC_READ_MOSTLY,
};
static ORDERS: Resource = Resource {
    name: "orders",
    fixed: &[("type", "ORDER")],
    fields: &[
        field("id", Kind::Text, "The order's id."),
        field("ownerId", Kind::Text, "Who placed it."),
        field("name", Kind::Text, "Its title."),
        field("shelf", Kind::Text, "Where it lies."),
        field("at", Kind::Timestamp, "When it was placed."),
        field("lines", Kind::Objects(LINE), "Its lines."),
    ],
    summary: &["id", "name"],
    modified: Some("at"),
    policy: Policy::PrivateRevalidate,
    ..BOOKS
};
const LINE: &[Field] = &[field("bookId", Kind::Text, "The book.")];

static GET_BOOK: Route = Route {
    name: "get-book",
    path: "/books/{id}",
    about: "Get a book.",
    resource: &BOOKS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::One,
};
static GET_ORDER: Route = Route {
    name: "get-order",
    path: "/orders/{id}",
    about: "Get an order.",
    resource: &ORDERS,
    access: Access::owner("ownerId"),
    quota: Quota::None,
    shape: Shape::One,
};
static LIST_ORDERS: Route = Route {
    name: "list-orders",
    path: "/users/{ownerId}/orders",
    about: "List a user's orders.",
    resource: &ORDERS,
    access: Access::owner("ownerId"),
    quota: Quota::None,
    shape: Shape::List(List {
        filters: &[
            Filter {
                parameter: "shelf",
                field: "shelf",
                accepts: Accepts::OneOf(SHELVES),
                about: "Where they lie.",
            },
            Filter {
                parameter: "name",
                field: "name",
                accepts: Accepts::OneOf(&["o-0", "o-1"]),
                about: "Their titles.",
            },
        ],
        sorts: &[SortOption {
            name: "oldest",
            field: "at",
            order: Order::Ascending,
            about: "the oldest first",
        }],
        expansions: &[Expansion {
            name: "lines.book",
            resource: &BOOKS,
            fields: &["id", "name"],
            place: Place::Within { join: Join { list: "lines", key: "bookId" }, member: "book" },
            about: "The book of each line.",
        }],
        limits: Limits::USUAL,
    }),
};
const RESOURCES: &[&Resource] = &[&BOOKS, &ORDERS];

const TEMPLATE: &str = "
Resources:
  ThingsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: ownerId, AttributeType: S}
        - {AttributeName: shelf, AttributeType: S}
        - {AttributeName: at, AttributeType: S}
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: byOwnerAt
          KeySchema:
            - {AttributeName: ownerId, KeyType: HASH}
            - {AttributeName: at, KeyType: RANGE}
            - {AttributeName: id, KeyType: RANGE}
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [type, name]}
        - IndexName: byShelfAt
          KeySchema:
            - {AttributeName: ownerId, KeyType: HASH}
            - {AttributeName: shelf, KeyType: HASH}
            - {AttributeName: at, KeyType: RANGE}
            - {AttributeName: id, KeyType: RANGE}
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [type, name]}
";

fn stack() -> Stack {
    let stack = Stack::over(RESOURCES, TEMPLATE);
    let row = |id: &str, kind: Value, number: usize| {
        json!({
            "id": id, "type": kind, "ownerId": "u-1", "name": id, "shelf": SHELVES[number],
            "at": format!("2024-01-01T00:00:00.{number:03}Z"),
            "lines": [{"bookId": "b-1"}, {"bookId": "o-1"}, {"bookId": "none"}, {"bookId": "bare"}],
        })
    };
    let books = (0..6).map(|number| row(&format!("b-{number}"), json!("BOOK"), 2 * number));
    let orders = (0..6).map(|number| row(&format!("o-{number}"), json!("ORDER"), 2 * number + 1));
    let mut bare = row("bare", json!("BOOK"), 15);
    bare.as_object_mut().unwrap().remove("type");
    let others = [row("none", json!(7), 16), bare];
    stack.put("things", books.chain(orders).chain(others));
    stack
}

#[test]
fn the_declarations_have_no_mistake() {
    assert_eq!(mistakes(RESOURCES, &[&GET_BOOK, &GET_ORDER, &LIST_ORDERS]), Vec::<String>::new());
}

#[tokio::test]
async fn an_item_of_another_resource_is_not_found() {
    let stack = stack();
    for (id, status) in [("b-1", 200), ("o-1", 404), ("none", 404), ("bare", 404), ("x", 404)] {
        let book = ask(&stack, &GET_BOOK, &[("id", id)], "", Value::Null).await;
        assert_eq!(book.status, status, "{id}: {}", book.body);
        assert_eq!(book.body.contains(r#""name""#), status == 200, "{id}: {}", book.body);
        // The type is compared without being shown, whatever fields are.
        let name = ask(&stack, &GET_BOOK, &[("id", id)], "fields=name", Value::Null).await;
        assert_eq!(name.status, status, "{id}: {}", name.body);
    }
    let caller = json!({"sub": "u-1"});
    for (id, status) in [("o-1", 200), ("b-1", 404), ("bare", 404)] {
        let order = ask(&stack, &GET_ORDER, &[("id", id)], "", caller.clone()).await;
        assert_eq!(order.status, status, "{id}: {}", order.body);
    }
    let stranger = ask(&stack, &GET_ORDER, &[("id", "o-1")], "", json!({"sub": "u-2"})).await;
    assert_eq!(stranger.status, 404, "{}", stranger.body);
}

#[tokio::test]
async fn an_item_of_another_resource_is_not_expanded() {
    let stack = stack();
    let caller = json!({"sub": "u-1"});
    let orders: Vec<_> = (0..6).map(|number| format!("o-{number}")).collect();
    let path = [("ownerId", "me")];
    for limit in [1, 2, 100] {
        let query = format!("limit={limit}");
        assert_eq!(walk(&stack, &LIST_ORDERS, &path, &query, &caller, "id").await, orders);
    }
    let query = "limit=2&expand=lines.book&fields=lines";
    let page = ask(&stack, &LIST_ORDERS, &path, query, caller.clone()).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let lines = json!([
        {"bookId": "b-1", "book": {"id": "b-1", "name": "b-1"}}, {"bookId": "o-1"}, {"bookId": "none"}, {"bookId": "bare"}
    ]);
    assert_eq!(page.column("lines"), [lines.clone(), lines]);
}

/// A list is merged from 16 partitions at most, and no index could have the shelf as a filter.
#[tokio::test]
async fn filters_with_too_many_values_are_named() {
    let stack = stack();
    let ask = async |query: &str| {
        ask(&stack, &LIST_ORDERS, &[("ownerId", "me")], query, json!({"sub": "u-1"})).await
    };
    let (most, repeated) = (SHELVES[..16].join(","), ["b"; 200].join(","));
    for (shelves, expected) in [(most.as_str(), 6), (&repeated, 1), ("b", 1), ("b,d", 2), ("a", 0)]
    {
        let page = ask(&format!("shelf={shelves}")).await;
        assert_eq!(page.status, 200, "{shelves}: {}", page.body);
        assert_eq!(page.ids("id").len(), expected, "{shelves}");
    }
    // The names are no partitions.
    for names in ["", "&name=o-0,o-1"] {
        let page = ask(&format!("shelf={}{names}", SHELVES.join(","))).await;
        assert_eq!(page.status, 400, "{}", page.body);
        let detail = "has too many values: the filters make more than 16 combinations";
        assert_eq!(page.json()["errors"], json!([{"parameter": "shelf", "detail": detail}]));
    }
    assert_eq!(ask("shelf=b,d&name=o-0,o-1").await.ids("id"), ["o-0", "o-1"]);
}
