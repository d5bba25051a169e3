//! Appending to the record log.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::aside::sync_folder;
use super::reader::MISSING;
use super::{LogReader, SEGMENT_BYTES_MAX, SinkError, segment_name, segments};
use crate::model::{Cursor, LogPosition, RecordHead, failpoint};

/// The writing end of the record log.
#[derive(Debug)]
pub struct RecordLog {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Held for as long as the log is open: no other process writes to the folder.
    _lock: File,
    position: LogPosition,
    tick_crc: crc32fast::Hasher,
    dirty: bool,
    segment_bytes_max: u64,
    poisoned: bool,
}

/// What a tick appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// End of the log behind it.
    pub end: LogPosition,
    /// crc32 of the appended bytes.
    pub crc: u32,
}

impl RecordLog {
    /// Opens the log in `folder`, which is made if it is missing, and cuts off what lies behind `cursor`: what
    /// a tick that was not committed has left, in the rest of the segment and in the next one, since each
    /// tick begins one segment at most.
    ///
    /// # Errors
    /// [`SinkError::Damaged`] where the log is shorter than `cursor` says, or goes on further than one tick
    /// behind it: then the state is an older copy, and nothing is cut. [`SinkError::InUse`] where another
    /// process has it open; [`SinkError::Io`] otherwise.
    pub fn open(folder: &Path, cursor: Cursor) -> Result<Self, SinkError> {
        let committed = cursor.log;
        failpoint::hit("log.folder").map_err(SinkError::io(folder))?;
        fs::create_dir_all(folder).map_err(SinkError::io(folder))?;
        let lock = lock(folder)?;
        let found = segments(folder)?;
        let first_use = committed == LogPosition::START;
        if !first_use {
            check_complete(folder, &found, committed)?;
        }
        let behind = found.iter().filter(|(segment, _)| *segment > committed.segment);
        for (segment, path) in behind.clone() {
            if segment - committed.segment > 1 {
                return Err(SinkError::damaged(path, NOT_BEGUN));
            }
        }
        check_tail(folder, &found, cursor)?;
        for (_, path) in behind {
            failpoint::hit("log.remove").map_err(SinkError::io(path))?;
            fs::remove_file(path).map_err(SinkError::io(path))?;
        }
        let path = folder.join(segment_name(committed.segment));
        let mut file = open_segment(&path, first_use)?;
        failpoint::hit("log.cut").map_err(SinkError::io(&path))?;
        file.set_len(committed.offset).map_err(SinkError::io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(SinkError::io(&path))?;
        failpoint::hit("log.sync-cut").map_err(SinkError::io(&path))?;
        file.sync_all().map_err(SinkError::io(&path))?;
        sync_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            _lock: lock,
            position: committed,
            tick_crc: crc32fast::Hasher::new(),
            dirty: false,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            poisoned: false,
        })
    }

    /// The same log with another size from which a segment counts as full.
    #[must_use]
    pub fn with_segment_bytes_max(mut self, bytes: u64) -> Self {
        self.segment_bytes_max = bytes;
        self
    }

    /// Begins a tick: the next line goes to the returned position.
    ///
    /// # Errors
    /// Where a new segment is due and can't be made.
    pub fn begin_tick(&mut self) -> Result<LogPosition, SinkError> {
        self.tick_crc = crc32fast::Hasher::new();
        if self.position.offset >= self.segment_bytes_max {
            self.guarded(Self::rotate)?;
        }
        Ok(self.position)
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// Where the write fails; the log is not used again then.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), SinkError> {
        self.guarded(|log| {
            log.dirty = true;
            failpoint::write_all("log.append", &mut log.file, lines).map_err(SinkError::io(&log.path))?;
            log.tick_crc.update(lines);
            log.position.offset += lines.len() as u64;
            Ok(())
        })
    }

    /// Makes what was appended durable, if anything was, and ends the tick.
    ///
    /// # Errors
    /// Where the sync fails: it is not tried again, since a second one would lie.
    pub fn sync(&mut self) -> Result<Appended, SinkError> {
        self.guarded(|log| {
            if log.dirty {
                failpoint::hit("log.sync").map_err(SinkError::io(&log.path))?;
                log.file.sync_data().map_err(SinkError::io(&log.path))?;
                failpoint::hit("log.synced").map_err(SinkError::io(&log.path))?;
                log.check_in_place()?;
                log.dirty = false;
            }
            Ok(Appended { end: log.position, crc: log.tick_crc.clone().finalize() })
        })
    }

    /// What was synced is only durable while it has its name.
    fn check_in_place(&self) -> Result<(), SinkError> {
        let ours = self.file.metadata().map_err(SinkError::io(&self.path))?;
        let named = fs::metadata(&self.path);
        let same = named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino()));
        if same && ours.len() == self.position.offset {
            return Ok(());
        }
        Err(SinkError::Lost { path: self.path.clone() })
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        self.position = LogPosition { segment: self.position.segment + 1, offset: 0 };
        self.path = self.folder.join(segment_name(self.position.segment));
        self.file = open_segment(&self.path, true)?;
        sync_folder(&self.folder)
    }

    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, SinkError>) -> Result<T, SinkError> {
        if self.poisoned {
            return Err(SinkError::Poisoned { path: self.path.clone() });
        }
        let result = step(self);
        self.poisoned = result.is_err();
        result
    }
}

