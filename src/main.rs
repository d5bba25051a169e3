//! The `outlast` command.

use std::process::ExitCode;
use std::time::Instant;

mod cli;

fn main() -> ExitCode {
    let started = Instant::now();
    cli::main(started)
}
