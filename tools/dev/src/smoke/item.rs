//! The requests of a route that shows one item: it, nested fields, and one that is not there.

use super::client::{Answer, Ask};
use super::judge;
use super::run::{NOBODY, Run, owner};
use super::values::nested;
use crate::plan::filled;
use api::{Kind, Route};

impl Run<'_> {
    /// Makes an item's requests; returns the answer to the first.
    pub(super) async fn item(
        &mut self,
        route: &'static Route,
        path: &str,
        ask: &impl Fn(String) -> Ask,
    ) -> Option<Answer> {
        let at = |what: &str| format!("{}: {what}", route.name);
        let (resource, policy) = (route.resource, route.resource.policy);
        let all: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
        let plain = self
            .check(at("item"), ask(path.to_owned()), |answer| judge::item(answer, policy, &all))
            .await;
        if let Some(plain) = &plain {
            self.values.learn(resource, [&plain.json()]);
        }
        if let Some((outer, inner)) = nested(resource.fields) {
            let request = ask(format!("{path}?fields={outer}({inner})"));
            let wanted = |answer: &Answer| {
                judge::nested(judge::item(answer, policy, &[outer]), &answer.json(), outer, inner)
            };
            self.check(at("nested fields"), request, wanted).await;
        }
        let text = |name: &str| {
            resource
                .field(name)
                .is_some_and(|field| !matches!(field.kind, Kind::Number | Kind::Integer))
        };
        let unknown = route
            .parameters()
            .filter(|name| owner(route) != Some(*name))
            .last()
            .filter(|name| text(name));
        if let Some(unknown) = unknown
            && let Some(path) = filled(route, |name| {
                if name == unknown { Some(NOBODY.to_owned()) } else { self.value(route, name) }
            })
        {
            self.check(at("no such item"), ask(path), |answer| judge::problem(answer, 404, None))
                .await;
        }
        plain
    }
}
