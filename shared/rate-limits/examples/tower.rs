//! A quota for each caller in front of any HTTP service, with `tower` and `http` types.
//!
//! The counters are in this process here. In their place put the store that your processes share:
//! `ADD used :n` with `ReturnValues=UPDATED_NEW` in DynamoDB, `INCRBY` in Redis,
//! `INSERT … ON CONFLICT … RETURNING` in SQL.

#![expect(clippy::panic, reason = "an example ends with the first surprise")]

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use http::{HeaderName, Request, Response, StatusCode, header};
use rate_limits::{Asked, Book, Caller, Policy, Verdict, fields, retry_after};
use tower::{Service, ServiceExt, service_fn};

/// The shared counters, one for each caller and window.
#[derive(Debug, Clone, Default)]
pub struct Store(Arc<Mutex<HashMap<(Caller, u64), u64>>>);

impl Store {
    /// Adds to a counter and returns its new value; `None` if the store cannot be reached.
    async fn add(&self, key: (Caller, u64), units: u32) -> Option<u64> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = counters.entry(key).or_default();
        *used += u64::from(units);
        Some(*used)
    }
}

/// Decides on a request of `identity` and calls the service if it is admitted. If the store cannot
/// be reached, the request is admitted without the fields.
pub async fn limit<S>(
    book: &Book,
    store: &Store,
    identity: &str,
    service: S,
    request: Request<String>,
) -> Result<Response<String>, S::Error>
where
    S: Service<Request<String>, Response = Response<String>>,
{
    let policy = book.policy();
    let caller = policy.caller(identity);
    let verdict = match book.ask(caller, 1, SystemTime::now()) {
        Asked::Decided(verdict) => Some(verdict),
        Asked::Lease(lease) => match store.add(lease.key(), lease.units()).await {
            Some(used) => book.granted(lease, used),
            None => {
                book.failed(lease);
                None
            }
        },
    };
    let (mut response, standing) = match verdict {
        None => return service.oneshot(request).await,
        Some(Verdict::Admitted(standing)) => (service.oneshot(request).await?, standing),
        Some(Verdict::Refused(standing)) => {
            let mut response = Response::new(String::new());
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, retry_after(caller, standing));
            (response, standing)
        }
    };
    // Only because this service's answers are private. Never on what a shared cache may keep.
    response.headers_mut().extend(fields(policy, standing));
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Ok(policy) = Policy::new("caller", 3, 60) else { panic!("not a policy") };
    let (book, store) = (Book::new(policy), Store::default());
    let hello = service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new("hello\n".to_owned()))
    });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let Ok(response) = limit(&book, &store, "u-1", hello, Request::default()).await;
        let field = |name: HeaderName| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-")
        };
        println!(
            "{} {} retry-after: {}",
            response.status(),
            field(rate_limits::RATELIMIT),
            field(header::RETRY_AFTER)
        );
        statuses.push(response.status().as_u16());
    }
    // If the window ended meanwhile, more were admitted.
    assert!(statuses == [200, 200, 200, 429, 429] || statuses[..3] == [200; 3]);
}
