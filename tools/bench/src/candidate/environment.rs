//! The environment in which a program runs.

use super::implementation::{Implementation, Route};
use super::program::Candidate;
use crate::surroundings::Surroundings;

/// The secret and the scope of a run; no other stack uses them.
const CURSOR_SECRET: &str = "benchmark-only-cursor-secret-0123456789";
/// The length of a session token in bytes, as Lambda gives it.
const TOKEN_BYTES: usize = 800;

impl Candidate {
    /// The environment of Lambda and template.yaml, and the settings with which each trusts the
    /// endpoint of a run.
    pub(crate) fn environment(
        &self,
        route: Route,
        around: &Surroundings,
        api: &str,
    ) -> Vec<(&'static str, String)> {
        let path = |name: &str| around.folder.join(name).display().to_string();
        let mut all = vec![
            ("AWS_LAMBDA_RUNTIME_API", api.to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", route.name().to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[1]0123456789abcdef".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_SESSION_TOKEN", "t".repeat(TOKEN_BYTES)),
            ("AWS_ENDPOINT_URL_DYNAMODB", around.endpoint.url()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("PRODUCTS_TABLE", "products".to_owned()),
            ("USERS_TABLE", "users".to_owned()),
            ("ORDERS_TABLE", "orders".to_owned()),
            ("CATALOG_SHARDS", around.shards.to_string()),
            ("CURSOR_SECRET", CURSOR_SECRET.to_owned()),
            ("LOG_LEVEL", "info".to_owned()),
        ];
        all.push(match self.implementation {
            Implementation::Ours
            | Implementation::Graphql
            | Implementation::Floor
            | Implementation::Python => ("AWS_CA_BUNDLE", path("ca.pem")),
            // This peer has no variable for a CA bundle; by default it reads the machine's store.
            Implementation::RustDefaults => ("SSL_CERT_FILE", path("store.pem")),
            Implementation::Node | Implementation::NodeRedis | Implementation::Apollo => {
                ("NODE_EXTRA_CA_CERTS", path("ca.pem"))
            }
        });
        all.extend(self.more.iter().cloned());
        all
    }
}
