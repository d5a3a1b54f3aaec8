//! `GET /v1/users/{id}/orders`: a user's orders, for that user.
//!
//! What the route offers is declared in [`model::LIST_USER_ORDERS`].

use api::{App, ListRequest, Problem, Reply, Request};

/// Answers one request.
///
/// # Errors
/// 401, 403 before anything else; 400, 414 for what the caller sent; 502, 503, 504 for what DynamoDB did.
pub async fn list_user_orders(app: &App, request: &Request) -> Result<Reply, Problem> {
    let asked = ListRequest::parse(app, request)?;
    let plan = asked.plan(app)?;
    let page = plan.run(app, request).await?;
    page.reply(app)
}
