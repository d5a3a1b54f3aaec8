//! Lists that all differ, over every kind of index, and the functions that serve them.

use std::collections::HashMap;

use api::{Access, App, Route, Shape};
use pagination::Sealer;
use serde_json::json;
use shop::{LIST_PRODUCTS, LIST_USER_ORDERS};

use crate::{
    existing::{
        classic::{self, OF_BATCH, OF_DEVICE, OF_SITE},
        event,
        single_table::{self, LIST_BY_STATUS, LIST_LINES, LIST_ORDERS},
        tenant::{self, LIST_PROJECTS, LIST_TASKS},
    },
    stack::{Answer, Stack, order, send_to},
};

/// A list for which a cursor can be made or used.
#[derive(Clone, Copy)]
pub(super) struct Place {
    route: &'static Route,
    path: &'static [(&'static str, &'static str)],
    /// The claims of the caller's token, in JSON; `null` without a token.
    claims: &'static str,
    query: &'static str,
    /// Other fields than the summary. With them it is the same list.
    pub(super) fields: &'static str,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (self.route.name, self.path, self.claims, self.query)
            == (other.route.name, other.path, other.claims, other.query)
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { route, path, claims, query, .. } = self;
        write!(f, "{} {path:?} ?{query} of {claims}", route.name)
    }
}

/// Another route to the lists of [`OF_BATCH`].
static AGAIN: Route = Route {
    name: "list-lot-readings",
    path: "/lots/{batch}/readings",
    about: "List the readings of a batch.",
    resource: &classic::READINGS,
    access: Access::Public,
    quota: api::Quota::None,
    shape: Shape::List(classic::LIST),
};
const _: () = api::check(&[&classic::READINGS], &[&AGAIN]);

pub(super) const ANN: &str =
    r#"{"sub":"u-1","tenant":"t-1","scope":"lean-routes/users:read orders:read"}"#;
const BEN: &str = r#"{"sub":"u-2","tenant":"t-1","scope":"lean-routes/users:read orders:read"}"#;
const CEM: &str = r#"{"sub":"u-1","tenant":"t-0","scope":"lean-routes/users:read orders:read"}"#;

const fn place(
    route: &'static Route,
    path: &'static [(&'static str, &'static str)],
    claims: &'static str,
    query: &'static str,
) -> Place {
    Place { route, path, claims, query, fields: "limit=3" }
}

/// The fixture bundle's products: an index over shards, or one of a category.
pub(super) const fn products(query: &'static str) -> Place {
    Place { fields: "fields=updatedAt", ..place(&LIST_PRODUCTS, &[], "null", query) }
}

/// The fixture bundle's orders: the HASH key has one attribute or, with a status, two.
pub(super) const fn orders(
    path: &'static [(&'static str, &'static str)],
    claims: &'static str,
    query: &'static str,
) -> Place {
    Place {
        fields: "fields=updatedAt&expand=customer",
        ..place(&LIST_USER_ORDERS, path, claims, query)
    }
}

/// A classic index: times as numbers, with ties.
pub(super) const fn readings(query: &'static str) -> Place {
    Place { fields: "fields=valid", ..place(&OF_SITE, &[("site", "oslo")], "null", query) }
}

pub(super) const U1: &[(&str, &str)] = &[("userId", "u-1")];
const U2: &[(&str, &str)] = &[("userId", "u-2")];
const D1: &[(&str, &str)] = &[("deviceId", "d-1")];
const B1: &[(&str, &str)] = &[("batch", "b-1")];
const PAID: &[(&str, &str)] = &[("status", "paid")];
const TASKS: &[(&str, &str)] = &[("tenantId", "t-1"), ("projectId", "p-01")];

/// One list of each kind of index.
pub(super) const KINDS: [Place; 11] = [
    // Shards; one partition; a merge of two.
    products(""),
    products("category=laptops&sort=price_asc"),
    orders(U1, ANN, "status=paid,shipped"),
    // The table itself: a prefix before the sort key, and none.
    place(&LIST_ORDERS, U1, ANN, ""),
    place(&LIST_PROJECTS, &[], ANN, ""),
    // Global indexes: a number as sort key, one with a prefix, none.
    readings(""),
    place(&LIST_BY_STATUS, PAID, ANN, ""),
    place(&OF_BATCH, B1, "null", ""),
    // A local index.
    place(&OF_DEVICE, D1, "null", ""),
    // Two HASH attributes.
    place(&LIST_TASKS, TASKS, ANN, ""),
    // A filter: pages end between items that are shown.
    readings("level=3"),
];