/// Takes the folder for this process, if no other one has it.
fn lock(folder: &Path) -> Result<File, SinkError> {
    let file = File::open(folder).map_err(SinkError::io(folder))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(SinkError::InUse { path: folder.to_owned() }),
        Err(errno) => Err(SinkError::io(folder)(errno.into())),
    }
}

/// Behind the cursor there may be lines of the next tick, and none of a later one.
fn check_tail(folder: &Path, found: &[(u32, PathBuf)], cursor: Cursor) -> Result<(), SinkError> {
    for (segment, path) in found.iter().filter(|(segment, _)| *segment >= cursor.log.segment) {
        let from = if *segment == cursor.log.segment { cursor.log.offset } else { 0 };
        let end = fs::metadata(path).map_err(SinkError::io(path))?.len();
        let (from, end) =
            (LogPosition { segment: *segment, offset: from }, LogPosition { segment: *segment, offset: end });
        let mut lines = LogReader::new(folder, from, end)?;
        // A torn line ends what is of use.
        while let Ok(Some((_, line))) = lines.next_line() {
            let tick = RecordHead::parse(line).map_or(0, |record| record.committed_tick);
            if tick > cursor.tick + 1 {
                let what = format!(
                    "goes on to tick {tick}, and the state only to {}: it is an older copy, or another state",
                    cursor.tick
                );
                return Err(SinkError::damaged(path, what));
            }
        }
    }
    Ok(())
}

fn open_segment(path: &Path, create: bool) -> Result<File, SinkError> {
    failpoint::hit("log.open").map_err(SinkError::io(path))?;
    OpenOptions::new().write(true).create(create).truncate(false).open(path).map_err(SinkError::io(path))
}

const NOT_BEGUN: &str = "the log ends before this file: either outlast did not write it, and it has to be moved elsewhere, or the state is older than the log";
/// Every segment up to the committed end must be there, and the last one long enough.
fn check_complete(folder: &Path, found: &[(u32, PathBuf)], committed: LogPosition) -> Result<(), SinkError> {
    for segment in 1..=committed.segment {
        if !found.iter().any(|(number, _)| *number == segment) {
            return Err(SinkError::damaged(&folder.join(segment_name(segment)), MISSING));
        }
    }
    let path = folder.join(segment_name(committed.segment));
    let length = fs::metadata(&path).map_err(SinkError::io(&path))?.len();
    if length < committed.offset {
        let what = format!("the record file has {length} bytes, but {} were committed", committed.offset);
        return Err(SinkError::damaged(&path, what));
    }
    Ok(())
}

