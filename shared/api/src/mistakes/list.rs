//! The mistakes of a list: its filters, sorts and expansions, and whether an index serves every choice.

use pagination::{Condition, Operator, Plan, Sort, Value};

use super::{Wrong, is_key, is_scalar, kind_of, twice};
use crate::handler::parameter_names;
use crate::handler::parameters::plain_text;
use crate::route::{Accepts, Access, Expansion, Filter, Kind, List, Place, Route, SortOption};

/// The number of filters of which every combination is tried. Of more, the first ones are.
const COMBINED: usize = 12;

pub(super) fn of_list(route: &'static Route, list: &'static List, wrong: &mut Wrong) {
    let resource = route.resource;
    for name in twice(parameter_names(list)) {
        wrong.add(format_args!("two parameters have the name `{name}`"));
    }
    for filter in list.filters {
        of_filter(route, filter, wrong);
    }
    wrong.unless(!list.sorts.is_empty(), "a list has at least one sort");
    for name in twice(list.sorts.iter().map(|sort| sort.name).collect()) {
        wrong.add(format_args!("two sorts have the name `{name}`"));
    }
    for SortOption { name, attribute, .. } in list.sorts {
        let kind = kind_of(resource.fields, attribute);
        wrong.unless(kind.is_some_and(is_scalar), format_args!("the sort `{name}` is by `{attribute}`, which is no field with an order"));
    }
    if let Access::Owner(owner) = route.access {
        let known = kind_of(resource.fields, owner).is_some() || is_key(resource, owner);
        wrong.unless(known, format_args!("the owner's attribute `{owner}` is neither a field nor a key"));
    }
    of_plans(route, list, wrong);
    for name in twice(list.expansions.iter().map(|expansion| expansion.name).collect()) {
        wrong.add(format_args!("two expansions have the name `{name}`"));
    }
    let within = list.expansions.iter().filter(|expansion| expansion.place != Place::Beside).count();
    wrong.unless(within <= 1, format_args!("{within} expansions lie within the items, and a request gets one of them"));
    for expansion in list.expansions {
        of_expansion(route, expansion, wrong);
    }
}

fn of_filter(route: &Route, filter: &Filter, wrong: &mut Wrong) {
    let Filter { parameter, attribute, accepts, about } = *filter;
    let plain = !parameter.is_empty() && parameter.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    wrong.unless(plain, format_args!("the parameter `{parameter}` has other characters than letters and digits"));
    wrong.unless(about.ends_with('.'), format_args!("the description of the parameter `{parameter}` is no sentence"));
    let Some(kind) = kind_of(route.resource.fields, attribute) else {
        return wrong.add(format_args!("the parameter `{parameter}` compares `{attribute}`, which is no field"));
    };
    let (fits, values) = match accepts {
        Accepts::Text | Accepts::OneOf(_) => (kind == Kind::Text, "texts"),
        Accepts::AtLeast | Accepts::AtMost | Accepts::Positive => (matches!(kind, Kind::Number | Kind::Integer), "numbers"),
        Accepts::From | Accepts::Before => (kind == Kind::Timestamp, "times"),
    };
    wrong.unless(fits, format_args!("the parameter `{parameter}` takes {values}, and `{attribute}` has none"));
    if let Accepts::OneOf(options) = accepts {
        wrong.unless(!options.is_empty(), format_args!("the parameter `{parameter}` has no valid value"));
        for option in options.iter().filter(|option| plain_text(option).is_err()) {
            wrong.add(format_args!("no caller can send the value `{option}` of the parameter `{parameter}`"));
        }
        for option in twice(options.to_vec()) {
            wrong.add(format_args!("the parameter `{parameter}` has the value `{option}` twice"));
        }
    }
}

