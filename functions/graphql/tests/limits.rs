//! Documents that are refused before anything is read, and the process, which goes on.

use std::time::{Duration, Instant};

use graphql::Options;
use serde_json::json;
use shop::random::Random;

use crate::stack::{Answer, SHARED, Sent, Server};

/// An attack, and how it ends: the status, and the reason in the log.
struct Attack {
    what: &'static str,
    document: String,
    status: u16,
    reason: &'static str,
}

fn attacks() -> Vec<Attack> {
    let too_large = "graphql: document too large";
    let attack = |what, document, status, reason| Attack { what, document, status, reason };
    // Each fragment spreads the next one twice: 2^20 fields.
    let doubled: String = (0..20)
        .map(|number| format!("fragment F{number} on Query {{ ...F{0} ...F{0} }} ", number + 1))
        .collect();
    let deep =
        |times: usize| format!("{{ {} name {} }}", "user { ".repeat(times), "} ".repeat(times));
    vec![
        attack("nested fragments", format!("{{ ...F0 }} {doubled} fragment F20 on Query {{ __typename }}"), 422, too_large),
        attack("nested fragments that nothing spreads", format!("{{ __typename }} {doubled} fragment F20 on Query {{ __typename }}"), 422, too_large),
        attack("a fragment that spreads itself", "{ ...A } fragment A on Query { ...A }".into(), 422, too_large),
        attack("two fragments that spread each other", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".into(), 422, too_large),
        attack("spreads of a fragment that is not defined", spreads(4, 22), 422, too_large),
        attack("fewer spreads of a fragment that is not defined", spreads(4, 10), 422, too_large),
        attack("many fragments that spread a large one", format!("{{ __typename }} {} fragment L on Query {{ {} }}", (0..80).map(|n| format!("fragment F{n} on Query {{ ...L }} ")).collect::<String>(), (0..300).map(|n| format!("a{n} ")).collect::<String>()), 422, "graphql: invalid document"),
        attack("many directives", format!("{{ __typename {} }}", "@include(if: true) ".repeat(30)), 422, too_large),
        attack("unknown directives", format!("{{ __typename {} }}", "@a ".repeat(900)), 422, too_large),
        attack("many reads by aliases", format!("{{ {} }}", (0..5).map(|n| format!("a{n}: products(first: 1) {{ edges {{ cursor }} }} ")).collect::<String>()), 422, too_large),
        attack("many fields by a fragment", format!("{{ {} }} fragment F on Query {{ {} }}", "...F ".repeat(10), (0..60).map(|n| format!("a{n}: __typename ")).collect::<String>()), 422, too_large),
        attack("many tokens", format!("{{ {} }}", "a ".repeat(3_000)), 422, too_large),
        attack("many operations", (0..60).map(|n| format!("query Q{n} {{ ...F }} ")).collect::<String>() + &format!("fragment F on Query {{ {} }}", (0..20).map(|n| format!("a{n}: __typename ")).collect::<String>()), 422, too_large),
        // The parser reads an empty string and a quotation mark, and goes on.
        attack("brackets behind a block string that does not end", format!("{{ a(b: [\"\"\"\" {}", "[".repeat(15_000)), 400, "graphql: parse failed"),
        attack("a string with a line break", format!("{{ a(b: \"\n{}", "[".repeat(15_000)), 400, "graphql: parse failed"),
        attack("a string with a carriage return", format!("{{ a(b: \"\r{}", "[".repeat(15_000)), 400, "graphql: parse failed"),
        attack("spreads without spaces", format!("{{ a{} }}", "...F".repeat(1_000)), 422, too_large),
        attack("numbers without spaces", format!("{{ a(b: [{}]) }}", "-1".repeat(2_000)), 422, too_large),
        attack("zeros without spaces", format!("{{ a(b: [{}]) }}", "0".repeat(2_000)), 422, too_large),
        attack("values without spaces", format!("{{ a(b: [{}]) }}", "true".repeat(2_000)), 422, too_large),
        attack("fields that conflict in each of their arguments", conflicts(), 422, "graphql: invalid document"),
        attack("a huge token", "a".repeat(16_000), 422, too_large),
        attack("a huge number", format!("{{ products(minPrice: -{}) {{ edges {{ cursor }} }} }}", "1".repeat(15_000)), 422, too_large),
        attack("a huge string", format!("{{ products(category: \"{}\") {{ edges {{ cursor }} }} }}", "x".repeat(15_000)), 200, ""),
        attack("a string that does not end", format!("{{ products(category: \"{}", "\\".repeat(5_001)), 400, "graphql: parse failed"),
        attack("a block string that does not end", format!("{{ products(category: \"\"\"{}", "\"".repeat(7)), 400, "graphql: parse failed"),
        attack("braces", "{".repeat(16_000), 422, too_large),
        attack("lists", format!("{{ products(category: {}", "[".repeat(900)), 422, too_large),
        attack("lists within the limit", format!("{{ products(category: {}", "[".repeat(13)), 400, "graphql: parse failed"),
        attack("parentheses", "(".repeat(900), 422, too_large),
        attack("a depth of 9", deep(9), 422, too_large),
        attack("a cost of 100 units", "{ products(first: 100) { edges { node { description } } } }".into(), 422, "graphql: cost too high"),
        attack("a cost by two pages", "{ a: products(first: 60) { edges { cursor } } b: products(first: 60) { edges { cursor } } }".into(), 422, "graphql: cost too high"),
        attack("introspection", "{ __schema { types { name } } }".into(), 422, "graphql: introspection is off"),
        attack("introspection behind a fragment", "{ ... { a: __type(name: \"User\") { name } } }".into(), 422, "graphql: introspection is off"),
        attack("an unknown field", "{ prodcts { edges { cursor } } }".into(), 422, "graphql: invalid document"),
        attack("a mutation", "mutation { a }".into(), 422, "graphql: invalid document"),
        attack("a subscription", "subscription { a }".into(), 422, "graphql: invalid document"),
        attack("a type definition", "type A { b: Int }".into(), 400, "graphql: parse failed"),
        attack("no operation", "fragment A on Query { __typename }".into(), 400, "graphql: parse failed"),
        attack("nothing but comments", "# x".repeat(100), 400, "graphql: parse failed"),
    ]
}

/// Fragments of which each spreads the next one some times, and the last one a fragment that is not
/// defined.
fn spreads(times: usize, fragments: usize) -> String {
    let spread = |number: usize| format!("...F{number} ").repeat(times);
    let fragment = |number| format!("fragment F{number} on Query {{ {} }} ", spread(number + 1));
    format!("{{ ...F0 }} {}", (0..fragments).map(fragment).collect::<String>())
}

/// Fields of one key, of which the first has many arguments, in the innermost of some fragments.
fn conflicts() -> String {
    let arguments: String = (0..120).map(|number| format!("x{number}: 1 ")).collect();
    let fields = format!("a({arguments}) {}", "a ".repeat(400));
    format!("{}{fields}{}", "{ ... ".repeat(14) + "{ ", "} ".repeat(15))
}

async fn is_alive(server: &Server) {
    let answer = server.send(&Sent::post("{ __typename }")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"data":{"__typename":"Query"}}"#));
}

/// The time that a debug build may take for an attack; a release build takes a fraction.
const SLOWEST: Duration = Duration::from_millis(500);

#[tokio::test]
async fn attacks_end_at_once_and_are_counted() {
    let server = SHARED.usual();
    is_alive(&server).await;
    for Attack { what, document, status, reason } in attacks() {
        let sent = Sent::post(&document);
        // The machine may be busy with something else: one answer of a few must come in time.
        let mut tries = 0..20;
        let answer = loop {
            let began = Instant::now();
            let answer = server.send(&sent).await;
            let took = began.elapsed();
            if took < SLOWEST {
                println!("{what}: {} in {:.1} ms", answer.status, took.as_secs_f64() * 1e3);
                break answer;
            }
            assert!(tries.next().is_some(), "{what}: {took:?}");
        };
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        if status == 200 {
            continue; // an error of the argument
        }
        assert_eq!(answer.log["problem"], reason, "{what}: {}", answer.body);
        assert_eq!((answer.spent(), &answer.log["status"]), ((0, 0.0), &json!(status)), "{what}");
        let errors = answer.json()["errors"].as_array().unwrap().len();
        assert!((1..=32).contains(&errors) && answer.json()["data"].is_null(), "{what}");
        assert!(answer.body.len() < 32_768, "{what}: {} bytes", answer.body.len());
    }
    is_alive(&server).await;
}

/// Words of the language and of the schema in any order, with what a parser may stumble over.
#[tokio::test]
async fn any_text_is_answered_and_never_with_a_fault() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "=",
        "@",
        "|",
        "&",
        "...",
        "query",
        "mutation",
        "fragment",
        "on",
        "F",
        "A",
        "products",
        "user",
        "userOrders",
        "orders",
        "edges",
        "node",
        "name",
        "pageInfo",
        "__typename",
        "__schema",
        "first",
        "after",
        "sort",
        "price_asc",
        "1",
        "-1",
        "1e400",
        "99999999999999999999",
        "\"x\"",
        "\"\"\"",
        "\"\\u",
        "\"",
        "\\",
        "#",
        "\n",
        "null",
        "true",
        "Product",
        "Int",
        "$a",
        "@skip(if: true)",
        "@include(if: $a)",
        "é",
        "\u{feff}",
        "\0",
        "{ products { edges { node { name } } } }",
        "{ user { name orders(first: 1) { edges { cursor } } } }",
        "fragment F on Product { name }",
        "...F",
    ];
    let server = SHARED.usual();
    let mut random = Random(16);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..1_500 {
        let most = if random.chance(4) { 3 } else { 24 };
        let words: Vec<_> = (0..=random.below(most)).map(|_| *random.pick(WORDS)).collect();
        let text = words.join(if random.chance(4) { "" } else { " " });
        let answer = server.send(&Sent::post(&text)).await;
        assert!([200, 400, 422].contains(&answer.status), "{text:?}: {}", answer.body);
        if answer.status == 200 { answered += 1 } else { refused += 1 }
    }
    println!("{answered} texts were answered, {refused} refused");
    assert!(answered > 0 && refused > 500);
    is_alive(&server).await;
}

