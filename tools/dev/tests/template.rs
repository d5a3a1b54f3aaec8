//! The workspace's own template.yaml makes the local stack.

use dev::database;
use dev::template::Template;

#[test]
fn every_table_is_made_as_the_template_has_it() {
    let template = Template::of_workspace().unwrap();
    let names: Vec<_> = template.tables.iter().map(|table| table.local_name.as_str()).collect();
    assert_eq!(names, ["orders", "products", "users"]);
    let db = database::open(None).unwrap();
    assert_eq!(database::create_tables(&db, &template).unwrap(), names);
    // What DynamoDB says it has is what the template says: nothing to make, nothing that differs.
    assert!(database::create_tables(&db, &template).unwrap().is_empty());
}

#[test]
fn every_function_has_a_crate_a_route_and_its_tables() {
    let template = Template::of_workspace().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    for function in &template.functions {
        assert!(folder.join(&function.binary).is_dir(), "{} has no crate", function.binary);
        assert!(!function.routes.is_empty(), "{} has no route", function.binary);
        assert!(!function.statements.is_empty(), "{} has no permissions", function.binary);
    }
    let variables = template.table_variables();
    for (name, table) in [("PRODUCTS_TABLE", "products"), ("USERS_TABLE", "users"), ("ORDERS_TABLE", "orders")] {
        assert_eq!(variables.get(name).map(String::as_str), Some(table));
    }
}

#[test]
fn the_loader_takes_as_many_shards_as_the_functions() {
    let template = Template::of_workspace().unwrap();
    let limit = template.document["Parameters"]["CatalogShards"]["MaxValue"].as_u64();
    assert_eq!(limit, Some(u64::from(dev::load::MAX_SHARDS)));
}
