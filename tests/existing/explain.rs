//! `cargo dev explain` of the bundles over existing tables: the plan of a request, in words.

use api::{Resource, Route};
use dev::{bundle::Bundle, explain::explain, sample::Sample};

use super::{classic, single_table, tenant};

type Declared = (&'static [&'static Resource], &'static [&'static Route], &'static str);
const SINGLE_TABLE: Declared =
    (single_table::RESOURCES, single_table::ROUTES, single_table::TEMPLATE);
const CLASSIC: Declared = (classic::RESOURCES, classic::ROUTES, classic::TEMPLATE);
const TENANT: Declared = (tenant::RESOURCES, tenant::ROUTES, tenant::TEMPLATE);

#[test]
fn a_plan_names_the_index_and_the_stored_values() {
    for ((resources, routes, template), request, index, key) in [
        (
            SINGLE_TABLE,
            "/users/me/orders",
            "the table itself of the table orders",
            r#"PK = "USER#u-1" AND begins_with(SK, "ORDER#")"#,
        ),
        (
            SINGLE_TABLE,
            "/users/u-1/orders?since=o-1",
            "the table itself of the table orders",
            r#"PK = "USER#u-1" AND begins_with(SK, "ORDER#o-1")"#,
        ),
        (
            SINGLE_TABLE,
            "/states/paid/orders",
            "byStatus of the table orders",
            r#"status = "paid" AND begins_with(SK, "ORDER#")"#,
        ),
        (CLASSIC, "/sites/oslo/readings", "bySite of the table readings", r#"site = "oslo""#),
        (
            CLASSIC,
            "/sites/oslo/readings?from=2024-01-01&to=2024-01-02",
            "bySite of the table readings",
            r#"site = "oslo" AND takenAt BETWEEN 1704067200 AND 1704153599"#,
        ),
        (CLASSIC, "/devices/d-1/readings", "byLevel of the table readings", r#"deviceId = "d-1""#),
        (CLASSIC, "/batches/b-1/readings", "byBatch of the table readings", r#"batch = "b-1""#),
        (TENANT, "/projects", "the table itself of the table projects", r#"tenantId = "u-1""#),
        (
            TENANT,
            "/tenants/me/projects/p-1/tasks",
            "byProject of the table tasks",
            r#"tenantId = "u-1" AND projectId = "p-1""#,
        ),
    ] {
        let bundle = Bundle::of(resources, routes, template).unwrap();
        let sample = Sample::of(resources, |_| Vec::new());
        let explained = explain(&bundle, &sample, request, "u-1", 1).unwrap();
        assert!(explained.is_plan, "{request}: {}", explained.text);
        let line = |name: &str| {
            let found = explained.text.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        assert_eq!([line("index"), line("key")], [index, key], "{request}");
        assert!(line("rounds").starts_with('1') && line("units").contains("1 × Query of "));
    }
}
