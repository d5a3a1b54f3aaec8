//! The sample rows: `samples/NAME.jsonl`, grown to a volume that has many pages.
//!
//! The rows are loaded 40 times. The first copy is the files as they are. In copy *k* (from 2),
//! every text under the name of a key attribute of any resource, at any depth, ends in `-k`, so a
//! row leads to the rows of its own copy; and every declared time is *k* − 1 weeks later. All else
//! is the same, also what is fixed in the rows of a resource. A resource whose key has no text that
//! changes has one copy.

use crate::timestamp;
use anyhow::{Context as _, Result};
use api::{Field, Kind, Resource};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

/// The number of copies of the rows.
pub const COPIES: u32 = 40;
/// The distance of the timestamps of two copies.
const STEP_SECONDS: i64 = 7 * 24 * 3_600;

/// The rows of a bundle's resources.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    resources: &'static [&'static Resource],
    /// The lines of each resource, in the order of the resources.
    lines: Vec<Vec<String>>,
}

impl Sample {
    /// Reads `NAME.jsonl` for each resource from a folder; a file that is not there has no rows.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn read(folder: &Path, resources: &'static [&'static Resource]) -> Result<Self> {
        let read = |resource: &&Resource| {
            let file = folder.join(format!("{}.jsonl", resource.name));
            match std::fs::read_to_string(&file) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                text => Ok(text
                    .with_context(|| format!("cannot read {}", crate::workspace::shown(&file)))?
                    .lines()
                    .map(str::to_owned)
                    .collect()),
            }
        };
        Ok(Self { resources, lines: resources.iter().map(read).collect::<Result<_>>()? })
    }

    /// Takes the lines of each resource from a function.
    pub fn of(
        resources: &'static [&'static Resource],
        lines: impl Fn(&Resource) -> Vec<String>,
    ) -> Self {
        Self { resources, lines: resources.iter().map(|resource| lines(resource)).collect() }
    }

    /// Reads the workspace's own samples.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn of_workspace() -> Result<Self> {
        Self::read(&crate::workspace::root().join("samples"), model::RESOURCES)
    }

    /// Returns the rows of a resource, as the file has them. A line that is not JSON is left out.
    pub fn rows(&self, resource: &Resource) -> impl Iterator<Item = Value> {
        self.lines(resource).iter().filter_map(|line| serde_json::from_str(line).ok())
    }

    /// Returns all copies of the rows of a resource, as JSON Lines; the first copy is the file's
    /// text.
    pub fn grown(&self, resource: &'static Resource) -> impl Iterator<Item = String> {
        let mut keys: BTreeSet<_> =
            self.resources.iter().flat_map(|resource| resource.table.key).copied().collect();
        keys.retain(|key| resource.fixed.iter().all(|(name, _)| name != key));
        let copies = (2..=COPIES).flat_map(move |copy| {
            let keys = keys.clone();
            self.rows(resource).filter_map(move |mut row| {
                let key = resource
                    .table
                    .key
                    .iter()
                    .any(|name| keys.contains(name) && row[*name].is_string());
                move_object(row.as_object_mut().filter(|_| key)?, resource.fields, &keys, copy);
                Some(row.to_string())
            })
        });
        self.lines(resource).iter().cloned().chain(copies)
    }

    fn lines(&self, resource: &Resource) -> &[String] {
        let index = self.resources.iter().position(|other| other.name == resource.name);
        index.and_then(|index| self.lines.get(index)).map_or(&[], Vec::as_slice)
    }
}

