//! Records: one line of JSON for each outcome.

pub(super) mod ast;
pub(super) mod copies;
pub(super) mod cursor;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{FileError, FileKey, Fingerprint, ParseError, RootId, Timestamp};

/// A position in the record log: the number of a segment file, from 1, and a byte offset in it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
pub struct LogPosition {
    /// Number of the segment: 1 is `records-000001.ndjson`.
    pub segment: u32,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

impl LogPosition {
    /// The start of the log.
    pub const START: Self = Self { segment: 1, offset: 0 };
}

impl Default for LogPosition {
    fn default() -> Self {
        Self::START
    }
}

/// `SEGMENT:OFFSET`.
impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

impl FromStr for LogPosition {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once(':').and_then(|(segment, offset)| {
            Some(Self { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
        });
        match parsed {
            Some(position) if position.segment > 0 => Ok(position),
            _ => {
                let expected = "SEGMENT:OFFSET, such as 1:0";
                Err(ParseError { text: text.to_owned(), what: "cursor", expected })
            }
        }
    }
}

/// What has been committed: the number of the last tick, and the end of the record log at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Cursor {
    /// Number of the last committed tick; 0 before the first.
    pub tick: u64,
    /// End of the committed part of the log.
    pub log: LogPosition,
}

/// Where the record log begins: at its first segment, once the oldest ones were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
pub struct LogStart {
    /// Number of the first segment; all before it are gone.
    pub segment: u32,
    /// End of the dropped part. A reader that has read the log up to there has missed nothing.
    pub dropped_to: Option<LogPosition>,
    /// The end of the log when it held no record but the latest of each path.
    pub compact_at: Option<LogPosition>,
}

impl Default for LogStart {
    fn default() -> Self {
        Self { segment: LogPosition::START.segment, dropped_to: None, compact_at: None }
    }
}

impl LogStart {
    /// Returns where a reader that has read the log up to `since` continues; `None` where records in between are
    /// gone.
    pub fn go_on_from(&self, since: LogPosition) -> Option<LogPosition> {
        if since.segment >= self.segment {
            return Some(since);
        }
        (self.dropped_to == Some(since)).then_some(LogPosition { segment: self.segment, offset: 0 })
    }
}

/// How a file's version ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordStatus {
    /// Processed.
    Ok,
    /// Not processed, with a class and a message.
    Failed,
    /// The file no longer exists.
    Removed,
}

/// Writes the line of one outcome.
///
/// Workers write everything but the number of the tick, which only the commit knows:
/// [`RecordLine::finish`] adds it.
#[derive(Debug)]
pub struct RecordLine<'a> {
    /// Name of the root.
    pub root: &'a str,
    /// The file.
    pub key: &'a FileKey,
    /// How it ended.
    pub status: RecordStatus,
    /// The version that was read; `None` when removed.
    pub fingerprint: Option<&'a Fingerprint>,
    /// Hash of the content, where it was read.
    pub digest: Option<&'a blake3::Hash>,
    /// Identity of the processor.
    pub processor: &'a str,
    /// Attempts at this version.
    pub attempts: u16,
    /// The processor's result, one JSON value.
    pub result: Option<&'a [u8]>,
    /// Why it failed.
    pub error: Option<&'a FileError>,
}

