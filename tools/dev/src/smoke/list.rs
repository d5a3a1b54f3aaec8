//! The requests of a list: one for each index that a sort or a filter reaches, one for fields that
//! an index lacks, a count, nested fields, expansions.

use super::client::{Answer, Ask};
use super::judge;
use super::run::Run;
use super::values::nested;
use crate::banner::encoded;
use crate::plan::{ANY, Planner};
use anyhow::{Result, anyhow};
use api::{Accepts, Filter, List, Place, Route};

impl Run<'_> {
    /// Makes a list's requests; returns the answer to the first.
    pub(super) async fn list(
        &mut self,
        route: &'static Route,
        list: &'static List,
        path: &str,
        ask: &impl Fn(String) -> Ask,
    ) -> Result<Option<Answer>> {
        let at = |what: &str| format!("{}: {what}", route.name);
        let (resource, policy, planner) =
            (route.resource, route.resource.policy, Planner::new(route, ANY, 1)?);
        let summary = resource.summary;
        let all: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
        let plain = self
            .check(at("list"), ask(path.to_owned()), |answer| judge::page(answer, policy, summary))
            .await;
        let shown = plain.as_ref().map(Answer::json).unwrap_or_default();
        let empty = shown["items"].as_array().is_some_and(Vec::is_empty);
        self.values.learn(resource, shown["items"].as_array().into_iter().flatten());

        // One request for each index that a sort or a filter reaches, and one for fields that an
        // index lacks.
        let whole = format!("fields={}", all.join(","));
        let first = planner
            .plan("")
            .map_err(|problem| {
                anyhow!("{} cannot be planned: {}", route.name, problem.kind.title())
            })?
            .index;
        let (mut reached, mut by_key) = (vec![first], false);
        for (sort, filter) in choices(list) {
            let sample = filter.map(|filter| (filter, sample(filter)));
            let Ok(planned) = planner.plan(&query(sort, sample.as_ref(), &whole)) else { continue };
            let index = planned.index.unwrap_or("the table itself");
            let value = filter.map(|filter| (filter, self.values.of_filter(resource, filter)));
            let value = match value {
                Some((filter, None)) if !reached.contains(&planned.index) => {
                    let reason = format!("no item shows {0}: give --id {0}=VALUE", filter.field);
                    self.skip(at(index), &format!("{path}?{}=…", filter.parameter), &reason);
                    reached.push(planned.index);
                    continue;
                }
                Some((_, None)) => continue,
                Some((filter, Some(value))) => Some((filter, value)),
                None => None,
            };
            if !reached.contains(&planned.index) {
                reached.push(planned.index);
                let request = ask(format!("{path}?{}", query(sort, value.as_ref(), "limit=2")));
                self.check(at(index), request, |answer| judge::page(answer, policy, summary)).await;
            }
            if !planned.covered && !by_key {
                by_key = true;
                let request =
                    format!("{path}?{}", query(sort, value.as_ref(), &format!("{whole}&limit=2")));
                if empty {
                    self.skip(at("fields by key"), &request, "the list is empty");
                } else if let Some(answer) = self
                    .check(at("fields by key"), ask(request), |answer| {
                        judge::page(answer, policy, &all)
                    })
                    .await
                {
                    self.values
                        .learn(resource, answer.json()["items"].as_array().into_iter().flatten());
                }
            }
        }
        if planner.plan("page=2&limit=1").is_ok() {
            self.check(at("count"), ask(format!("{path}?page=2&limit=1")), |answer| {
                judge::page(answer, policy, summary)
            })
            .await;
        }
        if let Some((outer, inner)) = nested(resource.fields) {
            let request = ask(format!("{path}?fields={outer}({inner})&limit=2"));
            let wanted = |answer: &Answer| {
                judge::nested(
                    judge::page(answer, policy, &[outer]),
                    &answer.json()["items"],
                    outer,
                    inner,
                )
            };
            self.check(at("nested fields"), request, wanted).await;
        }
        for expansion in list.expansions {
            let request = format!("{path}?expand={}&limit=2", expansion.name);
            let what = at(&format!("expand {}", expansion.name));
            match expansion.place {
                Place::Within { .. } if empty => self.skip(what, &request, "the list is empty"),
                Place::Within { join, .. } => {
                    let fields: Vec<_> = summary.iter().copied().chain([join.list]).collect();
                    self.check(what, ask(request), |answer| judge::page(answer, policy, &fields))
                        .await;
                }
                Place::NextToItems => {
                    self.check(what, ask(request), |answer| judge::page(answer, policy, summary))
                        .await;
                }
            }
        }
        Ok(plain)
    }
}

/// Returns each sort (`None` if the list has none) alone and with each filter that compares for
/// equality.
fn choices(
    list: &'static List,
) -> impl Iterator<Item = (Option<&'static str>, Option<&'static Filter>)> {
    let sorts =
        list.sorts.iter().map(|sort| Some(sort.name)).chain(list.sorts.is_empty().then_some(None));
    let equal = |filter: &&Filter| {
        matches!(
            filter.accepts,
            Accepts::Text | Accepts::OneOf(_) | Accepts::Number | Accepts::Boolean
        )
    };
    let filters = std::iter::once(None).chain(list.filters.iter().filter(equal).map(Some));
    sorts.flat_map(move |sort| filters.clone().map(move |filter| (sort, filter)))
}

/// Returns a value that a filter accepts.
fn sample(filter: &Filter) -> String {
    match filter.accepts {
        Accepts::OneOf(options) => options.first().copied().unwrap_or_default(),
        Accepts::Boolean => "true",
        _ => "1",
    }
    .to_owned()
}

fn query(sort: Option<&str>, filter: Option<&(&'static Filter, String)>, more: &str) -> String {
    let sort = sort.map(|sort| format!("sort={sort}"));
    let filter = filter.map(|(filter, value)| format!("{}={}", filter.parameter, encoded(value)));
    sort.into_iter().chain(filter).chain([more.to_owned()]).collect::<Vec<_>>().join("&")
}
