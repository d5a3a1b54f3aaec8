//! The function `list-user-orders`, declared in [`model::LIST_USER_ORDERS`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::run(&model::LIST_USER_ORDERS).await
}
