//! One pass over the record log.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::{CompactReport, drop_one};
use crate::engine::consumers::first_unread;
use crate::engine::error::EngineError;
use crate::engine::store::Store;
use crate::ledger::{Entry, RecordRef, Scan, Tick, free_bytes};
use crate::model::{FileKey, LogPosition, RecordHead, push_copy};
use crate::sink::{HeldSegments, LineReader, SinkError};

/// The least that a turn takes of the log, in bytes and as a fraction of it, so that a pass walks the ledger eight
/// times at most.
const TURN_BYTES: u64 = 1 << 30;
const TURN_PART: u64 = 8;
/// Disk space kept free beside the copies of a turn.
const ROOM_BYTES: u64 = 64 << 20;
/// Copies that a portion writes, in bytes: it adapts to how fast they are written. Committing fewer takes as long.
const PORTION_BYTES_MIN: usize = 512 << 10;
const PORTION_BYTES_MAX: usize = 8 << 20;
const PORTION_FILES_MAX: usize = 4096;
/// Entries between two readings of the clock.
const LOOK_FILES: usize = 256;

/// A pass under way.
pub(crate) struct Pass {
    begun: Instant,
    /// The segment last written to is kept until then.
    rests_until: Instant,
    run_start: Option<LogPosition>,
    /// What is kept for a consumer, in bytes; `None` for all.
    keep_bytes: Option<u64>,
    /// Segments before this one are dropped in the end.
    target: u32,
    /// Whether those are all that there were.
    is_whole: bool,
    turn: Turn,
    portion_bytes: usize,
    /// The end of the log after the pass's own last tick.
    own: LogPosition,
    /// Whether only the pass itself has recorded anything since it began.
    is_alone: bool,
    report: CompactReport,
}

/// A walk over the ledger for the oldest segments.
struct Turn {
    /// The first segment after those of this turn.
    before: u32,
    scan: Scan,
    lines: LineReader,
    /// Whether nothing points to its segments any more.
    has_ended: bool,
    /// Whether the log begins after them: their files can be removed.
    has_left: bool,
}

/// The segments of the log, ascending, each with its length in bytes.
pub(super) fn segments_of(store: &Store) -> Vec<(u32, u64)> {
    let mut segments: Vec<(u32, u64)> = Vec::new();
    for range in store.ledger.log_ranges() {
        match segments.last_mut() {
            Some((segment, bytes)) if *segment == range.segment => *bytes += range.to - range.from,
            _ => segments.push((range.segment, range.to - range.from)),
        }
    }
    segments
}

/// Returns the given segment, or an earlier one that a consumer has not read to its end.
fn may_drop_before(store: &Store, segment: u32, keep_bytes: Option<u64>) -> u32 {
    first_unread(store, keep_bytes).map_or(segment, |unread| unread.min(segment))
}

/// Returns the length of what stays in the log because a consumer has not read it, in bytes.
pub(super) fn bytes_unread(store: &Store, keep_bytes: Option<u64>) -> u64 {
    let Some(unread) = first_unread(store, keep_bytes) else { return 0 };
    segments_of(store).into_iter().filter(|(segment, _)| *segment >= unread).map(|(_, bytes)| bytes).sum()
}

impl Pass {
    /// Closes the current segment and begins with the oldest ones.
    pub(super) fn begin(
        store: &mut Store,
        (run_start, keep_bytes): (Option<LogPosition>, Option<u64>),
        (now, grace): (Instant, Duration),
    ) -> Result<Self, EngineError> {
        let bytes = store.ledger.log_bytes();
        store.log.close_segment();
        store.commit_without_lines(&[], None)?;
        let end = store.ledger.cursor().log.segment;
        let target = may_drop_before(store, end, keep_bytes);
        Ok(Self {
            begun: Instant::now(),
            rests_until: now + grace,
            run_start,
            keep_bytes,
            target,
            is_whole: target == end,
            turn: Turn::begin(store, target)?,
            portion_bytes: PORTION_BYTES_MIN,
            own: store.ledger.cursor().log,
            is_alone: true,
            report: CompactReport { bytes_before: bytes, ..CompactReport::default() },
        })
    }

