//! The instructions of one kind of request, by function.

use crate::candidate::Candidate;
use crate::measure;
use crate::scenario::Scenario;
use crate::scene::Scene;
use anyhow::{Context as _, Result};
use dev::workspace;
use std::process::Command;

/// Writes callgrind's file for a scenario and prints the most expensive functions, each including
/// the functions that it calls.
pub(crate) fn profile(
    candidate: &Candidate,
    scene: &Scene,
    scenario: &Scenario,
    requests: u32,
    lines: usize,
) -> Result<()> {
    let out = scene.main.folder.join(format!("callgrind.{}.out", scenario.name));
    measure::under_callgrind(candidate, scene, scenario, requests, &out)?;
    for (what, inclusive) in
        [("with all they call", "--inclusive=yes"), ("by themselves", "--inclusive=no")]
    {
        let annotate = Command::new("callgrind_annotate")
            .args([inclusive, "--threshold=99.5"])
            .arg(&out)
            .output();
        let annotate = annotate.context("cannot start callgrind_annotate")?;
        println!("\n{}, {requests} requests: functions {what}\n", scenario.name);
        let text = String::from_utf8_lossy(&annotate.stdout).into_owned();
        let rows = text
            .lines()
            .skip_while(|line| !line.contains("file:function"))
            .filter(|line| !line.trim().is_empty());
        for row in rows.take(lines) {
            println!("{}", shortened(row));
        }
    }
    println!("\nall of it: callgrind_annotate {}", workspace::shown(&out));
    Ok(())
}

/// Removes the file's path and the hash.
fn shortened(row: &str) -> String {
    let Some((count, function)) = row.split_once(')') else { return row.to_owned() };
    let function = function.split(" [").next().unwrap_or(function);
    let function = function.rsplit_once(".rs:").map_or(function, |(_, name)| name).trim();
    let function: String = function.chars().take(150).collect();
    format!("{count}) {function}")
}