#[tokio::test]
async fn errors_are_at_most_32() {
    let fields: String = (0..100).map(|number| format!("x{number} ")).collect();
    let answer = SHARED.usual().send(&Sent::post(&format!("{{ {fields} }}"))).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 32, "{}", answer.body);
}

#[tokio::test]
async fn aliases_do_not_make_an_answer_that_is_too_large() {
    let server = SHARED.usual();
    let fields: String = (0..320).map(|number| format!("a{number}: description ")).collect();
    let query = format!("{{ products(first: 50) {{ edges {{ node {{ {fields} }} }} }} }}");
    let answer = server.send(&Sent::post(&query)).await;
    assert_eq!((answer.status, answer.codes()), (422, vec!["ANSWER_TOO_LARGE".to_owned()]));
    assert_eq!(answer.log["problem"], "graphql: answer too large");
}

#[tokio::test]
async fn what_is_at_a_limit_is_answered() {
    let server = SHARED.usual();
    for query in [
        "{ products(first: 100) { edges { node { name } } } }",
        "{ products(first: 50) { edges { node { description } } } }",
        "{ a: products(first: 1) { edges { cursor } } b: products(first: 1) { edges { cursor } } c: user { name } d: userOrders(first: 1) { edges { cursor } } }",
        "{ user { orders(first: 1) { edges { node { items { product { name } } } } } } }",
    ] {
        server.data(query).await;
    }
}

