//! Random items and selections against a slow twin that works on `serde_json` values.
#![expect(clippy::panic, reason = "the functions that the tests share are tests too")]

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use projection::{Field, Join, Kind, Malformed, Output, Scalar, Selection, Transcoder};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::DeserializeSeed;
use serde_json::{Map, Value, json};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

const INNER: &[Field] =
    &[field("a", Kind::Text), field("d", Kind::Texts), field("b", Kind::Number)];
const MIDDLE: &[Field] = &[
    field("c", Kind::Object(INNER)),
    field("a", Kind::Texts),
    field("e", Kind::Objects(INNER)),
    field("b", Kind::Integer),
];
const FIELDS: &[Field] = &[
    field("f", Kind::Timestamp),
    field("c", Kind::Object(MIDDLE)),
    field("a", Kind::Text),
    field("e", Kind::Objects(MIDDLE)),
    field("b", Kind::Number),
    field("d", Kind::Object(INNER)),
    field("g", Kind::Boolean),
    field("h é", Kind::Texts),
];
/// Declared names, so that values of every kind land in fields of every kind, and some that are
/// not.
const NAMES: &[&str] =
    &["a", "b", "c", "d", "e", "f", "g", "h é", "z", "\"q\"", "\\", "Ab", "\u{1F600}"];
const PICKS: &[&str] = &["b", "z", "a", "Ab"];
const JOIN: Join = Join { list: "e", key: "z" };

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,37})(\\.[0-9]{1,4})?",
        "[1-9](\\.[0-9]{1,37})?E[+-][1-9][0-9]{0,2}"
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,20}", any::<String>(), "[\"\\\\/\n\t\u{7f}é😀]{0,12}"]
}

fn set(member: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(member, 1..5)
        .prop_map(|set| set.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn attribute() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(|text| json!({ "S": text })),
        number().prop_map(|number| json!({ "N": number })),
        "([A-Za-z0-9+/]{4}){0,2}".prop_map(|binary| json!({ "B": binary })),
        any::<bool>().prop_map(|boolean| json!({ "BOOL": boolean })),
        Just(json!({ "NULL": true })),
        set(text()).prop_map(|set| json!({ "SS": set })),
        set(number()).prop_map(|set| json!({ "NS": set })),
        set("([A-Za-z0-9+/]{4}){0,2}").prop_map(|set| json!({ "BS": set })),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            2 => item(inner.clone()).prop_map(|map| json!({ "M": map })),
            1 => proptest::collection::vec(inner.clone(), 0..5).prop_map(|list| json!({ "L": list })),
            2 => proptest::collection::vec(item(inner).prop_map(|map| json!({ "M": map })), 0..4)
                .prop_map(|list| json!({ "L": list })),
        ]
    })
}

fn item(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map(select(NAMES).prop_map(str::to_owned), value, 0..9)
        .prop_map(|members| members.into_iter().collect())
}

fn selection() -> impl Strategy<Value = Selection> {
    let inner = prop_oneof![
        Just(String::new()),
        Just(".a".into()),
        Just("(b,a)".into()),
        Just("(d)".into())
    ];
    let middle =
        (select(&["c", "a", "e", "b"][..]), inner.clone()).prop_map(|(name, inner)| match name {
            "c" | "e" => format!("{name}{inner}"),
            _ => name.to_owned(),
        });
    let below = prop_oneof![
        1 => Just(String::new()),
        2 => middle.clone().prop_map(|member| format!(".{member}")),
        2 => proptest::collection::vec(middle, 1..4).prop_map(|members| format!("({})", members.join(","))),
    ];
    let top =
        (select(&["f", "c", "a", "e", "b", "d", "g"][..]), below).prop_map(|(name, below)| {
            match name {
                "c" | "e" => format!("{name}{below}"),
                _ => name.to_owned(),
            }
        });
    let text = proptest::collection::vec(top, 1..7).prop_map(|members| members.join(","));
    let parsed = text.prop_map(|text| match Selection::parse(&text, FIELDS) {
        Ok(selection) => selection,
        Err(errors) => panic!("{text}: {errors:?}"),
    });
    prop_oneof![4 => parsed, 1 => Just(Selection::all(FIELDS)), 1 => Just(Selection::of(FIELDS, &["h é", "c"]))]
}

