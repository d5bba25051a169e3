//! Reading the record log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{SinkError, segment_name, segment_number};
use crate::model::LogPosition;
use crate::model::durable::{FileKind, instead_of};

/// Returns the segments in a folder, ascending; empty if the folder is missing.
///
/// # Errors
/// Where the folder can't be listed.
pub fn segments(folder: impl AsRef<Path>) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    listed(folder.as_ref(), segment_number)
}

/// Returns the length of a segment; 0 if a compaction has dropped it since it was listed.
///
/// # Errors
/// If its metadata can't be read, or it is not a file.
pub fn segment_bytes(path: &Path) -> Result<u64, SinkError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        found => check_segment(path).and(found.map(|_| 0).map_err(SinkError::io(path))),
    }
}

/// Returns the files whose names have a number, ascending; empty if the folder is missing.
pub(super) fn listed(
    folder: &Path,
    number_of: impl Fn(&str) -> Option<u32>,
) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            check_folder(folder)?;
            return Err(SinkError::io(folder)(error));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SinkError::io(folder))?;
        if let Some(number) = entry.file_name().to_str().and_then(&number_of) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Open segments, which can be read to the end although they are dropped meanwhile.
#[derive(Debug, Clone, Default)]
pub struct HeldSegments(Arc<BTreeMap<u32, File>>);

/// The oldest segments are dropped first, and dropping one takes longer than reading others.
const HELD_MAX: usize = 128;

impl HeldSegments {
    /// Opens those of these segments that could be dropped soon.
    ///
    /// # Errors
    /// Where one can't be opened.
    pub fn open(folder: &Path, segments: impl Iterator<Item = u32>) -> Result<Self, SinkError> {
        let wanted: BTreeSet<u32> = segments.collect();
        let opened = wanted.into_iter().take(HELD_MAX).map(|segment| {
            let file = open(&folder.join(segment_name(segment)))?;
            Ok((segment, file))
        });
        Ok(Self(Arc::new(opened.collect::<Result<_, SinkError>>()?)))
    }

    /// Returns a segment's file, which shares its offset with all others of this call.
    fn file(&self, folder: &Path, segment: u32) -> Result<File, SinkError> {
        let path = folder.join(segment_name(segment));
        match self.0.get(&segment) {
            Some(file) => file.try_clone().map_err(SinkError::io(&path)),
            None => open(&path),
        }
    }
}

/// Reads lines from one position of the log up to another.
#[derive(Debug)]
pub struct LogReader {
    folder: PathBuf,
    held: HeldSegments,
    file: Option<BufReader<File>>,
    position: LogPosition,
    end: LogPosition,
    line: Vec<u8>,
}

impl LogReader {
    /// Creates a reader of the lines between `from` and `end`, the committed end of the log.
    ///
    /// # Errors
    /// Where the segment at `from` can't be opened.
    pub fn new(folder: impl AsRef<Path>, from: LogPosition, end: LogPosition) -> Result<Self, SinkError> {
        Self::of_held(folder.as_ref(), from, end, HeldSegments::default())
    }

    /// The same for segments that are held open; one reader at a time.
    ///
    /// # Errors
    /// As there.
    pub fn of_held(
        folder: &Path,
        from: LogPosition,
        end: LogPosition,
        held: HeldSegments,
    ) -> Result<Self, SinkError> {
        let folder = folder.to_owned();
        let mut reader = Self { folder, held, file: None, position: from, end, line: Vec::new() };
        if from < end {
            reader.open_segment()?;
        }
        Ok(reader)
    }

