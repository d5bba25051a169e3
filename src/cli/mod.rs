//! The command line: arguments, printing, exit codes, logging.
//!
//! Constraints: stdout carries results and nothing else, stderr everything else; whatever happens
//! ends in one of the documented exit codes, with a message that names the path and the remedy.

mod allocator;
mod args;
mod compact;
mod config;
mod ctl;
mod exit;
mod export;
mod failures;
mod fault;
mod flags;
mod inspect;
mod jobs;
mod log_file;
mod logging;
#[cfg(feature = "otel")]
mod otel;
mod print;
mod progress;
mod query;
mod roots;
mod run;
mod services;
mod terminal;
mod usage;
mod watch;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use outlast::service::ControlError;
use outlast::service::settings::SettingsError;

use args::{Cli, Command};
use logging::SetLevel;
use outlast::service::settings::{Layers, Settings};
use terminal::tell;

/// Parses the arguments, carries the command out, and maps what comes of it to an exit code.
pub(crate) fn main(started: Instant) -> ExitCode {
    allocator::set_up();
    if let Err(error) = outlast::service::report_file_size_limit() {
        tell(&format!("outlast: {error}"));
    }
    let done = match usage::parse() {
        Ok(mut cli) => carry_out(&mut cli, started),
        Err(error) => usage::show(&error),
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        if terminal::is_closed_pipe(&error) {
            return exit::DONE;
        }
        lines_of(&error).iter().for_each(|line| tell(&format!("outlast: {line}")));
        exit::code_of(&error)
    }))
}

fn carry_out(cli: &mut Cli, started: Instant) -> Result<u8> {
    // What the settings are is asked even where they are wrong, or name a log file that can't be written.
    if let Command::Config(args) = &cli.command {
        return config::config(cli, args);
    }
    let layers = config::layers(cli);
    let (settings, problems) = layers.load_what_is_right();
    show_passed_over(&settings);
    if !problems.is_empty() && !cli.command.only_asks() {
        return Err(SettingsError(problems).into());
    }
    // Whoever asks a process, or stops it, needs none of its settings but where the state is.
    problems.iter().for_each(|problem| tell(&format!("outlast: not taken over: {problem}")));
    let works = matches!(cli.command, Command::Run(_) | Command::Watch(_));
    let logging = logging::init(&settings, works)?;
    cli.state = settings.state().to_owned();
    let cli = &*cli;
    let configured = || Configured { layers, settings: &settings, set_level: logging.set_level };
    match &cli.command {
        Command::Run(args) => run::run(cli, args, configured(), started),
        Command::Watch(args) => watch::watch(cli, args, configured(), started),
        Command::Status(args) => query::status(cli, args),
        Command::Jobs(args) => jobs::jobs(cli, args),
        Command::Records(args) => query::records(cli, args),
        Command::Explain(args) => query::explain(cli, args),
        Command::Failures(args) => failures::failures(cli, args),
        Command::Retry(args) => failures::retry(cli, args),
        Command::Forget(args) => roots::forget(cli, args),
        Command::MoveRoot(args) => roots::move_root(cli, args),
        Command::Ctl(args) => ctl::ctl(cli, args),
        Command::Inspect(args) => inspect::inspect(cli, args, &settings),
        Command::Compact => compact::compact(cli),
        Command::Repair(_) => query::repair(cli, &settings),
        Command::Config(args) => config::config(cli, args),
    }
}

/// Says which configuration files were found and are not obeyed.
pub(crate) fn show_passed_over(settings: &Settings) {
    settings.passed_over().iter().for_each(|file| tell(&format!("outlast: {file}")));
}

/// The settings of a process, and what it needs to read them again.
pub(crate) struct Configured<'a> {
    pub(crate) layers: Layers,
    pub(crate) settings: &'a Settings,
    pub(crate) set_level: SetLevel,
}

/// What a failure is told in: a line for each thing that is wrong with the settings, and else one.
fn lines_of(error: &anyhow::Error) -> Vec<String> {
    if let Some(SettingsError(problems)) = error.downcast_ref() {
        return problems.iter().map(ToString::to_string).collect();
    }
    match error.downcast_ref() {
        Some(ControlError::Settings(problems)) => problems.lines().map(str::to_owned).collect(),
        _ => vec![text_of(error)],
    }
}

/// The error and its causes, without what was said already.
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
