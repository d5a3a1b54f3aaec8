//! The removal of resources and routes from the template.

use super::super::name::pascal;
use super::places::{BLOCK, CACHES, HEADING, LOAD, NO_CACHES, on_line};

/// Removes resources and routes, with all that was added with them.
pub(in crate::scaffold) fn without(
    template: &str,
    resources: &[&str],
    functions: &[&str],
) -> String {
    let mut text = String::new();
    let (mut in_routes, mut skipped) = (false, false);
    let ids: Vec<_> = resources
        .iter()
        .flat_map(|name| ["Table", "Throttles"].map(|what| format!("  {}{what}:", pascal(name))))
        .collect();
    let throttled: Vec<_> =
        functions.iter().map(|name| format!("!Ref {}}}", pascal(name))).collect();
    let throttles = |line: &str| {
        line.contains("MetricName: Throttles")
            && throttled.iter().any(|function| line.contains(function))
    };
    let shown = functions
        .iter()
        .map(|name| pascal(name))
        .chain(resources.iter().map(|name| pascal(name) + "Table"));
    let shown: Vec<_> = shown.map(|id| format!("\"${{{id}}}\"")).collect();
    let is_shown = |line: &str| {
        line.starts_with("              [\"AWS/") && shown.iter().any(|id| line.contains(id))
    };
    // The parameters and conditions of a function begin with its name.
    let own = |line: &str| {
        let name = line.trim_start();
        functions.iter().any(|function| name.starts_with(&pascal(function)))
    };
    let (mut in_cache, mut of_parameters) = (false, false);
    for line in template.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line.starts_with(HEADING) {
            in_routes = line.starts_with(BLOCK);
        }
        // A member of the resources or outputs begins at two spaces; all that is deeper, and the
        // empty lines, belong to it.
        if indent <= 2 && !line.trim().is_empty() {
            of_parameters = if indent == 0 {
                line.starts_with("Parameters:") || line.starts_with("Conditions:")
            } else {
                of_parameters
            };
            skipped = ids.iter().any(|id| line.trim_end() == id) || (of_parameters && own(line));
        }
        in_cache &= indent > 10 || line.starts_with("          - ");
        if skipped || in_routes || in_cache || throttles(line) || is_shown(line) {
            continue;
        }
        if line.trim_start().starts_with(CACHES) {
            in_cache = true;
            text.push_str(&line.replacen(CACHES, NO_CACHES, 1));
        } else {
            text.push_str(line);
        }
    }
    // The options that name tables come last.
    on_line(&text, LOAD, |line| line.split(" --table ").next().unwrap_or_default().to_owned())
}