/// A variable is large, and every argument of every field is this variable.
#[tokio::test]
async fn a_variable_is_not_copied_for_each_argument() {
    let server = SHARED.usual();
    let arguments = (0..180).map(|number| format!("x{number}: $v ")).collect::<String>();
    let spreads = |number: usize| {
        let of = |alias| format!("a{alias}: user {{ ...F{} }} ", number + 1);
        format!("fragment F{number} on Query {{ {} }} ", (0..12).map(of).collect::<String>())
    };
    let query = format!(
        "query ($v: String) {{ ...F0 }} {} {} fragment F2 on Query {{ a({arguments}) }}",
        spreads(0),
        spreads(1)
    );
    // Valid, but for the number of its reads, which are counted when each has its query string.
    let aliases = (0..60).map(|n| format!("a{n}: products(brand: $v) {{ edges {{ cursor }} }} "));
    let valid = format!("query ($v: String) {{ {} }}", aliases.collect::<String>());
    // Other tests run in this process: one answer of a few must take little.
    let Some(before) = resident("VmRSS") else { return };
    for query in [query, valid] {
        let body = json!({"query": query, "variables": {"v": "/".repeat(12_500)}}).to_string();
        let mut tries = 0..20;
        loop {
            // The highest value begins again.
            std::fs::write("/proc/self/clear_refs", "5").unwrap();
            let answer = server.send(&Sent::body(&body)).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            let took = resident("VmHWM").unwrap().saturating_sub(before);
            println!("{took} MB");
            if took < 100 {
                break;
            }
            assert!(tries.next().is_some(), "{took} MB");
        }
    }
}

/// Returns a size of this process in megabytes, where Linux tells it.
fn resident(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().unwrap() / 1_024)
}

