//! The function `list-user-orders`.

use list_user_orders::list_user_orders;
use model::LIST_USER_ORDERS;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::boot(&LIST_USER_ORDERS).await?.serve(list_user_orders).await
}
