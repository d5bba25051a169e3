//! Blocks: runs of neighbouring entries in one value, each row encoded as its difference to the one before.

use std::ops::Range;

use bincode::error::EncodeError;

use super::codec::{CRC_LEN, UNLIMITED, VERSION, crc_at_end, seal, unseal};
use super::entry::Entry;
use super::ready::{CLASSES, ClassCounts, Classes};
use super::row::read::NO_ROW;
use super::row::{self, Numbers, Row};
use crate::model::shared_prefix;

/// Limit of a block's key and value together, unless one entry alone takes more.
///
/// sled keeps up to 17 values in a page, and writes pages above 128 KiB to files of their own.
pub(super) const BLOCK_BYTES_MAX: usize = 5632;

const COUNT_LEN: usize = 2;
/// Limit of a row beside its key.
const ROW_BYTES_MAX: usize = 160;

/// Entries with their keys, in order.
#[derive(Default)]
pub(super) struct Rows {
    keys: Vec<u8>,
    ends: Vec<usize>,
    entries: Vec<Entry>,
}

impl Rows {
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.entries.clear();
    }

    pub(super) fn push(&mut self, key: &[u8], entry: Entry) {
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        self.entries.push(entry);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn key(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.keys[start..self.ends[at]]
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Counts the pending ones of these rows by class.
    pub(crate) fn count(&self, rows: Range<usize>, classes: &Classes, counts: &mut ClassCounts) {
        rows.for_each(|at| classes.count(counts, self.key(at), &self.entries[at]));
    }

    /// Appends all rows of a block.
    pub(crate) fn read(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let mut reader = RowReader::default();
        let body = reader.start(key, value)?;
        while reader.next(body)? {
            self.push(&reader.key, reader.entry);
        }
        Ok(())
    }
}

/// A block encoded from the rows up to `end`.
pub(super) struct Encoded {
    pub(super) value: Vec<u8>,
    pub(super) end: usize,
}

/// What a row grows by with its first record: a digest, and the line's position.
const RECORD_BYTES: usize = 20;

/// Encodes rows from `from` on, until the value has `aim` bytes or key and value would pass the limit. Where the
/// block `will_grow`, room is left for the records of files that have none: filled up with new files, each block
/// would be split, and written twice for that, when they are done. `scratch` is a buffer for it, with any content.
pub(super) fn encode(
    rows: &Rows,
    from: usize,
    (aim, will_grow): (usize, bool),
    scratch: &mut Vec<u8>,
) -> Result<Encoded, &'static str> {
    let block_key = rows.key(from);
    let room = BLOCK_BYTES_MAX.saturating_sub(block_key.len() + CRC_LEN);
    // The first row fits in, however long: it encodes no more of its key than the key's length.
    let space = room.max(block_key.len()) + ROW_BYTES_MAX;
    if scratch.len() < space {
        scratch.resize(space, 0);
    }
    scratch[0] = VERSION;
    let mut len = 1 + COUNT_LEN;
    let mut before = Numbers::default();
    let mut key_before = block_key;
    let mut end = from;
    let mut growth = 0;
    while end < rows.len() && len < aim {
        let key = rows.key(end);
        let entry = &rows.entries[end];
        let row = Row::new(key_before, key, &mut before, entry);
        match bincode::encode_into_slice(row, &mut scratch[len..], UNLIMITED) {
            Ok(more) if len + more + growth <= room || end == from => len += more,
            Ok(_) | Err(EncodeError::UnexpectedEnd) if end > from => break,
            _ => return Err("a row can't be encoded"),
        }
        if will_grow && entry.record.is_none() {
            growth += RECORD_BYTES;
        }
        key_before = key;
        end += 1;
    }
    let count = u16::try_from(end - from).map_err(|_| "a block has too many rows")?;
    scratch[1..=COUNT_LEN].copy_from_slice(&count.to_le_bytes());
    let mut value = Vec::with_capacity(len + CRC_LEN);
    value.extend_from_slice(&scratch[..len]);
    seal(block_key, &mut value);
    Ok(Encoded { value, end })
}

/// Returns number of entries and checksum of a block whose checksum matches.
pub(crate) fn check(key: &[u8], value: &[u8]) -> Result<(u64, u32), &'static str> {
    let (count, _) = split_count(unseal(key, value)?)?;
    Ok((u64::from(count), crc_at_end(value)))
}