    /// Returns the next line without its line feed, and where it begins; `None` at the end.
    ///
    /// # Errors
    /// Where a segment can't be read, or the log ends within a line.
    pub fn next_line(&mut self) -> Result<Option<(LogPosition, &[u8])>, SinkError> {
        loop {
            if self.position >= self.end {
                return Ok(None);
            }
            let path = self.folder.join(segment_name(self.position.segment));
            if self.file.is_none() {
                self.open_segment()?;
            }
            let Some(file) = &mut self.file else { return Ok(None) };
            self.line.clear();
            let length = file.read_until(b'\n', &mut self.line).map_err(SinkError::io(&path))?;
            if length == 0 {
                if self.position.segment >= self.end.segment {
                    return Err(SinkError::damaged(
                        &path,
                        "the record file is shorter than what was committed",
                    ));
                }
                self.position = LogPosition { segment: self.position.segment + 1, offset: 0 };
                self.file = None;
                continue;
            }
            if self.line.pop() != Some(b'\n') {
                return Err(SinkError::damaged(&path, "the record file ends within a line"));
            }
            let start = self.position;
            self.position.offset += length as u64;
            return Ok(Some((start, &self.line)));
        }
    }

    fn open_segment(&mut self) -> Result<(), SinkError> {
        let path = self.folder.join(segment_name(self.position.segment));
        let mut file = self.held.file(&self.folder, self.position.segment)?;
        file.seek(SeekFrom::Start(self.position.offset)).map_err(SinkError::io(&path))?;
        self.file = Some(BufReader::with_capacity(256 << 10, file));
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, SinkError> {
    check_segment(path)?;
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SinkError::Missing { path: path.to_owned() },
        _ => SinkError::io(path)(error),
    })
}

/// Refuses anything but a segment of a record folder that may have gone since it was listed.
fn check_segment(path: &Path) -> Result<(), SinkError> {
    path.parent().map_or(Ok(()), check_folder)?;
    check_file(path)
}

/// Refuses anything but a file in place of a segment, before it is opened: a FIFO would block a process for ever, and
/// a device has no end.
pub(super) fn check_file(path: &Path) -> Result<(), SinkError> {
    match instead_of(FileKind::File, path).map_err(SinkError::io(path))? {
        Some(what) => Err(SinkError::damaged(path, what)),
        None => Ok(()),
    }
}

/// Refuses a record folder, or one above it, that is not a directory.
pub(super) fn check_folder(path: &Path) -> Result<(), SinkError> {
    match path.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok()) {
        Some(there) if !there.is_dir() => Err(SinkError::NoFolder { path: there.to_owned() }),
        _ => Ok(()),
    }
}

/// A line of a segment as it is on disk.
#[derive(Debug, Clone, Copy)]
pub struct RawLine<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes without the line feed.
    pub bytes: &'a [u8],
    /// Whether it ends in a line feed.
    pub is_whole: bool,
}

/// Reads the lines of one segment, sound or not.
#[derive(Debug)]
pub struct RawLines {
    path: PathBuf,
    file: BufReader<File>,
    offset: u64,
    line: Vec<u8>,
}

impl RawLines {
    /// Opens a segment.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let path = path.as_ref();
        let file = open(path)?;
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { path: path.to_owned(), file, offset: 0, line: Vec::new() })
    }

    /// Returns the next line.
    ///
    /// # Errors
    /// Where the segment can't be read.
    pub fn next_line(&mut self) -> Result<Option<RawLine<'_>>, SinkError> {
        self.line.clear();
        let length = self.file.read_until(b'\n', &mut self.line).map_err(SinkError::io(&self.path))?;
        if length == 0 {
            return Ok(None);
        }
        let start = self.offset;
        self.offset += length as u64;
        let whole = self.line.last() == Some(&b'\n');
        if whole {
            self.line.pop();
        }
        Ok(Some(RawLine { offset: start, bytes: &self.line, is_whole: whole }))
    }
}

/// Reads single lines anywhere in the log, keeping the last segment open.
#[derive(Debug)]
pub struct LineReader {
    folder: PathBuf,
    held: HeldSegments,
    open: Option<(u32, File)>,
    buffer: Vec<u8>,
}

/// Bytes read at first for one line; doubled until the line ends.
const LINE_BYTES: usize = 4 << 10;