/// Returns all lists. No two have the same items in the same order for the same caller by the same
/// route.
pub(super) fn all() -> Vec<Place> {
    const OTHERS: [Place; 49] = [
        products("sort=oldest"),
        products("sort=price_asc"),
        products("sort=price_desc"),
        products("category=laptops"),
        products("category=beauty"),
        products("minPrice=1"),
        products("minPrice=1.01"),
        products("maxPrice=6"),
        products("minPrice=1&sort=price_asc"),
        products("brand=Common"),
        products("inStock=true"),
        products("minRating=1"),
        orders(U1, ANN, ""),
        orders(U1, BEN, ""),
        orders(U2, ANN, ""),
        orders(U2, BEN, ""),
        orders(U1, ANN, "sort=oldest"),
        orders(U1, ANN, "status=paid"),
        orders(U1, ANN, "status=shipped"),
        orders(U1, ANN, "from=2024-01-02T00:00:00Z"),
        orders(U1, ANN, "to=2024-01-06T00:00:00Z"),
        place(&LIST_ORDERS, U1, BEN, ""),
        place(&LIST_ORDERS, U2, ANN, ""),
        place(&LIST_ORDERS, U1, ANN, "since=o-"),
        place(&LIST_ORDERS, U1, ANN, "since=o-1"),
        place(&LIST_LINES, &[("orderId", "o-00")], ANN, ""),
        place(&LIST_LINES, &[("orderId", "o-01")], ANN, ""),
        place(&LIST_LINES, &[("orderId", "u-1")], ANN, ""),
        place(&LIST_BY_STATUS, PAID, BEN, ""),
        place(&LIST_BY_STATUS, &[("status", "shipped")], ANN, ""),
        place(&OF_SITE, &[("site", "bergen")], "null", ""),
        readings("sort=oldest"),
        readings("from=2024-01-01"),
        readings("from=2024-01-01T00:00:01Z"),
        readings("to=2024-01-02"),
        readings("from=2024-01-01&to=2024-01-02"),
        readings("level=2"),
        readings("level=3&from=2024-01-01"),
        place(&OF_DEVICE, &[("deviceId", "d-2")], "null", ""),
        place(&OF_DEVICE, D1, "null", "valid=true"),
        place(&OF_DEVICE, D1, "null", "valid=false"),
        place(&OF_BATCH, &[("batch", "b-2")], "null", ""),
        place(&AGAIN, B1, "null", ""),
        place(&LIST_PROJECTS, &[], BEN, ""),
        place(&LIST_PROJECTS, &[], CEM, ""),
        place(&LIST_TASKS, TASKS, BEN, ""),
        place(&LIST_TASKS, &[("tenantId", "t-1"), ("projectId", "p-03")], ANN, ""),
        // The same letters, divided in another way.
        place(&LIST_TASKS, &[("tenantId", "t-1"), ("projectId", "1-p")], ANN, ""),
        place(&LIST_TASKS, &[("tenantId", "t-11"), ("projectId", "-p")], ANN, ""),
    ];
    KINDS.into_iter().chain(OTHERS).collect()
}

/// The bundles, with rows enough that each list has more than a page of two.
pub(super) struct Stacks([(Stack, Vec<&'static Route>); 4]);

impl Stacks {
    pub(super) fn new() -> Self {
        let shop = Stack::shop();
        shop.put("orders", (0..40).map(|number| order(number, "u-2")));
        let app = single_table::stack();
        let line = |(order, number): (&str, u32)| json!({"PK": format!("ORDER#{order}"), "SK": format!("LINE#{number:03}"), "quantity": number});
        let lines =
            ["o-01", "u-1"].into_iter().flat_map(|order| (0..5).map(move |line| (order, line)));
        app.put("app", lines.map(line));
        let readings = classic::stack();
        let reading = |number: u32| {
            json!({
                "deviceId": "d-9", "readingId": format!("r-{number}"), "site": "bergen", "batch": "b-2", "level": 1, "takenAt": 1_704_067_200
            })
        };
        readings.put("readings", (0..5).map(reading));
        let projects = tenant::stack();
        let task = |(tenant, project, number): (&str, &str, u32)| json!({"taskId": format!("{tenant}{project}{number}{}", tenant.len()), "tenantId": tenant, "projectId": project});
        let tasks = [("t-1", "1-p"), ("t-11", "-p")].into_iter();
        let tasks =
            tasks.flat_map(|(tenant, project)| (0..5).map(move |task| (tenant, project, task)));
        projects.put("tasks", tasks.map(task));
        Self([
            (shop, vec![&LIST_PRODUCTS, &LIST_USER_ORDERS]),
            (app, vec![&LIST_ORDERS, &LIST_LINES, &LIST_BY_STATUS]),
            (readings, vec![&OF_SITE, &OF_DEVICE, &OF_BATCH, &AGAIN]),
            (projects, vec![&LIST_PROJECTS, &LIST_TASKS]),
        ])
    }
}

/// The functions of all lists, with one sealer.
pub(super) struct Functions(HashMap<&'static str, App>);

impl Functions {
    pub(super) fn new(Stacks(stacks): &Stacks, sealer: &Sealer) -> Self {
        let of = |(stack, routes): &(Stack, Vec<&'static Route>)| {
            let app = |route: &&'static Route| {
                let config = stack.config(route).with_sealer(sealer.clone());
                (route.name, App::new(config, stack.client()))
            };
            routes.iter().map(app).collect::<Vec<_>>()
        };
        Self(stacks.iter().flat_map(of).collect())
    }

    pub(super) async fn ask(&self, place: &Place, more: &str) -> Answer {
        let Place { route, path, claims, query, .. } = place;
        let query = [query, more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let claims = serde_json::from_str(claims).unwrap();
        let event = event(route, path, &query.join("&"), claims);
        send_to(&self.0[route.name], &event.to_string()).await
    }

    /// Returns the cursor to the second page of two items.
    pub(super) async fn cursor(&self, place: &Place) -> String {
        let answer = self.ask(place, "limit=2").await;
        assert_eq!(answer.status, 200, "{place:?}: {}", answer.body);
        answer.next().unwrap_or_else(|| panic!("{place:?}: {}", answer.body))
    }
}
