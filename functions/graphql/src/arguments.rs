//! The arguments of a list: its filters, its sort, and the place of a page.

use api::{Accepts, Filter, List};

use crate::graph::{Argument, Graph, Takes};
use crate::names::{camel, is_enum_value, is_name, pascal};

/// The names of the arguments of every list that are not parameters of its route.
pub(crate) const FIRST: &str = "first";
pub(crate) const AFTER: &str = "after";
pub(crate) const LAST: &str = "last";
pub(crate) const BEFORE: &str = "before";

impl Graph {
    /// Adds the arguments of a list; their enums are types of the graph.
    pub(crate) fn list_arguments(
        &mut self,
        arguments: &mut Vec<Argument>,
        list: &'static List,
        type_name: &str,
        root: &str,
    ) {
        let plain = |name, takes, about: String| Argument {
            name,
            about,
            takes,
            in_path: false,
            default: None,
        };
        for filter in list.filters.iter().filter(|filter| is_name(filter.parameter)) {
            let takes = match filter.accepts {
                Accepts::OneOf(options) if options.iter().all(|option| is_enum_value(option)) => {
                    let values = options.iter().map(|option| (*option, "")).collect();
                    let names = enum_names(type_name, root, filter.parameter);
                    Takes::Enums(self.enumeration(&names, values))
                }
                _ => Takes::Scalar(scalar(filter)),
            };
            arguments.push(plain(filter.parameter, takes, filter.about.to_owned()));
        }
        if !list.sorts.is_empty() {
            let values: Vec<_> = list.sorts.iter().map(|sort| (sort.name, sort.about)).collect();
            let takes = if values.iter().all(|(name, _)| is_enum_value(name)) {
                Takes::Enum(self.enumeration(&enum_names(type_name, root, "sort"), values))
            } else {
                Takes::Scalar("String")
            };
            let about = format!("The order; `{}` if left out.", list.sorts[0].name);
            arguments.push(plain("sort", takes, about));
        }
        let (usual, most) = (list.limits.default(), list.limits.greatest());
        for (name, takes, about) in [
            (FIRST, "Int", format!("The number of items, 1 to {most}; {usual} if left out.")),
            (AFTER, "String", "The cursor after which the page begins.".to_owned()),
            (LAST, "Int", format!("The number of items at the end, 1 to {most}.")),
            (BEFORE, "String", "The cursor before which the page ends.".to_owned()),
        ] {
            // A filter of the same name stays.
            if arguments.iter().all(|argument| argument.name != name) {
                arguments.push(plain(name, Takes::Scalar(takes), about));
            }
        }
    }
}

fn enum_names(type_name: &str, root: &str, parameter: &str) -> [String; 2] {
    let parameter = pascal(parameter);
    [format!("{type_name}{parameter}"), format!("{}{parameter}", pascal(&camel(root)))]
}

fn scalar(filter: &Filter) -> &'static str {
    match filter.accepts {
        Accepts::Text | Accepts::Prefix | Accepts::OneOf(_) => "String",
        Accepts::Number | Accepts::AtLeast | Accepts::AtMost => "Decimal",
        Accepts::Boolean | Accepts::Positive => "Boolean",
        Accepts::From | Accepts::Before => "DateTime",
    }
}
