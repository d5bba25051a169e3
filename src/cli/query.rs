//! `status`, `records`, `explain`, `repair`: asked of the run that holds the state, or of the state itself.

use std::convert::Infallible;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use outlast::engine::{self, CommittedLog, Engine, EngineError, Explanation, StatusReport, StoreView};
use outlast::ledger::LedgerError;
use outlast::service::settings::Settings;
use outlast::service::{ControlError, Desk, Request, answer, ask};
use outlast::sink::SinkError;
use outlast::{AstProcessor, LogPosition, LogStart, RecordCursor};
use serde::Serialize;

use super::args::{Cli, ExplainArgs, Format, RecordsArgs, StatusArgs};
use super::{exit, export, print, run, terminal};

/// How often `status --follow` shows it again.
const FOLLOW_STATUS: Duration = Duration::from_secs(1);
/// How often `--follow` looks for more.
const FOLLOW: Duration = Duration::from_millis(200);
/// How often, and how long, a state that is in use without answering is tried: a run is starting or ending.
const BUSY_TRIES: u32 = 50;
const BUSY_WAIT: Duration = Duration::from_millis(100);
/// How often a run is asked that has no state open yet.
const LATER_TRIES: u32 = 10;
/// How often it is asked again where a compaction was faster.
const DROPPED_TRIES: u32 = 5;

/// Puts a request to the run that holds the state, or opens the state. When this returns, the state is
/// let go: whoever reads what is printed may take any time.
pub(super) fn put(cli: &Cli, request: &Request) -> Result<Vec<u8>> {
    put_or_else(cli, request, || ask_state(cli, request))
}

/// The same, with something else to do with a state that no run holds, whose report is the answer.
pub(super) fn put_or<T: Serialize>(
    cli: &Cli,
    request: &Request,
    alone: impl Fn() -> Result<T, EngineError>,
) -> Result<Vec<u8>> {
    put_or_else(cli, request, || {
        let what = "the answer can't be put into words";
        serde_json::to_vec(&alone()?)
            .map_err(|error| EngineError::Io { what: what.to_owned(), source: error.into() })
    })
}

fn put_or_else(
    cli: &Cli,
    request: &Request,
    alone: impl Fn() -> Result<Vec<u8>, EngineError>,
) -> Result<Vec<u8>> {
    let mut tries = 0;
    loop {
        match ask(&cli.state, request) {
            Err(ControlError::NobodyListens(_)) => match alone() {
                Err(error) if is_in_use(&error) && tries < BUSY_TRIES => {}
                answered => return Ok(answered?),
            },
            Err(ControlError::Later(_)) if tries < LATER_TRIES => {}
            answered => return Ok(answered?),
        }
        tries += 1;
        std::thread::sleep(BUSY_WAIT);
    }
}

/// The answer of the state itself, opened and closed again.
fn ask_state(cli: &Cli, request: &Request) -> Result<Vec<u8>, EngineError> {
    let desk = Desk::new(Arc::new(Engine::new(Arc::new(AstProcessor::default()))));
    let mut payload = Vec::new();
    answer(&desk, &StoreView::open(&cli.state)?, request, &mut payload)?;
    Ok(payload)
}

fn is_in_use(error: &EngineError) -> bool {
    matches!(error, EngineError::Ledger(LedgerError::InUse { .. }))
}

/// `outlast status`.
pub(crate) fn status(cli: &Cli, args: &StatusArgs) -> Result<u8> {
    let clears = args.follow && cli.format == Format::Human && terminal::Stream::Out.is_steerable();
    loop {
        let payload = put(cli, &Request::Status)?;
        let report: StatusReport = serde_json::from_slice(&payload).context("the answer is no status")?;
        if clears {
            terminal::clear_screen()?;
        }
        print::status(&report, cli.format)?;
        if !args.follow {
            return Ok(exit::DONE);
        }
        std::thread::sleep(FOLLOW_STATUS);
        if !clears && cli.format == Format::Human {
            terminal::print(|out| writeln!(out))?;
        }
    }
}

/// `outlast explain`.
pub(crate) fn explain(cli: &Cli, args: &ExplainArgs) -> Result<u8> {
    let path = std::path::absolute(&args.path)?;
    let payload = put(cli, &Request::Explain { path: path.into_os_string() })?;
    let told: Explanation = serde_json::from_slice(&payload).context("the answer is no explanation")?;
    print::explanation(&told, cli.format)?;
    Ok(exit::DONE)
}

