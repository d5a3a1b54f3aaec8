//! `GET /v1/users/{id}`: a user's record, for that user.
//!
//! What the route offers is declared in [`model::GET_USER`].

use api::{App, ItemRequest, Problem, Reply, Request};

/// Answers one request.
///
/// # Errors
/// 401, 403 before anything else; 400, 404, 414 for what the caller sent; 502, 503, 504 for what DynamoDB did.
pub async fn get_user(app: &App, request: &Request) -> Result<Reply, Problem> {
    let asked = ItemRequest::parse(app, request)?;
    let user = asked.run(app, request).await?;
    Ok(user.reply())
}
