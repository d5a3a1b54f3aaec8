//! The endpoint: from a request to an answer.
//!
//! Limits come first, then validation, then the plans and their cost, then the reads side by side.
//! Nothing is read for a document that any of the first three refuses.

use std::collections::HashMap;

use api::{Answer, Call, Interface, Policy, Problem, ProblemKind, Route};
use async_graphql::{
    Request as GraphQlRequest, Variables,
    dynamic::{Schema, SchemaError},
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use futures_util::future::join_all;
use http::{Method, StatusCode, header};

use crate::answer::{MAX_BYTES, Results, Writer};
use crate::documents::Documents;
use crate::errors::{Error, argument};
use crate::graph::Graph;
use crate::limits::{self, MAX_ERRORS};
use crate::options::Options;
use crate::picked::{self, Collector, Picked};
use crate::reads::{self, Found, Read, TYPENAME, stricter};
use crate::refused::{Refused, VALIDATION_FAILED, body, check_conflicts, check_cost, parse};
use crate::schema;
use crate::transport::{self, Document, Parameters};

/// The endpoint of a bundle's routes.
#[derive(Debug)]
pub struct Endpoint {
    graph: Graph,
    schema: Schema,
    documents: Documents,
    options: Options,
}

impl Endpoint {
    /// Makes the endpoint of these routes.
    ///
    /// # Errors
    /// If no schema can be made of their names.
    pub fn new(routes: &[&'static Route], options: Options) -> Result<Self, SchemaError> {
        let graph = Graph::new(routes);
        let schema = schema::build(&graph)?;
        Ok(Self { graph, schema, documents: Documents::compiled_in(), options })
    }

    /// Returns the schema in GraphQL's own language.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }

    /// Returns what is wrong with the trusted documents: each is within the limits and valid.
    pub async fn wrong_documents(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for text in self.documents.texts() {
            let first = text.lines().next().unwrap_or_default();
            let checked = parse(text).and_then(|document| {
                limits::check_document(&document).map_err(Refused::too_large)?;
                check_conflicts(&document)?;
                Ok(document)
            });
            match checked {
                Err(refused) => wrong.push(format!("{first}: {:?}", refused.errors)),
                Ok(document) => {
                    let mut request = GraphQlRequest::new(text);
                    request.set_parsed_query(document);
                    let errors = self.schema.execute(request).await.errors.into_iter();
                    // With a path it is a variable that has no value here.
                    let errors = errors.filter(|error| error.path.is_empty());
                    wrong.extend(errors.map(|error| format!("{first}: {}", error.message)));
                }
            }
        }
        wrong
    }

    /// Answers a request.
    ///
    /// # Errors
    /// A problem for a request that is none of GraphQL.
    pub async fn answer(&self, interface: &Interface, call: &Call) -> Result<Answer, Problem> {
        let media_type = transport::media_type(call.header(&header::ACCEPT))?;
        let parameters = transport::parameters(call)?;
        let answer = |status, body, policy| Answer {
            status,
            media_type,
            body,
            policy,
            items: 0,
            refusal: None,
            allow: None,
        };
        match self.run(interface, call, parameters).await {
            Ok(Done { data, errors, policy, items }) => {
                let body = body(Some(data), &errors);
                Ok(Answer { items, ..answer(StatusCode::OK, body, policy) })
            }
            Err(Refused { status, reason, allow, errors }) => Ok(Answer {
                refusal: Some(reason),
                allow,
                ..answer(status, body(None, &errors), Policy::NoStore)
            }),
        }
    }

    async fn run(
        &self,
        interface: &Interface,
        call: &Call,
        parameters: Result<Parameters, transport::Malformed>,
    ) -> Result<Done, Refused> {
        let Parameters { document, operation_name, variables } =
            parameters.map_err(|transport::Malformed { is_no_json, message }| {
                let status = if is_no_json {
                    StatusCode::BAD_REQUEST
                } else {
                    StatusCode::UNPROCESSABLE_ENTITY
                };
                let errors = vec![Error::new("BAD_REQUEST", message)];
                Refused::new(status, "graphql: malformed request", errors)
            })?;
        let text = self.text(document)?;
        let document = parse(&text)?;
        limits::check_document(&document).map_err(Refused::too_large)?;
        let operation = picked::operation(&document, operation_name.as_deref())
            .map_err(|message| Refused::invalid(vec![Error::new("NO_OPERATION", message)]))?;
        if operation.ty != OperationType::Query && call.method() == Method::GET {
            let error = Error::new("METHOD_NOT_ALLOWED", "only a query can be sent with GET");
            let reason = "graphql: method not allowed";
            let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, reason, vec![error]);
            return Err(Refused { allow: Some("POST"), ..refused });
        }
        let collected = Collector { document: &document, operation, variables: &variables };
        // Validation refuses other operations: the schema has none.
        let picked = collected.collect();
        self.check_introspection(&picked)?;
        let introspection =
            self.validate(&text, &document, operation, operation_name, &variables).await?;
        let reads = reads::reads(&self.graph, call, &picked);
        check_cost(interface, &reads)?;
        let found = join_all(reads.iter().map(|read| read.run(interface))).await;
        self.finish(call, &picked, introspection, reads, found)
    }

    /// Returns the text of the document that a request names, if it is allowed.
    fn text(&self, document: Document) -> Result<String, Refused> {
        let refused = |code, message| {
            let errors = vec![Error::new(code, message)];
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "graphql: unknown document", errors)
        };
        match document {
            Document::Text(text) if self.options.any_document => Ok(text),
            Document::Text(text)
                if text.len() <= api::MAX_REQUEST_BODY_BYTES && self.documents.contains(&text) =>
            {
                Ok(text)
            }
            Document::Text(_) => Err(refused(
                "DOCUMENT_NOT_TRUSTED",
                "this endpoint runs only the documents that were deployed with it",
            )),
            Document::Id(id) => {
                let text = self.documents.get(&id).map(str::to_owned);
                text.ok_or_else(|| refused("DOCUMENT_NOT_FOUND", "there is no document of this id"))
            }
        }
    }

    fn check_introspection(&self, picked: &[Picked<'_>]) -> Result<(), Refused> {
        let asks = |picked: &&Picked<'_>| ["__schema", "__type"].contains(&picked.name);
        match picked.iter().find(asks) {
            Some(picked) if !self.options.introspection => {
                let error = Error::new(
                    "INTROSPECTION_OFF",
                    "introspection is off; the schema is published as `schema.graphql`",
                );
                let reason = "graphql: introspection is off";
                let errors = vec![error.at(picked.at)];
                Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason, errors))
            }
            _ => Ok(()),
        }
    }

    /// Validates a document, and returns what it asks of the schema itself.
    async fn validate(
        &self,
        text: &str,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        operation_name: Option<String>,
        variables: &Variables,
    ) -> Result<serde_json::Value, Refused> {
        if let Some((message, at)) = picked::missing_variable(operation, variables) {
            return Err(Refused::invalid(vec![Error::new(VALIDATION_FAILED, message).at(at)]));
        }
        check_conflicts(document)?;
        let mut request = GraphQlRequest::new(text).variables(variables.clone());
        request.operation_name = operation_name;
        request.set_parsed_query(document.clone());
        let response = self.schema.execute(request).await;
        if response.errors.is_empty() {
            return Ok(response.data.into_json().unwrap_or_default());
        }
        let of = |error| Error::of_document(VALIDATION_FAILED, error);
        Err(Refused::invalid(response.errors.into_iter().take(MAX_ERRORS).map(of).collect()))
    }

    fn finish(
        &self,
        call: &Call,
        picked: &[Picked<'_>],
        introspection: serde_json::Value,
        reads: Vec<Read>,
        found: Vec<Result<Found, Problem>>,
    ) -> Result<Done, Refused> {
        let (mut results, mut failed): (Results, Vec<(Read, Problem)>) = (HashMap::new(), vec![]);
        // What answers without a read changes with a deployment.
        let mut policy = Policy::PrivateRevalidate;
        let mut items = 0;
        for (number, (read, found)) in reads.into_iter().zip(found).enumerate() {
            let of = match &found {
                Ok(Found::List(listed)) => listed.policy,
                Ok(Found::Item(_)) => read.route.resource.policy,
                Err(_) => Policy::NoStore,
            };
            policy = if number == 0 { of } else { stricter(policy, of) };
            match found {
                Ok(found) => {
                    items += if let Found::List(listed) = &found { listed.items.len() } else { 1 };
                    results.insert(read.path, found);
                }
                Err(problem) => failed.push((read, problem)),
            }
        }
        if call.path().authorized {
            // The path needs a caller, so no shared cache may answer in its place.
            policy = stricter(policy, Policy::PrivateRevalidate);
        }
        // An error below a field that is null itself says nothing more.
        let paths: Vec<_> = failed.iter().map(|(read, _)| read.path.clone()).collect();
        failed.retain(|(read, _)| {
            !paths.iter().any(|other| other.len() < read.path.len() && read.path.starts_with(other))
        });
        for path in &paths {
            results.retain(|other, _| !other.starts_with(path));
        }
        let mut errors = Vec::new();
        for (read, problem) in &failed {
            errors.extend(Error::of_problem(problem, read.at, &read.path, |parameter| {
                argument(picked, &read.path, parameter)
            }));
        }
        let is_fault = |problem: &Problem| {
            problem.kind == ProblemKind::QuotaExceeded || problem.kind.status().is_server_error()
        };
        let nothing_came =
            results.is_empty() && picked.iter().all(|picked| picked.name != TYPENAME);
        if let Some((_, problem)) = failed.first()
            && nothing_came
            && failed.iter().all(|(_, problem)| is_fault(problem))
        {
            let status = problem.kind.status();
            return Err(Refused::new(status, problem.kind.uri(), errors));
        }
        let mut writer = Writer {
            graph: &self.graph,
            results: &results,
            introspection: &introspection,
            out: Vec::with_capacity(4_096),
            is_too_large: false,
        };
        writer.query(picked);
        if writer.is_too_large {
            let message = format!(
                "the answer would have more than {MAX_BYTES} bytes: pick fewer fields or items"
            );
            let errors = vec![Error::new("ANSWER_TOO_LARGE", message)];
            let reason = "graphql: answer too large";
            return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason, errors));
        }
        Ok(Done { data: writer.out, errors, policy, items })
    }
}

/// The outcome of an operation.
struct Done {
    data: Vec<u8>,
    errors: Vec<Error>,
    policy: Policy,
    items: usize,
}
