//! DynamoDB's answers: the items go through the transcoder as they are read, the rest is typed.
//!
//! An answer with missing or impossible members is an error, never an empty page.

mod members;

use bytes::Bytes;
use pagination::{Answer, Condition, Fetch, Fetched, Position, Predicate, Row, Value};
use projection::{Insertion, Malformed, Scalar, Transcoder};

use members::{AnswerMembers, ItemsMember, Key, Picks};

/// An item of an answer: its JSON, and the positions in it where an expansion can be inserted.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The JSON of the chosen fields.
    pub json: Bytes,
    /// Places in `json` for the members of an expansion.
    pub insertions: Vec<Insertion>,
}

/// An answer's content, and the capacity units that it consumed.
#[derive(Debug)]
pub(crate) struct Metered<T> {
    pub(crate) content: T,
    pub(crate) units: f64,
}

/// The part of a Query that its answer is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'q> {
    /// The attributes of a position.
    pub(crate) position: &'q [&'static str],
    /// The partition: attributes and values.
    pub(crate) partition: &'q [(&'q str, &'q Value)],
    /// The most items that it may evaluate.
    pub(crate) limit: u32,
}

impl Asked<'_> {
    fn last(&self, key: Option<&Key<'_>>) -> Result<Option<Position>, Malformed> {
        let Some(key) = key else { return Ok(None) };
        for (name, value) in self.partition {
            let there = key.get(*name).map(|raw| serde_json::from_str(raw.get())).transpose()?;
            if there.map(self::value).is_none_or(|there| there.order(value).is_ne()) {
                return Err(Malformed::Content("a LastEvaluatedKey of another partition"));
            }
        }
        position(scalars(key, self.position)?).map(Some)
    }

    fn evaluated(&self, scanned: Option<u32>) -> Result<u32, Malformed> {
        match scanned {
            None => Err(Malformed::Content("a Query's answer without ScannedCount")),
            Some(scanned) if scanned > self.limit => {
                Err(Malformed::Content("a ScannedCount above the Query's Limit"))
            }
            Some(scanned) => Ok(scanned),
        }
    }
}

/// Reads the answer of a Query for items. The transcoder picks the attributes of a position.
pub(crate) fn query(
    body: &[u8],
    transcoder: &Transcoder,
    asked: Asked<'_>,
) -> Result<Metered<Answer<Item>>, Malformed> {
    let output = AnswerMembers::read(body, Some((ItemsMember::Items, transcoder)))?;
    let items = output.items.ok_or(Malformed::Content("a Query's answer without Items"))?;
    let evaluated = asked.evaluated(output.scanned)?;
    let count = u32::try_from(items.len()).ok();
    if count.is_none_or(|count| count > evaluated)
        || output.count.is_some_and(|stated| Some(stated) != count)
    {
        return Err(Malformed::Content("a Query's answer whose Count is not that of its Items"));
    }
    let mut rows = Vec::with_capacity(items.len());
    for (picks, item) in items {
        let position = position(picks)?;
        rows.push(Row { position, bytes: item.json.len(), item });
    }
    Ok(Metered {
        content: Answer { rows, evaluated, last: asked.last(output.last.as_ref())? },
        units: output.units,
    })
}

/// Reads the answer of a Query that counts, which has no items.
pub(crate) fn count(body: &[u8], asked: Asked<'_>) -> Result<Metered<Answer<Item>>, Malformed> {
    let output = AnswerMembers::read(body, None)?;
    let evaluated = asked.evaluated(output.scanned)?;
    if output.count.is_none_or(|count| count > evaluated) {
        return Err(Malformed::Content(
            "a counting Query's answer without Count, or with one above ScannedCount",
        ));
    }
    Ok(Metered {
        content: Answer { rows: Vec::new(), evaluated, last: asked.last(output.last.as_ref())? },
        units: output.units,
    })
}

/// An item, and the scalars that the transcoder picked.
pub(crate) type Picked = (Item, Vec<Option<Value>>);

