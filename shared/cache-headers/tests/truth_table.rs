//! Every combination of preconditions, row by row, each with the outcome that RFC 9110, section
//! 13.2.2 gives it. Outcomes are written out, not computed, so that no rule is tested against
//! itself.

use cache_headers::Outcome::{NotModified, PreconditionFailed, Proceed};
use cache_headers::{ETag, HttpDate, Outcome, Validators, evaluate};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

const OLDER: &str = "Tue, 02 Jan 2024 00:59:59 GMT";
const EQUAL: &str = "Tue, 02 Jan 2024 01:00:00 GMT";
const NEWER: &str = "Tue, 02 Jan 2024 01:00:01 GMT";

/// A field's lines; none is a field that is absent.
type Lines = &'static [&'static str];

/// The columns: one date field.
const DATES: [(&str, Lines); 8] = [
    ("absent", &[]),
    ("older", &[OLDER]),
    ("equal", &[EQUAL]),
    ("newer", &[NEWER]),
    ("obsolete form, equal", &["Tuesday, 02-Jan-24 01:00:00 GMT"]),
    ("malformed", &["2024-01-02T01:00:00Z"]),
    ("two lines", &[EQUAL, EQUAL]),
    ("list", &["Tue, 02 Jan 2024 01:00:00 GMT, Tue, 02 Jan 2024 01:00:00 GMT"]),
];

const P: Outcome = Proceed;
const N: Outcome = NotModified;
const F: Outcome = PreconditionFailed;

fn current(etag: &str) -> Validators {
    Validators {
        etag: ETag::parse(etag.as_bytes()),
        last_modified: HttpDate::from_rfc3339("2024-01-02T01:00:00.000Z"),
    }
}

fn request(fields: &[(HeaderName, Lines)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, lines) in fields {
        for line in *lines {
            headers.append(name, HeaderValue::from_static(line));
        }
    }
    headers
}

/// One row for each form of a tag field, one column for each of `DATES`.
fn check(
    method: &Method,
    validators: &Validators,
    (tag_field, date_field): (HeaderName, HeaderName),
    rows: &[(&str, Lines, [Outcome; 8])],
) {
    for (row, tags, outcomes) in rows {
        for ((column, dates), expected) in DATES.iter().zip(outcomes) {
            let request = request(&[(tag_field.clone(), tags), (date_field.clone(), dates)]);
            let outcome = evaluate(method, &request, validators);
            assert_eq!(outcome, *expected, "{method}, {tag_field} {row}, {date_field} {column}");
        }
    }
}

const IF_NONE: (HeaderName, HeaderName) = (header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE);
const IF: (HeaderName, HeaderName) = (header::IF_MATCH, header::IF_UNMODIFIED_SINCE);

