//! Arguments.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use outlast::service::settings::{FlagValue, Layers, ProcessEnv};

use super::exit_code;
use crate::cli::command::config::{ConfigArgs, ConfigCommand};
use crate::cli::command::ctl::CtlArgs;
use crate::cli::command::exec::{ExecAction, ExecArgs};
use crate::cli::command::explain::ExplainArgs;
use crate::cli::command::failures::{FailuresArgs, RetryArgs};
use crate::cli::command::inspect::InspectArgs;
use crate::cli::command::jobs::JobsArgs;
use crate::cli::command::records::RecordsArgs;
use crate::cli::command::repair::RepairArgs;
use crate::cli::command::roots::{ForgetArgs, MoveRootArgs};
use crate::cli::command::run::RunArgs;
use crate::cli::command::run::plan::PlanArgs;
use crate::cli::command::shards::{ShardsArgs, ShardsCommand};
use crate::cli::command::status::StatusArgs;
use crate::cli::command::watch::WatchArgs;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::export::{RecordsFormat, WITHOUT_PARQUET};

/// A batch engine for files that outlasts crashes.
#[derive(Debug, Parser)]
#[command(name = "outlast", bin_name = "outlast", version, about, after_help = exit_code::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: CliCommand,

    #[command(flatten)]
    pub(crate) global: Global,
}

impl Cli {
    /// Returns the arguments if they fit together in ways that clap can't check.
    pub(crate) fn checked(self) -> Result<Self, clap::Error> {
        match self.misfit() {
            Some(what) => Err(Self::command().error(ErrorKind::ArgumentConflict, what)),
            None => Ok(self),
        }
    }

    /// Returns the sources of the command's settings.
    pub(crate) fn layers(&self) -> Layers {
        Layers {
            given: self.global.flags.given.iter().chain(self.command.given()).cloned().collect(),
            config: self.global.config.clone(),
            profile: self.global.profile.clone(),
            process_env: ProcessEnv::of_process(),
        }
    }

    fn misfit(&self) -> Option<&'static str> {
        if let CliCommand::Run(args) = &self.command
            && args.end_with_stdin
            && args.files_from.as_deref() == Some(Path::new("-"))
        {
            return Some(
                "--end-with-stdin and --files-from - both read standard input: list the files in a file",
            );
        }
        if let CliCommand::Shards(ShardsArgs { command: ShardsCommand::Records(args) }) = &self.command {
            return args.misfit();
        }
        let CliCommand::Records(args) = &self.command else {
            let of_records = matches!(self.global.format, Format::Ndjson | Format::Parquet);
            return of_records
                .then_some("--format ndjson and --format parquet are for `records`; use human or json");
        };
        let Some(format) = args.written_as() else {
            return Some(
                "the ending of the file that --output names says no format: use .ndjson, .ndjson.zst or .parquet, \
                 or add --format",
            );
        };
        if format == RecordsFormat::Lines {
            return None;
        }
        if cfg!(not(feature = "parquet")) {
            return Some(WITHOUT_PARQUET);
        }
        if format == RecordsFormat::CompressedLines {
            return None;
        }
        if args.since.is_some() || args.consumer.is_some() || args.follow {
            return Some(
                "a table (parquet) holds the latest record of each path; leave --since, --consumer and --follow out, \
                 or use --format ndjson",
            );
        }
        args.output
            .is_none()
            .then_some("--format parquet needs a file to write: add --output FILE, or --output - for stdout")
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    /// Ingest folders: every file once, going on where the last run stopped
    Run(RunArgs),
    /// Show how files would be cut into batches; no state is needed
    Plan(PlanArgs),
    /// Ingest folders, stay, and keep the records in step with what changes
    Watch(WatchArgs),
    /// Show counts, jobs and sizes of a state
    Status(StatusArgs),
    /// List the jobs: what waits, what runs, and how the latest ones ended
    Jobs(JobsArgs),
    /// Print the latest record of each path, or the log from a cursor
    Records(RecordsArgs),
    /// Tell what is known of a path, or which rule leaves it out
    Explain(ExplainArgs),
    /// Show what failed, by class, with samples
    Failures(FailuresArgs),
    /// Make failed files due again, on a running process too
    Retry(RetryArgs),
    /// End the records of files, or of a whole root, as removed, on a running process too
    Forget(ForgetArgs),
    /// Keep the records of a root whose tree was moved
    MoveRoot(MoveRootArgs),
    /// Ask all shards of a tree at once, or have a scheduler run them
    Shards(ShardsArgs),
    /// Give orders to the process that holds the state: pause, resume, stop, and more
    Ctl(CtlArgs),
    /// Show what a run would see in one file; no state is needed
    Inspect(InspectArgs),
    /// Try a command that is to be a processor
    Exec(ExecArgs),
    /// Free the record log of what is out of date, on a running process too
    Compact,
    /// Rebuild a damaged state from its records
    Repair(RepairArgs),
    /// Show or check the settings: flags, `OUTLAST_*` variables and outlast.toml
    Config(ConfigArgs),
}

impl CliCommand {
    /// Returns whether the command only asks the processes that hold states, or gives them orders.
    pub(crate) fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::Status(_)
                | Self::Jobs(_)
                | Self::Records(_)
                | Self::Explain(_)
                | Self::Failures(_)
                | Self::Retry(_)
                | Self::Shards(_)
                | Self::Ctl(_)
                | Self::Compact
        )
    }

    /// Returns the settings given by the command's own flags.
    pub(crate) fn given(&self) -> Vec<&FlagValue> {
        match self {
            Self::Run(args) => args.flags.given.iter().collect(),
            Self::Plan(args) => args.flags.given.iter().collect(),
            Self::Watch(args) => args.flags.given.iter().chain(&args.watching.given).collect(),
            Self::Inspect(args) => args.flags.given.iter().collect(),
            Self::Exec(ExecArgs { action: ExecAction::Check(args) }) => args.flags.given.iter().collect(),
            Self::Repair(args) => args.flags.given.iter().collect(),
            Self::Config(ConfigArgs { command: ConfigCommand::Show(args) }) => {
                args.flags.given.iter().chain(&args.watching.given).collect()
            }
            _ => Vec::new(),
        }
    }
}
