//! `GET /v1/products`: the catalogue, by category or as a whole.
//!
//! What the route offers is declared in [`model::LIST_PRODUCTS`].

use api::{App, ListRequest, Problem, Reply, Request};

/// Answers one request.
///
/// # Errors
/// 400, 414 for what the caller sent; 502, 503, 504 for what DynamoDB did.
pub async fn list_products(app: &App, request: &Request) -> Result<Reply, Problem> {
    let asked = ListRequest::parse(app, request)?;
    let plan = asked.plan(app)?;
    let page = plan.run(app, request).await?;
    page.reply(app)
}
