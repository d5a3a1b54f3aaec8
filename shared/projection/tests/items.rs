//! Items into JSON, by example.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use projection::{Field, Join, Kind, Malformed, Scalar, Scan, Selection, Taken, Transcoder, splice};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

const GEO: &[Field] = &[field("lat", Kind::Number), field("lng", Kind::Number)];
const ADDRESS: &[Field] = &[field("street", Kind::Text), field("city", Kind::Text), field("geo", Kind::Object(GEO))];
const LINE: &[Field] = &[field("productId", Kind::Text), field("quantity", Kind::Integer), field("name", Kind::Text)];
const FIELDS: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("total", Kind::Number),
    field("tags", Kind::Texts),
    field("address", Kind::Object(ADDRESS)),
    field("items", Kind::Objects(LINE)),
    field("extra", Kind::Any),
    field("quo\"te\n", Kind::Text),
];

fn transcode(text: &str, item: &str) -> Result<String, Malformed> {
    let selection = Selection::parse(text, FIELDS).unwrap();
    let mut transcoder = Transcoder::new(&selection, &[], None);
    let (mut scan, mut out) = (Scan::new(item.as_bytes()), Vec::new());
    transcoder.item(&mut scan, &mut Taken::default(), &mut out)?;
    scan.end()?;
    Ok(String::from_utf8(out).unwrap())
}

fn all(item: &str) -> String {
    let text = Selection::all(&FIELDS[..7]).to_string();
    transcode(&text, item).unwrap()
}

#[test]
fn members_come_in_the_models_order_at_every_level() {
    let item = r#"{"items":{"L":[{"M":{"name":{"S":"n"},"productId":{"S":"p"}}}]},"total":{"N":"1.50"},
        "address":{"M":{"geo":{"M":{"lng":{"N":"2"},"lat":{"N":"1"}}},"city":{"S":"c"},"street":{"S":"s"}}},
        "id":{"S":"i"}}"#;
    assert_eq!(
        all(item),
        r#"{"id":"i","total":1.50,"address":{"street":"s","city":"c","geo":{"lat":1,"lng":2}},"items":[{"productId":"p","name":"n"}]}"#
    );
}

