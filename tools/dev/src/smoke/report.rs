//! The checks of a run, and the table in which they are printed.

use std::fmt;

/// All checks, in the order in which they were made. Displayed as a table.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Check>);

/// One check.
#[derive(Debug)]
pub struct Check {
    /// The route's name and what is tried.
    pub name: String,
    /// The request: method, path and query.
    pub request: String,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is what it should be.
    Held,
    /// The reason why it failed.
    Failed(Vec<String>),
    /// The reason why the check could not be made.
    Skipped(String),
}

impl Report {
    /// Returns the number of checks that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.0.iter().filter(|check| wanted(&check.outcome)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for Check { name, request, outcome } in &self.0 {
            let (result, remark) = match outcome {
                Outcome::Held => ("ok", String::new()),
                Outcome::Failed(wrong) => ("FAILED", format!(": {}", wrong.join("; "))),
                Outcome::Skipped(reason) => ("skipped", format!(": {reason}")),
            };
            writeln!(f, "{result:<7}  {name:<width$}  {request}{remark}")?;
        }
        let (held, skipped) = (
            self.count(|outcome| *outcome == Outcome::Held),
            self.count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        );
        writeln!(f, "{held} ok, {} failed, {skipped} skipped", self.failed())
    }
}
