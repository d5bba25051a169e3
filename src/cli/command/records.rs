//! `outlast records`: asks the run that holds the state, or the state itself.

use std::convert::Infallible;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use outlast::engine::{self, CommittedLog, ConsumerChange, ConsumerReport, EngineError};
use outlast::service::{ControlError, Request, ask};
use outlast::sink::SinkError;
use outlast::{ConsumerName, LogStart, RecordCursor, RecordStatus};

use crate::cli::client::{ask_state, is_in_use, put, put_or};
use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::export::{self, Which};
use crate::cli::output::terminal;

/// How often `--follow` polls for more.
const FOLLOW: Duration = Duration::from_millis(200);
/// How often a request is repeated after a concurrent compaction.
const DROPPED_TRIES: u32 = 5;

/// Runs `outlast records`.
pub(crate) fn records(global: &Global, args: &RecordsArgs) -> Result<u8> {
    if let Some(since) = args.since.as_ref().or(args.commit.as_ref()).filter(|since| since.is_bare()) {
        terminal::tell(&format!(
            "outlast: cursor {since} names no state, and one of another state can't be told from it: keep cursors as \
             `outlast records --cursor` prints them, {since}@STATE"
        ));
    }
    if let Some(name) = &args.consumer
        && (args.commit.is_some() || args.forget)
    {
        return change_consumer(global, name, args.commit.clone());
    }
    let mut out = terminal::json_out();
    if args.follow {
        match follow(global, args.since.clone(), &mut out)? {}
    }
    let (log, which) = asked(global, args)?;
    if let Some(path) = &args.output {
        let code = export::write(global, args.format, &log, &which, path)?;
        if code != exit_code::DONE {
            return Ok(code);
        }
    } else {
        match &which {
            Which::Since(since) => log.write_from(*since, &mut out)?,
            Which::At(positions) => log.write_lines(positions, &mut out)?,
        }
        out.flush()?;
    }
    if args.cursor {
        // The cursor is part of the requested output: failing to print it is an error.
        terminal::try_tell(&log.cursor().to_string()).context("the cursor can't be written to stderr")?;
    }
    Ok(exit_code::DONE)
}

/// Commits a consumer's cursor, or drops the consumer.
fn change_consumer(global: &Global, name: &ConsumerName, commit: Option<RecordCursor>) -> Result<u8> {
    let change = ConsumerChange { name: name.clone(), commit };
    let alone = || engine::change_consumer(&global.state, &change);
    let payload = put_or(global, &Request::Commit(change.clone()), alone)?;
    let report: ConsumerReport = serde_json::from_slice(&payload).context("the answer tells no consumer")?;
    if change.commit.is_none() && report.before.is_none() {
        terminal::tell(&format!("outlast: there is no consumer {name}: see `outlast status`"));
        return Ok(exit_code::NOTHING_MATCHED);
    }
    Ok(exit_code::DONE)
}

/// Returns the requested records, and their log, held open for reading.
fn asked(global: &Global, args: &RecordsArgs) -> Result<(CommittedLog, Which)> {
    let request = match (&args.consumer, &args.since) {
        (Some(name), _) => Request::Consumer { name: name.clone() },
        (None, Some(since)) => Request::Since { since: since.clone() },
        (None, None) => Request::Current { status: args.status.map(Into::into) },
    };
    let mut tries = 0;
    loop {
        match held(&request, put(global, &request)?) {
            Err(error) if is_dropped(&error) && tries < DROPPED_TRIES => tries += 1,
            held => return held,
        }
    }
}

