//! Sample rows of a new resource: enough for a few pages, with ids that other samples use as well.

use super::name;
use super::resource::{Attribute, AttributeKind, NewResource};
use serde_json::{Map, Value, json};

/// The number of rows.
const ROWS: u32 = 20;
/// The number of values of an attribute that is not the id: several rows share each.
const VALUES: u32 = 4;

/// Returns the rows as JSON Lines. `authorId` has the values `author-1`, `author-2`, …, wherever it
/// stands.
pub(super) fn lines(resource: &NewResource) -> String {
    (1..=ROWS).map(|number| row(resource, number).to_string() + "\n").collect()
}

fn row(resource: &NewResource, number: u32) -> Value {
    let value = |attribute: &Attribute| match attribute.kind {
        AttributeKind::Text => {
            let own = attribute.name == resource.id();
            let number = if own { number } else { 1 + (number - 1) % VALUES };
            let words = name::words(attribute.name.strip_suffix("Id").unwrap_or(&attribute.name))
                .replace(' ', "-");
            json!(format!("{words}-{number}"))
        }
        AttributeKind::Number => json!(f64::from(number) * 2.5),
        AttributeKind::Timestamp => json!(format!("2024-01-{:02}T12:00:00.000Z", number)),
    };
    Value::Object(
        resource
            .fields()
            .into_iter()
            .map(|attribute| (attribute.name.clone(), value(attribute)))
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_lead_to_other_samples() {
        let index = ["byAuthor:authorId,publishedAt".to_owned()];
        let articles = lines(&NewResource::parse("articles", "articleId", &index).unwrap());
        assert_eq!(articles.lines().count(), 20);
        let last = r#"{"articleId":"article-20","authorId":"author-4","publishedAt":"2024-01-20T12:00:00.000Z"}"#;
        assert_eq!(articles.lines().last(), Some(last));
        let authors = lines(&NewResource::parse("authors", "authorId", &[]).unwrap());
        assert!(authors.starts_with("{\"authorId\":\"author-1\"}\n"));
    }
}