impl LineReader {
    /// Creates a reader of the log in this folder.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self::of_held(folder.as_ref(), HeldSegments::default())
    }

    /// The same for segments that are held open.
    pub fn of_held(folder: &Path, held: HeldSegments) -> Self {
        Self { folder: folder.to_owned(), held, open: None, buffer: Vec::new() }
    }

    /// Returns the line that begins at a position, without its line feed.
    ///
    /// # Errors
    /// Where the segment can't be read, or ends within the line.
    pub fn line_at(&mut self, position: LogPosition) -> Result<&[u8], SinkError> {
        let path = self.folder.join(segment_name(position.segment));
        let file = match self.open.take() {
            Some((segment, file)) if segment == position.segment => file,
            _ => self.held.file(&self.folder, position.segment)?,
        };
        let mut wanted = LINE_BYTES;
        let length = loop {
            self.buffer.resize(wanted, 0);
            let read = read_at(&file, &mut self.buffer, position.offset).map_err(SinkError::io(&path))?;
            if let Some(length) = self.buffer[..read].iter().position(|&byte| byte == b'\n') {
                break length;
            }
            if read < wanted {
                return Err(SinkError::damaged(&path, "the record file ends within a line"));
            }
            wanted *= 2;
        };
        self.open = Some((position.segment, file));
        Ok(&self.buffer[..length])
    }
}

/// Returns where the line around a position begins, and its first bytes, up to a limit.
///
/// # Errors
/// Where the segment can't be read.
pub fn line_around(
    folder: &Path,
    position: LogPosition,
    bytes_max: usize,
) -> Result<(LogPosition, Vec<u8>), SinkError> {
    let path = folder.join(segment_name(position.segment));
    let file = open(&path)?;
    let mut buffer = vec![0; LINE_BYTES];
    let mut start = position.offset;
    while start > 0 {
        let from = start.saturating_sub(LINE_BYTES as u64);
        let part = &mut buffer[..(start - from) as usize];
        let read = read_at(&file, part, from).map_err(SinkError::io(&path))?;
        if let Some(feed) = part[..read].iter().rposition(|&byte| byte == b'\n') {
            start = from + feed as u64 + 1;
            break;
        }
        start = from;
    }
    buffer.resize(bytes_max, 0);
    let read = read_at(&file, &mut buffer, start).map_err(SinkError::io(&path))?;
    buffer.truncate(read);
    if let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
        buffer.truncate(end);
    }
    Ok((LogPosition { offset: start, ..position }, buffer))
}

/// Returns whether a line begins at a position, or the segment ends there.
///
/// # Errors
/// Where the segment can't be read.
pub fn begins_line(folder: &Path, position: LogPosition) -> Result<bool, SinkError> {
    let Some(before) = position.offset.checked_sub(1) else { return Ok(true) };
    let path = folder.join(segment_name(position.segment));
    let file = open(&path)?;
    let mut byte = [0];
    let read = read_at(&file, &mut byte, before).map_err(SinkError::io(&path))?;
    Ok(read == 1 && byte == *b"\n")
}

/// Fills `buffer` from `offset` on, as far as the file goes.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(length) => read += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Returns whether a range of a segment's bytes has this crc32.
///
/// # Errors
/// Where the segment can't be read, or is shorter.
pub fn check_range(path: &Path, from: u64, to: u64, crc: u32) -> Result<bool, SinkError> {
    let mut file = open(path)?;
    file.seek(SeekFrom::Start(from)).map_err(SinkError::io(path))?;
    let (read, found) = sum_of(file.take(to - from)).map_err(SinkError::io(path))?;
    if read < to - from {
        return Err(SinkError::damaged(path, "the record file is shorter than what was committed"));
    }
    Ok(found == crc)
}

/// Returns the number of bytes and their crc32. A read that a signal interrupts is retried.
fn sum_of(mut source: impl Read) -> io::Result<(u64, u32)> {
    let mut buffer = vec![0; 256 << 10];
    let mut read = 0;
    let mut hasher = crc32fast::Hasher::new();
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok((read, hasher.finalize())),
            Ok(length) => {
                read += length as u64;
                hasher.update(&buffer[..length]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
