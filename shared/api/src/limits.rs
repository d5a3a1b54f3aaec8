//! Quotas of callers: where the decisions of `rate_limits` meet DynamoDB.
//!
//! A request that needs no write is decided at once. Otherwise the write that takes a lease and the
//! read of the request run side by side, so that an admitted request takes no round more. What is
//! wrong with the limiter's table never becomes the caller's problem: without an answer the request
//! is admitted, and the log line says so. The one exception is a table that throttles the caller's
//! own key.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use aws_sdk_dynamodb::{
    config::{http::HttpResponse, retry::RetryConfig},
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput},
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValue},
};
use rate_limits::{Asked, Book, Caller, Lease, Policy, Verdict};

use crate::config::LimitsConfig;
use crate::dynamodb::ReadError;
use crate::http::counted::Counted;
use crate::http::{Principal, Request};
use crate::meter::Meter;
use crate::route::{Access, Quota, Route};

/// The time that the write of a lease may take. Then the request is admitted without it.
const WRITE_TIME: Duration = Duration::from_millis(100);
/// The time after a failed write in which the process admits requests without another, so that a
/// table that hangs delays one request a second and not all.
const PAUSE: Duration = Duration::from_secs(1);

/// The quotas of one function.
#[derive(Debug)]
pub(crate) struct Limits {
    table: String,
    caller: Option<Book>,
    service: Option<Book>,
    address: Option<Book>,
    /// No write before this time.
    paused_until: Mutex<Option<Instant>>,
}

/// The answer to the question whether a request may be read.
pub(crate) enum Admission<'a> {
    /// No quota counts it.
    Free,
    /// The process can decide alone.
    Decided(Counted),
    /// The table must be asked, with [`Limits::take`].
    Lease(&'a Book, Lease),
}

impl Limits {
    /// Makes the quotas of a function; `None` if it has none, and then nothing here costs anything.
    pub(crate) fn new(config: Option<&LimitsConfig>) -> Option<Self> {
        let LimitsConfig { table, caller, service, address } = config?;
        let book = |policy: &Option<Policy>| policy.map(Book::new);
        Some(Self {
            table: table.clone(),
            caller: book(caller),
            service: book(service),
            address: book(address),
            paused_until: Mutex::default(),
        })
    }

