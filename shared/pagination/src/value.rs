//! Scalar attribute values, and the order in which DynamoDB sorts them.
//!
//! A merge must order numbers exactly as DynamoDB does. They have up to 38 significant digits
//! ([data types](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html)),
//! more than a float holds, so they stay text here and are compared as decimals.

use std::cmp::Ordering;

/// A scalar value of a key attribute or a condition.
///
/// Binary keys are not supported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// A string. DynamoDB sorts strings by their UTF-8 bytes.
    S(String),
    /// A number as decimal text, in DynamoDB's notation. It is never converted to a float.
    N(String),
    /// A boolean. It can be used in a filter, but not as a key.
    Bool(bool),
}

impl Value {
    /// Compares two values as a DynamoDB sort key does. Values of different types, which one key
    /// attribute never holds, compare by type.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::S(a), Self::S(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::N(a), Self::N(b)) => Decimal::read(a).order(&Decimal::read(b)),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Returns true if both are of the same type.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }

    /// Returns the same text for every notation of a value (`1`, `1.0` and `10e-1` are one number).
    /// It begins with the type.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::S(text) => format!("S{text}"),
            Self::N(text) => {
                let Decimal { negative, exponent, digits } = Decimal::read(text);
                format!(
                    "N{}{}e{exponent}",
                    if negative { "-" } else { "" },
                    String::from_utf8_lossy(&digits)
                )
            }
            Self::Bool(flag) => format!("B{flag}"),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::S(_) => 0,
            Self::N(_) => 1,
            Self::Bool(_) => 2,
        }
    }
}

/// ±0.DIGITS × 10^exponent, with DIGITS without zeros at either end. Zero has no digits.
struct Decimal {
    negative: bool,
    exponent: i64,
    digits: Vec<u8>,
}

impl Decimal {
    /// Parses a number in DynamoDB's notation. Other characters are ignored: the text comes from
    /// DynamoDB or was validated before.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(0);
        let negative = mantissa.starts_with('-');
        let whole = mantissa.split('.').next().unwrap_or("");
        let point = whole.bytes().filter(u8::is_ascii_digit).count();
        let all: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let leading = all.iter().take_while(|&&digit| digit == b'0').count();
        let trailing = all[leading..].iter().rev().take_while(|&&digit| digit == b'0').count();
        let digits = all[leading..all.len() - trailing].to_vec();
        if digits.is_empty() {
            return Self { negative: false, exponent: 0, digits };
        }
        let shift = i64::try_from(point).unwrap_or(i64::MAX) - i64::try_from(leading).unwrap_or(0);
        Self { negative, exponent: exponent.saturating_add(shift), digits }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let magnitude =
            || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Value {
        Value::N(text.to_owned())
    }

    #[test]
    fn numbers_compare_as_decimals() {
        let ascending = [
            "-1E+40",
            "-12345678901234567890123456789012345678",
            "-100",
            "-10.5",
            "-10",
            "-0.5",
            "-1e-130",
            "0",
            "1E-130",
            "0.05",
            "0.5",
            "1",
            "1.01",
            "9",
            "9.99",
            "10",
            "12345678901234567890123456789012345678",
            "12345678901234567890123456789012345679",
            "1E+125",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(n(a).order(&n(b)), i.cmp(&j), "{a} against {b}");
            }
        }
    }

    #[test]
    fn one_number_has_one_canonical_text() {
        for same in
            [["1", "1.0"], ["10", "1E1"], ["0", "-0.00"], ["0.5", "5e-1"], ["1500", "1.5E+3"]]
        {
            assert_eq!(n(same[0]).canonical(), n(same[1]).canonical());
            assert_eq!(n(same[0]).order(&n(same[1])), Ordering::Equal);
        }
        assert_ne!(n("1").canonical(), Value::S("1".to_owned()).canonical());
    }

    #[test]
    fn booleans_and_types_have_an_order() {
        let ascending = [Value::S("z".into()), n("1"), Value::Bool(false), Value::Bool(true)];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.order(b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn strings_compare_by_utf8_bytes() {
        let ascending = ["", "A", "Z", "a", "aa", "é", "\u{ffff}", "\u{10000}"];
        for pair in ascending.windows(2) {
            assert_eq!(Value::S(pair[0].into()).order(&Value::S(pair[1].into())), Ordering::Less);
        }
    }
}
