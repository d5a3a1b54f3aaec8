//! Typed parameters: each is checked against the route's declaration, and all errors are reported
//! at once.

use pagination::{Condition, MAX_PARTITIONS, Predicate, Value};
use projection::{Field, Kind, Selection};

use crate::http::problem::ParameterError;
use crate::http::query_string::QueryString;
use crate::route::{
    Accepts, Filter, Limits, List, MAX_FRACTION_DIGITS, MAX_PAGED_ITEM, MAX_TEXT_CHARS,
    MAX_WHOLE_DIGITS, Resource, SortOption,
};
use crate::stored::{stored, stored_time};
use crate::timestamp;

/// Returns every query parameter that a list takes, filters first.
#[must_use]
pub fn parameter_names(list: &List) -> Vec<&'static str> {
    let filters = list.filters.iter().map(|filter| filter.parameter);
    let sort = (!list.sorts.is_empty()).then_some("sort");
    let expand = (!list.expansions.is_empty()).then_some("expand");
    filters.chain(sort).chain(["fields"]).chain(expand).chain(["limit", "cursor", "page"]).collect()
}

/// Reads the filters as conditions. A range whose ends are reversed is an error of its upper end;
/// one whose ends are equal is empty if the upper end does not belong to it.
pub(crate) fn conditions(
    query: &QueryString<'_>,
    resource: &Resource,
    filters: &'static [Filter],
    errors: &mut Vec<ParameterError>,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    // The lower ends of ranges: parameter, field, value.
    let mut lower: Vec<(&str, &str, Value)> = Vec::new();
    for filter in filters {
        let (Some(text), Some(field)) = (query.get(filter.parameter), resource.field(filter.field))
        else {
            continue;
        };
        match predicate(filter, field, text) {
            Ok((predicate, end)) => {
                if matches!(predicate, Predicate::AtLeast(_)) {
                    lower.extend(end.map(|end| (filter.parameter, filter.field, end)));
                } else if let Some((parameter, ..)) = lower.iter().find(|(_, name, low)| {
                    *name == filter.field && end.as_ref().is_some_and(|end| low.order(end).is_gt())
                }) {
                    errors.push(ParameterError::new(
                        filter.parameter,
                        format!("must not be less than `{parameter}`"),
                    ));
                }
                conditions.push(Condition { attribute: field.attribute(), predicate });
            }
            Err(error) => errors.push(error),
        }
    }
    conditions
}

/// Returns the test of a filter and, if it is the end of a range, the end as the caller gave it.
fn predicate(
    filter: &Filter,
    field: &Field,
    text: &str,
) -> Result<(Predicate, Option<Value>), ParameterError> {
    let wrong = |detail: String| ParameterError::new(filter.parameter, detail);
    let unknown =
        |text: &str, valid: &[&str]| ParameterError::unknown_value(filter.parameter, text, valid);
    let stored = |text: &str| stored(field, text.to_owned());
    let number_of = |text| number(text).map(stored).map_err(wrong);
    Ok(match filter.accepts {
        Accepts::Text => (Predicate::Equal(plain_text(text).map(stored).map_err(wrong)?), None),
        Accepts::Prefix => match plain_text(text).map(stored).map_err(wrong)? {
            Value::S(prefix) => (Predicate::BeginsWith(prefix), None),
            other => (Predicate::Equal(other), None),
        },
        Accepts::OneOf(options) => {
            let valid = |text| {
                if options.contains(&text) { Ok(stored(text)) } else { Err(unknown(text, options)) }
            };
            let mut values = Vec::new();
            for value in text.split(',').map(valid) {
                let value = value?;
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            (
                if values.len() == 1 {
                    Predicate::Equal(values.remove(0))
                } else {
                    Predicate::OneOf(values)
                },
                None,
            )
        }
        Accepts::Number => (Predicate::Equal(number_of(text)?), None),
        Accepts::Boolean if ["true", "false"].contains(&text) => {
            (Predicate::Equal(Value::Bool(text == "true")), None)
        }
        Accepts::AtLeast => {
            let low = number_of(text)?;
            (Predicate::AtLeast(low.clone()), Some(low))
        }
        Accepts::AtMost => {
            let high = number_of(text)?;
            (Predicate::AtMost(high.clone()), Some(high))
        }
        Accepts::From => {
            (Predicate::AtLeast(moment(field, text, false).map_err(wrong)?), instant(text))
        }
        Accepts::Before => {
            (Predicate::AtMost(moment(field, text, true).map_err(wrong)?), instant(text))
        }
        Accepts::Positive if text == "true" => (Predicate::AtLeast(Value::N("1".to_owned())), None),
        Accepts::Positive if text == "false" => (Predicate::AtMost(Value::N("0".to_owned())), None),
        Accepts::Boolean | Accepts::Positive => return Err(unknown(text, &["true", "false"])),
    })
}

/// Returns an error for each filter whose several values are partitions of a list that has too many.
/// `attributes` are the partition's.
pub(crate) fn too_many_values(
    resource: &Resource,
    filters: &[Filter],
    conditions: &[Condition],
    attributes: &[&str],
) -> Vec<ParameterError> {
    let several = |attribute: &str| {
        attributes.contains(&attribute)
            && conditions.iter().any(|condition| {
                condition.attribute == attribute
                    && matches!(condition.predicate, Predicate::OneOf(_))
            })
    };
    let filters = filters.iter().filter(|filter| {
        matches!(filter.accepts, Accepts::OneOf(_))
            && resource.field(filter.field).is_some_and(|field| several(field.attribute()))
    });
    let detail =
        format!("has too many values: the filters make more than {MAX_PARTITIONS} combinations");
    filters.map(|filter| ParameterError::new(filter.parameter, detail.clone())).collect()
}

/// Checks the value of a path parameter.
pub(crate) fn path_value(field: &Field, text: &str) -> Result<(), String> {
    match field.kind {
        Kind::Number | Kind::Integer => number(text).map(|_| ()),
        _ => plain_text(text).map(|_| ()),
    }
}

/// Checks that a text has 1 to [`MAX_TEXT_CHARS`] printable characters.
pub(crate) fn plain_text(text: &str) -> Result<&str, String> {
    let valid = !text.is_empty()
        && text.chars().count() <= MAX_TEXT_CHARS
        && !text.chars().any(char::is_control);
    if valid {
        Ok(text)
    } else {
        Err(format!("must have 1 to {MAX_TEXT_CHARS} printable characters"))
    }
}

/// Checks that a text is a decimal number of at most 38 digits, which is DynamoDB's limit.
fn number(text: &str) -> Result<&str, String> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() <= MAX_WHOLE_DIGITS && fraction.len() <= MAX_FRACTION_DIGITS;
    if digits(whole) && digits(fraction) && fits {
        Ok(text)
    } else {
        Err(format!(
            "must be a decimal number such as `10` or `9.99` (at most {MAX_WHOLE_DIGITS} digits before the point and {MAX_FRACTION_DIGITS} after it)"
        ))
    }
}

