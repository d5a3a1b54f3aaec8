//! Cursors that must be refused: used for another list, changed, cut, forged or expired. The wire
//! format is fixed by examples.

use std::{
    slice,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use api::{App, Config, Route};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pagination::{
    Condition, Cursor, Direction, InvalidCursor, Plan, Position, Sealer, Sort, Value,
};
use serde_json::json;
use shop::{LIST_PRODUCTS, LIST_USER_ORDERS, PRODUCTS};

use crate::stack::{Answer, Stack, event, send_to};

const SECRETS: [&str; 3] = [
    "the first secret of three, 32 characters",
    "the second secret of three, 32 characters",
    "a stranger's secret with 32 characters",
];

/// Makes a list function with these secrets.
fn app(stack: &Stack, route: &'static Route, secret: &str, previous: Option<&str>) -> App {
    let variable = |name: &str| {
        let value = match name {
            "PRODUCTS_TABLE" => "products",
            "USERS_TABLE" => "users",
            "ORDERS_TABLE" => "orders",
            "READ_ANY_SCOPE" => "any",
            "CURSOR_SECRET" => secret,
            "CURSOR_SECRET_PREVIOUS" => return previous.map(str::to_owned),
            _ => return None,
        };
        Some(value.to_owned())
    };
    App::new(route, Config::read(route, variable).unwrap(), stack.client())
}

/// A list for which a cursor can be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The owner of the list and the caller; `None` for the products.
    parties: Option<(&'static str, &'static str)>,
    query: &'static str,
}

const fn products(query: &'static str) -> Place {
    Place { parties: None, query }
}

const fn orders(owner: &'static str, caller: &'static str, query: &'static str) -> Place {
    Place { parties: Some((owner, caller)), query }
}

/// Lists that all differ.
const PLACES: [Place; 22] = [
    products(""),
    products("sort=oldest"),
    products("sort=price_asc"),
    products("sort=price_desc"),
    products("category=laptops"),
    products("category=beauty"),
    products("category=laptops&sort=price_asc"),
    products("minPrice=1"),
    products("minPrice=1.01"),
    products("maxPrice=6"),
    products("minPrice=1&sort=price_asc"),
    products("brand=Common"),
    products("inStock=true"),
    products("minRating=1"),
    orders("u-1", "u-1", ""),
    orders("u-1", "u-2", ""),
    orders("u-2", "u-1", ""),
    orders("u-2", "u-2", ""),
    orders("u-1", "u-1", "sort=oldest"),
    orders("u-1", "u-1", "status=paid"),
    orders("u-1", "u-1", "from=2024-01-02T00:00:00Z"),
    orders("u-1", "u-1", "to=2024-01-06T00:00:00Z"),
];

/// The two list functions with one pair of secrets.
struct Functions {
    products: App,
    orders: App,
}

impl Functions {
    fn new(stack: &Stack, secret: &str, previous: Option<&str>) -> Self {
        Self {
            products: app(stack, &LIST_PRODUCTS, secret, previous),
            orders: app(stack, &LIST_USER_ORDERS, secret, previous),
        }
    }

    async fn ask(&self, place: Place, more: &str) -> Answer {
        let query = [place.query, more].join("&");
        let Some((owner, caller)) = place.parties else {
            return send_to(
                &self.products,
                &event("/v1/products", None, &query, None, &[]).to_string(),
            )
            .await;
        };
        let mut event = event("/v1/users/{userId}/orders", Some(owner), &query, Some(caller), &[]);
        event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = json!("any");
        send_to(&self.orders, &event.to_string()).await
    }

    async fn cursor(&self, place: Place) -> String {
        let answer = self.ask(place, "limit=2").await;
        answer.next().unwrap_or_else(|| panic!("{place:?}: {}", answer.body))
    }
}

fn shop() -> Stack {
    let stack = Stack::shop();
    stack.put("orders", (0..40).map(|number| crate::stack::order(number, "u-2")));
    stack
}

/// Checks that every refusal is the same answer, whatever the reason.
fn refused(answer: &Answer, context: &str) {
    assert_eq!(answer.status, 400, "{context}: {}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/invalid-cursor", "{context}");
    assert_eq!(problem.as_object().unwrap().len(), 5, "{context}: nothing says why");
}

