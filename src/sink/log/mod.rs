//! Appending to the record log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::aside::sync_folder;
use super::reader::{check_file, check_folder};
use super::{LogReader, SEGMENT_BYTES_MAX, SinkError, segment_name, segments};
use crate::model::{Cursor, LogPosition, RecordHead, durable, failpoint};

/// The largest size of a memory page: whatever ends in a page was written with what precedes it there.
const PAGE_BYTES: u64 = 64 << 10;

/// The writing end of the record log.
#[derive(Debug)]
pub struct RecordLog {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Held while the log is open.
    lock: RecordFolder,
    position: LogPosition,
    tick_crc: crc32fast::Hasher,
    dirty: bool,
    segment_bytes_max: u64,
    /// The next tick begins a segment, however full the current one is.
    closing: bool,
    poisoned: bool,
}

/// A record folder, locked: no other process writes to it.
#[derive(Debug)]
pub struct RecordFolder {
    path: PathBuf,
    lock: File,
}

impl RecordFolder {
    /// Takes a folder, which is created if it is missing, for this process.
    ///
    /// # Errors
    /// [`SinkError::InUse`] where another process has it; [`SinkError::NoFolder`] where there is something else;
    /// [`SinkError::Io`] otherwise.
    pub fn take(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let path = path.as_ref();
        failpoint::hit("log.folder").map_err(SinkError::io(path))?;
        check_folder(path)?;
        durable::make_folders(path, 0o777).map_err(SinkError::io(path))?;
        let lock = File::open(path).map_err(SinkError::io(path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(Errno::WOULDBLOCK) => Err(SinkError::InUse { path: path.to_owned() }),
            Err(errno) => Err(SinkError::io(path)(durable::lock_error(path, errno))),
        }
    }

    /// Checks that the folder at the path is still the locked one.
    fn check(&self) -> Result<(), SinkError> {
        // A path that can't be checked now is no proof.
        if durable::is_at(&self.lock, &self.path).unwrap_or(true) {
            Ok(())
        } else {
            Err(SinkError::Lost { path: self.path.clone() })
        }
    }
}

/// Result of a tick's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// End of the log after it.
    pub end: LogPosition,
    /// crc32 of the appended bytes.
    pub crc: u32,
}