    /// Does a portion; returns the report once the pass has ended.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        portion: Duration,
        now: Instant,
    ) -> Result<Option<CompactReport>, EngineError> {
        self.is_alone &= store.ledger.cursor().log == self.own;
        let is_last = self.turn.before >= self.target;
        if !self.turn.has_left {
            if self.carry(store, portion)? && !(is_last && now < self.rests_until) {
                self.leave_turn(store)?;
            }
            return Ok(None);
        }
        if drop_one(store)? {
            self.report.segments_dropped += 1;
            return Ok(None);
        }
        if !is_last && lacks_room(store).is_none() {
            self.turn = Turn::begin(store, self.target)?;
            return Ok(None);
        }
        self.report.bytes_after = store.ledger.log_bytes();
        self.report.seconds = self.begun.elapsed().as_secs_f64();
        Ok(Some(self.report))
    }

    /// Makes the log begin after the turn's segments, as far as a consumer does not need them by now.
    fn leave_turn(&mut self, store: &mut Store) -> Result<(), EngineError> {
        let before = may_drop_before(store, self.turn.before, self.keep_bytes);
        if before < self.turn.before {
            self.target = before;
            self.is_whole = false;
        }
        if before > store.ledger.log_start().segment {
            let is_compact = self.is_whole && self.is_alone && before == self.target;
            store.ledger.begin_log_at(before, is_compact)?;
        }
        self.turn.has_left = true;
        Ok(())
    }

    /// Returns whether the last turn's walk has ended and only the grace period is left.
    pub(crate) fn rests(&self) -> bool {
        self.turn.before >= self.target && self.turn.has_ended && !self.turn.has_left
    }

    /// Carries some lines forward and commits them. Returns whether the turn's segments are of no use any more.
    fn carry(&mut self, store: &mut Store, portion: Duration) -> Result<bool, EngineError> {
        if self.turn.has_ended {
            return Ok(true);
        }
        let begun = Instant::now();
        let tick = store.ledger.cursor().tick + 1;
        let mut carried = Carried { tick, run_start: self.run_start, ..Carried::default() };
        // Others have committed since the portion before.
        self.turn.scan.refresh();
        let mut looked = 0;
        self.turn.has_ended = loop {
            let Some((key, entry)) = self.turn.scan.peek()? else { break true };
            if let Some(record) = entry.record.filter(|record| record.position.segment < self.turn.before) {
                carried.take(store, &mut self.turn.lines, key, record.position)?;
            }
            self.turn.scan.advance();
            looked += 1;
            let is_full =
                carried.lines.len() >= self.portion_bytes || carried.copies.len() >= PORTION_FILES_MAX;
            // Committing takes time, too.
            let is_late = looked % LOOK_FILES == 0 && begun.elapsed() >= portion / 2;
            if is_full || is_late {
                break false;
            }
        };
        if self.commit(store, carried)? {
            self.adapt(begun.elapsed(), portion);
        }
        Ok(self.turn.has_ended)
    }

    /// Returns whether there was anything to commit.
    fn commit(&mut self, store: &mut Store, mut carried: Carried) -> Result<bool, EngineError> {
        if carried.copies.is_empty() {
            return Ok(false);
        }
        // The commit uses the current entries, whatever the walk has read: nothing can come between.
        let files: Vec<&FileKey> = carried.copies.iter().map(|copy| &copy.file).collect();
        let current = store.reader.lookup(&files)?;
        let begin = store.begin_tick()?;
        let changes = carried.settle(begin, current);
        if changes.is_empty() {
            return Ok(false);
        }
        store.log.append(&carried.lines)?;
        let appended = store.log.sync()?;
        let tick = Tick { changes: &changes, log: appended.end, log_crc: appended.crc, job: None };
        self.own = store.ledger.commit(tick)?.log;
        self.report.records_copied += changes.len() as u64;
        self.report.bytes_copied += carried.lines.len() as u64;
        Ok(true)
    }

    fn adapt(&mut self, took: Duration, portion: Duration) {
        let bytes =
            if took > portion { self.portion_bytes / 2 } else { self.portion_bytes + self.portion_bytes / 4 };
        self.portion_bytes = bytes.clamp(PORTION_BYTES_MIN, PORTION_BYTES_MAX);
    }
}

impl Turn {
    fn begin(store: &Store, target: u32) -> Result<Self, EngineError> {
        let before = end_of_turn(store).min(target);
        let records = store.state.records();
        let segments = segments_of(store).into_iter().map(|(segment, _)| segment);
        let held = HeldSegments::open(&records, segments.filter(|segment| *segment < before))?;
        let lines = LineReader::of_held(&records, held);
        Ok(Self { before, scan: store.reader.scan(), lines, has_ended: false, has_left: false })
    }
}

/// Returns the first segment after those of the next turn.
fn end_of_turn(store: &Store) -> u32 {
    let aim = (store.ledger.log_bytes() / TURN_PART).max(TURN_BYTES);
    let mut taken = 0;
    for (segment, bytes) in segments_of(store) {
        if taken > 0 && taken + bytes > aim {
            return segment;
        }
        taken += bytes;
    }
    u32::MAX
}

