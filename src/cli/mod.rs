//! The command line: arguments, printing, exit codes, logging.
//!
//! Constraints: stdout carries results and nothing else, stderr everything else; whatever happens
//! ends in one of the documented exit codes, with a message that names the path and the remedy.

mod args;
mod client;
mod command;
mod exit_code;
mod options;
mod output;
mod setup;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use outlast::service::ControlError;
use outlast::service::settings::{Settings, SettingsError};

use crate::cli::setup::Configured;

use args::{Cli, CliCommand};
use output::terminal::tell;

/// Parses the arguments, runs the command, and maps its result to an exit code.
pub(crate) fn main(started: Instant) -> ExitCode {
    setup::allocator::set_up();
    if let Err(error) = outlast::service::report_file_size_limit() {
        tell(&format!("outlast: {error}"));
    }
    let mut reported = Vec::new();
    let done = match options::usage::parse() {
        Ok(mut cli) => {
            let done = carry_out(&mut cli, started);
            reported = cli.global.reported;
            done
        }
        Err(error) => options::usage::show(&error),
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        if output::terminal::is_closed_pipe(&error) {
            return exit_code::DONE;
        }
        // A process that reloads the same file reports the same problems.
        let lines = lines_of(&error).into_iter().filter(|line| !reported.contains(line));
        lines.for_each(|line| tell(&format!("outlast: {line}")));
        exit_code::code_of(&error)
    }))
}

fn carry_out(cli: &mut Cli, started: Instant) -> Result<u8> {
    cli.global.warnings().iter().for_each(|warning| tell(&format!("outlast: {warning}")));
    // `config` works even if the settings are invalid, or name a log file that can't be written.
    if let CliCommand::Config(args) = &cli.command {
        return command::config::config(&cli.global, &cli.layers(), args);
    }
    let layers = cli.layers();
    let (settings, problems) = layers.load_what_is_right();
    show_warnings(&settings);
    // Commands that query or stop a process need none of its settings except the state's location, which a profile may
    // say.
    if !problems.is_empty() && (!cli.command.only_asks() || layers.lacks_profile(&settings)) {
        return Err(SettingsError(problems).into());
    }
    cli.global.reported = problems.iter().map(ToString::to_string).collect();
    cli.global.reported.iter().for_each(|problem| tell(&format!("outlast: not taken over: {problem}")));
    let works = matches!(cli.command, CliCommand::Run(_) | CliCommand::Watch(_));
    let logging = setup::logging::init(&settings, works)?;
    cli.global.state = settings.fields().state.clone();
    let global = &cli.global;
    let configured = || Configured {
        layers,
        settings: &settings,
        set_level: logging.set_level,
        reopen_log: logging.reopen,
    };
    match &cli.command {
        CliCommand::Run(args) => command::run::run(global, args, configured(), started),
        CliCommand::Plan(args) => command::run::plan::plan(global, args, &settings, started),
        CliCommand::Watch(args) => command::watch::watch(global, args, configured(), started),
        CliCommand::Status(args) => command::status::status(global, args),
        CliCommand::Jobs(args) => command::jobs::jobs(global, args),
        CliCommand::Records(args) => command::records::records(global, args),
        CliCommand::Explain(args) => command::explain::explain(global, args, &settings),
        CliCommand::Failures(args) => command::failures::failures(global, args),
        CliCommand::Retry(args) => command::failures::retry(global, args),
        CliCommand::Forget(args) => command::roots::forget(global, args),
        CliCommand::MoveRoot(args) => command::roots::move_root(global, args),
        CliCommand::Shards(args) => command::shards::shards(global, args),
        CliCommand::Ctl(args) => command::ctl::ctl(global, args, &settings),
        CliCommand::Inspect(args) => command::inspect::inspect(global, args, &settings),
        CliCommand::Exec(args) => command::exec::exec(global, args, &settings),
        CliCommand::Compact => command::compact::compact(global, &settings),
        CliCommand::Repair(_) => command::repair::repair(global, &settings),
        CliCommand::Config(args) => command::config::config(global, &cli.layers(), args),
    }
}

/// Reports what is ignored of the configuration.
pub(crate) fn show_warnings(settings: &Settings) {
    settings.warnings().iter().for_each(|warning| tell(&format!("outlast: {warning}")));
}

/// Formats a failure: a line for each problem of the settings, otherwise one.
fn lines_of(error: &anyhow::Error) -> Vec<String> {
    if let Some(SettingsError(problems)) = error.downcast_ref() {
        return problems.iter().map(ToString::to_string).collect();
    }
    match error.downcast_ref() {
        Some(ControlError::Settings(problems)) => problems.lines().map(str::to_owned).collect(),
        _ => vec![text_of(error)],
    }
}

/// Formats the error and its causes, without repetitions.
fn text_of(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}
