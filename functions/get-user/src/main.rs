//! The function `get-user`, declared in [`model::GET_USER`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::run(&model::GET_USER).await
}
