//! `status`, `records`, `explain`, `repair`: asked of the run that holds the state, or of the state itself.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use outlast::engine::{self, Engine, EngineError, Explanation, StatusReport, Store};
use outlast::ledger::LedgerError;
use outlast::service::{ControlError, Request, answer, ask};
use outlast::{AstProcessor, LogPosition};

use super::args::{Cli, ExplainArgs, RecordsArgs, RepairArgs, StatusArgs};
use super::{exit, print, run};

/// How often `--follow` looks for more.
const FOLLOW: Duration = Duration::from_millis(200);
/// How often, and how long, a state that is in use without answering is tried: a run is starting or ending.
const BUSY_TRIES: u32 = 50;
const BUSY_WAIT: Duration = Duration::from_millis(100);

/// Puts a request to the run that holds the state, or opens the state.
fn put(cli: &Cli, request: &Request, out: &mut dyn Write) -> Result<()> {
    let mut tries = 0;
    loop {
        match ask(&cli.state, request, out) {
            Err(ControlError::NobodyListens(_)) => {}
            other => return Ok(other?),
        }
        match Store::open(&cli.state) {
            Err(EngineError::Ledger(LedgerError::InUse { .. })) if tries < BUSY_TRIES => {
                tries += 1;
                std::thread::sleep(BUSY_WAIT);
            }
            Err(error) => return Err(error.into()),
            Ok(store) => {
                let engine = Engine::new(Arc::new(AstProcessor::default()));
                return Ok(answer(&engine, &store.view(), request, out)?);
            }
        }
    }
}

/// `outlast status`.
pub(crate) fn status(cli: &Cli, _args: &StatusArgs) -> Result<u8> {
    let mut payload = Vec::new();
    put(cli, &Request::Status, &mut payload)?;
    let report: StatusReport = serde_json::from_slice(&payload).context("the answer is no status")?;
    print::status(&report, cli.format)?;
    Ok(exit::DONE)
}

/// `outlast explain`.
pub(crate) fn explain(cli: &Cli, args: &ExplainArgs) -> Result<u8> {
    let path = std::path::absolute(&args.path)?;
    let mut payload = Vec::new();
    put(cli, &Request::Explain { path: path.into_os_string() }, &mut payload)?;
    let told: Explanation = serde_json::from_slice(&payload).context("the answer is no explanation")?;
    print::explanation(&told, cli.format)?;
    Ok(exit::DONE)
}

/// `outlast records`.
pub(crate) fn records(cli: &Cli, args: &RecordsArgs) -> Result<u8> {
    let mut out = std::io::BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    if args.since.is_none() && !args.follow {
        let mut first = FirstLine::new(&mut out);
        put(cli, &Request::Current { status: args.status.map(Into::into) }, &mut first)?;
        let end = first.end()?;
        out.flush()?;
        return Ok(tell_cursor(args, end));
    }
    let mut since = args.since.unwrap_or_default();
    loop {
        let mut first = FirstLine::new(&mut out);
        put(cli, &Request::Since { since }, &mut first)?;
        since = first.end()?;
        out.flush()?;
        if !args.follow {
            return Ok(tell_cursor(args, since));
        }
        std::thread::sleep(FOLLOW);
    }
}

fn tell_cursor(args: &RecordsArgs, end: LogPosition) -> u8 {
    if args.cursor {
        eprintln!("{end}");
    }
    exit::DONE
}

/// Takes the cursor off the front of a payload of records, and passes the rest on.
struct FirstLine<'a> {
    line: Vec<u8>,
    complete: bool,
    rest: &'a mut dyn Write,
}

impl<'a> FirstLine<'a> {
    fn new(rest: &'a mut dyn Write) -> Self {
        Self { line: Vec::new(), complete: false, rest }
    }

    fn end(&self) -> Result<LogPosition> {
        let text = String::from_utf8_lossy(&self.line);
        text.parse().map_err(|error: String| anyhow::anyhow!(error)).context("the answer has no cursor")
    }
}

impl Write for FirstLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.complete {
            return self.rest.write(bytes);
        }
        let (line, ended) = match bytes.iter().position(|&byte| byte == b'\n') {
            Some(at) => (&bytes[..at], true),
            None => (bytes, false),
        };
        self.line.extend_from_slice(line);
        self.complete = ended;
        Ok(line.len() + usize::from(ended))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.rest.flush()
    }
}

/// `outlast repair`.
pub(crate) fn repair(cli: &Cli, args: &RepairArgs) -> Result<u8> {
    let report = engine::repair(&cli.state, &run::record_folder(args.out.as_ref()))?;
    print::repair(&report, cli.format)?;
    Ok(exit::DONE)
}
