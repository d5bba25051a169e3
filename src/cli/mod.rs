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
mod run;
mod services;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use outlast::service::settings::SettingsError;

use args::{Cli, Command};
use logging::SetLevel;
use outlast::service::settings::{Layers, Settings};

/// Parses the arguments, carries the command out, and maps what comes of it to an exit code.
pub(crate) fn main(started: Instant) -> ExitCode {
    allocator::set_up();
    let mut cli = match Cli::try_parse().and_then(Cli::checked) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is all that can go wrong here, and then nobody reads this.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
        }
    };
    match carry_out(&mut cli, started) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if exit::is_closed_pipe(&error) {
                return ExitCode::from(exit::DONE);
            }
            text_of(&error).lines().for_each(|line| tell(&format!("outlast: {line}")));
            ExitCode::from(exit::code_of(&error))
        }
    }
}

fn carry_out(cli: &mut Cli, started: Instant) -> Result<u8> {
    // What the settings are is asked even where they are wrong, or name a log file that can't be written.
    if let Command::Config(args) = &cli.command {
        return config::config(cli, args);
    }
    let layers = config::layers(cli);
    let (settings, problems) = layers.load_what_is_right();
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
        Command::Ctl(args) => ctl::ctl(cli, args),
        Command::Inspect(args) => inspect::inspect(cli, args, &settings),
        Command::Compact => compact::compact(cli),
        Command::Repair(_) => query::repair(cli, &settings),
        Command::Config(args) => config::config(cli, args),
    }
}

/// The settings of a process, and what it needs to read them again.
pub(crate) struct Configured<'a> {
    pub(crate) layers: Layers,
    pub(crate) settings: &'a Settings,
    pub(crate) set_level: SetLevel,
}

/// Writes a line on stderr. Where that fails nobody can be told, and the exit code still says how it went.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
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