fn split_count(body: &[u8]) -> Result<(u16, &[u8]), &'static str> {
    let (count, rows) = body.split_first_chunk::<COUNT_LEN>().ok_or(NO_ROW)?;
    Ok((u16::from_le_bytes(*count), rows))
}

/// Counts the pending rows of a block by class.
pub(crate) fn count(key: &[u8], value: &[u8], classes: &Classes) -> Result<ClassCounts, &'static str> {
    let mut counts = [0; CLASSES];
    let mut reader = RowReader::default();
    let body = reader.start(key, value)?;
    while reader.next(body)? {
        classes.count(&mut counts, &reader.key, &reader.entry);
    }
    Ok(counts)
}

#[cfg(test)]
thread_local! {
    /// Blocks whose rows this thread has begun to read.
    pub(crate) static BLOCKS_READ: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Reads the rows of one block, one after the other.
#[derive(Default)]
pub(crate) struct RowReader {
    pub(crate) key: Vec<u8>,
    pub(crate) entry: Entry,
    before: Numbers,
    at: usize,
    left: u16,
    first: bool,
    /// Bytes that the key shares with the one before in the block; `usize::MAX` for the first.
    shared: usize,
}

impl RowReader {
    /// Moves before the first row of a block, checks the block, and returns the body for [`Self::next`].
    pub(crate) fn start<'a>(&mut self, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], &'static str> {
        #[cfg(test)]
        BLOCKS_READ.set(BLOCKS_READ.get() + 1);
        let body = unseal(key, value)?;
        self.restart(key, body)?;
        Ok(body)
    }

    /// Moves before the first row of a block whose body was checked before.
    pub(super) fn restart(&mut self, key: &[u8], body: &[u8]) -> Result<(), &'static str> {
        (self.left, _) = split_count(body)?;
        self.at = COUNT_LEN;
        self.before = Numbers::default();
        self.first = true;
        self.key.clear();
        self.key.extend_from_slice(key);
        Ok(())
    }

    /// Returns whether the row is the first one whose key is not below `key`, as far as that shows: the key before is
    /// less than this one in the byte after what both share, so it is less than all that has this byte, too.
    pub(super) fn is_first_from(&self, key: &[u8]) -> bool {
        self.key.as_slice() >= key && shared_prefix(&self.key, key) > self.shared
    }

    /// Moves to the next row; returns false after the last.
    pub(crate) fn next(&mut self, body: &[u8]) -> Result<bool, &'static str> {
        let rest = body.get(self.at..).ok_or(NO_ROW)?;
        if self.left == 0 {
            return if rest.is_empty() { Ok(false) } else { Err("a block has bytes behind its rows") };
        }
        let (key, behind) = row::read(rest, &mut self.before, &mut self.entry)?;
        let in_order = match (self.key.get(key.shared), key.suffix.first()) {
            (Some(old), Some(new)) => old < new,
            (None, Some(_)) => !self.first && key.shared == self.key.len(),
            (_, None) => self.first && key.shared == self.key.len(),
        };
        if !in_order {
            return Err("the entries of a block are out of order");
        }
        self.shared = if self.first { usize::MAX } else { key.shared };
        self.key.truncate(key.shared);
        self.key.extend_from_slice(key.suffix);
        self.at += rest.len() - behind.len();
        self.left -= 1;
        self.first = false;
        Ok(true)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::super::entry::{RecordRef, Retry};
    use super::*;
    use crate::model::{Digest, ErrorClass, Fingerprint, LogPosition, Timestamp};

    pub(in crate::ledger) fn any_entry() -> impl Strategy<Value = Entry> {
        let print = (any::<u64>(), any::<i64>(), prop_oneof![Just(0), any::<i64>()], any::<u64>());
        let record = (1..4_u32, any::<u64>(), 0..3_u32, any::<Option<[u8; 16]>>(), 0..=10_u8);
        let rare = (0..30_u8, any::<i64>(), any::<u8>(), any::<bool>());
        (any::<bool>(), any::<bool>(), any::<u16>(), print, proptest::option::of(record), rare).prop_map(
            |(pending, recheck, attempts, (size, mtime, age, inode), record, rare)| Entry {
                pending: pending || record.is_none(),
                recheck,
                attempts,
                retry: ErrorClass::from_code(rare.0).map(|class| Retry { class, at: Timestamp(rare.1) }),
                crashes: if rare.0 % 2 == 0 { rare.2 } else { 0 },
                quarantined: rare.3 && rare.0 % 3 == 0,
                fingerprint: Fingerprint {
                    size,
                    mtime: Timestamp(mtime),
                    ctime: Timestamp(mtime.wrapping_add(age)),
                    inode,
                },
                record: record.map(|(segment, offset, epoch, digest, failure)| RecordRef {
                    position: LogPosition { segment, offset },
                    epoch,
                    digest: digest.map(Digest),
                    failure: ErrorClass::from_code(failure),
                    carried: segment % 3 == 1,
                }),
            },
        )
    }

    fn decoded(key: &[u8], value: &[u8]) -> Result<Vec<(Vec<u8>, Entry)>, &'static str> {
        let mut rows = Rows::default();
        rows.read(key, value)?;
        Ok((0..rows.len()).map(|at| (rows.key(at).to_vec(), rows.entries[at])).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_block_reads_back_as_it_was_written(
            entries in proptest::collection::btree_map(
                proptest::collection::vec(0..4_u8, 0..40), any_entry(), 1..200,
            ),
        ) {
            let mut rows = Rows::default();
            entries.iter().for_each(|(key, entry)| rows.push(key, *entry));
            let mut read = Vec::new();
            let mut at = 0;
            while at < rows.len() {
                let block = encode(&rows, at, (usize::MAX, false), &mut Vec::new()).unwrap();
                prop_assert!(block.end > at && rows.key(at).len() + block.value.len() <= BLOCK_BYTES_MAX);
                prop_assert_eq!(check(rows.key(at), &block.value).unwrap().0, (block.end - at) as u64);
                read.extend(decoded(rows.key(at), &block.value).unwrap());
                at = block.end;
            }
            prop_assert_eq!(read, entries.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_row_is_the_first_from_a_key_on_only_where_the_one_before_is_below_it(
            (keys, from) in (
                proptest::collection::btree_set(proptest::collection::vec(0..3_u8, 0..8), 2..40),
                proptest::collection::vec(0..3_u8, 0..8),
            ),
        ) {
            let mut rows = Rows::default();
            keys.iter().for_each(|key| rows.push(key, Entry { pending: true, ..Entry::default() }));
            let value = encode(&rows, 0, (usize::MAX, false), &mut Vec::new()).unwrap().value;
            let mut reader = RowReader::default();
            let mut before = None::<Vec<u8>>;
            let body = reader.start(rows.key(0), &value).unwrap();
            while reader.next(body).unwrap() {
                let is_first = reader.key >= from && before.as_ref().is_some_and(|before| *before < from);
                if reader.is_first_from(&from) {
                    prop_assert!(is_first, "{:?} behind {before:?} from {from:?}", reader.key);
                } else if let Some(before) = before.as_ref().filter(|_| is_first) {
                    let next = shared_prefix(before, &reader.key);
                    prop_assert!(from.get(next) != reader.key.get(next), "it shows: {:?} from {from:?}", reader.key);
                }
                before = Some(reader.key.clone());
            }
        }

        #[test]
        fn bytes_that_are_no_block_never_panic(mut body in proptest::collection::vec(any::<u8>(), 0..200)) {
            // Sealed, so that the rows themselves are tested.
            body.insert(0, VERSION);
            seal(b"k", &mut body);
            let _ = decoded(b"k", &body);
        }
    }

    #[test]
    fn each_flipped_byte_and_each_cut_is_noticed() {
        let mut rows = Rows::default();
        for n in 0..20_u64 {
            let mut entry = Entry { pending: true, ..Entry::default() };
            entry.fingerprint.size = n * 100;
            rows.push(format!("src/module/file{n:03}.ast.json").as_bytes(), entry);
        }
        let block = encode(&rows, 0, (usize::MAX, false), &mut Vec::new()).unwrap().value;
        for at in 0..block.len() {
            for flip in [1, 0x80, 0xff] {
                let mut broken = block.clone();
                broken[at] ^= flip;
                assert!(decoded(rows.key(0), &broken).is_err(), "byte {at}");
            }
            assert!(decoded(rows.key(0), &block[..at]).is_err(), "cut at {at}");
        }
        assert!(check(rows.key(1), &block).is_err(), "under another key");
    }

    #[test]
    fn an_entry_with_a_huge_key_has_a_block_of_its_own() {
        let mut rows = Rows::default();
        for first in [b'a', b'b'] {
            rows.push(&[first; 6000], Entry { pending: true, ..Entry::default() });
        }
        assert_eq!(encode(&rows, 0, (usize::MAX, false), &mut Vec::new()).unwrap().end, 1);
    }
}
