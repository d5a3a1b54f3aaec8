//! The function `list-products`, declared in [`model::LIST_PRODUCTS`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::run(&model::LIST_PRODUCTS).await
}
