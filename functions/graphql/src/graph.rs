//! The types and fields of the schema, made of the declarations of the routes.
//!
//! Each route is a field of the query. A route below the path of another one that shows a single
//! item is also a field of that item: `user { orders }` for `/v1/users/{userId}/orders`.

use api::{Access, Expansion, Field, Kind, Place, Route, Shape};

use crate::names::{field_of_route, is_name, pascal, singular, type_of};

/// Everything that a query can name.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) objects: Vec<Object>,
    pub(crate) enums: Vec<Enumeration>,
    pub(crate) roots: Vec<Root>,
}

/// An object type of items or of a part of them.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) of: Of,
}

/// The kind of value of a field. An index is that of the type in [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// A scalar, by its name.
    Leaf(&'static str),
    /// A list of strings.
    Texts,
    One(usize),
    Many(usize),
    /// A route that takes the values of its path from the item around it.
    Route(usize),
}

/// An enum type: the names, each with the text that the route takes and a description.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enumeration {
    pub(crate) name: String,
    pub(crate) values: Vec<(&'static str, &'static str)>,
}

/// A route as a field.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) name: String,
    pub(crate) route: &'static Route,
    pub(crate) arguments: Vec<Argument>,
    /// The type of the items.
    pub(crate) item: usize,
    /// The name before `Connection` and `Edge`.
    pub(crate) connection: String,
    /// The expansions that stand once in the connection, each with its type.
    pub(crate) next_to_items: Vec<(&'static Expansion, usize)>,
    /// True if an expansion within the items can be cut.
    pub(crate) may_be_partial: bool,
}

/// An argument of a route.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) takes: Takes,
    /// True if it is a value of the path and not a parameter.
    pub(crate) in_path: bool,
    /// The value if it is left out.
    pub(crate) default: Option<&'static str>,
}

/// The values of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Scalar(&'static str),
    Enum(usize),
    /// One value of an enum or several.
    Enums(usize),
}

impl Graph {
    /// Makes the graph of the routes. A name that GraphQL does not take is left out.
    pub(crate) fn new(routes: &[&'static Route]) -> Self {
        let mut graph = Self::default();
        // Items by their own path come first, because their types have the fields of other routes.
        let mut ordered: Vec<_> = routes.to_vec();
        ordered.sort_by_key(|route| route.is_list());
        let below = |outer: &Route| {
            let prefix = format!("{}/", outer.path);
            ordered.iter().enumerate().filter(move |(_, route)| route.path.starts_with(&prefix))
        };
        for route in &ordered {
            let type_name = type_of(route.resource.name);
            let nested: Vec<_> = match route.shape {
                Shape::One => below(route)
                    // Only the nearest item takes it.
                    .filter(|(_, inner)| {
                        nearest(inner, &ordered).is_some_and(|outer| outer.path == route.path)
                    })
                    .map(|(number, inner)| Member {
                        name: last_segment(inner),
                        about: inner.about,
                        of: Of::Route(number),
                    })
                    .collect(),
                Shape::List(_) => Vec::new(),
            };
            let candidates = [type_name.clone(), pascal(&format!("{}-item", route.name))];
            let item = graph.object(&candidates, within(route), nested);
            let root = graph.root(route, item, &type_name);
            graph.roots.push(root);
        }
        graph
    }

    /// Returns the values of a route's path that the item around it has.
    pub(crate) fn given(&self, root: &Root) -> Vec<&'static str> {
        let routes: Vec<_> = self.roots.iter().map(|root| root.route).collect();
        nearest(root.route, &routes).map_or_else(Vec::new, |outer| outer.parameters().collect())
    }

