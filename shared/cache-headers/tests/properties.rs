//! Properties of any input: nothing panics, and written values are read back unchanged.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_headers::encoding::{Choice, accepts_gzip};
use cache_headers::{ETag, HttpDate, Outcome, Policy, Validators, evaluate, not_modified, vary};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use proptest::collection::vec;
use proptest::prelude::*;

const NAMES: [HeaderName; 10] = [
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::ETAG,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::LAST_MODIFIED,
    header::ORIGIN,
    header::VARY,
];

/// Makes any bytes, or bytes that fields consist of, which get further into the parsers.
fn field_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\"",
        "W/",
        "w/",
        "*",
        ",",
        ", ",
        ";",
        "q=",
        "0.5",
        "1",
        "0",
        ".",
        "gzip",
        "identity",
        "x-gzip",
        " ",
        "\t",
        "a",
        "\"a\"",
        "W/\"a\"",
        "Tue, 02 Jan 2024 01:00:00 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "GMT",
        "é",
    ]);
    prop_oneof![
        vec(any::<u8>(), 0..80),
        vec(pieces, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

/// Makes fields of any of `NAMES`, in several lines. Bytes that a header cannot hold are left out.
fn any_headers() -> impl Strategy<Value = HeaderMap> {
    vec((prop::sample::select(NAMES.to_vec()), field_bytes()), 0..8).prop_map(|lines| {
        let mut headers = HeaderMap::new();
        for (name, bytes) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(name, value);
            }
        }
        headers
    })
}

fn any_validators() -> impl Strategy<Value = Validators> {
    (field_bytes(), prop::option::of(0..=u64::MAX / 2)).prop_map(|(tag, seconds)| Validators {
        etag: ETag::parse(&tag),
        last_modified: seconds
            .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .and_then(HttpDate::from_system_time),
    })
}

proptest! {
    #[test]
    fn no_request_panics(
        mut headers in any_headers(),
        validators in any_validators(),
        method in prop::sample::select(vec![Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS]),
    ) {
        let outcome = evaluate(&method, &headers, &validators);
        let safe = method == Method::GET || method == Method::HEAD;
        prop_assert!(safe || outcome != Outcome::NotModified);
        let _: Choice = accepts_gzip(&headers);
        vary::add(&mut headers, &header::ORIGIN);
        validators.insert_into(&mut headers);
        not_modified::strip(&mut headers);
        prop_assert!(!headers.contains_key(header::CONTENT_TYPE));
    }

    #[test]
    fn a_tag_of_bytes_reads_back_and_matches_only_itself(
        bytes in vec(any::<u8>(), 0..600),
        other in vec(any::<u8>(), 0..600),
    ) {
        let tag = ETag::weak_of(&bytes);
        prop_assert!(tag.is_weak());
        prop_assert_eq!(tag.opaque().len(), 22);
        prop_assert_eq!(ETag::parse(tag.header_value().as_bytes()), Some(tag.clone()));
        prop_assert_eq!(ETag::weak_of(&other).weak_eq(&tag), bytes == other);
    }

    #[test]
    fn a_tag_that_parses_reads_back(text in field_bytes()) {
        if let Some(tag) = ETag::parse(&text) {
            let rendered = tag.header_value();
            prop_assert_eq!(rendered.as_bytes(), text.trim_ascii());
            let again = ETag::parse(rendered.as_bytes());
            prop_assert_eq!(again.as_ref(), Some(&tag));
            prop_assert!(tag.weak_eq(&tag));
            prop_assert_eq!(tag.strong_eq(&tag), !tag.is_weak());
        }
    }

    /// A client that sends the current tag back gets a 304, whatever other tags the list has.
    #[test]
    fn the_own_tag_is_a_304(
        body in vec(any::<u8>(), 0..64),
        before in vec(vec(any::<u8>(), 0..8), 0..4),
        after in vec(vec(any::<u8>(), 0..8), 0..4),
        lines in any::<bool>(),
    ) {
        let tags = before.iter().chain([&body]).chain(&after).map(|bytes| ETag::weak_of(bytes).header_value());
        let mut request = HeaderMap::new();
        if lines {
            for tag in tags {
                request.append(header::IF_NONE_MATCH, tag);
            }
        } else {
            let list = tags.map(|tag| tag.as_bytes().to_vec()).collect::<Vec<_>>().join(&b',');
            request.insert(header::IF_NONE_MATCH, HeaderValue::from_bytes(&list)?);
        }
        let validators = Validators { etag: Some(ETag::weak_of(&body)), last_modified: None };
        prop_assert_eq!(evaluate(&Method::GET, &request, &validators), Outcome::NotModified);
    }

    #[test]
    fn a_date_reads_back(seconds in 0..=253_402_300_799_u64) {
        let date = HttpDate::from_system_time(UNIX_EPOCH + Duration::from_secs(seconds));
        prop_assert!(date.is_some());
        if let Some(date) = date {
            let rendered = date.header_value();
            prop_assert_eq!(HttpDate::parse(rendered.as_bytes()), Some(date));
            prop_assert_eq!(SystemTime::from(date), UNIX_EPOCH + Duration::from_secs(seconds));
        }
    }

    #[test]
    fn no_text_panics_as_a_date(
        text in r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,9})?(Z|[+-][0-9]{2}:[0-9]{2})?|\PC{0,40}",
        now in any::<SystemTime>(),
    ) {
        if let Some(date) = HttpDate::last_modified(&text, now) {
            prop_assert!(SystemTime::from(date) <= now);
        }
    }

    /// RFC 3339 text sorts as time does: the later text is the later date.
    #[test]
    fn rfc3339_keeps_its_order(
        a in (1970..=9999_u32, 1..=12_u32, 1..=28_u32, 0..=23_u32, 0..=59_u32, 0..=59_u32),
        b in (1970..=9999_u32, 1..=12_u32, 1..=28_u32, 0..=23_u32, 0..=59_u32, 0..=59_u32),
    ) {
        let date = |(y, mo, d, h, mi, s)| {
            HttpDate::from_rfc3339(&format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.000Z"))
        };
        prop_assert!(date(a).is_some());
        prop_assert_eq!(date(a).cmp(&date(b)), a.cmp(&b));
    }

    #[test]
    fn adding_to_vary_twice_is_adding_once(mut headers in any_headers()) {
        vary::add(&mut headers, &header::ACCEPT_ENCODING);
        let once = headers.clone();
        vary::add(&mut headers, &header::ACCEPT_ENCODING);
        prop_assert_eq!(headers, once);
    }

    #[test]
    fn any_policy_renders(fresh: u32, shared: u32, stale_while_revalidate: u32, stale_if_error: u32) {
        let policy = Policy::Public { fresh, shared, stale_while_revalidate, stale_if_error };
        let expected = format!("public, max-age={fresh}, s-maxage={shared}");
        prop_assert!(policy.header_value().as_bytes().starts_with(expected.as_bytes()));
    }
}