/// Reads a time, and returns the first stored time at or after it, or with `before` the last one
/// before it. This makes "at or after" and "before" exact, whatever the unit in which times are
/// stored.
fn moment(field: &Field, text: &str, before: bool) -> Result<Value, String> {
    timestamp::parse_date_or_time(text).and_then(|time| stored_time(field, time, before)).ok_or_else(|| {
        "must be a time such as `2026-01-31T00:00:00Z` (RFC 3339; write the `+` of an offset as `%2B`) or a date such as `2026-01-31` (its \
         midnight in UTC)"
            .to_owned()
    })
}

/// Returns a time as a number, for comparisons with others: what is stored can lack an order, as the
/// ends of what texts can hold do.
fn instant(text: &str) -> Option<Value> {
    let time = timestamp::parse_date_or_time(text)?;
    Some(Value::N(time.unix_timestamp_nanos().to_string()))
}

/// Reads `sort`; the first sort is the default, and `None` is the order of the index.
pub(crate) fn sort(
    query: &QueryString<'_>,
    sorts: &'static [SortOption],
    errors: &mut Vec<ParameterError>,
) -> Option<&'static SortOption> {
    let Some(name) = query.get("sort") else { return sorts.first() };
    let chosen = sorts.iter().find(|sort| sort.name == name);
    if chosen.is_none() {
        let names: Vec<_> = sorts.iter().map(|sort| sort.name).collect();
        errors.push(ParameterError::unknown_value("sort", name, &names));
    }
    chosen
}

/// Reads `fields`.
pub(crate) fn fields(
    query: &QueryString<'_>,
    fields: &'static [Field],
    default: Selection,
    errors: &mut Vec<ParameterError>,
) -> Selection {
    let Some(text) = query.get("fields") else { return default };
    Selection::parse(text, fields).unwrap_or_else(|wrong| {
        errors.extend(wrong.iter().map(|wrong| ParameterError {
            suggestion: wrong.nearest.map(str::to_owned),
            ..ParameterError::new("fields", wrong.to_string())
        }));
        default
    })
}

/// Reads `limit`, the number of items of a page.
pub(crate) fn limit(
    query: &QueryString<'_>,
    limits: Limits,
    errors: &mut Vec<ParameterError>,
) -> u32 {
    let Some(text) = query.get("limit") else { return limits.default() };
    whole_number(text).filter(|limit| (1..=limits.greatest()).contains(limit)).unwrap_or_else(
        || {
            errors.push(ParameterError::new(
                "limit",
                format!("must be a whole number from 1 to {}", limits.greatest()),
            ));
            limits.default()
        },
    )
}

/// Reads `page` and returns the number of items before it.
pub(crate) fn skipped_by_page(
    query: &QueryString<'_>,
    limit: u32,
    errors: &mut Vec<ParameterError>,
) -> Option<u32> {
    let text = query.get("page")?;
    if query.get("cursor").is_some() {
        errors.push(ParameterError::new("page", "cannot be combined with `cursor`"));
        return None;
    }
    let last = MAX_PAGED_ITEM / limit;
    let page = whole_number(text).filter(|page| (1..=last).contains(page));
    if page.is_none() {
        let detail = format!(
            "must be a whole number from 1 to {last} with `limit={limit}`; for later pages use `cursor` (see `page.next`)"
        );
        errors.push(ParameterError::new("page", detail));
    }
    page.map(|page| (page - 1) * limit)
}