#[test]
fn if_none_match_and_if_modified_since_on_get_and_head() {
    for method in [Method::GET, Method::HEAD] {
        check(
            &method,
            &current(r#"W/"now""#),
            IF_NONE,
            &[
                //                                         absent older equal newer obs. malf. two list
                ("absent", &[], [P, P, N, N, N, P, P, P]),
                ("exact match", &[r#"W/"now""#], [N, N, N, N, N, N, N, N]),
                ("weak match", &[r#""now""#], [N, N, N, N, N, N, N, N]),
                ("list with a match", &[r#""a", W/"now","b""#], [N, N, N, N, N, N, N, N]),
                ("match on the second line", &[r#""a""#, r#"W/"now""#], [N, N, N, N, N, N, N, N]),
                ("*", &["*"], [N, N, N, N, N, N, N, N]),
                ("no match", &[r#"W/"old""#], [P, P, P, P, P, P, P, P]),
                ("list without a match", &[r#""a", W/"old""#], [P, P, P, P, P, P, P, P]),
                ("empty", &[""], [P, P, P, P, P, P, P, P]),
                ("malformed", &["now"], [P, P, P, P, P, P, P, P]),
                ("match next to malformed", &[r#"W/"now", x"#], [P, P, P, P, P, P, P, P]),
                ("* in a list", &[r#"*, W/"now""#], [P, P, P, P, P, P, P, P]),
            ],
        );
    }
}

#[test]
fn a_strong_tag_matches_if_none_match_weakly() {
    check(
        &Method::GET,
        &current(r#""now""#),
        IF_NONE,
        &[
            ("exact", &[r#""now""#], [N, N, N, N, N, N, N, N]),
            ("weak", &[r#"W/"now""#], [N, N, N, N, N, N, N, N]),
            ("none", &[r#"W/"old""#], [P, P, P, P, P, P, P, P]),
        ],
    );
}

#[test]
fn without_last_modified_a_date_is_ignored() {
    let validators = Validators { last_modified: None, ..current(r#"W/"now""#) };
    check(
        &Method::GET,
        &validators,
        IF_NONE,
        &[
            ("absent", &[], [P, P, P, P, P, P, P, P]),
            ("match", &[r#"W/"now""#], [N, N, N, N, N, N, N, N]),
            ("no match", &[r#"W/"old""#], [P, P, P, P, P, P, P, P]),
        ],
    );
    check(&Method::GET, &validators, IF, &[("absent", &[], [P, P, P, P, P, P, P, P])]);
}

#[test]
fn without_a_tag_only_the_star_matches() {
    let validators = Validators { etag: None, ..current("") };
    check(
        &Method::GET,
        &validators,
        IF_NONE,
        &[
            ("absent", &[], [P, P, N, N, N, P, P, P]),
            ("*", &["*"], [N, N, N, N, N, N, N, N]),
            ("a tag", &[r#""now""#], [P, P, P, P, P, P, P, P]),
            ("the empty tag", &[r#""""#], [P, P, P, P, P, P, P, P]),
        ],
    );
    check(
        &Method::GET,
        &validators,
        IF,
        &[
            ("*", &["*"], [P, P, P, P, P, P, P, P]),
            ("a tag", &[r#""now""#], [F, F, F, F, F, F, F, F]),
        ],
    );
}

#[test]
fn if_match_and_if_unmodified_since() {
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let rows: [(&str, Lines, [Outcome; 8]); 6] = [
            //                        absent older equal newer obs. malf. two list
            ("absent", &[], [P, F, P, P, P, P, P, P]),
            ("*", &["*"], [P, P, P, P, P, P, P, P]),
            ("weak", &[r#"W/"now""#], [F, F, F, F, F, F, F, F]),
            ("no match", &[r#""old""#], [F, F, F, F, F, F, F, F]),
            ("malformed", &["now"], [F, F, F, F, F, F, F, F]),
            ("empty", &[""], [F, F, F, F, F, F, F, F]),
        ];
        let exact: Lines = &[r#""now""#];
        let list: Lines = &[r#""old", W/"x""#, r#""now""#];

        check(&method, &current(r#"W/"now""#), IF, &rows);
        let weak = [F, F, F, F, F, F, F, F];
        check(&method, &current(r#"W/"now""#), IF, &[("exact", exact, weak), ("list", list, weak)]);

        check(&method, &current(r#""now""#), IF, &rows);
        let strong = [P, P, P, P, P, P, P, P];
        check(
            &method,
            &current(r#""now""#),
            IF,
            &[("exact", exact, strong), ("list", list, strong)],
        );
    }
}

#[test]
fn the_if_pair_goes_before_the_if_none_pair() {
    let strong = current(r#""now""#);
    for (fields, expected) in [
        // Failed first: the match of If-None-Match is not looked at.
        (&[(header::IF_MATCH, &["\"old\""][..]), (header::IF_NONE_MATCH, &["\"now\""])][..], F),
        (&[(header::IF_MATCH, &["\"old\""]), (header::IF_MODIFIED_SINCE, &[EQUAL])], F),
        (&[(header::IF_UNMODIFIED_SINCE, &[OLDER]), (header::IF_NONE_MATCH, &["\"now\""])], F),
        (&[(header::IF_UNMODIFIED_SINCE, &[OLDER]), (header::IF_MODIFIED_SINCE, &[EQUAL])], F),
        // Passed: the other pair decides.
        (&[(header::IF_MATCH, &["\"now\""]), (header::IF_NONE_MATCH, &["\"now\""])], N),
        (&[(header::IF_MATCH, &["\"now\""]), (header::IF_NONE_MATCH, &["\"old\""])], P),
        (&[(header::IF_MATCH, &["*"]), (header::IF_MODIFIED_SINCE, &[EQUAL])], N),
        (&[(header::IF_UNMODIFIED_SINCE, &[EQUAL]), (header::IF_NONE_MATCH, &["*"])], N),
        (&[(header::IF_UNMODIFIED_SINCE, &[NEWER]), (header::IF_MODIFIED_SINCE, &[NEWER])], N),
        (&[(header::IF_UNMODIFIED_SINCE, &["x"]), (header::IF_MODIFIED_SINCE, &[OLDER])], P),
        // If-Match there, so If-Unmodified-Since is not looked at.
        (&[(header::IF_MATCH, &["*"]), (header::IF_UNMODIFIED_SINCE, &[OLDER])], P),
    ] {
        let outcome = evaluate(&Method::GET, &request(fields), &strong);
        assert_eq!(outcome, expected, "{fields:?}");
    }
}

#[test]
fn other_methods() {
    // Something that changes the resource: a match of If-None-Match forbids it, a date says
    // nothing.
    for method in [Method::PUT, Method::POST, Method::PATCH, Method::DELETE] {
        check(
            &method,
            &current(r#"W/"now""#),
            IF_NONE,
            &[
                ("absent", &[], [P, P, P, P, P, P, P, P]),
                ("match", &[r#"W/"now""#], [F, F, F, F, F, F, F, F]),
                ("*", &["*"], [F, F, F, F, F, F, F, F]),
                ("no match", &[r#"W/"old""#], [P, P, P, P, P, P, P, P]),
            ],
        );
    }
    // No representation is selected: preconditions are ignored (section 13.2.1).
    for method in [Method::OPTIONS, Method::CONNECT, Method::TRACE] {
        for pair in [IF_NONE, IF] {
            check(
                &method,
                &current(r#"W/"now""#),
                pair,
                &[
                    ("absent", &[], [P, P, P, P, P, P, P, P]),
                    ("match", &[r#"W/"now""#], [P, P, P, P, P, P, P, P]),
                    ("no match", &[r#"W/"old""#], [P, P, P, P, P, P, P, P]),
                    ("*", &["*"], [P, P, P, P, P, P, P, P]),
                ],
            );
        }
    }
}