fn move_object(
    object: &mut Map<String, Value>,
    fields: &[Field],
    keys: &BTreeSet<&str>,
    copy: u32,
) {
    for (name, value) in object {
        let kind = fields.iter().find(|field| field.name == name).map(|field| field.kind);
        match value {
            Value::String(text) if kind == Some(Kind::Timestamp) => {
                *text = timestamp::later(text, i64::from(copy - 1) * STEP_SECONDS)
                    .unwrap_or_else(|| text.clone());
            }
            value if matches!(kind, Some(Kind::Epoch(_))) => move_ticks(value, kind, copy),
            Value::String(text) if keys.contains(name.as_str()) => {
                text.push_str(&format!("-{copy}"))
            }
            value => {
                move_value(value, kind.and_then(Kind::members).unwrap_or_default(), keys, copy)
            }
        }
    }
}

fn move_ticks(value: &mut Value, kind: Option<Kind>, copy: u32) {
    let Some(Kind::Epoch(epoch)) = kind else { return };
    let step =
        i128::from(copy - 1) * i128::from(STEP_SECONDS) * 1_000_000_000 / epoch.nanoseconds();
    let moved = |ticks: i64| i64::try_from(i128::from(ticks) + step).unwrap_or(ticks);
    *value = match &*value {
        Value::String(text) => text
            .parse()
            .map_or_else(|_| Value::from(text.as_str()), |ticks| moved(ticks).to_string().into()),
        number => number.as_i64().map_or_else(|| number.clone(), |ticks| moved(ticks).into()),
    };
}

fn move_value(value: &mut Value, fields: &[Field], keys: &BTreeSet<&str>, copy: u32) {
    match value {
        Value::Object(object) => move_object(object, fields, keys, copy),
        Value::Array(values) => {
            values.iter_mut().for_each(|value| move_value(value, fields, keys, copy))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_copy_has_keys_and_times_of_its_own() {
        let keys = BTreeSet::from(["productId", "userId", "orderId"]);
        let mut order = json!({
            "orderId": "o-1", "userId": "u-1", "placedAt": "2024-01-01T00:00:00.000Z", "status": "paid", "total": 1.5,
            "items": [{ "productId": "p-1", "quantity": 2 }], "hidden": { "orderId": "o-9", "placedAt": "then" },
        });
        let fields = shop::ORDERS.fields;
        move_object(order.as_object_mut().unwrap(), fields, &keys, 3);
        let moved = json!({
            "orderId": "o-1-3", "userId": "u-1-3", "placedAt": "2024-01-15T00:00:00.000Z", "status": "paid", "total": 1.5,
            "items": [{ "productId": "p-1-3", "quantity": 2 }], "hidden": { "orderId": "o-9-3", "placedAt": "then" },
        });
        assert_eq!(order, moved);
    }

    #[test]
    fn a_time_since_1970_moves_by_its_own_unit() {
        let kind = |epoch| Some(Kind::Epoch(epoch));
        let moved = |mut value: Value, epoch| {
            move_ticks(&mut value, kind(epoch), 2);
            value
        };
        assert_eq!(moved(json!(1_704_067_200), api::Epoch::Seconds), json!(1_704_672_000));
        assert_eq!(
            moved(json!("1704067200000"), api::Epoch::MillisecondsText),
            json!("1704672000000")
        );
        assert_eq!(moved(json!("then"), api::Epoch::SecondsText), json!("then"));
    }

    #[test]
    fn the_first_copy_is_the_file() {
        let folder = std::env::temp_dir().join(format!("sample-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("users.jsonl"),
            "{\"userId\":\"u-1\",  \"n\":1.0}\n{\"userId\":7}\n",
        )
        .unwrap();
        let sample = Sample::read(&folder, shop::RESOURCES).unwrap();
        let rows: Vec<_> = sample.grown(&shop::USERS).collect();
        assert_eq!(rows.len(), 2 + 39, "a key that is no text has one copy");
        assert_eq!(
            rows[..3],
            [
                "{\"userId\":\"u-1\",  \"n\":1.0}",
                "{\"userId\":7}",
                "{\"userId\":\"u-1-2\",\"n\":1.0}"
            ]
        );
        assert_eq!(sample.grown(&shop::ORDERS).count(), 0, "a file that is not there has no rows");
    }
}
