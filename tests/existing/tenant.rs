//! Tenants: every signed-in member of a tenant reads the tenant's items. The tenant stands in the
//! claim `tenant` of the token, in the key of a project, and in an attribute of a task.

use api::*;
use serde_json::{Value, json};

use super::{ask, walk};
use crate::{
    smoke::{Served, whole},
    stack::Stack,
};

const TENANT: Access = Access::Owner { field: "tenantId", claim: "tenant" };

pub(crate) static PROJECTS: Resource = Resource {
    name: "projects",
    table_variable: "PROJECTS_TABLE",
    table: Table {
        key: &["tenantId", "projectId"],
        indexes: &[Index {
            name: None,
            partition: Partition::Attributes(&["tenantId"]),
            range: &["projectId"],
            projects: Projects::All,
        }],
    },
    fixed: &[],
    fields: &[
        field("tenantId", Kind::Text, "The tenant."),
        field("projectId", Kind::Text, "The project's id."),
        field("title", Kind::Text, "Its title."),
    ],
    summary: &["tenantId", "projectId", "title"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};
pub(crate) static TASKS: Resource = Resource {
    name: "tasks",
    table_variable: "TASKS_TABLE",
    table: Table {
        key: &["taskId"],
        indexes: &[Index {
            name: Some("byProject"),
            partition: Partition::Attributes(&["tenantId", "projectId"]),
            range: &["taskId"],
            projects: Projects::All,
        }],
    },
    fixed: &[],
    fields: &[
        field("taskId", Kind::Text, "The task's id."),
        field("tenantId", Kind::Text, "The tenant."),
        field("projectId", Kind::Text, "The project."),
    ],
    summary: &["taskId", "projectId"],
    modified: None,
    policy: Policy::PrivateRevalidate,
};
const LIST: List = List { filters: &[], sorts: &[], expansions: &[], limits: Limits::USUAL };

/// The tenant is not in the path: the list is the caller's own tenant's.
pub(crate) static LIST_PROJECTS: Route = Route {
    name: "list-projects",
    path: "/projects",
    about: "List the projects of the caller's tenant.",
    resource: &PROJECTS,
    access: TENANT,
    quota: Quota::None,
    shape: Shape::List(LIST),
};
/// Half of the key comes from the path, the other from the token.
static GET_PROJECT: Route = Route {
    name: "get-project",
    path: "/projects/{projectId}",
    about: "Get a project of the caller's tenant.",
    resource: &PROJECTS,
    access: TENANT,
    quota: Quota::None,
    shape: Shape::One,
};
/// The tenant stands in the item.
static GET_TASK: Route = Route {
    name: "get-task",
    path: "/tasks/{taskId}",
    about: "Get a task.",
    resource: &TASKS,
    access: TENANT,
    quota: Quota::None,
    shape: Shape::One,
};
/// A nested list, by two values of the path.
pub(crate) static LIST_TASKS: Route = Route {
    name: "list-tasks",
    path: "/tenants/{tenantId}/projects/{projectId}/tasks",
    about: "List the tasks of a project.",
    resource: &TASKS,
    access: TENANT,
    quota: Quota::None,
    shape: Shape::List(LIST),
};
/// Any signed-in caller.
static GET_ANY_TASK: Route = Route {
    name: "get-any-task",
    path: "/all-tasks/{taskId}",
    about: "Get a task of any tenant.",
    resource: &TASKS,
    access: Access::SignedIn,
    quota: Quota::None,
    shape: Shape::One,
};
pub(crate) const RESOURCES: &[&Resource] = &[&PROJECTS, &TASKS];
pub(crate) const ROUTES: &[&Route] =
    &[&LIST_PROJECTS, &GET_PROJECT, &GET_TASK, &LIST_TASKS, &GET_ANY_TASK];
const _: () = check(RESOURCES, ROUTES);

pub(crate) const TEMPLATE: &str = "
Resources:
  ProjectsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: tenantId, AttributeType: S}, {AttributeName: projectId, AttributeType: S}]
      KeySchema: [{AttributeName: tenantId, KeyType: HASH}, {AttributeName: projectId, KeyType: RANGE}]
  TasksTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: taskId, AttributeType: S}
        - {AttributeName: tenantId, AttributeType: S}
        - {AttributeName: projectId, AttributeType: S}
      KeySchema: [{AttributeName: taskId, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: byProject
          KeySchema:
            - {AttributeName: tenantId, KeyType: HASH}
            - {AttributeName: projectId, KeyType: HASH}
            - {AttributeName: taskId, KeyType: RANGE}
          Projection: {ProjectionType: ALL}
";

pub(crate) fn stack() -> Stack {
    let stack = Stack::over(RESOURCES, TEMPLATE);
    let projects = (0..20).map(|number| {
        json!({"tenantId": format!("t-{}", number % 2), "projectId": format!("p-{number:02}"), "title": "A", "key": "sentinel-key"})
    });
    stack.put("projects", projects);
    let tasks = (0..30).map(|number| {
        json!({"taskId": format!("k-{number:02}"), "tenantId": format!("t-{}", number % 2), "projectId": format!("p-{:02}", number % 4)})
    });
    stack.put("tasks", tasks);
    stack
}

fn member(sub: &str, tenant: &str) -> Value {
    json!({"sub": sub, "tenant": tenant})
}

#[test]
fn the_declarations_have_no_mistake() {
    assert_eq!(mistakes(RESOURCES, ROUTES), Vec::<String>::new());
}

#[tokio::test]
async fn a_list_without_the_tenant_in_its_path_is_that_of_the_caller() {
    let stack = stack();
    let own: Vec<_> =
        (0..20).filter(|number| number % 2 == 1).map(|number| format!("p-{number:02}")).collect();
    for sub in ["u-1", "u-2"] {
        assert_eq!(
            walk(&stack, &LIST_PROJECTS, &[], "limit=3", &member(sub, "t-1"), "projectId").await,
            own,
            "every member"
        );
    }
    assert_eq!(
        ask(&stack, &LIST_PROJECTS, &[], "", json!({"sub": "u-1"})).await.status,
        403,
        "no tenant in the token"
    );
    assert_eq!(ask(&stack, &LIST_PROJECTS, &[], "", Value::Null).await.status, 401);
    let nobody = ask(&stack, &LIST_PROJECTS, &[], "", member("u-1", "t-9")).await;
    assert_eq!((nobody.status, nobody.json()["items"].clone()), (200, json!([])));
    // A cursor of one member is nobody else's, of the same tenant or not.
    let next =
        ask(&stack, &LIST_PROJECTS, &[], "limit=3", member("u-1", "t-1")).await.next().unwrap();
    for (claims, status) in
        [(member("u-1", "t-1"), 200), (member("u-2", "t-1"), 400), (member("u-1", "t-0"), 400)]
    {
        assert_eq!(
            ask(&stack, &LIST_PROJECTS, &[], &format!("cursor={next}"), claims.clone())
                .await
                .status,
            status,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn an_item_of_another_tenant_does_not_exist() {
    let stack = stack();
    let get = async |route, name: &str, id: &str, claims| {
        ask(&stack, route, &[(name, id)], "", claims).await
    };
    assert_eq!(get(&GET_PROJECT, "projectId", "p-01", member("u-1", "t-1")).await.status, 200);
    assert_eq!(
        get(&GET_TASK, "taskId", "k-01", member("u-1", "t-1")).await.json()["taskId"],
        "k-01"
    );
    let body = |answer: &crate::stack::Answer| (answer.status, answer.body.clone());
    for (route, name, theirs, missing) in
        [(&GET_PROJECT, "projectId", "p-02", "p-99"), (&GET_TASK, "taskId", "k-02", "k-99")]
    {
        let theirs = get(route, name, theirs, member("u-1", "t-1")).await;
        let missing = get(route, name, missing, member("u-1", "t-1")).await;
        assert_eq!(theirs.status, 404);
        assert_eq!(body(&theirs), body(&missing));
    }
    // The owner is read even if the caller does not ask for it, and not shown then.
    let fields =
        ask(&stack, &GET_TASK, &[("taskId", "k-01")], "fields=projectId", member("u-1", "t-1"))
            .await;
    assert_eq!(fields.json(), json!({"projectId": "p-01"}));
    let support = json!({"sub": "s-1", "tenant": "t-0", "scope": "lean-routes/users:read"});
    assert_eq!(
        get(&GET_TASK, "taskId", "k-01", support).await.status,
        200,
        "the scope for everybody's items"
    );
    assert_eq!(
        get(&GET_ANY_TASK, "taskId", "k-01", json!({"sub": "u-9"})).await.status,
        200,
        "any signed-in caller"
    );
    assert_eq!(get(&GET_ANY_TASK, "taskId", "k-01", Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_nested_list_goes_by_two_values_of_its_path() {
    let stack = stack();
    let path = |tenant| [("tenantId", tenant), ("projectId", "p-01")];
    let own: Vec<_> =
        (0..30).filter(|number| number % 4 == 1).map(|number| format!("k-{number:02}")).collect();
    assert_eq!(
        walk(&stack, &LIST_TASKS, &path("me"), "limit=3", &member("u-1", "t-1"), "taskId").await,
        own
    );
    assert_eq!(
        walk(&stack, &LIST_TASKS, &path("t-1"), "limit=3", &member("u-1", "t-1"), "taskId").await,
        own
    );
    assert_eq!(ask(&stack, &LIST_TASKS, &path("t-1"), "", member("u-1", "t-0")).await.status, 403);
    let wrong = ask(
        &stack,
        &LIST_TASKS,
        &[("tenantId", "t-1"), ("projectId", "")],
        "",
        member("u-1", "t-1"),
    )
    .await;
    assert_eq!(wrong.wrong(), ["projectId"]);
}

#[tokio::test]
async fn a_deployed_stack_can_be_tried() {
    let served =
        Served { stack: stack(), resources: RESOURCES, routes: ROUTES, template: TEMPLATE };
    let tried = whole(served, &member("ann", "t-0"), &[]).await;
    for name in [
        "list-tasks: list",
        "get-project: no such item",
        "list-tasks: somebody else's",
        "get-any-task: not modified",
    ] {
        assert!(tried.iter().any(|other| other == name), "{name}: {tried:?}");
    }
}
