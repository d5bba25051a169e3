//! Arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use outlast::{AstProcessor, Limits, LogPosition, Order, RecordStatus, StrategyKind};

use super::exit;
use super::failures::{FailuresArgs, RetryArgs};

/// A batch engine for files that outlasts crashes.
#[derive(Debug, Parser)]
#[command(name = "outlast", version, about, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// State folder
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "OUTLAST_STATE",
        default_value = ".outlast",
        value_name = "DIR"
    )]
    pub(crate) state: PathBuf,

    /// What is logged on stderr, such as `info` or `outlast=debug`
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        env = "OUTLAST_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,

    /// How results are printed
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
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
    /// Show counts, jobs and sizes of a state
    Status,
    /// Print the latest record of each path, or the log from a cursor
    Records(RecordsArgs),
    /// Tell what is known of a path, or which rule leaves it out
    Explain(ExplainArgs),
    /// Show what failed, by class, with samples
    Failures(FailuresArgs),
    /// Make failed files due again, on a running process too
    Retry(RetryArgs),
    /// Show what a run would see in one file; no state is needed
    Inspect(InspectArgs),
    /// Rebuild a damaged state from its records
    Repair(RepairArgs),
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, a line every few seconds elsewhere
    Auto,
    /// The bar even where stderr is no terminal
    Always,
    /// Nothing
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Folders to ingest
    #[arg(required = true, value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    /// Record folder [default: `records` in the state folder]
    #[arg(long, env = "OUTLAST_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,

    /// Only files whose name (or, with a `/`, path) matches [default: *.ast.json, *.syntax.json, *_ast.json]
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,

    /// Leave out files and folders whose name (or, with a `/`, path) matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Which files come first: exactly among those claimed together, by powers of two of size or age beyond
    #[arg(long, value_enum, default_value_t = OrderArg::Path)]
    pub(crate) order: OrderArg,

    /// How pending files are cut into batches
    #[arg(long, value_enum, default_value_t = StrategyArg::Adaptive)]
    pub(crate) strategy: StrategyArg,

    /// Files in a batch of `count`, and where `adaptive` starts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) batch_size: Option<u16>,

    /// Progress on stderr
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(crate) progress: Progress,

    /// Seconds between two heartbeat lines where there is no bar
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = heartbeat)]
    pub(crate) heartbeat: Duration,

    /// Only tell what would be done; nothing is read, written or made
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Process every file again, done or not
    #[arg(long)]
    pub(crate) reprocess: bool,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// How deep a document may be nested (`depth`), or how many `symbols`, `imports`, `calls` or `kinds` a
    /// record lists; with other limits every file is due again [default: depth=10000, symbols=10000,
    /// imports=2000, calls=10000, kinds=1000]
    #[arg(long, value_name = "NAME=N", value_parser = limit)]
    limit: Vec<(String, u64)>,
}

impl LimitArgs {
    /// The processor with these limits; of one that is given twice, the last.
    pub(crate) fn processor(&self) -> anyhow::Result<AstProcessor> {
        let mut limits = Limits::default();
        for (name, value) in &self.limit {
            limits.set(name, *value)?;
        }
        Ok(AstProcessor::with_limits(limits))
    }
}

fn limit(text: &str) -> Result<(String, u64), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("expected NAME=N, such as depth=20000".to_owned());
    };
    if !Limits::NAMES.contains(&name) {
        return Err(outlast::LimitError::Unknown(name.to_owned()).to_string());
    }
    let value =
        value.parse().map_err(|_| format!("{value:?} is no number, such as 20000 in {name}=20000"))?;
    Limits::default().set(name, value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value))
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.01..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be 0.01 to 86400 seconds".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    Path,
    Smallest,
    Largest,
    Newest,
    Oldest,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Path => Self::Path,
            OrderArg::Smallest => Self::Smallest,
            OrderArg::Largest => Self::Largest,
            OrderArg::Newest => Self::Newest,
            OrderArg::Oldest => Self::Oldest,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StrategyArg {
    Adaptive,
    Count,
    Size,
}

impl From<StrategyArg> for StrategyKind {
    fn from(strategy: StrategyArg) -> Self {
        match strategy {
            StrategyArg::Adaptive => Self::Adaptive,
            StrategyArg::Count => Self::Count,
            StrategyArg::Size => Self::Size,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RecordsArgs {
    /// The log from this cursor on, instead of the latest record of each path; 1:0 is its start
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<LogPosition>,

    /// Go on printing the log as it grows, from --since or from its start
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
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Record folder, where the state does not tell it any more [default: `records` in the state folder]
    #[arg(long, env = "OUTLAST_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
