//! An app by the shape of its route: what the handler of an item or of a list works with.

use lambda_http::lambda_runtime::Error;

use super::App;
use crate::config::{BootError, ListConfig};
use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::http::response::Reply;
use crate::serve::serve;

/// An app by the shape of its route.
#[derive(Debug, Clone, Copy)]
pub enum AppShape<'a> {
    /// The route answers with one item.
    One(ItemApp<'a>),
    /// The route answers with a page of items.
    List(ListApp<'a>),
}

/// The app of a route that answers with one item.
#[derive(Debug, Clone, Copy)]
pub struct ItemApp<'a> {
    app: &'a App,
}

impl<'a> ItemApp<'a> {
    /// Returns the app.
    #[must_use]
    pub fn app(self) -> &'a App {
        self.app
    }
}

/// The app of a list: it has the secret of cursors and the names of its expansions' tables.
#[derive(Debug, Clone, Copy)]
pub struct ListApp<'a> {
    app: &'a App,
    config: &'a ListConfig,
}

impl<'a> ListApp<'a> {
    /// Returns the app.
    #[must_use]
    pub fn app(self) -> &'a App {
        self.app
    }

    pub(crate) fn config(self) -> &'a ListConfig {
        self.config
    }
}

impl App {
    /// Returns what the handler of an item or of a list works with, as the route's shape says.
    #[must_use]
    pub fn shape(&self) -> AppShape<'_> {
        match &self.config.list {
            None => AppShape::One(ItemApp { app: self }),
            Some(config) => AppShape::List(ListApp { app: self, config }),
        }
    }

    /// Serves events with a handler for a list, until Lambda ends the process.
    ///
    /// # Errors
    /// If the route is not a list, or the Lambda runtime API cannot be reached.
    pub async fn serve_list(
        self,
        handler: impl AsyncFn(ListApp<'_>, &Request) -> Result<Reply, Problem>,
    ) -> Result<(), Error> {
        let AppShape::List(list) = self.shape() else {
            return Err(self.wrong_shape("a list", "none"));
        };
        let handler = async |_: &Self, request: &Request| handler(list, request).await;
        serve(async |event, id, left| self.respond(event, id, left, &handler).await).await
    }

    /// Serves events with a handler for an item, until Lambda ends the process.
    ///
    /// # Errors
    /// If the route is a list, or the Lambda runtime API cannot be reached.
    pub async fn serve_item(
        self,
        handler: impl AsyncFn(ItemApp<'_>, &Request) -> Result<Reply, Problem>,
    ) -> Result<(), Error> {
        let AppShape::One(item) = self.shape() else {
            return Err(self.wrong_shape("one item", "a list"));
        };
        let handler = async |_: &Self, request: &Request| handler(item, request).await;
        serve(async |event, id, left| self.respond(event, id, left, &handler).await).await
    }

    /// Returns the error of a handler that cannot serve the route.
    fn wrong_shape(&self, wanted: &str, is: &str) -> Error {
        let name = self.route().name;
        BootError::new(&[format!("the handler is for {wanted}, and {name} is {is}")]).into()
    }
}
