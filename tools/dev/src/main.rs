//! `cargo dev`: see `cargo dev --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dev::cli::run()
}
