//! Walks over random lists against an oracle in memory.
//!
//! Each case is one seed: a table of 0 to 2,000 products with heavy ties and missing attributes, N
//! shards, and walks over it with random filters, sort and limits that change on the way, forward
//! and back. A failure names its seed. `WALKS` sets the number of walks:
//! `WALKS=100000 cargo test --workspace --test bundle walks::random` is the long run.

mod indexes;

use std::num::NonZeroU32;

use dev::{database, template::Template};
use pagination::{
    Budget, Condition, Cursor, Order, Page, Plan, Predicate, Sealer, Sort, Start, Value, run,
};
use serde_json::json;
use shop::PRODUCTS;
use shop::random::Random;

use crate::direct::{Direct, item};

/// The oracle's record of a product.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: String,
    category: &'static str,
    brand: Option<&'static str>,
    price: String,
    rating: Option<u32>,
    stock: u32,
    created: String,
    shard: u16,
}

const CATEGORIES: [&str; 3] = ["laptops", "beauty", "one of a kind"];
const BRANDS: [&str; 3] = ["Apple", "Essence", "Rare"];

impl Product {
    pub(crate) fn random(random: &mut Random, number: usize, shards: u16) -> Self {
        let price = match random.below(4) {
            0 => "9.99".to_owned(),
            1 => format!("{}", random.below(3)),
            2 => format!("{}.5", random.below(2000)),
            _ => format!("{}", random.below(100)),
        };
        let day = if random.chance(2) { 1 } else { 1 + random.below(28) };
        Self {
            id: format!("p-{number}"),
            category: if random.chance(200) { CATEGORIES[2] } else { CATEGORIES[random.below(2)] },
            brand: (!random.chance(4))
                .then(|| if random.chance(50) { BRANDS[2] } else { BRANDS[random.below(2)] }),
            price,
            rating: (!random.chance(5)).then(|| u32::try_from(random.below(6)).unwrap()),
            stock: u32::try_from(random.below(3)).unwrap(),
            created: format!("2024-01-{day:02}T00:00:00.000Z"),
            shard: u16::try_from(random.below(usize::from(shards))).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = json!({
            "productId": self.id, "category": self.category, "stock": self.stock, "createdAt": self.created, "shard": self.shard,
            "name": format!("Product {}", self.id),
        });
        json["price"] = serde_json::from_str(&self.price).unwrap();
        if let Some(brand) = self.brand {
            json["brand"] = brand.into();
        }
        if let Some(rating) = self.rating {
            json["rating"] = rating.into();
        }
        json
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "category" => Some(Value::S(self.category.to_owned())),
            "brand" => self.brand.map(|brand| Value::S(brand.to_owned())),
            "price" => Some(Value::N(self.price.clone())),
            "rating" => self.rating.map(|rating| Value::N(rating.to_string())),
            "stock" => Some(Value::N(self.stock.to_string())),
            "createdAt" => Some(Value::S(self.created.clone())),
            other => panic!("{other}"),
        }
    }

    fn passes(&self, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| {
            self.attribute(condition.attribute)
                .is_some_and(|value| condition.predicate.holds(&value))
        })
    }
}

pub(crate) fn conditions(random: &mut Random) -> Vec<Condition> {
    let n = |text: String| Value::N(text);
    let mut all = Vec::new();
    let mut add = |attribute, predicate| all.push(Condition { attribute, predicate });
    if random.chance(2) {
        add("category", Predicate::Equal(Value::S((*random.pick(&CATEGORIES)).to_owned())));
    }
    if random.chance(3) {
        add(
            "price",
            Predicate::AtLeast(n(random.pick(&["0", "1", "9.99", "50", "1000"]).to_string())),
        );
    }
    if random.chance(3) {
        add(
            "price",
            Predicate::AtMost(n(random.pick(&["1", "2.0", "9.99", "75.5", "1500"]).to_string())),
        );
    }
    if random.chance(4) {
        add("brand", Predicate::Equal(Value::S((*random.pick(&BRANDS)).to_owned())));
    }
    if random.chance(5) {
        add("rating", Predicate::AtLeast(n(random.below(6).to_string())));
    }
    if random.chance(5) {
        let bound = |text: &str| n(text.to_owned());
        add(
            "stock",
            if random.chance(2) {
                Predicate::AtLeast(bound("1"))
            } else {
                Predicate::AtMost(bound("0"))
            },
        );
    }
    all
}