/// Reads the answer of a GetItem: its item, if there is one that fulfils the conditions. The
/// transcoder picks the attributes of `key`, then those of `conditions`, and then the others, which
/// are returned.
pub(crate) fn get(
    body: &[u8],
    transcoder: &Transcoder,
    key: &[Value],
    conditions: &[Condition],
) -> Result<Metered<Option<Picked>>, Malformed> {
    let output = AnswerMembers::read(body, Some((ItemsMember::Item, transcoder)))?;
    let Some((picks, item)) = output.items.and_then(|mut items| items.pop()) else {
        return Ok(Metered { content: None, units: output.units });
    };
    let mut picks = picks.into_iter().map(|pick| pick.map(value));
    let found: Vec<_> = picks.by_ref().take(key.len()).flatten().collect();
    if !same(&found, key) {
        return Err(Malformed::Content(
            "a GetItem's answer with another key than the one that was asked for",
        ));
    }
    let holds = hold(conditions, picks.by_ref());
    Ok(Metered { content: holds.then(|| (item, picks.collect())), units: output.units })
}

/// Takes a value for each condition, and returns true if all of them hold. An attribute with a
/// prefix may be absent: then the item lacks that field.
fn hold(conditions: &[Condition], values: impl Iterator<Item = Option<Value>>) -> bool {
    conditions.iter().zip(values).fold(true, |all, (Condition { predicate, .. }, value)| {
        let absent = || matches!(predicate, Predicate::BeginsWith(_));
        all && value.map_or_else(absent, |value| predicate.holds(&value))
    })
}

/// Reads the answer of a BatchGetItem of one table: the outcome for each key of `fetch`, in their
/// order. An item that does not fulfil the conditions is missing. The transcoder picks the
/// attributes of the key, then those of `conditions`.
pub(crate) fn batch_get(
    body: &[u8],
    transcoder: &Transcoder,
    &Fetch { table, keys, .. }: &Fetch<'_>,
    conditions: &[Condition],
) -> Result<Metered<Vec<Fetched<Item>>>, Malformed> {
    let names = table.key;
    const NOT_ASKED: Malformed =
        Malformed::Content("a BatchGetItem's answer with a key that was not asked for");
    let output = AnswerMembers::read(body, Some((ItemsMember::Responses, transcoder)))?;
    let mut fetched: Vec<_> = keys.iter().map(|_| Fetched::Missing).collect();
    let mut settle = |key: Vec<Value>, outcome| {
        let asked = keys
            .iter()
            .position(|other| same(other, &key))
            .and_then(|index| fetched.get_mut(index));
        asked.map(|asked| *asked = outcome).ok_or(NOT_ASKED)
    };
    for key in output.unprocessed.into_values().flat_map(|unprocessed| unprocessed.keys) {
        let key = names
            .iter()
            .filter_map(|name| key.get(*name))
            .map(|raw| Ok(value(serde_json::from_str(raw.get())?)));
        settle(key.collect::<Result<_, Malformed>>()?, Fetched::Unprocessed)?;
    }
    for (picks, item) in
        output.items.ok_or(Malformed::Content("a BatchGetItem's answer without Responses"))?
    {
        let bytes = item.json.len();
        let mut picks = picks.into_iter().map(|pick| pick.map(value));
        let key = picks.by_ref().take(names.len()).flatten().collect();
        let holds = hold(conditions, picks);
        settle(key, if holds { Fetched::Found(item, bytes) } else { Fetched::Missing })?;
    }
    Ok(Metered { content: fetched, units: output.units })
}

/// Compares two keys. DynamoDB may return a number in another notation than the one that was sent.
fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.order(b).is_eq())
}

fn scalars<'de>(key: &Key<'de>, names: &[&str]) -> Result<Picks<'de>, Malformed> {
    names
        .iter()
        .map(|name| Ok(key.get(*name).map(|raw| serde_json::from_str(raw.get())).transpose()?))
        .collect()
}

fn position(picks: Picks<'_>) -> Result<Position, Malformed> {
    let values: Option<Vec<_>> = picks.into_iter().map(|pick| pick.map(value)).collect();
    values.map(Position).ok_or(Malformed::Content(
        "an item or a LastEvaluatedKey without the key attributes of the index",
    ))
}

