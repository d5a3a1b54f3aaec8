//! Items into JSON, by example.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use projection::{Field, Join, Kind, Malformed, Output, Scalar, Selection, Transcoder, splice};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

const GEO: &[Field] = &[field("lat", Kind::Number), field("lng", Kind::Number)];
const ADDRESS: &[Field] =
    &[field("street", Kind::Text), field("city", Kind::Text), field("geo", Kind::Object(GEO))];
const LINE: &[Field] =
    &[field("partId", Kind::Text), field("quantity", Kind::Integer), field("name", Kind::Text)];
const FIELDS: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("total", Kind::Number),
    field("tags", Kind::Texts),
    field("address", Kind::Object(ADDRESS)),
    field("items", Kind::Objects(LINE)),
    field("extra", Kind::Object(&[field("a", Kind::Text), field("b", Kind::Boolean)])),
    field("quo\"te\n", Kind::Text),
];

fn transcode(text: &str, item: &str) -> Result<String, Malformed> {
    let selection = Selection::parse(text, FIELDS).unwrap();
    let mut output = Output::default();
    Transcoder::new(&selection, &[], None).read(item, &mut output)?;
    Ok(String::from_utf8(output.json).unwrap())
}

fn all(item: &str) -> String {
    let text = Selection::all(&FIELDS[..7]).to_string();
    transcode(&text, item).unwrap()
}

#[test]
fn members_come_in_the_models_order_at_every_level() {
    let item = r#"{"items":{"L":[{"M":{"name":{"S":"n"},"partId":{"S":"p"}}}]},"total":{"N":"1.50"},
        "address":{"M":{"geo":{"M":{"lng":{"N":"2"},"lat":{"N":"1"}}},"city":{"S":"c"},"street":{"S":"s"}}},
        "id":{"S":"i"}}"#;
    assert_eq!(
        all(item),
        r#"{"id":"i","total":1.50,"address":{"street":"s","city":"c","geo":{"lat":1,"lng":2}},"items":[{"partId":"p","name":"n"}]}"#
    );
}

