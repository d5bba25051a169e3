//! Records out of the log: which a state names, and printing them once the state is released.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::error::{CursorError, CursorReason, EngineError, Refusal};
use crate::engine::query::selection::Selection;
use crate::engine::store::StoreView;
use crate::ledger::RecordRef;
use crate::model::{
    FileKey, LogPosition, LogStart, RecordCursor, RecordHead, RecordStatus, without_copy_mark,
};
use crate::sink::{HeldSegments, LineReader, LogReader, SinkError, begins_line, segment_bytes, segment_name};

/// Records that are looked up before they are passed on.
const FOUND_MAX: usize = 1024;

/// Selects latest records. An empty filter selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordFilter {
    /// Records with this status.
    pub status: Option<RecordStatus>,
    /// Records of the root with this name.
    pub root: Option<String>,
    /// The root as an absolute path, which may not be UTF-8. Where no root has the name, the one there is meant.
    pub root_path: Option<OsString>,
    /// Files whose name (or, with a `/`, path below the root) matches this glob.
    pub glob: Option<String>,
    /// The glob as an absolute path. Where the state knows a file or a folder there, that is meant, and the glob
    /// ignored.
    pub path: Option<OsString>,
}

/// The committed part of a state's log: all that printing records needs once the state is released.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommittedLog {
    /// The record folder, whose name may not be UTF-8.
    pub folder: OsString,
    /// The end.
    pub end: LogPosition,
    /// Id of the state; `None` where it does not have one yet.
    #[serde(default)]
    pub state: Option<String>,
    /// Where the log begins.
    #[serde(default)]
    pub start: LogStart,
    #[serde(skip)]
    held: HeldSegments,
}

impl CommittedLog {
    /// Creates the log in this folder, from where it begins to its committed end.
    pub(super) fn of(folder: PathBuf, (start, end): (LogStart, LogPosition), state: Option<String>) -> Self {
        Self { folder: folder.into(), end, state, start, held: HeldSegments::default() }
    }

    /// Keeps the files of all of it open.
    pub(super) fn hold_all(&mut self) -> Result<(), EngineError> {
        self.hold_from(self.first())
    }

