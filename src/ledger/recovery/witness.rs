//! The witness: what the database must hold when it is opened again.
//!
//! The database can lose its newest transactions, or be an older copy put back, without an error of its own. So each
//! tick is recorded a second time, here, after the database has it: an append-only file of lines of equal length. The
//! last line is the newest tick's own; lines before it may be merged, one for about each MiB of a segment of the log.

use std::fs::File;
use std::path::{Path, PathBuf};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::{Decode, Encode};

use crate::ledger::error::LedgerError;
use crate::ledger::folder::disk;
use crate::ledger::log_range::LogRange;
use crate::ledger::map::meta::TreeSum;
use crate::model::failpoint;

const VERSION: u8 = 1;
const BODY_LEN: usize = 57;
const LINE_LEN: usize = BODY_LEN + 4;
/// Lines above the minimum that are kept before the file is rewritten.
const LINES_MAX: usize = 4096;
/// The same when a ledger is opened, or forgets a part of the log: reading some more lines takes less time than
/// syncing a new file.
const LINES_TIDY: usize = 256;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<BODY_LEN>> =
    bincode::config::standard().with_fixed_int_encoding().with_limit::<BODY_LEN>();

/// One tick, or several merged ones when `tick` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Line {
    pub(super) tick: u64,
    /// What the tick appended to the log; its end is the cursor.
    pub(super) log: LogRange,
    /// The ledger's blocks at that tick.
    pub(super) blocks: TreeSum,
}

impl Line {
    fn encode(&self, path: &Path, bytes: &mut Vec<u8>) -> Result<(), LedgerError> {
        let start = bytes.len();
        bincode::encode_into_std_write((VERSION, self), bytes, CONFIG)
            .map_err(|error| LedgerError::damaged(path, format!("a line can't be written: {error}")))?;
        let crc = crc32fast::hash(&bytes[start..]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        match bincode::decode_from_slice(body, CONFIG) {
            Ok(((VERSION, line), BODY_LEN)) => Some(line),
            _ => None,
        }
    }
}

/// Content of the file, and the file where it is open for appending.
pub(crate) struct Witness {
    path: PathBuf,
    file: Option<File>,
    lines_in_file: usize,
    torn: bool,
    /// Everything before the last line, merged.
    merged: Vec<LogRange>,
    last: Option<Line>,
    /// Length of all ranges together.
    log_bytes: u64,
}

impl Witness {
    /// Creates an empty one.
    pub(crate) fn create(path: &Path) -> Result<(), LedgerError> {
        disk::replace(path, &[])
    }

    /// Reads the file, and opens it for appending.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        let witness = Self::read(path)?;
        Ok(Self { file: Some(open_to_append(path)?), ..witness })
    }

    /// Reads the file. An incomplete last line is dropped.
    pub(crate) fn read(path: &Path) -> Result<Self, LedgerError> {
        let bytes = disk::read(path)?;
        let mut witness = Self {
            path: path.to_path_buf(),
            file: None,
            lines_in_file: 0,
            torn: false,
            merged: Vec::new(),
            last: None,
            log_bytes: 0,
        };
        let lines = bytes.len().div_ceil(LINE_LEN);
        for (number, line) in bytes.chunks(LINE_LEN).enumerate() {
            match Line::decode(line) {
                Some(line) => witness.take(line)?,
                None if number + 1 == lines => witness.torn = true,
                None => {
                    return Err(LedgerError::damaged(path, format!("line {} is not as written", number + 1)));
                }
            }
        }
        Ok(witness)
    }

    fn take(&mut self, line: Line) -> Result<(), LedgerError> {
        let follows = match &self.last {
            None => line.log.from == 0,
            Some(last) => {
                line.log.follows(&last.log) && (last.tick == 0 || line.tick == last.tick.wrapping_add(1))
            }
        };
        if !follows {
            let number = self.lines_in_file + 1;
            return Err(LedgerError::damaged(
                &self.path,
                format!("line {number} does not follow the one before"),
            ));
        }
        self.lines_in_file += 1;
        self.log_bytes += line.log.to - line.log.from;
        if let Some(before) = self.last.replace(line) {
            push_merged(&mut self.merged, before.log);
        }
        Ok(())
    }