/// Writes an item as DynamoDB might: members in an order that `random` decides, characters escaped
/// or not.
fn print(value: &Value, random: &mut dyn FnMut(usize) -> usize, to: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            to.push('{');
            while !members.is_empty() {
                let (name, value) = members.swap_remove(random(members.len()));
                string(name, to);
                to.push_str([":", " : "][usize::from(random(20) == 0)]);
                print(value, random, to);
                to.push_str(if members.is_empty() { "" } else { "," });
            }
            to.push('}');
        }
        Value::Array(list) => {
            to.push('[');
            for (at, value) in list.iter().enumerate() {
                to.push_str(if at > 0 { "," } else { "" });
                print(value, random, to);
            }
            to.push(']');
        }
        Value::String(text) => string(text, to),
        other => to.push_str(&other.to_string()),
    }
}

/// Writes a string with more escapes than it needs, as DynamoDB may.
fn string(text: &str, to: &mut String) {
    to.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => to.extend(['\\', character]),
            '\n' => to.push_str("\\n"),
            '\0'..' ' | 'é' | '😀' => {
                character
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| to.push_str(&format!("\\u{unit:04X}")));
            }
            '/' if text.len().is_multiple_of(2) => to.push_str("\\/"),
            _ => to.push(character),
        }
    }
    to.push('"');
}

fn printed(item: &Map<String, Value>, seed: &[Index]) -> String {
    let (mut at, mut text) = (0, String::new());
    let mut random = |bound: usize| {
        at += 1;
        seed.get(at % seed.len().max(1)).map_or(0, |index| (index.index(997) + at) % bound)
    };
    print(&Value::Object(item.clone()), &mut random, &mut text);
    text
}