/// Tries every combination of filters with every sort; of each sort, reports the smallest combination that no index serves.
fn of_plans(route: &'static Route, list: &'static List, wrong: &mut Wrong) {
    let table = &route.resource.table;
    let filters = &list.filters[..list.filters.len().min(COMBINED)];
    let mut choices: Vec<u32> = (0..1 << filters.len()).collect();
    choices.sort_by_key(|choice| choice.count_ones());
    let owner = match route.access {
        Access::Public => None,
        Access::Owner(attribute) => Some(attribute),
    };
    for sort in list.sorts {
        for choice in &choices {
            let chosen: Vec<_> = filters.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1).map(|(_, filter)| filter).collect();
            let mut conditions: Vec<_> = chosen.iter().map(|filter| condition(filter)).collect();
            conditions.extend(owner.map(|attribute| equal(attribute, "x")));
            let with = || match &*chosen {
                [] => "without filters".to_owned(),
                chosen => format!("with {}", chosen.iter().map(|filter| format!("`{}`", filter.parameter)).collect::<Vec<_>>().join(", ")),
            };
            match Plan::new(table, &conditions, Sort { attribute: sort.attribute, order: sort.order }, [], 1) {
                Err(_) => wrong.add(format_args!("no index serves the sort `{}` {}", sort.name, with())),
                Ok(plan) => {
                    let Some(owner) = owner.filter(|owner| !plan.index().partition_attributes().contains(owner)) else { continue };
                    let index = plan.index().name.unwrap_or("the table");
                    let sentence = format!("the sort `{}` {} reads other owners' items: {index} is not by `{owner}`", sort.name, with());
                    wrong.add(sentence);
                }
            }
            break;
        }
    }
}

/// Returns a condition as a request with the filter has it.
fn condition(filter: &Filter) -> Condition {
    let number = |operator, text: &str| Condition { attribute: filter.attribute, operator, value: Value::N(text.to_owned()) };
    let time = |operator| Condition { attribute: filter.attribute, operator, value: Value::S("2026-01-01T00:00:00.000Z".to_owned()) };
    match filter.accepts {
        Accepts::Text => equal(filter.attribute, "x"),
        Accepts::OneOf(options) => equal(filter.attribute, options.first().copied().unwrap_or_default()),
        Accepts::AtLeast | Accepts::Positive => number(Operator::AtLeast, "1"),
        Accepts::AtMost => number(Operator::AtMost, "9"),
        Accepts::From => time(Operator::AtLeast),
        Accepts::Before => time(Operator::AtMost),
    }
}

fn equal(attribute: &'static str, value: &str) -> Condition {
    Condition { attribute, operator: Operator::Equal, value: Value::S(value.to_owned()) }
}

fn of_expansion(route: &Route, expansion: &Expansion, wrong: &mut Wrong) {
    let Expansion { name, resource, fields, place, about } = *expansion;
    wrong.unless(about.ends_with('.'), format_args!("the description of the expansion `{name}` is no sentence"));
    wrong.unless(!name.is_empty() && !name.contains(','), format_args!("no caller can send the name of the expansion `{name}`"));
    wrong.unless(!fields.is_empty(), format_args!("the expansion `{name}` shows no field"));
    for field in fields.iter().filter(|field| kind_of(resource.fields, field).is_none()) {
        wrong.add(format_args!("the expansion `{name}` shows `{field}`, which is no field of {}", resource.name));
    }
    wrong.unless(
        resource.table.key.len() == 1,
        format_args!("the expansion `{name}` finds items of {} by one attribute, and their key has two", resource.name),
    );
    match place {
        Place::Beside => {
            wrong.unless(!["items", "page"].contains(&name), format_args!("a list already has a member `{name}`"));
            wrong.unless(route.access != Access::Public, format_args!("the expansion `{name}` is the list's owner, and it has none"));
        }
        Place::Within { join, member } => {
            let Some(Kind::Objects(members)) = kind_of(route.resource.fields, join.list) else {
                return wrong.add(format_args!("the expansion `{name}` lies in `{}`, which is no list of objects", join.list));
            };
            let key = kind_of(members, join.key) == Some(Kind::Text);
            wrong.unless(key, format_args!("the expansion `{name}` goes by `{}`, which is no text in `{}`", join.key, join.list));
            let free = kind_of(members, member).is_none();
            wrong.unless(free, format_args!("the expansion `{name}` is named `{member}`, as a member of `{}` is", join.list));
        }
    }
}
