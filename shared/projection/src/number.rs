//! Numbers as decimal text: DynamoDB's have 38 digits, which no float holds.

use std::cmp::Ordering;

/// Whether the text is a JSON number (RFC 8259, section 6), which DynamoDB's numbers are: `12`, `-0.5`, `1E+30`.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let [b'.', fraction @ ..] = rest {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let length = digits(exponent);
        if length == 0 {
            return false;
        }
        rest = &exponent[length..];
    }
    rest.is_empty()
}

fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

/// Compares two decimal texts exactly, by value: `-0` equals `0`, `1.0` equals `1`, `1E+2` equals `100`. Digits and
/// exponents may be of any length. A text that is not a number goes before all numbers, by its bytes.
///
/// ```
/// use std::cmp::Ordering;
/// assert_eq!(projection::compare("9007199254740993", "9007199254740992"), Ordering::Greater);
/// assert_eq!(projection::compare("1E+2", "100.0"), Ordering::Equal);
/// ```
pub fn compare(a: &str, b: &str) -> Ordering {
    match (Decimal::read(a), Decimal::read(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => a.cmp(b),
    }
}

/// A number as its sign, its significant digits, and the power of ten of the first of them.
struct Decimal<'a> {
    sign: i8,
    whole: &'a [u8],
    fraction: &'a [u8],
    power: i64,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let text = text.as_bytes();
        if !is_number(text) {
            return None;
        }
        let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        let mantissa = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let exponent = text.get(mantissa + 1..).map_or(0, exponent);
        let text = &text[..mantissa];
        let point = digits(text);
        let mut whole = &text[..point];
        let mut fraction = text.get(point + 1..).unwrap_or_default();
        while let [b'0', rest @ ..] = whole {
            whole = rest;
        }
        let mut leading = 0;
        if whole.is_empty() {
            leading = fraction.iter().position(|digit| *digit != b'0').unwrap_or(fraction.len());
            fraction = &fraction[leading..];
        }
        let length = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let power = exponent.saturating_add(length(whole.len())).saturating_sub(length(leading));
        let zero = whole.is_empty() && fraction.is_empty();
        let sign = if zero { 0 } else { 1 - 2 * i8::from(negative) };
        Some(Self { sign, whole, fraction, power })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let size = || self.power.cmp(&other.power).then_with(|| self.compare_digits(other));
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            0 => Ordering::Equal,
            1 => size(),
            _ => size().reverse(),
        })
    }

    fn compare_digits(&self, other: &Self) -> Ordering {
        let mut a = self.whole.iter().chain(self.fraction);
        let mut b = other.whole.iter().chain(other.fraction);
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => a.unwrap_or(&b'0').cmp(b.unwrap_or(&b'0')),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

/// The value of an exponent's text, held at the ends of what an `i64` can be halved to.
fn exponent(text: &[u8]) -> i64 {
    const END: i64 = i64::MAX / 4;
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for digit in text {
        value = value.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(END);
    }
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_and_nothing_else() {
        let long = "12345678901234567890123456789012345678";
        for text in ["0", "-0", "12", "-0.5", "1E+30", "1e-130", "0.000", "9.99E125", long] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "Infinity", "1.2.3", "--1"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn order_is_by_value() {
        let ascending = [
            "",
            "-1E+99999999999999999999",
            "-1E+125",
            "-10",
            "-9.5",
            "-1E-130",
            "0",
            "1E-130",
            "0.001",
            "0.01",
            "0.0100000000000000000000000000000000001",
            "1",
            "1.5",
            "9",
            "10",
            "11E0",
            "99",
            "12345678901234567890123456789012345677",
            "12345678901234567890123456789012345678",
            "9.9999999999999999999999999999999999999E+125",
            "1E+99999999999999999999",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for (a, b) in [("0", "-0.0E5"), ("1", "1.000"), ("100", "1E+2"), ("0.5", "5e-1"), ("1200", "0.12E4")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }
}
