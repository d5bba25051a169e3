//! `outlast records`: asks the run that holds the state, or the state itself.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use outlast::engine::{
    self, CommittedLog, ConsumerChange, ConsumerReport, EngineError, RecordFilter, root_path,
};
use outlast::service::{ControlError, Request, ask};
use outlast::sink::SinkError;
use outlast::{ConsumerName, LogStart, RecordCursor, RecordStatus};

use crate::cli::client::{ask_state, is_in_use, put, put_or};
use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::export::{self, RecordsFormat, Which};
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
        match follow(global, args, &mut out)? {}
    }
    let (log, which) = asked(global, args)?;
    let format = args.written_as().unwrap_or(RecordsFormat::Lines);
    if let Some(path) = args.file() {
        args.tell_contradiction(path, format);
        let code = export::write(&global.state, format, &log, &which, path)?;
        if code != exit_code::DONE {
            return Ok(code);
        }
    } else if format == RecordsFormat::Table {
        export::write_to_stdout(&log, &which)?;
    } else {
        match &which {
            Which::Since(since) => log.write_from(*since, args.cursors, &mut out)?,
            Which::At(positions) => log.write_lines(positions, args.cursors, &mut out)?,
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
    if change.commit.is_some() && report.before.is_none() {
        terminal::tell(&format!("outlast: consumer {name} is new: compaction waits for it from now on"));
    }
    Ok(exit_code::DONE)
}

/// Returns the requested records, and their log, held open for reading.
fn asked(global: &Global, args: &RecordsArgs) -> Result<(CommittedLog, Which)> {
    let request = match (&args.consumer, &args.since) {
        (Some(name), _) => Request::Consumer { name: name.clone() },
        (None, Some(since)) => Request::Since { since: since.clone() },
        (None, None) => Request::Current(args.filter()?),
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
        let RecordCursor { position, .. } = positions.parse().context("the answer has no cursor")?;
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
fn follow(global: &Global, args: &RecordsArgs, out: &mut dyn Write) -> Result<Infallible> {
    let mut since = args.since.clone();
    let mut seen = None;
    let mut tries = 0;
    let mut is_silent = false;
    loop {
        let request = match &since {
            Some(since) => Request::Since { since: since.clone() },
            None => Request::Current(RecordFilter::default()),
        };
        let mut payload = None;
        match ask(&global.state, &request) {
            Err(ControlError::NotListening(_)) => {
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
                    Which::At(positions) => log.write_lines(&positions, args.cursors, out)?,
                    Which::Since(since) => log.write_from(since, args.cursors, out)?,
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

    /// The log from the cursor of this consumer on, which the state keeps with all that comes after it; its first
    /// --commit makes it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["since", "follow", "status", "root", "path"])]
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

    /// A file to write instead of stdout, which is `-`; one that is there is replaced once the new one is complete
    #[arg(long, value_name = "FILE", conflicts_with = "follow")]
    pub(crate) output: Option<PathBuf>,

    /// How records are written: `ndjson`, a line for each, or `parquet`, a table, with --output [default: as the
    /// ending of --output says, .ndjson, .ndjson.zst or .parquet; else ndjson]
    // The global option, with values of its own: clap keeps one value for both, and one default, which stands for none.
    #[arg(long, value_name = "ndjson|parquet", default_value = "human", hide_default_value = true,
          value_parser = records_format)]
    pub(crate) format: Format,

    /// Only the latest records with this status
    #[arg(long, value_enum, conflicts_with_all = ["since", "follow"])]
    pub(crate) status: Option<StatusArg>,

    /// Only the latest records of this root, by its name or path
    #[arg(long, value_name = "ROOT", conflicts_with_all = ["since", "follow"])]
    pub(crate) root: Option<OsString>,

    /// Only the latest records of a file, a folder, or a glob: files whose name (or, with a `/`, path) matches
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["since", "follow"])]
    pub(crate) path: Option<OsString>,

    /// Print the cursor to go on from as the last line on stderr
    #[arg(long, conflicts_with = "follow")]
    pub(crate) cursor: bool,

    /// Add to each line the cursor to go on from behind it, as its first member; the latest records have that of the
    /// whole state
    #[arg(long, conflicts_with_all = ["output", "commit", "forget"])]
    pub(crate) cursors: bool,
}

impl RecordsArgs {
    /// Returns the file to write; `None` for stdout.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Returns the format that was asked for, or that the ending of the file's name says; `None` if the ending is
    /// unknown.
    pub(crate) fn written_as(&self) -> Option<RecordsFormat> {
        let by_ending = self.file().map(RecordsFormat::by_ending);
        match self.format {
            Format::Parquet => Some(RecordsFormat::Table),
            Format::Json | Format::Ndjson => {
                let compressed = RecordsFormat::CompressedLines;
                Some(
                    by_ending
                        .flatten()
                        .filter(|format| *format == compressed)
                        .unwrap_or(RecordsFormat::Lines),
                )
            }
            Format::Human => match by_ending {
                Some(None) if self.file().is_some_and(|path| path.extension().is_some()) => None,
                by_ending => Some(by_ending.flatten().unwrap_or(RecordsFormat::Lines)),
            },
        }
    }

    /// Warns of a file whose name says another format than the one that was asked for.
    fn tell_contradiction(&self, path: &Path, format: RecordsFormat) {
        if RecordsFormat::by_ending(path).is_some_and(|by_ending| by_ending != format) {
            let written = if format == RecordsFormat::Table { "parquet" } else { "ndjson" };
            let path = path.display();
            terminal::tell(&format!(
                "outlast: {path} is written as {written}, as --format says, and its ending says another format"
            ));
        }
    }

    fn filter(&self) -> Result<RecordFilter> {
        let text = |given: &OsString| given.to_string_lossy().into_owned();
        Ok(RecordFilter {
            status: self.status.map(Into::into),
            root: self.root.as_ref().map(text),
            root_path: self.root.as_ref().map(|root| root_path(root).into_os_string()),
            glob: self.path.as_ref().map(text),
            path: self.path.as_ref().map(std::path::absolute).transpose()?.map(OsString::from),
        })
    }
}

pub(super) fn records_format(text: &str) -> Result<Format, String> {
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
