//! The places where the processes of a run find their data.

use crate::endpoint::Endpoint;
use std::path::PathBuf;

/// The settings of every process of a run, for all candidates.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The folder for certificates and logs.
    pub(crate) folder: PathBuf,
    /// The server that speaks DynamoDB.
    pub(crate) endpoint: Endpoint,
    /// `CATALOG_SHARDS`.
    pub(crate) shards: u32,
}
