//! The options that say which tables a command reads or writes: the database, the resources, the
//! names of real tables.

use crate::bundle::Bundle;
use crate::client::Target;
use crate::load;
use crate::stack::Stack;
use anyhow::{Result, bail};
use clap::Args;

/// The number of partitions of lists that are spread over several.
#[derive(Debug, Args)]
pub(super) struct Shards {
    /// Partitions of a list over shards: the CATALOG_SHARDS of the functions
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(load::MAX_SHARDS)), value_name = "N")]
    pub(super) shards: u32,
}

/// The database and its tables.
#[derive(Debug, Args)]
#[command(
    after_help = "The local database is meant unless --region or --profile is given: AWS_PROFILE alone does not change that. \
                        With one of them, the rest (credentials, region) comes from the AWS configuration as in other tools: \
                        environment, profiles, SSO, credential_process, containers."
)]
pub(super) struct At {
    /// The database's address
    /// [default: that of the `cargo dev up` that runs, else http://127.0.0.1:8000]
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Real tables in this AWS region
    #[arg(long)]
    region: Option<String>,
    /// Real tables, with the credentials of this profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Only this resource; with =TABLE, the name of its real table (template.yaml's outputs have
    /// it). Can be repeated
    #[arg(long = "table", value_name = "RESOURCE[=TABLE]")]
    tables: Vec<String>,
}

impl At {
    /// Returns the database.
    pub(super) fn target(&self) -> Result<Target> {
        let local = self.endpoint_url.is_none() && self.region.is_none() && self.profile.is_none();
        let endpoint = if local {
            Stack::running().map(|stack| stack.endpoint())
        } else {
            self.endpoint_url.clone()
        };
        Target::choose(endpoint, self.region.clone(), self.profile.clone())
    }

    /// Returns true if a resource is meant: all are, unless some are named.
    pub(super) fn picks(&self, resource: &str) -> bool {
        self.tables.is_empty() || self.given(resource).is_some()
    }

    /// Returns the names of the tables of these resources in the database: those that are given,
    /// else, locally, the resources' own. All are checked at once, before the first is used.
    ///
    /// # Errors
    /// If an option names no resource, or a real table has no name.
    pub(super) fn names(
        &self,
        bundle: &Bundle,
        resources: &[&'static str],
        target: &Target,
    ) -> Result<Vec<String>> {
        for table in &self.tables {
            let name = table.split('=').next().unwrap_or_default();
            if !bundle.resources.iter().any(|resource| resource.name == name) {
                bail!(
                    "--table {table}: there is no resource {name}; there are: {}",
                    bundle.names()
                );
            }
        }
        let name = |resource: &&str| match self.given(resource) {
            Some(Some(name)) => Some(name.to_owned()),
            _ if target.is_local() => {
                bundle.template.table(resource).map(|table| table.local_name.clone())
            }
            _ => None,
        };
        let names: Vec<_> = resources.iter().map(name).collect();
        if names.iter().all(Option::is_some) {
            return Ok(names.into_iter().flatten().collect());
        }
        let flags: Vec<_> =
            resources.iter().map(|resource| format!("--table {resource}=TABLE")).collect();
        bail!(
            "{} is required: the outputs of the deployed stack have the names of the tables",
            flags.join(" ")
        )
    }

    /// Returns what is given for a resource: the option, and its table.
    fn given(&self, resource: &str) -> Option<Option<&str>> {
        self.tables.iter().find_map(|table| match table.split_once('=') {
            Some((name, table)) if name == resource => {
                Some(Some(table).filter(|table| !table.is_empty()))
            }
            None if table == resource => Some(None),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        tables: &[&str],
        resources: &[&'static str],
        real: bool,
    ) -> Result<Vec<String>, String> {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let tables = tables.iter().map(|table| (*table).to_owned()).collect();
        let at = At { endpoint_url: None, region: None, profile: None, tables };
        let target = Target::choose(
            Some("http://127.0.0.1:1".to_owned()),
            real.then(|| "eu-west-1".to_owned()),
            None,
        )
        .unwrap();
        at.names(&bundle, resources, &target).map_err(|error| error.to_string())
    }

    #[test]
    fn a_real_table_must_be_named() {
        let error = names(&["users=u"], &["users", "orders"], true).unwrap_err();
        let wanted = "--table users=TABLE --table orders=TABLE is required: the outputs of the deployed stack have the names of the tables";
        assert_eq!(error, wanted);
        assert_eq!(
            names(&["orders=o", "users=u"], &["users", "orders"], true).unwrap(),
            ["u", "o"]
        );
    }

    #[test]
    fn a_local_table_has_the_name_of_its_resource() {
        assert_eq!(
            names(&["users", "orders=o"], &["users", "orders"], false).unwrap(),
            ["users", "o"]
        );
    }

    #[test]
    fn the_named_resources_are_meant_or_all() {
        let at = |tables: &[&str]| {
            let tables = tables.iter().map(|table| (*table).to_owned()).collect();
            At { endpoint_url: None, region: None, profile: None, tables }
        };
        let picked = at(&["users", "orders=o"]);
        assert_eq!(
            ["users", "orders", "products"].map(|name| picked.picks(name)),
            [true, true, false]
        );
        assert!(at(&[]).picks("products"));
    }

    #[test]
    fn a_resource_that_is_not_there_is_named_with_those_that_are() {
        let error = names(&["usrs=u"], &["users"], true).unwrap_err();
        assert_eq!(
            error,
            "--table usrs=u: there is no resource usrs; there are: products, users, orders"
        );
    }
}
