//! `docs/problems.md` has a section for every problem, in order, with a body as the functions write
//! it.

use api::{Problem, ProblemKind};
use serde_json::Value;

const TEXT: &str = include_str!("../../../docs/problems.md");

fn sections() -> Vec<(&'static str, &'static str)> {
    TEXT.split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect()
}

#[test]
fn the_sections_are_the_kinds() {
    let names: Vec<_> =
        sections().into_iter().map(|(name, _)| format!("/problems/{name}")).collect();
    assert_eq!(names, ProblemKind::ALL.map(ProblemKind::uri));
}

#[test]
fn each_section_says_its_status_and_what_to_do() {
    for ((name, text), kind) in sections().into_iter().zip(ProblemKind::ALL) {
        let paragraphs: Vec<_> =
            text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
        assert_eq!(paragraphs.len(), 3, "{name}: what it means, what to do, an example");
        assert!(paragraphs[0].starts_with(kind.status().as_str()), "{name}");
    }
}

#[test]
fn each_example_is_what_the_functions_write() {
    for ((name, text), kind) in sections().into_iter().zip(ProblemKind::ALL) {
        let body =
            text.split("```json\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
        let mut example: Value = serde_json::from_str(body).unwrap();
        let object = example.as_object_mut().unwrap();
        let instance = object["instance"].as_str().unwrap().to_owned();
        let errors = object.remove("errors");
        assert_eq!(errors.is_some(), kind == ProblemKind::InvalidParameter, "{name}");
        let problem = match kind {
            ProblemKind::QuotaExceeded => Problem::quota_exceeded("caller"),
            _ => Problem::from(kind),
        };
        let written: Value = serde_json::from_slice(&problem.body(&instance)).unwrap();
        assert_eq!(example, written, "{name}");
    }
}
