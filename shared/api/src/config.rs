//! The environment variables that a function reads, in addition to those of its DynamoDB client.

use pagination::Sealer;
use rate_limits::Policy;

use crate::http::EdgeSecret;
use crate::route::{self, Expansion, List, Quota, Resource, Route, Shape};
use crate::tier::CacheUrl;

/// The configuration of a route's function.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) route: &'static Route,
    /// The name of the table of the route's resource.
    pub(crate) table: String,
    /// What only a list has.
    pub(crate) list: Option<ListConfig>,
    /// Made of `EDGE_SECRET` and `EDGE_SECRET_PREVIOUS`: the secret of a CDN in front of the API;
    /// unless set, there is no CDN.
    pub edge: Option<EdgeSecret>,
    /// The quotas of the route's callers, if it declares one and the environment sets one.
    pub limits: Option<LimitsConfig>,
    /// `CACHE_URL`: the address of the cache tier, if the route reads a public resource.
    pub cache: Option<CacheUrl>,
    /// `STACK_NAME`: the dimension `stack` of the metrics; `local` unless set.
    pub stack: String,
    /// `READ_ANY_SCOPE`: the scope that may read everybody's items; unless set, nobody may.
    pub read_any_scope: Option<String>,
    /// `SERVER_TIMING=full`: show rounds and units to the caller.
    pub full_timing: bool,
    /// `LOG_LEVEL`: `error`, `warn`, `info` (unless set), `debug` or `trace` (the same as `debug`:
    /// at `trace`, libraries log bodies).
    pub log_level: tracing::Level,
}

/// The configuration that only a list has.
#[derive(Debug, Clone)]
pub(crate) struct ListConfig {
    pub(crate) list: &'static List,
    /// Made of `CURSOR_SECRET` and `CURSOR_SECRET_PREVIOUS`.
    pub(crate) sealer: Sealer,
    /// `CATALOG_SHARDS`: the number of partitions of a sharded index; 1 unless set.
    pub(crate) shards: u16,
    /// The expansions, each with the name of its resource's table.
    pub(crate) expansions: Vec<(&'static Expansion, String)>,
}

/// The quotas of a function. Each is read in the form `600;w=60`, units in a window of seconds; unset
/// or with a quota of 0, it is no limit.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// `LIMITS_TABLE`: the name of the table of the counters.
    pub table: String,
    /// `CALLER_LIMIT`: the quota of each caller.
    pub caller: Option<Policy>,
    /// `SERVICE_LIMIT`: the quota of each caller with the scope `READ_ANY_SCOPE`.
    pub service: Option<Policy>,
    /// `ADDRESS_LIMIT`: the quota of each source address of a public route.
    pub address: Option<Policy>,
}

impl LimitsConfig {
    /// Returns the quotas of two routes of one function, whose environment is the same.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            table: self.table,
            caller: self.caller.or(other.caller),
            service: self.service.or(other.service),
            address: self.address.or(other.address),
        }
    }
}

/// The reasons why a function does not start, on one line.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("does not start: {0}")]
pub struct BootError(String);

impl BootError {
    pub(crate) fn new(reasons: &[String]) -> Self {
        Self(reasons.join("; "))
    }
}

// What `main` returns is printed with Debug.
impl std::fmt::Debug for BootError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Config {
    /// Reads the configuration of `route` through `variable`, which returns the value of an
    /// environment variable.
    ///
    /// # Errors
    /// Everything that is missing or wrong, on one line.
    pub fn read(
        route: &'static Route,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BootError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut wrong = Vec::new();
        let table = table(route.resource, &variable, &mut wrong);
        let list = match &route.shape {
            Shape::One => None,
            Shape::List(list) => ListConfig::read(route, list, &variable, &mut wrong),
        };
        let edge = variable("EDGE_SECRET").and_then(|secret| {
            match EdgeSecret::new(secret, variable("EDGE_SECRET_PREVIOUS")) {
                Ok(edge) => Some(edge),
                Err(_) => {
                    wrong.push(
                        "EDGE_SECRET or EDGE_SECRET_PREVIOUS has fewer than 32 characters"
                            .to_owned(),
                    );
                    None
                }
            }
        });
        let limits = limits(route.quota, &variable, &mut wrong);
        let is_public =
            route.resources().any(|of| matches!(of.policy, route::Policy::Public { .. }));
        let cache = variable("CACHE_URL").filter(|_| is_public).and_then(|url| {
            // The error does not show the value, which may have a password.
            url.parse().map_err(|error| wrong.push(format!("CACHE_URL {error}"))).ok()
        });
        let stack = variable("STACK_NAME").unwrap_or_else(|| "local".to_owned());
        let log_level = match variable("LOG_LEVEL").as_deref().map(str::parse) {
            None => tracing::Level::INFO,
            Some(Ok(level)) => level,
            Some(Err(_)) => {
                wrong.push("LOG_LEVEL is none of error, warn, info, debug, trace".to_owned());
                tracing::Level::INFO
            }
        };
        let full_timing = match variable("SERVER_TIMING").as_deref() {
            None => false,
            Some("full") => true,
            Some(_) => {
                wrong.push("SERVER_TIMING is not `full`".to_owned());
                false
            }
        };
        match table {
            Some(table) if wrong.is_empty() => Ok(Self {
                route,
                table,
                list,
                edge,
                limits,
                cache,
                stack,
                read_any_scope: variable("READ_ANY_SCOPE"),
                full_timing,
                log_level,
            }),
            _ => Err(BootError::new(&wrong)),
        }
    }

