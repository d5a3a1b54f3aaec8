//! Walks over every kind of index and key: the table itself, a local index, global indexes with and
//! without a range, one with several HASH attributes, and keys with prefixes in a table that holds
//! items of another kind too.
//!
//! Where items have equal keys in an index, their order is DynamoDB's own. So the oracle for the
//! order is one Query without a limit; which items belong to the list is decided in memory.

use std::collections::HashMap;

use dynoxide::{
    AttributeValue, Item,
    actions::{create_table::CreateTableRequest, query::QueryRequest},
};
use pagination::{
    Budget, Condition, Index, Order, Partition, Plan, PlanError, Projects, Sort, Table, Value,
};
use serde_json::json;
use shop::random::Random;

use super::{Walker, in_parallel, sealer, walk};
use crate::direct::{Direct, item};

const ALL: Projects = Projects::All;
/// Items are called `ITEM#…`; each partition has others, `META#…`, which no list here shows.
static TABLE: Table = Table {
    key: &["PK", "SK"],
    indexes: &[
        Index {
            name: None,
            partition: Partition::Attributes(&["PK"]),
            range: &["SK"],
            projects: ALL,
        },
        Index {
            name: Some("byWhen"),
            partition: Partition::Attributes(&["PK"]),
            range: &["when"],
            projects: ALL,
        },
        Index {
            name: Some("byColorSize"),
            partition: Partition::Attributes(&["color"]),
            range: &["size"],
            projects: Projects::Attributes(&[]),
        },
        Index {
            name: Some("byKind"),
            partition: Partition::Attributes(&["kind"]),
            range: &[],
            projects: ALL,
        },
        Index {
            name: Some("byStateWhen"),
            partition: Partition::Attributes(&["PK", "state"]),
            range: &["when", "SK"],
            projects: Projects::Attributes(&["size"]),
        },
    ],
};

fn create() -> CreateTableRequest {
    let key = |hash: &[&str], range: &[&str]| {
        let part = |names: &[&str], kind: &str| {
            names
                .iter()
                .map(|name| json!({"AttributeName": name, "KeyType": kind}))
                .collect::<Vec<_>>()
        };
        [part(hash, "HASH"), part(range, "RANGE")].concat()
    };
    let index = |name: &str, key, projection: &str, names: &[&str]| {
        let mut index = json!({"IndexName": name, "KeySchema": key, "Projection": {"ProjectionType": projection}});
        if !names.is_empty() {
            index["Projection"]["NonKeyAttributes"] = json!(names);
        }
        index
    };
    let types = [
        ("PK", "S"),
        ("SK", "S"),
        ("when", "N"),
        ("color", "S"),
        ("size", "N"),
        ("kind", "S"),
        ("state", "S"),
    ];
    let types: Vec<_> = types
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": types, "KeySchema": key(&["PK"], &["SK"]),
        "LocalSecondaryIndexes": [index("byWhen", key(&["PK"], &["when"]), "ALL", &[])],
        "GlobalSecondaryIndexes": [
            index("byColorSize", key(&["color"], &["size"]), "KEYS_ONLY", &[]),
            index("byKind", key(&["kind"], &[]), "ALL", &[]),
            index("byStateWhen", key(&["PK", "state"], &["when", "SK"]), "INCLUDE", &["size"]),
        ],
    });
    serde_json::from_value(table).unwrap()
}

/// A table of `size` items in two partitions, with heavy ties everywhere.
fn table(random: &mut Random, size: usize) -> (Direct, Vec<Item>) {
    let database = dynoxide::Database::memory().unwrap();
    database.create_table(create()).unwrap();
    let direct = Direct::new(database, "things");
    let items: Vec<_> = (0..size)
        .map(|number| {
            let mut thing = json!({
                "PK": format!("USER#{}", random.below(2)), "SK": format!("ITEM#{number:05}"), "when": random.below(4), "size": random.below(5),
                "color": *random.pick(&["red", "blue"]), "kind": *random.pick(&["a", "b"]), "state": *random.pick(&["new", "paid", "sent"]),
                "note": *random.pick(&["aa", "ab", "b"]), "open": random.chance(2),
            });
            if random.chance(10) {
                thing.as_object_mut().unwrap().remove("state");
            }
            item(&thing)
        })
        .collect();
    let others = (0..10).map(|number| {
        item(&json!({
            "PK": format!("USER#{}", number % 2), "SK": format!("META#{number}"), "when": number % 4, "size": number % 5, "color": "red",
            "kind": "a", "note": "aa", "open": true,
        }))
    });
    let all: Vec<_> = items.iter().cloned().chain(others).collect();
    for chunk in all.chunks(500) {
        direct.put(chunk.to_vec());
    }
    (direct, items)
}

