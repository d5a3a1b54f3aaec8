//! [`SdkSource`] over DynamoDB's wire protocol, in this process; and the README's example, which
//! uses it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{
    error::Error,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Region, SharedHttpClient},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use pagination::{
    Budget, Condition, Cursor, Fetch, Fetched, Index, Order, Page, Partition, Plan, Projects,
    RunError, Sealer, Sort, Source, Start, Table, Value,
    aws_sdk::{Item, SdkSource, SdkSourceError},
    fetch_all, run,
};

#[path = "../examples/books.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "an example's `main` is not called here, and its items are not exported"
)]
mod books;

/// The example's table, with a second index over two shards.
static BOOKS: Table = Table {
    key: &["bookId"],
    indexes: &[
        Index {
            name: Some("byGenreYear"),
            partition: Partition::Attributes(&["genre"]),
            range: &["year", "bookId"],
            projects: Projects::Attributes(&["title"]),
        },
        Index {
            name: Some("byShardYear"),
            partition: Partition::Shards("shard"),
            range: &["year", "bookId"],
            projects: Projects::Attributes(&["title", "genre"]),
        },
    ],
};

const OLDEST: Sort = Sort::ascending("year");

const TITLES: [&str; 5] = [
    "The Maltese Falcon",
    "The Big Sleep",
    "Farewell, My Lovely",
    "The High Window",
    "The Long Goodbye",
];

fn client(url: &str, http: SharedHttpClient) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// A client of a DynamoDB with five crime novels, which have blurbs outside the indexes, and a
/// poem.
async fn library() -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
    let client = client(&url, aws_smithy_http_client::Builder::new().build_http());
    create_table(&client).await;
    let year = |number: usize| 1930 + number / 2; // ties
    let books =
        TITLES.iter().enumerate().map(|(number, title)| ("crime", number, year(number), *title));
    for (genre, number, year, title) in books.chain([("poetry", 9, 1931, "The Raven")]) {
        let put = client.put_item().table_name("books");
        let put = put
            .item("bookId", AttributeValue::S(format!("b-{number}")))
            .item("genre", AttributeValue::S(genre.into()));
        let put = put
            .item("year", AttributeValue::N(year.to_string()))
            .item("title", AttributeValue::S(title.into()));
        let put = put.item("shard", AttributeValue::N((number % 2).to_string()));
        put.item("blurb", AttributeValue::S(format!("Of {title}"))).send().await.unwrap();
    }
    client
}

async fn create_table(client: &Client) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let mut create = client
        .create_table()
        .table_name("books")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("bookId", KeyType::Hash))
        .attribute_definitions(attribute("bookId", ScalarAttributeType::S))
        .attribute_definitions(attribute("genre", ScalarAttributeType::S))
        .attribute_definitions(attribute("shard", ScalarAttributeType::N))
        .attribute_definitions(attribute("year", ScalarAttributeType::N));
    for index in BOOKS.indexes {
        let Projects::Attributes(names) = index.projects else { continue };
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let projection = Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(names))
            .build();
        let schema = [
            key(index.partition_attributes()[0], KeyType::Hash),
            key("year", KeyType::Range),
            key("bookId", KeyType::Range),
        ];
        let index = GlobalSecondaryIndex::builder()
            .index_name(index.name.unwrap())
            .set_key_schema(Some(schema.into()))
            .projection(projection);
        create = create.global_secondary_indexes(index.build().unwrap());
    }
    create.send().await.unwrap();
}

fn crime() -> Condition {
    Condition::equal("genre", Value::S("crime".into()))
}

fn limit(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).unwrap()
}

async fn page(source: &SdkSource, plan: &Plan, start: Start, items: u32) -> Page<Item> {
    run(source, plan, &start, limit(items), &Budget::default()).await.unwrap()
}

fn column(items: &[Item], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_s().unwrap().clone()).collect()
}

fn sealer() -> Sealer {
    Sealer::new("a secret for tests, of more than 32 characters", None).unwrap()
}

#[test]
fn the_example_is_the_one_in_the_readme() {
    let (readme, example) = (include_str!("../README.md"), include_str!("../examples/books.rs"));
    assert!(
        readme.contains(&format!("```rust\n{example}```\n")),
        "README.md and examples/books.rs must hold the same program"
    );
}

#[tokio::test]
async fn the_example_walks_through_all_pages() {
    let (client, sealer) = (library().await, sealer());
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let (titles, next) =
            books::list_books(&client, &sealer, limit(2), cursor.as_deref()).await.unwrap();
        seen.extend(titles);
        pages += 1;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, TITLES);
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn a_forged_cursor_is_an_error_of_the_example() {
    let error =
        books::list_books(&library().await, &sealer(), limit(2), Some("forged")).await.unwrap_err();
    assert!(error.is::<pagination::InvalidCursor>(), "{error}");
}

#[tokio::test]
async fn pages_go_back_as_they_went_forward() {
    let source = SdkSource::new(library().await, "books");
    let plan = Plan::new(&BOOKS, &[crime()], OLDEST, ["title"], 1).unwrap();
    let second = page(&source, &plan, Start::Skip(2), 2).await;
    assert_eq!(
        second.rows()[0].bytes,
        r#"{"bookId":"b-2","genre":"crime","title":"Farewell, My Lovely","year":1931}"#.len()
    );
    let back: Cursor = second.prev().unwrap();
    assert_eq!(column(&second.into_items(), "title"), TITLES[2..4]);
    let first = page(&source, &plan, Start::At(back), 2).await;
    assert!(first.prev().is_none());
    assert_eq!(column(&first.into_items(), "title"), TITLES[..2]);
}

