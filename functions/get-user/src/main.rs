//! The function `get-user`.

use get_user::get_user;
use model::GET_USER;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::boot(&GET_USER).await?.serve(get_user).await
}
