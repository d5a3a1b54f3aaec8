//! Cursors that must be refused: used for another list, changed, cut, forged or expired. The wire
//! format is fixed by examples.
//!
//! [`places`] has the lists: of the fixture bundle, and of the bundles over existing tables, so
//! that there is one of every kind of index.

mod places;

use std::{
    slice,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pagination::{
    Condition, Cursor, Direction, InvalidCursor, Plan, Position, Sealer, Sort, Value,
};
use shop::PRODUCTS;

use crate::stack::Answer;
use places::{ANN, Functions, KINDS, Place, Stacks, U1, all, orders, products, readings};

const SECRETS: [&str; 3] = [
    "the first secret of three, 32 characters",
    "the second secret of three, 32 characters",
    "a stranger's secret with 32 characters",
];

fn sealer(secret: &str, previous: Option<&str>) -> Sealer {
    Sealer::new(secret, previous).unwrap()
}

/// Checks that every refusal is the same answer, whatever the reason.
fn refused(answer: &Answer, context: &str) {
    assert_eq!(answer.status, 400, "{context}: {}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/invalid-cursor", "{context}");
    assert_eq!(problem.as_object().unwrap().len(), 5, "{context}: nothing says why");
}

/// Checks that a cursor opens, or that it is refused.
fn judged(answer: &Answer, opens: bool, context: &str) {
    if opens {
        assert_eq!(answer.status, 200, "{context}: {}", answer.body);
    } else {
        refused(answer, context);
    }
}

#[tokio::test]
async fn a_cursor_opens_where_it_was_made_and_nowhere_else() {
    let stacks = Stacks::new();
    let functions = Functions::new(&stacks, &sealer(SECRETS[0], None));
    let places = all();
    let mut refusals = 0;
    for made in &places {
        let cursor = functions.cursor(made).await;
        for used in &places {
            let answer = functions.ask(used, &format!("cursor={cursor}")).await;
            let context = format!("made in {made:?}, used in {used:?}");
            judged(&answer, made == used, &context);
            refusals += usize::from(made != used);
        }
        // The same list with another limit and other fields.
        for same in ["limit=1", "limit=50", made.fields] {
            let answer = functions.ask(made, &format!("{same}&cursor={cursor}")).await;
            judged(&answer, true, &format!("{made:?} with {same}"));
        }
    }
    println!("{} lists, {refusals} refusals", places.len());
    // The query in another form.
    for (made, same) in [
        (products("minPrice=1"), products("minPrice=001.00")),
        (KINDS[2], orders(U1, ANN, "status=shipped,paid,paid")),
        (readings("from=2024-01-01"), readings("from=2024-01-01T01:00:00%2B01:00")),
    ] {
        let cursor = functions.cursor(&made).await;
        let answer = functions.ask(&same, &format!("cursor={cursor}")).await;
        judged(&answer, true, &format!("made in {made:?}, used in {same:?}"));
    }
}

#[tokio::test]
async fn the_cursor_of_each_kind_of_index_leads_on() {
    let stacks = Stacks::new();
    let functions = Functions::new(&stacks, &sealer(SECRETS[0], None));
    for place in KINDS {
        let first = functions.ask(&place, "limit=2").await;
        let second =
            functions.ask(&place, &format!("limit=2&cursor={}", first.next().unwrap())).await;
        let back =
            functions.ask(&place, &format!("limit=2&cursor={}", second.prev().unwrap())).await;
        let both = functions.ask(&place, "limit=4").await;
        let items = |answer: &Answer| answer.json()["items"].as_array().unwrap().clone();
        assert_eq!([items(&first), items(&second)].concat(), items(&both), "{place:?}");
        assert_eq!(items(&back), items(&first), "{place:?}");
    }
}

#[tokio::test]
async fn a_secret_can_be_rotated() {
    let stacks = Stacks::new();
    let [first, second, stranger] = SECRETS;
    let of = |secret, previous| Functions::new(&stacks, &sealer(secret, previous));
    let old = of(first, None);
    let (rotated, forgotten) = (of(second, Some(first)), of(second, None));
    let other = of(stranger, Some(second));
    for place in KINDS {
        let (of_old, of_rotated) = (old.cursor(&place).await, rotated.cursor(&place).await);
        assert_eq!(of_rotated, forgotten.cursor(&place).await, "sealed with the current secret");
        for (functions, cursor, opens) in [
            (&old, &of_old, true),
            (&old, &of_rotated, false),
            (&rotated, &of_old, true),
            (&rotated, &of_rotated, true),
            (&forgotten, &of_old, false),
            (&other, &of_old, false),
            (&other, &of_rotated, true),
        ] {
            let answer = functions.ask(&place, &format!("cursor={cursor}")).await;
            judged(&answer, opens, &format!("{place:?}, another secret"));
        }
    }
}

#[test]
fn every_changed_bit_and_every_cut_is_refused() {
    let refusals = std::sync::atomic::AtomicUsize::new(0);
    let kinds = std::sync::Mutex::new(KINDS.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let stacks = Stacks::new();
                let functions = Functions::new(&stacks, &sealer(SECRETS[0], None));
                loop {
                    let Some(place) = kinds.lock().unwrap().next() else { break };
                    let count = runtime.block_on(changed_and_cut(&functions, place));
                    refusals.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} kinds, {} refusals", KINDS.len(), refusals.into_inner());
}

/// Returns the number of cursors that were refused.
async fn changed_and_cut(functions: &Functions, place: &Place) -> usize {
    let mut refusals = 0;
    let first = functions.cursor(place).await;
    let second = functions.ask(place, &format!("limit=2&cursor={first}")).await;
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
        refusals += changed.len();
        for changed in changed {
            let answer = functions.ask(place, &format!("cursor={changed}")).await;
            refused(&answer, &format!("{place:?}: {changed}"));
        }
        assert_eq!(functions.ask(place, &format!("cursor={cursor}")).await.status, 200);
    }
    refusals
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
}

/// The same through the handlers: functions of one day make cursors, functions of another day get
/// them.
#[tokio::test]
async fn a_cursor_of_each_kind_of_index_expires() {
    let stacks = Stacks::new();
    let of = |number| Functions::new(&stacks, &sealer(SECRETS[0], None).at(day(number)));
    let made = of(20_000);
    for (number, opens) in [
        (19_998, false),
        (19_999, true),
        (20_000, true),
        (20_003, true),
        (20_004, false),
        (30_000, false),
    ] {
        let used = of(number);
        for place in KINDS {
            let cursor = made.cursor(&place).await;
            let answer = used.ask(&place, &format!("cursor={cursor}")).await;
            judged(&answer, opens, &format!("{place:?} on day {number}"));
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
