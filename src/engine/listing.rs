//! Records out of the log: which a state names, and printing them once the state is let go.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use super::store::StoreView;
use crate::ledger::RecordRef;
use crate::model::{LogPosition, RecordHead, RecordStatus};
use crate::sink::{LineReader, LogReader, SinkError, begins_line};

/// The log of a state up to what was committed: all that printing records needs once the state is let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedLog {
    /// The record folder, whose name may be no UTF-8.
    pub folder: OsString,
    /// The end; it is the cursor to go on from.
    pub end: LogPosition,
}

impl CommittedLog {
    /// Whether records can be written from `since` on.
    ///
    /// # Errors
    /// Where `since` lies behind the end, or within a record; or the log can't be read.
    pub fn check_cursor(&self, since: LogPosition) -> Result<(), EngineError> {
        let end = self.end;
        let what = if since > end {
            format!("cursor {since} lies behind the end of the records, {end}; use a cursor of this state")
        } else if !begins_line(Path::new(&self.folder), since)? {
            format!("cursor {since} is not the start of a record; use one that was told")
        } else {
            return Ok(());
        };
        Err(EngineError::Job(what))
    }

    /// Writes the log from a cursor on, which [`CommittedLog::check_cursor`] found right.
    ///
    /// # Errors
    /// Where the log can't be read, or `out` not written.
    pub fn write_from(&self, since: LogPosition, out: &mut dyn Write) -> Result<(), EngineError> {
        self.each_from(since, |line, _| write_line(line, out))
    }

    /// Tells each line of the log from a cursor on, and the record that it is.
    ///
    /// # Errors
    /// Where the log can't be read, or `tell` fails.
    pub fn each_from(
        &self,
        since: LogPosition,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let folder = Path::new(&self.folder);
        let mut reader = LogReader::new(folder, since, self.end)?;
        while let Some((_, line)) = reader.next_line()? {
            tell(line, &sound(folder, line)?)?;
        }
        Ok(())
    }

    /// Writes the records at these positions, as [`StoreView::write_positions`] tells them.
    ///
    /// # Errors
    /// Where one is no position, the log can't be read, or `out` not written.
    pub fn write_lines(&self, positions: &str, out: &mut dyn Write) -> Result<(), EngineError> {
        self.each_at(positions, |line, _| write_line(line, out))
    }

    /// Tells each of those lines, and the record that it is.
    ///
    /// # Errors
    /// Where one is no position, the log can't be read, or `tell` fails.
    pub fn each_at(
        &self,
        positions: &str,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let folder = Path::new(&self.folder);
        let mut lines = LineReader::new(folder);
        for position in positions.lines() {
            let line = lines.line_at(position.parse().map_err(EngineError::Job)?)?;
            tell(line, &sound(folder, line)?)?;
        }
        Ok(())
    }
}

impl StoreView {
    /// The log as it is committed now.
    pub fn log(&self) -> CommittedLog {
        CommittedLog { folder: self.records.clone().into(), end: self.reader.cursor().log }
    }

    /// Writes the latest record of each path that exists, in the order of the tree: all, or those with
    /// one status.
    ///
    /// # Errors
    /// Where the state can't be read, or `out` not written.
    pub fn write_current(
        &self,
        status: Option<RecordStatus>,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let mut lines = LineReader::new(&self.records);
        self.each_current(status, |position| {
            let line = lines.line_at(position)?;
            sound(&self.records, line)?;
            write_line(line, out)
        })
    }

    /// Writes where those records stand, one a line, for [`CommittedLog::write_lines`].
    ///
    /// # Errors
    /// Where the state can't be read, or `out` not written.
    pub fn write_positions(
        &self,
        status: Option<RecordStatus>,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        self.each_current(status, |position| {
            writeln!(out, "{position}").map_err(EngineError::io("the positions can't be passed on"))
        })
    }

    fn each_current(
        &self,
        status: Option<RecordStatus>,
        mut tell: impl FnMut(LogPosition) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut scan = self.reader.scan();
        while let Some((_, entry)) = scan.peek()? {
            let fits = |record: &&RecordRef| status.is_none_or(|status| status == record.status());
            if let Some(record) = entry.record.as_ref().filter(fits) {
                tell(record.position)?;
            }
            scan.advance();
        }
        Ok(())
    }
}

/// The record of a line: whoever loads the records takes them for sound.
fn sound<'a>(folder: &Path, line: &'a [u8]) -> Result<RecordHead<'a>, EngineError> {
    RecordHead::parse(line).map_err(|_| {
        let what = "a line that was committed is no record any more".to_owned();
        SinkError::Damaged { path: folder.to_owned(), what }.into()
    })
}

fn write_line(line: &[u8], out: &mut dyn Write) -> Result<(), EngineError> {
    let written: io::Result<()> = out.write_all(line).and_then(|()| out.write_all(b"\n"));
    written.map_err(EngineError::io("the records can't be written to the output"))
}
