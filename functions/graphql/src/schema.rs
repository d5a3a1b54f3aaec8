//! The schema as async-graphql knows it: for validation, introspection and `schema.graphql`.
//!
//! Its resolvers return nothing. The answer is written by [`answer`](crate::answer) in the order of
//! the document, with every number digit for digit, which a tree of values would not keep.

use async_graphql::{
    Value,
    dynamic::{
        Enum, EnumItem, Field, FieldFuture, InputValue, Object, Scalar, Schema, SchemaError,
        TypeRef,
    },
};

use crate::graph::{Argument, Graph, Member, Of, Root, Takes};
use crate::limits::{MAX_DIRECTIVES, MAX_INTROSPECTION_DEPTH, MAX_RECURSION, MAX_SELECTIONS};

/// Builds the schema of a graph.
pub(crate) fn build(graph: &Graph) -> Result<Schema, SchemaError> {
    let mut builder = Schema::build("Query", None, None)
        // A second line behind `limits`, which tells queries of the schema from others.
        .limit_depth(MAX_INTROSPECTION_DEPTH)
        .limit_complexity(MAX_SELECTIONS)
        .limit_directives(MAX_DIRECTIVES)
        .limit_recursive_depth(MAX_RECURSION);
    for (name, about) in [
        (
            "Decimal",
            "A decimal number of up to 38 digits. As an argument also a string, which keeps every digit.",
        ),
        ("Long", "An integer of 64 bits and more."),
        (
            "DateTime",
            "A time such as `2026-01-31T00:00:00Z` (RFC 3339). As an argument also a date, `2026-01-31`: its midnight in UTC.",
        ),
    ] {
        let scalar = Scalar::new(name).description(about);
        builder = builder.register(match name {
            "DateTime" => scalar.validator(|value| matches!(value, Value::String(_))),
            _ => scalar.validator(|value| matches!(value, Value::Number(_) | Value::String(_))),
        });
    }
    for enumeration in &graph.enums {
        let items = enumeration.values.iter().map(|(name, about)| {
            let item = EnumItem::new(*name);
            if about.is_empty() { item } else { item.description(sentence(about)) }
        });
        builder = builder.register(Enum::new(&enumeration.name).items(items));
    }
    for object in &graph.objects {
        let fields = object.members.iter().map(|member| self::member(graph, member));
        builder = builder.register(fields.fold(Object::new(&object.name), Object::field));
    }
    let page_info = [
        ("hasNextPage", TypeRef::named_nn("Boolean"), "True if a page follows."),
        ("hasPreviousPage", TypeRef::named_nn("Boolean"), "True if a page is before this one."),
        ("startCursor", TypeRef::named("String"), "The cursor for `before`."),
        ("endCursor", TypeRef::named("String"), "The cursor for `after`."),
    ];
    if graph.roots.iter().any(|root| root.route.is_list()) {
        let about = "The place of a page in its list (https://relay.dev/graphql/connections.htm).";
        let fields = page_info.into_iter().map(|(name, of, about)| field(name, of, about));
        let object = Object::new("PageInfo").description(about);
        builder = builder.register(fields.fold(object, Object::field));
    }
    for root in graph.roots.iter().filter(|root| root.route.is_list()) {
        let (connection, edge) = connection(graph, root);
        builder = builder.register(connection).register(edge);
    }
    let query = graph.roots.iter().map(|root| of_route(graph, root, &root.name, false));
    builder.register(query.fold(Object::new("Query"), Object::field)).finish()
}

fn connection(graph: &Graph, root: &Root) -> (Object, Object) {
    let (connection, edge) = (&root.connection, format!("{}Edge", root.connection));
    let node = &graph.objects[root.item].name;
    let edges =
        field("edges", TypeRef::named_nn_list_nn(&edge), "The items, each with its cursor.");
    let mut object = Object::new(format!("{connection}Connection"))
        .description(format!("A page of the list `{}`.", root.name))
        .field(edges)
        .field(field("pageInfo", TypeRef::named_nn("PageInfo"), "The place of the page."));
    for (expansion, of) in &root.next_to_items {
        let of = TypeRef::named(&graph.objects[*of].name);
        object = object.field(field(expansion.name, of, expansion.about));
    }
    if root.may_be_partial {
        let about = "The expansions that are not complete, with commas between them: with the page's first item they have more than an answer can hold, or more than can be read in time.";
        object = object.field(field("partialExpansion", TypeRef::named("String"), about));
    }
    let edge = Object::new(edge)
        .description("An item with its cursor.")
        .field(field("cursor", TypeRef::named_nn("String"), "The cursor of the item's place."))
        .field(field("node", TypeRef::named_nn(node), "The item."));
    (object, edge)
}

fn member(graph: &Graph, member: &Member) -> Field {
    let of = match member.of {
        Of::Leaf(scalar) => TypeRef::named(scalar),
        Of::Texts => TypeRef::named_nn_list("String"),
        Of::One(object) => TypeRef::named(&graph.objects[object].name),
        Of::Many(object) => TypeRef::named_nn_list(&graph.objects[object].name),
        Of::Route(root) => return of_route(graph, &graph.roots[root], member.name, true),
    };
    field(member.name, of, member.about)
}

/// Returns the field of a route; within an item, the item gives the values of the path that it has.
fn of_route(graph: &Graph, root: &Root, name: &str, is_nested: bool) -> Field {
    let of = if root.route.is_list() {
        TypeRef::named(format!("{}Connection", root.connection))
    } else {
        TypeRef::named(&graph.objects[root.item].name)
    };
    let given = if is_nested { graph.given(root) } else { Vec::new() };
    let taken = |argument: &&Argument| !(argument.in_path && given.contains(&argument.name));
    let arguments = root.arguments.iter().filter(taken).map(|argument| {
        let of = match argument.takes {
            Takes::Scalar(scalar) if argument.in_path => TypeRef::named_nn(scalar),
            Takes::Scalar(scalar) => TypeRef::named(scalar),
            Takes::Enum(number) => TypeRef::named(&graph.enums[number].name),
            Takes::Enums(number) => TypeRef::named_nn_list(&graph.enums[number].name),
        };
        let input = InputValue::new(argument.name, of).description(&argument.about);
        match argument.default {
            Some(default) => input.default_value(default),
            None => input,
        }
    });
    arguments.fold(field(name, of, root.route.about), Field::argument)
}

fn field(name: &str, of: TypeRef, about: &str) -> Field {
    Field::new(name, of, |_| FieldFuture::Value(None)).description(about)
}

/// Begins with a capital and ends with a full stop.
fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
