//! HTTP dates, made from the RFC 3339 text that data is stored with or from a clock, and read from
//! requests. They have whole seconds and, in this crate, start in 1970. A value outside of that is
//! `None`, never a panic.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The bytes of `2024-01-02`.
const DATE_LENGTH: usize = 10;
/// 9999-12-31T23:59:59Z, the last second that four digits of year can name.
const LAST_SECOND: u64 = 253_402_300_799;

/// A date of HTTP (RFC 9110, section 5.6.7): a whole second, UTC, from 1970 to the end of 9999.
///
/// `Display` and [`header_value`](Self::header_value) give the one form that may be sent,
/// IMF-fixdate: `Tue, 02 Jan 2024 01:00:00 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate {
    /// Seconds since the Unix epoch, at most `LAST_SECOND`.
    seconds: u64,
}

impl HttpDate {
    /// Returns the `Last-Modified` of a representation that changed at `changed`, in RFC 3339 (see
    /// [`from_rfc3339`](Self::from_rfc3339)). `now` is the clock that the response's `Date` comes
    /// from.
    ///
    /// A date in the future becomes `now`, because `Last-Modified` must not be later than `Date`
    /// (RFC 9110, section 8.8.2.1). Returns `None`, which means to send no `Last-Modified`, if
    /// `changed` is not a date or `now` is outside of [`HttpDate`]'s range.
    ///
    /// Fractions are cut off, so two changes within one second have the same date. Send an
    /// [`ETag`](crate::ETag) too: it takes precedence where a client has both.
    ///
    /// ```
    /// # use cache_headers::HttpDate;
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// let now = UNIX_EPOCH + Duration::from_secs(1_704_157_200); // 2024-01-02T01:00:00Z
    /// let date = |text| HttpDate::last_modified(text, now).map(|date| date.to_string());
    ///
    /// let before = date("2023-12-31T23:59:59.999Z");
    /// assert_eq!(before.as_deref(), Some("Sun, 31 Dec 2023 23:59:59 GMT"));
    /// let after = date("2031-01-01T00:00:00.000Z");
    /// assert_eq!(after.as_deref(), Some("Tue, 02 Jan 2024 01:00:00 GMT"));
    /// assert_eq!(date("yesterday"), None);
    /// ```
    pub fn last_modified(changed: &str, now: SystemTime) -> Option<Self> {
        let now = Self::from_system_time(now)?;
        Self::from_rfc3339(changed).map(|date| date.min(now))
    }

    /// Reads a date and time in the form of RFC 3339, section 5.6, and nothing wider:
    /// `2024-01-02T01:00:00Z` or with an offset, `2024-01-02T02:00:00+01:00`. `T` and `Z` may be
    /// lower case. A fraction of any length is cut off.
    ///
    /// A leap second (`23:59:60` UTC on the last day of a month) becomes the second before it,
    /// because an HTTP date is written from a clock that does not count leap seconds.
    ///
    /// Returns `None` for any other form, for a day or time that does not exist, and outside of
    /// 1970 to 9999 in UTC.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        // `time` accepts any byte here; the grammar has `T` alone, in either case.
        if !matches!(text.as_bytes().get(DATE_LENGTH), Some(b'T' | b't')) {
            return None;
        }
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Self::from_seconds(u64::try_from(time.unix_timestamp()).ok()?)
    }

    /// Reads a date of a request: IMF-fixdate or one of the two obsolete forms (RFC 9110, section
    /// 5.6.7), with the right day of the week. Whitespace around it is allowed. A year of two
    /// digits is from 1970 to 2069.
    ///
    /// Returns `None` for any other form, for a leap second, and before 1970.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let date: httpdate::HttpDate = text.parse().ok()?;
        Self::from_system_time(date.into())
    }

    /// Returns the second that a time falls in, or `None` before 1970 and after 9999.
    pub fn from_system_time(time: SystemTime) -> Option<Self> {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }

    /// Returns the IMF-fixdate, the value of a field such as `Last-Modified`.
    pub fn header_value(self) -> HeaderValue {
        crate::header_value_of_ascii(self.to_string().as_bytes())
    }

    fn from_seconds(seconds: u64) -> Option<Self> {
        (seconds <= LAST_SECOND).then_some(Self { seconds })
    }
}

