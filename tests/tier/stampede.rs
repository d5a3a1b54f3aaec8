//! Many processes that want the same answer: how many of them read it from DynamoDB.

use std::time::{Duration, Instant};

use api::App;
use futures_util::future::join_all;
use xxhash_rust::xxh3::xxh3_64;

use super::{kept_for, products, send_as};
use crate::{
    proxy::{Fault, Proxy},
    stack::Stack,
};

/// The number of processes.
const PROCESSES: usize = 50;
/// The time that a read of DynamoDB takes.
const READ: Duration = Duration::from_millis(50);

/// The ids of requests.
#[derive(Debug, Clone, Copy)]
enum Ids {
    /// As Lambda makes them: each request draws by chance.
    Any,
    /// Only those that never refresh an entry before its end.
    NeverEarly,
}

impl Ids {
    fn next(self, number: &mut u64) -> String {
        loop {
            *number += 1;
            let id = format!("r-{number}");
            // Draws of nearly 1: see `Draw` in shared/api/src/tier/entry.rs.
            if matches!(self, Self::Any) || xxh3_64(id.as_bytes()) > u64::MAX - u64::MAX / 1_000 {
                return id;
            }
        }
    }
}

/// Processes over one table, each read of which is slow.
fn processes(url: &str, seconds: u32) -> (Stack, Proxy, Vec<App>) {
    let mut stack = Stack::shop().with_tier(url);
    let proxy = Proxy::before(&stack.local.url, &[]);
    stack.local.url.clone_from(&proxy.url);
    proxy.always("query", Fault::Slow(READ), u32::MAX);
    let route = kept_for(seconds);
    let apps = (0..PROCESSES).map(|_| stack.app(route)).collect();
    (stack, proxy, apps)
}

/// Counts the reads of 50 processes that have nothing and ask at once: at most one each, and then
/// none.
pub(super) async fn at_once(url: &str) -> usize {
    let (_stack, proxy, apps) = processes(url, 60);
    let (event, left) = (products("limit=5"), Duration::from_secs(5));
    let ask = || join_all(apps.iter().map(|app| send_as(app, &event, "r-1", left)));
    let first = ask().await;
    assert!(first.iter().all(|sent| sent.seen() == first[0].seen()));
    let reads = proxy.calls().len();
    assert!(reads <= PROCESSES, "{reads} reads");
    let second = ask().await;
    // On a busy machine the tier is left alone by some of them.
    let late = second.iter().filter(|sent| sent.line["cacheTier"] == "open").count();
    assert!(proxy.calls().len() == late && late < PROCESSES / 2, "{late} of the second time");
    reads
}

/// Counts the reads of 50 processes that use an entry while it ends four times.
async fn at_the_end(url: &str, ids: Ids) -> usize {
    let (_stack, proxy, apps) = processes(url, 1);
    let (event, left) = (products("limit=5"), Duration::from_secs(5));
    send_as(&apps[0], &event, "r-1", left).await;
    proxy.calls();
    let until = Instant::now() + Duration::from_millis(4_500);
    let one = async |index: usize| {
        let mut number = u64::try_from(index).unwrap() << 32;
        while Instant::now() < until {
            let sent = send_as(&apps[index], &event, &ids.next(&mut number), left).await;
            assert_eq!(sent.answer.status, 200);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    join_all((0..PROCESSES).map(one)).await;
    proxy.calls().len()
}

/// Compares the two.
pub(super) async fn with_and_without_early_refresh(url: &str) {
    let (early, never) = (at_the_end(url, Ids::Any).await, at_the_end(url, Ids::NeverEarly).await);
    println!("an entry that ends: {early} reads with early refresh, {never} without");
    // On a machine with nothing else to do it is a tenth. On a busy one a read takes longer.
    assert!(early * 4 < never * 3, "{early} reads with early refresh, {never} without");
}
