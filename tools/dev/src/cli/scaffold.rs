//! The options of `cargo dev new` and `cargo dev remove`.

use crate::scaffold::{self, Mode, RouteOptions};
use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};

/// A part of the bundle to be made.
#[derive(Debug, Subcommand)]
pub(super) enum New {
    /// Write a resource: declaration, table, sample rows
    #[command(after_help = "Example:
  cargo dev new resource articles --key articleId --index byAuthor:authorId,publishedAt")]
    Resource(Resource),
    /// Write a route: declaration, function, template, events
    #[command(after_help = "Examples:
  cargo dev new route get-article --resource articles --one --public
  cargo dev new route list-author-articles --resource articles --list --owner authorId")]
    Route(Route),
}

/// A part of the bundle to be removed.
#[derive(Debug, Subcommand)]
pub(super) enum Remove {
    /// Remove every resource and route of this bundle, so that it is empty for your own
    Sample(Options),
}

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print the change as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on although there are changes that are not committed
    #[arg(long)]
    allow_dirty: bool,
    /// Do not run the contract test at the end
    #[arg(long)]
    no_test: bool,
}

#[derive(Debug, Args)]
pub(super) struct Resource {
    /// The plural: small letters and digits, words joined by hyphens
    name: String,
    /// The attribute of the table's key, or two, separated by a comma: partition key, sort key
    #[arg(long, value_name = "ID")]
    key: String,
    /// An index: its partition attributes and its sort; with the sort alone, over all rows. A sort
    /// is a time if its name ends in `At`, else a text; SORT=number, SORT=time or SORT=text says
    /// so. Can be repeated
    #[arg(long = "index", value_name = "NAME:[PARTITION,]SORT")]
    indexes: Vec<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("shape").args(["one", "list"]).required(true)), group(ArgGroup::new("access").args(["public", "owner"]).required(true)))]
pub(super) struct Route {
    /// The name of the function: verb-resource
    name: String,
    /// The resource whose items it shows
    #[arg(long)]
    resource: String,
    /// One item
    #[arg(long)]
    one: bool,
    /// A list of items
    #[arg(long)]
    list: bool,
    /// The path; `{FIELD}` stands for the value of a field
    /// [default: from the resource, as /v1/articles/{articleId}]
    #[arg(long)]
    path: Option<String>,
    /// For anybody
    #[arg(long)]
    public: bool,
    /// For the caller whose id this field holds
    #[arg(long, value_name = "FIELD")]
    owner: Option<String>,
    #[command(flatten)]
    options: Options,
}

impl Options {
    fn mode(&self) -> Mode {
        Mode { dry_run: self.dry_run, allow_dirty: self.allow_dirty, no_test: self.no_test }
    }
}

impl New {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Resource(Resource { name, key, indexes, options }) => {
                scaffold::resource(&name, &key, &indexes, options.mode()).await
            }
            Self::Route(Route { name, resource, list, path, owner, options, .. }) => {
                scaffold::route(RouteOptions { name, resource, list, path, owner }, options.mode())
                    .await
            }
        }
    }
}

impl Remove {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Sample(options) => scaffold::remove_sample(options.mode()).await,
        }
    }
}
