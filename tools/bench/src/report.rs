//! The result of a run: as tables, as JSON, and compared with the goals.

use crate::case_study::CaseStudy;
use crate::depth::{Depth, Fields};
use crate::measure::{Cold, Footprint, Warm};
use crate::stats::{Median, lossless};
use anyhow::{Context as _, Result};
use dev::workspace;
use serde::Serialize;
use std::path::Path;

/// A whole run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) command: String,
    pub(crate) date: String,
    /// Architecture, operating system and number of processors.
    pub(crate) machine: String,
    pub(crate) left_out: Vec<String>,
    /// Milliseconds.
    pub(crate) cold: Vec<Cold>,
    /// Microseconds.
    pub(crate) warm: Vec<Warm>,
    /// KiB of memory, bytes of files.
    pub(crate) footprints: Vec<Footprint>,
    pub(crate) depth: Vec<Depth>,
    pub(crate) fields: Vec<Fields>,
    pub(crate) case_study: Option<CaseStudy>,
    pub(crate) goals: Vec<Goal>,
}

/// A goal of this bundle: a ratio or a size.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) measured: f64,
    pub(crate) met: bool,
}

const OURS: &str = "lean-routes";

impl Report {
    /// Compares the figures with the goals. Goals that need an omitted peer are omitted too.
    pub(crate) fn judge(&mut self) {
        let mut goals = Vec::new();
        let mut at_most = |what: &str, measured: Option<f64>, most: f64| {
            let goal = |measured| Goal {
                what: what.to_owned(),
                wanted: format!("≤ {most:.4}")
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned(),
                measured,
                met: measured <= most,
            };
            goals.extend(measured.map(goal));
        };
        let cold = |name: &str| self.cold.iter().find(|row| row.candidate == name);
        let cpu = |name: &str| cold(name).map(|row| row.total_cpu.value);
        let over = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
        at_most("cold CPU ÷ floor", over(cpu(OURS), cpu("floor")), 2.0);
        at_most("cold CPU ÷ rust-defaults", over(cpu(OURS), cpu("rust-defaults")), 1.0 / 10.0);
        at_most("cold CPU ÷ node", over(cpu(OURS), cpu("node")), 1.0 / 35.0);
        at_most("CPU of the first invocation, ms", cold(OURS).map(|row| row.first_cpu.value), 0.6);
        let warm = |scenario: &str, name: &str| {
            self.warm.iter().find(|row| row.scenario == scenario && row.candidate == name)
        };
        let count = |scenario: &str, name: &str| {
            warm(scenario, name).and_then(|row| row.instructions).map(lossless)
        };
        for (scenario, most) in [("get-user", 3.6), ("list-50", 2.1)] {
            at_most(
                &format!("{scenario}: instructions ÷ floor"),
                over(count(scenario, OURS), count(scenario, "floor")),
                most,
            );
        }
        at_most(
            "list-50: instructions ÷ rust-defaults",
            over(count("list-50", OURS), count("list-50", "rust-defaults")),
            1.0 / 2.7,
        );
        for scenario in ["get-user", "list-25", "list-50", "orders-25"] {
            let p50 = |name: &str| warm(scenario, name).map(|row| row.p50.value);
            at_most(&format!("{scenario}: p50 ÷ node"), over(p50(OURS), p50("node")), 1.0 / 3.0);
        }
        at_most(
            "304 ÷ 200, not compressed: instructions",
            over(count("list-25-304", OURS), count("list-25", OURS)),
            1.0,
        );
        let mine = || self.footprints.iter().filter(|row| row.candidate == OURS);
        let most = |f: fn(&Footprint) -> u64| mine().map(f).max().map(lossless);
        at_most("resident memory, MiB", most(|row| row.resident).map(|kib| kib / 1_024.0), 9.0);
        at_most("zip, MB", most(|row| row.zip_bytes).map(|bytes| bytes / 1e6), 3.3);
        let deep = |f: fn(&Depth) -> f64| {
            let mut ours = self.depth.iter().filter(|row| row.candidate == OURS);
            let first = ours.next().map(f);
            over(ours.next_back().map(f), first)
        };
        at_most("last page ÷ first: round trips", deep(|row| lossless(row.rounds)), 1.0);
        at_most("last page ÷ first: units", deep(|row| row.units), 1.1);
        let counted = self
            .depth
            .iter()
            .filter(|row| row.candidate == OURS)
            .all(|row| row.instructions.is_some());
        if counted {
            at_most(
                "last page ÷ first: instructions",
                deep(|row| row.instructions.map_or(0.0, lossless)),
                1.1,
            );
        }
        let bytes = |name: &str| {
            self.fields
                .iter()
                .find(|row| row.fields == name)
                .map(|row| lossless(row.body_bytes as u64))
        };
        at_most("bytes of fields=name ÷ all fields", over(bytes("name"), bytes("all")), 0.1);
        let study = self
            .case_study
            .as_ref()
            .and_then(|study| study.rows.iter().find(|row| row.candidate == OURS));
        at_most("case study, ms", study.map(|row| row.wall), 30.0);
        self.goals = goals;
    }

