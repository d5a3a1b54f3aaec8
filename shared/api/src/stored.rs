//! Fields as tables store them: the attribute and the value behind what callers see and send.

use pagination::{Condition, Value};
use projection::{Epoch, Field, Kind, attribute_in, field};
use time::OffsetDateTime;

use crate::route::Resource;
use crate::timestamp;

impl Resource {
    /// Returns the field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns `true` if each of the resource's items has the attribute, because it is a field's or
    /// fixed. For assertions at compile time.
    #[must_use]
    pub const fn holds(&self, attribute: &str) -> bool {
        let mut i = 0;
        while i < self.fixed.len() {
            if attribute_in(&[field(self.fixed[i].0, Kind::Text, "")], attribute) {
                return true;
            }
            i += 1;
        }
        attribute_in(self.fields, attribute)
    }

    /// Returns the conditions that tell the resource's items from others in the same table. `given`
    /// are attributes with an equality: they need no other condition.
    pub(crate) fn conditions(&self, given: &[Condition]) -> Vec<Condition> {
        let prefixes = self.fields.iter().filter_map(|field| match field.kind {
            Kind::Prefixed { attribute, prefix } => Some(Condition::begins_with(attribute, prefix)),
            _ => None,
        });
        let fixed = self
            .fixed
            .iter()
            .map(|(attribute, text)| Condition::equal(attribute, Value::S((*text).to_owned())));
        fixed
            .chain(prefixes)
            .filter(|condition| given.iter().all(|given| given.attribute != condition.attribute))
            .collect()
    }

    /// Returns those of the [`conditions`](Self::conditions) that a primary key does not show: an
    /// item that was read by its key can be one of another resource.
    pub(crate) fn conditions_beside_key(&self) -> Vec<Condition> {
        let mut conditions = self.conditions(&[]);
        conditions.retain(|condition| !self.table.key.contains(&condition.attribute));
        conditions
    }

    /// Returns the primary key of the item whose fields have the values that `value` returns;
    /// `None` if one is missing.
    pub(crate) fn key(
        &self,
        value: impl Fn(&'static Field) -> Option<String>,
    ) -> Option<Vec<Value>> {
        let part = |attribute: &&'static str| {
            if let Some((_, text)) = self.fixed.iter().find(|(name, _)| name == attribute) {
                return Some(Value::S((*text).to_owned()));
            }
            let field = self.fields.iter().find(|field| field.attribute() == *attribute)?;
            Some(stored(field, value(field)?))
        };
        self.table.key.iter().map(part).collect()
    }
}

/// Returns the value that a table stores for a field whose value callers see as `text`.
pub(crate) fn stored(field: &Field, text: String) -> Value {
    match field.kind {
        Kind::Number | Kind::Integer => Value::N(text),
        Kind::Boolean => Value::Bool(text == "true"),
        Kind::Prefixed { prefix, .. } => Value::S(format!("{prefix}{text}")),
        _ => Value::S(text),
    }
}

/// Returns the stored form of the first time at or after `time` that the field can hold, or with
/// `before` of the last one before it. `None` for a time outside of the years 0 to 9999.
pub(crate) fn stored_time(field: &Field, time: OffsetDateTime, before: bool) -> Option<Value> {
    let unit = match field.kind {
        Kind::Epoch(epoch) => epoch.nanoseconds(),
        _ => 1_000_000,
    };
    let nanoseconds = time.unix_timestamp_nanos();
    let ticks = nanoseconds.div_euclid(unit) + i128::from(nanoseconds.rem_euclid(unit) > 0)
        - i128::from(before);
    match field.kind {
        Kind::Epoch(epoch) if epoch.is_text() => Some(Value::S(digits(ticks, epoch))),
        Kind::Epoch(_) => Some(Value::N(ticks.to_string())),
        _ => OffsetDateTime::from_unix_timestamp_nanos(ticks * unit)
            .ok()
            .and_then(timestamp::format)
            .map(Value::S),
    }
}

/// Returns the text to compare with stored texts of the epoch, which all have the same number of
/// digits. A time that has fewer gets zeros before them. One that no such text can hold becomes a
/// text before or after all of them.
fn digits(ticks: i128, epoch: Epoch) -> String {
    let width = epoch.digits();
    let text = format!("{ticks:0>width$}");
    match ticks {
        ..0 => "-".to_owned(),
        _ if text.len() > width => ":".to_owned(),
        _ => text,
    }
}

/// Returns a stored time in RFC 3339.
pub(crate) fn shown_time(field: &Field, stored: &Value) -> Option<String> {
    let (Value::S(text) | Value::N(text)) = stored else { return None };
    match field.kind {
        Kind::Epoch(epoch) => epoch.shown(text),
        _ => Some(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_stored_in_the_type_of_its_field() {
        let of = |kind, text: &str| stored(&field("a", kind, ""), text.to_owned());
        let s = |text: &str| Value::S(text.to_owned());
        assert_eq!(of(Kind::Integer, "12"), Value::N("12".to_owned()));
        assert_eq!(of(Kind::Boolean, "true"), Value::Bool(true));
        assert_eq!(of(Kind::Boolean, "false"), Value::Bool(false));
        assert_eq!(of(Kind::Text, "true"), s("true"));
        assert_eq!(of(Kind::Prefixed { attribute: "PK", prefix: "U#" }, "1"), s("U#1"));
    }

    /// Texts are compared as DynamoDB compares them: by their bytes.
    #[test]
    fn times_outside_of_a_text_s_digits_lie_before_or_after_all_stored_ones() {
        let time = |text| timestamp::parse_date_or_time(text).unwrap();
        let stored = |epoch, text| {
            stored_time(&field("at", Kind::Epoch(epoch), ""), time(text), false).unwrap()
        };
        for epoch in [Epoch::SecondsText, Epoch::MillisecondsText] {
            let times = [
                "1960-01-01",
                "1970-01-01",
                "2000-01-01",
                "2001-09-10",
                "2024-01-01",
                "2286-11-20",
                "2286-11-21",
            ];
            for pair in times.map(|text| stored(epoch, text)).windows(2) {
                assert!(pair[0].order(&pair[1]).is_lt(), "{pair:?}");
            }
            // The order of what lies outside does not matter, but neither end may pass the other.
            assert_eq!(stored(epoch, "1950-01-01"), stored(epoch, "1960-01-01"));
            assert_eq!(stored(epoch, "2300-01-01"), stored(epoch, "9999-01-01"));
        }
        assert_eq!(stored(Epoch::SecondsText, "2000-01-01"), Value::S("0946684800".to_owned()));
    }
}