impl From<HttpDate> for SystemTime {
    fn from(date: HttpDate) -> Self {
        UNIX_EPOCH + Duration::from_secs(date.seconds)
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The conversion panics before 1970 and after 9999; this type holds neither.
        httpdate::HttpDate::from(SystemTime::from(*self)).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imf(text: &str) -> Option<String> {
        HttpDate::from_rfc3339(text).map(|date| date.to_string())
    }

    #[test]
    fn rfc3339_to_imf_fixdate() {
        for (text, expected) in [
            ("2024-01-02T01:00:00.000Z", "Tue, 02 Jan 2024 01:00:00 GMT"),
            ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("1970-01-01t00:00:00.9z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("2000-02-29T23:59:59.999999999999Z", "Tue, 29 Feb 2000 23:59:59 GMT"),
            ("2024-02-29T12:00:00+00:00", "Thu, 29 Feb 2024 12:00:00 GMT"),
            ("2024-03-01T12:00:00-00:00", "Fri, 01 Mar 2024 12:00:00 GMT"),
            ("2024-01-02T02:00:00+01:00", "Tue, 02 Jan 2024 01:00:00 GMT"),
            ("2024-01-01T19:30:00.5-05:30", "Tue, 02 Jan 2024 01:00:00 GMT"),
            ("1969-12-31T23:30:00-00:30", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(imf(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn no_date_is_none() {
        for text in [
            "",
            "2024",
            "2024-01-02",
            "2024-01-02T01:00:00",
            "2024-01-02T01:00:00.",
            "2024-01-02T01:00:00.Z",
            "2024-01-02T01:00:00.000",
            "2024-01-02T01:00:00ZZ",
            "2024-01-02T01:00:00Z ",
            " 2024-01-02T01:00:00Z",
            "2024-01-02 01:00:00Z",
            "2024-01-02T01:00:00+0100",
            "2024-01-02T01:00:00+01",
            "2024-01-02T01:00:00+24:00",
            "2024-01-02T01:00:00+01:60",
            "2024-01-02T01:00:00 01:00",
            "2024-01-02T01:00:00,5Z",
            "2024-1-02T01:00:00Z",
            "2024-00-02T01:00:00Z",
            "2024-13-02T01:00:00Z",
            "2024-01-00T01:00:00Z",
            "2024-01-32T01:00:00Z",
            "2024-04-31T01:00:00Z",
            "2023-02-29T01:00:00Z",
            "2100-02-29T01:00:00Z",
            "2024-02-30T01:00:00Z",
            "2024-01-02T24:00:00Z",
            "2024-01-02T01:60:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "10000-01-01T00:00:00Z",
            "+2024-01-02T01:00:00Z",
            "-001-01-02T01:00:00Z",
            "2024-01-02T+1:00:00Z",
            "２024-01-02T01:00:00Z",
            "2024-01-02T01:00:0é",
            "Tue, 02 Jan 2024 01:00:00 GMT",
        ] {
            assert_eq!(imf(text), None, "{text}");
        }
    }

    #[test]
    fn only_t_separates_date_and_time() {
        for separator in (0..=0x7F_u8).map(char::from).chain(['é', '　']) {
            let text = format!("2024-01-02{separator}01:00:00Z");
            assert_eq!(imf(&text).is_some(), matches!(separator, 'T' | 't'), "{text:?}");
        }
    }

    #[test]
    fn a_leap_second_is_the_second_before_it() {
        for (text, expected) in [
            ("2016-12-31T23:59:60Z", Some("Sat, 31 Dec 2016 23:59:59 GMT")),
            ("2016-12-31T23:59:60.75Z", Some("Sat, 31 Dec 2016 23:59:59 GMT")),
            ("2017-01-01T00:59:60+01:00", Some("Sat, 31 Dec 2016 23:59:59 GMT")),
            ("9999-12-31T23:59:60Z", Some("Fri, 31 Dec 9999 23:59:59 GMT")),
            ("9999-12-31T23:59:60-00:01", None),
            ("2016-12-31T23:59:61Z", None),
            ("2016-12-31T23:58:60Z", None),
            ("2016-12-30T23:59:60Z", None),
            ("2016-12-31T23:59:60+01:00", None),
            ("1969-12-31T23:59:60Z", None),
        ] {
            assert_eq!(imf(text).as_deref(), expected, "{text}");
        }
    }

    /// Compares the calendars of the two crates at the first second of every month.
    #[test]
    fn every_month_until_the_end() {
        for year in 1970..=9999 {
            for month in 1..=12 {
                let date =
                    HttpDate::from_rfc3339(&format!("{year}-{month:02}-01T00:00:00Z")).unwrap();
                assert_eq!(date.to_string()[12..16], year.to_string());
                assert_eq!(HttpDate::parse(date.to_string().as_bytes()), Some(date));
            }
        }
    }

    #[test]
    fn parses_the_three_forms_of_http() {
        let expected = HttpDate::from_rfc3339("1994-11-06T08:49:37Z");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "\tSun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            assert_eq!(HttpDate::parse(text.as_bytes()), expected, "{text}");
        }
        for text in [
            &b""[..],
            b"0",
            b"-1",
            b"\xFF",
            b"Mon, 06 Nov 1994 08:49:37 GMT",
            b"Sun, 06 Nov 1994 08:49:37 UTC",
            b"sun, 06 nov 1994 08:49:37 gmt",
            b"Thu, 31 Feb 2024 00:00:00 GMT",
            b"Sat, 01 Jan 0000 00:00:00 GMT",
            b"Wed, 31 Dec 1969 23:59:59 GMT",
            b"Fri, 31 Dec 9999 23:59:60 GMT",
            b"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            b"1994-11-06T08:49:37Z",
        ] {
            assert_eq!(HttpDate::parse(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn last_modified_is_never_later_than_now() {
        let now = UNIX_EPOCH + Duration::from_millis(1_704_157_200_400);
        let seconds = |text, now| HttpDate::last_modified(text, now).map(|date| date.seconds);
        assert_eq!(seconds("2024-01-02T00:59:59.999Z", now), Some(1_704_157_199));
        assert_eq!(seconds("2024-01-02T01:00:00.999Z", now), Some(1_704_157_200));
        assert_eq!(seconds("2024-01-02T01:00:01.000Z", now), Some(1_704_157_200));
        assert_eq!(seconds("9999-12-31T23:59:59.999Z", now), Some(1_704_157_200));
        assert_eq!(seconds("not a date", now), None);

        let before = UNIX_EPOCH - Duration::from_nanos(1);
        let after = UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 1);
        assert_eq!(seconds("2024-01-02T01:00:00Z", before), None);
        assert_eq!(seconds("2024-01-02T01:00:00Z", after), None);
    }
}