/// `outlast records`.
pub(crate) fn records(cli: &Cli, args: &RecordsArgs) -> Result<u8> {
    if let Some(since) = args.since.as_ref().filter(|since| since.is_bare()) {
        terminal::tell(&format!(
            "outlast: cursor {since} names no state, and one of another state can't be told from it: keep cursors as \
             `outlast records --cursor` prints them, {since}@STATE"
        ));
    }
    let mut out = terminal::json_out();
    if args.follow {
        match follow(cli, args.since.clone(), &mut out)? {}
    }
    let (log, which) = asked(cli, args)?;
    if let Some(path) = &args.output {
        let code = export::write(cli, args.format, &log, &which, path)?;
        if code != exit::DONE {
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
        // It is what was asked for: that it can't be told is a failure.
        terminal::try_tell(&log.cursor().to_string()).context("the cursor can't be written to stderr")?;
    }
    Ok(exit::DONE)
}

/// Which records of a log are meant.
pub(super) enum Which {
    /// All from a cursor on.
    Since(LogPosition),
    /// Those at these positions, one a line.
    At(String),
}

/// The records that are meant, and their log, held open for reading.
fn asked(cli: &Cli, args: &RecordsArgs) -> Result<(CommittedLog, Which)> {
    let request = match &args.since {
        Some(since) => Request::Since { since: since.clone() },
        None => Request::Current { status: args.status.map(Into::into) },
    };
    let mut tries = 0;
    loop {
        match held(&request, put(cli, &request)?) {
            Err(error) if is_dropped(&error) && tries < DROPPED_TRIES => tries += 1,
            held => return held,
        }
    }
}

/// What an answer tells of, held open for reading.
fn held(request: &Request, payload: Vec<u8>) -> Result<(CommittedLog, Which)> {
    let log_of =
        |told: &[u8]| serde_json::from_slice::<CommittedLog>(told).context("the answer tells no log");
    if let Request::Since { since } = request {
        let mut log = log_of(&payload)?;
        log.hold_from(since.position)?;
        return Ok((log, Which::Since(since.position)));
    }
    let payload = String::from_utf8(payload).context("the answer is no text")?;
    let (log, positions) = payload.split_once('\n').context("the answer has no positions")?;
    let mut log = log_of(log.as_bytes())?;
    log.hold_at(positions)?;
    Ok((log, Which::At(positions.to_owned())))
}

/// Whether a segment is gone, as it is when a compaction came between the answer and its use.
fn is_dropped(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(EngineError::Sink(SinkError::Missing { .. })))
}

/// Prints the log as it grows: from a cursor, from its start, or, where that is gone, the latest record of each
/// path and then what comes. A state that is in use without answering is tried again for ever: a run may take
/// long to start.
fn follow(cli: &Cli, mut since: Option<RecordCursor>, out: &mut dyn Write) -> Result<Infallible> {
    let (mut seen, mut tries, mut is_silent) = (None, 0, false);
    loop {
        let request = match &since {
            Some(since) => Request::Since { since: since.clone() },
            None => Request::Current { status: None },
        };
        let mut payload = None;
        match ask(&cli.state, &request) {
            Err(ControlError::NobodyListens(_)) => {
                let stamp = Stamp::of(&cli.state);
                if stamp.is_none() || stamp != seen {
                    match ask_state(cli, &request) {
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
                (seen, tries) = (None, tries + 1);
            }
            Some(told) => {
                let (log, which) = told?;
                match which {
                    Which::At(_) if log.start == LogStart::default() => {
                        (since, seen) = (Some(RecordCursor::default()), None);
                        continue;
                    }
                    Which::At(positions) => log.write_lines(&positions, out)?,
                    Which::Since(since) => log.write_from(since, out)?,
                }
                out.flush()?;
                (since, tries, is_silent) = (Some(log.cursor()), 0, false);
            }
        }
        std::thread::sleep(FOLLOW);
    }
}

/// Tells whether a state was committed to, without opening it: each commit makes its witness longer, or
/// another file.
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

/// `outlast repair`.
pub(crate) fn repair(cli: &Cli, settings: &Settings) -> Result<u8> {
    let report = engine::repair(&cli.state, &settings.out().map_or_else(|| "records".into(), run::absolute))?;
    print::repair(&report, cli.format)?;
    Ok(exit::DONE)
}
