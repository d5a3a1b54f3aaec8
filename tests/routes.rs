//! An event through the real conversion into each handler, over in-process DynamoDB.
//!
//! Answers as callers see them are in `snapshots/`: status, headers and body. After a wanted
//! change, `INSTA_UPDATE=always cargo test -p tests -- routes` writes them again; read the
//! difference before you commit it.

mod access;
mod cursors;
mod expansions;
mod items;
mod lists;
mod problems;
mod replies;

const USER: &str = "/v1/users/{userId}";
const ORDERS: &str = "/v1/users/{userId}/orders";
