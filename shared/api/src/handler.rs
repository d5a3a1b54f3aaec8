//! The handlers: they turn a request into a reply, with the reads of [`dynamodb`](crate::dynamodb).
//!
//! | file | holds |
//! |---|---|
//! | `list` | a page: parse, plan, run, reply |
//! | `item` | one item: parse, run, reply |
//! | `expand` | related items, put next to the page or into its lines |
//! | `parameters` | the query parameters that routes share, as typed values |
//!
//! A handler names a cache policy and a body. It sets no header and decides no status:
//! [`http`](crate::http) does.

pub(crate) mod expand;
pub(crate) mod item;
pub(crate) mod list;
pub(crate) mod parameters;

pub use expand::Expanded;
pub use item::{FoundItem, ItemRequest};
pub use list::{ListPage, ListPlan, ListRequest, Listed, ListedItem};
pub use parameters::parameter_names;

use crate::{
    app::{App, AppShape},
    http::{Problem, Reply, Request},
};

/// Answers a request as the shape of the route says: a page, or one item. A custom handler calls
/// the same functions itself.
///
/// # Errors
/// 401 and 403 before any other check; 400, 404 and 414 for a wrong request; 502, 503 and 504 for
/// failures of DynamoDB.
pub async fn answer(app: &App, request: &Request) -> Result<Reply, Problem> {
    match app.shape() {
        AppShape::One(item) => Ok(ItemRequest::parse(item, request)?.run().await?.reply()),
        AppShape::List(list) => ListRequest::parse(list, request)?.plan()?.run().await?.reply(),
    }
}
