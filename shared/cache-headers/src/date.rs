//! Dates, from the RFC 3339 text that data is stored with to the form that HTTP speaks, and back.
//! HTTP's have whole seconds and start, here, in 1970; what does not fit is no date, never a panic.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

const SECONDS_PER_DAY: u64 = 86_400;
/// 9999-12-31T23:59:59Z, the last second that four digits of year can name.
const LAST_SECOND: u64 = 253_402_300_799;

/// A date of HTTP (RFC 9110, section 5.6.7): a whole second, UTC, from 1970 to the end of 9999.
///
/// `Display` and [`header_value`](Self::header_value) give the one form that may be sent, IMF-fixdate:
/// `Tue, 02 Jan 2024 01:00:00 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate {
    /// Since the Unix epoch; at most `LAST_SECOND`.
    seconds: u64,
}

impl HttpDate {
    /// The `Last-Modified` of something that says of itself when it was last changed: `changed` in
    /// RFC 3339 (see [`from_rfc3339`](Self::from_rfc3339)), `now` by the clock that dates the answer.
    ///
    /// A date in the future becomes `now`, since `Last-Modified` must not be later than `Date` (RFC 9110,
    /// section 8.8.2.1). `None`, i.e. send none, if `changed` is no date or `now` is outside of
    /// [`HttpDate`]'s range.
    ///
    /// Fractions are cut off, so two changes within one second have the same date: send an
    /// [`ETag`](crate::ETag) as well, which goes before the date wherever a client has both.
    ///
    /// ```
    /// # use cache_headers::HttpDate;
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// let now = UNIX_EPOCH + Duration::from_secs(1_704_157_200); // 2024-01-02T01:00:00Z
    /// let date = |text| HttpDate::last_modified(text, now).map(|date| date.to_string());
    ///
    /// assert_eq!(date("2023-12-31T23:59:59.999Z").as_deref(), Some("Sun, 31 Dec 2023 23:59:59 GMT"));
    /// assert_eq!(date("2031-01-01T00:00:00.000Z").as_deref(), Some("Tue, 02 Jan 2024 01:00:00 GMT"));
    /// assert_eq!(date("yesterday"), None);
    /// ```
    pub fn last_modified(changed: &str, now: SystemTime) -> Option<Self> {
        let now = Self::from_system_time(now)?;
        Self::from_rfc3339(changed).map(|date| date.min(now))
    }

    /// Reads an RFC 3339 date and time in UTC: `2024-01-02T01:00:00Z`, with any number of digits of
    /// fraction, which are cut off. `T` and `Z` may be lower case; `+00:00` and `-00:00` stand for `Z`.
    /// A leap second (`:60`, only where one can be: at 23:59) is the second after it.
    ///
    /// `None` for any other offset, form or length, for a day or time that does not exist, and outside of
    /// 1970 to 9999.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date_time, rest) = text.as_bytes().split_at_checked(19)?;
        let &[y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T' | b't', h0, h1, b':', mi0, mi1, b':', s0, s1] = date_time else {
            return None;
        };
        let offset = match rest.strip_prefix(b".") {
            None => rest,
            Some(fraction) => {
                let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
                match digits.count() {
                    0 => return None,
                    digits => fraction.get(digits..)?,
                }
            }
        };
        if !matches!(offset, b"Z" | b"z" | b"+00:00" | b"-00:00") {
            return None;
        }

        let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[mo0, mo1])?, number(&[d0, d1])?);
        let (hour, minute, second) = (number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?);
        let last_second_of_minute = if (hour, minute) == (23, 59) { 60 } else { 59 };
        if hour > 23 || minute > 59 || second > last_second_of_minute {
            return None;
        }
        let days = days_since_epoch(year, month, day)?;
        Self::from_seconds(days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second)
    }

    /// Reads a date as a request may carry it: IMF-fixdate or one of the two obsolete forms (RFC 9110,
    /// section 5.6.7), with the right day of the week; whitespace around it is allowed. A year of two
    /// digits is from 1970 to 2069.
    ///
    /// `None` for anything else, for a leap second, and before 1970.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let date: httpdate::HttpDate = text.parse().ok()?;
        Self::from_system_time(date.into())
    }

    /// The second that a time falls in; `None` before 1970 and after 9999.
    pub fn from_system_time(time: SystemTime) -> Option<Self> {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }

    /// The IMF-fixdate, for a field such as `Last-Modified`.
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
        // Its conversion panics before 1970 and after 9999, which this type cannot hold.
        httpdate::HttpDate::from(SystemTime::from(*self)).fmt(f)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(number * 10 + digit)
    })
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` before, or if there is no such day.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    const DAYS_BEFORE_MONTH: [u64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

    let leap_year = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let index = usize::try_from(month.checked_sub(1)?).ok()?;
    let before = *DAYS_BEFORE_MONTH.get(index)?;
    let length = DAYS_BEFORE_MONTH.get(index + 1)? - before + u64::from(leap_year && month == 2);
    if year < 1970 || day == 0 || day > length {
        return None;
    }
    let last_year = year - 1;
    let leap_days = last_year / 4 - last_year / 100 + last_year / 400 - 477; // 477 up to the end of 1969
    let this_leap_day = u64::from(leap_year && month > 2);
    Some((year - 1970) * 365 + leap_days + before + this_leap_day + day - 1)
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
            ("2016-12-31T23:59:60Z", "Sun, 01 Jan 2017 00:00:00 GMT"),
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
            "2024-01-02T01:00:00+01:00",
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
            "2024-01-02T01:00:60Z",
            "2024-01-02T23:59:61Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:60Z",
            "9999-12-31T23:59:60Z",
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

    /// Every day that there is, one after the other, against the other crate's calendar.
    #[test]
    fn every_day_until_the_end() {
        let mut expected = 0;
        for year in 1970..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = days_since_epoch(year, month, day) {
                        assert_eq!(days, expected, "{year}-{month}-{day}");
                        expected += 1;
                        if day == 1 {
                            let date = HttpDate::from_seconds(days * SECONDS_PER_DAY).unwrap();
                            assert_eq!(date.to_string()[12..16], year.to_string());
                            assert_eq!(HttpDate::parse(date.to_string().as_bytes()), Some(date));
                        }
                    }
                }
            }
        }
        assert_eq!(expected * SECONDS_PER_DAY - 1, LAST_SECOND);
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
