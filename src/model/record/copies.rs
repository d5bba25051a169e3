//! Copies of records: lines that were carried forward so that the segment they stood in can go.
//!
//! A copy is the original line, with two more members at its end: `copied_from`, where the record was at first, and
//! `copied_tick`, the tick that wrote the copy.

use std::borrow::Cow;

use serde::Deserialize;

use super::{LogPosition, RecordHead};
use crate::model::key::{FileKey, RootId};

const MARK: &[u8] = b",\"copied_from\":\"";
/// A mark with the largest numbers is shorter.
const MARK_BYTES_MAX: usize = 128;

/// Returns the line as it was before it was copied. `record` is its parsed form.
pub fn without_copy_mark<'a>(line: &'a [u8], record: &RecordHead<'_>) -> Cow<'a, [u8]> {
    let from = line.len().saturating_sub(MARK_BYTES_MAX);
    let mark = line[from..].windows(MARK.len()).rposition(|bytes| bytes == MARK);
    match mark.filter(|_| record.is_copy()) {
        Some(at) => Cow::Owned([&line[..from + at], b"}"].concat()),
        None => Cow::Borrowed(line),
    }
}

/// Appends a copy of the line at `from`, which may be a copy itself, for the tick that writes it.
pub fn push_copy(line: &[u8], record: &RecordHead<'_>, from: LogPosition, tick: u64, out: &mut Vec<u8>) {
    let original = without_copy_mark(line, record);
    let whole = original.trim_ascii_end();
    out.extend_from_slice(whole.strip_suffix(b"}").unwrap_or(whole));
    out.extend_from_slice(MARK);
    let from = record.copied_from.as_deref().map_or_else(|| from.to_string(), str::to_owned);
    out.extend_from_slice(from.as_bytes());
    out.extend_from_slice(format!("\",\"copied_tick\":{tick}}}\n").as_bytes());
}

/// The file of a record: the beginning of its line, enough where the rest does not matter.
#[derive(Debug, Deserialize)]
pub struct RecordOf<'a> {
    /// Name of the root.
    #[serde(borrow)]
    pub root: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    path_bytes: Option<Cow<'a, str>>,
}

impl RecordOf<'_> {
    /// Reads the first bytes of a line; `None` if they are too few, or not a record's.
    pub fn parse<T>(begin: &[u8], tell: impl FnOnce(&RecordOf<'_>) -> T) -> Option<T> {
        // Within a string each quotation mark has a backslash before it.
        const NEXT: &[u8] = b",\"status\":\"";
        let at = begin.windows(NEXT.len()).position(|bytes| bytes == NEXT)?;
        let head = [&begin[..at], b"}"].concat();
        serde_json::from_slice(&head).ok().map(|record| tell(&record))
    }

    /// Returns the key of the file under a root of this number; `None` for a path that can't be one.
    pub fn key(&self, root: RootId) -> Option<FileKey> {
        super::key_of(root, &self.path, self.path_bytes.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"{"root":"r","path":"a,\"status\":\"ok","status":"ok","result":{"copied_from":"x"},"committed_tick":17}"#;
    const FROM: LogPosition = LogPosition { segment: 3, offset: 40 };

    fn copy(line: &[u8], from: LogPosition, tick: u64) -> Vec<u8> {
        let mut out = Vec::new();
        push_copy(line, &RecordHead::parse(line).unwrap(), from, tick, &mut out);
        assert_eq!(out.pop(), Some(b'\n'));
        out
    }

    #[test]
    fn a_copy_gives_back_the_line_however_often_it_is_copied() {
        let once = copy(LINE, FROM, 20);
        let head = RecordHead::parse(&once).unwrap();
        assert_eq!((head.copied_from.as_deref(), head.written_tick()), (Some("3:40"), 20));
        assert_eq!(head.committed_tick, 17);
        let twice = copy(&once, LogPosition { segment: 9, offset: 1 }, u64::MAX);
        let head = RecordHead::parse(&twice).unwrap();
        assert_eq!((head.copied_from.as_deref(), head.copied_tick), (Some("3:40"), Some(u64::MAX)));
        assert_eq!(without_copy_mark(&twice, &head), LINE);
        assert_eq!(without_copy_mark(LINE, &RecordHead::parse(LINE).unwrap()), LINE);
    }

    #[test]
    fn the_beginning_of_a_line_tells_its_file() {
        let of = |begin: &[u8]| RecordOf::parse(begin, |of| of.key(RootId(1)).unwrap().relative_path());
        assert_eq!(of(&LINE[..60]).unwrap(), b"a,\"status\":\"ok");
        assert!(of(&LINE[..30]).is_none());
    }
}
