//! The routes that are measured, and the programs that answer them.

/// The routes that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// `GET /v1/users/{userId}`
    GetUser,
    /// `GET /v1/products`
    ListProducts,
    /// `GET /v1/users/{userId}/orders`
    ListUserOrders,
    /// `GET` and `POST /v1/graphql`: no route, but the endpoint over all of them.
    Graphql,
}

impl Route {
    /// The function that answers it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetUser => "get-user",
            Self::ListProducts => "list-products",
            Self::ListUserOrders => "list-user-orders",
            Self::Graphql => "graphql",
        }
    }

    /// The binary of the package `tests` that answers it.
    pub(super) fn binary(self) -> String {
        format!("shop-{}", self.name())
    }
}

/// The programs that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Implementation {
    /// This bundle.
    Ours,
    /// Minimal Rust: the lower bound.
    Floor,
    /// Rust with all defaults.
    RustDefaults,
    /// Node with AWS SDK v3.
    Node,
    /// Python with boto3.
    Python,
    /// Node with AWS SDK v3 and ioredis, for the lists of the cache tier alone.
    NodeRedis,
    /// This bundle's function graphql.
    Graphql,
    /// Apollo Server on Node.
    Apollo,
}

/// The peers, in the order of tables.
pub(crate) const PEERS: [Implementation; 4] = [
    Implementation::Floor,
    Implementation::RustDefaults,
    Implementation::Node,
    Implementation::Python,
];

impl Implementation {
    /// Its name in tables, files and JSON; a peer's folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours | Self::Graphql => "lean-routes",
            Self::Floor => "floor",
            Self::RustDefaults => "rust-defaults",
            Self::Node => "node",
            Self::Python => "python",
            Self::NodeRedis => "node-redis",
            Self::Apollo => "apollo",
        }
    }
}