    /// Returns the file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the newest tick.
    pub(super) fn last(&self) -> Option<&Line> {
        self.last.as_ref()
    }

    /// Adds a tick, durably.
    pub(crate) fn append(&mut self, line: Line) -> Result<(), LedgerError> {
        let mut bytes = Vec::with_capacity(LINE_LEN);
        line.encode(&self.path, &mut bytes)?;
        self.take(line)?;
        if self.torn {
            // After the torn end, a crash before the file is whole again would leave damage.
            return self.compact();
        }
        let file = self.file.as_mut().ok_or(LedgerError::Poisoned)?;
        failpoint::write_all("witness.append", file, &bytes)
            .and_then(|()| failpoint::hit("witness.sync"))
            .and_then(|()| file.sync_data())
            .and_then(|()| failpoint::hit("witness.synced"))
            .map_err(LedgerError::io(&self.path))?;
        disk::check_in_place(file, &self.path)?;
        if self.lines_in_file > self.merged.len() + LINES_MAX {
            self.compact()?;
        }
        Ok(())
    }

    /// Forgets the segments before this one, in memory: the file follows when it is rewritten. The newest tick stays.
    pub(crate) fn forget_before(&mut self, segment: u32) {
        self.merged.retain(|range| range.segment >= segment);
        let all = self.merged.iter().chain(self.last.as_ref().map(|last| &last.log));
        self.log_bytes = all.map(|range| range.to - range.from).sum();
    }

    /// Returns the oldest segment that it has a range of.
    pub(crate) fn first_segment(&self) -> Option<u32> {
        let first = self.merged.first().or_else(|| self.last.as_ref().map(|last| &last.log));
        first.map(|range| range.segment)
    }

    /// Returns the length of the committed log, in bytes.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes
    }

    /// Rewrites the file where that makes it much shorter, or whole.
    pub(crate) fn tidy(&mut self) -> Result<(), LedgerError> {
        let is_long = self.lines_in_file > self.merged.len() + LINES_TIDY;
        if self.torn || is_long { self.compact() } else { Ok(()) }
    }

    fn compact(&mut self) -> Result<(), LedgerError> {
        let mut bytes = Vec::with_capacity((self.merged.len() + 1) * LINE_LEN);
        for &log in &self.merged {
            Line { tick: 0, log, blocks: TreeSum::default() }.encode(&self.path, &mut bytes)?;
        }
        if let Some(last) = &self.last {
            last.encode(&self.path, &mut bytes)?;
        }
        disk::replace(&self.path, &bytes)?;
        self.file = Some(open_to_append(&self.path)?);
        self.lines_in_file = bytes.len() / LINE_LEN;
        self.torn = false;
        Ok(())
    }

    /// Returns the committed log, oldest first: ranges of about 1 MiB, each of one segment.
    pub(crate) fn log_ranges(&self) -> Vec<LogRange> {
        let mut ranges = self.merged.clone();
        if let Some(last) = &self.last {
            push_merged(&mut ranges, last.log);
        }
        ranges.retain(|range| range.from < range.to);
        ranges
    }
}

/// A merged range is closed once it has this many bytes: damage costs a repair one range, not a segment.
const MERGED_BYTES: u64 = 1 << 20;

fn push_merged(ranges: &mut Vec<LogRange>, log: LogRange) {
    match ranges.last_mut() {
        Some(before) if before.segment == log.segment && before.to - before.from < MERGED_BYTES => {
            *before = before.join(&log);
        }
        _ => ranges.push(log),
    }
}

/// Returns the ranges of those lines that are intact.
pub(super) fn sound_ranges(bytes: &[u8]) -> Vec<LogRange> {
    bytes.chunks(LINE_LEN).filter_map(Line::decode).map(|line| line.log).collect()
}