/// Returns why the copies of a turn may not fit on the disk if all of its lines are current.
pub(super) fn lacks_room(store: &Store) -> Option<String> {
    let before = end_of_turn(store);
    let of_turn = segments_of(store).into_iter().filter(|(segment, _)| *segment < before);
    let need = of_turn.map(|(_, bytes)| bytes).sum::<u64>() + ROOM_BYTES;
    let records = store.state.records();
    // Where the free space is unknown, the pass goes on: the commit reports a full disk.
    let free = free_bytes(&records).ok().filter(|free| *free < need)?;
    Some(format!(
        "{}: {free} bytes are free on its file system, and compacting takes up to {need}; make room",
        records.display()
    ))
}

/// The lines of one tick.
#[derive(Default)]
struct Carried {
    tick: u64,
    run_start: Option<LogPosition>,
    lines: Vec<u8>,
    /// In the order of their files.
    copies: Vec<LineCopy>,
}

/// One of the lines.
struct LineCopy {
    file: FileKey,
    /// Where the record stood when the walk met it.
    from: LogPosition,
    line: Range<usize>,
}

impl Carried {
    fn take(
        &mut self,
        store: &Store,
        lines: &mut LineReader,
        key: &[u8],
        from: LogPosition,
    ) -> Result<(), EngineError> {
        let line = lines.line_at(from)?;
        let file = FileKey::from_bytes(key);
        let head = RecordHead::parse(line).ok();
        let found = file.zip(head).filter(|(file, head)| head.key(file.root()).as_ref() == Some(file));
        let Some((file, head)) = found else {
            let what = format!("the line at {from} is not the record that the state says");
            return Err(SinkError::Damaged { path: store.state.records(), what }.into());
        };
        let start = self.lines.len();
        push_copy(line, &head, from, self.tick, &mut self.lines);
        self.copies.push(LineCopy { file, from, line: start..self.lines.len() });
        Ok(())
    }

    /// Keeps the lines that are still the records of their files, by the current entries, and returns these entries
    /// with the records where they will stand in a tick that begins at `begin`.
    fn settle(&mut self, begin: LogPosition, current: Vec<Option<Entry>>) -> Vec<(FileKey, Option<Entry>)> {
        let mut changes = Vec::with_capacity(self.copies.len());
        let mut end = 0;
        for (copy, entry) in self.copies.drain(..).zip(current) {
            let of_entry = entry.and_then(|entry| Some((entry, entry.record?)));
            let Some((entry, record)) = of_entry.filter(|(_, record)| record.position == copy.from) else {
                continue;
            };
            let position = LogPosition { offset: begin.offset + end as u64, ..begin };
            let is_earlier = self.run_start.is_some_and(|start| copy.from < start);
            let carried = self.run_start.is_some() && (record.carried || is_earlier);
            let record = RecordRef { position, carried, ..record };
            changes.push((copy.file, Some(Entry { record: Some(record), ..entry })));
            let bytes = copy.line.len();
            if copy.line.start > end {
                self.lines.copy_within(copy.line, end);
            }
            end += bytes;
        }
        self.lines.truncate(end);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RootId;

    #[test]
    fn only_what_is_still_the_record_of_its_file_is_carried_and_the_rest_of_its_entry_is_that_of_now() {
        let file = |name: &str| FileKey::from_relative_path(RootId(1), name.as_bytes()).unwrap();
        let at = |offset| LogPosition { segment: 1, offset };
        let entry = |position| {
            let record = RecordRef { position, epoch: 1, digest: None, failure: None, carried: false };
            Entry { pending: true, attempts: 3, record: Some(record), ..Entry::default() }
        };
        let mut carried = Carried::default();
        for (name, line) in [("a", "1"), ("b", "22"), ("c", "333"), ("d", "4444"), ("e", "55555")] {
            let start = carried.lines.len();
            carried.lines.extend_from_slice(line.as_bytes());
            let line = start..carried.lines.len();
            carried.copies.push(LineCopy { file: file(name), from: at(start as u64), line });
        }
        let begin = LogPosition { segment: 7, offset: 100 };
        let newer = entry(LogPosition { segment: 2, offset: 1 });
        let without = Entry { record: None, ..entry(at(3)) };
        let current = [Some(newer), Some(entry(at(1))), None, Some(without), Some(entry(at(10)))];
        let changes = carried.settle(begin, current.to_vec());
        let moved = |offset| Some(entry(LogPosition { segment: 7, offset }));
        assert_eq!(changes, [(file("b"), moved(100)), (file("e"), moved(102))]);
        assert_eq!(carried.lines, b"2255555");
    }
}