#[tokio::test]
async fn a_cursor_opens_where_it_was_made_and_nowhere_else() {
    let stack = shop();
    let functions = Functions::new(&stack, SECRETS[0], None);
    for made in PLACES {
        let cursor = functions.cursor(made).await;
        for used in PLACES {
            let answer = functions.ask(used, &format!("cursor={cursor}")).await;
            let context = format!("made in {made:?}, used in {used:?}");
            if made == used {
                assert_eq!(answer.status, 200, "{context}: {}", answer.body)
            } else {
                refused(&answer, &context)
            }
        }
        // The same list with another limit and other fields, or with the query written in another
        // form.
        for same in ["limit=1", "limit=100", "fields=updatedAt"] {
            assert_eq!(
                functions.ask(made, &format!("{same}&cursor={cursor}")).await.status,
                200,
                "{made:?} with {same}"
            );
        }
    }
    let one = functions.cursor(products("minPrice=1")).await;
    assert_eq!(
        functions.ask(products("minPrice=001.00"), &format!("cursor={one}")).await.status,
        200,
        "one number has many spellings"
    );
}

#[tokio::test]
async fn a_secret_can_be_rotated() {
    let stack = shop();
    let [first, second, stranger] = SECRETS;
    let old = Functions::new(&stack, first, None);
    let (rotated, forgotten) =
        (Functions::new(&stack, second, Some(first)), Functions::new(&stack, second, None));
    let other = Functions::new(&stack, stranger, Some(second));
    for place in [PLACES[0], PLACES[14]] {
        let (of_old, of_rotated) = (old.cursor(place).await, rotated.cursor(place).await);
        assert_eq!(of_rotated, forgotten.cursor(place).await, "sealed with the current secret");
        for (functions, cursor, opens) in [
            (&old, &of_old, true),
            (&old, &of_rotated, false),
            (&rotated, &of_old, true),
            (&rotated, &of_rotated, true),
            (&forgotten, &of_old, false),
            (&other, &of_old, false),
            (&other, &of_rotated, true),
        ] {
            let answer = functions.ask(place, &format!("cursor={cursor}")).await;
            if opens {
                assert_eq!(answer.status, 200, "{}", answer.body)
            } else {
                refused(&answer, "another secret")
            }
        }
    }
}

#[tokio::test]
async fn every_changed_bit_and_every_cut_is_refused() {
    let stack = shop();
    let functions = Functions::new(&stack, SECRETS[0], None);
    for place in [products("category=laptops&sort=price_asc"), orders("u-1", "u-1", "")] {
        let second = functions
            .ask(place, &format!("limit=2&cursor={}", functions.cursor(place).await))
            .await;
        for cursor in [second.next().unwrap(), second.prev().unwrap()] {
            let sealed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let mut changed: Vec<String> =
                (0..cursor.len()).map(|length| cursor[..length].to_owned()).collect();
            for bit in 0..sealed.len() * 8 {
                let mut bytes = sealed.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                changed.push(URL_SAFE_NO_PAD.encode(bytes));
            }
            // A bit of the text too: it may become another letter, or one outside of the alphabet.
            for bit in (0..cursor.len() * 8).filter(|bit| bit % 8 != 7) {
                let mut bytes = cursor.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                changed.push(bytes.iter().map(|byte| format!("%{byte:02X}")).collect());
            }
            changed.extend([
                format!("{cursor}A"),
                format!("A{cursor}"),
                format!("{cursor}="),
                format!("{cursor}%0A"),
                cursor.repeat(2),
            ]);
            for changed in changed {
                refused(&functions.ask(place, &format!("cursor={changed}")).await, &changed);
            }
            assert_eq!(functions.ask(place, &format!("cursor={cursor}")).await.status, 200);
        }
    }
}

const NEWEST: Sort = Sort::descending("createdAt");
const CHEAPEST: Sort = Sort::ascending("price");

fn plan(conditions: &[Condition], sort: Sort) -> Plan {
    Plan::new(&PRODUCTS.table, conditions, sort, ["name"], 1).unwrap()
}

fn after(sort: Value, id: &str, direction: Direction) -> Cursor {
    Cursor { direction, after: Some(Position(vec![sort, Value::S(id.to_owned())])) }
}

