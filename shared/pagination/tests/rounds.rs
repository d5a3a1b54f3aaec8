//! The work for one page, counted: rounds, fetches, time, and answers that DynamoDB never gives.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{
    collections::HashSet,
    convert::Infallible,
    num::NonZeroU32,
    sync::Mutex,
    time::{Duration, Instant},
};

use pagination::{
    Answer, Budget, Condition, Cursor, Fetch, Fetched, Index, MAX_FETCH, MAX_FETCHES_AT_ONCE,
    MAX_QUERIES_AT_ONCE, Page, Partition, Plan, Position, Projects, Query, Read, Row, RunError,
    Sort, Source, Start, Table, Value, fetch_all, run,
};

static THINGS: Table = Table {
    key: &["id"],
    indexes: &[
        Index {
            name: Some("byKindSize"),
            partition: Partition::Attributes(&["kind"]),
            range: &["size", "id"],
            projects: Projects::Attributes(&["color"]),
        },
        Index {
            name: Some("byShardSize"),
            partition: Partition::Shards("shard"),
            range: &["size", "id"],
            projects: Projects::Attributes(&["color"]),
        },
    ],
};
const SMALLEST: Sort = Sort::ascending("size");

fn n(number: u32) -> Value {
    Value::N(number.to_string())
}

fn id(number: u32) -> Value {
    Value::S(format!("t-{number:05}"))
}

fn position(number: u32) -> Position {
    Position(vec![n(number / 3), id(number)])
}

/// Numbered things of one kind, three of each size, in memory. `change` can spoil an answer.
struct Things {
    count: u32,
    /// Returns true if the filter lets a thing through.
    passes: fn(u32) -> bool,
    bytes: fn(u32) -> usize,
    /// True if a position has the bytes of its thing, and not none.
    positions_have_bytes: bool,
    expected: Option<usize>,
    /// The time of each call.
    call: Duration,
    change: fn(&mut Answer<u32>),
    log: Mutex<Log>,
}

#[derive(Default, Clone)]
struct Log {
    /// The number of each Query's first item, and its Limit.
    queries: Vec<(u32, u32)>,
    /// The keys of each fetch, and its attempt.
    fetches: Vec<(usize, u32)>,
    now: usize,
    most_at_once: usize,
}

impl Things {
    fn new(count: u32) -> Self {
        Self {
            count,
            passes: |_| true,
            bytes: |_| 100,
            positions_have_bytes: false,
            expected: None,
            call: Duration::ZERO,
            change: |_| {},
            log: Mutex::default(),
        }
    }

