//! A route in the template: its function with role, log group and alarms, and its lines in the
//! lists that name every function.

use super::super::name::{camel, pascal, screaming};
use super::super::route::{NewAccess, NewRoute};
use super::permissions::{COUNT, statements};
use super::places::{
    BLOCK, CACHES, DASHBOARD_END, DASHBOARD_TABLES, NO_CACHES, ROUTES, WIDTH, appended, filled,
    inserted, on_dashboard,
};
use crate::template::COUNTERS;
use anyhow::{Context as _, Result};
use api::Policy;
use std::fmt::Write as _;

const ROUTE: &str = include_str!("route.yaml");
const CACHE: &str = include_str!("cache.yaml");
/// The lines that put a function into the network of the cache tier: its place, its address of the
/// cache, and the permission.
const CONNECTION: &str = "      VpcConfig: !If\n        - HasCache\n        - {SubnetIds: !Split [',', !Ref CacheSubnetIds], SecurityGroupIds: \
                          [!Ref CacheSecurityGroupId]}\n        - !Ref AWS::NoValue\n";
const ADDRESS: &str = "          CACHE_URL: !If\n            - HasCache\n            - !Sub rediss://${CacheUser}:{{resolve:secretsmanager:${CacheSecret}}}\
                       @${Cache.Endpoint.Address}:${Cache.Endpoint.Port}\n            - !Ref AWS::NoValue\n";
const INTERFACES: &str = include_str!("interfaces.yaml");

/// Adds a route's block, its throttles and, if it is public, its place in the distribution.
pub(in crate::scaffold) fn with_route(
    template: &str,
    new: &NewRoute,
    table: &str,
) -> Result<String> {
    let routes = template
        .find(ROUTES)
        .with_context(|| format!("there is no heading `{}`", ROUTES.trim()))?;
    let mut headings =
        template[routes + 1..].match_indices("\n  # ── ").map(|(at, _)| routes + 1 + at + 1);
    let end = headings
        .find(|at| !template[*at..].starts_with(BLOCK))
        .context("no heading follows the routes")?;
    let template = inserted(template, end, &block(new, table));
    let function = pascal(&new.name);
    let throttles = format!(
        "        - {{Id: {}, ReturnData: false, MetricStat: {{Period: 300, Stat: Sum, Metric: {{Namespace: AWS/Lambda, MetricName: Throttles, \
         Dimensions: [{{Name: FunctionName, Value: !Ref {function}}}]}}}}}}\n",
        camel(&new.name)
    );
    let template = appended(&template, "ThrottleAlarm", &throttles);
    let shown = format!("[\"AWS/Lambda\", \"Throttles\", \"FunctionName\", \"${{{function}}}\"],");
    let template = on_dashboard(&template, &[DASHBOARD_TABLES, DASHBOARD_END], &shown);
    if new.access != NewAccess::Public {
        return Ok(template);
    }
    let pattern = new
        .path
        .split('/')
        .map(|segment| if segment.starts_with('{') { "*" } else { segment })
        .collect::<Vec<_>>()
        .join("/");
    let pattern = if pattern.contains('*') { format!("'{pattern}'") } else { pattern };
    let Some(at) = template.find("\n        CustomErrorResponses:") else { return Ok(template) };
    Ok(inserted(&template, at + 1, &filled(CACHE, &[("pattern", &pattern)]))
        .replacen(NO_CACHES, CACHES, 1))
}

