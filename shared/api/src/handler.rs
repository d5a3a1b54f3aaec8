//! The handlers: from a request to a reply, over the reads of [`dynamodb`](crate::dynamodb).
//!
//! | file | holds |
//! |---|---|
//! | `list` | a page: parse, plan, run, reply |
//! | `item` | one item: parse, run, reply |
//! | `expand` | related items, put next to the page or into its lines |
//! | `parameters` | the query parameters that routes share, as typed values |
//!
//! A handler names a cache policy and a body. It sets no header and decides no status: [`http`](crate::http) does.

pub(crate) mod expand;
pub(crate) mod item;
pub(crate) mod list;
pub(crate) mod parameters;

pub use item::{FoundItem, ItemRequest};
pub use list::{ListPage, ListPlan, ListRequest, parameter_names};

use crate::{
    app::App,
    http::{Problem, Reply, Request},
    route::Shape,
};

/// Answers a request as the shape of the route says: a page, or one item. A route with something of its own calls these verbs itself.
///
/// # Errors
/// 401 and 403 before anything else; 400, 404 and 414 for what the caller sent; 502, 503 and 504 for what DynamoDB did.
pub async fn answer(app: &App, request: &Request) -> Result<Reply, Problem> {
    match app.route().shape {
        Shape::One => Ok(ItemRequest::parse(app, request)?.run(app, request).await?.reply()),
        Shape::List(_) => ListRequest::parse(app, request)?.plan(app)?.run(app, request).await?.reply(app),
    }
}
