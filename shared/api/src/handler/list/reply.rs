//! The reply of a list route: the page, its cursors and its `Link` header.

use super::{ListPage, ListPlan};
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::http::response::Reply;
use crate::route::Policy;

impl ListPage<'_> {
    /// Makes the reply: the page and its `Link` header.
    ///
    /// # Errors
    /// 500 if an item's key is too long for a cursor.
    pub fn reply(self) -> Result<Reply, Problem> {
        let Self { plan: ListPlan { request, plan, .. }, page, next_to_items, partial } = self;
        let seal = |cursor| request.seal(&plan, cursor);
        let (next, prev) = (seal(page.next())?, seal(page.prev())?);
        let policy =
            if page.timed_out() { Policy::NoStore } else { request.route().resource.policy };
        let items = page.into_items();

        let mut body =
            Vec::with_capacity(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + 1_024);
        body.extend_from_slice(b"{\"items\":[");
        for (i, item) in items.iter().enumerate() {
            body.extend_from_slice(if i == 0 { b"" } else { b"," });
            body.extend_from_slice(&item.json);
        }
        body.push(b']');
        for (name, item) in next_to_items {
            body.extend_from_slice(format!(",\"{name}\":").as_bytes());
            body.extend_from_slice(&item.json);
        }
        if !partial.is_empty() {
            let names: Vec<_> =
                partial.iter().map(|name| format!("\"{name}\":\"partial\"")).collect();
            body.extend_from_slice(format!(",\"expansion\":{{{}}}", names.join(",")).as_bytes());
        }
        // A cursor is base64url: nothing in it needs escaping.
        let quoted = |cursor: &Option<String>| {
            cursor.as_ref().map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""))
        };
        let page = format!(
            ",\"page\":{{\"limit\":{},\"next\":{},\"prev\":{}}}}}",
            request.limit,
            quoted(&next),
            quoted(&prev)
        );
        body.extend_from_slice(page.as_bytes());
        let link = link(&request.query, prev.as_deref(), next.as_deref());
        Ok(Reply { body, policy, modified: None, link, items: items.len() })
    }
}

/// Writes the `Link` header (RFC 8288). Its targets are relative to the request's URI, so they are
/// valid behind any domain and base path.
///
/// Each target repeats the query. If all of them have more than [`MAX_LINK_BYTES`], the first page
/// is left out, then the previous one, then the next one. The body has both cursors in any case.
fn link(query: &QueryString<'_>, prev: Option<&str>, next: Option<&str>) -> Option<String> {
    let target =
        |rel: &str, cursor| format!("<{}>; rel=\"{rel}\"", query.link(&["cursor", "page"], cursor));
    let mut links: Vec<_> = [("prev", prev), ("next", next)]
        .into_iter()
        .filter_map(|(rel, cursor)| Some(target(rel, Some(cursor?))))
        .collect();
    links.insert(0, target("first", None));
    while links.iter().map(|link| link.len() + 2).sum::<usize>() > MAX_LINK_BYTES {
        links.remove(0);
    }
    (!links.is_empty()).then(|| links.join(", "))
}

/// The maximum length of the `Link` header. A proxy must hold all headers of a response in one
/// buffer, which nginx gives 4 KB by default (`proxy_buffer_size`); the other headers have less
/// than 1 KB.
const MAX_LINK_BYTES: usize = 3_072;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_query_leaves_links_out_and_never_makes_a_header_that_a_proxy_refuses() {
        let cursor = "c".repeat(pagination::MAX_CURSOR_CHARS);
        let mut relations = Vec::new();
        for length in 0..=crate::route::MAX_QUERY_BYTES {
            // Each of these characters takes three in a link.
            let raw = format!("fields={}", "é".repeat(length / 2));
            let query = QueryString::parse(&raw, &["fields"], &mut Vec::new());
            let link = link(&query, Some(&cursor), Some(&cursor)).unwrap_or_default();
            assert!(link.len() <= MAX_LINK_BYTES, "{length}");
            let names: Vec<_> =
                link.split("rel=\"").skip(1).map(|rest| rest[..4].to_owned()).collect();
            if relations.last() != Some(&names) {
                relations.push(names);
            }
        }
        let all: [&[&str]; 4] = [&["firs", "prev", "next"], &["prev", "next"], &["next"], &[]];
        assert_eq!(relations, all);
    }

    #[test]
    fn links_of_exactly_the_greatest_length_are_sent() {
        let longest = |length: usize| {
            let raw = format!("fields={}", "a".repeat(length));
            link(&QueryString::parse(&raw, &["fields"], &mut Vec::new()), None, None)
        };
        let short = longest(1).unwrap().len();
        // Each link counts with the two characters that separate it from the next one.
        let most = MAX_LINK_BYTES - 2 - short + 1;
        assert_eq!(longest(most).map(|link| link.len()), Some(MAX_LINK_BYTES - 2));
        assert_eq!(longest(most + 1), None);
    }
}