/// Opens the log that an answer refers to, and holds it for reading.
fn held(request: &Request, payload: Vec<u8>) -> Result<(CommittedLog, Which)> {
    let log_of =
        |line: &[u8]| serde_json::from_slice::<CommittedLog>(line).context("the answer tells no log");
    if let Request::Since { since } = request {
        let mut log = log_of(&payload)?;
        log.hold_from(since.position)?;
        return Ok((log, Which::Since(since.position)));
    }
    let payload = String::from_utf8(payload).context("the answer is no text")?;
    let (log, positions) = payload.split_once('\n').context("the answer has no positions")?;
    let mut log = log_of(log.as_bytes())?;
    if let Request::Consumer { .. } = request {
        let RecordCursor { position, .. } = positions.parse().map_err(EngineError::Job)?;
        log.hold_from(position)?;
        return Ok((log, Which::Since(position)));
    }
    log.hold_at(positions)?;
    Ok((log, Which::At(positions.to_owned())))
}

/// Returns whether a segment is gone, since a compaction came between the answer and its use.
fn is_dropped(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(EngineError::Sink(SinkError::Missing { .. })))
}

/// Prints the log as it grows: from a cursor, from its start, or, if that is gone, the latest record of each path and
/// then what follows. A state that is in use without an answer is retried for ever: a run may take long to start.
fn follow(global: &Global, mut since: Option<RecordCursor>, out: &mut dyn Write) -> Result<Infallible> {
    let mut seen = None;
    let mut tries = 0;
    let mut is_silent = false;
    loop {
        let request = match &since {
            Some(since) => Request::Since { since: since.clone() },
            None => Request::Current { status: None },
        };
        let mut payload = None;
        match ask(&global.state, &request) {
            Err(ControlError::NobodyListens(_)) => {
                let stamp = Stamp::of(&global.state);
                if stamp.is_none() || stamp != seen {
                    match ask_state(global, &request) {
                        Err(error) if is_in_use(&error) => {}
                        answered => {
                            payload = Some(answered?);
                            seen = stamp;
                        }
                    }
                }
            }
            Err(ControlError::Later(_)) => {}
            Err(error @ ControlError::Silent { .. }) => {
                if !std::mem::replace(&mut is_silent, true) {
                    terminal::tell(&format!("outlast: {error}"));
                }
            }
            answered => payload = Some(answered?),
        }
        match payload.map(|payload| held(&request, payload)) {
            None => {}
            Some(Err(error)) if is_dropped(&error) && tries < DROPPED_TRIES => {
                seen = None;
                tries += 1;
            }
            Some(answer) => {
                let (log, which) = answer?;
                match which {
                    Which::At(_) if log.start == LogStart::default() => {
                        since = Some(RecordCursor::default());
                        seen = None;
                        continue;
                    }
                    Which::At(positions) => log.write_lines(&positions, out)?,
                    Which::Since(since) => log.write_from(since, out)?,
                }
                out.flush()?;
                since = Some(log.cursor());
                tries = 0;
                is_silent = false;
            }
        }
        std::thread::sleep(FOLLOW);
    }
}

/// Detector of commits to a state, without opening it: each commit makes its witness longer, or another file.
#[derive(PartialEq, Eq)]
struct Stamp {
    length: u64,
    inode: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(state: &Path) -> Option<Self> {
        let found = std::fs::metadata(state.join("witness")).ok()?;
        let modified = (found.mtime(), found.mtime_nsec());
        Some(Self { length: found.len(), inode: found.ino(), modified })
    }
}

#[derive(Debug, Args)]
pub(crate) struct RecordsArgs {
    /// The log from this cursor on (SEGMENT:OFFSET@STATE), instead of the latest record of each path; 1:0 is its start
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<RecordCursor>,

    /// The log from the cursor of this consumer on, which the state keeps with all that comes after it; from the start
    /// of the log before its first --commit
    #[arg(long, value_name = "NAME", conflicts_with_all = ["since", "follow", "status"])]
    pub(crate) consumer: Option<ConsumerName>,

    /// Print nothing: move the consumer to this cursor, durably
    #[arg(long, value_name = "CURSOR", requires = "consumer", conflicts_with_all = ["output", "cursor"])]
    pub(crate) commit: Option<RecordCursor>,

    /// Print nothing: drop the consumer, and let the log go
    #[arg(long, requires = "consumer", conflicts_with_all = ["commit", "output", "cursor"])]
    pub(crate) forget: bool,

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