/// Returns a route's block of resources; `table` is the logical id of its table.
fn block(new: &NewRoute, table: &str) -> String {
    let (function, resource) = (pascal(&new.name), pascal(new.resource.name));
    let heading = format!("{BLOCK}{}: {} ", new.path, new.name);
    let heading =
        format!("{heading}{}", "─".repeat(WIDTH.saturating_sub(heading.chars().count() + 1)));
    let owner = new.access != NewAccess::Public;
    let sharded = new.is_list && new.resource.table.is_sharded();
    let cached = new.is_list && matches!(new.resource.policy, Policy::Public { .. });
    let (mut description, mut version, mut environment) =
        (format!("GET {} (", new.path), format!("table ${{{resource}}}"), String::new());
    let mut variables =
        format!("        - {resource}: !Select [1, !Split ['-{table}-', !Ref {table}]]\n");
    let _ = writeln!(environment, "          {}_TABLE: !Ref {table}", screaming(new.resource.name));
    if sharded {
        version += ", shards ${CatalogShards}";
        environment += "          CATALOG_SHARDS: !Ref CatalogShards\n";
    }
    if owner {
        version += ", scope ${ScopeServer}/${ReadAnyScope}, quota ${CallerQuota} ${ServiceQuota} ${CallerWindow} ${Limits}";
        let _ = writeln!(
            variables,
            "          Limits: !Select [1, !Split ['-{COUNTERS}-', !Ref {COUNTERS}]]"
        );
        environment += "          READ_ANY_SCOPE: !If [HasScopeServer, !Sub '${ScopeServer}/${ReadAnyScope}', !Ref ReadAnyScope]\n";
        let _ = write!(
            environment,
            "          LIMITS_TABLE: !Ref {COUNTERS}\n          CALLER_LIMIT: !Sub ${{CallerQuota}};w=${{CallerWindow}}\n          \
             SERVICE_LIMIT: !Sub ${{ServiceQuota}};w=${{CallerWindow}}\n"
        );
    }
    if new.is_list {
        description += "cursor secret ${CursorSecretGeneration}, ";
        version += ", cursors ${Cursors} ${CursorSecretGeneration}${CursorSecretAlso}";
        variables += "          Cursors: !Select [6, !Split [':', !Ref CursorSecret]]\n";
        environment += "          CURSOR_SECRET: !Sub '{{resolve:secretsmanager:${CursorSecret}}}'\n          \
                        CURSOR_SECRET_PREVIOUS: !If # also the next one, see CursorSecret\n            - HasSecondCursorSecret\n            \
                        - !Sub '{{resolve:secretsmanager:${CursorSecret}:SecretString::${CursorSecretAlso}}}'\n            - !Ref AWS::NoValue\n";
    }
    description += "edge secret ${EdgeSecretGeneration}";
    if cached {
        description += ", cache ${CacheGeneration}";
        environment += ADDRESS;
    }
    description += ")";
    let secrets = match new.is_list {
        true => {
            "A cursor authorizes nothing, and the edge''s secret does not replace a token; who may read the configuration may read both"
        }
        false => {
            "The edge''s secret does not replace a token; who may read the configuration may read it"
        }
    };
    filled(
        ROUTE,
        &[
            ("heading", &heading),
            ("Function", &function),
            ("function", &new.name),
            ("secrets", secrets),
            (
                "vpc",
                match cached {
                    true => {
                        "It calls DynamoDB over TLS with IAM, and nothing else unless there is a cache; only then it is in a VPC"
                    }
                    false => {
                        "It calls DynamoDB and nothing else, over TLS with IAM; a VPC would add nothing to that"
                    }
                },
            ),
            (
                "wildcards",
                match cached {
                    true => "X-Ray and Lambda's network interfaces have no resources to name",
                    false => "X-Ray has no resources to name",
                },
            ),
            ("cache", if cached { ", cache ${CacheTier} ${CacheGeneration}" } else { "" }),
            ("connection", if cached { CONNECTION } else { "" }),
            ("interfaces", if cached { INTERFACES } else { "" }),
            ("description", &description),
            ("version", &version),
            ("variables", &variables),
            ("environment", &environment),
            (
                "path",
                &if new.path.contains('{') { format!("'{}'", new.path) } else { new.path.clone() },
            ),
            ("auth", if owner { ", Auth: {Authorizer: Jwt}" } else { "" }),
            (
                "statements",
                &(statements(new.resource, new.is_list, table) + if owner { COUNT } else { "" }),
            ),
        ],
    )
}
