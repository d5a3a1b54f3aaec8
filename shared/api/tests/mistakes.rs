//! Wrong declarations, and the sentence that refuses each.

use api::*;

const PART: &[Field] = &[field("otherId", Kind::Text, "The other thing."), field("count", Kind::Integer, "How many.")];
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
    sort: "size",
    id: "thingId",
    projects: Projects::Attributes(&["madeAt"]),
};
const BY_OWNER: Index =
    Index { name: Some("byOwnerSize"), partition: Partition::Attributes(&["ownerId"]), projects: Projects::All, ..BY_COLOR };
const BY_SHARD: Index = Index { name: Some("byShardSize"), partition: Partition::Shards("shard"), projects: Projects::All, ..BY_COLOR };
const THINGS: Resource = Resource {
    name: "things",
    table_variable: "THINGS_TABLE",
    table: Table { key: &["thingId"], indexes: &[BY_COLOR, BY_OWNER] },
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
const GET: Route =
    Route { name: "get-thing", path: "/things/{id}", about: "Get a thing.", resource: &THINGS, access: Access::Public, shape: Shape::One };
const SIZE: Filter = Filter { parameter: "minSize", attribute: "size", accepts: Accepts::AtLeast, about: "Things of this size or bigger." };
const COLOR: Filter = Filter { parameter: "color", attribute: "color", accepts: Accepts::Text, about: "Things of this colour." };
const BIGGEST: SortOption = SortOption { name: "biggest", attribute: "size", order: Order::Descending, about: "the biggest first" };
const LIST: List = List { filters: &[SIZE], sorts: &[BIGGEST], expansions: &[], limits: Limits::USUAL };
const OWNED: Route = Route {
    name: "list-things",
    path: "/owners/{id}/things",
    about: "List an owner's things.",
    resource: &THINGS,
    access: Access::Owner("ownerId"),
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
const OWNER: Expansion = Expansion { name: "owner", place: Place::Beside, ..OTHER };

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
        assert!(found.iter().any(|mistake| mistake == sentence), "no “{sentence}” among {found:#?}");
    }
}

