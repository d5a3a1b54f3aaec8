//! The mistakes of a list: its filters, sorts and expansions, and whether an index serves every
//! choice.

use pagination::{Condition, Order, Plan, PlanError, Predicate, Sort, Value};

use super::{Wrong, is_scalar, kind_of, owner, twice};
use crate::handler::parameter_names;
use crate::handler::parameters::plain_text;
use crate::route::{
    Accepts, Access, Expansion, Field, Filter, Kind, List, Place, Policy, Resource, Route,
    SortOption,
};
use crate::stored::stored;

/// The number of filters of which every combination is tried. Of more, the first ones are.
const COMBINED: usize = 12;

/// The most values of IN in a filter of DynamoDB
/// ([reference](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html)).
const MAX_OPTIONS: usize = 100;

pub(super) fn of_list(route: &'static Route, list: &'static List, wrong: &mut Wrong) {
    let resource = route.resource;
    for name in twice(parameter_names(list)) {
        wrong.add(format_args!("two parameters have the name `{name}`"));
    }
    for filter in list.filters {
        of_filter(route, filter, wrong);
    }
    for name in twice(list.sorts.iter().map(|sort| sort.name).collect()) {
        wrong.add(format_args!("two sorts have the name `{name}`"));
    }
    for SortOption { name, field, .. } in list.sorts {
        let kind = kind_of(resource.fields, field);
        wrong.unless(
            kind.is_some_and(is_scalar),
            format_args!("the sort `{name}` is by `{field}`, which is no field with an order"),
        );
    }
    of_plans(route, list, wrong);
    for name in twice(list.expansions.iter().map(|expansion| expansion.name).collect()) {
        wrong.add(format_args!("two expansions have the name `{name}`"));
    }
    let within =
        list.expansions.iter().filter(|expansion| expansion.place != Place::NextToItems).count();
    wrong.unless(
        within <= 1,
        format_args!("{within} expansions lie within the items, and a request gets one of them"),
    );
    for expansion in list.expansions {
        of_expansion(route, expansion, wrong);
    }
}

fn of_filter(route: &Route, filter: &Filter, wrong: &mut Wrong) {
    let Filter { parameter, field, accepts, about } = *filter;
    let plain =
        !parameter.is_empty() && parameter.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    wrong.unless(
        plain,
        format_args!("the parameter `{parameter}` has other characters than letters and digits"),
    );
    wrong.unless(
        about.ends_with('.'),
        format_args!("the description of the parameter `{parameter}` is no sentence"),
    );
    let Some(kind) = kind_of(route.resource.fields, field) else {
        return wrong.add(format_args!(
            "the parameter `{parameter}` compares `{field}`, which is no field"
        ));
    };
    let (fits, values) = match accepts {
        Accepts::Text | Accepts::Prefix | Accepts::OneOf(_) => {
            (matches!(kind, Kind::Text | Kind::Prefixed { .. }), "texts")
        }
        Accepts::Boolean => (kind == Kind::Boolean, "booleans"),
        Accepts::Number | Accepts::AtLeast | Accepts::AtMost | Accepts::Positive => {
            (matches!(kind, Kind::Number | Kind::Integer), "numbers")
        }
        Accepts::From | Accepts::Before => {
            (matches!(kind, Kind::Timestamp | Kind::Epoch(_)), "times")
        }
    };
    wrong.unless(
        fits,
        format_args!("the parameter `{parameter}` takes {values}, and `{field}` has none"),
    );
    if let Accepts::OneOf(options) = accepts {
        wrong.unless(
            !options.is_empty(),
            format_args!("the parameter `{parameter}` has no valid value"),
        );
        wrong.unless(
            options.len() <= MAX_OPTIONS,
            format_args!("the parameter `{parameter}` has more than {MAX_OPTIONS} valid values"),
        );
        for option in
            options.iter().filter(|option| plain_text(option).is_err() || option.contains(','))
        {
            wrong.add(format_args!(
                "no caller can send the value `{option}` of the parameter `{parameter}`"
            ));
        }
        for option in twice(options.to_vec()) {
            wrong.add(format_args!("the parameter `{parameter}` has the value `{option}` twice"));
        }
    }
}

/// Tries every combination of filters with every sort; of each sort, reports the smallest
/// combination that no index serves.
fn of_plans(route: &'static Route, list: &'static List, wrong: &mut Wrong) {
    let resource = route.resource;
    let filters = &list.filters[..list.filters.len().min(COMBINED)];
    let mut choices: Vec<u32> = (0..1 << filters.len()).collect();
    choices.sort_by_key(|choice| choice.count_ones());
    let owner = owner(route).and_then(|name| resource.field(name)).map(Field::attribute);
    // Those of every request: the path, the owner, and what tells the resource's items from others.
    let given = route
        .parameters()
        .filter_map(|name| resource.field(name))
        .map(Field::attribute)
        .chain(owner);
    let mut always: Vec<_> =
        given.map(|attribute| Condition::equal(attribute, text("x"))).collect();
    always.dedup();
    always.extend(resource.conditions(&always));
    let offered: Vec<_> = match list.sorts {
        [] => vec![("of the index", None)],
        sorts => sorts
            .iter()
            .map(|sort| (sort.name, resource.field(sort.field).map(Field::attribute)))
            .collect(),
    };
    for (sort, attribute) in offered {
        let by = Sort { attribute, order: Order::Ascending };
        for choice in &choices {
            let chosen: Vec<_> = filters
                .iter()
                .enumerate()
                .filter(|(i, _)| choice >> i & 1 == 1)
                .map(|(_, filter)| filter)
                .collect();
            // The number of values matters: each on a partition attribute is a partition to merge.
            let tried =
                [(1, ""), (2, ", two values at once"), (usize::MAX, ", all values at once")];
            let mistake = tried.into_iter().find_map(|(values, such)| {
                let filters =
                    chosen.iter().filter_map(|filter| condition(resource, filter, values));
                let conditions: Vec<_> = always.iter().cloned().chain(filters).collect();
                let sort = format!("the sort `{sort}` {}{such}", with(&chosen));
                match Plan::new(&resource.table, &conditions, by, [], 1) {
                    // A caller gets a 400 that says so.
                    Err(PlanError::TooManyPartitions { .. }) => None,
                    Err(_) => Some(format!("no index serves {sort}")),
                    Ok(plan) => owner
                        .filter(|owner| !plan.index().partition_attributes().contains(owner))
                        .map(|owner| {
                            let index = plan.index().name.unwrap_or("the table");
                            format!("{sort} reads other owners' items: {index} is not by `{owner}`")
                        }),
                }
            });
            if let Some(mistake) = mistake {
                wrong.add(format_args!("{mistake}"));
                break;
            }
        }
    }
}