pub(crate) fn sorted<'a>(
    products: &'a [Product],
    conditions: &[Condition],
    sort: Sort,
) -> Vec<&'a Product> {
    let mut expected: Vec<_> =
        products.iter().filter(|product| product.passes(conditions)).collect();
    expected.sort_by(|a, b| {
        let key = |product: &Product| product.attribute(sort.attribute.unwrap()).unwrap();
        let order = key(a).order(&key(b)).then_with(|| a.id.cmp(&b.id));
        if sort.order == Order::Ascending { order } else { order.reverse() }
    });
    expected
}

/// The parameters with which a walk reads every page.
struct Walker<'a> {
    direct: &'a Direct,
    sealer: Sealer,
    plan: Plan,
    budget: Budget,
}

impl Walker<'_> {
    async fn page(&self, start: &Start, limit: u32) -> Page<String> {
        run(self.direct, &self.plan, start, NonZeroU32::new(limit).unwrap(), &self.budget)
            .await
            .unwrap()
    }

    /// Sealed and opened again, as when a caller sends it back.
    fn round_trip(&self, cursor: Cursor) -> Start {
        let text = self.sealer.seal(&cursor, &self.plan, &[b"test"]).unwrap();
        let opened = self.sealer.open(&text, &self.plan, &[b"test"]).unwrap();
        assert_eq!(opened, cursor);
        Start::At(opened)
    }
}

fn limit(random: &mut Random) -> u32 {
    match random.below(5) {
        0 => 1 + u32::try_from(random.below(3)).unwrap(),
        1 => 100,
        _ => 1 + u32::try_from(random.below(60)).unwrap(),
    }
}

/// One walk forward to the end, then back to the start, each with limits that change.
async fn walk(walker: &Walker<'_>, expected: &[&str], random: &mut Random) {
    let filtered = !walker.plan.is_unfiltered();
    let ample = walker.budget.evaluated > 100;
    let mut seen = Vec::new();
    let mut start = Start::First;
    let mut last;
    loop {
        let limit = limit(random);
        let page = walker.page(&start, limit).await;
        let (next, prev) = (page.next(), page.prev());
        let items = page.into_items();
        assert!(items.len() <= limit as usize);
        assert_eq!(prev.is_some(), start != Start::First, "every page but the first has a prev");
        let full = items.len() == limit as usize;
        assert!(
            filtered || next.is_none() || full || !ample,
            "an unfiltered page is full unless it is the last"
        );
        assert!(filtered || full || next.is_some() || seen.len() + items.len() == expected.len());
        seen.extend(items);
        last = prev;
        match next {
            Some(next) => {
                assert!(
                    filtered || !ample || seen.len() < expected.len(),
                    "next leads to another item"
                );
                start = walker.round_trip(next);
            }
            None => break,
        }
        assert!(seen.len() <= expected.len(), "more than there is");
    }
    assert_eq!(seen, expected);

    // Back from the last page. The items of that page are not part of the way back.
    let Some(prev) = last else { return };
    let mut back = Vec::new();
    let mut start = walker.round_trip(prev);
    loop {
        let limit = limit(random);
        let page = walker.page(&start, limit).await;
        let (next, prev) = (page.next(), page.prev());
        let from_the_end = matches!(&start, Start::At(cursor) if cursor.after.is_none());
        assert!(
            next.is_some() || from_the_end,
            "a page that a prev led to has a next, unless it is the last page"
        );
        let items = page.into_items();
        assert!(items.len() <= limit as usize);
        back.splice(0..0, items);
        match prev {
            Some(prev) => start = walker.round_trip(prev),
            None => break,
        }
    }
    assert_eq!(back, expected[..back.len()], "the same list, from its start");
    assert!(expected.len() - back.len() <= 100, "all but the last page");
}

