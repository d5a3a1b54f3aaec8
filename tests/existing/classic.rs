//! Tables with classic indexes: one HASH attribute, one RANGE attribute or none, and times as
//! numbers since 1970.

use api::*;
use serde_json::{Value, json};

use super::{ask, walk};
use crate::{
    smoke::{Served, whole},
    stack::Stack,
};

const ALL: Projects = Projects::All;

/// Readings of a device: a table with a sort key, a local index, two global indexes.
pub(crate) static READINGS: Resource = Resource {
    name: "readings",
    table_variable: "READINGS_TABLE",
    table: Table {
        key: &["deviceId", "readingId"],
        indexes: &[
            Index {
                name: Some("byLevel"),
                partition: Partition::Attributes(&["deviceId"]),
                range: &["level"],
                projects: ALL,
            },
            Index {
                name: Some("bySite"),
                partition: Partition::Attributes(&["site"]),
                range: &["takenAt"],
                projects: Projects::Attributes(&["level"]),
            },
            Index {
                name: Some("byBatch"),
                partition: Partition::Attributes(&["batch"]),
                range: &[],
                projects: ALL,
            },
        ],
    },
    fixed: &[],
    fields: &[
        field("deviceId", Kind::Text, "The device."),
        field("readingId", Kind::Text, "The reading."),
        field("site", Kind::Text, "Where it was taken."),
        field("batch", Kind::Text, "The batch that it came in."),
        field("level", Kind::Integer, "The level."),
        field("takenAt", Kind::Epoch(Epoch::Seconds), "When it was taken."),
        field("seenAt", Kind::Epoch(Epoch::MillisecondsText), "When it was seen."),
        field("valid", Kind::Boolean, "Whether it counts."),
    ],
    summary: &["deviceId", "readingId", "level", "takenAt"],
    modified: Some("takenAt"),
    policy: Policy::PUBLIC_READ_MOSTLY,
};
pub(crate) const LIST: List =
    List { filters: &[], sorts: &[], expansions: &[], limits: Limits::USUAL };

static GET: Route = Route {
    name: "get-reading",
    path: "/devices/{deviceId}/readings/{readingId}",
    about: "Get a reading.",
    resource: &READINGS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::One,
};
pub(crate) static OF_SITE: Route = Route {
    name: "list-site-readings",
    path: "/sites/{site}/readings",
    about: "List the readings of a site.",
    resource: &READINGS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::List(List {
        filters: &[
            Filter {
                parameter: "from",
                field: "takenAt",
                accepts: Accepts::From,
                about: "At this time or later.",
            },
            Filter {
                parameter: "to",
                field: "takenAt",
                accepts: Accepts::Before,
                about: "Before this time.",
            },
            Filter {
                parameter: "level",
                field: "level",
                accepts: Accepts::Number,
                about: "With this level.",
            },
        ],
        sorts: &[
            SortOption {
                name: "newest",
                field: "takenAt",
                order: Order::Descending,
                about: "the latest first",
            },
            SortOption {
                name: "oldest",
                field: "takenAt",
                order: Order::Ascending,
                about: "the earliest first",
            },
        ],
        ..LIST
    }),
};
pub(crate) static OF_DEVICE: Route = Route {
    name: "list-device-readings",
    path: "/devices/{deviceId}/readings",
    about: "List the readings of a device.",
    resource: &READINGS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::List(List {
        filters: &[Filter {
            parameter: "valid",
            field: "valid",
            accepts: Accepts::Boolean,
            about: "Those that count, or not.",
        }],
        sorts: &[SortOption {
            name: "level",
            field: "level",
            order: Order::Ascending,
            about: "the lowest first",
        }],
        ..LIST
    }),
};
/// An index without a sort key: a list that promises no order.
pub(crate) static OF_BATCH: Route = Route {
    name: "list-batch-readings",
    path: "/batches/{batch}/readings",
    about: "List the readings of a batch.",
    resource: &READINGS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::List(LIST),
};
pub(crate) const RESOURCES: &[&Resource] = &[&READINGS];
pub(crate) const ROUTES: &[&Route] = &[&GET, &OF_SITE, &OF_DEVICE, &OF_BATCH];
const _: () = check(RESOURCES, ROUTES);