    fn log(&self) -> Log {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    async fn call(&self) {
        {
            let mut log = self.log.lock().unwrap();
            log.now += 1;
            log.most_at_once = log.most_at_once.max(log.now);
        }
        tokio::task::yield_now().await;
        if !self.call.is_zero() {
            tokio::time::sleep(self.call).await;
        }
        self.log.lock().unwrap().now -= 1;
    }
}

impl Source for Things {
    type Item = u32;
    type Error = Infallible;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<u32>, Infallible> {
        let (_, partition) = query.partition().next().unwrap();
        if *partition != Value::S("k".to_owned()) && *partition != n(0) {
            self.call().await;
            let mut answer = Answer { rows: Vec::new(), evaluated: 0, last: None };
            (self.change)(&mut answer);
            return Ok(answer);
        }
        let at = query
            .start
            .as_ref()
            .map(|start| start.iter().find(|(name, _)| *name == "id").unwrap().1.clone());
        let at = at.map(|at| {
            if let Value::S(at) = at { at[2..].parse::<u32>().unwrap() } else { panic!("{at:?}") }
        });
        let limit = query.limit as usize;
        let read: Vec<_> = if query.forward {
            (at.map_or(0, |at| at + 1)..self.count).take(limit).collect()
        } else {
            (0..at.unwrap_or(self.count)).rev().take(limit).collect()
        };
        let full = read.len() == limit;
        self.log.lock().unwrap().queries.push((at.map_or(0, |at| at + 1), query.limit));
        self.call().await;
        let rows =
            read.iter().copied().filter(|number| query.filter.is_none() || (self.passes)(*number));
        let rows = rows.map(|number| Row {
            position: position(number),
            item: number,
            bytes: if query.read == Read::Items || self.positions_have_bytes {
                (self.bytes)(number)
            } else {
                0
            },
        });
        let mut answer = Answer {
            rows: if query.read == Read::Count { Vec::new() } else { rows.collect() },
            evaluated: u32::try_from(read.len()).unwrap(),
            last: read.last().filter(|_| full).map(|number| position(*number)),
        };
        (self.change)(&mut answer);
        Ok(answer)
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<u32>>, Infallible> {
        assert!((1..=MAX_FETCH).contains(&fetch.keys.len()));
        assert_eq!(
            fetch.keys.iter().collect::<HashSet<_>>().len(),
            fetch.keys.len(),
            "DynamoDB refuses a key that stands twice"
        );
        self.log.lock().unwrap().fetches.push((fetch.keys.len(), fetch.attempt));
        self.call().await;
        let found = |key: &Vec<Value>| {
            let Value::S(text) = &key[0] else { panic!("{key:?}") };
            assert!((1..=2_048).contains(&text.len()), "DynamoDB refuses this key");
            let number = text
                .strip_prefix("t-")
                .and_then(|number| number.parse::<u32>().ok())
                .filter(|number| *number < self.count);
            number.map_or(Fetched::Missing, |number| Fetched::Found(number, (self.bytes)(number)))
        };
        Ok(fetch.keys.iter().map(found).collect())
    }

    fn expected_bytes(&self) -> Option<usize> {
        self.expected
    }
}

fn kind() -> Condition {
    Condition::equal("kind", Value::S("k".to_owned()))
}

fn plan(filtered: bool, wanted: &str) -> Plan {
    let color = Condition::equal("color", Value::S("red".to_owned()));
    let conditions = if filtered { vec![kind(), color] } else { vec![kind()] };
    Plan::new(&THINGS, &conditions, SMALLEST, [wanted], 1).unwrap()
}

fn limit(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).unwrap()
}

async fn page(
    things: &Things,
    plan: &Plan,
    start: &Start,
    most: u32,
    budget: &Budget,
) -> Page<u32> {
    run(things, plan, start, limit(most), budget).await.unwrap()
}

fn at(cursor: Option<Cursor>) -> Start {
    Start::At(cursor.unwrap())
}

#[tokio::test]
async fn a_page_whose_filter_passes_nothing_ends_after_four_rounds_and_the_next_begins_there() {
    let things = Things { passes: |_| false, ..Things::new(2_000_000) };
    let plan = plan(true, "color");
    let first = page(
        &things,
        &plan,
        &Start::First,
        10,
        &Budget { evaluated: 1_000_000, ..Budget::default() },
    )
    .await;
    let queries = things.log().queries;
    assert_eq!(queries.len(), 4, "{queries:?}");
    assert!(first.rows().is_empty() && !first.timed_out() && first.prev().is_none());
    let evaluated: u32 = queries.iter().map(|(_, limit)| limit).sum();
    page(&things, &plan, &at(first.next()), 10, &Budget::default()).await;
    assert_eq!(things.log().queries[0].0, evaluated, "no item is evaluated again");
}

#[tokio::test]
async fn no_round_is_spent_to_look_for_one_more_item_of_a_filtered_page() {
    let things = Things { passes: |number| number < 10, ..Things::new(1_000) };
    let full = page(&things, &plan(true, "color"), &Start::First, 10, &Budget::default()).await;
    assert_eq!(things.log().queries, [(0, 11)]);
    assert_eq!(full.next().unwrap().after, Some(position(9)));
    let empty = page(&things, &plan(true, "color"), &at(full.next()), 10, &Budget::default()).await;
    assert_eq!((empty.rows().len(), things.log().queries.len()), (0, 3));
}

#[tokio::test]
async fn a_short_page_is_not_read_again_from_its_last_row() {
    let things = Things { passes: |number| number == 3, ..Things::new(20_000) };
    let plan = plan(true, "color");
    let first = page(&things, &plan, &Start::First, 10, &Budget::default()).await;
    assert_eq!(first.rows().len(), 1);
    let evaluated: u32 = things.log().queries.iter().map(|(_, limit)| limit).sum();
    let second = page(&things, &plan, &at(first.next()), 10, &Budget::default()).await;
    assert_eq!(things.log().queries[0].0, evaluated);
    assert!(second.rows().is_empty());
    let ends = [second.prev(), second.next()].map(|cursor| cursor.unwrap().after);
    assert!(
        ends[0].is_some() && ends[0] == ends[1],
        "the way back begins where it ended: {ends:?}"
    );
    // And back: from the first item of the page, or from where it ended if it has none.
    let back = page(
        &things,
        &plan,
        &at(second.prev()),
        10,
        &Budget { rounds: 100, evaluated: 100_000, ..Budget::default() },
    )
    .await;
    assert_eq!(back.into_items(), [3]);
}

#[tokio::test]
async fn a_walk_can_turn_round_on_every_page() {
    let things = Things { passes: |number| number % 200 < 3, ..Things::new(2_000) };
    let all: Vec<_> = (0..2_000).filter(|number| number % 200 < 3).collect();
    let plan = plan(true, "color");
    // One round, so that most pages are empty.
    let small = Budget { rounds: 1, evaluated: 40, ..Budget::default() };
    let (mut start, mut seen) = (Start::First, Vec::new());
    loop {
        let here = page(&things, &plan, &start, 5, &small).await;
        if let Some(prev) = here.prev() {
            let mut back = Vec::new();
            let mut turned = Start::At(prev);
            loop {
                let page = page(&things, &plan, &turned, 5, &small).await;
                let prev = page.prev();
                back.splice(0..0, page.into_items());
                let Some(prev) = prev else { break };
                turned = Start::At(prev);
            }
            assert_eq!(back, seen, "all that came before the page, and nothing else");
        }
        let next = here.next();
        seen.extend(here.into_items());
        let Some(next) = next else { break };
        start = Start::At(next);
    }
    assert_eq!(seen, all);
}

/// Each call takes 40 ms. A slower machine leaves time for fewer rounds, and the assertions hold
/// there too.
#[tokio::test]
async fn a_slow_source_gives_short_pages_that_move_on_within_the_time() {
    for wanted in ["color", "text"] {
        for rounds_after in [0, 1] {
            let things = Things {
                passes: |number| number.is_power_of_two(),
                call: Duration::from_millis(40),
                ..Things::new(10_000_000)
            };
            let deadline = Some(Instant::now() + Duration::from_millis(220));
            let budget = Budget {
                rounds: 100,
                evaluated: 10_000_000,
                deadline,
                rounds_after,
                ..Budget::default()
            };
            let page = page(&things, &plan(true, wanted), &Start::First, 40, &budget).await;
            assert!(page.timed_out() && page.next().is_some(), "{wanted} {rounds_after}");
            assert!(
                (1..40).contains(&page.rows().len()),
                "{wanted} {rounds_after}: {}",
                page.rows().len()
            );
            let rounds =
                things.log().queries.len() + usize::from(wanted == "text") + rounds_after as usize;
            assert!(rounds <= 5, "{wanted} {rounds_after}: {rounds} rounds of 40 ms in 220 ms");
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_counted_in_time_is_no_mistake_of_the_caller() {
    let things = Things {
        call: Duration::from_millis(20),
        change: |answer| cut(answer, 1),
        ..Things::new(1_000)
    };
    let budget = Budget {
        rounds: 1_000,
        deadline: Some(Instant::now() + Duration::from_millis(100)),
        ..Budget::default()
    };
    let error = run(&things, &plan(false, "color"), &Start::Skip(500), limit(10), &budget)
        .await
        .unwrap_err();
    assert!(matches!(error, RunError::SkipTimedOut), "{error:?}");
    let budget = Budget { rounds: 2, ..Budget::default() };
    let error = run(&things, &plan(false, "color"), &Start::Skip(500), limit(10), &budget)
        .await
        .unwrap_err();
    assert!(matches!(error, RunError::SkipTooFar), "{error:?}");
}

/// Cuts a counting answer after this many items.
fn cut(answer: &mut Answer<u32>, to: u32) {
    if let Some([_, Value::S(last)]) = answer.last.as_ref().map(|last| last.0.as_slice()) {
        let number: u32 = last[2..].parse().unwrap();
        answer.last = Some(position(number + to - answer.evaluated));
        answer.evaluated = to;
    }
}

#[tokio::test]
async fn an_answer_that_does_not_move_on_is_an_error() {
    type Change = fn(&mut Answer<u32>);
    let changes: [(&str, Change); 9] = [
        ("a row comes twice", |answer| {
            let Row { position, item, bytes } = &answer.rows[0];
            answer.rows.insert(0, Row { position: position.clone(), item: *item, bytes: *bytes });
        }),
        ("rows are out of order", |answer| answer.rows.reverse()),
        ("rows that were read before", |answer| answer.rows[0].position = position(0)),
        ("a last row outside of the range", |answer| {
            answer.rows.last_mut().unwrap().position.0[0] = n(9_999);
            answer.last = None;
        }),
        ("LastEvaluatedKey is where the Query began", |answer| answer.last = Some(position(5))),
        ("LastEvaluatedKey is before the last row", |answer| {
            answer.last = Some(answer.rows[0].position.clone())
        }),
        ("LastEvaluatedKey is outside of the range", |answer| {
            answer.last = Some(Position(vec![n(9_999), id(1)]))
        }),
        ("no row and LastEvaluatedKey is where the Query began", |answer| {
            answer.rows.clear();
            answer.last = Some(position(5));
        }),
        ("no row and LastEvaluatedKey is before the Query", |answer| {
            answer.rows.clear();
            answer.last = Some(position(4));
        }),
    ];
    let to = Condition::at_most("size", n(500));
    let plan = Plan::new(&THINGS, &[kind(), to], SMALLEST, ["color"], 1).unwrap();
    let start =
        Start::At(Cursor { direction: pagination::Direction::Forward, after: Some(position(5)) });
    for (what, change) in changes {
        let things = Things { change, ..Things::new(100) };
        let error = run(&things, &plan, &start, limit(10), &Budget::default())
            .await
            .map(|page| page.into_items());
        assert!(matches!(error, Err(RunError::OutOfOrder)), "{what}: {error:?}");
        let things = Things { change, ..Things::new(100) };
        let counted: Change = |answer| answer.last = Some(position(0));
        let things = Things { change: counted, ..things };
        let error = run(
            &things,
            &plan,
            &Start::Skip(20),
            limit(10),
            &Budget { rounds: 50, ..Budget::default() },
        )
        .await;
        assert!(matches!(error, Err(RunError::OutOfOrder)), "counting: {error:?}");
    }
    let things = Things::new(100);
    assert_eq!(
        run(&things, &plan, &start, limit(10), &Budget::default()).await.unwrap().into_items(),
        (6..16).collect::<Vec<_>>()
    );
    // An answer without rows that moves on is right: the filter let nothing through.
    let things = Things { passes: |_| false, ..Things::new(100) };
    let red = Condition::equal("color", Value::S("red".to_owned()));
    let plan = Plan::new(&THINGS, &[kind(), red], SMALLEST, ["color"], 1).unwrap();
    assert!(
        run(&things, &plan, &start, limit(10), &Budget::default())
            .await
            .unwrap()
            .into_items()
            .is_empty()
    );
}

#[tokio::test]
async fn counts_that_are_too_large_do_not_wrap() {
    let red = Condition::equal("color", Value::S("red".to_owned()));
    for partitions in [1, 4] {
        let things = Things {
            passes: |_| false,
            change: |answer| answer.evaluated = u32::MAX / 2 + 1,
            ..Things::new(500)
        };
        let plan = Plan::new(&THINGS, std::slice::from_ref(&red), SMALLEST, ["color"], partitions)
            .unwrap();
        let budget = Budget { evaluated: u32::MAX, rounds: 9, ..Budget::default() };
        assert!(page(&things, &plan, &Start::First, 10, &budget).await.rows().is_empty());
    }
}

#[tokio::test]
async fn a_fetch_asks_for_what_the_page_can_hold() {
    let keys: Vec<_> = (0..100).map(|number| vec![id(number)]).collect();
    let budget = Budget::default();
    let asked = async |things: Things| {
        let all = fetch_all(&things, &THINGS, &keys, &budget).await.unwrap();
        let found = all.iter().take_while(|fetched| matches!(fetched, Fetched::Found(..))).count();
        assert!(all[found..].iter().all(|fetched| matches!(fetched, Fetched::Unprocessed)));
        (things.log().fetches.into_iter().map(|(keys, _)| keys).collect::<Vec<_>>(), found)
    };
    let large: fn(u32) -> usize = |_| 200_000;
    // Sizes are known from earlier calls: six items of 200 KB are more than a page.
    assert_eq!(
        asked(Things { bytes: large, expected: Some(200_000), ..Things::new(100) }).await,
        (vec![6], 6)
    );
    // Nothing is known.
    assert_eq!(asked(Things { bytes: large, ..Things::new(100) }).await, (vec![25], 25));
    assert_eq!(asked(Things::new(100)).await, (vec![25, 75], 100));
    // Small items, as expected.
    assert_eq!(asked(Things { expected: Some(500), ..Things::new(100) }).await, (vec![100], 100));
    // Items are smaller than expected, or larger.
    assert_eq!(
        asked(Things { expected: Some(400_000), ..Things::new(100) }).await,
        (vec![3, 97], 100)
    );
    assert_eq!(
        asked(Things { bytes: |_| 20_000, expected: Some(100_000), ..Things::new(100) }).await,
        (vec![11, 42], 53)
    );
    assert_eq!(asked(Things { expected: Some(0), ..Things::new(100) }).await, (vec![100], 100));
    // The first items do not exist any more.
    let none = Things { count: 0, ..Things::new(100) };
    fetch_all(&none, &THINGS, &keys, &budget).await.unwrap();
    assert_eq!(none.log().fetches, [(25, 0), (75, 0)]);
}

#[tokio::test]
async fn the_time_of_a_fetch_is_bounded_and_its_first_round_is_always_made() {
    let keys: Vec<_> = (0..100).map(|number| vec![id(number)]).collect();
    let past = Budget { deadline: Some(Instant::now()), ..Budget::default() };
    let things = Things::new(100);
    let all = fetch_all(&things, &THINGS, &keys, &past).await.unwrap();
    assert_eq!(all.iter().filter(|fetched| matches!(fetched, Fetched::Found(..))).count(), 25);
    let things = Things { call: Duration::from_millis(1), ..Things::new(1_000) };
    let cut = page(&things, &plan(false, "text"), &Start::First, 100, &past).await;
    assert!(cut.timed_out());
    assert_eq!(cut.next().unwrap().after, Some(position(24)));
    assert_eq!(cut.into_items(), (0..25).collect::<Vec<_>>());
    // A page that the bytes cut is the same at any time.
    let things = Things { bytes: |_| 200_000, ..Things::new(100) };
    assert!(
        !page(&things, &plan(false, "text"), &Start::First, 100, &Budget::default())
            .await
            .timed_out()
    );
}

#[tokio::test]
async fn a_page_holds_the_items_that_fit() {
    let covered = plan(false, "color");
    assert!(covered.is_covered());
    for (bytes, items) in [(0, 1), (99, 1), (199, 1), (200, 2), (299, 2), (300, 3), (9_000, 10)] {
        let budget = Budget { bytes, ..Budget::default() };
        let things = Things::new(100);
        let first = page(&things, &covered, &Start::First, 10, &budget).await;
        assert_eq!(first.rows().len(), items, "{bytes} bytes");
        assert_eq!(first.next().unwrap().after, Some(position(items as u32 - 1)));
        assert!(!first.timed_out());
        let second = page(&things, &covered, &at(first.next()), 10, &budget).await;
        assert_eq!(second.into_items()[0], items as u32);
    }
}

/// Items of exactly the budget have been read, and one key is left: it was the time that cut the
/// page, not the bytes.
#[tokio::test]
async fn a_page_that_the_time_cuts_says_so_up_to_its_last_byte() {
    let past = Some(Instant::now());
    for (bytes, timed_out) in [(100 * 25, true), (100 * 25 - 1, false), (1, false)] {
        let budget = Budget { bytes, deadline: past, ..Budget::default() };
        let things = Things::new(1_000);
        let cut = page(&things, &plan(false, "text"), &Start::First, 100, &budget).await;
        assert_eq!(cut.timed_out(), timed_out, "{bytes} bytes");
    }
    // One item of the expected size is more than the page holds, so that no other was asked for.
    let budget = Budget { bytes: 50, ..Budget::default() };
    let things = Things { expected: Some(100), ..Things::new(1_000) };
    let cut = page(&things, &plan(false, "text"), &Start::First, 100, &budget).await;
    assert_eq!((cut.rows().len(), cut.timed_out()), (1, false));
    assert_eq!(things.log().fetches, [(1, 0)]);
}

/// The positions of several partitions count against the bytes too. A walk to a page that they end
/// must not take the position at which they ended for the one that was asked for.
#[tokio::test]
async fn a_page_that_is_too_many_bytes_away_is_an_error() {
    let sharded = Plan::new(&THINGS, &[], SMALLEST, ["color"], 2).unwrap();
    let things = Things { positions_have_bytes: true, ..Things::new(100) };
    let skip = async |bytes| {
        let budget = Budget { bytes, ..Budget::default() };
        run(&things, &sharded, &Start::Skip(5), limit(1), &budget).await
    };
    assert_eq!(skip(1 << 20).await.unwrap().into_items(), [5]);
    assert!(matches!(skip(200).await, Err(RunError::SkipTooFar)));
}

#[tokio::test]
async fn keys_that_no_item_can_have_are_missing_and_a_key_is_asked_for_once() {
    let things = Things::new(10);
    let text = |text: &str| vec![Value::S(text.to_owned())];
    let keys = [id(1), id(2), id(1)].map(|id| vec![id]);
    let odd =
        [text(""), text(&"x".repeat(2_049)), vec![Value::Bool(true)], vec![], vec![id(3), id(4)]];
    let fine = [text(&"x".repeat(2_048)), text(&"é".repeat(1_024))];
    let all = fetch_all(&things, &THINGS, &[&keys[..], &odd, &fine].concat(), &Budget::default())
        .await
        .unwrap();
    let shown: String = all
        .iter()
        .map(|fetched| if matches!(fetched, Fetched::Found(..)) { '+' } else { '-' })
        .collect();
    assert_eq!(shown, "++--------");
    assert_eq!(things.log().fetches, [(4, 0)], "both ids, and the two that are just short enough");
    fetch_all(&things, &THINGS, &odd, &Budget::default()).await.unwrap();
    assert_eq!(things.log().fetches, []);

    static PAIRS: Table = Table { key: &["a", "b"], indexes: &[] };
    let pair = |b: Value| PAIRS.can_hold(&[Value::S("a".to_owned()), b]);
    assert!(pair(Value::S("x".repeat(1_024))) && pair(n(1)));
    assert!(
        !pair(Value::S("x".repeat(1_025)))
            && !pair(Value::S(String::new()))
            && !pair(Value::Bool(false))
    );
}

#[tokio::test]
async fn calls_side_by_side_are_bounded() {
    let things =
        Things { call: Duration::from_millis(5), expected: Some(1), ..Things::new(10_000) };
    let keys: Vec<_> = (0..1_000).map(|number| vec![id(number)]).collect();
    let all = fetch_all(&things, &THINGS, &keys, &Budget::default()).await.unwrap();
    assert!(all.iter().all(|fetched| matches!(fetched, Fetched::Found(..))));
    let log = things.log();
    assert_eq!((log.most_at_once, log.fetches.len()), (MAX_FETCHES_AT_ONCE, 10));
    let plan = Plan::new(&THINGS, &[], SMALLEST, ["color"], 50).unwrap();
    page(&things, &plan, &Start::First, 10, &Budget::default()).await;
    assert_eq!(things.log().most_at_once, MAX_QUERIES_AT_ONCE);
}
