//! The `Server-Timing` header ([W3C](https://www.w3.org/TR/server-timing/)): where the time of a
//! request went, in milliseconds.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::log::milliseconds;
use crate::meter::{Meter, TierUse};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Adds the header: the time of DynamoDB, that of the cache tier with what became of it, if there is
/// one, and all of the time. If `is_full`, the rounds and units are in it.
pub(crate) fn add(
    headers: &mut HeaderMap,
    meter: &Meter,
    tier: Option<TierUse>,
    total: Duration,
    is_full: bool,
) {
    let spent = if is_full {
        let written = match meter.write_units() {
            0.0 => String::new(),
            units => format!(" write-units={units}"),
        };
        format!(";desc=\"rounds={} units={}{written}\"", meter.rounds(), meter.units())
    } else {
        String::new()
    };
    let tier = tier.map_or_else(String::new, |tier| {
        format!(", cache;desc={};dur={}", tier.name(), milliseconds(meter.tier_waited()))
    });
    let (database, total) = (milliseconds(meter.waited()), milliseconds(total));
    if let Ok(value) =
        HeaderValue::try_from(format!("db;dur={database}{spent}{tier}, total;dur={total}"))
    {
        headers.insert(SERVER_TIMING, value);
    }
}
