//! Times as this API writes them: RFC 3339, UTC, milliseconds, `Z`.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const RFC_3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Returns true if a text is a time as this API writes it.
pub(crate) fn is_time(text: &str) -> bool {
    PrimitiveDateTime::parse(text, RFC_3339_MILLIS).is_ok()
}

/// Writes a time in the form that [`is_time`] accepts.
pub(crate) fn time(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds).ok().and_then(|time| time.format(RFC_3339_MILLIS).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        assert!(is_time("2024-02-29T23:59:59.999Z"));
        assert_eq!(time(1_704_067_200), "2024-01-01T00:00:00.000Z");
        for text in [
            "2023-02-29T00:00:00.000Z",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.000+00:00",
            "2024-1-1T00:00:00.000Z",
            "2024-01-01 00:00:00.000Z",
            "2024-01-01T24:00:00.000Z",
            "",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