#[test]
fn only_what_is_chosen_and_declared_shows() {
    let item = r#"{"secret":{"S":"x"},"address":{"M":{"secret":{"M":{"city":{"S":"x"}}},"city":{"S":"c"}}},
        "items":{"L":[{"M":{"secret":{"S":"x"},"quantity":{"N":"2"}}},{"M":{"name":{"S":"x"}}},{"M":{}}]}}"#;
    assert_eq!(all(item), r#"{"address":{"city":"c"},"items":[{"quantity":2},{"name":"x"},{}]}"#);
    assert_eq!(transcode("items.quantity,id", item).unwrap(), r#"{"items":[{"quantity":2},{},{}]}"#);
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
        (r#"{"items":{"L":[{"S":"x"},{"M":{"name":{"S":"n"}}},{"L":[]}]}}"#, r#"{"items":[{"name":"n"}]}"#),
        // No map, list or set where a scalar is declared.
        (r#"{"name":{"M":{"a":{"S":"x"}}},"id":{"L":[{"S":"x"}]},"total":{"NS":["1"]}}"#, "{}"),
        // Another scalar is shown as it is.
        (r#"{"name":{"N":"1E+2"},"total":{"S":"x"},"id":{"BOOL":false}}"#, r#"{"id":false,"name":1E+2,"total":"x"}"#),
        (r#"{"name":{"NULL":true},"id":{"B":"AA=="}}"#, r#"{"id":"AA==","name":null}"#),
        // Texts are strings.
        (r#"{"tags":{"L":[{"S":"b"},{"N":"1"},{"M":{}},{"S":"a"}]}}"#, r#"{"tags":["b","a"]}"#),
        (r#"{"tags":{"SS":["b","a"]}}"#, r#"{"tags":["a","b"]}"#),
        (r#"{"tags":{"NS":["1"]}}"#, "{}"),
        (r#"{"tags":{"S":"a"}}"#, r#"{"tags":"a"}"#),
        // Anything is anything.
        (r#"{"extra":{"M":{"b":{"NULL":true},"a":{"L":[]}}}}"#, r#"{"extra":{"a":[],"b":null}}"#),
    ] {
        assert_eq!(all(item), expected, "{item}");
    }
}

#[test]
fn a_name_is_known_however_it_is_escaped() {
    let item = r#"{"n\u0061me":{"S":"n"},"quo\u0022te\n":{"S":"q"}}"#;
    assert_eq!(transcode("name", item).unwrap(), r#"{"name":"n"}"#);
    let selection = Selection::of(FIELDS, &["quo\"te\n"]);
    let mut out = Vec::new();
    let mut transcoder = Transcoder::new(&selection, &[], None);
    transcoder.item(&mut Scan::new(item.as_bytes()), &mut Taken::default(), &mut out).unwrap();
    assert_eq!(out, br#"{"quo\"te\u000a":"q"}"#);
}

#[test]
fn of_two_members_with_one_name_the_first_stays() {
    let item = r#"{"id":{"S":"1"},"id":{"S":"2"},"address":{"M":{"city":{"S":"1"}}},"address":{"M":{"street":{"S":"2"}}},
        "extra":{"M":{"a":{"N":"1"},"a":{"N":"2"}}}}"#;
    assert_eq!(all(item), r#"{"id":"1","address":{"city":"1"},"extra":{"a":1}}"#);
}

#[test]
fn picks_are_there_whether_or_not_they_are_chosen() {
    let selection = Selection::parse("name", FIELDS).unwrap();
    let mut transcoder = Transcoder::new(&selection, &["id", "name", "shard", "id", "tags"], None);
    let body = br#"{"tags":{"SS":["a"]},"shard":{"N":"-1.0"},"name":{"S":"a\n"},"id":{"S":"1"}} {"shard":{"BOOL":true}}"#;
    let (mut scan, mut taken, mut out) = (Scan::new(body), Taken::default(), Vec::new());
    transcoder.item(&mut scan, &mut taken, &mut out).unwrap();
    let text = |text: &'static str| Some(Scalar::Text(text.into()));
    let number = Some(Scalar::Number("-1.0".into()));
    assert_eq!(taken.picks, [text("1"), text("a\n"), number, text("1"), None]);
    transcoder.item(&mut scan, &mut taken, &mut out).unwrap();
    assert_eq!(taken.picks, [None, None, None, None, None]);
    assert_eq!(out, br#"{"name":"a\n"}{}"#);
}

#[test]
fn joints_lie_before_the_end_of_their_element() {
    let lines = r#"{"L":[{"M":{"quantity":{"N":"1"},"productId":{"S":"p1"}}},{"M":{"productId":{"S":"p2"}}},
        {"M":{"name":{"S":"no key"}}},{"S":"x"},{"M":{"name":{"S":"n"},"productId":{"N":"3"},"quantity":{"N":"2"}}}]}"#;
    let address = r#"{"M":{"city":{"S":"Trondheim"}}}"#;
    for item in [
        format!(r#"{{"id":{{"S":"i"}},"address":{address},"items":{lines},"extra":{{"L":[]}}}}"#),
        format!(r#"{{"extra":{{"L":[]}},"items":{lines},"address":{address},"id":{{"S":"i"}}}}"#),
    ] {
        for (text, first, spliced) in [
            (
                "id,address,items(productId,quantity)",
                false,
                r#"[{"productId":"p1","quantity":1,"x":[p1]},{"productId":"p2","x":[p2]},{},{"productId":3,"quantity":2,"x":[3]}]"#,
            ),
            ("id,address,extra,items.quantity", true, r#"[{"quantity":1,"x":[p1]},{"x":[p2]},{},{"quantity":2,"x":[3]}]"#),
        ] {
            let selection = Selection::parse(text, FIELDS).unwrap();
            let join = Join { list: "items", key: "productId" };
            let mut transcoder = Transcoder::new(&selection, &[], Some(join));
            let (mut taken, mut out) = (Taken::default(), b"[".to_vec());
            for _ in 0..2 {
                transcoder.item(&mut Scan::new(item.as_bytes()), &mut taken, &mut out).unwrap();
            }
            let keys: Vec<_> = taken.joints.iter().map(|joint| joint.key.as_str()).collect();
            assert_eq!(keys, ["p1", "p2", "3", "p1", "p2", "3"]);
            assert_eq!(taken.joints[1].first, first);
            assert!(taken.joints.iter().all(|joint| out[joint.at] == b'}'));
            let json = splice(&out, &taken.joints, "x", |key| match key {
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
    let mut transcoder = Transcoder::new(&selection, &[], Some(Join { list: "items", key: "productId" }));
    let item = br#"{"items":{"L":[{"M":{"productId":{"S":"p"}}}]},"id":{"S":"i"}}"#;
    let (mut taken, mut out) = (Taken::default(), Vec::new());
    transcoder.item(&mut Scan::new(item), &mut taken, &mut out).unwrap();
    assert!(taken.joints.is_empty());
    assert_eq!(out, br#"{"id":"i"}"#);
}

#[test]
fn a_malformed_item_leaves_the_output_as_it_was() {
    let selection = Selection::all(FIELDS);
    let mut transcoder = Transcoder::new(&selection, &["id"], Some(Join { list: "items", key: "productId" }));
    let (mut taken, mut out) = (Taken::default(), b"[".to_vec());
    let good = br#"{"id":{"S":"i"},"items":{"L":[{"M":{"productId":{"S":"p"}}}]}}"#;
    for _ in 0..2 {
        let broken = br#"{"name":{"S":"stale"},"items":{"L":[{"M":{"productId":{"S":"p"}}}]},"total":{"N":"x"}}"#;
        let error = transcoder.item(&mut Scan::new(broken), &mut taken, &mut out).unwrap_err();
        assert_eq!(error.expected, "a number before this");
        assert_eq!((out.as_slice(), taken.joints.len()), (b"[".as_slice(), 0));
        assert_eq!(taken.picks, [None]);
    }
    transcoder.item(&mut Scan::new(good), &mut taken, &mut out).unwrap();
    assert_eq!(out, br#"[{"id":"i","items":[{"productId":"p"}]}"#);
}

#[test]
fn depth_is_limited() {
    let item = |depth: usize| format!(r#"{{"extra":{}{}}}"#, r#"{"L":["#.repeat(depth), "]}".repeat(depth));
    assert!(transcode("extra", &item(40)).is_ok());
    assert!(transcode("extra", &item(41)).is_err());
    assert!(transcode("extra", &item(10_000)).is_err());
    // What is not chosen is stepped over at any depth.
    assert_eq!(transcode("id", &item(10_000)).unwrap(), "{}");
}
