//! One row of each resource that is there, so that examples name values that exist.

use crate::bundle::Bundle;
use crate::client;
use crate::failure::failure;
use crate::sample::Sample;
use crate::stack::Stack;
use anyhow::Result;
use api::{Kind, Resource};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use std::collections::HashMap;

/// The subject of tokens where no row names a caller.
const NOBODY: &str = "caller-1";

/// The texts of one row of each resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows(HashMap<&'static str, HashMap<String, String>>);

impl Rows {
    /// Takes the first row of each resource's sample.
    pub(crate) fn of_sample(bundle: &Bundle, sample: &Sample) -> Self {
        let texts = |row: Value| match row {
            Value::Object(members) => members
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect(),
            _ => HashMap::new(),
        };
        Self(
            bundle
                .resources
                .iter()
                .filter_map(|resource| Some((resource.name, texts(sample.rows(resource).next()?))))
                .collect(),
        )
    }

    /// Reads a row of each table: the first of the sample if it is there, else any.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn read(client: &Client, bundle: &Bundle, sample: &Sample) -> Result<Self> {
        let first = Self::of_sample(bundle, sample);
        let mut rows = HashMap::new();
        for of in bundle.stored()? {
            let name = of.table.local_name.as_str();
            let key = of.resource.table.key.iter().map(|key| {
                Some((
                    (*key).to_owned(),
                    AttributeValue::S(first.stored(of.resource, key)?.to_owned()),
                ))
            });
            let mut found = None;
            if let Some(key) = key.collect::<Option<_>>() {
                found = client
                    .get_item()
                    .table_name(name)
                    .set_key(Some(key))
                    .send()
                    .await
                    .map_err(|error| failure(&error, name))?
                    .item;
            }
            if found.is_none() {
                let any = client
                    .scan()
                    .table_name(name)
                    .limit(1)
                    .send()
                    .await
                    .map_err(|error| failure(&error, name))?;
                found = any.items.and_then(|items| items.into_iter().next());
            }
            if let Some(item) = found {
                let text = |(name, value)| match value {
                    AttributeValue::S(text) => Some((name, text)),
                    _ => None,
                };
                rows.insert(of.resource.name, item.into_iter().filter_map(text).collect());
            }
        }
        Ok(Self(rows))
    }

    /// Returns a field of the row of a resource, as callers see it, if it is a text.
    pub(crate) fn text(&self, resource: &Resource, name: &str) -> Option<&str> {
        match resource.field(name)?.kind {
            Kind::Prefixed { attribute, prefix } => {
                self.stored(resource, attribute)?.strip_prefix(prefix)
            }
            _ => self.stored(resource, name),
        }
    }

    fn stored(&self, resource: &Resource, attribute: &str) -> Option<&str> {
        self.0.get(resource.name)?.get(attribute).map(String::as_str)
    }

    /// Returns the id of a caller: of a resource whose key it is, else of any row that names one.
    pub(crate) fn caller(&self, bundle: &Bundle) -> &str {
        let Some(name) = bundle.caller_field() else { return NOBODY };
        let own = bundle.resources.iter().filter(|resource| resource.table.key == [name]);
        own.chain(bundle.resources).find_map(|resource| self.text(resource, name)).unwrap_or(NOBODY)
    }
}

/// Returns a caller of the stack that runs; of the sample if none does.
///
/// # Errors
/// If the template or the sample cannot be read, or the stack's database fails.
pub(crate) async fn caller() -> Result<String> {
    let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
    let rows = match Stack::running() {
        Some(stack) => Rows::read(&client::local(&stack.endpoint()), &bundle, &sample).await?,
        None => Rows::of_sample(&bundle, &sample),
    };
    Ok(rows.caller(&bundle).to_owned())
}

#[cfg(test)]
impl Rows {
    pub(crate) fn of(rows: &[(&'static str, &[(&str, &str)])]) -> Self {
        let texts = |texts: &[(&str, &str)]| {
            texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        Self(rows.iter().map(|(name, row)| (*name, texts(row))).collect())
    }
}
