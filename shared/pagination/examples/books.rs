//! Prints a page of crime novels, the oldest first, and the cursor of the next page.
//!
//! Usage: `books [LIMIT [CURSOR]]`

use std::{env, error::Error, num::NonZeroU32};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use pagination::{
    Budget, Condition, Index, Partition, Plan, Projects, Sealer, Sort, Start, Table, Value,
    aws_sdk::SdkSource, run,
};

/// A table with the key `bookId`. Its index `byGenreYear` has the key HASH `genre`, RANGE (`year`,
/// `bookId`), and holds the title.
static BOOKS: Table = Table {
    key: &["bookId"],
    indexes: &[Index {
        name: Some("byGenreYear"),
        partition: Partition::Attributes(&["genre"]),
        range: &["year", "bookId"],
        projects: Projects::Attributes(&["title"]),
    }],
};

/// Reads one page: the titles, and the cursor of the next page unless this is the last one.
pub async fn list_books(
    client: &Client,
    sealer: &Sealer,
    limit: NonZeroU32,
    cursor: Option<&str>,
) -> Result<(Vec<String>, Option<String>), Box<dyn Error>> {
    let crime = Condition::equal("genre", Value::S("crime".into()));
    let oldest = Sort::ascending("year");
    let plan = Plan::new(&BOOKS, &[crime], oldest, ["title"], 1)?;

    // A cursor opens only for the same list in the same context. For a private list, add its owner
    // and the caller.
    let context: [&[u8]; 1] = [b"list-books"];
    let start = match cursor {
        Some(text) => Start::At(sealer.open(text, &plan, &context)?),
        None => Start::First,
    };
    let source = SdkSource::new(client.clone(), "books");
    let page = run(&source, &plan, &start, limit, &Budget::default()).await?;

    let next = page.next().map(|cursor| sealer.seal(&cursor, &plan, &context)).transpose()?;
    let title = |item: &pagination::aws_sdk::Item| item.get("title")?.as_s().ok().cloned();
    Ok((page.into_items().iter().filter_map(title).collect(), next))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Region, credentials and endpoint (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB, …) come
    // from the environment.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = Client::new(&config);
    let sealer = Sealer::new(&env::var("CURSOR_SECRET")?, None)?;

    let mut arguments = env::args().skip(1);
    let limit = arguments.next().unwrap_or("10".into()).parse()?;
    let (titles, next) = list_books(&client, &sealer, limit, arguments.next().as_deref()).await?;
    for title in titles {
        println!("{title}");
    }
    println!("next: {}", next.as_deref().unwrap_or("none"));
    Ok(())
}
