//! The requests of an interface over all routes, such as GraphQL: its trusted documents, which work
//! whatever the stack's parameters are, by GET and by POST, with and without a token.

use super::client::{Answer, Ask};
use super::judge;
use super::run::{NOBODY, Run, owner};
use crate::banner::encoded;
use crate::interface::{Document, Entry, Interface};
use api::Route;
use serde_json::{Map, Value, json};

impl Run<'_> {
    /// Makes the requests of an interface: first without a caller, which shows the documents that
    /// need one.
    pub(super) async fn interface(&mut self, interface: &Interface, routes: &[&'static Route]) {
        let mut private = Vec::new();
        for authorized in [false, true] {
            for entry in interface.paths.iter().filter(|entry| entry.authorized == authorized) {
                self.entry_of(interface, entry, &mut private, routes).await;
            }
        }
    }

    async fn entry_of<'i>(
        &mut self,
        interface: &'i Interface,
        Entry { path, authorized }: &Entry,
        private: &mut Vec<&'i str>,
        routes: &[&'static Route],
    ) {
        let who = if *authorized { "with a token" } else { "public" };
        let at = |what: &str| format!("{}, {who}: {what}", interface.name);
        if *authorized {
            let unknown = format!("{path}?documentId={NOBODY}");
            for (what, ask) in [
                ("none by GET", Ask::get(unknown)),
                ("none by POST", posted(path, json!({"documentId": NOBODY}))),
            ] {
                self.check(at(what), ask, |answer| judge::refusal(answer, 401)).await;
            }
        }
        let token = self.options.token.clone().filter(|_| *authorized);
        if *authorized && token.is_none() {
            return self.skip(at("all else"), path, "no --token");
        }
        let ask = |ask: Ask| match &token {
            Some(token) => ask.with("authorization", format!("Bearer {token}")),
            None => ask,
        };
        let unknown = ask(Ask::get(format!("{path}?documentId={NOBODY}")));
        self.check(at("unknown document"), unknown, judge::unknown_document).await;
        // Rows of somebody else are named on the command line, for a token that has none of its
        // own.
        let named = routes.iter().filter_map(|route| owner(route));
        let named = named.filter(|name| self.values.given(name).is_some()).collect::<Vec<_>>();
        let mut answered = false;
        for document in &interface.documents {
            let (id, variables) = (document.id(), self.variables(document));
            let name = document.name.as_str();
            let variables = match variables {
                Ok(variables) => variables,
                Err(missing) => {
                    let reason = format!("no value for ${missing}: give --id {missing}=VALUE");
                    self.skip(at(name), path, &reason);
                    continue;
                }
            };
            let other = named.iter().find(|name| !variables.contains_key(**name));
            if let Some(other) = other.filter(|_| private.contains(&name)) {
                self.skip(at(name), path, &format!("the document has no ${other}"));
                continue;
            }
            let mut query = format!("{path}?documentId={id}");
            if !variables.is_empty() {
                let text = Value::Object(variables.clone()).to_string();
                query += &format!("&variables={}", encoded(&text));
            }
            let get = ask(Ask::get(query));
            let judged = |answer: &Answer| judge::document(answer, *authorized, true);
            let Some(plain) = self.check(at(name), get.clone(), judged).await else { continue };
            if plain.json()["errors"].is_array() {
                private.push(name);
            } else if !answered {
                answered = true;
                let policy = plain.header("cache-control");
                self.not_modified(at("not modified"), &get, &plain, |answer, etag| {
                    judge::unchanged(answer, &policy, etag)
                })
                .await;
                let body = json!({"documentId": id, "variables": variables});
                let post = ask(posted(path, body));
                let judged = |answer: &Answer| judge::document(answer, *authorized, false);
                self.check(at("POST"), post, judged).await;
            }
        }
        if !answered {
            self.skip(at("not modified, POST"), path, "no document has an answer without errors");
        }
        self.preflight(at("preflight"), path, "POST", &["authorization", "content-type"]).await;
    }

    /// Returns the values of a document's variables, or the name of the one that has none.
    fn variables(&self, document: &Document) -> Result<Map<String, Value>, String> {
        let mut found = Map::new();
        for variable in document.variables() {
            let text = self.values.named(&variable.name);
            match variable.value(text.as_deref()) {
                Ok(value) => found.extend(value.map(|value| (variable.name, value))),
                Err(()) => return Err(variable.name),
            }
        }
        Ok(found)
    }
}

fn posted(path: &str, body: Value) -> Ask {
    Ask { method: "POST", body: body.to_string(), ..Ask::get(path) }
        .with("content-type", "application/json")
}