impl RecordLog {
    /// Opens a log of which nothing was dropped, as [`RecordLog::open_from`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open(folder: &Path, cursor: Cursor) -> Result<Self, SinkError> {
        Self::open_from(folder, LogPosition::START.segment, cursor)
    }

    /// Opens the log in `folder`, which is created if it is missing, and cuts off what follows `cursor`: what an
    /// uncommitted tick has left, in the rest of the segment and in the next one, since each tick begins one segment
    /// at most. Segments before `first` were dropped, and are removed if they exist.
    ///
    /// # Errors
    /// [`SinkError::Damaged`] where the log is shorter than `cursor` says, or continues further than one tick after
    /// it: then the state is an older copy, and nothing is cut. [`SinkError::InUse`] where another process has it
    /// open; [`SinkError::Io`] otherwise.
    pub fn open_from(folder: &Path, first: u32, cursor: Cursor) -> Result<Self, SinkError> {
        Self::open_in(RecordFolder::take(folder)?, first, cursor)
    }

    /// The same in a folder that is locked already.
    ///
    /// # Errors
    /// As there.
    pub fn open_in(lock: RecordFolder, first: u32, cursor: Cursor) -> Result<Self, SinkError> {
        let committed = cursor.log;
        let folder = lock.path.as_path();
        let found = segments(folder)?;
        let first_use = committed == LogPosition::START;
        if !first_use {
            check_complete(folder, &found, first, committed)?;
        }
        let behind = found.iter().filter(|(segment, _)| *segment > committed.segment);
        for (segment, path) in behind.clone() {
            if segment - committed.segment > 1 {
                return Err(SinkError::damaged(path, NOT_BEGUN));
            }
        }
        check_tail(folder, &found, cursor)?;
        let mut is_changed = first_use;
        for (_, path) in behind {
            failpoint::hit("log.remove").map_err(SinkError::io(path))?;
            fs::remove_file(path).map_err(SinkError::io(path))?;
            is_changed = true;
        }
        remove_before(folder, first, &found)?;
        let path = folder.join(segment_name(committed.segment));
        if first_use && path.symlink_metadata().is_ok() {
            // Created anew: it is unknown whether its name is durable.
            failpoint::hit("log.remove").map_err(SinkError::io(&path))?;
            fs::remove_file(&path).map_err(SinkError::io(&path))?;
        }
        let mut file = open_segment(&path, first_use)?;
        is_changed |= cut(&file, committed.offset).map_err(SinkError::io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(SinkError::io(&path))?;
        // An unchanged log was synced when committed, its name too: two of a start's seven syncs.
        if is_changed {
            failpoint::hit("log.sync-cut").map_err(SinkError::io(&path))?;
            file.sync_all().map_err(SinkError::io(&path))?;
            sync_folder(folder)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            lock,
            position: committed,
            tick_crc: crc32fast::Hasher::new(),
            dirty: false,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            closing: false,
            poisoned: false,
        })
    }

    /// Returns whether opening the log with this cursor changes nothing.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn is_as_committed(folder: &Path, first: u32, committed: LogPosition) -> Result<bool, SinkError> {
        let found = if folder.is_dir() { segments(folder)? } else { return Ok(false) };
        let path = folder.join(segment_name(committed.segment));
        let is_whole = fs::metadata(&path).is_ok_and(|found| found.len() == committed.offset);
        let is_known = |segment| (first..=committed.segment).contains(&segment);
        Ok(is_whole && committed != LogPosition::START && found.iter().all(|(segment, _)| is_known(*segment)))
    }

    /// Sets another size from which a segment counts as full.
    #[must_use]
    pub fn with_segment_bytes_max(mut self, bytes: u64) -> Self {
        self.segment_bytes_max = bytes;
        self
    }

    /// Begins a tick: the next line goes to the returned position.
    ///
    /// # Errors
    /// If a new segment is due and can't be created.
    pub fn begin_tick(&mut self) -> Result<LogPosition, SinkError> {
        self.tick_crc = crc32fast::Hasher::new();
        if self.position.offset >= self.segment_bytes_max || self.closing {
            self.guarded(Self::rotate)?;
        }
        Ok(self.position)
    }

    /// Makes the next tick begin a segment, unless the current one is empty.
    pub fn close_segment(&mut self) {
        self.closing = self.position.offset > 0;
    }

    /// Removes the oldest segment before this one, durably. Returns whether there was one.
    ///
    /// # Errors
    /// If the folder can't be read or written; the log can still be written.
    pub fn remove_one_before(&self, first: u32) -> Result<bool, SinkError> {
        self.lock.check()?;
        let mut found = segments(&self.folder)?;
        found.truncate(1);
        remove_before(&self.folder, first, &found)?;
        Ok(found.iter().any(|(segment, _)| *segment < first))
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
    /// If the sync fails: it is not retried, since a second one would report a false success.
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

    /// Checks that the segment still has its name: only then is synced data durable.
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
        self.lock.check()?;
        self.closing = false;
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

/// Removes those of these segments that precede the first one, in this order.
fn remove_before(folder: &Path, first: u32, found: &[(u32, PathBuf)]) -> Result<(), SinkError> {
    for (_, path) in found.iter().filter(|(segment, _)| *segment < first) {
        failpoint::hit("log.drop").map_err(SinkError::io(path))?;
        fs::remove_file(path).map_err(SinkError::io(path))?;
        // One by one, so that a power cut leaves the end of the log, without a gap.
        sync_folder(folder)?;
    }
    Ok(())
}

/// Cuts a segment back to what was committed, and returns whether there was something to cut. If not, its times stay
/// as they are.
fn cut(file: &File, committed: u64) -> io::Result<bool> {
    failpoint::hit("log.cut")?;
    if file.metadata()?.len() == committed {
        return Ok(false);
    }
    // The page in which the committed part ends may hold data of a failed sync. It is durable before the cut: a
    // segment of the right length has nothing that a start would have to sync.
    durable::write_again(file, committed - committed % PAGE_BYTES, committed)?;
    file.set_len(committed)?;
    Ok(true)
}

/// Checks that only lines of the next tick follow the cursor, and none of a later one.
fn check_tail(folder: &Path, found: &[(u32, PathBuf)], cursor: Cursor) -> Result<(), SinkError> {
    for (segment, path) in found.iter().filter(|(segment, _)| *segment >= cursor.log.segment) {
        let from = if *segment == cursor.log.segment { cursor.log.offset } else { 0 };
        let end = fs::metadata(path).map_err(SinkError::io(path))?.len();
        let (from, end) =
            (LogPosition { segment: *segment, offset: from }, LogPosition { segment: *segment, offset: end });
        let mut lines = LogReader::new(folder, from, end)?;
        // Nothing after a torn line is of use.
        while let Ok(Some((_, line))) = lines.next_line() {
            let tick = RecordHead::parse(line).map_or(0, |record| record.written_tick());
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
    check_file(path)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .open(path)
        .map_err(SinkError::io(path))
}

const NOT_BEGUN: &str = "the log ends before this file: either outlast did not write it, and it has to be moved elsewhere, or the state is older than the log";

/// Checks that every segment from the first up to the committed end exists, and that the last one is long enough.
fn check_complete(
    folder: &Path,
    found: &[(u32, PathBuf)],
    first: u32,
    committed: LogPosition,
) -> Result<(), SinkError> {
    for segment in first..=committed.segment {
        if !found.iter().any(|(number, _)| *number == segment) {
            return Err(SinkError::Missing { path: folder.join(segment_name(segment)) });
        }
    }
    found.iter().try_for_each(|(_, path)| check_file(path))?;
    let path = folder.join(segment_name(committed.segment));
    let length = fs::metadata(&path).map_err(SinkError::io(&path))?.len();
    if length < committed.offset {
        let what = format!("the record file has {length} bytes, but {} were committed", committed.offset);
        return Err(SinkError::damaged(&path, what));
    }
    Ok(())
}

#[cfg(test)]
mod faults;

#[cfg(test)]
mod tests;
