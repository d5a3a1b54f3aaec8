//! Processes that `cargo dev up` starts end with it, even if it is killed (on Linux).
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The command line of a process; empty if it has ended.
fn command_line(pid: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
        .into_owned()
}

/// Returns true once the condition holds, false after ten seconds.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    (0..200).any(|_| {
        let holds = condition();
        if !holds {
            std::thread::sleep(Duration::from_millis(50));
        }
        holds
    })
}

#[test]
fn a_bound_program_ends_when_its_parent_is_killed() {
    let script = r#""$0" bound $$ -- sleep 300 & echo $!; wait"#;
    let mut parent = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_dev")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    let pid = pid.trim();
    assert!(comes_true(|| command_line(pid).starts_with("sleep")), "the program does not run");
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(comes_true(|| command_line(pid).is_empty()), "the program has not ended");
}

#[test]
fn a_program_whose_parent_has_ended_is_not_started() {
    let output = Command::new(env!("CARGO_BIN_EXE_dev"))
        .args(["bound", "1", "--", "echo", "started"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: process 1 has ended\n");
    assert!(output.stdout.is_empty());
}
