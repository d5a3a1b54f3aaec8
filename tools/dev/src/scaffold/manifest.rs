//! Edits of the root `Cargo.toml`: the members and the routes of `cargo lambda watch`. Pure
//! functions from text to text.

use anyhow::{Context as _, Result};

const ROUTER: &str = "[workspace.metadata.lambda.watch.router]\n";
const FUNCTIONS: &str = "\"functions/*\", ";
const MEMBERS: &str = "members = [";

/// Adds GET and HEAD of a path to the router, and the functions to the members.
pub(super) fn with_route(manifest: &str, path: &str, function: &str) -> Result<String> {
    let entry = format!(
        "\"{path}\" = [\n  {{ method = \"GET\", function = \"{function}\" }},\n  {{ method = \"HEAD\", function = \"{function}\" }},\n]\n"
    );
    let (before, router, after) = parts(manifest)?;
    let manifest = format!("{before}{router}{entry}{after}");
    if manifest.contains(FUNCTIONS) {
        return Ok(manifest);
    }
    // Cargo refuses a pattern that matches nothing, so an empty bundle does not have it.
    Ok(manifest.replacen(MEMBERS, &format!("{MEMBERS}{FUNCTIONS}"), 1))
}

/// Removes all routes from the router, and the functions from the members.
pub(super) fn without_routes(manifest: &str) -> Result<String> {
    let (before, _, after) = parts(manifest)?;
    Ok(format!("{before}{after}").replacen(FUNCTIONS, "", 1))
}

/// Splits a manifest into what ends with the router's heading, the router's lines, and the rest.
fn parts(manifest: &str) -> Result<(&str, &str, &str)> {
    let begin =
        manifest.find(ROUTER).with_context(|| format!("there is no {}", ROUTER.trim_end()))?
            + ROUTER.len();
    let length: usize = manifest[begin..]
        .split_inclusive('\n')
        .take_while(|line| !line.trim().is_empty())
        .map(str::len)
        .sum();
    Ok((&manifest[..begin], &manifest[begin..begin + length], &manifest[begin + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[workspace]\nmembers = [\"functions/*\", \"shared/*\"]\n\n[workspace.metadata.lambda.watch.router]\n\"/v1/things\" = [\n  \
                       { method = \"GET\", function = \"list-things\" },\n  { method = \"HEAD\", function = \"list-things\" },\n]\n\n[workspace.lints.rust]\n";
    const NONE: &str = "[workspace]\nmembers = [\"shared/*\"]\n\n[workspace.metadata.lambda.watch.router]\n\n[workspace.lints.rust]\n";

    #[test]
    fn the_first_route_brings_the_functions_and_the_last_takes_them() {
        assert_eq!(with_route(NONE, "/v1/things", "list-things").unwrap(), ONE);
        assert_eq!(without_routes(ONE).unwrap(), NONE);
    }

    #[test]
    fn a_further_route_comes_last() {
        let two = with_route(ONE, "/v1/things/{id}", "get-thing").unwrap();
        assert!(
            two.contains(
                "]\n\"/v1/things/{id}\" = [\n  { method = \"GET\", function = \"get-thing\" },\n"
            ),
            "{two}"
        );
        assert_eq!(two.matches("functions/*").count(), 1);
    }
}
