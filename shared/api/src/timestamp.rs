//! Timestamps: read in the form of RFC 3339, written in the form of the tables.

use time::{
    Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// The bytes of `2026-01-31`.
const DATE_LENGTH: usize = 10;

/// Reads a date and time in the form of RFC 3339, section 5.6, and nothing wider: `T` in the
/// middle, `Z` or a numeric offset at the end, letters in either case.
///
/// A leap second (`23:59:60` UTC on the last day of a month) becomes the last nanosecond before it.
/// Returns `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    // `time` accepts any byte here; the grammar allows only `T`.
    if !matches!(text.as_bytes().get(DATE_LENGTH), Some(b'T' | b't')) {
        return None;
    }
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Reads a date and time as [`parse`] does, or a date alone (`2026-01-31`), which is its midnight
/// in UTC.
pub(crate) fn parse_date_or_time(text: &str) -> Option<OffsetDateTime> {
    parse(text).or_else(|| {
        Some(
            Date::parse(text, format_description!("[year]-[month]-[day]"))
                .ok()?
                .midnight()
                .assume_utc(),
        )
    })
}

/// Writes a time in the one form that the tables hold, which sorts as text: UTC, milliseconds (the
/// rest is cut off), `Z`.
///
/// Returns `None` for a year outside of 0 to 9999 in UTC.
pub(crate) fn format(time: OffsetDateTime) -> Option<String> {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let time =
        time.checked_to_offset(UtcOffset::UTC).filter(|time| (0..=9999).contains(&time.year()))?;
    time.format(format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Option<String> {
        parse(text).and_then(format)
    }

    #[test]
    fn is_stored_in_milliseconds_of_utc() {
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000Z"),
            ("2024-01-02t03:04:05.6789z", "2024-01-02T03:04:05.678Z"),
            ("2024-01-02T03:04:05.5+02:00", "2024-01-02T01:04:05.500Z"),
            ("2024-01-01T23:04:05-05:30", "2024-01-02T04:34:05.000Z"),
            ("2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(stored(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn only_t_separates_date_and_time() {
        for separator in (0..=0x7F_u8).map(char::from).chain(['é', '　']) {
            let text = format!("2024-01-01{separator}00:00:00Z");
            assert_eq!(parse(&text).is_some(), matches!(separator, 'T' | 't'), "{text:?}");
        }
    }

    #[test]
    fn other_forms_are_rejected() {
        for text in [
            "",
            "2024-01-01",
            "2024-01-01T",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00:00+0200",
            "2024-01-01T00:00:00+02",
            "2024-01-01T00:00:00 02:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Z ",
            " 2024-01-01T00:00:00Z",
            "2024-01-01012:00:00Z",
            "20240101T000000Z",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:61Z",
            "+02024-01-01T00:00:00Z",
            "２024-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_leap_second_is_the_last_nanosecond_before_it() {
        let before = parse("2016-12-31T23:59:59.999999999Z");
        assert!(before.is_some());
        assert_eq!(parse("2016-12-31T23:59:60Z"), before);
        assert_eq!(parse("2017-01-01T00:59:60+01:00"), before);
        for text in [
            "2016-12-30T23:59:60Z",
            "2016-12-31T23:58:60Z",
            "2016-12-31T23:59:60+01:00",
            "9999-12-31T23:59:60-23:59",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_year_that_four_digits_cannot_hold_is_not_written() {
        for text in ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(parse(text).map(format), Some(None), "{text}");
        }
    }
}