    /// Passes the position and the record of each line to `tell`, those of copies, too.
    pub(super) fn each_line(
        &self,
        mut tell: impl FnMut(LogPosition, &RecordHead<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let folder = Path::new(&self.folder);
        let mut reader = LogReader::of_held(folder, self.first(), self.end, self.held.clone())?;
        while let Some((position, line)) = reader.next_line()? {
            tell(position, &sound(folder, line)?)?;
        }
        Ok(())
    }

    fn first(&self) -> LogPosition {
        LogPosition { segment: self.start.segment, offset: 0 }
    }

    /// Returns the cursor to go on from.
    pub fn cursor(&self) -> RecordCursor {
        RecordCursor { position: self.end, state: self.state.clone() }
    }

    /// Checks whether records can be written from a cursor on.
    ///
    /// # Errors
    /// [`EngineError::CursorGone`] if it lies before the kept part, or is of another state, or of this one before an
    /// earlier copy of it was put back. Others if it never was a cursor of this state, or the log can't be read.
    pub fn check_cursor(&self, since: &RecordCursor) -> Result<(), EngineError> {
        let unfit = |reason| CursorError { cursor: since.clone(), reason };
        let gone = |reason| EngineError::CursorGone { consumer: None, error: unfit(reason) };
        if !since.is_of(self.state.as_deref()) {
            return Err(gone(CursorReason::OtherState { state: self.state.clone() }));
        }
        let position = since.position;
        let go_on_from = self.start.go_on_from(position);
        let reason = if position > self.end {
            CursorReason::BehindEnd { end: self.end }
        } else if go_on_from.is_none() {
            return Err(gone(CursorReason::Compacted));
        } else if go_on_from != Some(position) || begins_line(Path::new(&self.folder), position)? {
            return Ok(());
        } else {
            CursorReason::NoRecord
        };
        Err(match since.state {
            Some(_) => gone(reason),
            None => Refusal::Cursor(unfit(reason)).into(),
        })
    }

    /// Keeps the files open that hold the records from a cursor on, so that these can be read to the end although a
    /// compaction drops segments meanwhile.
    ///
    /// # Errors
    /// [`SinkError::Missing`] where that has happened already: ask for the log again.
    pub fn hold_from(&mut self, since: LogPosition) -> Result<(), EngineError> {
        let since = self.go_on_from(since);
        let segments = since.segment..=self.end.segment;
        self.held = HeldSegments::open(Path::new(&self.folder), segments.filter(|_| since < self.end))?;
        Ok(())
    }

    /// The same for records at these positions.
    ///
    /// # Errors
    /// As there; or where one is no position.
    pub fn hold_at(&mut self, positions: &str) -> Result<(), EngineError> {
        let mut segments = BTreeSet::new();
        for position in positions.lines() {
            segments.insert(position.parse::<LogPosition>().map_err(Refusal::from)?.segment);
        }
        self.held = HeldSegments::open(Path::new(&self.folder), segments.into_iter())?;
        Ok(())
    }

    /// Returns the length of the log from a cursor on, in bytes.
    ///
    /// # Errors
    /// Where the length of a segment can't be read.
    pub(crate) fn bytes_from(&self, since: LogPosition) -> Result<u64, EngineError> {
        let since = self.go_on_from(since);
        let mut bytes = 0;
        for segment in since.segment..=self.end.segment {
            let from = if segment == since.segment { since.offset } else { 0 };
            let to = if segment == self.end.segment {
                self.end.offset
            } else {
                segment_bytes(&Path::new(&self.folder).join(segment_name(segment)))?
            };
            bytes += to.saturating_sub(from);
        }
        Ok(bytes)
    }

    /// Returns the length of the segments that a reader at `since` has not read to their end, which is `behind` bytes
    /// from the log's.
    ///
    /// # Errors
    /// Where the length of a segment can't be read.
    pub(crate) fn bytes_held(&self, since: LogPosition, behind: u64) -> Result<u64, EngineError> {
        let segment = self.go_on_from(since).segment;
        let later = self.bytes_from(LogPosition { segment: segment + 1, offset: 0 })?;
        if behind == later { Ok(later) } else { self.bytes_from(LogPosition { segment, offset: 0 }) }
    }

    fn go_on_from(&self, since: LogPosition) -> LogPosition {
        self.start.go_on_from(since).unwrap_or(since)
    }

    /// Writes the log from a cursor on that [`CommittedLog::check_cursor`] has accepted. With `cursors`, each record
    /// has the one to go on from behind it, as its first member.
    ///
    /// # Errors
    /// Where the log can't be read, or `out` not written.
    pub fn write_from(
        &self,
        since: LogPosition,
        cursors: bool,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        self.each_behind(since, |line, _, position| {
            let cursor = cursors.then(|| RecordCursor { position, state: self.state.clone() });
            write_line(line, cursor.as_ref(), out)
        })
    }

    /// Passes each line of the log from a cursor on to `tell`, with its record. Copies are skipped: their records
    /// were passed before.
    ///
    /// # Errors
    /// Where the log can't be read, or `tell` fails.
    pub fn each_from(
        &self,
        since: LogPosition,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.each_behind(since, |line, record, _| tell(line, record))
    }

    /// Passes on the position behind each line as well.
    fn each_behind(
        &self,
        since: LogPosition,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>, LogPosition) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let folder = Path::new(&self.folder);
        let since = self.go_on_from(since);
        let mut reader = LogReader::of_held(folder, since, self.end, self.held.clone())?;
        while let Some((start, line)) = reader.next_line()? {
            let record = sound(folder, line)?;
            if !record.is_copy() {
                let behind = LogPosition { offset: start.offset + line.len() as u64 + 1, ..start };
                tell(line, &record, behind)?;
            }
        }
        Ok(())
    }

    /// Writes the records at these positions, as [`StoreView::write_positions`] reports them. With `cursors`, each has
    /// the cursor of the whole log as its first member: they are in the order of the tree.
    ///
    /// # Errors
    /// Where one is no position, the log can't be read, or `out` not written.
    pub fn write_lines(
        &self,
        positions: &str,
        cursors: bool,
        out: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let cursor = cursors.then(|| self.cursor());
        self.each_at(positions, |line, _| write_line(line, cursor.as_ref(), out))
    }

    /// Passes each of those lines to `tell`, with its record.
    ///
    /// # Errors
    /// Where one is no position, the log can't be read, or `tell` fails.
    pub fn each_at(
        &self,
        positions: &str,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let folder = Path::new(&self.folder);
        let mut lines = LineReader::of_held(folder, self.held.clone());
        for position in positions.lines() {
            let line = lines.line_at(position.parse().map_err(Refusal::from)?)?;
            let record = sound(folder, line)?;
            tell(&without_copy_mark(line, &record), &record)?;
        }
        Ok(())
    }
}

impl StoreView {
    /// Returns the log as it is committed now.
    pub fn log(&self) -> CommittedLog {
        let (start, end) = self.reader.log();
        CommittedLog::of(self.records.clone(), (start, end), self.id.clone())
    }

    /// Writes the latest record of each path that exists and that the filter selects, in the order of the tree.
    ///
    /// # Errors
    /// Where the state can't be read, or `out` not written.
    pub fn write_current(&self, filter: &RecordFilter, out: &mut dyn Write) -> Result<(), EngineError> {
        let mut lines = LineReader::new(&self.records);
        self.each_current(filter, |key, position| {
            let line = self.line_of(&mut lines, key, position)?;
            write_line(&without_copy_mark(&line, &sound(&self.records, &line)?), None, out)
        })
    }