#[tokio::test]
async fn attributes_outside_the_index_come_from_the_table() {
    let source = SdkSource::new(library().await, "books").attributes(["blurb"]);
    let plan = Plan::new(&BOOKS, &[crime()], OLDEST, ["blurb"], 1).unwrap();
    assert!(!plan.is_covered());
    let items = page(&source, &plan, Start::First, 10).await.into_items();
    assert_eq!(column(&items, "blurb"), TITLES.map(|title| format!("Of {title}")));
    assert_eq!(items[0].len(), 2, "the attribute that was asked for, and the key");
}

#[tokio::test]
async fn an_index_gives_the_attributes_that_were_asked_for() {
    let plan = Plan::new(&BOOKS, &[crime()], OLDEST, ["title"], 1).unwrap();
    assert!(plan.is_covered());
    let names = async |source: SdkSource| {
        let items = page(&source, &plan, Start::First, 1).await.into_items();
        let mut names: Vec<_> = items[0].keys().cloned().collect();
        names.sort();
        names
    };
    let all = SdkSource::new(library().await, "books");
    let some = SdkSource::new(library().await, "books").attributes(["title"]);
    assert!(names(all).await.contains(&"genre".to_owned()));
    assert!(!names(some).await.contains(&"genre".to_owned()));
}

#[tokio::test]
async fn a_key_without_an_item_is_missing() {
    let source = SdkSource::new(library().await, "books");
    let keys = ["b-4", "no such book", "b-0"].map(|id| vec![Value::S(id.into())]);
    let fetched = fetch_all(&source, &BOOKS, &keys, &Budget::default()).await.unwrap();
    assert!(
        matches!(&fetched[..], [Fetched::Found(last, _), Fetched::Missing, Fetched::Found(first, _)]
        if last["title"].as_s().unwrap() == TITLES[4] && first["title"].as_s().unwrap() == TITLES[0])
    );
}

#[tokio::test]
async fn shards_are_merged_and_filters_applied() {
    let source = SdkSource::new(library().await, "books");
    let year = Condition::at_least("year", Value::N("1931".into()));
    let newest = Sort { order: Order::Descending, ..OLDEST };
    let all = Plan::new(&BOOKS, std::slice::from_ref(&year), newest, ["title"], 2).unwrap();
    let titles = column(&page(&source, &all, Start::First, 10).await.into_items(), "title");
    assert_eq!(titles, [TITLES[4], "The Raven", TITLES[3], TITLES[2]]);

    let poetry = Condition::at_least("genre", Value::S("p".into()));
    let filtered = Plan::new(&BOOKS, &[year, poetry], newest, ["title"], 2).unwrap();
    assert!(!filtered.is_unfiltered());
    assert_eq!(
        column(&page(&source, &filtered, Start::First, 10).await.into_items(), "title"),
        ["The Raven"]
    );
}

#[tokio::test]
async fn a_refusal_keeps_its_source() {
    async fn read(client: Client) -> Result<Page<Item>, Box<dyn Error + Send + Sync>> {
        let plan = Plan::new(&BOOKS, &[crime()], OLDEST, ["title"], 1)?;
        Ok(run(
            &SdkSource::new(client, "no-such-table"),
            &plan,
            &Start::First,
            limit(1),
            &Budget::default(),
        )
        .await?)
    }
    let error = read(library().await).await.unwrap_err();
    let error: &RunError<SdkSourceError> = error.downcast_ref().unwrap();
    let RunError::Source(SdkSourceError::Sdk(sdk)) = error else { panic!("{error:?}") };
    assert!(matches!(**sdk, aws_sdk_dynamodb::Error::ResourceNotFoundException(_)), "{sdk:?}");
    assert!(error.source().and_then(Error::source).is_some());
}

/// Answers each BatchGetItem with the next of these bodies, and keeps what was asked.
#[derive(Debug, Clone)]
struct Script {
    answers: Arc<Mutex<Vec<&'static str>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked
            .lock()
            .unwrap()
            .push(String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap());
        let body = self.answers.lock().unwrap().remove(0);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            200.try_into().unwrap(),
            SdkBody::from(body),
        )))
    }
}

#[tokio::test]
async fn unprocessed_keys_are_asked_for_again() {
    let answers = vec![
        r#"{"Responses":{"books":[{"bookId":{"S":"b-1"}}]},"UnprocessedKeys":{"books":{"Keys":[{"bookId":{"S":"b-0"}}]}}}"#,
        r#"{"Responses":{"books":[{"bookId":{"S":"b-0"}}]},"UnprocessedKeys":{}}"#,
    ];
    let script = Script { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() };
    let connector = SharedHttpConnector::new(script.clone());
    let source = SdkSource::new(
        client("http://script", http_client_fn(move |_, _| connector.clone())),
        "books",
    );
    let keys = ["b-0", "b-1"].map(|id| vec![Value::S(id.into())]);
    let fetched = fetch_all(&source, &BOOKS, &keys, &Budget::default()).await.unwrap();
    let id = |fetched: &Fetched<Item>| {
        if let Fetched::Found(item, _) = fetched {
            item["bookId"].as_s().ok().cloned()
        } else {
            None
        }
    };
    assert_eq!(fetched.iter().filter_map(id).collect::<Vec<_>>(), ["b-0", "b-1"]);
    let asked = script.asked.lock().unwrap();
    assert!(asked.len() == 2 && asked[1].contains("b-0") && !asked[1].contains("b-1"), "{asked:?}");
}

#[tokio::test]
async fn keys_that_stay_unprocessed_are_an_error() {
    let source = SdkSource::new(library().await, "books");
    let keys = [vec![Value::S("b-0".into())]];
    let error = source.fetch(&Fetch { table: &BOOKS, keys: &keys, attempt: 8 }).await.unwrap_err();
    assert!(matches!(error, SdkSourceError::Unprocessed), "{error}");
}