#[tokio::test]
async fn variables_that_are_nested_deeply_are_refused() {
    let server = SHARED.usual();
    for depth in [127, 200, 8_000] {
        let variables = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let body = format!("{{\"query\":\"{{__typename}}\",\"variables\":{variables}}}");
        let answer = server.send(&Sent::body(&body)).await;
        assert_eq!(answer.status, 400, "{depth}: {}", answer.body);
    }
    is_alive(&server).await;
}

/// An error repeats what a caller sent, and the errors of an answer can be many.
#[tokio::test]
async fn no_answer_with_errors_is_large() {
    const MOST: usize = 20 * 1_024;
    let server = SHARED.usual();
    let long = "x".repeat(15_000);
    let escaped = "\\u0001".repeat(2_000);
    let many: String = (0..70)
        .map(|number| format!("a{number}: products(sort: $v) {{ edges {{ cursor }} }} "))
        .collect();
    let with_variable = |value: &str| {
        json!({"query": format!("query ($v: ProductSort) {{ {many} }}"), "variables": {"v": value}})
            .to_string()
    };
    let query = |query: &str| json!({"query": query}).to_string();
    for (what, body) in [
        ("a field", query(&format!("{{ {long} }}"))),
        ("fields", query(&format!("{{ {} }}", (0..32).map(|number| format!("a{number}{} ", "x".repeat(450))).collect::<String>()))),
        ("a long line", query(&format!("{{ a(b: {:?} {{", long))),
        ("an operation", json!({"query": "query A { __typename } query B { __typename }", "operationName": long}).to_string()),
        ("the only operation", json!({"query": "{ __typename }", "operationName": long}).to_string()),
        ("a fragment", query(&format!("{{ ...{long} }}"))),
        ("a fragment that spreads itself", query(&format!("{{ ...{0} }} fragment {0} on Query {{ ...{0} }}", "x".repeat(4_000)))),
        ("operations of one name", query(&format!("query {0} {{ a }} query {0} {{ a }}", "x".repeat(7_000)))),
        ("a variable", query(&format!("query (${long}: Int!) {{ a }}"))),
        ("a type", query(&format!("query ($a: {long}!) {{ a }}"))),
        ("a value", with_variable(&long[..11_000])),
        ("a value of control characters", with_variable(&"\u{1}".repeat(1_800))),
        ("a value in the document", query(&format!("{{ products(sort: \"{escaped}\") {{ edges {{ cursor }} }} }}"))),
        ("a key of the answer", query(&format!("{{ {long}: products(first: 1000, category: \"\", minPrice: \"x\") {{ edges {{ cursor }} }} }}"))),
        ("an argument of the route", query(&format!("{{ products(category: \"{long}\", after: \"{}\") {{ edges {{ cursor }} }} }}", "y".repeat(500)))),
        ("a document's id", json!({"documentId": long}).to_string()),
    ] {
        let answer = server.send(&Sent::body(&body)).await;
        assert!(answer.json()["errors"].is_array(), "{what}: {}", answer.body);
        assert!(answer.body.len() < MOST, "{what}: {} bytes", answer.body.len());
    }
}

/// Returns the message of the first error.
fn message(answer: &Answer) -> String {
    answer.json()["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_wrong_name_has_a_suggestion() {
    let server = SHARED.usual();
    let answer = server.send(&Sent::post("{ products { edges { node { nme } } } }")).await;
    assert!(message(&answer).contains("Did you mean \"name\""), "{}", answer.body);
}

#[tokio::test]
async fn a_variable_without_a_value_is_named() {
    let server = SHARED.usual();
    let query = "query ($c: String!) { products(category: $c) { edges { cursor } } }";
    for variables in
        [json!(null), json!({}), json!({"c": null}), json!({"c": 7}), json!({"c": {"a": [[]]}})]
    {
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = server.send(&Sent::body(&body)).await;
        assert_eq!(answer.status, 422, "{variables}: {}", answer.body);
    }
    let body = json!({"query": query, "variables": {"c": "books"}}).to_string();
    assert_eq!(server.send(&Sent::body(&body)).await.status, 200);
}

#[tokio::test]
async fn introspection_can_be_on() {
    let server = SHARED.server(Options { introspection: true, any_document: true });
    let data = server
        .data(
            "{ __schema { queryType { name } } user: __type(name: \"User\") { kind } __typename }",
        )
        .await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    assert_eq!(data["user"]["kind"], "OBJECT");
    let whole = include_str!("introspection.graphql");
    let types = server.data(whole).await["__schema"]["types"].as_array().unwrap().len();
    assert!(types > 20, "{types}");
}