    /// Returns the line of a file's record, which was at this position when its entry was read.
    pub(super) fn line_of(
        &self,
        lines: &mut LineReader,
        key: &[u8],
        position: LogPosition,
    ) -> Result<Vec<u8>, EngineError> {
        match lines.line_at(position) {
            Ok(line) => return Ok(line.to_vec()),
            Err(SinkError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // A compaction may have carried it forward meanwhile.
        let entry = FileKey::from_bytes(key).map(|key| self.reader.get(&key)).transpose()?.flatten();
        let now = entry.and_then(|entry| entry.record).map_or(position, |record| record.position);
        Ok(lines.line_at(now)?.to_vec())
    }

    /// Writes the positions of those records, one a line, for [`CommittedLog::write_lines`].
    ///
    /// # Errors
    /// Where the state can't be read, or `out` not written.
    pub fn write_positions(&self, filter: &RecordFilter, out: &mut dyn Write) -> Result<(), EngineError> {
        self.each_current(filter, |_, position| {
            writeln!(out, "{position}").map_err(EngineError::io("the positions can't be passed on"))
        })
    }

    /// Returns the files that a filter selects, whatever their status; `None` for none.
    fn selected(&self, filter: &RecordFilter) -> Result<Option<Selection>, EngineError> {
        let RecordFilter { root, root_path, glob, path, .. } = filter;
        let selection = self.selection(glob.as_deref(), path.as_deref())?;
        let Some(name) = root else { return Ok(Some(selection)) };
        let by_path = || {
            let (root, relative) = self.root_of(Path::new(root_path.as_deref()?))?;
            relative.is_empty().then_some(root)
        };
        let root = self.roots.iter().find(|root| root.name == *name).or_else(by_path);
        let root = root.ok_or_else(|| Refusal::UnknownRoot { name: name.clone() })?;
        Ok(selection.within(root.id))
    }

    fn each_current(
        &self,
        filter: &RecordFilter,
        mut tell: impl FnMut(&[u8], LogPosition) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let Some(selection) = self.selected(filter)? else { return Ok(()) };
        let mut scan = self.reader.scan();
        scan.seek(selection.start())?;
        let mut found = Vec::with_capacity(FOUND_MAX);
        loop {
            while found.len() < FOUND_MAX
                && let Some((key, entry)) = scan.peek()?
                && selection.reaches(key)
            {
                let has_status = |record: &&RecordRef| filter.status.is_none_or(|it| it == record.status());
                let is_accepted = || FileKey::from_bytes(key).is_some_and(|key| selection.accepts(&key));
                if let Some(record) = entry.record.as_ref().filter(has_status)
                    && is_accepted()
                {
                    found.push((key.to_vec(), record.position));
                }
                scan.advance();
            }
            let is_last = found.len() < FOUND_MAX;
            // The client may be slow: nothing of the database is held meanwhile, so that it can be closed.
            scan.refresh();
            for (key, position) in found.drain(..) {
                tell(&key, position)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Returns the record of a line: programs that load the records rely on them being valid.
fn sound<'a>(folder: &Path, line: &'a [u8]) -> Result<RecordHead<'a>, EngineError> {
    RecordHead::parse(line).map_err(|_| {
        let what = "a line that was committed is no record any more".to_owned();
        SinkError::Damaged { path: folder.to_owned(), what }.into()
    })
}

/// Writes a record, with a cursor as its first member if there is one.
fn write_line(line: &[u8], cursor: Option<&RecordCursor>, out: &mut dyn Write) -> Result<(), EngineError> {
    let mut write = || match cursor.zip(line.strip_prefix(b"{")) {
        // A cursor has nothing in it that JSON would escape.
        Some((cursor, members)) => {
            write!(out, "{{\"cursor\":\"{cursor}\",")?;
            out.write_all(members)?;
            out.write_all(b"\n")
        }
        None => out.write_all(line).and_then(|()| out.write_all(b"\n")),
    };
    let written: io::Result<()> = write();
    written.map_err(EngineError::io("the records can't be written to the output"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::Store;
    use crate::ledger::{Entry, Tick};
    use crate::model::RootId;

    /// Opens the state again at the first byte that it is given.
    struct Reopens(Option<Store>);

    impl Write for Reopens {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(store) = self.0.take() {
                let state = store.close();
                Store::open(state).map_err(|failed| io::Error::other(failed.1))?;
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_state_can_be_opened_again_while_a_client_takes_its_time_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(&folder.path().join("state"), None).unwrap();
        let record =
            RecordRef { position: LogPosition::START, epoch: 1, digest: None, failure: None, carried: false };
        let key = |n| FileKey::from_relative_path(RootId(1), format!("f{n:05}").as_bytes()).unwrap();
        let entry = Entry { record: Some(record), ..Entry::default() };
        let changes: Vec<_> = (0..2 * FOUND_MAX).map(|n| (key(n), Some(entry))).collect();
        let tick = Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None };
        store.ledger.commit(tick).unwrap();
        let view = store.view();
        let written = view.write_positions(&RecordFilter::default(), &mut Reopens(Some(store)));
        assert!(written.unwrap_err().to_string().contains("ask again"));
    }
}
