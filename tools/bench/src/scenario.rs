//! The requests to the candidates, and their cost in exact counts, the same on every machine.

use crate::candidate::{Implementation, PEERS, Route};
use crate::event;
use crate::scene::USER;

/// One kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// Its name in tables and JSON.
    pub(crate) name: &'static str,
    pub(crate) route: Route,
    /// True if the catalogue lies in several partitions.
    pub(crate) sharded: bool,
    pub(crate) event: String,
    /// Peers that answer it too.
    pub(crate) peers: &'static [Implementation],
    /// A condition to be sent with the ETag of the first answer.
    pub(crate) conditional: bool,
    /// Round trips one after another, calls, and read units of ours.
    pub(crate) expected: Expected,
}

/// Exact counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expected {
    pub(crate) rounds: u64,
    pub(crate) calls: u64,
    pub(crate) units: f64,
    /// Bytes of the answer's body, before compression.
    pub(crate) bytes: usize,
}

const fn expected(rounds: u64, calls: u64, units: f64, bytes: usize) -> Expected {
    Expected { rounds, calls, units, bytes }
}

const NONE: &[Implementation] = &[];
const BROWSER: &[(&str, &str)] = &[("accept-encoding", "gzip, deflate, br")];

/// All scenarios of the warm part.
pub(crate) fn all() -> Vec<Scenario> {
    let list = |name, query: &str, expected| Scenario {
        name,
        route: Route::ListProducts,
        sharded: false,
        event: event::get("/v1/products", query, None, &[]),
        peers: NONE,
        conditional: false,
        expected,
    };
    let orders = |name, query: &str, expected| Scenario {
        route: Route::ListUserOrders,
        event: event::get(&format!("/v1/users/{USER}/orders"), query, Some(USER), &[]),
        ..list(name, query, expected)
    };
    let encoded =
        |scenario| Scenario { event: event::get("/v1/products", "", None, BROWSER), ..scenario };
    vec![
        Scenario {
            name: "get-user",
            route: Route::GetUser,
            event: event::get(&format!("/v1/users/{USER}"), "", Some(USER), &[]),
            peers: &PEERS,
            ..list("", "", expected(1, 1, 0.5, 477))
        },
        Scenario { peers: &PEERS, ..list("list-25", "", expected(1, 1, 1.0, 6_242)) },
        Scenario { peers: &PEERS, ..list("list-50", "limit=50", expected(1, 1, 1.5, 12_356)) },
        list("list-100", "limit=100", expected(1, 1, 2.5, 24_444)),
        encoded(list("list-25-gzip", "", expected(1, 1, 1.0, 6_242))),
        Scenario { conditional: true, ..encoded(list("list-25-304", "", expected(1, 1, 1.0, 0))) },
        Scenario { sharded: true, ..list("list-25-sharded", "", expected(1, 4, 2.0, 6_163)) },
        list(
            "list-25-filtered",
            "category=laptops&minRating=4&inStock=true",
            expected(2, 2, 3.0, 6_296),
        ),
        list("list-25-hydrated", "fields=name,description,tags", expected(2, 2, 13.5, 6_238)),
        Scenario {
            peers: &[Implementation::Node, Implementation::Python],
            ..orders("orders-25", "", expected(1, 1, 1.0, 4_674))
        },
        orders("orders-expanded", "expand=customer,items.product", expected(2, 3, 32.5, 25_537)),
    ]
}

/// The names of all scenarios.
pub(crate) fn names() -> String {
    all().iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ")
}
