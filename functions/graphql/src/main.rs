//! The function `graphql`: all routes of the bundle as one GraphQL endpoint.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    graphql::run(model::ROUTES).await
}
