//! Many requests to one process: each is answered, and its memory does not grow.
//!
//! `REQUESTS` sets their number. The long run, in a build of its own that is optimised but keeps
//! the checks of a debug build:
//!
//! ```sh
//! REQUESTS=1000000 CARGO_PROFILE_DEV_OPT_LEVEL=2 cargo test --workspace --test bundle \
//!     --target-dir target/soak -- --nocapture soak::
//! ```

use std::time::Instant;

use serde_json::json;
use shop::random::Random;

use crate::{
    hostile::process::Function,
    stack::{Stack, event},
};

/// The memory that a process may gain after its first fifth of the requests: allocators keep some
/// of what was free.
const GAIN_KB: u64 = 4_096;

/// Resident memory of a process in KB.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok()
    })
}

#[test]
fn many_requests_to_one_process_leave_its_memory_as_it_was() {
    let requests: u64 =
        std::env::var("REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let stack = Stack::shop();
    let mut function = Function::start(&shop::LIST_PRODUCTS, &stack);
    let mut random = Random(1);
    let began = Instant::now();
    let (mut base, mut cursor) = (None, None);
    let tenth = requests.div_ceil(10);
    let mut statuses = std::collections::BTreeMap::<u16, u64>::new();
    for number in 0..requests {
        let query = match random.below(10) {
            0 => "limit=100".to_owned(),
            1 => "category=beauty&sort=price_asc&limit=10".to_owned(),
            2 => "fields=productId,description&limit=20".to_owned(),
            3 => "brand=Rare&minRating=1".to_owned(),
            4 => "page=3&limit=10".to_owned(),
            5 => "limit=0&nonsense=1".to_owned(),
            6 => cursor
                .take()
                .map_or_else(|| "limit=7".to_owned(), |cursor| format!("limit=7&cursor={cursor}")),
            7 => format!("category={}", random.number()),
            8 => "x".repeat(random.below(5_000)),
            _ => String::new(),
        };
        let accepts = if random.chance(2) { "gzip" } else { "identity" };
        let mut event = event("/v1/products", None, &query, None, &[("accept-encoding", accepts)]);
        event["requestContext"]["http"]["method"] =
            json!(if random.chance(20) { "HEAD" } else { "GET" });
        let answer = function.answer(&event.to_string());
        assert!(
            [200, 400, 414].contains(&answer.status),
            "request {number}, {query}: {} {}",
            answer.status,
            answer.body
        );
        *statuses.entry(answer.status).or_default() += 1;
        if query.starts_with("limit=7") && answer.status == 200 && !answer.body.is_empty() {
            cursor = answer.next();
        }
        if number == requests / 5 {
            base = resident(function.id());
        }
        if (number + 1) % tenth == 0 {
            let memory = resident(function.id());
            println!("{} requests in {:.0?}: {memory:?} KB", number + 1, began.elapsed());
        }
    }
    function.still_runs_as();
    let end = resident(function.id());
    println!(
        "{requests} requests in {:?}, statuses {statuses:?}, memory {base:?} KB and {end:?} KB at the end",
        began.elapsed()
    );
    if let (Some(base), Some(end)) = (base, end) {
        assert!(end <= base + GAIN_KB, "{base} KB have become {end} KB");
    }
}
