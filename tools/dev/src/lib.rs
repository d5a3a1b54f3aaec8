//! The local stack of this bundle: `cargo dev …`, and what tests need of it.
//!
//! Nothing here is deployed. [`template`] reads `template.yaml`, which is the truth for tables,
//! indexes, routes and permissions, and [`bundle`] adds the declarations of `model`; [`database`]
//! makes an in-process DynamoDB of them; [`load`] and [`sample`] fill it; [`up`] puts the functions
//! in front of it, and [`stack`] says where it listens. [`openapi`] writes the published contract
//! from the declarations of `model`, and [`docs`] serves it to be read and tried. [`invoke`] sends
//! one event to one function, [`smoke`] tries a deployed stack, [`explain`] shows how a request
//! would be read, and [`cost`] what requests cost. [`scaffold`] writes a new resource or route.
//!
//! Deliberately absent: a second definition of any table or route, a mock of the store (tests and
//! `cargo dev` speak DynamoDB's wire protocol), and anything that a deployed function could come to
//! depend on.

mod attribute;
pub mod audit;
mod banner;
mod build;
pub mod bundle;
pub mod cache;
mod cargo_lambda;
pub mod cli;
pub mod client;
pub mod cost;
pub mod database;
pub mod docs;
pub mod explain;
mod failure;
mod gateway;
mod guard;
pub mod interface;
pub mod invoke;
pub mod load;
mod local_env;
mod local_http;
pub mod log;
pub mod openapi;
mod plan;
pub mod process;
mod row;
mod rows;
pub mod runtime;
pub mod sample;
pub mod scaffold;
pub mod shard;
pub mod smoke;
pub mod stack;
pub mod template;
mod terminal;
mod timestamp;
pub mod token;
pub mod up;
pub mod workspace;
mod yaml;
