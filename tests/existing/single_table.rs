//! One table for all: `PK = USER#u-1`, `SK = PROFILE` is a user, `SK = ORDER#o-1` an order of that
//! user, and `PK = ORDER#o-1`, `SK = LINE#001` a line of the order. No attribute holds an id
//! without its prefix.

use api::*;
use serde_json::{Value, json};

use super::{ask, walk};
use crate::{
    smoke::{Served, whole},
    stack::Stack,
};

const fn behind(attribute: &'static str, prefix: &'static str) -> Kind {
    Kind::Prefixed { attribute, prefix }
}

const TABLE: Table = Table {
    key: &["PK", "SK"],
    indexes: &[
        Index {
            name: None,
            partition: Partition::Attributes(&["PK"]),
            range: &["SK"],
            projects: Projects::All,
        },
        Index {
            name: Some("byStatus"),
            partition: Partition::Attributes(&["status"]),
            range: &["SK"],
            projects: Projects::All,
        },
    ],
};

static USERS: Resource = Resource {
    name: "users",
    table_variable: "APP_TABLE",
    table: Table { key: TABLE.key, indexes: &[] },
    fixed: &[("SK", "PROFILE")],
    fields: &[
        field("userId", behind("PK", "USER#"), "The user's id."),
        field("name", Kind::Text, "The name."),
    ],
    summary: &["userId", "name"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};
pub(crate) static ORDERS: Resource = Resource {
    name: "orders",
    table_variable: "APP_TABLE",
    table: TABLE,
    fixed: &[],
    fields: &[
        field("userId", behind("PK", "USER#"), "Who placed it."),
        field("orderId", behind("SK", "ORDER#"), "The order's id."),
        field("status", Kind::Text, "Its state."),
        field("productId", Kind::Text, "What was ordered."),
        field("approvals", Kind::Objects(APPROVAL), "Who approved it."),
    ],
    summary: &["userId", "orderId", "status"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};
const APPROVAL: &[Field] = &[field("userId", Kind::Text, "The user who approved the order.")];

pub(crate) static LINES: Resource = Resource {
    name: "lines",
    table_variable: "APP_TABLE",
    table: TABLE,
    fixed: &[],
    fields: &[
        field("orderId", behind("PK", "ORDER#"), "The order."),
        field("lineId", behind("SK", "LINE#"), "The line."),
        field("quantity", Kind::Integer, "How many."),
    ],
    summary: &["orderId", "lineId", "quantity"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};
const BY_ID: SortOption =
    SortOption { name: "id", field: "orderId", order: Order::Ascending, about: "by id" };
const LIST: List = List { filters: &[], sorts: &[BY_ID], expansions: &[], limits: Limits::USUAL };

static GET_USER: Route = Route {
    name: "get-user",
    path: "/users/{userId}",
    about: "Get a user.",
    resource: &USERS,
    access: Access::owner("userId"),
    quota: Quota::None,
    shape: Shape::One,
};
static GET_ORDER: Route = Route {
    name: "get-order",
    path: "/users/{userId}/orders/{orderId}",
    about: "Get an order.",
    resource: &ORDERS,
    access: Access::owner("userId"),
    quota: Quota::None,
    shape: Shape::One,
};
pub(crate) static LIST_ORDERS: Route = Route {
    name: "list-orders",
    path: "/users/{userId}/orders",
    about: "List a user's orders.",
    resource: &ORDERS,
    access: Access::owner("userId"),
    quota: Quota::None,
    shape: Shape::List(List {
        filters: &[Filter {
            parameter: "since",
            field: "orderId",
            accepts: Accepts::Prefix,
            about: "Orders whose id begins so.",
        }],
        expansions: &[
            Expansion {
                name: "customer",
                resource: &USERS,
                fields: &["userId", "name"],
                place: Place::NextToItems,
                about: "Who placed the orders.",
            },
            Expansion {
                name: "approvals.user",
                resource: &USERS,
                fields: &["userId", "name"],
                place: Place::Within {
                    join: Join { list: "approvals", key: "userId" },
                    member: "user",
                },
                about: "The user of each approval.",
            },
        ],
        ..LIST
    }),
};
pub(crate) static LIST_LINES: Route = Route {
    name: "list-lines",
    path: "/orders/{orderId}/lines",
    about: "List an order's lines.",
    resource: &LINES,
    access: Access::Scope("orders:read"),
    quota: Quota::None,
    shape: Shape::List(List {
        sorts: &[SortOption {
            name: "line",
            field: "lineId",
            order: Order::Ascending,
            about: "by line",
        }],
        ..LIST
    }),
};
/// All orders in a state, over every user: an index whose entries are orders and nothing else.
pub(crate) static LIST_BY_STATUS: Route = Route {
    name: "list-by-status",
    path: "/states/{status}/orders",
    about: "List the orders in a state.",
    resource: &ORDERS,
    access: Access::Scope("orders:read"),
    quota: Quota::None,
    shape: Shape::List(List { limits: Limits::new(10, 50), ..LIST }),
};
pub(crate) const RESOURCES: &[&Resource] = &[&USERS, &ORDERS, &LINES];
pub(crate) const ROUTES: &[&Route] =
    &[&GET_USER, &GET_ORDER, &LIST_ORDERS, &LIST_LINES, &LIST_BY_STATUS];
const _: () = check(RESOURCES, ROUTES);

pub(crate) const TEMPLATE: &str = "
Resources:
  AppTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: PK, AttributeType: S}
        - {AttributeName: SK, AttributeType: S}
        - {AttributeName: status, AttributeType: S}
      KeySchema: [{AttributeName: PK, KeyType: HASH}, {AttributeName: SK, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: byStatus
          KeySchema: [{AttributeName: status, KeyType: HASH}, {AttributeName: SK, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
";

pub(crate) fn stack() -> Stack {
    let stack = Stack::over(RESOURCES, TEMPLATE);
    let users =
        (1..=2).map(|user| json!({"PK": format!("USER#u-{user}"), "SK": "PROFILE", "name": format!("User {user}"), "ssn": "sentinel-ssn"}));
    let orders = (0..40).map(|number| {
        let status = ["paid", "shipped"][number % 2];
        json!({
            "PK": format!("USER#u-{}", 1 + number % 4 / 3), "SK": format!("ORDER#o-{number:02}"), "status": status, "secret": "sentinel-order",
            "approvals": [{"userId": "u-2", "note": "sentinel-note"}, {"userId": "u-9"}, {"userId": "USER#u-1"}]
        })
    });
    let lines = (0..7).map(
        |number| json!({"PK": "ORDER#o-00", "SK": format!("LINE#{number:03}"), "quantity": number}),
    );
    // Other kinds of item in the same partitions.
    let others = ["AVATAR", "ORDER", "ORDERS#o-1", "ZEBRA#1"]
        .map(|sk| json!({"PK": "USER#u-1", "SK": sk, "name": "sentinel-other"}));
    stack.put("app", users.chain(orders).chain(lines).chain(others));
    stack
}

fn caller(sub: &str) -> Value {
    json!({"sub": sub})
}

#[test]
fn the_declarations_have_no_mistake() {
    assert_eq!(mistakes(RESOURCES, ROUTES), Vec::<String>::new());
}

#[tokio::test]
async fn an_item_is_found_by_the_ids_behind_its_prefixes() {
    let stack = stack();
    let user = ask(&stack, &GET_USER, &[("userId", "me")], "", caller("u-1")).await;
    assert_eq!((user.status, user.json()), (200, json!({"userId": "u-1", "name": "User 1"})));
    let order = ask(
        &stack,
        &GET_ORDER,
        &[("userId", "u-1"), ("orderId", "o-00")],
        "fields=orderId,status",
        caller("u-1"),
    )
    .await;
    assert_eq!((order.status, order.json()), (200, json!({"orderId": "o-00", "status": "paid"})));
    let nobody =
        ask(&stack, &GET_ORDER, &[("userId", "u-1"), ("orderId", "o-03")], "", caller("u-1")).await;
    assert_eq!(nobody.status, 404, "the order of another user");
    let stranger =
        ask(&stack, &GET_ORDER, &[("userId", "u-2"), ("orderId", "o-03")], "", caller("u-1")).await;
    let unknown =
        ask(&stack, &GET_ORDER, &[("userId", "u-9"), ("orderId", "o-99")], "", caller("u-1")).await;
    assert_eq!(
        (stranger.status, &stranger.body),
        (403, &unknown.body),
        "the same whether or not there is such an order"
    );
    for id in ["", "x#y", "ORDER#o-00", "o-00#", "\u{10FFFF}"] {
        let answer =
            ask(&stack, &GET_ORDER, &[("userId", "u-1"), ("orderId", id)], "", caller("u-1")).await;
        assert!([400, 404].contains(&answer.status), "{id}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_list_shows_the_items_of_its_kind_alone() {
    let stack = stack();
    let path = [("userId", "u-1")];
    let all: Vec<_> =
        (0..40).filter(|number| number % 4 != 3).map(|number| format!("o-{number:02}")).collect();
    for limit in [1, 4, 7, 100] {
        assert_eq!(
            walk(&stack, &LIST_ORDERS, &path, &format!("limit={limit}"), &caller("u-1"), "orderId")
                .await,
            all,
            "limit={limit}"
        );
    }
    let page =
        ask(&stack, &LIST_ORDERS, &path, "limit=5&expand=customer&page=2", caller("u-1")).await;
    assert_eq!(page.json()["customer"], json!({"userId": "u-1", "name": "User 1"}));
    assert_eq!(page.ids("orderId"), all[5..10]);
    let begins = ask(&stack, &LIST_ORDERS, &path, "since=o-1", caller("u-1")).await;
    assert_eq!(
        begins.ids("orderId"),
        all.iter().filter(|id| id.starts_with("o-1")).cloned().collect::<Vec<_>>()
    );
    assert_eq!(begins.spent().0, 1, "the prefix is a key condition");
    let default = ask(&stack, &LIST_ORDERS, &path, "limit=5", caller("u-1")).await;
    assert_eq!(default.spent().0, 1);
}

/// A related item is found by the id behind its prefix, and by nothing else.
#[tokio::test]
async fn related_items_are_found_by_the_ids_behind_their_prefixes() {
    let stack = stack();
    let path = [("userId", "u-1")];
    for query in ["expand=approvals.user", "fields=approvals(userId,user(userId,name))"] {
        let page =
            ask(&stack, &LIST_ORDERS, &path, &format!("limit=2&{query}"), caller("u-1")).await;
        let user = json!({"userId": "u-2", "name": "User 2"});
        let approvals =
            json!([{"userId": "u-2", "user": user}, {"userId": "u-9"}, {"userId": "USER#u-1"}]);
        assert_eq!(page.column("approvals"), [approvals.clone(), approvals], "{query}");
    }
}

#[tokio::test]
async fn an_index_over_all_owners_goes_by_a_scope() {
    let stack = stack();
    let staff = json!({"sub": "s-1", "scp": ["orders:read"]});
    let paid: Vec<_> = (0..40).step_by(2).map(|number| format!("o-{number:02}")).collect();
    assert_eq!(
        walk(&stack, &LIST_BY_STATUS, &[("status", "paid")], "limit=3", &staff, "orderId").await,
        paid
    );
    let lines =
        walk(&stack, &LIST_LINES, &[("orderId", "o-00")], "limit=2", &staff, "lineId").await;
    assert_eq!(lines, ["000", "001", "002", "003", "004", "005", "006"]);
    for claims in [
        caller("u-1"),
        json!({"sub": "s-1", "scope": "orders:readall"}),
        json!({"scope": "orders:read"}),
    ] {
        let answer = ask(&stack, &LIST_LINES, &[("orderId", "o-00")], "", claims.clone()).await;
        assert_eq!(answer.status, if claims["sub"].is_null() { 401 } else { 403 }, "{claims}");
    }
}

#[tokio::test]
async fn a_deployed_stack_can_be_tried() {
    let served =
        Served { stack: stack(), resources: RESOURCES, routes: ROUTES, template: TEMPLATE };
    let tried = whole(served, &json!({"sub": "u-1", "scope": "orders:read"}), &[]).await;
    for name in [
        "get-order: no such item",
        "list-orders: expand customer",
        "list-lines: list",
        "list-by-status: HEAD",
    ] {
        assert!(tried.iter().any(|other| other == name), "{name}: {tried:?}");
    }
}