/// Returns the start of a day, counted from 1970.
fn day(number: u16) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::from(number) * 86_400)
}

#[tokio::test]
async fn a_cursor_opens_for_three_days_after_its_own() {
    let (sealer, plan) = (Sealer::new(SECRETS[0], None).unwrap(), plan(&[], NEWEST));
    let cursor = after(Value::S("2024-01-15T00:00:00.000Z".into()), "p-14", Direction::Forward);
    let context: [&[u8]; 1] = [b"list-products"];
    let text = sealer.at(day(20_000)).seal(&cursor, &plan, &context).unwrap();
    for (today, opens) in [
        (19_998, false),
        (19_999, true),
        (20_000, true),
        (20_001, true),
        (20_003, true),
        (20_004, false),
        (u16::MAX, false),
        (0, false),
    ] {
        assert_eq!(
            sealer.at(day(today)).open(&text, &plan, &context).ok(),
            opens.then(|| cursor.clone()),
            "day {today}"
        );
    }
    // The same through the handler, with cursors of days around today.
    let stack = shop();
    let functions = Functions::new(&stack, SECRETS[0], None);
    let today = u16::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400).unwrap();
    // One day of tolerance: the test may run over midnight.
    for (made, opens) in [
        (today - 5, false),
        (today - 4, false),
        (today - 2, true),
        (today, true),
        (today + 3, false),
        (today + 100, false),
    ] {
        let text = sealer.at(day(made)).seal(&cursor, &plan, &context).unwrap();
        let answer = functions.ask(PLACES[0], &format!("cursor={text}")).await;
        if opens {
            assert_eq!(answer.status, 200, "{made}: {}", answer.body)
        } else {
            refused(&answer, "of another day")
        }
    }
}

/// Cursors that callers have stored open after the next deployment. If a line here changes, the
/// format has a new version.
#[test]
fn the_wire_format_is_locked() {
    let sealer = Sealer::new("a golden secret of 32 characters", None).unwrap().at(day(20_000));
    let text = |text: &str| Value::S(text.into());
    let laptops = Condition::equal("category", text("laptops"));
    let public: &[&[u8]] = &[b"list-products"];
    let private: &[&[u8]] = &[b"list-user-orders", b"u-1", b"u-2"];
    let created = "2024-01-15T00:00:00.000Z";
    let cursors = [
        ("start", public, plan(&[], NEWEST), Cursor { direction: Direction::Forward, after: None }),
        ("end", public, plan(&[], NEWEST), Cursor { direction: Direction::Backward, after: None }),
        (
            "next-newest",
            public,
            plan(&[], NEWEST),
            after(text(created), "p-14", Direction::Forward),
        ),
        (
            "prev-newest",
            public,
            plan(&[], NEWEST),
            after(text(created), "p-14", Direction::Backward),
        ),
        (
            "next-cheapest-laptops",
            public,
            plan(slice::from_ref(&laptops), CHEAPEST),
            after(Value::N("9.99".into()), "p-é", Direction::Forward),
        ),
        (
            "next-cheapest-laptops-in-stock",
            public,
            plan(&[laptops, Condition::at_least("stock", Value::N("1".into()))], CHEAPEST),
            after(Value::N("9.99".into()), "p-é", Direction::Forward),
        ),
        (
            "next-private",
            private,
            plan(&[], NEWEST),
            after(text(created), "p-14", Direction::Forward),
        ),
    ];
    let golden = include_str!("golden/cursor-v2.txt");
    let made: String = cursors
        .iter()
        .map(|(name, context, plan, cursor)| {
            format!("{name} {}\n", sealer.seal(cursor, plan, context).unwrap())
        })
        .collect();
    assert_eq!(made, golden);
    for (line, (name, context, plan, cursor)) in golden.lines().zip(&cursors) {
        let text = line.rsplit(' ').next().unwrap();
        assert_eq!(sealer.at(day(20_003)).open(text, plan, context).as_ref(), Ok(cursor), "{name}");
        let elsewhere: &[&[u8]] = if *context == public { private } else { public };
        assert_eq!(sealer.open(text, plan, elsewhere), Err(InvalidCursor), "{name}");
    }
}
