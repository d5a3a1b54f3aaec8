//! The steps for a single item: parse, run, reply. A single GetItem needs no planning.

use projection::Selection;

use crate::app::App;
use crate::dynamodb::answer::Item;
use crate::handler::parameters;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::request::Request;
use crate::http::response::Reply;
use crate::route::{Resource, Shape};

/// A request for one item, its parameters checked.
#[derive(Debug)]
pub struct ItemRequest {
    resource: &'static Resource,
    id: String,
    selection: Selection,
}

/// An item that has been read.
#[derive(Debug)]
pub struct FoundItem {
    resource: &'static Resource,
    item: Item,
}

impl ItemRequest {
    /// Reads the id and the parameters that the route declares.
    ///
    /// # Errors
    /// 401 and 403 before any other check; then 414; then one 400 that lists every wrong parameter.
    pub fn parse(app: &App, request: &Request) -> Result<Self, Problem> {
        let route = app.route();
        if !matches!(route.shape, Shape::One) {
            return Err(ProblemKind::Internal.into());
        }
        let id = request.item_id(route.access)?;
        let mut errors = Vec::new();
        let query = request.query(&["fields"], &mut errors)?;
        let selection = parameters::fields(&query, route.resource, Selection::all(route.resource.fields), &mut errors);
        if errors.is_empty() { Ok(Self { resource: route.resource, id, selection }) } else { Err(Problem::parameters(errors)) }
    }

    /// Reads the item.
    ///
    /// # Errors
    /// 404 if there is no such item; 502, 503 and 504 for failures of DynamoDB.
    pub async fn run(self, app: &App, request: &Request) -> Result<FoundItem, Problem> {
        let Self { resource, id, selection } = self;
        let key: Vec<_> = resource.table.key.iter().map(|name| (*name, id.as_str())).collect();
        let item = app.reader(resource, request, &selection, None)?.get(&key, resource.modified).await?;
        item.map(|item| FoundItem { resource, item }).ok_or_else(|| ProblemKind::NotFound.into())
    }
}

impl FoundItem {
    /// Makes the reply.
    #[must_use]
    pub fn reply(self) -> Reply {
        let Item { json, modified, .. } = self.item;
        Reply { body: json.into(), policy: self.resource.policy, modified, link: None, items: 1 }
    }
}
