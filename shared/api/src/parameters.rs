//! From text to typed parameters: each is checked against the route's declaration, and all that is wrong is told at once.

use pagination::{Condition, Operator, Value};
use projection::Selection;
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

use crate::problem::ParameterError;
use crate::query::Query;
use crate::route::{Accepts, DEFAULT_LIMIT, Filter, MAX_LIMIT, MAX_PAGED_ITEM, MAX_TEXT_CHARS, Resource, SortOption};

/// The values of the filters that are given, as conditions. A range whose ends are reversed is an error of its upper end.
pub(crate) fn conditions(query: &Query<'_>, filters: &'static [Filter], errors: &mut Vec<ParameterError>) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = Vec::new();
    for filter in filters {
        let Some(text) = query.get(filter.parameter) else { continue };
        match condition(filter, text) {
            Ok(condition) => {
                let reversed = |other: &&Condition| {
                    let bounds = (other.operator, condition.operator) == (Operator::AtLeast, Operator::AtMost);
                    bounds && other.attribute == condition.attribute && other.value.order(&condition.value).is_gt()
                };
                if conditions.iter().any(|other| reversed(&other)) {
                    let lower = lower_end(filters, filter).unwrap_or_default();
                    let must = if filter.accepts == Accepts::Before { "be later than" } else { "not be less than" };
                    errors.push(ParameterError::new(filter.parameter, format!("must {must} `{lower}`")));
                }
                conditions.push(condition);
            }
            Err(detail) => errors.push(ParameterError::new(filter.parameter, detail)),
        }
    }
    conditions
}

/// The parameter that is the lower end of the range of which `upper` is the upper end.
fn lower_end(filters: &'static [Filter], upper: &Filter) -> Option<&'static str> {
    let lower = |filter: &&Filter| filter.attribute == upper.attribute && matches!(filter.accepts, Accepts::AtLeast | Accepts::From);
    filters.iter().find(lower).map(|filter| filter.parameter)
}

fn condition(filter: &Filter, text: &str) -> Result<Condition, String> {
    let (operator, value) = match filter.accepts {
        Accepts::Text => (Operator::Equal, Value::S(plain_text(text)?.to_owned())),
        Accepts::OneOf(options) if options.contains(&text) => (Operator::Equal, Value::S(text.to_owned())),
        Accepts::OneOf(options) => return Err(format!("must be one of: {}", options.join(", "))),
        Accepts::AtLeast => (Operator::AtLeast, Value::N(number(text)?.to_owned())),
        Accepts::AtMost => (Operator::AtMost, Value::N(number(text)?.to_owned())),
        Accepts::From => (Operator::AtLeast, Value::S(moment(text, Duration::ZERO)?)),
        Accepts::Before => (Operator::AtMost, Value::S(moment(text, Duration::MILLISECOND)?)),
        Accepts::Positive => match text {
            "true" => (Operator::AtLeast, Value::N("1".to_owned())),
            "false" => (Operator::AtMost, Value::N("0".to_owned())),
            _ => return Err("must be `true` or `false`".to_owned()),
        },
    };
    Ok(Condition { attribute: filter.attribute, operator, value })
}

/// A text of 1 to [`MAX_TEXT_CHARS`] printable characters.
pub(crate) fn plain_text(text: &str) -> Result<&str, String> {
    let valid = !text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS && !text.chars().any(char::is_control);
    if valid { Ok(text) } else { Err(format!("must have 1 to {MAX_TEXT_CHARS} printable characters")) }
}

/// A decimal number of at most 38 digits, which is what DynamoDB holds.
fn number(text: &str) -> Result<&str, String> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) && whole.len() <= 20 && fraction.len() <= 18 {
        Ok(text)
    } else {
        Err("must be a decimal number such as `10` or `9.99` (at most 20 digits before the point and 18 after it)".to_owned())
    }
}

/// An RFC 3339 time as the tables have it: UTC, milliseconds. One that lies between two milliseconds counts as the later, so that
/// "at or after" holds; `less` is taken off to make "before" out of it.
fn moment(text: &str, less: Duration) -> Result<String, String> {
    let wrong = || "must be a time such as `2026-01-31T00:00:00Z` (RFC 3339; write the `+` of an offset as `%2B`)".to_owned();
    let time = OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|time| time.checked_to_offset(UtcOffset::UTC)).ok_or_else(wrong)?;
    let over = time.nanosecond() % 1_000_000;
    let up = if over == 0 { Duration::ZERO } else { Duration::nanoseconds(1_000_000 - i64::from(over)) };
    let time = time.checked_add(up).and_then(|time| time.checked_sub(less)).ok_or_else(wrong)?;
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.format(format).ok().filter(|text| text.len() == "2026-01-31T00:00:00.000Z".len() && !text.starts_with('-')).ok_or_else(wrong)
}