/// The chosen fields of one level, read off the canonical text.
fn chosen(fields: &'static [Field], text: &str) -> Vec<(&'static Field, String)> {
    let (mut depth, mut members) = (0, vec![String::new()]);
    for character in text.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        match (character, members.last_mut()) {
            (',', _) if depth == 0 => members.push(String::new()),
            (_, Some(last)) => last.push(character),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for member in members {
        let name = member.split(['.', '(']).next().unwrap_or_default().to_owned();
        let below = member[name.len()..].to_owned();
        let below = match below.strip_prefix('(') {
            Some(inner) => inner.strip_suffix(')').unwrap_or(inner).to_owned(),
            None => below.trim_start_matches('.').to_owned(),
        };
        found.extend(
            fields.iter().filter(|field| field.name == name).map(|field| (field, below.clone())),
        );
    }
    found
}

mod twin {
    use super::*;

    pub(super) fn object(fields: &'static [Field], text: &str, map: &Map<String, Value>) -> String {
        let all = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(",");
        let mut members = Vec::new();
        for (field, below) in chosen(fields, if text.is_empty() { &all } else { text }) {
            if let Some(shown) =
                map.get(field.name).and_then(|value| declared(field.kind, &below, value))
            {
                members.push(format!("{}:{shown}", Value::from(field.name)));
            }
        }
        format!("{{{}}}", members.join(","))
    }

    fn declared(kind: Kind, below: &str, value: &Value) -> Option<String> {
        let (tag, content) = value.as_object()?.iter().next()?;
        let list = |shown: Vec<String>| Some(format!("[{}]", shown.join(",")));
        match (kind, tag.as_str()) {
            (Kind::Object(fields), "M") => Some(object(fields, below, content.as_object()?)),
            (Kind::Objects(fields), "L") => {
                let maps =
                    content.as_array()?.iter().filter_map(|element| element.get("M")?.as_object());
                list(maps.map(|map| object(fields, below, map)).collect())
            }
            (Kind::Object(_) | Kind::Objects(_), _) => None,
            (Kind::Texts, "L") => list(
                content
                    .as_array()?
                    .iter()
                    .filter_map(|e| e.get("S"))
                    .map(Value::to_string)
                    .collect(),
            ),
            (Kind::Texts, "SS") | (_, "S" | "N" | "B" | "BOOL" | "NULL") => {
                Some(leaf(tag, content))
            }
            _ => None,
        }
    }

    fn leaf(tag: &str, content: &Value) -> String {
        match tag {
            "N" => content.as_str().unwrap_or_default().to_owned(),
            "BOOL" => content.to_string(),
            "NULL" => "null".to_owned(),
            "SS" => {
                let mut set = content.as_array().cloned().unwrap_or_default();
                set.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                format!("[{}]", set.iter().map(Value::to_string).collect::<Vec<_>>().join(","))
            }
            _ => content.to_string(),
        }
    }
}

type Transcoded = (Vec<u8>, Vec<Option<Scalar<'static>>>);

fn transcode(selection: &Selection, item: &str) -> Result<Transcoded, Malformed> {
    let mut output = Output::default();
    Transcoder::new(selection, PICKS, Some(JOIN)).read(item, &mut output)?;
    let Output { json: out, picks, insertions, .. } = output;
    assert!(
        insertions.iter().all(|insertion| out[insertion.at] == b'}'
            && insertion.first == (out[insertion.at - 1] == b'{'))
    );
    Ok((out, picks.into_iter().map(|pick| pick.map(Scalar::into_owned)).collect()))
}

/// The item as the official client has it.
fn attributes(item: &Map<String, Value>) -> HashMap<String, AttributeValue> {
    item.iter().map(|(name, value)| (name.clone(), attribute_value(value))).collect()
}

fn attribute_value(value: &Value) -> AttributeValue {
    let texts =
        |list: &Value| list.as_array().into_iter().flatten().map(text_of).collect::<Vec<_>>();
    let blob = |text: String| Blob::new(STANDARD.decode(text).unwrap_or_default());
    match value.as_object().and_then(|map| map.iter().next()) {
        Some((tag, content)) => match tag.as_str() {
            "S" => AttributeValue::S(text_of(content)),
            "N" => AttributeValue::N(text_of(content)),
            "B" => AttributeValue::B(blob(text_of(content))),
            "BOOL" => AttributeValue::Bool(content == &Value::Bool(true)),
            "NULL" => AttributeValue::Null(true),
            "SS" => AttributeValue::Ss(texts(content)),
            "NS" => AttributeValue::Ns(texts(content)),
            "BS" => AttributeValue::Bs(texts(content).into_iter().map(blob).collect()),
            "M" => AttributeValue::M(content.as_object().map(attributes).unwrap_or_default()),
            _ => AttributeValue::L(
                content.as_array().into_iter().flatten().map(attribute_value).collect(),
            ),
        },
        None => panic!("no attribute value: {value}"),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The keys of the joined elements, in order.
fn keys(item: &Map<String, Value>) -> Vec<String> {
    let elements = item.get("e").and_then(|list| list.get("L")?.as_array()).into_iter().flatten();
    let key = |element: &Value| {
        let key = element.get("M")?.get("z")?;
        key.get("S").or(key.get("N"))?.as_str().map(str::to_owned)
    };
    elements.filter_map(key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_are_as_the_twin_has_them(
        items in proptest::collection::vec(item(attribute()), 1..4),
        selection in selection(),
        seed in proptest::collection::vec(any::<Index>(), 1..40),
    ) {
        let transcoder = Transcoder::new(&selection, PICKS, Some(JOIN));
        let texts: Vec<_> = items.iter().map(|item| printed(item, &seed)).collect();
        let mut output = Output::default();
        for (item, text) in items.iter().zip(&texts) {
            output.json = b"before".to_vec();
            output.insertions.clear();
            let result = transcoder.read(text, &mut output);
            prop_assert_eq!(result, Ok(()), "{}", text);
            let Output { json: out, picks, insertions, .. } = &output;
            let expected = format!("before{}", twin::object(FIELDS, &selection.to_string(), item));
            prop_assert_eq!(String::from_utf8_lossy(out), expected.as_str(), "{} of {}", selection, text);
            prop_assert!(serde_json::from_slice::<Value>(&out[6..]).is_ok() || expected.contains('E'));
            for (name, pick) in PICKS.iter().zip(picks) {
                let scalar = item.get(*name).and_then(|value| {
                    let text = |tag: &str| value.get(tag)?.as_str().map(str::to_owned);
                    text("S").map(|s| Scalar::Text(s.into())).or(text("N").map(|n| Scalar::Number(n.into())))
                });
                prop_assert_eq!(pick, &scalar);
            }
            let reported: Vec<_> = insertions.iter().map(|insertion| insertion.key.clone()).collect();
            let expected = if selection.contains("e") { keys(item) } else { Vec::new() };
            prop_assert_eq!(reported, expected);
            for insertion in insertions {
                prop_assert_eq!((out[insertion.at], out[insertion.at - 1] == b'{'), (b'}', insertion.first));
            }
        }
    }

    #[test]
    fn the_same_item_in_any_order_gives_the_same_bytes(
        item in item(attribute()),
        selection in selection(),
        seeds in proptest::array::uniform2(proptest::collection::vec(any::<Index>(), 1..40)),
    ) {
        let [one, other] = seeds.map(|seed| transcode(&selection, &printed(&item, &seed)));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn an_item_of_the_official_client_gives_the_same_bytes(item in item(attribute()), selection in selection()) {
        let text = Value::Object(item.clone()).to_string();
        let mut read = Output::default();
        let transcoder = Transcoder::new(&selection, PICKS, Some(JOIN));
        prop_assert_eq!(transcoder.read(&text, &mut read), Ok(()));
        let typed = transcoder.attributes(&attributes(&item));
        let typed = typed.map(|output| (output.json, output.picks, output.insertions));
        prop_assert_eq!(typed, Ok((read.json, read.picks, read.insertions)));
    }

    #[test]
    fn a_part_of_an_item_is_malformed(item in item(attribute()), selection in selection()) {
        let text = printed(&item, &[]);
        let transcoder = Transcoder::new(&selection, PICKS, Some(JOIN));
        // Every byte of a short item, one in so many of a long one.
        for end in (0..text.len()).step_by(1 + text.len() / 400).filter(|end| text.is_char_boundary(*end)) {
            prop_assert!(transcoder.read(&text[..end], &mut Output::default()).is_err());
        }
    }

    #[test]
    fn no_bytes_are_too_much(
        item in item(attribute()),
        selection in selection(),
        noise in proptest::collection::vec((any::<Index>(), prop_oneof![any::<u8>(), select(&b"{}[]\",:\\"[..])]), 1..4),
        random in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = printed(&item, &[]).into_bytes();
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok((out, _)) = transcode(&selection, text)
        {
            prop_assert!(std::str::from_utf8(&out).is_ok());
            prop_assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&out).is_ok());
        }
        let _ = transcode(&selection, &String::from_utf8_lossy(&random));
        // Bytes that are not UTF-8 are for the deserializer to refuse.
        let mut output = Output::default();
        let transcoder = Transcoder::new(&selection, PICKS, Some(JOIN));
        if transcoder.item(&mut output).deserialize(&mut serde_json::Deserializer::from_slice(&bytes)).is_err() {
            prop_assert!(output.json.is_empty() && output.insertions.is_empty());
        } else {
            prop_assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&output.json).is_ok());
        }
    }

    #[test]
    fn any_text_is_a_selection_or_errors(text in prop_oneof![any::<String>(), "[a-e.,() ]{0,40}"]) {
        match Selection::parse(&text, FIELDS) {
            Ok(selection) => prop_assert_eq!(Selection::parse(&selection.to_string(), FIELDS), Ok(selection)),
            Err(errors) => prop_assert!(!errors.is_empty() && errors.iter().all(|e| e.path.chars().count() <= 64)),
        }
    }

    #[test]
    fn canonical_texts_parse_back(selection in selection()) {
        if !selection.contains("h é") {
            prop_assert_eq!(Selection::parse(&selection.to_string(), FIELDS), Ok(selection.clone()));
        }
        let expression = selection.expression(PICKS);
        let paths: Vec<_> = expression.text.split(',').collect();
        for (at, path) in paths.iter().enumerate() {
            for other in &paths[..at] {
                let overlap = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}."));
                prop_assert!(!overlap(path, other) && !overlap(other, path), "{}", expression.text);
            }
        }
    }
}
