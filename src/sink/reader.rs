//! Reading the record log.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{SinkError, segment_name, segment_number};
use crate::model::LogPosition;

/// What is said of a segment that is not there.
pub(super) const MISSING: &str = "the record file is missing (if its disk is not mounted, mount it)";

/// The segments in a folder, ascending; none where the folder is missing.
///
/// # Errors
/// Where the folder can't be listed.
pub fn segments(folder: &Path) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    listed(folder, segment_number)
}

/// The files whose names have a number, ascending; none where the folder is missing.
pub(super) fn listed(
    folder: &Path,
    number_of: impl Fn(&str) -> Option<u32>,
) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SinkError::io(folder)(error)),
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

/// Reads lines from one position of the log up to another.
#[derive(Debug)]
pub struct LogReader {
    folder: PathBuf,
    file: Option<BufReader<File>>,
    position: LogPosition,
    end: LogPosition,
    line: Vec<u8>,
}

impl LogReader {
    /// A reader of the lines between `from` and `end`, the committed end of the log.
    ///
    /// # Errors
    /// Where the segment at `from` can't be opened.
    pub fn new(folder: &Path, from: LogPosition, end: LogPosition) -> Result<Self, SinkError> {
        let mut reader =
            Self { folder: folder.to_owned(), file: None, position: from, end, line: Vec::new() };
        if from < end {
            reader.open_segment()?;
        }
        Ok(reader)
    }

    /// The next line without its line feed, and where it begins. None at the end.
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
        let mut file = open(&path)?;
        file.seek(SeekFrom::Start(self.position.offset)).map_err(SinkError::io(&path))?;
        self.file = Some(BufReader::with_capacity(256 << 10, file));
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, SinkError> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SinkError::damaged(path, MISSING),
        _ => SinkError::io(path)(error),
    })
}

/// A line of a segment as it stands there.
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
    pub fn open(path: &Path) -> Result<Self, SinkError> {
        let file = open(path)?;
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { path: path.to_owned(), file, offset: 0, line: Vec::new() })
    }

    /// The next line.
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
    open: Option<(u32, File)>,
    buffer: Vec<u8>,
}

/// What is read at first for one line, in bytes; doubled until the line ends.
const LINE_BYTES: usize = 4 << 10;

impl LineReader {
    /// A reader of the log in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: None, buffer: Vec::new() }
    }

    /// The line that begins at a position, without its line feed.
    ///
    /// # Errors
    /// Where the segment can't be read, or ends within the line.
    pub fn line_at(&mut self, position: LogPosition) -> Result<&[u8], SinkError> {
        let path = self.folder.join(segment_name(position.segment));
        let file = match self.open.take() {
            Some((segment, file)) if segment == position.segment => file,
            _ => open(&path)?,
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

/// Whether a line begins at a position, or the segment ends there.
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

/// Whether a range of a segment's bytes has this crc32.
///
/// # Errors
/// Where the segment can't be read, or is shorter.
pub fn check_range(path: &Path, from: u64, to: u64, crc: u32) -> Result<bool, SinkError> {
    let mut file = open(path)?;
    file.seek(SeekFrom::Start(from)).map_err(SinkError::io(path))?;
    let mut rest = file.take(to - from);
    let mut buffer = vec![0; 256 << 10];
    let mut hasher = crc32fast::Hasher::new();
    let mut read = 0;
    loop {
        let length = rest.read(&mut buffer).map_err(SinkError::io(path))?;
        if length == 0 {
            break;
        }
        read += length as u64;
        hasher.update(&buffer[..length]);
    }
    if read < to - from {
        return Err(SinkError::damaged(path, "the record file is shorter than what was committed"));
    }
    Ok(hasher.finalize() == crc)
}