impl RecordLine<'_> {
    /// Appends the line up to the number of the tick.
    pub fn begin(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"{\"root\":");
        push_string(line, self.root);
        let path = self.key.relative_path();
        let text = String::from_utf8_lossy(&path);
        line.extend_from_slice(b",\"path\":");
        push_string(line, &text);
        if matches!(text, Cow::Owned(_)) {
            let bytes = base64::engine::general_purpose::STANDARD.encode(&path);
            line.extend_from_slice(b",\"path_bytes\":");
            push_string(line, &bytes);
        }
        line.extend_from_slice(match self.status {
            RecordStatus::Ok => b",\"status\":\"ok\"".as_slice(),
            RecordStatus::Failed => b",\"status\":\"failed\"",
            RecordStatus::Removed => b",\"status\":\"removed\"",
        });
        self.push_version(line);
        if let Some(error) = self.error {
            line.extend_from_slice(b",\"error\":");
            push_json(line, error);
        }
        if let Some(result) = self.result {
            line.extend_from_slice(b",\"result\":");
            line.extend_from_slice(result);
        }
        line.extend_from_slice(b",\"committed_tick\":");
    }

    fn push_version(&self, line: &mut Vec<u8>) {
        let Some(fingerprint) = self.fingerprint else { return };
        line.extend_from_slice(b",\"size\":");
        push_number(line, fingerprint.size);
        match fingerprint.mtime.known() {
            Some(mtime) => {
                line.extend_from_slice(b",\"mtime\":");
                push_json(line, &mtime);
            }
            None => line.extend_from_slice(b",\"mtime_note\":\"out of bounds\""),
        }
        if let Some(digest) = self.digest {
            line.extend_from_slice(b",\"digest\":\"");
            line.extend_from_slice(digest.to_hex().as_bytes());
            line.push(b'"');
        }
        line.extend_from_slice(b",\"processor\":");
        push_string(line, self.processor);
        line.extend_from_slice(b",\"attempts\":");
        push_number(line, u64::from(self.attempts));
    }

    /// Completes a line that [`RecordLine::begin`] began.
    pub fn finish(line: &mut Vec<u8>, tick: u64) {
        push_number(line, tick);
        line.extend_from_slice(b"}\n");
    }
}

fn push_json<T: Serialize>(line: &mut Vec<u8>, value: &T) {
    let before = line.len();
    if serde_json::to_writer(&mut *line, value).is_err() {
        line.truncate(before);
        line.extend_from_slice(b"null");
    }
}

fn push_string(line: &mut Vec<u8>, text: &str) {
    push_json(line, &text);
}

fn push_number(line: &mut Vec<u8>, number: u64) {
    push_json(line, &number);
}

/// A parsed record.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordHead<'a> {
    /// Name of the root.
    #[serde(borrow)]
    pub root: Cow<'a, str>,
    /// Relative path; with replacement characters where it is not UTF-8.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// The path's bytes in base64, where it is not UTF-8.
    #[serde(borrow, default)]
    pub path_bytes: Option<Cow<'a, str>>,
    /// How it ended.
    pub status: RecordStatus,
    /// Size in bytes; `None` when removed.
    #[serde(default)]
    pub size: Option<u64>,
    /// Modification time; `None` when removed, or where it is out of bounds.
    #[serde(default)]
    pub mtime: Option<Timestamp>,
    /// blake3 of the content, hex, where it was read.
    #[serde(borrow, default)]
    pub digest: Option<Cow<'a, str>>,
    /// Identity of the processor; `None` when removed.
    #[serde(borrow, default)]
    pub processor: Option<Cow<'a, str>>,
    /// Attempts at this version.
    #[serde(default)]
    pub attempts: u16,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<FileError>,
    /// The processor's result.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// The tick that committed it.
    pub committed_tick: u64,
    /// Original position of the record, if this line is a copy of it.
    #[serde(borrow, default)]
    pub copied_from: Option<Cow<'a, str>>,
    /// The tick that wrote the copy.
    #[serde(default)]
    pub copied_tick: Option<u64>,
}