fn with(filters: &[&Filter]) -> String {
    if filters.is_empty() {
        return "without filters".to_owned();
    }
    let names: Vec<_> = filters.iter().map(|filter| format!("`{}`", filter.parameter)).collect();
    format!("with {}", names.join(", "))
}

/// Returns a condition as a request with the filter has it, with at most so many `values`. The plan
/// depends on no other property of the values.
fn condition(resource: &Resource, filter: &Filter, values: usize) -> Option<Condition> {
    let field = resource.field(filter.field)?;
    let number = |text: &str| Value::N(text.to_owned());
    let time = || text("2026-01-01T00:00:00.000Z");
    let predicate = match filter.accepts {
        Accepts::Text => Predicate::Equal(stored(field, "x".to_owned())),
        Accepts::Prefix => Predicate::BeginsWith("x".to_owned()),
        Accepts::OneOf(options) => {
            let options = options.iter().take(values);
            let mut options: Vec<_> =
                options.map(|option| stored(field, (*option).to_owned())).collect();
            if options.len() == 1 {
                Predicate::Equal(options.remove(0))
            } else {
                Predicate::OneOf(options)
            }
        }
        Accepts::Boolean => Predicate::Equal(Value::Bool(true)),
        Accepts::Number => Predicate::Equal(number("1")),
        Accepts::AtLeast | Accepts::Positive => Predicate::AtLeast(number("1")),
        Accepts::AtMost => Predicate::AtMost(number("9")),
        Accepts::From => Predicate::AtLeast(time()),
        Accepts::Before => Predicate::AtMost(time()),
    };
    Some(Condition { attribute: field.attribute(), predicate })
}

fn text(text: &str) -> Value {
    Value::S(text.to_owned())
}

fn of_expansion(route: &Route, expansion: &Expansion, wrong: &mut Wrong) {
    let Expansion { name, resource, fields, place, about } = *expansion;
    wrong.unless(
        about.ends_with('.'),
        format_args!("the description of the expansion `{name}` is no sentence"),
    );
    wrong.unless(
        !name.is_empty() && !name.contains(','),
        format_args!("no caller can send the name of the expansion `{name}`"),
    );
    wrong.unless(!fields.is_empty(), format_args!("the expansion `{name}` shows no field"));
    for field in fields.iter().filter(|field| kind_of(resource.fields, field).is_none()) {
        wrong.add(format_args!(
            "the expansion `{name}` shows `{field}`, which is no field of {}",
            resource.name
        ));
    }
    if route.access == Access::Public {
        let shared = matches!(resource.policy, Policy::Public { .. });
        wrong.unless(
            shared,
            format_args!("the list is public, and the expansion `{name}` shows {}, whose cache policy is private", resource.name),
        );
    }
    let open = resource
        .table
        .key
        .iter()
        .filter(|key| resource.fixed.iter().all(|(attribute, _)| attribute != *key));
    let open: Vec<_> = open
        .filter_map(|key| resource.fields.iter().find(|field| field.attribute() == *key))
        .collect();
    match place {
        Place::NextToItems => {
            wrong.unless(
                !["items", "page"].contains(&name),
                format_args!("a list already has a member `{name}`"),
            );
            for field in open {
                let given = owner(route) == Some(field.name)
                    || route.parameters().any(|name| name == field.name);
                wrong.unless(
                    given,
                    format_args!("the expansion `{name}` needs `{}`, which neither the path nor the owner gives", field.name),
                );
            }
        }
        Place::Within { join, member } => {
            let by = format_args!(
                "the expansion `{name}` finds items of {} by one field, and their key has {}",
                resource.name,
                open.len()
            );
            wrong.unless(open.len() == 1, by);
            for field in open
                .iter()
                .filter(|field| !matches!(field.kind, Kind::Text | Kind::Prefixed { .. }))
            {
                wrong.add(format_args!(
                    "the expansion `{name}` finds items of {} by a text, and `{}` is none",
                    resource.name, field.name
                ));
            }
            let Some(Kind::Objects(members)) = kind_of(route.resource.fields, join.list) else {
                return wrong.add(format_args!(
                    "the expansion `{name}` lies in `{}`, which is no list of objects",
                    join.list
                ));
            };
            let key = kind_of(members, join.key) == Some(Kind::Text);
            wrong.unless(
                key,
                format_args!(
                    "the expansion `{name}` goes by `{}`, which is no text in `{}`",
                    join.key, join.list
                ),
            );
            let free = kind_of(members, member).is_none();
            wrong.unless(
                free,
                format_args!(
                    "the expansion `{name}` is named `{member}`, as a member of `{}` is",
                    join.list
                ),
            );
        }
    }
}