fn value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Text(text) => Value::S(text.into_owned()),
        Scalar::Number(text) => Value::N(text.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use pagination::Table;
    use projection::{Field, Kind, Selection};

    use super::*;

    static FIELDS: [Field; 2] = [
        Field { name: "id", kind: Kind::Text, about: "" },
        Field { name: "price", kind: Kind::Number, about: "" },
    ];
    const ASKED: Asked<'_> = Asked { position: &["price", "id"], partition: &[], limit: 10 };

    fn transcoder(picks: &[&'static str]) -> Transcoder {
        Transcoder::new(&Selection::all(&FIELDS), picks, None)
    }

    fn items(body: &str) -> Result<Answer<Item>, Malformed> {
        query(body.as_bytes(), &transcoder(&["price", "id"]), ASKED).map(|metered| metered.content)
    }

    fn counted(body: &str) -> Result<u32, Malformed> {
        count(body.as_bytes(), ASKED).map(|metered| metered.content.evaluated)
    }

    const TABLE: Table = Table { key: &["id"], indexes: &[] };

    fn batch(body: &str) -> Result<Vec<Fetched<Item>>, Malformed> {
        batch_of(body, &["id"], &[])
    }

    fn batch_of(
        body: &str,
        picks: &[&'static str],
        conditions: &[Condition],
    ) -> Result<Vec<Fetched<Item>>, Malformed> {
        let keys = ["a", "b", "c"].map(|id| vec![Value::S(id.to_owned())]);
        let fetch = Fetch { table: &TABLE, keys: &keys, attempt: 0 };
        batch_get(body.as_bytes(), &transcoder(picks), &fetch, conditions)
            .map(|metered| metered.content)
    }

    /// A table of several resources: its key does not show of which one an item is.
    #[test]
    fn an_item_that_is_read_by_its_key_must_be_of_the_resource() {
        let book = Value::S("BOOK".to_owned());
        let conditions = [Condition::equal("type", book), Condition::begins_with("type", "BO")];
        let picks = ["id", "type", "type"];
        for (members, is_book) in [
            (r#","type":{"S":"BOOK"}"#, true),
            (r#","type":{"S":"BOOKS"}"#, false),
            (r#","type":{"S":"ORDER"}"#, false),
            (r#","type":{"N":"1"}"#, false),
            (r#","type":{"NULL":true}"#, false),
            (r#","other":{"S":"BOOK"}"#, false),
            ("", false),
        ] {
            let item = format!(r#"{{"id":{{"S":"a"}}{members}}}"#);
            let key = [Value::S("a".to_owned())];
            let body = format!(r#"{{"Item":{item}}}"#);
            let found = get(body.as_bytes(), &transcoder(&picks), &key, &conditions).unwrap();
            assert_eq!(found.content.is_some(), is_book, "{members}");
            let body = format!(r#"{{"Responses":{{"t":[{item}]}},"UnprocessedKeys":{{}}}}"#);
            let fetched = batch_of(&body, &picks, &conditions).unwrap();
            assert_eq!(matches!(fetched[0], Fetched::Found(..)), is_book, "{members}");
            assert!(is_book || matches!(fetched[0], Fetched::Missing), "{members}");
        }
        // A field of a resource can be one of an index that does not have every item.
        let prefixed = [Condition::begins_with("code", "BOOK#")];
        for (code, is_book) in
            [("", true), (r#","code":{"S":"BOOK#1"}"#, true), (r#","code":{"S":"ORDER#1"}"#, false)]
        {
            let body = format!(r#"{{"Item":{{"id":{{"S":"a"}}{code}}}}}"#);
            let key = [Value::S("a".to_owned())];
            let found = get(body.as_bytes(), &transcoder(&["id", "code"]), &key, &prefixed);
            assert_eq!(found.unwrap().content.is_some(), is_book, "{code}");
        }
        // An item of another resource is still one that was asked for.
        let other = r#"{"Responses":{"t":[{"id":{"S":"z"}}]},"UnprocessedKeys":{}}"#;
        assert!(batch_of(other, &picks, &conditions).is_err());
    }

    #[test]
    fn a_query_has_rows_a_place_and_a_cost() {
        let body = r#"{"Count":2,"Other":[{}],"Items":[{"id":{"S":"a"},"price":{"N":"1"}},{"price":{"N":"2.0"},"id":{"S":"b"}}],
            "ScannedCount":3,"LastEvaluatedKey":{"hash":{"B":"AA=="},"id":{"S":"b"},"price":{"N":"2.0"}},
            "ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5}}"#;
        let Metered { content, units } =
            query(body.as_bytes(), &transcoder(&["price", "id"]), ASKED).unwrap();
        let json: Vec<_> = content
            .rows
            .iter()
            .map(|row| String::from_utf8_lossy(&row.item.json).into_owned())
            .collect();
        assert_eq!(json, [r#"{"id":"a","price":1}"#, r#"{"id":"b","price":2.0}"#]);
        assert_eq!(
            content.rows[1].position,
            Position(vec![Value::N("2.0".to_owned()), Value::S("b".to_owned())])
        );
        assert_eq!((content.rows[0].bytes, content.evaluated, units), (20, 3, 0.5));
        assert_eq!(content.last, Some(content.rows[1].position.clone()));
        assert!(items(r#"{"Items":[],"ScannedCount":0}"#).unwrap().last.is_none());
    }

    #[test]
    fn a_query_without_what_it_must_have_is_malformed() {
        for body in [
            "{}",
            r#"{"Count":0,"ScannedCount":0}"#,
            r#"{"Items":[],"Count":0}"#,
            r#"{"Items":null,"ScannedCount":0}"#,
            r#"{"Items":{},"ScannedCount":0}"#,
            r#"{"Items":[],"Items":[],"ScannedCount":0}"#,
            r#"{"Items":[{"id":{"S":"a"}}],"ScannedCount":1}"#,
            r#"{"Items":[],"ScannedCount":1,"LastEvaluatedKey":{"id":{"S":"a"}}}"#,
            r#"{"Items":[],"ScannedCount":1,"LastEvaluatedKey":{}}"#,
            r#"{"Items":[],"ScannedCount":1,"LastEvaluatedKey":{"id":{"S":"a"},"price":{"BOOL":true}}}"#,
            r#"{"Items":[],"ScannedCount":1,"LastEvaluatedKey":{"id":{"S":"a"},"price":{"N":"x"}}}"#,
        ] {
            assert!(items(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_count_is_a_count() {
        for wrong in ["-1", "1.0", "1e3", "11", "4294967295", "4294967296", "\"1\"", "null", "[]"] {
            assert!(
                items(&format!(r#"{{"Items":[],"ScannedCount":{wrong}}}"#)).is_err(),
                "{wrong}"
            );
            assert!(
                counted(&format!(r#"{{"Count":{wrong},"ScannedCount":1}}"#)).is_err(),
                "{wrong}"
            );
            assert!(
                counted(&format!(r#"{{"Count":1,"ScannedCount":{wrong}}}"#)).is_err(),
                "{wrong}"
            );
        }
        assert_eq!(items(r#"{"Items":[],"Count":0,"ScannedCount":10}"#).unwrap().evaluated, 10);
        for body in [
            r#"{"Items":[],"Count":1,"ScannedCount":1}"#,
            r#"{"Items":[{"id":{"S":"a"},"price":{"N":"1"}}],"Count":0,"ScannedCount":1}"#,
            r#"{"Items":[{"id":{"S":"a"},"price":{"N":"1"}}],"Count":1,"ScannedCount":0}"#,
        ] {
            assert!(items(body).is_err(), "{body}");
        }
        assert!(counted(r#"{"Count":2,"ScannedCount":1}"#).is_err());
    }

    #[test]
    fn a_query_ends_in_the_partition_that_was_asked_for() {
        let (text, number) = (Value::S("a".to_owned()), Value::N("10".to_owned()));
        let partition = [("kind", &text), ("shard", &number)];
        let last = |key: &str| {
            let body = format!(
                r#"{{"Items":[],"Count":0,"ScannedCount":1,"LastEvaluatedKey":{{"id":{{"S":"x"}},"price":{{"N":"1"}}{key}}}}}"#
            );
            let asked = Asked { partition: &partition, ..ASKED };
            let counted = count(body.as_bytes(), asked).map(|metered| metered.content.last);
            let items = query(body.as_bytes(), &transcoder(&["price", "id"]), asked)
                .map(|metered| metered.content.last);
            assert_eq!(items, counted);
            items
        };
        assert!(last(r#","kind":{"S":"a"},"shard":{"N":"1E1"}"#).is_ok_and(|last| last.is_some()));
        for wrong in [
            "",
            r#","kind":{"S":"a"}"#,
            r#","shard":{"N":"10"}"#,
            r#","kind":{"S":"b"},"shard":{"N":"10"}"#,
            r#","kind":{"S":"a"},"shard":{"N":"11"}"#,
            r#","kind":{"N":"1"},"shard":{"N":"10"}"#,
            r#","kind":{"S":"a"},"shard":{"S":"10"}"#,
            r#","kind":{"BOOL":true},"shard":{"N":"10"}"#,
        ] {
            assert!(last(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_counting_query_has_both_counts_and_no_items() {
        assert_eq!(counted(r#"{"Count":1,"ScannedCount":2}"#), Ok(2));
        for body in [
            "{}",
            r#"{"Count":1}"#,
            r#"{"ScannedCount":1}"#,
            r#"{"Count":1,"ScannedCount":1,"LastEvaluatedKey":{}}"#,
        ] {
            assert!(counted(body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_empty_answer_of_a_get_is_not_found() {
        let found = |body: &str| {
            get(body.as_bytes(), &transcoder(&["id"]), &[Value::S("a".to_owned())], &[])
                .map(|metered| metered.content)
        };
        assert!(found("{}").unwrap().is_none());
        let (item, picked) =
            found(r#"{"Item":{"id":{"S":"a"}},"ConsumedCapacity":{"CapacityUnits":1}}"#)
                .unwrap()
                .unwrap();
        assert_eq!((&*item.json, picked), (br#"{"id":"a"}"#.as_slice(), vec![]));
        for body in [
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#,
            r#"{"Item":null}"#,
            r#"{"Item":[]}"#,
            r#"{"Item":{"id":1}}"#,
            r#"{"Item":{"id":{"S":"a"}},"Item":{"id":{"S":"a"}}}"#,
            r#"{"Item":{}}"#,
            r#"{"Item":{"id":{"S":"b"}}}"#,
            r#"{"Item":{"id":{"N":"1"}}}"#,
        ] {
            assert!(found(body).is_err(), "{body}");
        }
        // A number may come back in another notation. What else is picked stands after the key.
        let key = [Value::N("10".to_owned())];
        let body = br#"{"Item":{"price":{"N":"1E+1"},"id":{"S":"now"}}}"#;
        let (_, picked) =
            get(body, &transcoder(&["price", "id"]), &key, &[]).unwrap().content.unwrap();
        assert_eq!(picked, [Some(Value::S("now".to_owned()))]);
    }

    #[test]
    fn a_batch_says_what_became_of_each_key() {
        let body = r#"{"Responses":{"t":[{"id":{"S":"c"},"price":{"N":"1"}}]},"UnprocessedKeys":{"t":{"Keys":[{"id":{"S":"a"}}],"X":1}},
            "ConsumedCapacity":[{"CapacityUnits":1.5},{"CapacityUnits":0.5}]}"#;
        let fetched = batch(body).unwrap();
        assert!(matches!(
            fetched.as_slice(),
            [Fetched::Unprocessed, Fetched::Missing, Fetched::Found(_, 20)]
        ));
    }

    #[test]
    fn a_batch_that_cannot_be_is_malformed() {
        for body in [
            "{}",
            r#"{"UnprocessedKeys":{}}"#,
            r#"{"Responses":[]}"#,
            r#"{"Responses":{"t":[{"price":{"N":"1"}}]}}"#,
            r#"{"Responses":{"t":[{"id":{"S":"z"}}]}}"#,
            r#"{"Responses":{"t":[{"id":{"N":"1"}}]}}"#,
            r#"{"Responses":{},"UnprocessedKeys":{"t":{}}}"#,
            r#"{"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{"id":{"S":"z"}}]}}}"#,
            r#"{"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{}]}}}"#,
        ] {
            assert!(batch(body).is_err(), "{body}");
        }
        assert!(
            batch(r#"{"Responses":{}}"#)
                .is_ok_and(|fetched| fetched.iter().all(|one| matches!(one, Fetched::Missing)))
        );
    }

    #[test]
    fn an_answer_is_one_json_object_in_utf8() {
        for body in [
            "",
            "null",
            "[]",
            "<html>",
            r#"{"Items":[],"#,
            r#"{"Items":[],"ScannedCount":0} {}"#,
            r#"{"Items":[],"ScannedCount":0}x"#,
        ] {
            assert!(items(body).is_err(), "{body}");
            assert!(get(body.as_bytes(), &transcoder(&[]), &[], &[]).is_err(), "{body}");
            assert!(batch(body).is_err(), "{body}");
        }
        assert!(get(b"{\"Item\":{\"id\":{\"S\":\"\xff\"}}}", &transcoder(&[]), &[], &[]).is_err());
        assert!(items("{\"Items\":[],\"ScannedCount\":0}\n").is_ok());
    }
}