#[cfg(all(test, debug_assertions))]
mod faults;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{LineReader, LogReader, check_range};

    fn at(log: LogPosition) -> Cursor {
        Cursor { tick: 7, log }
    }

    fn lines_up_to(folder: &Path, end: LogPosition) -> Vec<String> {
        let mut reader = LogReader::new(folder, LogPosition::START, end).unwrap();
        let mut lines = Vec::new();
        while let Some((_, line)) = reader.next_line().unwrap() {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        lines
    }

    #[test]
    fn what_was_not_committed_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
        log.append(b"one\n").unwrap();
        let committed = log.sync().unwrap().end;
        log.append(b"torn").unwrap();
        drop(log);
        let mut log = RecordLog::open(folder.path(), at(committed)).unwrap();
        assert_eq!(log.begin_tick().unwrap(), committed);
        log.append(b"two\n").unwrap();
        let end = log.sync().unwrap().end;
        assert_eq!(lines_up_to(folder.path(), end), ["one", "two"]);
        assert_eq!(LineReader::new(folder.path()).line_at(committed).unwrap(), b"two");
    }

    #[test]
    fn a_full_segment_is_followed_by_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap().with_segment_bytes_max(8);
        let mut end = LogPosition::START;
        for text in ["aaaaaaaaa\n", "bb\n", "cccccccc\n", "d\n"] {
            log.begin_tick().unwrap();
            log.append(text.as_bytes()).unwrap();
            end = log.sync().unwrap().end;
        }
        assert_eq!(end, LogPosition { segment: 3, offset: 2 });
        assert_eq!(lines_up_to(folder.path(), end), ["aaaaaaaaa", "bb", "cccccccc", "d"]);
        let before = LogPosition { segment: 2, offset: 3 };
        drop(log);
        let mut log = RecordLog::open(folder.path(), at(before)).unwrap();
        assert_eq!(log.begin_tick().unwrap(), before);
        assert_eq!(segments(folder.path()).unwrap().len(), 2, "the uncommitted segment is gone");
    }

    #[test]
    fn a_log_shorter_than_the_cursor_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
        log.append(b"one\n").unwrap();
        drop(log);
        let beyond = LogPosition { segment: 1, offset: 5 };
        let error = RecordLog::open(folder.path(), at(beyond)).unwrap_err();
        assert!(matches!(&error, SinkError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("outlast repair"), "{error}");
        let missing = LogPosition { segment: 2, offset: 0 };
        assert!(matches!(RecordLog::open(folder.path(), at(missing)), Err(SinkError::Damaged { .. })));
    }

    #[test]
    fn a_file_that_no_tick_can_have_begun_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
        log.append(b"one\n").unwrap();
        let committed = log.sync().unwrap().end;
        drop(log);
        let (next, own) = (segment_name(2), "records-20261124.ndjson");
        [&next, own].iter().for_each(|name| fs::write(folder.path().join(name), "mine").unwrap());
        for end in [committed, LogPosition::START] {
            let error = RecordLog::open(folder.path(), at(end)).unwrap_err();
            assert!(matches!(&error, SinkError::Damaged { path, .. } if path.ends_with(own)), "{error}");
        }
        assert!(folder.path().join(&next).exists(), "nothing is removed before all is judged");
        fs::rename(folder.path().join(own), folder.path().join("records-0000002.ndjson")).unwrap();
        RecordLog::open(folder.path(), at(committed)).unwrap();
        assert!(!folder.path().join(next).exists());
        assert!(folder.path().join("records-0000002.ndjson").exists(), "this is no number as we write it");
    }

    #[test]
    fn a_log_that_goes_on_for_long_is_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let line = |tick: u64| {
            format!("{{\"root\":\"r\",\"path\":\"p\",\"status\":\"removed\",\"committed_tick\":{tick}}}\n")
        };
        let path = folder.path().join("records-000001.ndjson");
        let written = [line(3), line(4), line(5)].concat();
        fs::write(&path, &written).unwrap();
        let cursor = |tick| Cursor { tick, log: LogPosition { segment: 1, offset: line(3).len() as u64 } };
        let error = RecordLog::open(folder.path(), cursor(3)).unwrap_err();
        assert!(error.to_string().contains("older copy"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), written);
        fs::write(&path, [line(3), line(4), line(4)].concat()).unwrap();
        drop(RecordLog::open(folder.path(), cursor(3)).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), line(3), "one tick behind is the rest of a crash");
    }

    #[test]
    fn one_process_writes_and_its_file_must_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
        assert!(matches!(RecordLog::open(folder.path(), Cursor::default()), Err(SinkError::InUse { .. })));
        log.append(b"one\n").unwrap();
        log.sync().unwrap();
        fs::remove_file(folder.path().join("records-000001.ndjson")).unwrap();
        log.append(b"two\n").unwrap();
        assert!(matches!(log.sync(), Err(SinkError::Lost { .. })));
    }

    #[test]
    fn a_flipped_byte_shows_in_the_range() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
        log.begin_tick().unwrap();
        log.append(b"{\"a\":1}\n").unwrap();
        let done = log.sync().unwrap();
        let path = folder.path().join("records-000001.ndjson");
        assert!(check_range(&path, 0, done.end.offset, done.crc).unwrap());
        fs::write(&path, b"{\"a\":2}\n").unwrap();
        assert!(!check_range(&path, 0, done.end.offset, done.crc).unwrap());
    }
}