    /// Writes `bench.json` (or another name) into the folder.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> Result<()> {
        let failed = || format!("cannot write to {}", workspace::shown(folder));
        std::fs::create_dir_all(folder).with_context(failed)?;
        let text = serde_json::to_string_pretty(self).with_context(failed)?;
        std::fs::write(folder.join(name), text + "\n").with_context(failed)
    }

    /// Prints everything.
    pub(crate) fn print(&self) {
        println!("{}\n{}, {}\n", self.command, self.machine, self.date);
        for line in &self.left_out {
            println!("left out: {line}");
        }
        self.print_cold();
        self.print_warm();
        self.print_footprints();
        self.print_depth();
        if let Some(study) = &self.case_study {
            study.print();
        }
        if !self.goals.is_empty() {
            println!("{:<40} {:>10} {:>12}", "goal", "wanted", "measured");
        }
        for Goal { what, wanted, measured, met } in &self.goals {
            println!(
                "{what:<40} {wanted:>10.7} {measured:>12.4} {}",
                if *met { "" } else { " not met" }
            );
        }
    }

    fn print_cold(&self) {
        if self.cold.is_empty() {
            return;
        }
        println!("cold start, ms (median ± median absolute deviation)");
        println!(
            "{:<18} {:>16} {:>16} {:>16} {:>16} {:>16} {:>16}",
            "", "init wall", "init CPU", "first wall", "first CPU", "wall", "CPU"
        );
        for row in &self.cold {
            let of = |median: Median| format!("{:.2} ± {:.2}", median.value, median.mad);
            let columns = [
                row.init_wall,
                row.init_cpu,
                row.first_wall,
                row.first_cpu,
                row.total_wall,
                row.total_cpu,
            ]
            .map(of);
            let columns: String = columns.iter().map(|column| format!(" {column:>16}")).collect();
            println!("{:<18}{columns}", row.candidate);
        }
        println!();
    }

    fn print_warm(&self) {
        if self.warm.is_empty() {
            return;
        }
        println!("warm requests: microseconds, instructions, and what they cost at DynamoDB");
        println!(
            "{:<18} {:<18} {:>15} {:>7} {:>7} {:>13} {:>7} {:>6} {:>7} {:>10}",
            "", "", "p50", "p99", "CPU", "instructions", "rounds", "calls", "units", "body bytes"
        );
        for row in &self.warm {
            let p50 = format!("{:.0} ± {:.0}", row.p50.value, row.p50.mad);
            let instructions =
                row.instructions.map_or_else(|| "-".to_owned(), |count| count.to_string());
            println!(
                "{:<18} {:<18} {p50:>15} {:>7.0} {:>7.0} {instructions:>13} {:>7} {:>6} {:>7} {:>10}",
                row.scenario,
                row.candidate,
                row.p99,
                row.cpu,
                row.rounds,
                row.calls,
                row.units,
                row.body_bytes
            );
        }
        println!();
    }

    fn print_footprints(&self) {
        if self.footprints.is_empty() {
            return;
        }
        println!(
            "{:<18} {:<18} {:>12} {:>12} {:>12} {:>12}",
            "", "", "RSS KiB", "peak KiB", "file bytes", "zip bytes"
        );
        for Footprint { candidate, function, resident, resident_at_most, file_bytes, zip_bytes } in
            &self.footprints
        {
            println!(
                "{candidate:<18} {function:<18} {resident:>12} {resident_at_most:>12} {file_bytes:>12} {zip_bytes:>12}"
            );
        }
        println!();
    }

    fn print_depth(&self) {
        for (i, row) in self.depth.iter().enumerate() {
            if i == 0 {
                println!(
                    "{:<14} {:>6} {:>15} {:>13} {:>7} {:>7} {:>12}",
                    "by depth", "page", "p50 µs", "instructions", "rounds", "units", "bytes read"
                );
            }
            let instructions =
                row.instructions.map_or_else(|| "-".to_owned(), |count| count.to_string());
            let p50 = format!("{:.0} ± {:.0}", row.p50.value, row.p50.mad);
            println!(
                "{:<14} {:>6} {p50:>15} {instructions:>13} {:>7} {:>7} {:>12}",
                row.candidate, row.page, row.rounds, row.units, row.dynamodb_bytes
            );
        }
        for (i, row) in self.fields.iter().enumerate() {
            if i == 0 {
                println!(
                    "\n{:<14} {:>12} {:>12} {:>12}",
                    "100 products", "body bytes", "bytes read", "units"
                );
            }
            println!(
                "{:<14} {:>12} {:>12} {:>12}",
                row.fields, row.body_bytes, row.dynamodb_bytes, row.units
            );
        }
        println!();
    }
}
