//! The places of `template.yaml` that are found by their text, and edits next to them.

/// The headings of sections in the list of resources.
pub(super) const HEADING: &str = "  # ── ";
pub(super) const ROUTES: &str = "  # ── Routes ";
pub(super) const BLOCK: &str = "  # ── GET ";
pub(super) const OUTPUTS: &str = "\nOutputs:\n";
pub(super) const NO_CACHES: &str = "CacheBehaviors: []";
pub(super) const CACHES: &str = "CacheBehaviors:";
/// The first line of the tables in the dashboard's list of throttles, and the line after them.
pub(super) const DASHBOARD_TABLES: &str = "              [\"AWS/DynamoDB\", \"ReadThrottleEvents\"";
pub(super) const DASHBOARD_END: &str =
    "              [\"LeanRoutes/${AWS::StackName}\", \"tooManyRequests\"";
/// The line of an output that names every table.
pub(super) const LOAD: &str = "Value: !Sub cargo dev load DIR";
/// The width of a heading, and of a list of attributes.
pub(super) const WIDTH: usize = 120;

/// Replaces each `@name@` by its value.
pub(super) fn filled(pattern: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

/// Returns the text with something inserted at an offset.
pub(super) fn inserted(text: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &text[..at], &text[at..])
}

/// Adds a line behind the last `- {Id: …}` of an alarm. Without the alarm the text stays as it is.
pub(super) fn appended(template: &str, alarm: &str, line: &str) -> String {
    let Some(begin) = template.find(&format!("\n  {alarm}:\n")).map(|at| at + 1) else {
        return template.to_owned();
    };
    let end = template[begin..].find("\n\n").map_or(template.len(), |end| begin + end + 1);
    let last = template[begin..end].rfind("        - {Id: ").map_or(end, |at| begin + at);
    let at = template[last..].find('\n').map_or(template.len(), |end| last + end + 1);
    inserted(template, at, line)
}

/// Inserts a line of the dashboard before the first one that begins with one of these texts, the
/// first text that there is.
pub(super) fn on_dashboard(template: &str, before: &[&str], line: &str) -> String {
    match before.iter().find_map(|before| template.find(before)) {
        Some(at) => inserted(template, at, &format!("              {line}\n")),
        None => template.to_owned(),
    }
}

/// Changes the line that contains a text, if there is one.
pub(super) fn on_line(text: &str, part: &str, change: impl Fn(&str) -> String) -> String {
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(line) if line.contains(part) => change(line) + "\n",
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}
