//! The environment variables of the endpoint alone.

/// The choices of the environment: which documents are taken, and whether they may ask for the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// `GRAPHQL_INTROSPECTION`, `on` or `off` (unless set): may a query ask for the schema?
    pub introspection: bool,
    /// `GRAPHQL_DOCUMENTS`, `any` (unless set) or `trusted`: may a query be any document, or only
    /// one of those that are compiled in?
    pub any_document: bool,
}

impl Options {
    /// Reads the options through `variable`, which returns the value of an environment variable.
    ///
    /// # Errors
    /// Everything that is wrong, on one line.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let choice = |name: &str, usual: bool, values: [&str; 2]| match variable(name).as_deref() {
            None | Some("") => Ok(usual),
            Some(value) if value == values[0] => Ok(true),
            Some(value) if value == values[1] => Ok(false),
            Some(_) => Err(format!("{name} is neither `{}` nor `{}`", values[0], values[1])),
        };
        Ok(Self {
            introspection: choice("GRAPHQL_INTROSPECTION", false, ["on", "off"])?,
            any_document: choice("GRAPHQL_DOCUMENTS", true, ["any", "trusted"])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_off_and_what_is_wrong_is_named() {
        let read = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            Options::read(|name| set.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()))
        };
        let usual = Options { introspection: false, any_document: true };
        assert_eq!(read(&[]), Ok(usual));
        assert_eq!(read(&[("GRAPHQL_INTROSPECTION", ""), ("GRAPHQL_DOCUMENTS", "any")]), Ok(usual));
        assert_eq!(
            read(&[("GRAPHQL_INTROSPECTION", "on"), ("GRAPHQL_DOCUMENTS", "trusted")]),
            Ok(Options { introspection: true, any_document: false })
        );
        assert_eq!(
            read(&[("GRAPHQL_INTROSPECTION", "yes")]),
            Err("GRAPHQL_INTROSPECTION is neither `on` nor `off`".to_owned())
        );
    }
}
