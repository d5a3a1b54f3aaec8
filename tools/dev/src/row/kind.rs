//! Checks that values are of the kinds that their fields declare, at every level, and brings times
//! into the tables' form.

use super::text::short;
use crate::attribute::{Item, is_whole};
use crate::timestamp;
use api::{Epoch, Field, Kind, Resource};
use aws_sdk_dynamodb::types::AttributeValue;

/// Checks the declared members of an item or a nested object. The error names the member's path.
pub(super) fn check(members: &mut Item, fields: &[Field]) -> Result<(), String> {
    at(members, fields, "")
}

/// Returns the form that times of an attribute must have, if a text is not of it: DynamoDB compares
/// them as texts, so another form sorts in the wrong place.
pub(super) fn other_form(resource: &Resource, name: &str, text: &str) -> Option<String> {
    let field = resource.fields.iter().find(|field| field.name == name)?;
    match field.kind {
        Kind::Timestamp if !timestamp::is_time(text) => {
            Some("UTC time with milliseconds".to_owned())
        }
        Kind::Epoch(epoch) if epoch.is_text() && !has_digits(epoch, text) => {
            Some(format!("time of {} digits", epoch.digits()))
        }
        _ => None,
    }
}

fn has_digits(epoch: Epoch, text: &str) -> bool {
    text.len() == epoch.digits() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn at(members: &mut Item, fields: &[Field], path: &str) -> Result<(), String> {
    for field in fields {
        if let Some(value) = members.get_mut(field.attribute()) {
            one(value, field.kind, &format!("{path}{}", field.attribute()))?;
        }
    }
    Ok(())
}

fn one(value: &mut AttributeValue, kind: Kind, path: &str) -> Result<(), String> {
    use AttributeValue::{Bool, L, M, N, Null, S};
    let wanted = match (kind, value) {
        (_, Null(_)) => return Err(format!("`{path}` is null: leave it out")),
        (Kind::Timestamp, S(text)) => {
            let time = timestamp::normalized(text);
            *text = time.ok_or_else(|| {
                format!(
                    "`{path}` is `{}`, not a time of RFC 3339 like 2024-01-31T09:30:00Z",
                    short(text)
                )
            })?;
            return Ok(());
        }
        (Kind::Epoch(epoch), S(text)) if epoch.is_text() && has_digits(epoch, text) => {
            return Ok(());
        }
        (Kind::Epoch(epoch), N(text)) if !epoch.is_text() && epoch.shown(text).is_some() => {
            return Ok(());
        }
        (Kind::Prefixed { prefix, .. }, S(text))
            if text.strip_prefix(prefix).is_none_or(str::is_empty) =>
        {
            return Err(format!(
                "`{path}` is `{}`, which is not `{prefix}` and a text",
                short(text)
            ));
        }
        (Kind::Text | Kind::Prefixed { .. }, S(_))
        | (Kind::Number, N(_))
        | (Kind::Boolean, Bool(_)) => return Ok(()),
        (Kind::Integer, N(text)) if is_whole(text) => return Ok(()),
        (Kind::Texts, L(values)) => {
            return values.iter_mut().enumerate().try_for_each(|(index, value)| {
                one(value, Kind::Text, &format!("{path}[{index}]"))
            });
        }
        (Kind::Object(fields), M(members)) => return at(members, fields, &format!("{path}.")),
        (Kind::Objects(fields), L(values)) => {
            let mut elements = values.iter_mut().enumerate();
            return elements.try_for_each(|(index, value)| {
                one(value, Kind::Object(fields), &format!("{path}[{index}]"))
            });
        }
        (Kind::Text | Kind::Timestamp | Kind::Prefixed { .. }, _) => "string",
        (Kind::Epoch(epoch), _) => match (epoch.is_text(), epoch.nanoseconds()) {
            (true, 1_000_000) => "string of whole milliseconds since 1970 in 13 digits",
            (true, _) => "string of whole seconds since 1970 in 10 digits",
            (false, 1_000_000) => "number of whole milliseconds since 1970",
            (false, _) => "number of whole seconds since 1970",
        },
        (Kind::Number, _) => "number",
        (Kind::Integer, _) => "whole number",
        (Kind::Boolean, _) => "boolean",
        (Kind::Texts, _) => "list of strings",
        (Kind::Object(_), _) => "object",
        (Kind::Objects(_), _) => "list of objects",
    };
    Err(format!("`{path}` is no {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute;

    const FIELDS: &[Field] = &[
        api::field("name", Kind::Text, ""),
        api::field("rating", Kind::Number, ""),
        api::field("pages", Kind::Integer, ""),
        api::field("free", Kind::Boolean, ""),
        api::field("seenAt", Kind::Timestamp, ""),
        api::field("madeAt", Kind::Epoch(Epoch::Seconds), ""),
        api::field("soldAt", Kind::Epoch(Epoch::SecondsText), ""),
        api::field("id", Kind::Prefixed { attribute: "PK", prefix: "BOOK#" }, ""),
        api::field("tags", Kind::Texts, ""),
        api::field("size", Kind::Object(&[api::field("width", Kind::Number, "")]), ""),
        api::field("parts", Kind::Objects(&[api::field("readAt", Kind::Timestamp, "")]), ""),
    ];

    fn checked(text: &str) -> Result<Item, String> {
        let mut item = attribute::item(serde_json::from_str(text).unwrap()).unwrap();
        check(&mut item, FIELDS).map(|()| item)
    }

    #[test]
    fn a_value_of_another_kind_is_named_by_its_path() {
        for (text, reason) in [
            (r#"{"name":5}"#, "`name` is no string"),
            (r#"{"name":null}"#, "`name` is null: leave it out"),
            (r#"{"rating":"high"}"#, "`rating` is no number"),
            (r#"{"pages":1.5}"#, "`pages` is no whole number"),
            (r#"{"free":"yes"}"#, "`free` is no boolean"),
            (r#"{"seenAt":5}"#, "`seenAt` is no string"),
            (
                r#"{"seenAt":"yesterday"}"#,
                "`seenAt` is `yesterday`, not a time of RFC 3339 like 2024-01-31T09:30:00Z",
            ),
            (r#"{"madeAt":"1704067200"}"#, "`madeAt` is no number of whole seconds since 1970"),
            (r#"{"madeAt":1704067200.5}"#, "`madeAt` is no number of whole seconds since 1970"),
            (
                r#"{"soldAt":"946684800"}"#,
                "`soldAt` is no string of whole seconds since 1970 in 10 digits",
            ),
            (
                r#"{"soldAt":"+170406720"}"#,
                "`soldAt` is no string of whole seconds since 1970 in 10 digits",
            ),
            (r#"{"PK":"AUTHOR#1"}"#, "`PK` is `AUTHOR#1`, which is not `BOOK#` and a text"),
            (r#"{"PK":"BOOK#"}"#, "`PK` is `BOOK#`, which is not `BOOK#` and a text"),
            (r#"{"tags":"a"}"#, "`tags` is no list of strings"),
            (r#"{"tags":["a",1]}"#, "`tags[1]` is no string"),
            (r#"{"size":[]}"#, "`size` is no object"),
            (r#"{"size":{"width":"1"}}"#, "`size.width` is no number"),
            (r#"{"parts":{}}"#, "`parts` is no list of objects"),
            (
                r#"{"parts":[{},{"readAt":""}]}"#,
                "`parts[1].readAt` is ``, not a time of RFC 3339 like 2024-01-31T09:30:00Z",
            ),
        ] {
            assert_eq!(checked(text).unwrap_err(), reason);
        }
    }

    #[test]
    fn a_time_in_another_form_sorts_in_the_wrong_place() {
        let resource = Resource { fields: FIELDS, ..shop::USERS };
        for (name, text, form) in [
            ("seenAt", "2024-01-01T00:00:00Z", Some("UTC time with milliseconds")),
            ("seenAt", "2024-01-01T00:00:00.000Z", None),
            ("soldAt", "946684800", Some("time of 10 digits")),
            ("soldAt", "0946684800", None),
            ("name", "2024", None),
        ] {
            assert_eq!(other_form(&resource, name, text).as_deref(), form, "{name} {text}");
        }
    }

    #[test]
    fn what_is_hidden_or_left_out_is_not_checked() {
        assert!(checked(r#"{"size":{"depth":"deep"},"hidden":null,"id":7}"#).is_ok());
        assert!(checked(r#"{"PK":"BOOK#1","madeAt":1704067200,"soldAt":"0946684800"}"#).is_ok());
    }

    #[test]
    fn times_become_the_form_of_the_tables_at_every_level() {
        let item = checked(r#"{"seenAt":"2024-01-01T01:00:00+01:00","parts":[{"readAt":"2024-01-01t00:00:00.12z"}]}"#).unwrap();
        assert_eq!(item["seenAt"], AttributeValue::S("2024-01-01T00:00:00.000Z".to_owned()));
        let part = item["parts"].as_l().unwrap()[0].as_m().unwrap();
        assert_eq!(part["readAt"], AttributeValue::S("2024-01-01T00:00:00.120Z".to_owned()));
    }
}
