//! The entries of a list, one after the other.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use super::{EntryError, ListError};

/// Bytes of an entry at most. The system opens no longer path than 4,096 bytes.
const ENTRY_BYTES_MAX: usize = 32 << 10;
/// Bytes of a list in which a zero byte is looked for: more than one entry.
const HEAD_BYTES: u64 = 64 << 10;
/// Characters of a refused entry that a message shows.
const SHOWN_CHARS: usize = 200;

/// Reads entries into memory that it keeps.
pub(super) struct Entries<R> {
    input: Chain<Cursor<Vec<u8>>, BufReader<R>>,
    end: u8,
    number: u64,
    entry: Vec<u8>,
}

impl<R: Read> Entries<R> {
    /// Reads the beginning of a list.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut input = BufReader::new(input);
        let mut head = Vec::new();
        input.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        let end = if head.contains(&0) { 0 } else { b'\n' };
        Ok(Self { input: Cursor::new(head).chain(input), end, number: 0, entry: Vec::new() })
    }

    /// Returns the next entry that is not empty; an error in it is what refuses the entry.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<&[u8], EntryError>>> {
        loop {
            self.entry.clear();
            let mut limited = self.input.by_ref().take(ENTRY_BYTES_MAX as u64 + 2);
            if limited.read_until(self.end, &mut self.entry)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.entry.last() == Some(&self.end) {
                self.entry.pop();
            }
            if self.end == b'\n' && self.entry.last() == Some(&b'\r') {
                self.entry.pop();
            }
            if self.entry.is_empty() {
                continue;
            }
            let entry = self.entry.as_slice();
            return Ok(Some(match entry {
                _ if entry.len() > ENTRY_BYTES_MAX => Err(EntryError::TooLong),
                _ if entry.contains(&0) => Err(EntryError::ZeroByte),
                _ => Ok(entry),
            }));
        }
    }

    /// Returns the error that refuses the list for its last entry.
    pub(super) fn refused(&self, reason: EntryError) -> ListError {
        let path = String::from_utf8_lossy(&self.entry).chars().take(SHOWN_CHARS).collect();
        ListError::Entry { number: self.number, is_line: self.end == b'\n', path, reason }
    }
}