#[test]
fn only_what_is_chosen_and_declared_shows() {
    let item = r#"{"secret":{"S":"x"},"address":{"M":{"secret":{"M":{"city":{"S":"x"}}},"city":{"S":"c"}}},
        "items":{"L":[{"M":{"secret":{"S":"x"},"quantity":{"N":"2"}}},{"M":{"name":{"S":"x"}}},{"M":{}}]}}"#;
    assert_eq!(all(item), r#"{"address":{"city":"c"},"items":[{"quantity":2},{"name":"x"},{}]}"#);
    assert_eq!(
        transcode("items.quantity,id", item).unwrap(),
        r#"{"items":[{"quantity":2},{},{}]}"#
    );
    assert_eq!(transcode("address.geo.lat", item).unwrap(), r#"{"address":{}}"#);
    assert_eq!(transcode("id", "{}").unwrap(), "{}");
}

#[test]
fn values_of_another_kind_than_declared() {
    for (item, expected) in [
        // No map where members are declared: left out.
        (r#"{"address":{"S":"secret"}}"#, "{}"),
        (r#"{"address":{"NULL":true}}"#, "{}"),
        (r#"{"address":{"L":[{"M":{"city":{"S":"c"}}}]}}"#, "{}"),
        (r#"{"items":{"M":{"name":{"S":"n"}}}}"#, "{}"),
        (r#"{"items":{"SS":["a"]}}"#, "{}"),
        (
            r#"{"items":{"L":[{"S":"x"},{"M":{"name":{"S":"n"}}},{"L":[]}]}}"#,
            r#"{"items":[{"name":"n"}]}"#,
        ),
        // No map, list or set where a scalar is declared.
        (r#"{"name":{"M":{"a":{"S":"x"}}},"id":{"L":[{"S":"x"}]},"total":{"NS":["1"]}}"#, "{}"),
        // Another scalar is shown as it is.
        (
            r#"{"name":{"N":"1E+2"},"total":{"S":"x"},"id":{"BOOL":false}}"#,
            r#"{"id":false,"name":1E+2,"total":"x"}"#,
        ),
        (r#"{"name":{"NULL":true},"id":{"B":"AA=="}}"#, r#"{"id":"AA==","name":null}"#),
        // Texts are strings.
        (r#"{"tags":{"L":[{"S":"b"},{"N":"1"},{"M":{}},{"S":"a"}]}}"#, r#"{"tags":["b","a"]}"#),
        (r#"{"tags":{"SS":["b","a"]}}"#, r#"{"tags":["a","b"]}"#),
        (r#"{"tags":{"NS":["1"]}}"#, "{}"),
        (r#"{"tags":{"S":"a"}}"#, r#"{"tags":"a"}"#),
        // Sets of numbers and of binary are declared nowhere.
        (r#"{"tags":{"BS":["AA=="]},"name":{"NS":["1"]}}"#, "{}"),
    ] {
        assert_eq!(all(item), expected, "{item}");
    }
}

#[test]
fn a_name_is_known_however_it_is_escaped() {
    let item = r#"{"n\u0061me":{"S":"n"},"quo\u0022te\n":{"S":"q"}}"#;
    assert_eq!(transcode("name", item).unwrap(), r#"{"name":"n"}"#);
    let selection = Selection::of(FIELDS, &["quo\"te\n"]);
    let mut output = Output::default();
    Transcoder::new(&selection, &[], None).read(item, &mut output).unwrap();
    assert_eq!(output.json, br#"{"quo\"te\n":"q"}"#);
}

#[test]
fn of_two_members_with_one_name_the_first_stays() {
    let item = r#"{"id":{"S":"1"},"id":{"S":"2"},"address":{"M":{"city":{"S":"1"}}},"address":{"M":{"street":{"S":"2"}}},
        "extra":{"M":{"a":{"N":"1"},"a":{"N":"2"}}},"items":{"S":"hidden"},"items":{"L":[]}}"#;
    assert_eq!(all(item), r#"{"id":"1","address":{"city":"1"},"extra":{"a":1}}"#);
}

#[test]
fn picks_are_there_whether_or_not_they_are_chosen() {
    let selection = Selection::parse("name", FIELDS).unwrap();
    let transcoder = Transcoder::new(&selection, &["id", "name", "shard", "id", "tags"], None);
    let mut output = Output::default();
    let item = r#"{"tags":{"SS":["a"]},"shard":{"N":"-1.0"},"name":{"S":"a\n"},"id":{"S":"1"}}"#;
    transcoder.read(item, &mut output).unwrap();
    let text = |text: &'static str| Some(Scalar::Text(text.into()));
    let number = Some(Scalar::Number("-1.0".into()));
    assert_eq!(output.picks, [text("1"), text("a\n"), number, text("1"), None]);
    transcoder.read(r#"{"shard":{"BOOL":true}}"#, &mut output).unwrap();
    assert_eq!(output.picks, [None, None, None, None, None]);
    assert_eq!(output.json, br#"{"name":"a\n"}{}"#);
}

#[test]
fn joints_lie_before_the_end_of_their_element() {
    let lines = r#"{"L":[{"M":{"quantity":{"N":"1"},"partId":{"S":"p1"}}},{"M":{"partId":{"S":"p2"}}},
        {"M":{"name":{"S":"no key"}}},{"S":"x"},{"M":{"name":{"S":"n"},"partId":{"N":"3"},"quantity":{"N":"2"}}}]}"#;
    let address = r#"{"M":{"city":{"S":"Trondheim"}}}"#;
    for item in [
        format!(r#"{{"id":{{"S":"i"}},"address":{address},"items":{lines},"extra":{{"M":{{}}}}}}"#),
        format!(r#"{{"extra":{{"M":{{}}}},"items":{lines},"address":{address},"id":{{"S":"i"}}}}"#),
    ] {
        for (text, first, spliced) in [
            (
                "id,address,items(partId,quantity)",
                false,
                r#"[{"partId":"p1","quantity":1,"x":[p1]},{"partId":"p2","x":[p2]},{},{"partId":3,"quantity":2,"x":[3]}]"#,
            ),
            (
                "id,address,extra,items.quantity",
                true,
                r#"[{"quantity":1,"x":[p1]},{"x":[p2]},{},{"quantity":2,"x":[3]}]"#,
            ),
        ] {
            let selection = Selection::parse(text, FIELDS).unwrap();
            let join = Join { list: "items", key: "partId" };
            let transcoder = Transcoder::new(&selection, &[], Some(join));
            let mut output = Output::default();
            output.json.push(b'[');
            for _ in 0..2 {
                transcoder.read(&item, &mut output).unwrap();
            }
            let Output { json: out, insertions, .. } = output;
            let keys: Vec<_> = insertions.iter().map(|insertion| insertion.key.as_str()).collect();
            assert_eq!(keys, ["p1", "p2", "3", "p1", "p2", "3"]);
            assert_eq!(insertions[1].first, first);
            assert!(insertions.iter().all(|insertion| out[insertion.at] == b'}'));
            let (json, _) = splice(&out, &insertions, "x", usize::MAX, |key| match key {
                "p1" => Some(b"[p1]".as_slice()),
                "p2" => Some(b"[p2]"),
                _ => Some(b"[3]"),
            });
            let json = String::from_utf8(json).unwrap();
            assert_eq!(json.matches(spliced).count(), 2, "{json}");
        }
    }
}

#[test]
fn a_join_of_a_list_that_is_not_chosen_reports_nothing() {
    let selection = Selection::parse("id", FIELDS).unwrap();
    let transcoder = Transcoder::new(&selection, &[], Some(Join { list: "items", key: "partId" }));
    let item = r#"{"items":{"L":[{"M":{"partId":{"S":"p"}}}]},"id":{"S":"i"}}"#;
    let mut output = Output::default();
    transcoder.read(item, &mut output).unwrap();
    assert!(output.insertions.is_empty());
    assert_eq!(output.json, br#"{"id":"i"}"#);
}

#[test]
fn a_malformed_item_leaves_the_output_as_it_was() {
    let selection = Selection::all(FIELDS);
    let transcoder =
        Transcoder::new(&selection, &["id"], Some(Join { list: "items", key: "partId" }));
    let mut output = Output::default();
    output.json.push(b'[');
    let good = r#"{"id":{"S":"i"},"items":{"L":[{"M":{"partId":{"S":"p"}}}]}}"#;
    for broken in [
        r#"{"name":{"S":"stale"},"items":{"L":[{"M":{"partId":{"S":"p"}}}]},"quo\"te\n":{"N":"x"}}"#,
        r#"{"id":{"S":"i"},"items":{"L":[{"M":{"partId":{"S":"p"}}}]}} {}"#,
        r#"{"id":{"S":"i"},"items":{"L":[{"M":{"partId":{"S":"p"}}},{"M":{"partId":{"N":"p"}}}]}}"#,
        r#"{"id":{"S":"i"},"items":{"L":[{"M":{"partId":{"S":"p"}}}]}"#,
    ] {
        assert!(transcoder.read(broken, &mut output).is_err(), "{broken}");
        assert_eq!((output.json.as_slice(), output.insertions.len()), (b"[".as_slice(), 0));
        assert_eq!(output.picks, [None]);
    }
    transcoder.read(good, &mut output).unwrap();
    assert_eq!(output.json, br#"[{"id":"i","items":[{"partId":"p"}]}"#);
}

#[test]
fn what_is_no_attribute_value_is_malformed() {
    for value in [
        "{}",
        "1",
        "null",
        r#"{"X":1}"#,
        r#"{"S":1}"#,
        r#"{"B":1}"#,
        r#"{"N":1}"#,
        r#"{"N":"1x"}"#,
        r#"{"N":""}"#,
        r#"{"N":"NaN"}"#,
        r#"{"S":"a","N":"1"}"#,
        r#"{"BOOL":"true"}"#,
        r#"{"NULL":null}"#,
        r#"{"L":{}}"#,
        r#"{"L":[1]}"#,
        r#"{"L":[{}]}"#,
        r#"{"SS":"a"}"#,
        r#"{"SS":[1]}"#,
    ] {
        assert!(transcode("tags", &format!(r#"{{"tags":{value}}}"#)).is_err(), "{value}");
    }
    for value in [
        "{}",
        "1",
        r#"{"M":[]}"#,
        r#"{"M":{"city":1}}"#,
        r#"{"M":{},"S":"a"}"#,
        r#"{"S":"a","M":{}}"#,
    ] {
        assert!(transcode("address", &format!(r#"{{"address":{value}}}"#)).is_err(), "{value}");
    }
    for value in ["{}", r#"{"L":{}}"#, r#"{"L":[1]}"#, r#"{"L":[{"M":1}]}"#, r#"{"L":[],"M":{}}"#] {
        assert!(transcode("items", &format!(r#"{{"items":{value}}}"#)).is_err(), "{value}");
    }
    for item in [
        "",
        "[]",
        "null",
        "1",
        r#"{"id"}"#,
        r#"{"id":{"S":"a"},}"#,
        "{\"secret\":\"\u{1}\"}",
        r#"{"secret":01}"#,
    ] {
        assert!(transcode("id", item).is_err(), "{item}");
    }
}

#[test]
fn scalars_keep_their_value_and_numbers_their_digits() {
    for (value, expected) in [
        (r#"{"S":"a\"\u00e9é\/\u0001"}"#, r#""a\"éé/\u0001""#),
        (r#"{"N":"\u0031"}"#, "1"),
        (
            r#"{"N":"12345678901234567890123456789012345678"}"#,
            "12345678901234567890123456789012345678",
        ),
        (r#"{"N":"1E+30"}"#, "1E+30"),
        (r#"{"B":"AAE="}"#, r#""AAE=""#),
        (r#" { "BOOL" : false } "#, "false"),
        (r#"{"NULL":true}"#, "null"),
        (r#"{"SS":["b","\u0061","B"]}"#, r#"["B","a","b"]"#),
        (r#"{"L":[ {"S":"a"} , {"S":"b"}]}"#, r#"["a","b"]"#),
    ] {
        assert_eq!(
            transcode("tags", &format!(r#"{{"tags":{value}}}"#)),
            Ok(format!(r#"{{"tags":{expected}}}"#)),
            "{value}"
        );
    }
}

#[test]
fn half_a_surrogate_pair_is_malformed() {
    assert!(transcode("name", r#"{"name":{"S":"\ud83d"}}"#).is_err());
    assert!(transcode("tags", r#"{"tags":{"SS":["\ud83d"]}}"#).is_err());
    assert!(transcode("id", r#"{"\ud83d":{"S":"a"}}"#).is_err());
    assert_eq!(transcode("id", r#"{"id":{"S":"\ud83d\ude00"}}"#).unwrap(), r#"{"id":"😀"}"#);
}

#[test]
fn depth_is_that_of_the_declared_fields() {
    let item = |depth: usize| {
        format!(
            r#"{{"address":{}{}}}"#,
            r#"{"M":{"geo":"#.repeat(depth) + r#"{"M":{}}"#,
            "}}".repeat(depth)
        )
    };
    assert_eq!(transcode("address", &item(1)).unwrap(), r#"{"address":{"geo":{}}}"#);
    assert_eq!(transcode("address", &item(10_000)).unwrap(), r#"{"address":{"geo":{}}}"#);
    assert_eq!(transcode("id", &item(10_000)).unwrap(), "{}");
    let lists = format!(r#"{{"tags":{}{}}}"#, r#"{"L":["#.repeat(10_000), "]}".repeat(10_000));
    assert_eq!(transcode("tags", &lists).unwrap(), r#"{"tags":[]}"#);
}
