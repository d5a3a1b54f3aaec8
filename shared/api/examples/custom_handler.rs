//! A route with a custom handler: a list that prints a line for each page.
//!
//! The default handler is the same four steps without that line.

use api::{
    Access, Error, Field, Index, Kind, Limits, List, ListApp, ListRequest, Order, Partition,
    Policy, Problem, Projects, Reply, Request, Resource, Route, Shape, SortOption, Table, boot,
};

static THINGS: Resource = Resource {
    name: "things",
    table_variable: "THINGS_TABLE",
    table: Table {
        key: &["thingId"],
        indexes: &[Index {
            name: Some("byShardSize"),
            partition: Partition::Shards("shard"),
            range: &["size", "thingId"],
            projects: Projects::All,
        }],
    },
    fixed: &[],
    fields: &[
        Field { name: "thingId", kind: Kind::Text, about: "The thing's id." },
        Field { name: "size", kind: Kind::Number, about: "Its size in metres." },
    ],
    summary: &["thingId", "size"],
    modified: None,
    policy: Policy::PUBLIC_READ_MOSTLY,
};

static LIST_THINGS: Route = Route {
    name: "list-things",
    path: "/v1/things",
    about: "List things, the biggest first.",
    resource: &THINGS,
    access: Access::Public,
    quota: api::Quota::None,
    shape: Shape::List(List {
        filters: &[],
        sorts: &[SortOption {
            name: "size",
            field: "size",
            order: Order::Descending,
            about: "the biggest first",
        }],
        expansions: &[],
        limits: Limits::USUAL,
    }),
};

/// Answers a request. A handler returns its errors with `?`; the app makes the reply of them.
async fn list_things(list: ListApp<'_>, request: &Request) -> Result<Reply, Problem> {
    let asked = ListRequest::parse(list, request)?;
    let plan = asked.plan()?;
    let page = plan.run().await?;
    let reply = page.reply()?;
    println!("a page of {} is ready", list.app().route().resource.name);
    Ok(reply)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    boot(&LIST_THINGS).await?.serve_list(list_things).await
}
