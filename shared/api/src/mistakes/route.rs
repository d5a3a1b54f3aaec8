//! The mistakes of a route: its name, path, access and, of one item, its key.

use super::{Wrong, kind_of, list, owner, twice};
use crate::route::{Access, Kind, Policy, Resource, Route, Shape, parameter};

pub(super) fn of_route(route: &'static Route, resources: &[&'static Resource], wrong: &mut Wrong) {
    let Route { name, path, about, resource, access, .. } = *route;
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    wrong.unless(
        !name.is_empty() && name.chars().all(kebab),
        "the name of a route has small letters, digits and `-`",
    );
    wrong.unless(about.ends_with('.'), "the description of a route is a sentence");
    for read in route.resources() {
        let declared = resources.iter().any(|resource| resource.name == read.name);
        wrong.unless(
            declared,
            format_args!("the resource {} is not among the bundle's resources", read.name),
        );
    }
    if access != Access::Public {
        let kept = matches!(resource.policy, Policy::Public { .. });
        wrong.unless(
            !kept,
            format_args!(
                "the cache policy of {} is public, so shared caches would keep a caller's own data",
                resource.name
            ),
        );
    }

    let literal = |segment: &str| {
        !segment.is_empty()
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    let segments = path.strip_prefix('/').map(|path| path.split('/'));
    let readable = segments.is_some_and(|mut segments| {
        segments.all(|segment| {
            parameter(segment).is_some_and(|name| !name.is_empty()) || literal(segment)
        })
    });
    wrong.unless(
        readable,
        format_args!("the path {path} is not made of words and parameters such as `{{name}}`"),
    );
    for name in twice(route.parameters().collect()) {
        wrong.add(format_args!("the path {path} has the parameter `{name}` twice"));
    }
    for name in route.parameters() {
        match kind_of(resource.fields, name) {
            None => wrong.add(format_args!(
                "the path's parameter `{name}` is no field of {}",
                resource.name
            )),
            Some(Kind::Text | Kind::Number | Kind::Integer | Kind::Prefixed { .. }) => {}
            Some(_) => {
                wrong.add(format_args!("the path's parameter `{name}` is no text or number"))
            }
        }
    }
    if let Access::Owner { field, claim } = access {
        let text =
            matches!(kind_of(resource.fields, field), Some(Kind::Text | Kind::Prefixed { .. }));
        wrong.unless(
            text,
            format_args!("the owner's field `{field}` is no text field of {}", resource.name),
        );
        wrong.unless(!claim.is_empty(), "the claim that names the owner has no name");
    }
    if let Access::Scope(scope) = access {
        let word = !scope.is_empty()
            && scope.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~') && c != ',');
        wrong.unless(
            word,
            format_args!("`{scope}` is no scope (RFC 6749, section 3.3, without a comma)"),
        );
    }
    match &route.shape {
        Shape::One => of_item(route, wrong),
        Shape::List(declared) => list::of_list(route, declared, wrong),
    }
}

/// The path, the owner and the fixed attributes give the item's key, and the path has nothing more.
fn of_item(route: &'static Route, wrong: &mut Wrong) {
    let Route { path, resource, .. } = *route;
    let owner = owner(route);
    for key in resource
        .table
        .key
        .iter()
        .filter(|key| resource.fixed.iter().all(|(attribute, _)| attribute != *key))
    {
        let Some(field) = resource.fields.iter().find(|field| field.attribute() == *key) else {
            continue;
        };
        let given = owner == Some(field.name) || route.parameters().any(|name| name == field.name);
        wrong.unless(
            given,
            format_args!(
                "the path {path} does not give `{}`, which is in the item's key",
                field.name
            ),
        );
    }
    for name in route.parameters() {
        let used = resource
            .field(name)
            .is_none_or(|field| resource.table.key.contains(&field.attribute()));
        wrong.unless(used, format_args!("the path's parameter `{name}` is not in the item's key, so every value would give the same item"));
    }
}