impl<'a> RecordHead<'a> {
    /// Reads one line.
    ///
    /// # Errors
    /// Where the line is not a record.
    pub fn parse(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// Returns whether the line is a copy: its record was in the log before.
    pub fn is_copy(&self) -> bool {
        self.copied_from.is_some()
    }

    /// Returns the tick that wrote the line.
    pub fn written_tick(&self) -> u64 {
        self.copied_tick.unwrap_or(self.committed_tick)
    }

    /// Returns the key of the record's file under a root of this number; `None` for a path that can't be one.
    pub fn key(&self, root: RootId) -> Option<FileKey> {
        key_of(root, &self.path, self.path_bytes.as_deref())
    }
}

/// Returns bytes in base64, unless they are UTF-8.
pub fn in_base64(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Returns the key of a file whose path is given in this form.
pub(super) fn key_of(root: RootId, path: &str, path_bytes: Option<&str>) -> Option<FileKey> {
    match path_bytes {
        Some(encoded) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.as_bytes()).ok()?;
            FileKey::from_relative_path(root, &bytes)
        }
        None => FileKey::from_relative_path(root, path.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorClass;

    fn line_of(path: &[u8], status: RecordStatus) -> Vec<u8> {
        let key = FileKey::from_relative_path(RootId(1), path).unwrap();
        let fingerprint = Fingerprint { size: 12, mtime: Timestamp(1), ..Fingerprint::default() };
        let hash = blake3::hash(b"x");
        let error = FileError::new(ErrorClass::Parse, "expected value").at(1, 13);
        let mut line = Vec::new();
        RecordLine {
            root: "asts",
            key: &key,
            status,
            fingerprint: (status != RecordStatus::Removed).then_some(&fingerprint),
            digest: (status == RecordStatus::Ok).then_some(&hash),
            processor: "ast/1",
            attempts: 1,
            result: (status == RecordStatus::Ok).then_some(b"{\"values\":3}"),
            error: (status == RecordStatus::Failed).then_some(&error),
        }
        .begin(&mut line);
        RecordLine::finish(&mut line, 17);
        line
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for path in [&b"src/a.ast.json"[..], b"new\nline\"q", b"bad\xff\xfe.ast.json"] {
            let line = line_of(path, RecordStatus::Ok);
            assert_eq!(line.iter().filter(|&&b| b == b'\n').count(), 1, "one line");
            let head = RecordHead::parse(&line).unwrap();
            assert_eq!(head.key(RootId(1)).unwrap().relative_path(), path);
            assert_eq!((head.size, head.attempts, head.committed_tick), (Some(12), 1, 17));
            assert_eq!(head.result.unwrap().get(), "{\"values\":3}");
        }
    }

    #[test]
    fn failures_and_removals_have_the_documented_form() {
        assert_eq!(
            String::from_utf8(line_of(b"b", RecordStatus::Failed)).unwrap(),
            "{\"root\":\"asts\",\"path\":\"b\",\"status\":\"failed\",\"size\":12,\
             \"mtime\":\"1970-01-01T00:00:00.000000001Z\",\"processor\":\"ast/1\",\"attempts\":1,\
             \"error\":{\"class\":\"parse\",\"message\":\"expected value\",\"line\":1,\"column\":13},\
             \"committed_tick\":17}\n"
        );
        assert_eq!(
            String::from_utf8(line_of(b"c", RecordStatus::Removed)).unwrap(),
            "{\"root\":\"asts\",\"path\":\"c\",\"status\":\"removed\",\"committed_tick\":17}\n"
        );
    }

    #[test]
    fn a_time_that_no_record_can_hold_is_absent_with_a_note() {
        let key = FileKey::from_relative_path(RootId(1), b"a").unwrap();
        let mtime = Timestamp::from_parts(-99_999_999_999, 0);
        let fingerprint = Fingerprint { size: 12, mtime, ..Fingerprint::default() };
        let mut line = Vec::new();
        RecordLine {
            root: "asts",
            key: &key,
            status: RecordStatus::Ok,
            fingerprint: Some(&fingerprint),
            digest: None,
            processor: "ast/1",
            attempts: 1,
            result: Some(b"1"),
            error: None,
        }
        .begin(&mut line);
        RecordLine::finish(&mut line, 17);
        assert_eq!(RecordHead::parse(&line).unwrap().mtime, None);
        let text = String::from_utf8(line).unwrap();
        assert!(text.contains(",\"size\":12,\"mtime_note\":\"out of bounds\",\"processor\""), "{text}");
    }

    #[test]
    fn a_cursor_reads_back() {
        let position = LogPosition { segment: 3, offset: 41 };
        assert_eq!(position.to_string().parse(), Ok(position));
        assert!("3".parse::<LogPosition>().unwrap_err().expected.contains("SEGMENT:OFFSET"));
        assert!("0:0".parse::<LogPosition>().is_err());
    }
}
