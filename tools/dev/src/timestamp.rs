//! Times in the form of this API: RFC 3339, UTC, milliseconds, `Z`.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

const RFC_3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Returns true if a text is a time as this API writes it.
pub(crate) fn is_time(text: &str) -> bool {
    // The `time` crate takes a sign and years that have more digits, too.
    text.len() == "2024-01-31T09:30:00.000Z".len()
        && PrimitiveDateTime::parse(text, RFC_3339_MILLIS).is_ok()
}

/// Writes a time of RFC 3339 as this API does: in UTC, cut to milliseconds. `None` if the text is
/// no such time.
pub(crate) fn normalized(text: &str) -> Option<String> {
    later(text, 0)
}

/// Writes the time that is this number of seconds after a time of RFC 3339. `None` if the text is
/// no such time.
pub(crate) fn later(text: &str, seconds: i64) -> Option<String> {
    // The `time` crate takes any separator between date and time; section 5.6 has `T`, in either
    // case.
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
    let time = time.checked_add(Duration::seconds(seconds))?;
    time.format(RFC_3339_MILLIS).ok().filter(|text| is_time(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        assert!(is_time("2024-02-29T23:59:59.999Z"));
        assert_eq!(
            later("2024-02-28T23:00:00+01:00", 86_400).as_deref(),
            Some("2024-02-29T22:00:00.000Z")
        );
        for text in [
            "2023-02-29T00:00:00.000Z",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.000+00:00",
            "2024-1-1T00:00:00.000Z",
            "2024-01-01 00:00:00.000Z",
            "2024-01-01T24:00:00.000Z",
            "-0001-12-31T23:00:00.000Z",
            "+2024-01-01T00:00:00.000Z",
            "",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn a_time_before_the_year_0_in_utc_has_no_form() {
        assert_eq!(normalized("0000-01-01T00:00:00+01:00"), None);
        assert_eq!(
            normalized("0000-01-01T00:00:00-01:00").as_deref(),
            Some("0000-01-01T01:00:00.000Z")
        );
    }

    #[test]
    fn every_form_of_rfc_3339_becomes_that_one() {
        for text in [
            "2024-02-29T22:00:00Z",
            "2024-02-29t22:00:00z",
            "2024-03-01T00:00:00+02:00",
            "2024-02-29T16:30:00.000-05:30",
            "2024-02-29T22:00:00.0009Z",
        ] {
            assert_eq!(normalized(text).as_deref(), Some("2024-02-29T22:00:00.000Z"), "{text}");
        }
        assert_eq!(
            normalized("2024-01-01T00:00:00.12Z").as_deref(),
            Some("2024-01-01T00:00:00.120Z")
        );
        for text in [
            "2024-01-01 00:00:00Z",
            "2024-01-01_00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01",
            "2023-02-29T00:00:00Z",
            "",
        ] {
            assert_eq!(normalized(text), None, "{text}");
        }
        assert_eq!(normalized("9999-12-31T23:00:00-02:00"), None, "the year 10000 in UTC");
    }
}
