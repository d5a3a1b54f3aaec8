//! The mistakes of a resource: its name, table, fields, key and indexes.

use projection::attribute_in;

use super::{Wrong, is_scalar, kind_of, twice};
use crate::route::{Field, Index, Kind, Projects, Resource};

/// The number of attributes that an index can INCLUDE, and the number over all indexes of a table
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-secondary-indexes)).
const INCLUDED: (usize, usize) = (20, 100);
/// The environment variables that have another meaning.
const TAKEN: [&str; 6] = [
    "CATALOG_SHARDS",
    "CURSOR_SECRET",
    "CURSOR_SECRET_PREVIOUS",
    "LOG_LEVEL",
    "READ_ANY_SCOPE",
    "SERVER_TIMING",
];

pub(super) fn of_resource(resource: &Resource, wrong: &mut Wrong) {
    let Resource { name, table_variable, table, fields, summary, modified, .. } = *resource;
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    wrong.unless(plain(name), "the name of a resource has letters, digits, `-` and `_`");
    let variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    wrong.unless(
        !table_variable.is_empty()
            && table_variable.chars().all(variable)
            && !TAKEN.contains(&table_variable),
        format_args!("`{table_variable}` cannot be the variable of a table"),
    );
    of_fields(fields, wrong);
    for attribute in twice(fields.iter().map(Field::attribute).collect()) {
        wrong.add(format_args!("two fields are in the attribute `{attribute}`"));
    }
    for (attribute, text) in resource.fixed {
        wrong.unless(
            !text.is_empty(),
            format_args!("the fixed attribute `{attribute}` has an empty text"),
        );
        wrong.unless(
            !attribute_in(fields, attribute),
            format_args!("the attribute `{attribute}` is fixed and a field's"),
        );
    }
    for key in table.key {
        let fixed = resource.fixed.iter().any(|(attribute, _)| attribute == key);
        match fields.iter().find(|field| field.attribute() == *key) {
            Some(field) => {
                wrong.unless(
                    is_scalar(field.kind),
                    format_args!("the key attribute `{key}` is no text, number or time"),
                );
                wrong.unless(
                    summary.contains(&field.name),
                    format_args!("the summary lacks `{}`, which is in the key", field.name),
                );
            }
            None => wrong.unless(
                fixed,
                format_args!("the key attribute `{key}` is neither a field's nor fixed"),
            ),
        }
    }
    for name in summary {
        wrong.unless(
            kind_of(fields, name).is_some(),
            format_args!("the summary's `{name}` is no field"),
        );
    }
    for name in twice(summary.to_vec()) {
        wrong.add(format_args!("the summary names `{name}` twice"));
    }
    if let Some(name) = modified {
        let time = matches!(kind_of(fields, name), Some(Kind::Timestamp | Kind::Epoch(_)));
        wrong.unless(time, format_args!("`modified` is `{name}`, which is no field with a time"));
    }
    for mistake in table.mistakes() {
        wrong.add(mistake);
    }
    let names: Vec<_> = table.indexes.iter().filter_map(|index| index.name).collect();
    for name in twice(names) {
        wrong.add(format_args!("two indexes have the name {name}"));
    }
    let included: Vec<_> =
        table.indexes.iter().map(|index| (index, included(resource, index))).collect();
    for (index, count) in &included {
        let name = index.name.unwrap_or("the table itself");
        wrong.unless(
            *count <= INCLUDED.0,
            format_args!("{name} projects {count} attributes, and DynamoDB takes {}", INCLUDED.0),
        );
    }
    let count: usize = included.iter().map(|(_, count)| count).sum();
    wrong.unless(
        count <= INCLUDED.1,
        format_args!(
            "the indexes project {count} attributes, and DynamoDB takes {} a table",
            INCLUDED.1
        ),
    );
}

/// Returns the number of attributes that the index names in addition to the keys.
fn included(resource: &Resource, index: &Index) -> usize {
    match index.projects {
        Projects::All => 0,
        Projects::Attributes(names) => names
            .iter()
            .filter(|name| !index.is_key(name) && !resource.table.key.contains(name))
            .count(),
    }
}

/// Two resources in one table have the same keys and indexes, and something that tells their items
/// apart.
pub(super) fn of_shared_table(resource: &Resource, other: &Resource, wrong: &mut Wrong) {
    let with = format_args!("{}, with which it shares {}", other.name, resource.table_variable);
    wrong.unless(
        resource.table.key == other.table.key,
        format_args!("its key is not that of {with}"),
    );
    let marks = |resource: &Resource| {
        let prefixes = resource.fields.iter().filter_map(|field| match field.kind {
            Kind::Prefixed { attribute, prefix } => Some((attribute, prefix, true)),
            _ => None,
        });
        resource
            .fixed
            .iter()
            .map(|(attribute, text)| (*attribute, *text, false))
            .chain(prefixes)
            .collect::<Vec<_>>()
    };
    let apart = marks(resource).iter().any(|(attribute, text, is_prefix)| {
        marks(other).iter().any(|(same, other, other_is_prefix)| {
            let both = (*is_prefix && other.starts_with(text))
                || (*other_is_prefix && text.starts_with(other))
                || text == other;
            attribute == same && !both
        })
    });
    wrong.unless(apart, format_args!("nothing tells its items from those of {with}: give them another prefix or a fixed attribute"));
}

fn of_fields(fields: &[Field], wrong: &mut Wrong) {
    for name in twice(fields.iter().map(|field| field.name).collect()) {
        wrong.add(format_args!("two fields have the name `{name}`"));
    }
    for Field { name, kind, about } in fields {
        let writable = |c: char| !c.is_control() && !c.is_whitespace() && !",.()".contains(c);
        wrong.unless(
            !name.is_empty() && name.chars().all(writable),
            format_args!("no caller can write the field's name `{name}`"),
        );
        wrong.unless(
            about.ends_with('.'),
            format_args!("the description of the field `{name}` is no sentence"),
        );
        if let Some(members) = kind.members() {
            wrong.unless(!members.is_empty(), format_args!("the field `{name}` has no members"));
            of_fields(members, wrong);
            for member in
                members.iter().filter(|member| matches!(member.kind, Kind::Prefixed { .. }))
            {
                wrong.add(format_args!(
                    "the member `{}` of `{name}` has a prefix, which only fields of the top level can have",
                    member.name
                ));
            }
        }
    }
}
