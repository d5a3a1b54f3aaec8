//! Names of the schema, made of the names of routes and resources.

/// Returns the field of a route: its name without the verb, such as `userOrders` for
/// `list-user-orders`.
pub(crate) fn field_of_route(name: &str) -> String {
    let noun = name.strip_prefix("list-").or_else(|| name.strip_prefix("get-")).unwrap_or(name);
    camel(noun)
}

/// Returns the type of a resource: the singular of its name, such as `OrderLine` for `order-lines`.
pub(crate) fn type_of(plural: &str) -> String {
    pascal(&singular(plural))
}

/// Returns words in camel case: `orderLines`.
pub(crate) fn camel(words: &str) -> String {
    let mut name = pascal(words);
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// Returns words in Pascal case: `OrderLines`.
pub(crate) fn pascal(words: &str) -> String {
    let mut name = String::with_capacity(words.len());
    for word in words.split(['-', '_', '.', ' ']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Returns the singular of an English plural by its ending.
pub(crate) fn singular(plural: &str) -> String {
    for (ending, replacement) in [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch")] {
        if let Some(stem) = plural.strip_suffix(ending) {
            return format!("{stem}{replacement}");
        }
    }
    match plural.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

/// Returns true if GraphQL takes a text as a name
/// ([Name](https://spec.graphql.org/October2021/#Name)) that is not kept for introspection.
pub(crate) fn is_name(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
        && !text.starts_with("__")
}

/// Returns true if a text can be the value of an enum.
pub(crate) fn is_enum_value(text: &str) -> bool {
    is_name(text) && !["true", "false", "null"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_routes_and_resources() {
        assert_eq!(field_of_route("list-user-orders"), "userOrders");
        assert_eq!(field_of_route("get-user"), "user");
        for (plural, name) in [
            ("products", "Product"),
            ("order-lines", "OrderLine"),
            ("categories", "Category"),
            ("boxes", "Box"),
            ("addresses", "Address"),
            ("dimensions", "Dimension"),
            ("news", "New"),
            ("staff", "Staff"),
        ] {
            assert_eq!(type_of(plural), name);
        }
    }

    #[test]
    fn a_name_has_letters_digits_and_underscores() {
        assert!(is_name("price_asc") && is_name("_x") && is_enum_value("paid"));
        for other in ["", "1x", "a-b", "a.b", "é", "__type"] {
            assert!(!is_name(other), "{other}");
        }
        assert!(!is_enum_value("true"));
    }
}
