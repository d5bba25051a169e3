//! Arguments.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use outlast::service::settings::Given;
use outlast::{RecordCursor, RecordStatus};

use super::config::{ConfigArgs, ConfigCommand};
use super::ctl::CtlArgs;
use super::exit;
use super::failures::{FailuresArgs, RetryArgs};
use super::flags::{Everywhere, Flags, OfInspect, OfRepair, OfRun, OfWatch};
use super::jobs::JobsArgs;
use super::roots::{ForgetArgs, MoveRootArgs};

/// A batch engine for files that outlasts crashes.
#[derive(Debug, Parser)]
#[command(name = "outlast", bin_name = "outlast", version, about, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) flags: Flags<Everywhere>,

    /// Configuration file [default: the nearest outlast.toml, from the current folder upwards]
    #[arg(long, global = true, help_heading = "Global options", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// How results are printed
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,

    /// The state folder that the settings name, once they are read.
    #[arg(skip)]
    pub(crate) state: PathBuf,
}

impl Cli {
    /// The arguments, if they go together in ways that clap can't tell.
    pub(crate) fn checked(self) -> Result<Self, clap::Error> {
        match self.misfit() {
            Some(what) => Err(Self::command().error(ErrorKind::ArgumentConflict, what)),
            None => Ok(self),
        }
    }

    fn misfit(&self) -> Option<&'static str> {
        let Command::Records(args) = &self.command else {
            let of_records = matches!(self.format, Format::Ndjson | Format::Parquet);
            return of_records
                .then_some("--format ndjson and --format parquet are for `records`; use human or json");
        };
        if args.format != Format::Parquet {
            return None;
        }
        if cfg!(not(feature = "parquet")) {
            return Some(
                "this outlast was built without the Cargo feature `parquet`; build it with, or use ndjson",
            );
        }
        if args.since.is_some() || args.follow {
            return Some(
                "--format parquet holds the latest record of each path; leave --since and --follow out, \
                 or use --format ndjson",
            );
        }
        args.output.is_none().then_some("--format parquet needs a file to write: add --output FILE")
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ingest folders: every file once, going on where the last run stopped
    Run(RunArgs),
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
    /// Give orders to the process that holds the state: pause, resume, stop, and more
    Ctl(CtlArgs),
    /// Show what a run would see in one file; no state is needed
    Inspect(InspectArgs),
    /// Free the record log of what is out of date, on a running process too
    Compact,
    /// Rebuild a damaged state from its records
    Repair(RepairArgs),
    /// Show or check the settings: flags, `OUTLAST_*` variables and outlast.toml
    Config(ConfigArgs),
}

impl Command {
    /// Whether it asks, or gives orders to, whoever holds the state.
    pub(crate) fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::Status(_)
                | Self::Jobs(_)
                | Self::Records(_)
                | Self::Explain(_)
                | Self::Failures(_)
                | Self::Retry(_)
                | Self::Ctl(_)
                | Self::Compact
        )
    }

    /// The settings that its own flags gave.
    pub(crate) fn given(&self) -> Vec<&Given> {
        match self {
            Self::Run(args) => args.flags.given.iter().collect(),
            Self::Watch(args) => args.flags.given.iter().chain(&args.watching.given).collect(),
            Self::Inspect(args) => args.flags.given.iter().collect(),
            Self::Repair(args) => args.flags.given.iter().collect(),
            Self::Config(ConfigArgs { command: ConfigCommand::Show(args) }) => {
                args.flags.given.iter().chain(&args.watching.given).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// One JSON object on each line; of `records` only
    #[value(hide = true)]
    Ndjson,
    /// A table; of `records` only
    #[value(hide = true)]
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Folders to ingest
    #[arg(required = true, value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    /// Only tell what would be done; nothing is read, written or made
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Process every file again, done or not
    #[arg(long)]
    pub(crate) reprocess: bool,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Folders to ingest and follow; those that were added to the state by `ctl add` as well
    #[arg(value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    #[command(flatten)]
    pub(crate) watching: Flags<OfWatch>,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Show it again each second, until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecordsArgs {
    /// The log from this cursor on (SEGMENT:OFFSET@STATE), instead of the latest record of each path; 1:0 is its start
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<RecordCursor>,

    /// Go on printing the log as it grows, from --since or from its start; where that was compacted away, the
    /// latest record of each path comes first
    #[arg(long)]
    pub(crate) follow: bool,

    /// A file to write instead of stdout; one that is there is replaced once the new one is complete
    #[arg(long, value_name = "FILE", conflicts_with = "follow")]
    pub(crate) output: Option<PathBuf>,

    /// How records are written: `ndjson`, a line for each, or `parquet`, a table, with --output
    // The global option, with values of its own: clap keeps one value for both.
    #[arg(long, value_name = "ndjson|parquet", default_value = "ndjson", value_parser = records_format)]
    pub(crate) format: Format,

    /// Only the latest records with this status
    #[arg(long, value_enum, conflicts_with_all = ["since", "follow"])]
    pub(crate) status: Option<StatusArg>,

    /// Print the cursor to go on from as the last line on stderr
    #[arg(long, conflicts_with = "follow")]
    pub(crate) cursor: bool,
}

fn records_format(text: &str) -> Result<Format, String> {
    Format::from_str(text, false).map_err(|_| "must be ndjson or parquet".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusArg {
    Ok,
    Failed,
}

impl From<StatusArg> for RecordStatus {
    fn from(status: StatusArg) -> Self {
        match status {
            StatusArg::Ok => Self::Ok,
            StatusArg::Failed => Self::Failed,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The path to explain
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The file, under any name
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) flags: Flags<OfInspect>,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) flags: Flags<OfRepair>,
}
