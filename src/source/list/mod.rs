//! Lists of files that a user names, in place of the folders of a tree.
//!
//! Constraints: a list is read once, as it may come through a pipe, and as a whole before anything is done with it: an
//! entry that is refused refuses the list. Its files are kept sorted and each once, so that those of a folder are
//! looked at together; a list of any length takes bounded memory.

mod entries;
mod sorted;

use std::io::{self, Read};

use crate::model::FileKey;
use entries::Entries;
use sorted::{Merged, SortedSet};

/// Files that a list names. The root of a key is its number in the list's own count.
#[derive(Debug, Default)]
pub struct ListedKeys {
    keys: SortedSet,
    /// Entries that name a root itself, and so no file.
    pub roots: u64,
}

/// Why a list of files is refused.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It can't be read.
    #[error("can't be read: {0}")]
    Read(io::Error),
    /// It is longer than memory should hold, and there is no room for it elsewhere.
    #[error("can't be sorted: {0}; make room, or name another folder with the variable TMPDIR")]
    Sort(io::Error),
    /// An entry names no file of the roots.
    #[error("{} {number}: {path}: {reason}", if *.is_line { "line" } else { "entry" })]
    Entry {
        /// Its number, from 1.
        number: u64,
        /// Whether the list has lines; else its entries end in zero bytes.
        is_line: bool,
        /// Its begin.
        path: String,
        /// What is wrong with it.
        reason: EntryError,
    },
}

/// Why an entry of a list is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It names something outside the roots.
    #[error("lies outside the roots of this run")]
    Outside,
    /// It is relative, and there are several roots.
    #[error("is relative to one of several roots; write absolute paths")]
    Ambiguous,
    /// No path is as long.
    #[error("is longer than a path can be")]
    TooLong,
    /// A zero byte in a list of lines.
    #[error("has a zero byte in it, and the list began with lines; end all entries with zero bytes, or none")]
    ZeroByte,
}

impl ListedKeys {
    /// Reads a list: an entry a line, or, if there is a zero byte in its beginning, entries that end in zero bytes.
    /// `place` returns the key of what an entry names, `None` for a root itself. Empty entries say nothing.
    ///
    /// # Errors
    /// The list can't be read or kept, or an entry is refused.
    pub(crate) fn read(
        input: impl Read,
        place: impl Fn(&[u8]) -> Result<Option<FileKey>, EntryError>,
    ) -> Result<Self, ListError> {
        let mut listed = Self::default();
        let mut entries = Entries::new(input).map_err(ListError::Read)?;
        while let Some(entry) = entries.next().map_err(ListError::Read)? {
            let key = entry.and_then(&place).map_err(|reason| entries.refused(reason))?;
            match key {
                Some(key) => listed.keys.push(key.as_bytes()).map_err(ListError::Sort)?,
                None => listed.roots += 1,
            }
        }
        listed.keys.finish();
        Ok(listed)
    }

    /// Returns the files, sorted, each once.
    ///
    /// # Errors
    /// What did not fit into memory can't be read back.
    pub(crate) fn iter(&self) -> io::Result<Merged<'_>> {
        self.keys.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RootId;

    /// The entries as keys, by their text alone.
    fn read(list: &[u8]) -> Result<Vec<String>, String> {
        let place = |entry: &[u8]| FileKey::from_relative_path(RootId(0), entry).ok_or(EntryError::Outside);
        let listed =
            ListedKeys::read(list, |entry| place(entry).map(Some)).map_err(|error| error.to_string())?;
        let mut keys = Vec::new();
        let mut merged = listed.iter().unwrap();
        while let Some(key) = merged.next().unwrap() {
            let key = FileKey::from_bytes(&key).unwrap();
            keys.push(key.relative_path().escape_ascii().to_string());
        }
        Ok(keys)
    }

    #[test]
    fn lines_end_in_line_feeds_or_both_and_the_last_may_end_in_nothing() {
        assert_eq!(read(b"b\r\n\n\r\n a \na\nb\nc").unwrap(), [" a ", "a", "b", "c"]);
        assert_eq!(read(b"").unwrap(), [""; 0]);
        assert_eq!(read(b"a").unwrap(), ["a"]);
    }

    #[test]
    fn a_zero_byte_makes_it_a_list_of_entries_that_end_in_them() {
        assert_eq!(read(b"b\nc\r\0a\xff\0\0a\xff\0").unwrap(), ["a\\xff", "b\\nc\\r"]);
    }

    #[test]
    fn what_is_refused_is_named_by_its_line() {
        assert_eq!(read(b"a\n\n../b\nc").unwrap_err(), "line 3: ../b: lies outside the roots of this run");
        assert_eq!(read(b"a\0../b\0").unwrap_err(), "entry 2: ../b: lies outside the roots of this run");
        let long = [vec![b'x'; 100_000], b"\na".to_vec()].concat();
        let refused = read(&long).unwrap_err();
        assert!(refused.starts_with("line 1: xxx") && refused.ends_with("is longer than a path can be"));
        assert!(refused.len() < 300, "{refused}");
        let late = [b"a\n".repeat(40_000), b"b\0c\n".to_vec()].concat();
        assert!(read(&late).unwrap_err().starts_with("line 40001: b\u{0}c: has a zero byte"));
    }
}
