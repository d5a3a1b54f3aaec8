//! Any bytes in the headers that a cache sends: preconditions, entity tags, dates, accept-encoding.
//! No answer is a wrong 304.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use cache_headers::encoding::{Choice, accepts_gzip};
use cache_headers::{ETag, HttpDate, Outcome, Validators, evaluate};
use http::{HeaderMap, HeaderValue, Method, header};
use libfuzzer_sys::{arbitrary, arbitrary::Arbitrary, fuzz_target};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Each of several lines.
    none_match: Vec<&'a [u8]>,
    modified_since: Option<&'a [u8]>,
    matches: Option<&'a [u8]>,
    unmodified_since: Option<&'a [u8]>,
    accept_encoding: Option<&'a [u8]>,
    head: bool,
    dated: bool,
}

static CURRENT: LazyLock<Validators> = LazyLock::new(|| {
    let now = UNIX_EPOCH + Duration::from_secs(1_750_000_000);
    Validators {
        etag: ETag::parse(b"W/\"x\""),
        last_modified: HttpDate::last_modified("2024-01-02T01:00:00.000Z", now),
    }
});

fuzz_target!(|input: Input| {
    let mut headers = HeaderMap::new();
    let one = [
        (header::IF_MODIFIED_SINCE, input.modified_since),
        (header::IF_MATCH, input.matches),
        (header::IF_UNMODIFIED_SINCE, input.unmodified_since),
        (header::ACCEPT_ENCODING, input.accept_encoding),
    ];
    let many = input.none_match.iter().map(|line| (header::IF_NONE_MATCH, Some(*line)));
    for (name, value) in one.into_iter().chain(many) {
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value).ok()) {
            headers.append(name, value);
        }
    }
    let method = if input.head { Method::HEAD } else { Method::GET };
    let current = Validators {
        last_modified: CURRENT.last_modified.filter(|_| input.dated),
        ..CURRENT.clone()
    };
    let outcome = evaluate(&method, &headers, &current);
    assert_eq!(outcome, evaluate(&method, &headers, &current));

    let holds =
        |name, text: &str| headers.get_all(name).iter().any(|line| contains(line.as_bytes(), text));
    match outcome {
        Outcome::NotModified if headers.contains_key(header::IF_NONE_MATCH) => {
            assert!(
                holds(header::IF_NONE_MATCH, "*") || holds(header::IF_NONE_MATCH, "\"x\""),
                "a tag that was not sent"
            );
        }
        Outcome::NotModified => {
            assert!(input.dated && headers.contains_key(header::IF_MODIFIED_SINCE))
        }
        Outcome::PreconditionFailed => {
            assert!(
                headers.contains_key(header::IF_MATCH)
                    || (input.dated && headers.contains_key(header::IF_UNMODIFIED_SINCE))
            );
        }
        Outcome::Proceed => {}
    }
    if accepts_gzip(&headers) == Choice::Gzip {
        let line = headers[header::ACCEPT_ENCODING].as_bytes().to_ascii_lowercase();
        assert!(contains(&line, "gzip") || contains(&line, "*"));
    }
    for line in input.none_match {
        if let Some(tag) = ETag::parse(line) {
            assert_eq!(tag.header_value().as_bytes(), line.trim_ascii());
            assert!(tag.weak_eq(&tag) && tag.strong_eq(&tag) != tag.is_weak());
        }
        if let Some(date) = HttpDate::parse(line) {
            assert_eq!(HttpDate::parse(date.header_value().as_bytes()), Some(date));
        }
    }
});

fn contains(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|window| window == text.as_bytes())
}