#[test]
fn right_declarations_have_no_mistake() {
    let expanded = Shape::List(List { expansions: &[OTHER, OWNER], ..LIST });
    let found = mistakes(&[&THINGS, &PAIRS], &[&GET, leak(Route { shape: expanded, ..OWNED })]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn an_empty_bundle_has_no_mistake() {
    assert_eq!(mistakes(&[], &[]), Vec::<String>::new());
}

#[test]
fn every_mistake_is_found_at_once() {
    let found = route(Resource { modified: Some("size"), ..THINGS }, Route { about: "get", path: "/things", ..GET });
    assert_eq!(
        found,
        [
            "things: `modified` is `size`, which is no field with a time",
            "get-thing: the description of a route is a sentence",
            "get-thing: the path /things does not name the item (`{id}`)",
        ]
    );
}

#[test]
fn wrong_names_are_refused() {
    let two = |resource: Resource| mistakes(&[&THINGS, leak(resource)], &[]);
    let routes = |route: Route| mistakes(&[&THINGS], &[&GET, leak(route)]);
    refused([
        (two(Resource { name: "things", ..PAIRS }), "things: two resources have this name"),
        (two(Resource { table_variable: "THINGS_TABLE", ..PAIRS }), "THINGS_TABLE: two resources have this variable"),
        (routes(Route { path: "/{id}", ..GET }), "get-thing: two routes have this name"),
        (routes(Route { name: "x", ..GET }), "/things/{id}: two routes have this path"),
        (resource(Resource { name: "my things", ..THINGS }), "my things: the name of a resource has letters, digits, `-` and `_`"),
        (resource(Resource { table_variable: "LOG_LEVEL", ..THINGS }), "things: `LOG_LEVEL` cannot be the variable of a table"),
        (resource(Resource { table_variable: "things", ..THINGS }), "things: `things` cannot be the variable of a table"),
        (route(THINGS, Route { name: "Get", ..GET }), "Get: the name of a route has small letters, digits and `-`"),
        (mistakes(&[], &[&GET]), "get-thing: the resource things is not among the bundle's resources"),
    ]);
}

#[test]
fn wrong_fields_are_refused() {
    const TWINS: &[Field] = &[field("a", Kind::Text, "A."), field("a", Kind::Text, "A.")];
    let with = |last: Field| resource(Resource { fields: leak([FIELDS, &[last]].concat()), ..THINGS });
    refused([
        (with(field("color", Kind::Text, "Again.")), "things: two fields have the name `color`"),
        (with(field("a.b", Kind::Text, "A path.")), "things: no caller can write the field's name `a.b`"),
        (with(field("note", Kind::Text, "no sentence")), "things: the description of the field `note` is no sentence"),
        (with(field("note", Kind::Object(&[]), "Nothing.")), "things: the field `note` has no members"),
        (with(field("note", Kind::Object(TWINS), "Two.")), "things: two fields have the name `a`"),
        (resource(Resource { summary: &["thingId", "size", "size"], ..THINGS }), "things: the summary names `size` twice"),
        (resource(Resource { summary: &["thingId", "weight"], ..THINGS }), "things: the summary's `weight` is no field"),
        (resource(Resource { summary: &["size"], ..THINGS }), "things: the summary lacks the key attribute `thingId`"),
        (resource(Resource { modified: Some("size"), ..THINGS }), "things: `modified` is `size`, which is no field with a time"),
    ]);
}

#[test]
fn wrong_keys_and_indexes_are_refused() {
    const MANY: &[&str] =
        &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "color"];
    const WIDE: Index = Index { projects: Projects::Attributes(MANY), ..BY_COLOR };
    let key = |key| resource(Resource { table: Table { key, indexes: &[] }, ..THINGS });
    refused([
        (key(&[]), "things: a table's key has one or two attributes"),
        (key(&["weight"]), "things: the key attribute `weight` is no field"),
        (key(&["thingId", "parts"]), "things: the key attribute `parts` is no text, number or time"),
        (indexes(&[BY_COLOR, BY_COLOR]), "things: two indexes have the name byColorSize"),
        (indexes(&[Index { partition: Partition::Attributes(&["size"]), ..BY_COLOR }]), "things: the key of byColorSize has `size` twice"),
        (
            indexes(&[Index { id: "color", partition: Partition::Attributes(&[]), ..BY_COLOR }]),
            "things: Some(\"byColorSize\"): one to four partition attributes",
        ),
        (indexes(&[WIDE]), "things: byColorSize projects 21 attributes, and DynamoDB takes 20"),
        (indexes(&[WIDE; 5]), "things: the indexes project 105 attributes, and DynamoDB takes 100 a table"),
    ]);
}

#[test]
fn wrong_paths_and_access_are_refused() {
    let times = Resource { table: Table { key: &["madeAt"], indexes: &[] }, summary: &["madeAt"], ..THINGS };
    let shared = Resource { policy: Policy::PUBLIC_READ_MOSTLY, ..THINGS };
    let path = |path| route(THINGS, Route { path, ..GET });
    refused([
        (path("things/{id}"), "get-thing: the path things/{id} is not made of words and at most one `{id}`"),
        (path("/things//{id}"), "get-thing: the path /things//{id} is not made of words and at most one `{id}`"),
        (path("/things/{thingId}"), "get-thing: the path /things/{thingId} is not made of words and at most one `{id}`"),
        (path("/{id}/{id}"), "get-thing: the path /{id}/{id} is not made of words and at most one `{id}`"),
        (path("/things"), "get-thing: the path /things does not name the item (`{id}`)"),
        (
            route(THINGS, Route { path: "/colors/{id}/things", ..PUBLIC }),
            "list-things: nothing uses the path parameter of /colors/{id}/things, so every id would give the same list",
        ),
        (
            route(THINGS, Route { path: "/things", ..OWNED }),
            "list-things: the list has an owner, and the path /things does not name one (`{id}`)",
        ),
        (route(PAIRS, GET), "get-thing: the key has 2 attributes (ownerId, thingId), and the path names one"),
        (route(times, GET), "get-thing: the key attribute `madeAt` is no text, and the path's `{id}` is"),
        (
            route(THINGS, Route { access: Access::Owner("ownerId"), ..GET }),
            "get-thing: the owner is `ownerId`, but the path names the item by `thingId`",
        ),
        (
            route(shared, Route { access: Access::Owner("thingId"), ..GET }),
            "get-thing: the cache policy of things is public, so shared caches would keep a caller's own data",
        ),
        (
            route(THINGS, Route { access: Access::Owner("userName"), ..OWNED }),
            "list-things: the owner's attribute `userName` is neither a field nor a key",
        ),
        (
            route(Resource { table: Table { indexes: &[BY_SHARD], ..THINGS.table }, ..THINGS }, OWNED),
            "list-things: the sort `biggest` without filters reads other owners' items: byShardSize is not by `ownerId`",
        ),
    ]);
}

#[test]
fn wrong_filters_are_refused() {
    let options = |options| filter(Filter { accepts: Accepts::OneOf(options), ..COLOR });
    refused([
        (filter(Filter { parameter: "limit", ..SIZE }), "list-things: two parameters have the name `limit`"),
        (
            filter(Filter { parameter: "size[min]", ..SIZE }),
            "list-things: the parameter `size[min]` has other characters than letters and digits",
        ),
        (filter(Filter { about: "big", ..SIZE }), "list-things: the description of the parameter `minSize` is no sentence"),
        (filter(Filter { attribute: "weight", ..SIZE }), "list-things: the parameter `minSize` compares `weight`, which is no field"),
        (filter(Filter { accepts: Accepts::Text, ..SIZE }), "list-things: the parameter `minSize` takes texts, and `size` has none"),
        (filter(Filter { accepts: Accepts::From, ..SIZE }), "list-things: the parameter `minSize` takes times, and `size` has none"),
        (filter(Filter { accepts: Accepts::Positive, ..COLOR }), "list-things: the parameter `color` takes numbers, and `color` has none"),
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
        route(resource, Route { shape: Shape::List(List { filters: &[SIZE, COLOR], ..LIST }), ..OWNED })
    };
    refused([
        (list(List { sorts: &[], ..LIST }), "list-things: a list has at least one sort"),
        (sort(BIGGEST), "list-things: two sorts have the name `biggest`"),
        (
            sort(SortOption { attribute: "parts", ..BIGGEST }),
            "list-things: the sort `biggest` is by `parts`, which is no field with an order",
        ),
        (
            sort(SortOption { name: "newest", attribute: "madeAt", ..BIGGEST }),
            "list-things: no index serves the sort `newest` without filters",
        ),
        (route(THINGS, PUBLIC), "list-things: no index serves the sort `biggest` without filters"),
        (filtered(KEYS_ONLY), "list-things: no index serves the sort `biggest` with `color`"),
    ]);
    assert_eq!(filtered(&[BY_OWNER]), Vec::<String>::new());
}

#[test]
fn wrong_expansions_are_refused() {
    let within = |list, key, member| expansion(Expansion { place: Place::Within { join: Join { list, key }, member }, ..OTHER });
    let two = |second| list(List { expansions: leak([OTHER, second]), ..LIST });
    let of_nobody = Route { shape: Shape::List(List { expansions: &[OWNER], ..LIST }), ..PUBLIC };
    refused([
        (two(Expansion { name: "parts.other", ..OWNER }), "list-things: two expansions have the name `parts.other`"),
        (two(Expansion { name: "parts.more", ..OTHER }), "list-things: 2 expansions lie within the items, and a request gets one of them"),
        (expansion(Expansion { about: "it", ..OTHER }), "list-things: the description of the expansion `parts.other` is no sentence"),
        (expansion(Expansion { name: "a,b", ..OTHER }), "list-things: no caller can send the name of the expansion `a,b`"),
        (expansion(Expansion { fields: &[], ..OTHER }), "list-things: the expansion `parts.other` shows no field"),
        (
            expansion(Expansion { fields: &["weight"], ..OTHER }),
            "list-things: the expansion `parts.other` shows `weight`, which is no field of things",
        ),
        (
            expansion(Expansion { resource: &PAIRS, ..OTHER }),
            "list-things: the expansion `parts.other` finds items of pairs by one attribute, and their key has two",
        ),
        (expansion(Expansion { name: "page", ..OWNER }), "list-things: a list already has a member `page`"),
        (route(THINGS, of_nobody), "list-things: the expansion `owner` is the list's owner, and it has none"),
        (within("size", "otherId", "other"), "list-things: the expansion `parts.other` lies in `size`, which is no list of objects"),
        (within("parts", "count", "other"), "list-things: the expansion `parts.other` goes by `count`, which is no text in `parts`"),
        (within("parts", "otherId", "count"), "list-things: the expansion `parts.other` is named `count`, as a member of `parts` is"),
    ]);
}
