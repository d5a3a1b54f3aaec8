//! The requests that `cargo dev up` shows: one for each kind of route, with values that are in the
//! tables.

use crate::bundle::Bundle;
use crate::rows::Rows;
use crate::token;
use api::{Accepts, Access, Filter, List, Resource, Route, Shape};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::SocketAddr;

/// All but the [unreserved characters](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Example requests.
pub(crate) struct Banner {
    base: String,
    token: Option<String>,
    /// Paths with queries, each with its token if it needs one.
    pub(crate) requests: Vec<(String, Option<String>)>,
}

impl Banner {
    /// Takes the first route of each kind (public or private, list or item) that has a row to show.
    pub(crate) fn new(address: SocketAddr, bundle: &Bundle, rows: &Rows) -> Self {
        let caller = rows.caller(bundle);
        let public = bundle.routes.iter().all(|route| route.access == Access::Public);
        let token = (!public).then(|| token::token(caller, None));
        let mut requests: Vec<(String, Option<String>)> = Vec::new();
        let mut kinds = Vec::new();
        for route in bundle.routes {
            let kind = (route.access == Access::Public, route.is_list());
            if let (false, Some(request)) = (kinds.contains(&kind), request(route, rows, caller)) {
                kinds.push(kind);
                requests.push((request, token_for(route, caller)));
            }
        }
        Self { base: format!("http://{address}"), token, requests }
    }

    /// Returns the text to print; `database` is the address of DynamoDB.
    pub(crate) fn text(&self, database: &str) -> String {
        let mut text = format!("\nLean Routes is up: {}   (DynamoDB: {database})\n\n", self.base);
        for (path, token) in &self.requests {
            let header = token
                .as_ref()
                .map(|token| format!(" -H {}", quoted(&format!("authorization: Bearer {token}"))))
                .unwrap_or_default();
            text.push_str(&format!("curl{header} {}\n", quoted(&format!("{}{path}", self.base))));
        }
        if let Some(token) = &self.token {
            text.push_str(&format!(
                "\ntoken: {token}\n(for other callers: cargo dev token --sub ID)"
            ));
        }
        text + "   Ctrl-C ends it all.\n"
    }
}

/// Returns the token that a route needs.
fn token_for(route: &Route, caller: &str) -> Option<String> {
    match route.access {
        Access::Public => None,
        Access::Scope(scope) => Some(token::token(caller, Some(scope))),
        Access::SignedIn | Access::Owner { .. } => Some(token::token(caller, None)),
    }
}

/// Encodes a text for a segment of a path or a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Returns path and query of a route; `None` if no row has a value that the path needs, or a token
/// of the caller is not enough.
fn request(route: &Route, rows: &Rows, caller: &str) -> Option<String> {
    let owner = match route.access {
        Access::Owner { field, claim: "sub" } => Some(field),
        Access::Owner { .. } => return None,
        _ => None,
    };
    let value = |name: &str| {
        if owner == Some(name) { Some(caller) } else { rows.text(route.resource, name) }
    };
    let segment =
        |segment: &str| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => value(name).map(encoded),
            None => Some(segment.to_owned()),
        };
    let path = route.path.split('/').map(segment).collect::<Option<Vec<_>>>()?.join("/");
    let filter = match &route.shape {
        Shape::List(list) if owner.is_none() => filter(list, route.resource, rows),
        _ => None,
    };
    let mut query: Vec<_> = filter
        .iter()
        .map(|(filter, value)| format!("{}={}", filter.parameter, encoded(value)))
        .collect();
    // Fields that say more than the key and the filter.
    let known = |name: &&str| {
        route.resource.table.key.contains(name)
            || filter.is_some_and(|(filter, _)| filter.field == *name)
    };
    let fields: Vec<_> =
        route.resource.summary.iter().copied().filter(|name| !known(name)).take(2).collect();
    if !fields.is_empty() {
        query.push(format!("fields={}", fields.join(",")));
    }
    if route.is_list() {
        query.push("limit=5".to_owned());
    }
    Some(if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) })
}

/// Returns the first filter that compares for equality and has a value in the row, with this value.
fn filter<'a>(
    list: &List,
    resource: &Resource,
    rows: &'a Rows,
) -> Option<(&'static Filter, &'a str)> {
    let mut equal = list
        .filters
        .iter()
        .filter(|filter| matches!(filter.accepts, Accepts::Text | Accepts::OneOf(_)));
    equal.find_map(|filter| Some((filter, rows.text(resource, filter.field)?)))
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(rows: &Rows) -> Banner {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        Banner::new(SocketAddr::from(([127, 0, 0, 1], 9000)), &bundle, rows)
    }

    #[test]
    fn each_kind_of_route_has_a_line_that_can_be_pasted() {
        let rows = Rows::of(&[
            ("products", &[("productId", "p-1"), ("category", "films & music")]),
            ("users", &[("userId", "u-1")]),
        ]);
        let text = banner(&rows).text("http://127.0.0.1:8000");
        let curls: Vec<_> = text.lines().filter(|line| line.starts_with("curl")).collect();
        assert_eq!(curls.len(), 3);
        assert_eq!(
            curls[0],
            "curl 'http://127.0.0.1:9000/v1/products?category=films%20%26%20music&fields=name,brand&limit=5'"
        );
        assert!(
            curls[1].starts_with("curl -H 'authorization: Bearer ey")
                && curls[1].contains("/v1/users/u-1?fields=name,email'")
        );
        assert!(
            curls[2].contains("/v1/users/u-1/orders?fields=status,placedAt&limit=5'"),
            "{}",
            curls[2]
        );
    }

    #[test]
    fn of_routes_of_one_kind_the_first_is_shown() {
        const ROUTES: &[&Route] = &[&shop::LIST_PRODUCTS, &shop::LIST_PRODUCTS];
        let bundle = Bundle::of(shop::RESOURCES, ROUTES, shop::TEMPLATE).unwrap();
        let banner =
            Banner::new(SocketAddr::from(([127, 0, 0, 1], 9000)), &bundle, &Rows::default());
        assert_eq!(banner.requests.len(), 1);
        assert!(!banner.text("").contains("token"), "a public bundle needs none");
    }

    #[test]
    fn without_rows_a_list_has_no_filter() {
        let banner = banner(&Rows::default());
        assert_eq!(banner.requests[0].0, "/v1/products?fields=name,category&limit=5");
        assert_eq!(banner.requests.len(), 3);
    }

    #[test]
    fn an_id_of_any_characters_is_one_segment_of_the_path() {
        let banner = banner(&Rows::of(&[("users", &[("userId", "a/b c'é")])]));
        assert!(
            banner.requests[2].0.starts_with("/v1/users/a%2Fb%20c%27%C3%A9/orders?"),
            "{}",
            banner.requests[2].0
        );
    }

    #[test]
    fn a_quote_in_a_pasted_word_stays_in_it() {
        assert_eq!(quoted("/v1/users/o'brien?a=$b"), r"'/v1/users/o'\''brien?a=$b'");
    }
}
