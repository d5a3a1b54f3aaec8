//! The function `get-user` of the fixture bundle.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::Error> {
    api::run(&shop::GET_USER).await
}
