//! The path of a new route: the one that follows from its resource, and the form of a given one.

use crate::bundle::Bundle;
use anyhow::{Context as _, Result, ensure};
use api::Resource;

/// Returns the fields that are the key of a resource.
pub(super) fn key_fields(resource: &'static Resource) -> impl Iterator<Item = &'static str> {
    let key = resource.table.key.iter();
    key.filter_map(|key| resource.fields.iter().find(|field| field.attribute() == *key))
        .map(|field| field.name)
}

/// Returns `/v1/articles`, `/v1/articles/{articleId}` or, below the resource whose key comes first,
/// `/v1/authors/{authorId}/articles`.
pub(super) fn of(
    resource: &'static Resource,
    list: bool,
    owner: Option<&str>,
    bundle: &Bundle,
) -> Result<String> {
    let key: Vec<_> = key_fields(resource).collect();
    let first = if list { owner } else { key.first().copied().filter(|_| key.len() > 1) };
    let mut path = "/v1".to_owned();
    if let Some(first) = first {
        let of = bundle.resources.iter().find(|other| other.table.key == [first]);
        let of = of.with_context(|| {
            format!("--path is required: no resource has the key {first} alone")
        })?;
        path += &format!("/{}/{{{first}}}", of.name);
    }
    path += &format!("/{}", resource.name);
    if !list {
        path += &key
            .iter()
            .filter(|name| Some(**name) != first)
            .map(|name| format!("/{{{name}}}"))
            .collect::<String>();
    }
    Ok(path)
}

/// Checks that a path begins with a slash, and that its segments are plain or `{FIELD}`.
pub(super) fn check(path: &str) -> Result<()> {
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let parameter = |segment: &str| {
        segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')).map(str::to_owned)
    };
    let segments =
        path.strip_prefix('/').with_context(|| format!("{path}: a path begins with a slash"))?;
    let mut names = Vec::new();
    for segment in segments.split('/') {
        let name = parameter(segment);
        ensure!(
            is_plain(segment) || name.is_some(),
            "{path}: a segment is small letters, digits and hyphens, or {{FIELD}}"
        );
        if let Some(name) = name {
            ensure!(!names.contains(&name), "{path}: {{{name}}} is there twice");
            names.push(name);
        }
    }
    Ok(())
}