    /// Returns the index of the type of these fields, made if there is none: the first of the names
    /// that no other type has.
    fn object(&mut self, names: &[String], fields: &[Field], more: Vec<Member>) -> usize {
        let first = names.first().cloned().unwrap_or_default();
        let mut members = Vec::with_capacity(fields.len() + more.len());
        for field in fields.iter().filter(|field| is_name(field.name)) {
            let below = |name: &str| vec![format!("{first}{}", pascal(name))];
            let of = match field.kind {
                Kind::Text | Kind::Prefixed { .. } => Of::Leaf("String"),
                Kind::Number => Of::Leaf("Decimal"),
                Kind::Integer => Of::Leaf("Long"),
                Kind::Boolean => Of::Leaf("Boolean"),
                Kind::Timestamp | Kind::Epoch(_) => Of::Leaf("DateTime"),
                Kind::Texts => Of::Texts,
                Kind::Object(members) => Of::One(self.object(&below(field.name), members, vec![])),
                Kind::Objects(members) => {
                    Of::Many(self.object(&below(&singular(field.name)), members, vec![]))
                }
            };
            members.push(Member { name: field.name, about: field.about, of });
        }
        let taken = |name: &str| fields.iter().any(|field| field.name == name);
        members
            .extend(more.into_iter().filter(|member| is_name(member.name) && !taken(member.name)));
        let mut number = 1;
        let mut names = names.to_vec();
        loop {
            for name in &names {
                match self.objects.iter().position(|object| object.name == *name) {
                    Some(known) if self.objects[known].members == members => return known,
                    Some(_) => {}
                    None => {
                        self.objects.push(Object { name: name.clone(), members });
                        return self.objects.len() - 1;
                    }
                }
            }
            number += 1;
            names = vec![format!("{first}{number}")];
        }
    }

    pub(crate) fn enumeration(
        &mut self,
        names: &[String],
        values: Vec<(&'static str, &'static str)>,
    ) -> usize {
        for name in names {
            match self.enums.iter().position(|known| known.name == *name) {
                Some(known) if self.enums[known].values == values => return known,
                Some(_) => {}
                None => {
                    self.enums.push(Enumeration { name: name.clone(), values });
                    return self.enums.len() - 1;
                }
            }
        }
        // The last name is that of the route and the parameter, which is unique.
        self.enums.len().saturating_sub(1)
    }

    fn root(&mut self, route: &'static Route, item: usize, type_name: &str) -> Root {
        let name = field_of_route(route.name);
        let owner = match route.access {
            Access::Owner { field, .. } => Some(field),
            _ => None,
        };
        let mut arguments: Vec<_> = route
            .parameters()
            .map(|parameter| Argument {
                name: parameter,
                about: match route.resource.field(parameter) {
                    Some(field) if owner == Some(parameter) => {
                        format!("{} `me` stands for the caller.", field.about)
                    }
                    Some(field) => field.about.to_owned(),
                    None => String::new(),
                },
                takes: Takes::Scalar("String"),
                in_path: true,
                default: (owner == Some(parameter)).then_some("me"),
            })
            .collect();
        let mut next_to_items = Vec::new();
        let may_be_partial = !route.expansions().is_empty();
        if let Shape::List(list) = &route.shape {
            self.list_arguments(&mut arguments, list, type_name, &name);
            for expansion in list.expansions {
                match expansion.place {
                    Place::NextToItems if is_name(expansion.name) => {
                        let shown = shown(expansion);
                        let of = type_of(expansion.resource.name);
                        let names = if shown.len() == expansion.resource.fields.len() {
                            vec![of.clone(), format!("{of}Summary")]
                        } else {
                            vec![format!("{of}Summary")]
                        };
                        let names =
                            [names, vec![format!("{}{}", pascal(&name), pascal(expansion.name))]];
                        let object = self.object(&names.concat(), &shown, vec![]);
                        next_to_items.push((expansion, object));
                    }
                    Place::NextToItems | Place::Within { .. } => {}
                }
            }
        }
        let connection = pascal(&name);
        Root { name, route, arguments, item, connection, next_to_items, may_be_partial }
    }
}

/// Returns the fields of the route's items, with the expansions within them, but without those that
/// stand next to the items.
fn within(route: &'static Route) -> &'static [Field] {
    let beside = route.expansions().iter().filter(|of| of.place == Place::NextToItems).count();
    let fields = route.selectable();
    &fields[..fields.len() - beside]
}

fn shown(expansion: &Expansion) -> Vec<Field> {
    let fields = expansion.resource.fields.iter();
    fields.filter(|field| expansion.fields.contains(&field.name)).copied().collect()
}

/// Returns the route of a single item whose path is the longest beginning of a route's path.
fn nearest(inner: &Route, routes: &[&'static Route]) -> Option<&'static Route> {
    let outer = |route: &&&'static Route| {
        matches!(route.shape, Shape::One) && inner.path.starts_with(&format!("{}/", route.path))
    };
    routes.iter().filter(outer).max_by_key(|route| route.path.len()).copied()
}

/// Returns the last part of a path that is no parameter.
fn last_segment(route: &'static Route) -> &'static str {
    route.path.rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default()
}