fn value(item: &Item, name: &str) -> Option<Value> {
    match item.get(name)? {
        AttributeValue::S(text) => Some(Value::S(text.clone())),
        AttributeValue::N(text) => Some(Value::N(text.clone())),
        AttributeValue::BOOL(flag) => Some(Value::Bool(*flag)),
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> Value {
    Value::S(text.to_owned())
}

fn number(number: usize) -> Value {
    Value::N(number.to_string())
}

/// A kind of list: what it always has, its sort, and the attributes of which it may have
/// conditions.
fn list(random: &mut Random) -> (Vec<Condition>, Option<&'static str>) {
    let user = || Condition::equal("PK", text("USER#0"));
    let items = Condition::begins_with("SK", "ITEM#");
    let (mut conditions, sort) = match random.below(6) {
        0 => (vec![user(), items], Some("SK")),
        1 => (vec![user(), items], Some("when")),
        2 => (vec![Condition::equal("color", text("red")), items], Some("size")),
        3 => (vec![Condition::equal("kind", text("a")), items], None),
        4 => (
            vec![
                user(),
                Condition::one_of("state", vec![text("sent"), text("paid"), text("sent")]),
            ],
            Some("when"),
        ),
        _ => (vec![user(), Condition::equal("state", text("new"))], Some("when")),
    };
    let in_all = |conditions: &[Condition]| {
        conditions
            .iter()
            .all(|condition| condition.attribute != "state" && condition.attribute != "color")
    };
    if random.chance(3) {
        match sort {
            Some("SK") => conditions
                .push(Condition::at_least("SK", text(&format!("ITEM#{:05}", random.below(200))))),
            Some("when") => conditions.push(Condition::at_least("when", number(random.below(4)))),
            Some("size") => conditions.push(Condition::at_least("size", number(random.below(5)))),
            _ => {}
        }
    }
    if random.chance(3) {
        match sort {
            Some("SK") => conditions
                .push(Condition::at_most("SK", text(&format!("ITEM#{:05}", random.below(400))))),
            Some("when") => conditions.push(Condition::at_most("when", number(random.below(4)))),
            Some("size") => conditions.push(Condition::at_most("size", number(random.below(5)))),
            _ => {}
        }
    }
    if in_all(&conditions) && random.chance(3) {
        conditions.push(match random.below(4) {
            0 => Condition::begins_with("note", "a"),
            1 => Condition::equal("open", Value::Bool(true)),
            2 => Condition::one_of("note", vec![text("b"), text("ab")]),
            _ => Condition::equal("size", number(random.below(5))),
        });
    }
    (conditions, sort)
}

/// The items of the list, in the order of one Query of each partition without a limit, merged by
/// the range.
fn expected(
    direct: &Direct,
    plan: &Plan,
    conditions: &[Condition],
    order: Order,
    items: &[Item],
) -> Vec<String> {
    let index = plan.index();
    let passes = |item: &Item| {
        conditions.iter().all(|condition| {
            value(item, condition.attribute).is_some_and(|value| condition.predicate.holds(&value))
        })
    };
    let mut partitions: Vec<Vec<AttributeValue>> = Vec::new();
    let mut found: Vec<Item> = Vec::new();
    for item in items.iter().filter(|item| passes(item)) {
        let partition: Vec<_> =
            index.partition_attributes().iter().map(|name| item[*name].clone()).collect();
        if !partitions.contains(&partition) {
            partitions.push(partition);
        }
    }
    for partition in &partitions {
        let names = index.partition_attributes();
        let condition: Vec<_> = (0..names.len()).map(|i| format!("#n{i} = :n{i}")).collect();
        let response = direct.db.query(QueryRequest {
            table_name: "things".to_owned(),
            index_name: index.name.map(str::to_owned),
            key_condition_expression: Some(condition.join(" AND ")),
            expression_attribute_names: Some(
                names
                    .iter()
                    .enumerate()
                    .map(|(i, name)| (format!("#n{i}"), (*name).to_owned()))
                    .collect(),
            ),
            expression_attribute_values: Some(
                partition
                    .iter()
                    .enumerate()
                    .map(|(i, value)| (format!(":n{i}"), value.clone()))
                    .collect::<HashMap<_, _>>(),
            ),
            scan_index_forward: order == Order::Ascending,
            ..QueryRequest::default()
        });
        found.extend(response.unwrap().items.unwrap_or_default());
    }
    // Stable: within a partition DynamoDB's own order of ties stays.
    found.sort_by(|a, b| {
        let by =
            index.range.iter().map(|name| value(a, name).unwrap().order(&value(b, name).unwrap()));
        let by = by.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal);
        if order == Order::Ascending { by } else { by.reverse() }
    });
    let id = |item: &Item| {
        if let AttributeValue::S(id) = &item["SK"] { id.clone() } else { panic!("an id is a text") }
    };
    let listed: Vec<String> = items.iter().filter(|item| passes(item)).map(id).collect();
    found.iter().map(id).filter(|id| listed.contains(id)).collect()
}

async fn case(seed: u64, walks: usize) {
    let mut random = Random(seed);
    let size = if random.chance(10) { 600 } else { random.below(150) };
    let (direct, items) = table(&mut random, size);
    for _ in 0..walks {
        let (conditions, sort) = list(&mut random);
        let order = if random.chance(2) { Order::Ascending } else { Order::Descending };
        let wanted = if random.chance(4) { "note" } else { "SK" };
        let plan =
            Plan::new(&TABLE, &conditions, Sort { attribute: sort, order }, [wanted], 1).unwrap();
        let budget = if random.chance(4) {
            Budget { rounds: 3, evaluated: 300, ..Budget::default() }
        } else {
            Budget::default()
        };
        let expected = expected(&direct, &plan, &conditions, order, &items);
        let walker = Walker { direct: &direct, sealer: sealer(), plan, budget };
        walk(&walker, &expected.iter().map(String::as_str).collect::<Vec<_>>(), &mut random).await;
    }
}

#[test]
fn every_kind_of_index_is_walked_exactly() {
    let (walks, cases) = in_parallel(case);
    println!(
        "{walks} walks over {cases} tables with five kinds of index, forward and back: each item exactly once, in order"
    );
}

fn index(
    conditions: &[Condition],
    sort: Option<&'static str>,
) -> Result<Option<&'static str>, PlanError> {
    Plan::new(&TABLE, conditions, Sort { attribute: sort, order: Order::Ascending }, [], 1)
        .map(|plan| plan.index().name)
}