/// One table and several walks over it.
async fn case(seed: u64, walks: usize) {
    let mut random = Random(seed);
    let shards = 1 + u16::try_from(random.below(8)).unwrap();
    let size = match random.below(10) {
        0 => random.below(3),
        1 => 1_000 + random.below(1_001),
        _ => random.below(300),
    };
    let products: Vec<_> =
        (0..size).map(|number| Product::random(&mut random, number, shards)).collect();
    let direct = table(&products);
    for _ in 0..walks {
        let conditions = conditions(&mut random);
        let attribute = if random.chance(2) { "price" } else { "createdAt" };
        let order = if random.chance(2) { Order::Ascending } else { Order::Descending };
        let sort = Sort { attribute: Some(attribute), order };
        let wanted = if random.chance(6) { "description" } else { "name" };
        let plan = Plan::new(&PRODUCTS.table, &conditions, sort, [wanted], shards).unwrap();
        let budget = if random.chance(4) {
            Budget { rounds: 1, evaluated: 40, ..Budget::default() }
        } else {
            Budget::default()
        };
        let walker = Walker { direct: &direct, sealer: sealer(), plan, budget };
        let expected = sorted(&products, &conditions, sort);
        let expected: Vec<_> = expected.iter().map(|product| product.id.as_str()).collect();
        // With so small a budget, even an unfiltered merge may return a short page.
        if budget.rounds == 1 && walker.plan.partitions() > 1 {
            union_of_pages(&walker, &expected, &mut random).await;
        } else {
            walk(&walker, &expected, &mut random).await;
        }
    }
}

/// Checks only the rules that hold under any budget: each item once, in order, and an end.
async fn union_of_pages(walker: &Walker<'_>, expected: &[&str], random: &mut Random) {
    let (mut seen, mut start) = (Vec::new(), Start::First);
    loop {
        let page = walker.page(&start, limit(random)).await;
        let next = page.next();
        seen.extend(page.into_items());
        match next {
            Some(next) => start = walker.round_trip(next),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

fn sealer() -> Sealer {
    Sealer::new("a secret of the walks, long enough to be one", None).unwrap()
}

fn table(products: &[Product]) -> Direct {
    let template = Template::parse(shop::TEMPLATE).unwrap();
    let db = database::open(None).unwrap();
    database::create_tables(&db, &template).unwrap();
    let direct = Direct::new(db.0, "products");
    for chunk in products.chunks(500) {
        direct.put(chunk.iter().map(|product| item(&product.json())).collect());
    }
    direct
}

#[test]
fn random_lists_are_walked_exactly() {
    let (walks, cases) = in_parallel(case);
    println!(
        "{walks} walks over {cases} tables, forward and back: each item exactly once, in order"
    );
}

/// Runs cases of ten walks each in parallel until `WALKS` walks are done, 2,000 unless set, and
/// returns the numbers of walks and cases.
fn in_parallel<F: Future<Output = ()>>(case: impl Fn(u64, usize) -> F + Sync) -> (usize, u64) {
    const WALKS_PER_TABLE: usize = 10;
    let walks =
        std::env::var("WALKS").ok().and_then(|walks| walks.parse().ok()).unwrap_or(2_000_usize);
    let first: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let cases = (walks / WALKS_PER_TABLE) as u64;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for thread in 0..threads as u64 {
            let case = &case;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for seed in (first..first + cases).filter(|seed| seed % threads as u64 == thread) {
                    let run = std::panic::AssertUnwindSafe(|| runtime.block_on(case(seed, WALKS_PER_TABLE)));
                    let outcome = std::panic::catch_unwind(run);
                    assert!(outcome.is_ok(), "the case of SEED={seed} fails; run it alone with SEED={seed} WALKS={WALKS_PER_TABLE}");
                }
            });
        }
    });
    (walks, cases)
}