    /// Asks for the cost of a request.
    pub(crate) fn ask(&self, route: &Route, request: &Request, cost: u32) -> Admission<'_> {
        let Some((book, identity)) = self.who(route, request) else { return Admission::Free };
        let caller = book.policy().caller(&identity);
        match book.ask(caller, cost, SystemTime::now()) {
            Asked::Decided(verdict) => Admission::Decided(counted(*book.policy(), caller, verdict)),
            Asked::Lease(lease) if self.is_paused() => {
                book.failed(lease);
                Admission::Decided(Counted::Open)
            }
            Asked::Lease(lease) => Admission::Lease(book, lease),
        }
    }

    /// Returns the book and the identity of the caller of a request.
    fn who(&self, route: &Route, request: &Request) -> Option<(&Book, String)> {
        match route.quota {
            Quota::None => None,
            Quota::PerCaller(_) => {
                let principal = request.principal()?;
                if principal.is_service {
                    return Some((self.service.as_ref()?, format!("sub={}", principal.subject)));
                }
                Some((self.caller.as_ref()?, identity(principal, route.access)))
            }
            Quota::PerAddress(_) => {
                Some((self.address.as_ref()?, network(request.address()?)?.to_string()))
            }
        }
    }

    /// Writes a lease, and returns what that means for its request. It takes at most
    /// [`WRITE_TIME`], and never longer than the request has.
    pub(crate) async fn take(
        &self,
        client: &aws_sdk_dynamodb::Client,
        request: &Request,
        book: &Book,
        lease: Lease,
    ) -> Counted {
        let (caller, _) = lease.key();
        let until = request.deadline.min(Instant::now() + WRITE_TIME);
        let call = self.write(client, &lease);
        let in_flight = request.meter.begin();
        let written = tokio::time::timeout_at(until.into(), call).await;
        drop(in_flight);
        let failure = match written {
            Ok(Ok(answer)) => {
                let verdict = used(&answer, &request.meter)
                    .and_then(|used| book.granted(lease, used))
                    .map(|verdict| counted(*book.policy(), caller, verdict));
                match verdict {
                    Some(counted) => return counted,
                    None => "an answer without the counter".to_owned(),
                }
            }
            Ok(Err(error)) if throttles_the_key(&error) => {
                tracing::warn!("the quota's table throttles the caller's key: refused");
                let standing = book.throttled(lease, SystemTime::now());
                return Counted::Refused(*book.policy(), standing, caller);
            }
            Ok(Err(error)) => {
                book.failed(lease);
                ReadError::from(error).to_string()
            }
            Err(_) => {
                book.failed(lease);
                format!("no answer within {} ms", WRITE_TIME.as_millis())
            }
        };
        tracing::error!(error = failure, "the quota's table: the request is not counted");
        *self.paused() = Some(Instant::now() + PAUSE);
        Counted::Open
    }

    /// Adds the lease's units to the caller's counter. One attempt: an addition that is repeated
    /// could count twice.
    fn write(
        &self,
        client: &aws_sdk_dynamodb::Client,
        lease: &Lease,
    ) -> Pin<Box<dyn Future<Output = Result<UpdateItemOutput, WriteError>> + Send>> {
        let (caller, window) = lease.key();
        let call = client
            .update_item()
            .table_name(&self.table)
            .key("caller", AttributeValue::S(caller.to_string()))
            .key("window", AttributeValue::N(window.to_string()))
            .update_expression("ADD #u :n SET #e = :e")
            .expression_attribute_names("#u", "used")
            .expression_attribute_names("#e", "expires")
            .expression_attribute_values(":n", AttributeValue::N(lease.units().to_string()))
            .expression_attribute_values(":e", AttributeValue::N(lease.expires().to_string()))
            .return_values(ReturnValue::UpdatedNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        // Boxed, because the type of the call is large (see `body_of`).
        Box::pin(call.customize().config_override(once).send())
    }

    fn is_paused(&self) -> bool {
        self.paused().is_some_and(|until| Instant::now() < until)
    }

    fn paused(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type WriteError = SdkError<UpdateItemError, HttpResponse>;

fn counted(policy: Policy, caller: Caller, verdict: Verdict) -> Counted {
    match verdict {
        Verdict::Admitted(standing) => Counted::Admitted(policy, standing),
        Verdict::Refused(standing) => Counted::Refused(policy, standing, caller),
    }
}

/// Returns the text that identifies a caller: the claim that the route's owners are named by, or
/// `sub`. The claim's name is part of it, so that a tenant and a subject of the same text are two.
fn identity(principal: &Principal, access: Access) -> String {
    match (access, principal.own()) {
        (Access::Owner { claim, .. }, Some(own)) => format!("{claim}={own}"),
        _ => format!("sub={}", principal.subject),
    }
}

/// Returns the network that counts as one caller: an address of IPv4, or a /64 of IPv6, which is
/// the least that one customer gets (RFC 6177).
fn network(address: &str) -> Option<IpAddr> {
    match address.parse().ok()? {
        IpAddr::V4(address) => Some(IpAddr::V4(address)),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => Some(IpAddr::V4(mapped)),
            None => Some(IpAddr::V6((address.to_bits() >> 64 << 64).into())),
        },
    }
}

/// Returns the counter after the write, and counts what the write cost.
fn used(answer: &UpdateItemOutput, meter: &Meter) -> Option<u64> {
    if let Some(units) = answer.consumed_capacity().and_then(|spent| spent.capacity_units()) {
        meter.add_write_units(units);
    }
    answer.attributes()?.get("used")?.as_n().ok()?.parse().ok()
}

/// Returns true if DynamoDB throttles the key of this caller and not the table or the account. An
/// error that does not say which is taken for one of the key: on an on-demand table that is the
/// first limit that a single caller meets.
fn throttles_the_key(error: &WriteError) -> bool {
    let Some(service) = error.as_service_error() else { return false };
    let reasons = match service {
        UpdateItemError::ProvisionedThroughputExceededException(error) => {
            error.throttling_reasons()
        }
        UpdateItemError::ThrottlingException(error) => error.throttling_reasons(),
        // The limit of the account.
        UpdateItemError::RequestLimitExceeded(error) => error.throttling_reasons(),
        _ => &[],
    };
    let mut named = reasons.iter().filter_map(|reason| reason.reason()).peekable();
    if named.peek().is_some() {
        return named.any(|reason| reason.contains("KeyRange"));
    }
    ReadError::is_throttling(error) && !service.is_request_limit_exceeded()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        error::ErrorMetadata,
        types::{
            ThrottlingReason,
            error::{
                ProvisionedThroughputExceededException, RequestLimitExceeded, ThrottlingException,
            },
        },
    };
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// [The reasons](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html).
    #[test]
    fn throttling_is_of_the_key_or_of_the_table_or_of_the_account() {
        let of = |error: UpdateItemError| {
            let response = HttpResponse::new(400.try_into().unwrap(), SdkBody::empty());
            throttles_the_key(&SdkError::service_error(error, response))
        };
        let meta = |code: &str| ErrorMetadata::builder().code(code).build();
        let reasons = |reason: &str| Some(vec![ThrottlingReason::builder().reason(reason).build()]);
        let throughput = |reason: &str| {
            let error = ProvisionedThroughputExceededException::builder();
            let error = error.set_throttling_reasons(reasons(reason));
            of(UpdateItemError::ProvisionedThroughputExceededException(error.build()))
        };
        let throttled = |reason: &str| {
            let error = ThrottlingException::builder().set_throttling_reasons(reasons(reason));
            of(UpdateItemError::ThrottlingException(error.build()))
        };
        let account = |reason: Option<&str>| {
            let error = RequestLimitExceeded::builder().meta(meta("RequestLimitExceeded"));
            let error = error.set_throttling_reasons(reason.and_then(reasons));
            of(UpdateItemError::RequestLimitExceeded(error.build()))
        };
        assert!(throughput("TableWriteKeyRangeThroughputExceeded"));
        assert!(!throughput("TableWriteProvisionedThroughputExceeded"));
        assert!(throttled("TableWriteKeyRangeThroughputExceeded"));
        assert!(!throttled("TableWriteMaxOnDemandThroughputExceeded"));
        assert!(!throttled("TableWriteAccountLimitExceeded"));
        assert!(!account(Some("TableWriteAccountLimitExceeded")) && !account(None));
        assert!(account(Some("TableWriteKeyRangeThroughputExceeded")));
        let unnamed = ThrottlingException::builder().meta(meta("ThrottlingException")).build();
        assert!(of(UpdateItemError::ThrottlingException(unnamed)), "an error that names none");
        let other = UpdateItemError::generic(meta("ValidationException"));
        assert!(!of(other));
    }

    #[test]
    fn a_tenant_and_a_subject_of_the_same_text_are_two_callers() {
        let tenants = Access::Owner { field: "tenantId", claim: "tenant" };
        let of = |claims, access| {
            let principal = Principal::of(&serde_json::from_str(claims).unwrap(), access, None);
            identity(&principal.unwrap(), access)
        };
        assert_eq!(of(r#"{"sub":"u-1","tenant":"x"}"#, tenants), "tenant=x");
        assert_eq!(of(r#"{"sub":"x"}"#, tenants), "sub=x");
        assert_eq!(of(r#"{"sub":"x"}"#, Access::owner("userId")), "sub=x");
    }

    #[test]
    fn an_address_is_one_caller_and_so_is_a_network_of_ipv6() {
        let network = |text| network(text).map(|address| address.to_string());
        for (address, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
            ("2001:db8:1:2::", Some("2001:db8:1:2::")),
            ("2001:db8:1:3::1", Some("2001:db8:1:3::")),
            ("", None),
            ("unknown", None),
            ("192.0.2.1, 192.0.2.2", None),
        ] {
            assert_eq!(network(address).as_deref(), expected, "{address}");
        }
    }
}