#[test]
fn the_index_that_reads_the_least_is_chosen() {
    let user = Condition::equal("PK", text("USER#0"));
    let paid = Condition::equal("state", text("paid"));
    let when = Condition::at_least("when", number(2));
    assert_eq!(
        index(&[user.clone(), paid.clone()], Some("when")),
        Ok(Some("byStateWhen")),
        "more of the partition"
    );
    assert_eq!(index(std::slice::from_ref(&user), Some("when")), Ok(Some("byWhen")));
    assert_eq!(index(&[user.clone(), when], None), Ok(Some("byWhen")), "a condition in the range");
    assert_eq!(index(&[user], None), Ok(None), "the first that is declared: the table itself");
    assert_eq!(index(&[paid], Some("when")), Err(PlanError::NoIndex));
}

/// Several partitions can be merged only where no two items have the same key in the index.
#[test]
fn several_values_are_merged_in_a_unique_index_only() {
    let states = Condition::one_of("state", vec![text("paid"), text("sent")]);
    let user = Condition::equal("PK", text("USER#0"));
    assert_eq!(index(&[user.clone(), states.clone()], Some("when")), Ok(Some("byStateWhen")));
    assert_eq!(
        index(&[Condition::one_of("color", vec![text("red"), text("blue")])], Some("size")),
        Err(PlanError::NoIndex)
    );
    assert_eq!(
        index(&[Condition::one_of("color", vec![text("red"), text("red")])], Some("size")),
        Ok(Some("byColorSize")),
        "one value"
    );
    let many =
        Condition::one_of("state", (0..17).map(|number| text(&number.to_string())).collect());
    assert_eq!(
        index(&[user, many], Some("when")),
        Ok(Some("byWhen")),
        "too many partitions: a filter"
    );
}
