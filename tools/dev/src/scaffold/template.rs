//! Edits of `template.yaml`: pure functions from text to text. Comments and order stay.
//!
//! The form of a table and of a route's block is that of the YAML files in this module's folder.
//! Only the parts that follow from the declarations are made here. A list that a fork has removed
//! (alarm of throttles, distribution) is left out.
//!
//! - `table`: a resource's table, with its alarm and its output.
//! - `route`: a route's block, with its throttles and its place in the distribution.
//! - `permissions`: the statements of a route's role.
//! - `removal`: the way back.
//! - `places`: the lines of the template that the others look for, and edits next to them.

mod permissions;
mod places;
mod removal;
mod route;
mod table;

pub(super) use removal::without;
pub(super) use route::with_route;
pub(super) use table::with_resource;

#[cfg(test)]
mod tests {
    use super::super::resource::NewResource;
    use super::super::route::{NewAccess, NewRoute};
    use super::*;
    use crate::template::Template;

    /// A bundle without resources and routes, in the form of template.yaml.
    const EMPTY: &str = include_str!("template/empty.yaml");

    fn things() -> NewResource {
        NewResource::parse(
            "blog-posts",
            "postId",
            &["byAuthor:authorId,publishedAt".to_owned(), "byVotes:votes=number".to_owned()],
        )
        .unwrap()
    }

    fn list(access: NewAccess) -> NewRoute {
        let path = "/v1/users/{userId}/orders".to_owned();
        NewRoute {
            name: "list-orders".to_owned(),
            path,
            resource: &shop::ORDERS,
            access,
            is_list: true,
        }
    }

    #[test]
    fn a_table_has_keys_indexes_and_an_output() {
        let text = with_resource(EMPTY, &things()).unwrap();
        let template = Template::parse(&text).unwrap();
        let table = template.table("blog-posts").unwrap();
        assert_eq!(table.key[0].name, "postId");
        let keys = |index: &str| {
            table
                .index(index)
                .unwrap()
                .key
                .iter()
                .map(|key| (key.name.as_str(), key.hash))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys("byAuthor"),
            [("authorId", true), ("publishedAt", false), ("postId", false)]
        );
        assert_eq!(keys("byVotes"), [("shard", true), ("votes", false), ("postId", false)]);
        assert_eq!(
            table.create["AttributeDefinitions"][4],
            serde_json::json!({"AttributeName": "shard", "AttributeType": "N"})
        );
        assert_eq!(
            template.document["Outputs"]["BlogPostsTable"]["Value"]["Ref"],
            "BlogPostsTable"
        );
        assert!(text.contains("\n              [\"AWS/DynamoDB\", \"ReadThrottleEvents\", \"TableName\", \"${BlogPostsTable}\"],\n"));
        assert!(text.contains(
            "cargo dev load DIR --region ${AWS::Region} --table blog-posts=${BlogPostsTable}\n"
        ));
    }

    #[test]
    fn a_list_has_a_block_and_throttles() {
        let table =
            with_resource(EMPTY, &NewResource::parse("orders", "userId,orderId", &[]).unwrap())
                .unwrap();
        let text = with_route(&table, &list(NewAccess::Owner("userId".to_owned())), "OrdersTable")
            .unwrap();
        let template = Template::parse(&text).unwrap();
        let function = template.function("list-orders").unwrap();
        assert_eq!(function.routes[0].path, "/v1/users/{userId}/orders");
        assert!(
            ["ORDERS_TABLE", "CURSOR_SECRET", "READ_ANY_SCOPE", "LIMITS_TABLE", "CALLER_LIMIT"]
                .iter()
                .all(|name| function.environment.contains_key(*name))
        );
        assert!(!function.environment.contains_key("CATALOG_SHARDS"));
        let throttles = &template.document["Resources"]["ThrottleAlarm"]["Properties"]["Metrics"];
        assert_eq!(
            throttles[1]["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"],
            "ListOrders"
        );
        assert!(text.contains("\n  # ── GET /v1/users/{userId}/orders: list-orders ────"));
        assert!(text.lines().all(|line| !line.contains('@')), "a placeholder is left");
    }

    #[test]
    fn a_public_route_is_cached_by_the_distribution() {
        let route = NewRoute {
            path: "/v1/users/{userId}".to_owned(),
            is_list: false,
            resource: &shop::USERS,
            ..list(NewAccess::Public)
        };
        let text = with_route(EMPTY, &route, "UsersTable").unwrap();
        let document = Template::parse(&text).unwrap().document;
        let caches = &document["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"];
        assert_eq!(
            (caches[0]["PathPattern"].as_str(), caches[1].is_null()),
            (Some("/v1/users/*"), true)
        );
    }

    #[test]
    fn a_list_of_public_items_is_in_the_network_of_the_cache() {
        let parsed = |resource| {
            let route = NewRoute { resource, ..list(NewAccess::Public) };
            Template::parse(&with_route(EMPTY, &route, "ThingsTable").unwrap()).unwrap()
        };
        let of = |template: &Template| {
            let function = template.function("list-orders").unwrap();
            let properties = &template.document["Resources"]["ListOrders"]["Properties"];
            let effects =
                function.statements.iter().filter(|statement| statement["Resource"] == "*");
            (
                function.environment.contains_key("CACHE_URL"),
                properties["VpcConfig"]["Fn::If"][0] == "HasCache",
                properties["VersionDescription"].to_string().contains("${CacheGeneration}"),
                effects.map(|statement| statement["Effect"].to_string()).collect::<String>(),
            )
        };
        let public = of(&parsed(&shop::PRODUCTS));
        assert_eq!(public, (true, true, true, "\"Allow\"\"Deny\"\"Allow\"".to_owned()));
        let private = of(&parsed(&shop::ORDERS));
        assert_eq!(private, (false, false, false, "\"Allow\"".to_owned()), "that of traces");
    }

    #[test]
    fn what_was_added_can_be_removed() {
        let table = with_resource(EMPTY, &things()).unwrap();
        let route = NewRoute { resource: &shop::PRODUCTS, ..list(NewAccess::Public) };
        let full = with_route(&table, &route, "BlogPostsTable").unwrap();
        assert_eq!(without(&full, &["blog-posts"], &["list-orders"]), EMPTY);
    }
}
