//! Orders: each user's own, by time or by status.

use api::{
    Accepts, Access, Expansion, Field, Filter, Index, Join, Kind, Limits, List, Order, Partition,
    Place, Policy, Projects, Quota, Resource, Route, Shape, SortOption, Table, Weights, field,
};

use crate::{PRODUCTS, USERS, products::PRODUCT_SUMMARY, users::USER_SUMMARY};

/// The valid states of an order.
const STATUS: &[&str] = &["pending", "paid", "shipped", "delivered", "cancelled"];

/// The indexes hold every public field: an order is small and is mostly read in lists.
const IN_INDEXES: Projects = Projects::Attributes(&[
    "orderId",
    "userId",
    "status",
    "placedAt",
    "updatedAt",
    "currency",
    "total",
    "itemCount",
    "items",
]);

const FIELDS: &[Field] = &[
    field("orderId", Kind::Text, "The order's id."),
    field("userId", Kind::Text, "Who placed it."),
    field("status", Kind::Text, "`pending`, `paid`, `shipped`, `delivered` or `cancelled`."),
    field("placedAt", Kind::Timestamp, "When it was placed."),
    field("updatedAt", Kind::Timestamp, "When it was last changed."),
    field("currency", Kind::Text, "An ISO 4217 code."),
    field("total", Kind::Number, "What it costs in `currency`."),
    field("itemCount", Kind::Integer, "How many pieces it has."),
    field("items", Kind::Objects(LINES), "Its lines."),
];

const LINES: &[Field] = &[
    field("productId", Kind::Text, "The product's id."),
    field("name", Kind::Text, "The product's name when it was ordered."),
    field("quantity", Kind::Integer, "How many."),
    field("unitPrice", Kind::Number, "The price of one when it was ordered."),
];

/// The table `orders`. Attributes that are not listed here are hidden.
pub static ORDERS: Resource = Resource {
    name: "orders",
    table_variable: "ORDERS_TABLE",
    table: Table {
        key: &["userId", "orderId"],
        indexes: &[
            index("byPlacedAt", Partition::Attributes(&["userId"])),
            index("byStatus", Partition::Attributes(&["userId", "status"])),
        ],
    },
    fixed: &[],
    fields: FIELDS,
    summary: &[
        "orderId",
        "userId",
        "status",
        "placedAt",
        "updatedAt",
        "currency",
        "total",
        "itemCount",
    ],
    modified: Some("updatedAt"),
    policy: Policy::PrivateRevalidate,
};

const fn index(name: &'static str, partition: Partition) -> Index {
    Index { name: Some(name), partition, range: &["placedAt", "orderId"], projects: IN_INDEXES }
}

/// `GET /v1/users/{userId}/orders`
pub static LIST_USER_ORDERS: Route = Route {
    name: "list-user-orders",
    path: "/v1/users/{userId}/orders",
    about: "List a user's orders, newest first unless sorted otherwise. `me` stands for the caller.",
    resource: &ORDERS,
    access: Access::owner("userId"),
    quota: Quota::PerCaller(Weights { items: 50, expansion: 1 }),
    shape: Shape::List(List {
        filters: &[
            Filter {
                parameter: "status",
                field: "status",
                accepts: Accepts::OneOf(STATUS),
                about: "Orders in this state.",
            },
            Filter {
                parameter: "from",
                field: "placedAt",
                accepts: Accepts::From,
                about: "Orders placed at this time or later.",
            },
            Filter {
                parameter: "to",
                field: "placedAt",
                accepts: Accepts::Before,
                about: "Orders placed before this time.",
            },
        ],
        sorts: &[
            SortOption {
                name: "newest",
                field: "placedAt",
                order: Order::Descending,
                about: "the latest first",
            },
            SortOption {
                name: "oldest",
                field: "placedAt",
                order: Order::Ascending,
                about: "the earliest first",
            },
        ],
        expansions: &[
            Expansion {
                name: "customer",
                resource: &USERS,
                fields: USER_SUMMARY,
                place: Place::NextToItems,
                about: "The user who placed the orders, once next to `items`.",
            },
            Expansion {
                name: "items.product",
                resource: &PRODUCTS,
                fields: PRODUCT_SUMMARY,
                place: Place::Within {
                    join: Join { list: "items", key: "productId" },
                    member: "product",
                },
                about: "The product of each line, as `product` in the line.",
            },
        ],
        limits: Limits::USUAL,
    }),
};