    /// Replaces the sealer of a list's cursors; tests set its day.
    #[must_use]
    pub fn with_sealer(mut self, sealer: Sealer) -> Self {
        if let Some(list) = &mut self.list {
            list.sealer = sealer;
        }
        self
    }
}

impl ListConfig {
    fn read(
        route: &Route,
        list: &'static List,
        variable: &impl Fn(&str) -> Option<String>,
        wrong: &mut Vec<String>,
    ) -> Option<Self> {
        let expansions: Vec<_> = list
            .expansions
            .iter()
            .filter_map(|expansion| Some((expansion, table(expansion.resource, variable, wrong)?)))
            .collect();
        let shards = match variable("CATALOG_SHARDS").filter(|_| route.is_sharded()) {
            None => 1,
            Some(text) => {
                text.parse().ok().filter(|shards| (1..=16).contains(shards)).unwrap_or_else(|| {
                    wrong.push("CATALOG_SHARDS is not a number from 1 to 16".to_owned());
                    1
                })
            }
        };
        let sealer = match variable("CURSOR_SECRET") {
            None => Err("CURSOR_SECRET is not set (32 characters or more)"),
            Some(secret) => Sealer::new(&secret, variable("CURSOR_SECRET_PREVIOUS").as_deref())
                .map_err(
                    |_| "CURSOR_SECRET or CURSOR_SECRET_PREVIOUS has fewer than 32 characters",
                ),
        };
        let sealer = sealer.map_err(|error| wrong.push(error.to_owned())).ok()?;
        Some(Self { list, sealer, shards, expansions })
    }
}

/// Reads the name of a resource's table.
fn table(
    resource: &Resource,
    variable: &impl Fn(&str) -> Option<String>,
    wrong: &mut Vec<String>,
) -> Option<String> {
    let name = variable(resource.table_variable);
    if name.is_none() {
        wrong.push(format!(
            "{} is not set (the name of the {} table)",
            resource.table_variable, resource.name
        ));
    }
    name
}

/// Reads the quotas that a route declares. Every one of them is off unless it is set.
fn limits(
    quota: Quota,
    variable: &impl Fn(&str) -> Option<String>,
    wrong: &mut Vec<String>,
) -> Option<LimitsConfig> {
    let mut policy = |name: &'static str, from: &str| {
        let read = Policy::parse(name, &variable(from)?);
        read.unwrap_or_else(|error| {
            wrong.push(format!("{from} {error}"));
            None
        })
    };
    let (caller, service, address) = match quota {
        Quota::None => return None,
        Quota::PerCaller(_) => {
            (policy("caller", "CALLER_LIMIT"), policy("service", "SERVICE_LIMIT"), None)
        }
        Quota::PerAddress(_) => (None, None, policy("address", "ADDRESS_LIMIT")),
    };
    [&caller, &service, &address].into_iter().flatten().next()?;
    let Some(table) = variable("LIMITS_TABLE") else {
        wrong.push("LIMITS_TABLE is not set (the name of the table of the quotas)".to_owned());
        return None;
    };
    Some(LimitsConfig { table, caller, service, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_main_prints_names_each_reason_on_one_line() {
        let error = BootError::new(&["A is not set".to_owned(), "B is no number".to_owned()]);
        assert_eq!(format!("{error:?}"), "does not start: A is not set; B is no number");
    }
}
