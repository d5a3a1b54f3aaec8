//! Lists of sharded indexes: the partitions are merged into one order.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{convert::Infallible, num::NonZeroU32};

use pagination::{
    Answer, Budget, Condition, Cursor, Direction, Fetch, Fetched, Index, Partition, Plan, Position,
    Projects, Query, Row, Sort, Source, Start, Table, Value, run,
};
use proptest::{collection::vec, prelude::*};

static THINGS: Table = Table {
    key: &["id"],
    indexes: &[Index {
        name: Some("byShardSize"),
        partition: Partition::Shards("shard"),
        range: &["size", "id"],
        projects: Projects::Attributes(&["color"]),
    }],
};

/// Numbered things, three of each size. Each stands in one of the partitions.
#[derive(Debug)]
struct Things {
    /// The partition of each thing.
    shards: Vec<u16>,
    /// True if the filter lets a thing through.
    passes: Vec<bool>,
}

fn position(number: usize) -> Position {
    Position(vec![Value::N((number / 3).to_string()), Value::S(format!("t-{number:05}"))])
}

impl Source for Things {
    type Item = usize;
    type Error = Infallible;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<usize>, Infallible> {
        let (_, shard) = query.partition().next().unwrap();
        let own = |number: &usize| *shard == Value::N(self.shards[*number].to_string());
        let at = query.start.as_ref().map(|start| {
            let (_, id) = start.iter().find(|(name, _)| *name == "id").unwrap();
            let Value::S(id) = id else { panic!("{id:?}") };
            id[2..].parse::<usize>().unwrap()
        });
        let limit = query.limit as usize;
        let read: Vec<_> = if query.forward {
            let from = at.map_or(0, |at| at + 1);
            (from..self.shards.len()).filter(own).take(limit).collect()
        } else {
            (0..at.unwrap_or(self.shards.len())).rev().filter(own).take(limit).collect()
        };
        let passes = |number: &usize| query.filter.is_none() || self.passes[*number];
        let row = |item: usize| Row { position: position(item), item, bytes: 100 };
        Ok(Answer {
            rows: read.iter().copied().filter(passes).map(row).collect(),
            evaluated: u32::try_from(read.len()).unwrap(),
            last: read.last().filter(|_| read.len() == limit).map(|number| position(*number)),
        })
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<usize>>, Infallible> {
        panic!("the index has all attributes: {fetch:?}")
    }
}

/// Returns the pages from one end of the list to the other, each with its items in the list's
/// order.
async fn walk(
    things: &Things,
    plan: &Plan,
    direction: Direction,
    limit: NonZeroU32,
) -> Vec<Vec<usize>> {
    let mut pages = Vec::new();
    let mut start = match direction {
        Direction::Forward => Start::First,
        Direction::Backward => Start::At(Cursor { direction, after: None }),
    };
    loop {
        let page = run(things, plan, &start, limit, &Budget::default()).await.unwrap();
        let follows = match direction {
            Direction::Forward => page.next(),
            Direction::Backward => page.prev(),
        };
        pages.push(page.into_items());
        let Some(cursor) = follows else { return pages };
        assert!(pages.len() <= 2 * things.shards.len() + 2, "a page moves on");
        start = Start::At(cursor);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever partition each item is in, all come once and in order, both ways. Without a filter
    /// every page but the last is full.
    #[test]
    fn a_walk_over_shards_is_exact_in_both_directions(
        things in vec((0..5_u16, any::<bool>()), 0..90),
        is_filtered in any::<bool>(),
        limit in 1..30_u32,
        partitions in 5..8_u16,
    ) {
        let (shards, passes): (Vec<_>, Vec<_>) = things.into_iter().unzip();
        let things = Things { shards, passes };
        let red = [Condition::equal("color", Value::S("red".to_owned()))];
        let conditions = if is_filtered { &red[..] } else { &[] };
        let plan =
            Plan::new(&THINGS, conditions, Sort::ascending("size"), ["color"], partitions).unwrap();
        let expected: Vec<_> =
            (0..things.shards.len()).filter(|i| !is_filtered || things.passes[*i]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limit = NonZeroU32::new(limit).unwrap();
            let pages = walk(&things, &plan, Direction::Forward, limit).await;
            assert_eq!(pages.concat(), expected);
            if !is_filtered {
                let full = limit.get() as usize;
                assert!(pages.iter().rev().skip(1).all(|page| page.len() == full), "{pages:?}");
            }
            let mut back = walk(&things, &plan, Direction::Backward, limit).await;
            back.reverse();
            assert_eq!(back.concat(), expected);
        });
    }
}
