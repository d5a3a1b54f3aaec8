//! Wrong declarations, and the sentence that refuses each.

use api::*;

const PART: &[Field] =
    &[field("otherId", Kind::Text, "The other thing."), field("count", Kind::Integer, "How many.")];
const FIELDS: &[Field] = &[
    field("thingId", Kind::Text, "Its id."),
    field("ownerId", Kind::Text, "Who owns it."),
    field("color", Kind::Text, "Its colour."),
    field("size", Kind::Number, "How big it is."),
    field("madeAt", Kind::Timestamp, "When it was made."),
    field("parts", Kind::Objects(PART), "Its parts."),
];
const BY_COLOR: Index = Index {
    name: Some("byColorSize"),
    partition: Partition::Attributes(&["color"]),
    range: &["size", "thingId"],
    projects: Projects::Attributes(&["madeAt"]),
};
const BY_OWNER: Index = Index {
    name: Some("byOwnerSize"),
    partition: Partition::Attributes(&["ownerId"]),
    projects: Projects::All,
    ..BY_COLOR
};
const BY_SHARD: Index = Index {
    name: Some("byShardSize"),
    partition: Partition::Shards("shard"),
    projects: Projects::All,
    ..BY_COLOR
};
const THINGS: Resource = Resource {
    name: "things",
    table_variable: "THINGS_TABLE",
    table: Table { key: &["thingId"], indexes: &[BY_COLOR, BY_OWNER] },
    fixed: &[],
    fields: FIELDS,
    summary: &["thingId", "size"],
    modified: Some("madeAt"),
    policy: Policy::PrivateRevalidate,
};
/// A thing by its owner and its id.
const PAIRS: Resource = Resource {
    name: "pairs",
    table_variable: "PAIRS_TABLE",
    table: Table { key: &["ownerId", "thingId"], indexes: &[] },
    summary: &["ownerId", "thingId"],
    ..THINGS
};
const GET: Route = Route {
    name: "get-thing",
    path: "/things/{thingId}",
    about: "Get a thing.",
    resource: &THINGS,
    access: Access::Public,
    quota: Quota::None,
    shape: Shape::One,
};
const SIZE: Filter = Filter {
    parameter: "minSize",
    field: "size",
    accepts: Accepts::AtLeast,
    about: "Things of this size or bigger.",
};
const COLOR: Filter = Filter {
    parameter: "color",
    field: "color",
    accepts: Accepts::Text,
    about: "Things of this colour.",
};
const BIGGEST: SortOption = SortOption {
    name: "biggest",
    field: "size",
    order: Order::Descending,
    about: "the biggest first",
};
const LIST: List =
    List { filters: &[SIZE], sorts: &[BIGGEST], expansions: &[], limits: Limits::USUAL };
const OWNED: Route = Route {
    name: "list-things",
    path: "/owners/{ownerId}/things",
    about: "List an owner's things.",
    resource: &THINGS,
    access: Access::owner("ownerId"),
    quota: Quota::None,
    shape: Shape::List(LIST),
};
const PUBLIC: Route = Route { path: "/things", access: Access::Public, ..OWNED };
const OTHER: Expansion = Expansion {
    name: "parts.other",
    resource: &THINGS,
    fields: &["thingId"],
    place: Place::Within { join: Join { list: "parts", key: "otherId" }, member: "other" },
    about: "The other thing of each part.",
};
const OWNER: Expansion = Expansion { name: "owner", place: Place::NextToItems, ..OTHER };
/// The owner of the list.
const OWNERS: Resource = Resource {
    name: "owners",
    table_variable: "OWNERS_TABLE",
    table: Table { key: &["ownerId"], indexes: &[] },
    summary: &["ownerId"],
    ..THINGS
};

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn resource(resource: Resource) -> Vec<String> {
    mistakes(&[leak(resource)], &[])
}

fn indexes(indexes: &'static [Index]) -> Vec<String> {
    resource(Resource { table: Table { indexes, ..THINGS.table }, ..THINGS })
}

