//! The function `list-products`.

use list_products::list_products;
use model::LIST_PRODUCTS;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::boot(&LIST_PRODUCTS).await?.serve(list_products).await
}
