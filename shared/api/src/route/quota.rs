//! The declaration of a route's quota: whom it counts, and what a request costs.

/// The quota that counts a route's requests. How much it is, the environment says
/// ([`LimitsConfig`](crate::LimitsConfig)); unless that sets it, there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// No quota counts them.
    None,
    /// A quota for each caller, `CALLER_LIMIT`, over all routes that declare this. A caller is the
    /// claim that names the route's owners, or `sub`. A caller with the scope of `READ_ANY_SCOPE` is
    /// a service, with the quota `SERVICE_LIMIT`.
    PerCaller(Weights),
    /// A quota for each source address, `ADDRESS_LIMIT`, over all public routes that declare this.
    /// It is worth little, and nothing behind a CDN: docs/RATE-LIMITS.md.
    PerAddress(Weights),
}

/// The cost of a request in units of its caller's quota: 1, and more for requests that read more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// A unit pays for so many items of `limit`: with 50, `limit=51` costs 2. 0 means any number.
    pub items: u32,
    /// The units that each expansion costs in addition.
    pub expansion: u32,
}

impl Weights {
    /// Every request costs 1.
    pub const ONE: Self = Self { items: 0, expansion: 0 };

    /// Returns the cost of a page of `limit` items with so many expansions.
    #[must_use]
    pub const fn cost(self, limit: u32, expansions: u32) -> u32 {
        let pages = if self.items == 0 { 1 } else { limit.div_ceil(self.items) };
        let pages = if pages == 0 { 1 } else { pages };
        pages.saturating_add(self.expansion.saturating_mul(expansions))
    }
}

impl Quota {
    /// Returns the weights; without a quota nothing costs more than 1.
    #[must_use]
    pub const fn weights(self) -> Weights {
        match self {
            Self::None => Weights::ONE,
            Self::PerCaller(weights) | Self::PerAddress(weights) => weights,
        }
    }
}