/// Items that do not change come exactly once, whatever is inserted, deleted and moved during the
/// walk.
#[tokio::test]
async fn writes_in_between_disturb_only_what_they_touch() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let shards = 1 + u16::try_from(random.below(4)).unwrap();
        let products: Vec<_> =
            (0..300).map(|number| Product::random(&mut random, number, shards)).collect();
        let direct = table(&products);
        let sort = Sort {
            attribute: Some("price"),
            order: if random.chance(2) { Order::Ascending } else { Order::Descending },
        };
        let plan = Plan::new(&PRODUCTS.table, &[], sort, ["name"], shards).unwrap();
        let walker = Walker { direct: &direct, sealer: sealer(), plan, budget: Budget::default() };
        let mut touched: Vec<String> = Vec::new();
        let (mut seen, mut start) = (Vec::new(), Start::First);
        let mut number = products.len();
        loop {
            let page = walker.page(&start, 1 + u32::try_from(random.below(20)).unwrap()).await;
            let next = page.next();
            seen.extend(page.into_items());
            let Some(next) = next else { break };
            start = walker.round_trip(next);
            for _ in 0..3 {
                let victim = random.pick(&products).clone();
                touched.push(victim.id.clone());
                match random.below(3) {
                    0 => direct.delete(&[("productId", &victim.id)]),
                    1 => direct.put(vec![item(
                        &Product { price: random.below(2000).to_string(), ..victim }.json(),
                    )]),
                    _ => {
                        let new = Product::random(&mut random, number, shards);
                        number += 1;
                        direct.put(vec![item(&new.json())]);
                    }
                }
            }
        }
        let untouched = sorted(&products, &[], sort);
        let untouched: Vec<_> = untouched
            .iter()
            .map(|product| &product.id)
            .filter(|id| !touched.contains(id))
            .collect();
        let old = |id: &&String| {
            !touched.contains(id) && products.iter().any(|product| product.id == **id)
        };
        assert_eq!(seen.iter().filter(old).collect::<Vec<_>>(), untouched, "seed {seed}");
    }
}

/// The readers get the new number of shards first: a walk with a cursor from two shards continues
/// exactly when four are read.
#[tokio::test]
async fn a_cursor_survives_more_shards() {
    let mut random = Random(7);
    let products: Vec<_> = (0..200).map(|number| Product::random(&mut random, number, 2)).collect();
    let direct = table(&products);
    let sort = Sort::ascending("price");
    let walker = |shards| Walker {
        direct: &direct,
        sealer: sealer(),
        plan: Plan::new(&PRODUCTS.table, &[], sort, ["name"], shards).unwrap(),
        budget: Budget::default(),
    };
    let page = walker(2).page(&Start::First, 30).await;
    let mut start = walker(2).round_trip(page.next().unwrap());
    let mut seen = page.into_items();
    loop {
        let page = walker(4).page(&start, 30).await;
        let next = page.next();
        seen.extend(page.into_items());
        match next {
            Some(next) => start = walker(4).round_trip(next),
            None => break,
        }
    }
    assert_eq!(
        seen,
        sorted(&products, &[], sort).iter().map(|product| product.id.clone()).collect::<Vec<_>>()
    );
}

/// Pages by number agree with pages by cursor, over one shard (counted) and several (merged).
#[tokio::test]
async fn pages_by_number_agree_with_the_walk() {
    for shards in [1, 3] {
        let mut random = Random(11);
        let products: Vec<_> =
            (0..230).map(|number| Product::random(&mut random, number, shards)).collect();
        let direct = table(&products);
        let sort = Sort::descending("createdAt");
        let plan = Plan::new(&PRODUCTS.table, &[], sort, ["name"], shards).unwrap();
        let walker = Walker { direct: &direct, sealer: sealer(), plan, budget: Budget::default() };
        let expected = sorted(&products, &[], sort);
        for page in 0..7 {
            let read = walker.page(&Start::Skip(page * 40), 40).await;
            let from = (page as usize * 40).min(expected.len());
            let to = (from + 40).min(expected.len());
            assert_eq!(read.prev().is_some(), page > 0);
            assert_eq!(read.next().is_some(), to < expected.len());
            if let (Some(prev), true) = (read.prev(), from == expected.len()) {
                let back = walker.page(&walker.round_trip(prev), 10).await.into_items();
                assert_eq!(
                    back,
                    expected[expected.len() - 10..]
                        .iter()
                        .map(|product| product.id.clone())
                        .collect::<Vec<_>>()
                );
            }
            assert_eq!(
                read.into_items(),
                expected[from..to].iter().map(|product| product.id.clone()).collect::<Vec<_>>()
            );
        }
    }
}
