//! The workspace's own template.yaml makes the local stack, whatever its bundle is.

use dev::bundle::Bundle;
use dev::sample::{COPIES, Sample};
use dev::template::Template;
use dev::{client, database, load, openapi};

#[tokio::test]
async fn every_table_is_made_as_the_template_has_it_and_holds_the_sample() {
    let (bundle, sample) = (Bundle::of_workspace().unwrap(), Sample::of_workspace().unwrap());
    if bundle.resources.is_empty() {
        return;
    }
    let local = database::start(&bundle.template).unwrap();
    // The database has what the template says: nothing is left to be made, nothing differs.
    assert!(database::create_tables(&local.db, &bundle.template).unwrap().is_empty());
    let reports = load::sample(&client::local(&local.url), &bundle, &sample, 1).await.unwrap();
    for (report, resource) in reports.iter().zip(bundle.resources) {
        let rows = u64::try_from(sample.rows(resource).count()).unwrap();
        assert!(rows > 0, "samples/{}.jsonl has no rows", resource.name);
        assert_eq!(report.loaded, rows * u64::from(COPIES), "{}", resource.name);
    }
}

#[test]
fn every_field_has_a_value_in_the_samples() {
    let (bundle, sample) = (Bundle::of_workspace().unwrap(), Sample::of_workspace().unwrap());
    assert_eq!(
        openapi::without_example(&bundle, &sample),
        Vec::<String>::new(),
        "fields without a value in samples/"
    );
}

#[test]
fn the_committed_openapi_document_is_what_the_declarations_say() {
    openapi::write(true).unwrap();
}

#[test]
fn every_function_has_a_crate_a_route_and_its_tables() {
    let bundle = Bundle::of_workspace().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    for function in &bundle.template.functions {
        assert!(folder.join(&function.binary).is_dir(), "{} has no crate", function.binary);
        assert!(!function.routes.is_empty(), "{} has no route", function.binary);
        assert!(!function.statements.is_empty(), "{} has no permissions", function.binary);
    }
    let variables = bundle.template.table_variables();
    for resource in bundle.routes.iter().flat_map(|route| route.resources()) {
        assert_eq!(variables.get(resource.table_variable).map(String::as_str), Some(resource.name));
    }
}

#[test]
fn the_loader_takes_as_many_shards_as_the_functions() {
    let template = Template::of_workspace().unwrap();
    let limit = template.document["Parameters"]["CatalogShards"]["MaxValue"].as_u64();
    assert_eq!(limit, Some(u64::from(load::MAX_SHARDS)));
}
