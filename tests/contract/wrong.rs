//! The sentence of each check about a bundle with one mistake. The bundle is a small one: notes, a
//! public list of them, and one note for its author.

use std::path::{Path, PathBuf};

use api::{
    Accepts, Access, Filter, Index, Kind, Limits, List, Order, Partition, Policy, Projects,
    Resource, Route, Shape, SortOption, Table, field,
};
use dev::bundle::Bundle;

use super::{Checkout, all};

static NOTES: Resource = PRIVATE;
/// The same notes, which anybody may see and a cache may keep.
static PUBLIC_NOTES: Resource = Resource { policy: Policy::PUBLIC_READ_MOSTLY, ..PRIVATE };

const PRIVATE: Resource = Resource {
    name: "notes",
    table_variable: "NOTES_TABLE",
    table: Table {
        key: &["noteId"],
        indexes: &[Index {
            name: Some("byShardStars"),
            partition: Partition::Shards("shard"),
            range: &["stars", "noteId"],
            projects: Projects::Attributes(&["title", "topic"]),
        }],
    },
    fixed: &[],
    fields: &[
        field("noteId", Kind::Text, "The note's id."),
        field("topic", Kind::Text, "What it is about."),
        field("stars", Kind::Integer, "How good it is."),
        field("title", Kind::Text, "Its title."),
        field("color", Kind::Text, "Its colour."),
    ],
    summary: &["noteId", "title"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};

static LIST_NOTES: Route = LIST;
static LIST_PUBLIC_NOTES: Route = Route { resource: &PUBLIC_NOTES, ..LIST };

const LIST: Route = Route {
    name: "list-notes",
    path: "/notes",
    about: "List notes.",
    resource: &NOTES,
    access: Access::Public,
    quota: api::Quota::None,
    shape: Shape::List(List {
        filters: &[Filter {
            parameter: "topic",
            field: "topic",
            accepts: Accepts::Text,
            about: "Notes about this.",
        }],
        sorts: &[SortOption {
            name: "best",
            field: "stars",
            order: Order::Descending,
            about: "the best first",
        }],
        expansions: &[],
        limits: Limits::USUAL,
    }),
};

static GET_NOTE: Route = Route {
    name: "get-note",
    path: "/notes/{noteId}",
    about: "Get a note.",
    resource: &NOTES,
    access: Access::owner("noteId"),
    quota: api::Quota::PerCaller(api::Weights::ONE),
    shape: Shape::One,
};

const TEMPLATE: &str = include_str!("notes/template.yaml");
const ROUTER: &str = r#"
[workspace.metadata.lambda.watch.router]
"/notes" = [{ method = "GET", function = "list-notes" }, { method = "HEAD", function = "list-notes" }]
"/notes/{noteId}" = [
  { method = "GET", function = "get-note" },
  { method = "HEAD", function = "get-note" },
]

[workspace.lints.rust]
"#;
const CRATE: &str = "[features]\nlocal-tokens = [\"api/local-tokens\"]\n";

/// Writes the bundle of the notes into a folder of its own.
fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract").join(name);
    let _ = std::fs::remove_dir_all(&root);
    for (path, text) in [
        ("Cargo.toml", ROUTER),
        ("functions/list-notes/Cargo.toml", CRATE),
        ("functions/list-notes/src/main.rs", "fn main() {}\n"),
        ("functions/get-note/Cargo.toml", CRATE),
        ("functions/get-note/src/main.rs", "fn main() {}\n"),
        ("events/list-notes.plain.json", r#"{"routeKey": "GET /notes"}"#),
        ("events/get-note.plain.json", r#"{"routeKey": "GET /notes/{noteId}"}"#),
    ] {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    root
}

fn notes(template: &str, root: PathBuf) -> Checkout {
    const RESOURCES: &[&Resource] = &[&NOTES];
    const ROUTES: &[&Route] = &[&LIST_NOTES, &GET_NOTE];
    Checkout { bundle: Bundle::of(RESOURCES, ROUTES, template).unwrap(), root }
}

/// Returns the mistakes when the first place of `from` in the template is changed.
fn with_template(from: &str, to: &str) -> Vec<String> {
    assert!(TEMPLATE.contains(from), "{from}");
    let name: String =
        from.chars().chain(to.chars()).filter(|c| c.is_ascii_alphanumeric()).collect();
    all(&notes(&TEMPLATE.replacen(from, to, 1), folder(&name)))
}

/// Returns the mistakes when a file is changed.
fn with_file(path: &str, change: impl FnOnce(&Path)) -> Vec<String> {
    let name: String = path.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let root = folder(&name);
    change(&root.join(path));
    all(&notes(TEMPLATE, root))
}

#[test]
fn a_right_bundle_keeps_the_contract() {
    assert_eq!(all(&notes(TEMPLATE, folder("right"))), Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_bundle_keeps_the_contract() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract/empty");
    let empty = Checkout { bundle: Bundle::of(&[], &[], "Resources: {}").unwrap(), root };
    assert_eq!(all(&empty), Vec::<String>::new());
    assert_eq!(super::events::answers(&empty).await, Vec::<String>::new());
}

#[test]
fn every_mistake_is_named_at_once() {
    let template =
        TEMPLATE.replace("title, color]", "title]").replace("NOTES_TABLE: ", "NOTE_TABLE: ");
    let root = folder("several");
    std::fs::remove_dir_all(root.join("events")).unwrap();
    assert_eq!(
        all(&notes(&template, root)),
        [
            "list-notes: the environment lacks \"NOTES_TABLE\"",
            "list-notes: the environment has \"NOTE_TABLE\", which the route does not read",
            "get-note: the environment lacks \"NOTES_TABLE\"",
            "get-note: the environment has \"NOTE_TABLE\", which the route does not read",
            "list-notes: permission Fetch lacks \"color\"",
            "get-note: permission Get lacks \"color\"",
            "events/: the folder lacks \"get-note\"",
            "events/: the folder lacks \"list-notes\"",
        ]
    );
}

#[test]
fn a_mistake_in_the_template_is_named() {
    let list = "dynamodb:Attributes: [shard, noteId, topic, stars, title]";
    let get = "Get: {Type: HttpApi, Properties: {Method: GET, Path: '/notes/{noteId}', Auth: {Authorizer: Jwt}}}";
    for (from, to, sentence) in [
        (
            "AttributeName: stars, AttributeType: N",
            "AttributeName: stars, AttributeType: S",
            "notes: the type of \"stars\" in template.yaml is not that of the model",
        ),
        (
            "KeySchema: [{AttributeName: noteId",
            "KeySchema: [{AttributeName: stars",
            "notes: the table's key is (stars) in template.yaml and (noteId) in the model",
        ),
        (
            "IndexName: byShardStars",
            "IndexName: byShard",
            "notes: template.yaml lacks \"byShardStars\"",
        ),
        (
            "IndexName: byShardStars",
            "IndexName: byShard",
            "notes: template.yaml has \"byShard\", which is no index of the model",
        ),
        (
            "{AttributeName: shard, KeyType: HASH}",
            "{AttributeName: stars, KeyType: HASH}",
            "notes: byShardStars: HASH is (stars) in template.yaml and (shard) in the model",
        ),
        (
            "- {AttributeName: noteId, KeyType: RANGE}\n",
            "\n",
            "notes: byShardStars: RANGE is (stars) in template.yaml and (stars, noteId) in the model",
        ),
        (
            "NonKeyAttributes: [title, topic]",
            "NonKeyAttributes: [topic]",
            "notes: the projection of byShardStars lacks \"title\"",
        ),
        (
            "NonKeyAttributes: [title, topic]",
            "NonKeyAttributes: [title, topic, color]",
            "notes: the projection of byShardStars has \"color\", which the model does not name",
        ),
        (
            "ProjectionType: INCLUDE, NonKeyAttributes: [title, topic]",
            "ProjectionType: ALL",
            "notes: byShardStars: the projection is ALL, not INCLUDE",
        ),
        ("NotesTable:\n", "NoteTable:\n", "template.yaml: the list of tables lacks \"notes\""),
        (
            "Binary: list-notes",
            "Binary: list-note",
            "template.yaml: the list of functions lacks \"list-notes\"",
        ),
        (
            "Method: HEAD, Path: /notes}",
            "Method: HEAD, Path: /note}",
            "list-notes: template.yaml lacks \"HEAD /notes\"",
        ),
        (
            "Method: GET, Path: /notes}",
            "Method: GET, Path: /notes, Auth: {Authorizer: Jwt}}",
            "list-notes: GET /notes has the authorizer Jwt, and the route is public",
        ),
        (
            get,
            "Get: {Type: HttpApi, Properties: {Method: GET, Path: '/notes/{noteId}'}}",
            "get-note: GET /notes/{noteId} has no authorizer, and the route is not public",
        ),
        (
            "Method: GET, Path: /notes}",
            "Method: GET, Path: /notes, PayloadFormatVersion: '1.0'}",
            "list-notes: GET /notes has another PayloadFormatVersion than 2.0",
        ),
        (
            "NOTES_TABLE: !Ref NotesTable",
            "NOTES_TABLE: notes",
            "list-notes: NOTES_TABLE is not `!Ref NotesTable`",
        ),
        (
            "          CURSOR_SECRET: from the secrets manager\n",
            "",
            "list-notes: the environment lacks \"CURSOR_SECRET\"",
        ),
        (
            "LOG_LEVEL: info",
            "LOG_LEVELS: info",
            "list-notes: the environment has \"LOG_LEVELS\", which the route does not read",
        ),
        ("READ_ANY_SCOPE: ", "READ_SCOPE: ", "get-note: the environment lacks \"READ_ANY_SCOPE\""),
        (
            list,
            "dynamodb:Attributes: [shard, noteId, topic, title]",
            "list-notes: permission List lacks \"stars\"",
        ),
        (
            list,
            "dynamodb:Attributes: [shard, noteId, topic, stars, title, secret]",
            "list-notes: permission List has \"secret\", which no request names",
        ),
        (
            "Action: dynamodb:Query",
            "Action: [dynamodb:Query, dynamodb:Scan]",
            "list-notes: permission List allows dynamodb:Scan on NotesTable/index/byShardStars, which no request does",
        ),
        (
            "[dynamodb:GetItem, dynamodb:BatchGetItem]",
            "dynamodb:GetItem",
            "list-notes: no permission allows dynamodb:BatchGetItem on NotesTable",
        ),
        (
            "index/byShardStars",
            "index/*",
            "list-notes: permission List is on {\"Fn::Sub\":\"${NotesTable.Arn}/index/*\"}, which is no exact ARN of a table or index",
        ),
        (
            "[SPECIFIC_ATTRIBUTES, COUNT]",
            "[COUNT]",
            "list-notes: dynamodb:Select of permission List lacks \"SPECIFIC_ATTRIBUTES\"",
        ),
        ("Effect: Allow", "Effect: Deny", "list-notes: permission List is no Allow"),
        (
            "Policies:\n",
            "Policies:\n        - AWSXRayDaemonWriteAccess\n",
            "list-notes: a policy is no inline statement, so nothing compares it with the requests",
        ),
        (
            "Role: !GetAtt GetNoteRole.Arn",
            "Role: !GetAtt ListNotesRole.Arn",
            "get-note: ListNotesRole is also the role of list-notes",
        ),
        (
            "      Role: !GetAtt GetNoteRole.Arn\n",
            "",
            "get-note: the function has no role of its own in template.yaml",
        ),
        (
            "Resource: !GetAtt GetNoteLogs.Arn",
            "Resource: '*'",
            "get-note: permission number 3 is not on the function's own log group",
        ),
        (
            "[logs:CreateLogStream, logs:PutLogEvents]",
            "[logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]",
            "list-notes: permission number 3 has \"logs:CreateLogGroup\", which no function needs",
        ),
        (
            "LimitsTable:\n",
            "OtherTable:\n",
            "template.yaml has no LimitsTable, and a route has a quota",
        ),
        (
            "AttributeName: window, AttributeType: N",
            "AttributeName: window, AttributeType: S",
            "LimitsTable: `caller` is an S and `window` an N",
        ),
        (
            "      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}\n",
            "",
            "LimitsTable: no TimeToLiveSpecification on `expires`",
        ),
        (
            "CALLER_LIMIT: 600;w=60",
            "CALLER_LIMITS: 600;w=60",
            "get-note: the environment lacks \"CALLER_LIMIT\"",
        ),
        (
            "LIMITS_TABLE: !Ref LimitsTable",
            "LIMITS_TABLE: limits",
            "get-note: LIMITS_TABLE is not `!Ref LimitsTable`",
        ),
        (
            "Action: dynamodb:UpdateItem",
            "Action: dynamodb:PutItem",
            "get-note: no permission allows dynamodb:UpdateItem on LimitsTable",
        ),
        (
            "[caller, window, used, expires]",
            "[caller, window, used, expires, name]",
            "get-note: permission Count has \"name\", which no request names",
        ),
        (
            "{dynamodb:ReturnValues: UPDATED_NEW}",
            "{dynamodb:ReturnValues: ALL_NEW}",
            "get-note: dynamodb:ReturnValues of permission Count has \"ALL_NEW\", which no request has",
        ),
        (
            "CATALOG_SHARDS: 1\n",
            "CATALOG_SHARDS: 1\n          CACHE_URL: the cache\n",
            "list-notes: the environment has \"CACHE_URL\", which the route does not read",
        ),
        ("Value: !Ref GetNote", "Value: !Ref GetNotes", "the alarms: Errors lacks \"GetNote\""),
    ] {
        let found = with_template(from, to);
        assert!(
            found.iter().any(|mistake| mistake == sentence),
            "{from} → {to}: no “{sentence}” among {found:#?}"
        );
    }
}

#[test]
fn a_route_that_the_cache_serves_has_its_address_and_its_network() {
    const ADDRESS: &str = "the environment lacks \"CACHE_URL\"";
    const INTERFACES: &str =
        "no permission lets Lambda connect the function to the network of the cache";
    const CODE: &str = "nothing keeps the function's code from making network interfaces";
    let address = ("CATALOG_SHARDS: 1\n", "CATALOG_SHARDS: 1\n          CACHE_URL: the cache\n");
    let allow = "              - {Effect: Allow, Action: [ec2:AssignPrivateIpAddresses, ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets, ec2:UnassignPrivateIpAddresses], Resource: '*'}\n";
    let deny = "              - {Effect: Deny, Action: 'ec2:*', Resource: '*', Condition: {ArnLike: {lambda:SourceFunctionArn: !Sub 'arn:aws:lambda:${AWS::Region}:1:function:*'}}}\n";
    let too_much = allow.replace("ec2:DescribeSubnets", "ec2:DescribeSubnets, ec2:RunInstances");
    let first = "              - Sid: List\n";
    let with = |name, statements: String, address: (&str, &str)| {
        let template = TEMPLATE
            .replacen(first, &format!("{statements}{first}"), 1)
            .replacen(address.0, address.1, 1);
        const RESOURCES: &[&Resource] = &[&PUBLIC_NOTES];
        const ROUTES: &[&Route] = &[&LIST_PUBLIC_NOTES];
        let bundle = Bundle::of(RESOURCES, ROUTES, &template).unwrap();
        let mistakes = all(&Checkout { bundle, root: folder(name) });
        // The other route is not in this bundle.
        let of_the_list = |mistake: &String| mistake.starts_with("list-notes: ");
        let mut found: Vec<_> = mistakes.into_iter().filter(of_the_list).collect();
        found.sort();
        found.iter().map(|mistake| mistake["list-notes: ".len()..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with("no-cache", String::new(), ("", "")), [INTERFACES, CODE, ADDRESS]);
    assert_eq!(with("no-network", String::new(), address), [INTERFACES, CODE]);
    assert_eq!(with("code", allow.to_owned(), address), [CODE]);
    assert_eq!(with("cached", format!("{allow}{deny}"), address), Vec::<String>::new());
    assert_eq!(
        with("too-much", format!("{too_much}{deny}"), address),
        [INTERFACES, "permission number 1 has \"ec2:RunInstances\", which no function needs"]
    );
}

#[test]
fn a_mistake_in_the_folders_is_named() {
    let replace = |from: &'static str, to: &'static str| {
        move |file: &Path| {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains(from), "{from}");
            std::fs::write(file, text.replacen(from, to, 1)).unwrap();
        }
    };
    let cases = [
        (
            with_file("Cargo.toml", replace("HEAD", "PUT")),
            "Cargo.toml: the router lacks \"HEAD /notes = list-notes\"",
        ),
        (
            with_file("Cargo.toml", replace("/notes/{noteId}", "/note/{id}")),
            "Cargo.toml: the router has \"GET /note/{id} = get-note\", which is no route",
        ),
        (
            with_file("functions/other", |folder| std::fs::create_dir(folder).unwrap()),
            "functions/: the folder has \"other\", which is no route",
        ),
        (
            with_file("functions/get-note", |folder| std::fs::remove_dir_all(folder).unwrap()),
            "functions/: the folder lacks \"get-note\"",
        ),
        (
            with_file(
                "functions/get-note/Cargo.toml",
                replace("[features]\n", "[features]\ndefault = [\"local-tokens\"]\n"),
            ),
            "functions/get-note/Cargo.toml: the feature local-tokens is `[\"api/local-tokens\"]`, and no default",
        ),
        (
            with_file("functions/get-note/src/main.rs", |file| {
                std::fs::write(file, "\n".repeat(21)).unwrap()
            }),
            "functions/get-note/src/main.rs has 21 lines: it boots and serves, in 20 at most",
        ),
        (
            with_file("events/get-note.plain.json", |file| std::fs::remove_file(file).unwrap()),
            "events/: the folder lacks \"get-note\"",
        ),
        (
            with_file("events/get-note.plain.json", replace("GET /notes/{noteId}", "GET /notes")),
            "events/get-note.plain.json: the routeKey is \"GET /notes\", and the route's path /notes/{noteId}",
        ),
    ];
    for (found, sentence) in cases {
        assert!(
            found.iter().any(|mistake| mistake == sentence),
            "no “{sentence}” among {found:#?}"
        );
    }
}

/// A function that is no route's, with a schema of its own, serves all routes.
#[test]
fn an_interface_is_compared_with_all_routes() {
    let root = folder("interface");
    for (path, text) in [
        ("functions/ask/Cargo.toml", CRATE),
        ("functions/ask/src/main.rs", "fn main() {}\n"),
        ("functions/ask/schema.graphql", "type Query { ask: Int }\n"),
        ("functions/ask/events/ask.plain.json", r#"{"routeKey": "POST /ask"}"#),
        ("functions/ask/events/ask.other.json", r#"{"routeKey": "PUT /ask"}"#),
    ] {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let function = "Resources:
  Ask:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: ask}}
    Properties:
      CodeUri: functions/ask
      Environment: {Variables: {ASK_DEPTH: '8', OTHER: x, NOTES_TABLE: !Ref NotesTable}}
      Events: {Post: {Type: HttpApi, Properties: {Method: POST, Path: /ask}}}
";
    let found_in =
        |root: &Path| all(&notes(&TEMPLATE.replacen("Resources:\n", function, 1), root.to_owned()));
    let found = found_in(&root);
    for sentence in [
        "Cargo.toml: the router lacks \"POST /ask = ask\"",
        "ask: the environment lacks \"CURSOR_SECRET\"",
        "ask: the environment lacks \"READ_ANY_SCOPE\"",
        "ask: the environment has \"OTHER\", which the route does not read",
        "ask: no permission allows dynamodb:Query on NotesTable/index/byShardStars",
        "ask: no permission allows dynamodb:GetItem on NotesTable",
        "functions/ask/events/ask.other.json: the routeKey \"PUT /ask\" is no event of template.yaml",
        "the alarms: Errors lacks \"Ask\"",
    ] {
        assert!(found.iter().any(|mistake| mistake == sentence), "no “{sentence}” in {found:#?}");
    }
    for name in ["ASK_DEPTH", "ask.plain", "is no route", "ask: the environment lacks \"NOTES"] {
        assert!(!found.iter().any(|mistake| mistake.contains(name)), "“{name}” in {found:#?}");
    }
    std::fs::remove_dir_all(root.join("functions/ask/events")).unwrap();
    assert!(found_in(&root).contains(&"functions/ask/events: ask has no event".to_owned()));
    std::fs::remove_file(root.join("functions/ask/schema.graphql")).unwrap();
    let sentence = "functions/: the folder has \"ask\", which is no route";
    assert!(found_in(&root).iter().any(|mistake| mistake == sentence));
}