/// Returns the mistakes of a route over a resource of its own.
fn route(resource: Resource, route: Route) -> Vec<String> {
    let resource = leak(resource);
    let other = if resource.name == "pairs" { &THINGS } else { &PAIRS };
    mistakes(&[resource, other], &[leak(Route { resource, ..route })])
}

fn list(list: List) -> Vec<String> {
    route(THINGS, Route { shape: Shape::List(list), ..OWNED })
}

fn filter(filter: Filter) -> Vec<String> {
    list(List { filters: leak([filter]), ..LIST })
}

fn expansion(expansion: Expansion) -> Vec<String> {
    list(List { expansions: leak([expansion]), ..LIST })
}

/// Asserts that each declaration has this mistake. Some have another one that follows from it.
fn refused(cases: impl IntoIterator<Item = (Vec<String>, &'static str)>) {
    for (found, sentence) in cases {
        assert!(
            found.iter().any(|mistake| mistake == sentence),
            "no “{sentence}” among {found:#?}"
        );
    }
}

#[test]
fn right_declarations_have_no_mistake() {
    let expanded = Shape::List(List {
        expansions: &[OTHER, Expansion { resource: &OWNERS, fields: &["ownerId"], ..OWNER }],
        ..LIST
    });
    let found =
        mistakes(&[&THINGS, &PAIRS, &OWNERS], &[&GET, leak(Route { shape: expanded, ..OWNED })]);
    assert_eq!(found, Vec::<String>::new());
}

/// The path can give the key of an item next to a list, and the owner can where the path does not.
#[test]
fn the_path_or_the_owner_gives_the_key_of_an_expansion() {
    let owner = Expansion { resource: &OWNERS, fields: &["ownerId"], ..OWNER };
    let expansions: &[Expansion] = leak([owner]);
    let found = |access, path| {
        let shape = Shape::List(List { expansions, ..LIST });
        let list = Route { shape, access, path, ..OWNED };
        let mut found = mistakes(&[&THINGS, &PAIRS, &OWNERS], &[&GET, leak(list)]);
        found.retain(|mistake| mistake.contains("the expansion"));
        found
    };
    assert_eq!(found(Access::owner("ownerId"), "/things"), Vec::<String>::new());
    assert_eq!(found(Access::Scope("all"), "/owners/{ownerId}/things"), Vec::<String>::new());
    assert_eq!(
        found(Access::Scope("all"), "/things"),
        [
            "list-things: the expansion `owner` needs `ownerId`, which neither the path nor the owner gives"
        ]
    );
}

#[test]
fn an_empty_bundle_has_no_mistake() {
    assert_eq!(mistakes(&[], &[]), Vec::<String>::new());
}

#[test]
fn every_mistake_is_found_at_once() {
    let found = route(
        Resource { modified: Some("size"), ..THINGS },
        Route { about: "get", path: "/things", ..GET },
    );
    assert_eq!(
        found,
        [
            "things: `modified` is `size`, which is no field with a time",
            "get-thing: the description of a route is a sentence",
            "get-thing: the path /things does not give `thingId`, which is in the item's key",
        ]
    );
}

#[test]
fn wrong_names_are_refused() {
    let two = |resource: Resource| mistakes(&[&THINGS, leak(resource)], &[]);
    let routes = |route: Route| mistakes(&[&THINGS], &[&GET, leak(route)]);
    refused([
        (two(Resource { name: "things", ..PAIRS }), "things: two resources have this name"),
        (routes(Route { path: "/{thingId}", ..GET }), "get-thing: two routes have this name"),
        (routes(Route { name: "x", ..GET }), "/things/{thingId}: two routes have this path"),
        (
            resource(Resource { name: "my things", ..THINGS }),
            "my things: the name of a resource has letters, digits, `-` and `_`",
        ),
        (
            resource(Resource { table_variable: "LOG_LEVEL", ..THINGS }),
            "things: `LOG_LEVEL` cannot be the variable of a table",
        ),
        (
            resource(Resource { table_variable: "things", ..THINGS }),
            "things: `things` cannot be the variable of a table",
        ),
        (
            route(THINGS, Route { name: "Get", ..GET }),
            "Get: the name of a route has small letters, digits and `-`",
        ),
        (
            mistakes(&[], &[&GET]),
            "get-thing: the resource things is not among the bundle's resources",
        ),
    ]);
}

#[test]
fn wrong_fields_are_refused() {
    const TWINS: &[Field] = &[field("a", Kind::Text, "A."), field("a", Kind::Text, "A.")];
    let with =
        |last: Field| resource(Resource { fields: leak([FIELDS, &[last]].concat()), ..THINGS });
    refused([
        (with(field("color", Kind::Text, "Again.")), "things: two fields have the name `color`"),
        (
            with(field("a.b", Kind::Text, "A path.")),
            "things: no caller can write the field's name `a.b`",
        ),
        (with(field("", Kind::Text, "None.")), "things: no caller can write the field's name ``"),
        (
            with(field("note", Kind::Text, "no sentence")),
            "things: the description of the field `note` is no sentence",
        ),
        (
            with(field("note", Kind::Object(&[]), "Nothing.")),
            "things: the field `note` has no members",
        ),
        (with(field("note", Kind::Object(TWINS), "Two.")), "things: two fields have the name `a`"),
        (
            resource(Resource { summary: &["thingId", "size", "size"], ..THINGS }),
            "things: the summary names `size` twice",
        ),
        (
            resource(Resource { summary: &["thingId", "weight"], ..THINGS }),
            "things: the summary's `weight` is no field",
        ),
        (
            resource(Resource { summary: &["size"], ..THINGS }),
            "things: the summary lacks `thingId`, which is in the key",
        ),
        (
            resource(Resource { modified: Some("size"), ..THINGS }),
            "things: `modified` is `size`, which is no field with a time",
        ),
    ]);
}

#[test]
fn wrong_keys_and_indexes_are_refused() {
    const MANY: &[&str] = &[
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
        "s", "t", "u", "color",
    ];
    const WIDE: Index = Index { projects: Projects::Attributes(MANY), ..BY_COLOR };
    let key = |key| resource(Resource { table: Table { key, indexes: &[] }, ..THINGS });
    refused([
        (
            key(&[]),
            "things: the table's key has 0 attributes: give its partition key and, if it has one, its sort key",
        ),
        (key(&["weight"]), "things: the key attribute `weight` is neither a field's nor fixed"),
        (
            key(&["thingId", "parts"]),
            "things: the key attribute `parts` is no text, number or time",
        ),
        (indexes(&[BY_COLOR, BY_COLOR]), "things: two indexes have the name byColorSize"),
        (
            indexes(&[Index { partition: Partition::Attributes(&["size"]), ..BY_COLOR }]),
            "things: byColorSize: size is twice in its key",
        ),
        (
            indexes(&[Index { partition: Partition::Attributes(&[]), ..BY_COLOR }]),
            "things: byColorSize: a partition of 0 attributes: DynamoDB takes 1 to 4",
        ),
        (
            indexes(&[Index { range: &["size"], ..BY_SHARD }]),
            "things: byShardSize: shards can be merged only if its range has thingId",
        ),
        (
            indexes(&[Index { range: &["size", "a", "b", "c", "thingId"], ..BY_COLOR }]),
            "things: byColorSize: a range of 5 attributes: DynamoDB takes up to 4",
        ),
        (
            indexes(&[Index {
                name: None,
                partition: Partition::Attributes(&["color"]),
                range: &["size"],
                ..BY_COLOR
            }]),
            "things: the table itself: its key is not the table's key",
        ),
        (
            indexes(&[Index {
                name: None,
                partition: Partition::Attributes(&["thingId"]),
                range: &[],
                ..BY_COLOR
            }]),
            "things: the table itself: a table without a sort key has one item in a partition: it cannot be listed",
        ),
        (indexes(&[WIDE]), "things: byColorSize projects 21 attributes, and DynamoDB takes 20"),
        (
            indexes(&[WIDE; 5]),
            "things: the indexes project 105 attributes, and DynamoDB takes 100 a table",
        ),
    ]);
}

#[test]
fn wrong_paths_and_access_are_refused() {
    let times = Resource {
        table: Table { key: &["madeAt"], indexes: &[] },
        summary: &["madeAt"],
        ..THINGS
    };
    let shared = Resource { policy: Policy::PUBLIC_READ_MOSTLY, ..THINGS };
    let path = |path| route(THINGS, Route { path, ..GET });
    let access = |access| route(THINGS, Route { access, ..OWNED });
    refused([
        (
            path("things/{thingId}"),
            "get-thing: the path things/{thingId} is not made of words and parameters such as `{name}`",
        ),
        (
            path("/things//{thingId}"),
            "get-thing: the path /things//{thingId} is not made of words and parameters such as `{name}`",
        ),
        (
            path("/things/x{thingId}"),
            "get-thing: the path /things/x{thingId} is not made of words and parameters such as `{name}`",
        ),
        (
            path("/things/{}"),
            "get-thing: the path /things/{} is not made of words and parameters such as `{name}`",
        ),
        (path("/things/{id}"), "get-thing: the path's parameter `id` is no field of things"),
        (
            path("/things/{parts}/{thingId}"),
            "get-thing: the path's parameter `parts` is no text or number",
        ),
        (
            path("/{thingId}/{thingId}"),
            "get-thing: the path /{thingId}/{thingId} has the parameter `thingId` twice",
        ),
        (
            path("/things"),
            "get-thing: the path /things does not give `thingId`, which is in the item's key",
        ),
        (
            path("/{color}/{thingId}"),
            "get-thing: the path's parameter `color` is not in the item's key, so every value would give the same item",
        ),
        (
            route(PAIRS, GET),
            "get-thing: the path /things/{thingId} does not give `ownerId`, which is in the item's key",
        ),
        (
            route(times, Route { path: "/things/{madeAt}", ..GET }),
            "get-thing: the path's parameter `madeAt` is no text or number",
        ),
        (
            route(shared, Route { access: Access::owner("thingId"), ..GET }),
            "get-thing: the cache policy of things is public, so shared caches would keep a caller's own data",
        ),
        (
            access(Access::owner("userName")),
            "list-things: the owner's field `userName` is no text field of things",
        ),
        (
            access(Access::owner("size")),
            "list-things: the owner's field `size` is no text field of things",
        ),
        (
            access(Access::Owner { field: "ownerId", claim: "" }),
            "list-things: the claim that names the owner has no name",
        ),
        (
            access(Access::Scope("a b")),
            "list-things: `a b` is no scope (RFC 6749, section 3.3, without a comma)",
        ),
        (
            route(
                Resource { table: Table { indexes: &[BY_SHARD], ..THINGS.table }, ..THINGS },
                Route { path: "/things", ..OWNED },
            ),
            "list-things: the sort `biggest` without filters reads other owners' items: byShardSize is not by `ownerId`",
        ),
    ]);
}

/// A public list by a path parameter, an item by two parameters, the caller's own things without a
/// parameter.
#[test]
fn paths_of_every_kind_are_accepted() {
    for (resource, route) in [
        (THINGS, Route { path: "/colors/{color}/things", ..PUBLIC }),
        (THINGS, Route { path: "/my-things", ..OWNED }),
        (THINGS, Route { access: Access::owner("ownerId"), ..GET }),
        (PAIRS, Route { path: "/owners/{ownerId}/things/{thingId}", ..GET }),
        (
            PAIRS,
            Route {
                path: "/things/{thingId}",
                access: Access::Owner { field: "ownerId", claim: "tenant" },
                quota: Quota::None,
                ..GET
            },
        ),
        (
            THINGS,
            Route {
                path: "/owners/{ownerId}/things",
                access: Access::Scope("things:read"),
                quota: Quota::None,
                ..OWNED
            },
        ),
    ] {
        let path = route.path;
        assert_eq!(self::route(resource, route), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn resources_that_share_a_table_are_told_apart() {
    const KEY: &[&str] = &["PK", "SK"];
    let prefixed = |attribute, prefix| Kind::Prefixed { attribute, prefix };
    let shared = |name, pk, sk: Option<&'static str>, fixed| {
        let owner = field("ownerId", prefixed("PK", pk), "Who owns it.");
        let id = sk.map(|prefix| field("thingId", prefixed("SK", prefix), "Its id."));
        Resource {
            name,
            table: Table { key: KEY, indexes: &[] },
            fixed,
            fields: [owner].into_iter().chain(id).collect::<Vec<_>>().leak(),
            summary: if sk.is_some() { &["ownerId", "thingId"] } else { &["ownerId"] },
            modified: None,
            ..THINGS
        }
    };
    let two = |a: Resource, b: Resource| mistakes(&[leak(a), leak(b)], &[]);
    let things = || shared("things", "OWNER#", Some("THING#"), &[]);
    let profile: &[(&str, &str)] = &[("SK", "PROFILE")];
    assert_eq!(two(things(), shared("owners", "OWNER#", None, profile)), Vec::<String>::new());
    assert_eq!(two(things(), shared("parts", "OWNER#", Some("PART#"), &[])), Vec::<String>::new());
    let same = "nothing tells its items from those of things, with which it shares THINGS_TABLE: give them another prefix or a fixed attribute";
    refused([
        (
            two(things(), shared("parts", "OWNER#", Some("THING#OLD#"), &[])),
            leak(format!("parts: {same}")).as_str(),
        ),
        (
            two(things(), shared("owners", "OWNER#", None, &[("SK", "THING#1")])),
            leak(format!("owners: {same}")).as_str(),
        ),
        (
            two(things(), Resource { table_variable: "THINGS_TABLE", ..PAIRS }),
            "pairs: its key is not that of things, with which it shares THINGS_TABLE",
        ),
        (
            resource(shared("owners", "OWNER#", None, &[("SK", "")])),
            "owners: the fixed attribute `SK` has an empty text",
        ),
        (
            resource(shared("owners", "OWNER#", None, &[("PK", "X")])),
            "owners: the attribute `PK` is fixed and a field's",
        ),
        (
            resource(shared("owners", "OWNER#", None, &[])),
            "owners: the key attribute `SK` is neither a field's nor fixed",
        ),
        (
            route(shared("owners", "OWNER#", None, profile), Route { path: "/owners", ..GET }),
            "get-thing: the path /owners does not give `ownerId`, which is in the item's key",
        ),
    ]);
}

#[test]
fn wrong_filters_are_refused() {
    let options = |options| filter(Filter { accepts: Accepts::OneOf(options), ..COLOR });
    refused([
        (
            filter(Filter { parameter: "limit", ..SIZE }),
            "list-things: two parameters have the name `limit`",
        ),
        (
            filter(Filter { parameter: "size[min]", ..SIZE }),
            "list-things: the parameter `size[min]` has other characters than letters and digits",
        ),
        (
            filter(Filter { about: "big", ..SIZE }),
            "list-things: the description of the parameter `minSize` is no sentence",
        ),
        (
            filter(Filter { field: "weight", ..SIZE }),
            "list-things: the parameter `minSize` compares `weight`, which is no field",
        ),
        (
            filter(Filter { accepts: Accepts::Text, ..SIZE }),
            "list-things: the parameter `minSize` takes texts, and `size` has none",
        ),
        (
            filter(Filter { accepts: Accepts::From, ..SIZE }),
            "list-things: the parameter `minSize` takes times, and `size` has none",
        ),
        (
            filter(Filter { accepts: Accepts::Positive, ..COLOR }),
            "list-things: the parameter `color` takes numbers, and `color` has none",
        ),
        (options(&[]), "list-things: the parameter `color` has no valid value"),
        (options(&["red", "red"]), "list-things: the parameter `color` has the value `red` twice"),
        (options(&[""]), "list-things: no caller can send the value `` of the parameter `color`"),
    ]);
}

#[test]
fn choices_that_no_index_serves_are_refused() {
    const KEYS_ONLY: &[Index] = &[Index { projects: Projects::Attributes(&[]), ..BY_OWNER }];
    let sort = |sort| list(List { sorts: leak([BIGGEST, sort]), ..LIST });
    let filtered = |indexes| {
        let resource = Resource { table: Table { indexes, ..THINGS.table }, ..THINGS };
        route(
            resource,
            Route { shape: Shape::List(List { filters: &[SIZE, COLOR], ..LIST }), ..OWNED },
        )
    };
    refused([
        (sort(BIGGEST), "list-things: two sorts have the name `biggest`"),
        (
            sort(SortOption { field: "parts", ..BIGGEST }),
            "list-things: the sort `biggest` is by `parts`, which is no field with an order",
        ),
        (
            sort(SortOption { name: "newest", field: "madeAt", ..BIGGEST }),
            "list-things: no index serves the sort `newest` without filters",
        ),
        (route(THINGS, PUBLIC), "list-things: no index serves the sort `biggest` without filters"),
        (filtered(KEYS_ONLY), "list-things: no index serves the sort `biggest` with `color`"),
    ]);
    assert_eq!(filtered(&[BY_OWNER]), Vec::<String>::new());
    // Each colour is a partition of its own, and the other index cannot filter by colour.
    const COLORS: [&str; 17] =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
    const BARE_SHARD: Index = Index { projects: Projects::Attributes(&[]), ..BY_SHARD };
    const BY_COLOR_ALONE: Index = Index { range: &["size"], ..BY_COLOR };
    let colors = |by_color, count: usize| {
        let filter = Filter { accepts: Accepts::OneOf(&COLORS[..count]), ..COLOR };
        let table = Table { indexes: leak([by_color, BARE_SHARD]), ..THINGS.table };
        let shape = Shape::List(List { filters: leak([filter]), ..LIST });
        route(Resource { table, ..THINGS }, Route { shape, ..PUBLIC })
    };
    let unserved = |values: &str| {
        [format!("list-things: no index serves the sort `biggest` with `color`, {values} at once")]
    };
    // A request with too many of them is a 400.
    assert_eq!(colors(BY_COLOR, 17), Vec::<String>::new());
    assert_eq!(colors(BY_COLOR_ALONE, 1), Vec::<String>::new());
    assert_eq!(colors(BY_COLOR_ALONE, 2), unserved("two values"));
}

#[test]
fn wrong_expansions_are_refused() {
    let within = |list, key, member| {
        expansion(Expansion { place: Place::Within { join: Join { list, key }, member }, ..OTHER })
    };
    let two = |second| list(List { expansions: leak([OTHER, second]), ..LIST });
    let of_nobody = Route { shape: Shape::List(List { expansions: &[OWNER], ..LIST }), ..PUBLIC };
    refused([
        (
            two(Expansion { name: "parts.other", ..OWNER }),
            "list-things: two expansions have the name `parts.other`",
        ),
        (
            two(Expansion { name: "parts.more", ..OTHER }),
            "list-things: 2 expansions lie within the items, and a request gets one of them",
        ),
        (
            expansion(Expansion { about: "it", ..OTHER }),
            "list-things: the description of the expansion `parts.other` is no sentence",
        ),
        (
            expansion(Expansion { name: "a,b", ..OTHER }),
            "list-things: no caller can send the name of the expansion `a,b`",
        ),
        (
            expansion(Expansion { fields: &[], ..OTHER }),
            "list-things: the expansion `parts.other` shows no field",
        ),
        (
            expansion(Expansion { fields: &["weight"], ..OTHER }),
            "list-things: the expansion `parts.other` shows `weight`, which is no field of things",
        ),
        (
            expansion(Expansion { resource: &PAIRS, ..OTHER }),
            "list-things: the expansion `parts.other` finds items of pairs by one field, and their key has 2",
        ),
        (
            expansion(Expansion { name: "page", ..OWNER }),
            "list-things: a list already has a member `page`",
        ),
        (
            route(THINGS, of_nobody),
            "list-things: the list is public, and the expansion `owner` shows things, whose cache policy is private",
        ),
        (
            list(List { expansions: &[OWNER], ..LIST }),
            "list-things: the expansion `owner` needs `thingId`, which neither the path nor the owner gives",
        ),
        (
            within("size", "otherId", "other"),
            "list-things: the expansion `parts.other` lies in `size`, which is no list of objects",
        ),
        (
            within("parts", "count", "other"),
            "list-things: the expansion `parts.other` goes by `count`, which is no text in `parts`",
        ),
        (
            within("parts", "otherId", "count"),
            "list-things: the expansion `parts.other` is named `count`, as a member of `parts` is",
        ),
    ]);
}