pub(crate) const TEMPLATE: &str = "
Resources:
  ReadingsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: deviceId, AttributeType: S}
        - {AttributeName: readingId, AttributeType: S}
        - {AttributeName: site, AttributeType: S}
        - {AttributeName: batch, AttributeType: S}
        - {AttributeName: level, AttributeType: N}
        - {AttributeName: takenAt, AttributeType: N}
      KeySchema: [{AttributeName: deviceId, KeyType: HASH}, {AttributeName: readingId, KeyType: RANGE}]
      LocalSecondaryIndexes:
        - IndexName: byLevel
          KeySchema: [{AttributeName: deviceId, KeyType: HASH}, {AttributeName: level, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
      GlobalSecondaryIndexes:
        - IndexName: bySite
          KeySchema: [{AttributeName: site, KeyType: HASH}, {AttributeName: takenAt, KeyType: RANGE}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [level]}
        - IndexName: byBatch
          KeySchema: [{AttributeName: batch, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
";
/// 2024-01-01T00:00:00Z
const MIDNIGHT: u64 = 1_704_067_200;

/// 60 readings, ten of them at each moment.
pub(crate) fn stack() -> Stack {
    let stack = Stack::over(RESOURCES, TEMPLATE);
    let readings = (0..60_u64).map(|number| {
        let taken = MIDNIGHT + number / 10 * 60;
        json!({
            "deviceId": format!("d-{}", number % 3), "readingId": format!("r-{number:02}"), "site": "oslo", "batch": "b-1", "level": number % 4,
            "takenAt": taken, "seenAt": (taken * 1_000 + 1).to_string(), "valid": number % 2 == 0, "raw": "sentinel-raw"
        })
    });
    stack.put("readings", readings);
    stack
}

fn ids(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    let mut ids: Vec<_> = numbers.map(|number| format!("r-{number:02}")).collect();
    ids.sort();
    ids
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[test]
fn the_declarations_have_no_mistake() {
    assert_eq!(mistakes(RESOURCES, ROUTES), Vec::<String>::new());
}

#[tokio::test]
async fn times_since_1970_are_shown_as_times() {
    let stack = stack();
    let answer = ask(
        &stack,
        &GET,
        &[("deviceId", "d-0"), ("readingId", "r-12")],
        "fields=takenAt,seenAt,valid",
        Value::Null,
    )
    .await;
    let shown = json!({"takenAt": "2024-01-01T00:01:00.000Z", "seenAt": "2024-01-01T00:01:00.001Z", "valid": true});
    assert_eq!((answer.status, answer.json()), (200, shown));
    assert_eq!(answer.header("last-modified"), Some("Mon, 01 Jan 2024 00:01:00 GMT"));
    let missing =
        ask(&stack, &GET, &[("deviceId", "d-1"), ("readingId", "r-12")], "", Value::Null).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn an_index_with_ties_is_walked_exactly() {
    let stack = stack();
    let path = [("site", "oslo")];
    for query in ["limit=1", "limit=7&sort=oldest", "limit=9&fields=readingId,valid", "limit=100"] {
        let all = walk(&stack, &OF_SITE, &path, query, &Value::Null, "readingId").await;
        assert_eq!(sorted(all), ids(0..60), "{query}");
    }
    let page = ask(&stack, &OF_SITE, &path, "limit=25", Value::Null).await;
    assert_eq!(page.spent().0, 1, "one Query");
    let times = page.ids("takenAt");
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let pages: Vec<_> = [1, 3].map(|number| format!("limit=20&page={number}")).into();
    let first = ask(&stack, &OF_SITE, &path, &pages[0], Value::Null).await.ids("readingId");
    let third = ask(&stack, &OF_SITE, &path, &pages[1], Value::Null).await.ids("readingId");
    assert!(first.iter().all(|id| !third.contains(id)));
}

#[tokio::test]
async fn times_are_compared_as_times() {
    let stack = stack();
    for (query, expected) in [
        ("from=2024-01-01T00:02:00Z&to=2024-01-01T00:04:00Z", ids(20..40)),
        ("from=2024-01-01T00:01:59.5Z&to=2024-01-01T00:03:00.001Z", ids(20..40)),
        ("to=2024-01-01T01:01:00%2B01:00", ids(0..10)),
        ("from=2024-01-01T00:05:00Z", ids(50..60)),
        ("from=2024-01-02", Vec::new()),
        ("to=2024-01-01", Vec::new()),
        // Empty ranges, also those that end before the next second that can be stored.
        ("from=2024-01-01T00:02:00Z&to=2024-01-01T00:02:00Z", Vec::new()),
        ("from=2024-01-01T00:01:59.2Z&to=2024-01-01T00:01:59.7Z", Vec::new()),
        ("level=3&from=2024-01-01T00:04:00Z", ids((40..60).filter(|number| number % 4 == 3))),
    ] {
        let all = walk(
            &stack,
            &OF_SITE,
            &[("site", "oslo")],
            &format!("limit=3&{query}"),
            &Value::Null,
            "readingId",
        )
        .await;
        assert_eq!(sorted(all), expected, "{query}");
    }
    let far_bound = walk(
        &stack,
        &OF_SITE,
        &[("site", "oslo")],
        "limit=4&sort=oldest&to=2024-01-01T00:01:00Z",
        &Value::Null,
        "readingId",
    )
    .await;
    assert_eq!(
        sorted(far_bound),
        ids(0..10),
        "a page that ends within the ties of the last moment"
    );
}

#[tokio::test]
async fn a_local_index_and_an_index_without_a_range_are_walked_exactly() {
    let stack = stack();
    let all =
        walk(&stack, &OF_DEVICE, &[("deviceId", "d-1")], "limit=3", &Value::Null, "readingId")
            .await;
    assert_eq!(sorted(all), ids((0..60).filter(|number| number % 3 == 1)));
    let valid = walk(
        &stack,
        &OF_DEVICE,
        &[("deviceId", "d-1")],
        "limit=2&valid=false",
        &Value::Null,
        "readingId",
    )
    .await;
    assert_eq!(sorted(valid), ids((0..60).filter(|number| number % 3 == 1 && number % 2 == 1)));
    let batch =
        walk(&stack, &OF_BATCH, &[("batch", "b-1")], "limit=11", &Value::Null, "readingId").await;
    assert_eq!(sorted(batch), ids(0..60));
    let sort = ask(&stack, &OF_BATCH, &[("batch", "b-1")], "sort=newest", Value::Null).await;
    assert_eq!(sort.wrong(), ["sort"], "a list without sorts has no such parameter");
    assert_eq!(
        ask(&stack, &OF_DEVICE, &[("deviceId", "d-1")], "valid=yes", Value::Null).await.wrong(),
        ["valid"]
    );
}

#[tokio::test]
async fn a_deployed_stack_can_be_tried() {
    let served =
        Served { stack: stack(), resources: RESOURCES, routes: ROUTES, template: TEMPLATE };
    let tried =
        whole(served, &Value::Null, &[("site", "oslo"), ("batch", "b-1"), ("deviceId", "d-0")])
            .await;
    for name in
        ["get-reading: item", "list-site-readings: fields by key", "list-batch-readings: count"]
    {
        assert!(tried.iter().any(|other| other == name), "{name}: {tried:?}");
    }
}
