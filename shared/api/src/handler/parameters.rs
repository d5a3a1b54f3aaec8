//! Typed parameters: each is checked against the route's declaration, and all errors are reported at once.

use pagination::{Condition, Operator, Value};
use projection::Selection;
use time::Duration;

use crate::http::problem::ParameterError;
use crate::http::query::Query;
use crate::route::{Accepts, Filter, Limits, MAX_PAGED_ITEM, MAX_TEXT_CHARS, Resource, SortOption};
use crate::timestamp;

/// Reads the filters as conditions. A range whose ends are reversed is an error of its upper end.
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
            Err(error) => errors.push(error),
        }
    }
    conditions
}

/// Returns the parameter that is the lower end of `upper`'s range.
fn lower_end(filters: &'static [Filter], upper: &Filter) -> Option<&'static str> {
    let lower = |filter: &&Filter| filter.attribute == upper.attribute && matches!(filter.accepts, Accepts::AtLeast | Accepts::From);
    filters.iter().find(lower).map(|filter| filter.parameter)
}

fn condition(filter: &Filter, text: &str) -> Result<Condition, ParameterError> {
    let wrong = |detail: String| ParameterError::new(filter.parameter, detail);
    let (operator, value) = match filter.accepts {
        Accepts::Text => (Operator::Equal, Value::S(plain_text(text).map_err(wrong)?.to_owned())),
        Accepts::OneOf(options) if options.contains(&text) => (Operator::Equal, Value::S(text.to_owned())),
        Accepts::OneOf(options) => return Err(ParameterError::unknown_value(filter.parameter, text, options)),
        Accepts::AtLeast => (Operator::AtLeast, Value::N(number(text).map_err(wrong)?.to_owned())),
        Accepts::AtMost => (Operator::AtMost, Value::N(number(text).map_err(wrong)?.to_owned())),
        Accepts::From => (Operator::AtLeast, Value::S(moment(text, Duration::ZERO).map_err(wrong)?)),
        Accepts::Before => (Operator::AtMost, Value::S(moment(text, Duration::MILLISECOND).map_err(wrong)?)),
        Accepts::Positive => match text {
            "true" => (Operator::AtLeast, Value::N("1".to_owned())),
            "false" => (Operator::AtMost, Value::N("0".to_owned())),
            _ => return Err(ParameterError::unknown_value(filter.parameter, text, &["true", "false"])),
        },
    };
    Ok(Condition { attribute: filter.attribute, operator, value })
}

/// Checks that a text has 1 to [`MAX_TEXT_CHARS`] printable characters.
pub(crate) fn plain_text(text: &str) -> Result<&str, String> {
    let valid = !text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS && !text.chars().any(char::is_control);
    if valid { Ok(text) } else { Err(format!("must have 1 to {MAX_TEXT_CHARS} printable characters")) }
}

/// Checks that a text is a decimal number of at most 38 digits, which is DynamoDB's limit.
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

/// Reads a time and returns it in the form of the tables. A time between two milliseconds becomes the later one, so that "at or after"
/// holds. `less` is subtracted, which turns "before" into "at or before".
fn moment(text: &str, less: Duration) -> Result<String, String> {
    let time = timestamp::parse(text).and_then(|time| {
        let over = i64::from(time.nanosecond() % 1_000_000);
        let up = if over == 0 { 0 } else { 1_000_000 - over };
        time.checked_add(Duration::nanoseconds(up))?.checked_sub(less)
    });
    time.and_then(timestamp::format)
        .ok_or_else(|| "must be a time such as `2026-01-31T00:00:00Z` (RFC 3339; write the `+` of an offset as `%2B`)".to_owned())
}

/// Reads `sort`; the first sort is the default.
pub(crate) fn sort(query: &Query<'_>, sorts: &'static [SortOption], errors: &mut Vec<ParameterError>) -> Option<&'static SortOption> {
    let Some(name) = query.get("sort") else { return sorts.first() };
    let chosen = sorts.iter().find(|sort| sort.name == name);
    if chosen.is_none() {
        let names: Vec<_> = sorts.iter().map(|sort| sort.name).collect();
        errors.push(ParameterError::unknown_value("sort", name, &names));
    }
    chosen
}

/// Reads `fields`.
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

/// Reads `limit`, the number of items of a page.
pub(crate) fn limit(query: &Query<'_>, limits: Limits, errors: &mut Vec<ParameterError>) -> u32 {
    let Some(text) = query.get("limit") else { return limits.default() };
    whole_number(text).filter(|limit| (1..=limits.greatest()).contains(limit)).unwrap_or_else(|| {
        errors.push(ParameterError::new("limit", format!("must be a whole number from 1 to {}", limits.greatest())));
        limits.default()
    })
}

/// Reads `page` and returns the number of items before it.
pub(crate) fn skipped_by_page(query: &Query<'_>, limit: u32, errors: &mut Vec<ParameterError>) -> Option<u32> {
    let text = query.get("page")?;
    if query.get("cursor").is_some() {
        errors.push(ParameterError::new("page", "cannot be combined with `cursor`"));
        return None;
    }
    let last = MAX_PAGED_ITEM / limit;
    let page = whole_number(text).filter(|page| (1..=last).contains(page));
    if page.is_none() {
        let detail =
            format!("must be a whole number from 1 to {last} with `limit={limit}`; for later pages use `cursor` (see `page.next`)");
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
        assert_eq!(from("2016-12-31T23:59:60Z").unwrap(), "2017-01-01T00:00:00.000Z");
        assert_eq!(from("0000-01-01T00:00:00+23:00"), None);
        assert_eq!(before("0000-01-01T00:00:00Z"), None);
        assert_eq!(from("9999-12-31T23:59:59.9999Z"), None);
    }

    static PERIOD: [Filter; 2] = [
        Filter { parameter: "from", attribute: "placedAt", accepts: Accepts::From, about: "" },
        Filter { parameter: "to", attribute: "placedAt", accepts: Accepts::Before, about: "" },
    ];

    #[test]
    fn a_time_has_t_between_its_date_and_its_time() {
        let errors = |raw: &str| {
            let mut errors = Vec::new();
            let query = Query::parse(raw, &["from", "to"], &mut errors);
            conditions(&query, &PERIOD, &mut errors);
            errors
        };
        for separator in ["T", "t", "%54"] {
            assert_eq!(errors(&format!("from=2024-01-01{separator}00:00:00Z")), [], "{separator}");
        }
        for separator in ["x", "_", "0", "5", "-", ":", "%22", "%2B", "+", "%20", "%00", "%0A", "%C3%A9", ""] {
            for name in ["from", "to"] {
                let errors = errors(&format!("{name}=2024-01-01{separator}00:00:00Z"));
                let found: Vec<_> = errors.iter().map(|error| error.parameter.as_str()).collect();
                assert_eq!(found, [name], "{separator:?}");
                assert!(errors[0].detail.starts_with("must be a time such as"), "{separator:?}");
            }
        }
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