fn whole_number(text: &str) -> Option<u32> {
    let plain =
        !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use projection::{Epoch, field};

    use super::*;
    use crate::route::{Policy, Table};

    #[test]
    fn times_become_milliseconds_of_utc() {
        let text =
            |value: Value| if let Value::S(text) = value { text } else { panic!("{value:?}") };
        let from = |time| moment(&FIELDS[0], time, false).map(text).ok();
        let before = |time| moment(&FIELDS[0], time, true).map(text).ok();
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

    #[test]
    fn a_number_in_a_path_is_a_number() {
        const TEXT: Field = field("name", Kind::Text, "");
        for kind in [Kind::Number, Kind::Integer] {
            let field = field("size", kind, "");
            assert_eq!(path_value(&field, "12"), Ok(()));
            for wrong in ["x", "", "1x", "NaN"] {
                assert!(path_value(&field, wrong).is_err(), "{wrong}");
            }
        }
        assert!(path_value(&TEXT, "x").is_ok() && path_value(&TEXT, "").is_err());
    }

    #[test]
    fn times_are_compared_in_the_unit_that_is_stored() {
        let ends = |field: usize, time| {
            [false, true].map(|before| moment(&FIELDS[field], time, before).unwrap())
        };
        let (n, s) =
            (|text: &str| Value::N(text.to_owned()), |text: &str| Value::S(text.to_owned()));
        assert_eq!(ends(1, "2024-01-01T00:00:00Z"), [n("1704067200"), n("1704067199")]);
        assert_eq!(ends(1, "2024-01-01T00:00:00.001Z"), [n("1704067201"), n("1704067200")]);
        assert_eq!(ends(1, "1969-12-31T23:59:59.5Z"), [n("0"), n("-1")]);
        assert_eq!(ends(2, "2024-01-01T00:00:00.0001Z"), [s("1704067200001"), s("1704067200000")]);
    }

    #[test]
    fn a_date_alone_is_its_midnight() {
        let same = |text| {
            moment(&FIELDS[0], text, false) == moment(&FIELDS[0], "2024-02-29T00:00:00Z", false)
        };
        assert!(same("2024-02-29") && same("2024-02-29T01:00:00+01:00"));
        for bad in ["2023-02-29", "2024-2-9", "2024-02-29 ", "20240229", "2024-02"] {
            assert!(moment(&FIELDS[0], bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_is_reversed_only_if_its_ends_are() {
        let errors = |raw: &str| {
            let mut errors = Vec::new();
            conditions(
                &QueryString::parse(raw, &["from", "to"], &mut errors),
                &THINGS,
                &PERIOD,
                &mut errors,
            );
            errors.len()
        };
        let day = "2024-01-02T00:00:00Z";
        for (to, wrong) in [
            ("2024-01-02T00:00:00Z", 0),
            ("2024-01-02", 0),
            ("2024-01-02T00:00:00.001Z", 0),
            ("2024-01-01T23:59:59.999Z", 1),
        ] {
            assert_eq!(errors(&format!("from={day}&to={to}")), wrong, "{to}");
        }
    }

    static FIELDS: [Field; 3] = [
        field("placedAt", Kind::Timestamp, ""),
        field("paidAt", Kind::Epoch(Epoch::Seconds), ""),
        field("sentAt", Kind::Epoch(Epoch::MillisecondsText), ""),
    ];
    static THINGS: Resource = Resource {
        name: "things",
        table_variable: "",
        table: Table { key: &["placedAt"], indexes: &[] },
        fixed: &[],
        fields: &FIELDS,
        summary: &["placedAt"],
        modified: None,
        policy: Policy::NoStore,
    };

    static PERIOD: [Filter; 2] = [
        Filter { parameter: "from", field: "placedAt", accepts: Accepts::From, about: "" },
        Filter { parameter: "to", field: "placedAt", accepts: Accepts::Before, about: "" },
    ];

    #[test]
    fn a_time_has_t_between_its_date_and_its_time() {
        let errors = |raw: &str| {
            let mut errors = Vec::new();
            let query = QueryString::parse(raw, &["from", "to"], &mut errors);
            conditions(&query, &THINGS, &PERIOD, &mut errors);
            errors
        };
        for separator in ["T", "t", "%54"] {
            assert_eq!(errors(&format!("from=2024-01-01{separator}00:00:00Z")), [], "{separator}");
        }
        for separator in
            ["x", "_", "0", "5", "-", ":", "%22", "%2B", "+", "%20", "%00", "%0A", "%C3%A9", ""]
        {
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
        for bad in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "NaN",
            "1,5",
            "0x10",
            "1 ",
            "123456789012345678901",
            "١",
        ] {
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
