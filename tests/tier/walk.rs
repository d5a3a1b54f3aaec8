//! Whole walks through the handlers, with a tier between them and DynamoDB: random lists, filters,
//! sorts, shards and limits against the oracle of `walks`.

use api::App;
use pagination::{Condition, Order, Predicate, Sort, Value};
use shop::random::Random;

use super::{fake::Fake, products, send};
use crate::{
    stack::Stack,
    walks::{Product, conditions, sorted},
};

/// Writes conditions as query parameters.
fn filters(conditions: &[Condition]) -> String {
    let filter = |Condition { attribute, predicate }: &Condition| {
        let (suffix, value) = match predicate {
            Predicate::Equal(value) => ("", value),
            Predicate::AtLeast(value) => ("min", value),
            Predicate::AtMost(value) => ("max", value),
            other => panic!("{other:?}"),
        };
        let value = match value {
            Value::S(text) => text.replace(' ', "%20"),
            Value::N(text) => text.clone(),
            Value::Bool(_) => panic!("no product has one"),
        };
        match (*attribute, suffix) {
            ("price", "min") => format!("&minPrice={value}"),
            ("price", "max") => format!("&maxPrice={value}"),
            ("rating", "min") => format!("&minRating={value}"),
            ("stock", "min") => "&inStock=true".to_owned(),
            ("stock", "max") => "&inStock=false".to_owned(),
            (equal, _) => format!("&{equal}={value}"),
        }
    };
    conditions.iter().map(filter).collect()
}

/// The items that a walk has read, and the number of its pages that the tier answered.
struct Walked {
    forward: Vec<String>,
    back: Vec<String>,
    pages: u32,
    hits: u32,
}

/// Walks to the end and back, each page by another of the processes.
async fn walk(processes: &[App], query: &str, limits: u64) -> Option<Walked> {
    let mut random = Random(limits);
    let mut walked = Walked { forward: Vec::new(), back: Vec::new(), pages: 0, hits: 0 };
    let (mut cursor, mut last) = (String::new(), None);
    for is_back in [false, true] {
        loop {
            let limit = if random.chance(5) { 100 } else { 1 + random.below(60) };
            let app = &processes[walked.pages as usize % processes.len()];
            let sent = send(app, &products(&format!("limit={limit}{query}{cursor}"))).await;
            if sent.answer.status == 400 && walked.pages == 0 {
                // A range whose ends are reversed.
                return None;
            }
            assert_eq!(sent.answer.status, 200, "{query}: {}", sent.answer.body);
            walked.pages += 1;
            walked.hits += u32::from(sent.line["cacheTier"] == "hit");
            let ids = sent.answer.ids("productId");
            let next = if is_back {
                walked.back.splice(0..0, ids);
                sent.answer.prev()
            } else {
                walked.forward.extend(ids);
                last = sent.answer.prev();
                sent.answer.next()
            };
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        match &last {
            Some(prev) => cursor = format!("&cursor={prev}"),
            None => break,
        }
    }
    Some(walked)
}

/// Runs cases: a table each, and walks over it, each of them twice with the same limits.
pub(super) async fn walks(url: &str, cases: u64, walks: u32) {
    let (mut pages, mut hits, mut again) = (0, 0, 0);
    for seed in 1..=cases {
        let mut random = Random(seed);
        let shards = 1 + u16::try_from(random.below(4)).unwrap();
        let size = random.below(250);
        let all: Vec<_> =
            (0..size).map(|number| Product::random(&mut random, number, shards)).collect();
        let mut stack = Stack::empty().with_tier(url);
        stack.shards = shards;
        stack.put("products", all.iter().map(Product::json));
        let processes = [stack.app(&shop::LIST_PRODUCTS), stack.app(&shop::LIST_PRODUCTS)];
        for _ in 0..walks {
            let conditions = conditions(&mut random);
            let (attribute, name) = if random.chance(2) {
                ("price", ["price_asc", "price_desc"])
            } else {
                ("createdAt", ["oldest", "newest"])
            };
            let is_descending = random.chance(2);
            let order = if is_descending { Order::Descending } else { Order::Ascending };
            let expected = sorted(&all, &conditions, Sort { attribute: Some(attribute), order });
            let expected: Vec<_> = expected.iter().map(|product| product.id.as_str()).collect();
            let sort = name[usize::from(is_descending)];
            // Every third walk fetches by key.
            let fields = if random.chance(3) { "productId,description" } else { "productId" };
            let query = format!("&sort={sort}&fields={fields}{}", filters(&conditions));
            let limits = random.number();
            for is_again in [false, true] {
                let Some(walked) = walk(&processes, &query, limits).await else { break };
                assert_eq!(walked.forward, expected, "SEED={seed} {query}");
                assert_eq!(walked.back, expected[..walked.back.len()], "SEED={seed} {query}");
                pages += walked.pages;
                hits += walked.hits;
                if is_again {
                    again += walked.pages;
                }
            }
        }
    }
    println!("{pages} pages, {again} of them for the second time; {hits} hits");
    // On a busy machine the tier is left alone for a while.
    assert!(hits * 2 > again, "{hits} of {again} pages were hits");
}

#[tokio::test]
async fn walks_over_a_tier_are_exact() {
    let fake = Fake::start();
    walks(&fake.url(), 8, 4).await;
}
