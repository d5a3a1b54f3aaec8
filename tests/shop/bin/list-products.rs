//! The function `list-products` of the fixture bundle.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::run(&shop::LIST_PRODUCTS).await
}
