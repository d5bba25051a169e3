//! `outlast exec`: tries a command as a processor.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use outlast::ExecCommand;
use outlast::process::exec::{ExecTrial, check};
use outlast::service::settings::Settings;

use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfExecCheck};
use crate::cli::options::global::{Format, Global};
use crate::cli::output::terminal;
use crate::cli::setup::processor::exec_options;

/// Runs `outlast exec`.
pub(crate) fn exec(global: &Global, args: &ExecArgs, settings: &Settings) -> Result<u8> {
    let ExecAction::Check(ExecCheckArgs { command, files, .. }) = &args.action;
    let options = exec_options(settings, command, &[]);
    let limit = Duration::from_secs(settings.fields().batch.timeout_seconds);
    let trials = check(&options, files, limit)?;
    let is_good = trials.iter().all(|trial| trial.outcome.is_ok());
    let code = if is_good { exit_code::DONE } else { exit_code::SOME_FAILED };
    let printed = if global.format == Format::Json {
        let shown = trials.iter().map(|ExecTrial { what, outcome }| match outcome {
            Ok(did) => serde_json::json!({ "tried": what, "ok": did }),
            Err(wrong) => serde_json::json!({ "tried": what, "wrong": wrong }),
        });
        terminal::print_json(&shown.collect::<Vec<_>>())
    } else {
        terminal::print(|out| {
            for ExecTrial { what, outcome } in &trials {
                match outcome {
                    Ok(did) => writeln!(out, "  ok      {what}: {did}")?,
                    Err(wrong) => writeln!(out, "  wrong   {what}: {wrong}")?,
                }
            }
            if trials.is_empty() {
                writeln!(out, "  ok      the program is there; name files to run it for them")?;
            }
            Ok(())
        })
    };
    terminal::code_of_printed(printed, code)
}

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    #[command(subcommand)]
    pub(crate) action: ExecAction,
}

#[derive(Debug, Args)]
pub(crate) struct ExecCheckArgs {
    /// The command, as for --exec
    #[arg(value_parser = ExecCommand::parse)]
    command: ExecCommand,

    /// Files to try it with
    files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfExecCheck>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExecAction {
    /// Start a command as a run would, ask it about files, end it, and say what is wrong
    Check(ExecCheckArgs),
}
