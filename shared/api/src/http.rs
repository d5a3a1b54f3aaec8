//! The HTTP face: an API Gateway event becomes a [`Request`], and a [`Reply`] or a [`Problem`]
//! becomes a response.
//!
//! | file | holds |
//! |---|---|
//! | `event` | the members of an event of payload format 2.0 that a read API needs |
//! | `edge` | the secret of a CDN in front of the API |
//! | `request` | method, path parameter, query and caller of one request |
//! | `call` | a request to an interface over several routes |
//! | `answer` | the answer of such an interface |
//! | `principal` | the caller, from the authorizer's claims, and what the caller may read |
//! | `query_string` | the query string, decoded strictly |
//! | `problem` | every error that a caller can get: one row of type, status, title and detail |
//! | `counted` | what became of the caller's quota, and its header fields |
//! | `response` | entity tag, precondition, compression and headers |
//! | `timing` | the `Server-Timing` header |
//!
//! Nothing here knows DynamoDB, items or paging.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod counted;
pub(crate) mod edge;
pub(crate) mod event;
pub(crate) mod principal;
pub(crate) mod problem;
pub(crate) mod query_string;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod timing;

pub use answer::Answer;
pub use call::{Call, InterfacePath};
pub use edge::EdgeSecret;
pub use principal::Principal;
pub use problem::{ParameterError, Problem, ProblemKind, excerpt};
pub use request::Request;
pub use response::Reply;