/// The chosen order; the first if none is chosen.
pub(crate) fn sort(query: &Query<'_>, sorts: &'static [SortOption], errors: &mut Vec<ParameterError>) -> Option<&'static SortOption> {
    let Some(name) = query.get("sort") else { return sorts.first() };
    let chosen = sorts.iter().find(|sort| sort.name == name);
    if chosen.is_none() {
        let names: Vec<_> = sorts.iter().map(|sort| sort.name).collect();
        errors.push(ParameterError::new("sort", format!("must be one of: {}", names.join(", "))));
    }
    chosen
}

/// The chosen fields; `default` if none are chosen.
pub(crate) fn fields(query: &Query<'_>, resource: &Resource, default: Selection, errors: &mut Vec<ParameterError>) -> Selection {
    let Some(text) = query.get("fields") else { return default };
    Selection::parse(text, resource.fields).unwrap_or_else(|wrong| {
        errors.extend(wrong.iter().map(|wrong| ParameterError {
            suggestion: wrong.nearest.map(str::to_owned),
            ..ParameterError::new("fields", wrong.to_string())
        }));
        default
    })
}

/// How many items a page has.
pub(crate) fn limit(query: &Query<'_>, errors: &mut Vec<ParameterError>) -> u32 {
    let Some(text) = query.get("limit") else { return DEFAULT_LIMIT };
    whole_number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or_else(|| {
        errors.push(ParameterError::new("limit", format!("must be a whole number from 1 to {MAX_LIMIT}")));
        DEFAULT_LIMIT
    })
}

/// How many items lie before the page of this number, if one is asked for.
pub(crate) fn skipped_by_page(query: &Query<'_>, limit: u32, errors: &mut Vec<ParameterError>) -> Option<u32> {
    let text = query.get("page")?;
    if query.get("cursor").is_some() {
        errors.push(ParameterError::new("page", "cannot be given together with `cursor`; a cursor is the place already"));
        return None;
    }
    let last = MAX_PAGED_ITEM / limit;
    let page = whole_number(text).filter(|page| (1..=last).contains(page));
    if page.is_none() {
        let detail = format!("must be a whole number from 1 to {last} with `limit={limit}`; go further with `cursor` (see `page.next`)");
        errors.push(ParameterError::new("page", detail));
    }
    page.map(|page| (page - 1) * limit)
}

fn whole_number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_milliseconds_of_utc() {
        let from = |text| moment(text, Duration::ZERO).ok();
        let before = |text| moment(text, Duration::MILLISECOND).ok();
        assert_eq!(from("2024-01-01T00:00:00Z").unwrap(), "2024-01-01T00:00:00.000Z");
        assert_eq!(from("2024-01-01T02:00:00.5+02:00").unwrap(), "2024-01-01T00:00:00.500Z");
        assert_eq!(from("2024-01-01T00:00:00.0001Z").unwrap(), "2024-01-01T00:00:00.001Z");
        assert_eq!(before("2024-01-01T00:00:00Z").unwrap(), "2023-12-31T23:59:59.999Z");
        assert_eq!(before("2024-01-01T00:00:00.0001Z").unwrap(), "2024-01-01T00:00:00.000Z");
        for bad in
            ["", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00 02:00", "0000-01-01T00:00:00+23:00"]
        {
            assert_eq!(from(bad), None, "{bad}");
        }
        assert_eq!(before("0000-01-01T00:00:00Z"), None);
    }

    #[test]
    fn numbers_are_plain_decimals() {
        for good in ["0", "-1", "9.99", "12345678901234567890.123456789012345678"] {
            assert_eq!(number(good), Ok(good));
        }
        for bad in ["", "-", ".5", "5.", "1e3", "+1", "NaN", "1,5", "0x10", "1 ", "123456789012345678901", "١"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_have_digits_only() {
        assert_eq!(whole_number("025"), Some(25));
        for bad in ["", "+1", "-1", "1.0", " 1", "4294967296", "99999999999"] {
            assert_eq!(whole_number(bad), None, "{bad}");
        }
    }
}