fn open_to_append(path: &Path) -> Result<File, LedgerError> {
    failpoint::hit("witness.open").map_err(LedgerError::io(path))?;
    File::options().append(true).open(path).map_err(LedgerError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lines of a log whose ticks append these byte strings; an empty one starts a new segment.
    fn lines_of(appends: &[&[u8]]) -> Vec<Line> {
        let mut log = LogRange { segment: 1, from: 0, to: 0, crc32: 0 };
        let mut lines = Vec::new();
        for (at, bytes) in appends.iter().enumerate() {
            let from = if bytes.is_empty() { 0 } else { log.to };
            let segment = log.segment + u32::from(bytes.is_empty());
            log = LogRange { segment, from, to: from + bytes.len() as u64, crc32: crc32fast::hash(bytes) };
            lines.push(Line { tick: at as u64 + 1, log, blocks: TreeSum::default() });
        }
        lines
    }

    fn written(folder: &Path, lines: &[Line]) -> PathBuf {
        let path = folder.join("witness");
        Witness::create(&path).unwrap();
        let mut witness = Witness::open(&path).unwrap();
        lines.iter().for_each(|&line| witness.append(line).unwrap());
        path
    }

    #[test]
    fn ranges_merge_into_one_for_each_segment_with_the_checksum_of_all_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines_of(&[b"abc", b"d", b"", b"efgh", b"ij"]);
        let path = written(folder.path(), &lines);
        for _ in 0..2 {
            let mut witness = Witness::open(&path).unwrap();
            let expected = [
                LogRange { segment: 1, from: 0, to: 4, crc32: crc32fast::hash(b"abcd") },
                LogRange { segment: 2, from: 0, to: 6, crc32: crc32fast::hash(b"efghij") },
            ];
            assert_eq!(witness.log_ranges(), expected);
            assert_eq!(witness.last(), lines.last());
            witness.compact().unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len(), 3 * LINE_LEN as u64);
        }
    }

    #[test]
    fn a_witness_is_tidied_where_that_is_worth_it_and_always_where_its_end_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines_of(&vec![&b"x"[..]; LINES_TIDY + 2]);
        let least = 2 * LINE_LEN as u64;
        for (count, cut, expected) in
            [(LINES_TIDY, 0, LINES_TIDY as u64 * LINE_LEN as u64), (LINES_TIDY + 2, 0, least), (3, 1, least)]
        {
            let path = written(folder.path(), &lines[..count]);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
            Witness::open(&path).unwrap().tidy().unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len(), expected, "{count} lines");
            assert_eq!(Witness::open(&path).unwrap().last(), lines[..count - cut].last());
        }
    }

    #[test]
    fn a_long_witness_is_cut_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        let lines = lines_of(&vec![&b"x"[..]; LINES_MAX + 2]);
        let (most, rest) = lines.split_at(LINES_MAX - 1);
        let mut bytes = Vec::new();
        most.iter().for_each(|line| line.encode(&path, &mut bytes).unwrap());
        std::fs::write(&path, bytes).unwrap();
        let mut witness = Witness::open(&path).unwrap();
        rest.iter().for_each(|&line| witness.append(line).unwrap());
        assert!(std::fs::metadata(&path).unwrap().len() <= 3 * LINE_LEN as u64);
        assert_eq!(Witness::open(&path).unwrap().log_ranges(), witness.log_ranges());
    }

    #[test]
    fn only_a_torn_last_line_is_forgiven_and_nothing_is_written_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines_of(&[b"abc", b"d", b"e"]);
        let path = written(folder.path(), &lines);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut witness = Witness::open(&path).unwrap();
            let left = cut / LINE_LEN;
            assert_eq!(witness.last(), lines[..left].last(), "cut at {cut}");
            witness.append(lines[left]).unwrap();
            assert_eq!(Witness::open(&path).unwrap().last(), Some(&lines[left]), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x40;
            std::fs::write(&path, &flipped).unwrap();
            let opened = Witness::open(&path);
            if at < 2 * LINE_LEN {
                assert!(matches!(opened, Err(LedgerError::Damaged { .. })), "byte {at}");
            } else {
                assert_eq!(opened.unwrap().last(), Some(&lines[1]), "byte {at}");
            }
        }
        std::fs::write(&path, [&whole[..LINE_LEN], &whole[2 * LINE_LEN..]].concat()).unwrap();
        assert!(matches!(Witness::open(&path), Err(LedgerError::Damaged { .. })), "a line is missing");
    }
}
