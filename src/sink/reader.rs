//! Reading the record log.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{SinkError, segment_name, segment_number};
use crate::model::LogPosition;

/// The segments in a folder, ascending; none where the folder is missing.
///
/// # Errors
/// Where the folder can't be listed.
pub fn segments(folder: &Path) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SinkError::io(folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SinkError::io(folder))?;
        if let Some(number) = entry.file_name().to_str().and_then(segment_number) {
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

    /// Where the next line begins.
    pub fn position(&self) -> LogPosition {
        self.position
    }

    /// Moves the end further, after more was committed.
    pub fn extend(&mut self, end: LogPosition) {
        self.end = self.end.max(end);
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
        let mut file = File::open(&path).map_err(SinkError::io(&path))?;
        file.seek(SeekFrom::Start(self.position.offset)).map_err(SinkError::io(&path))?;
        self.file = Some(BufReader::with_capacity(256 << 10, file));
        Ok(())
    }
}

/// The line that begins at a position, without its line feed.
///
/// # Errors
/// Where the segment can't be read, or ends within the line.
pub fn read_line_at(folder: &Path, position: LogPosition) -> Result<Vec<u8>, SinkError> {
    let end = LogPosition { segment: position.segment, offset: u64::MAX };
    let mut reader = LogReader::new(folder, position, end)?;
    reader.next_line().map(|line| line.map(|(_, line)| line.to_vec()).unwrap_or_default())
}

/// Whether a range of a segment's bytes has this crc32.
///
/// # Errors
/// Where the segment can't be read, or is shorter.
pub fn check_range(folder: &Path, segment: u32, from: u64, to: u64, crc: u32) -> Result<bool, SinkError> {
    let path = folder.join(segment_name(segment));
    let mut file = File::open(&path).map_err(SinkError::io(&path))?;
    file.seek(SeekFrom::Start(from)).map_err(SinkError::io(&path))?;
    let mut rest = file.take(to - from);
    let mut buffer = vec![0; 256 << 10];
    let mut hasher = crc32fast::Hasher::new();
    let mut read = 0;
    loop {
        let length = rest.read(&mut buffer).map_err(SinkError::io(&path))?;
        if length == 0 {
            break;
        }
        read += length as u64;
        hasher.update(&buffer[..length]);
    }
    if read < to - from {
        return Err(SinkError::damaged(&path, "the record file is shorter than what was committed"));
    }
    Ok(hasher.finalize() == crc)
}
