//! The beginning of the record log: its oldest segments are removed when nothing in them is of use any more.
//!
//! Three steps, in this order; a crash may follow each. The ledger records that the log begins later: from now on the
//! segments before are leftovers, removed whenever the log is opened. They are removed. The witness forgets them:
//! what it still says of them is ignored.

use super::{Ledger, encoded};
use crate::ledger::database::Changes;
use crate::ledger::error::LedgerError;
use crate::ledger::log_range::LogRange;
use crate::ledger::map::meta::LOG_START_KEY;
use crate::model::{LogPosition, LogStart};

impl Ledger {
    /// Returns where the record log begins.
    pub fn log_start(&self) -> LogStart {
        self.log_start
    }

    /// Returns the committed part of the record log, oldest first: ranges of about 1 MiB, each of one segment.
    pub fn log_ranges(&self) -> Vec<LogRange> {
        let mut ranges = self.witness.log_ranges();
        ranges.retain(|range| range.segment >= self.log_start.segment);
        ranges
    }

    /// Returns the length of the committed part of the record log, in bytes.
    pub fn log_bytes(&self) -> u64 {
        self.witness.log_bytes()
    }

    /// Makes the record log begin with this segment, durably. The caller ensures that no entry's record is before it.
    /// `is_compact` says that the log now holds only the latest record of each path.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] where the log has not reached the segment; or as for [`Ledger::commit`].
    pub fn begin_log_at(&mut self, segment: u32, is_compact: bool) -> Result<LogStart, LedgerError> {
        let cursor = self.tick.cursor.log;
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        if segment > cursor.segment || segment < self.log_start.segment {
            return Err(LedgerError::Invalid("the record log can't begin there"));
        }
        let before = self.log_ranges().into_iter().rfind(|range| range.segment < segment);
        let dropped_to = before.map(|range| LogPosition { segment: range.segment, offset: range.to });
        let start = LogStart {
            segment,
            dropped_to: dropped_to.or(self.log_start.dropped_to),
            compact_at: is_compact.then_some(cursor),
        };
        self.guarded(|ledger| {
            let store = &ledger.reader.store;
            let value = encoded(store, LOG_START_KEY, &start)?;
            let meta = Changes::from([(LOG_START_KEY.to_vec(), Some(value))]);
            store.apply(Default::default(), Changes::new(), meta)
        })?;
        self.log_start = start;
        self.publish();
        Ok(start)
    }

    /// Returns whether [`Ledger::forget_dropped_log`] has something to do.
    pub fn has_dropped_log(&self) -> bool {
        self.witness.first_segment().is_some_and(|segment| segment < self.log_start.segment)
    }

    /// Makes the witness forget the segments before the log's first one, once they are removed.
    ///
    /// # Errors
    /// As for [`Ledger::commit`].
    pub fn forget_dropped_log(&mut self) -> Result<(), LedgerError> {
        self.guarded(|ledger| {
            ledger.witness.forget_before(ledger.log_start.segment);
            ledger.witness.tidy()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tick;
    use super::*;
    use crate::ledger::folder::StateFolder;

    fn append(ledger: &mut Ledger, segment: u32, bytes: u64) {
        let before = ledger.cursor().log;
        let from = if segment == before.segment { before.offset } else { 0 };
        let log = LogPosition { segment, offset: from + bytes };
        ledger.commit(Tick { changes: &[], log, log_crc: 7, job: None }).unwrap();
    }

    #[test]
    fn what_the_log_has_dropped_is_forgotten_and_where_it_begins_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = StateFolder::create(&path, "records".as_ref()).unwrap();
        let mut ledger = Ledger::open(&state).unwrap();
        for (segment, bytes) in [(1, 10), (1, 5), (2, 20), (3, 7)] {
            append(&mut ledger, segment, bytes);
        }
        assert_eq!((ledger.log_start(), ledger.log_bytes()), (LogStart::default(), 42));
        assert!(ledger.begin_log_at(4, false).is_err(), "the log has not come so far");
        let start = ledger.begin_log_at(3, true).unwrap();
        let end = LogPosition { segment: 2, offset: 20 };
        assert_eq!(start.go_on_from(end), Some(LogPosition { segment: 3, offset: 0 }));
        assert_eq!(start.go_on_from(LogPosition { segment: 2, offset: 19 }), None);
        assert_eq!(start.compact_at, Some(ledger.cursor().log));
        assert!(ledger.begin_log_at(2, false).is_err(), "it never goes back");
        assert!(ledger.has_dropped_log());
        for is_forgotten in [false, true] {
            if is_forgotten {
                ledger.forget_dropped_log().unwrap();
            }
            assert_eq!(ledger.has_dropped_log(), ledger.log_bytes() > 7);
            drop(ledger);
            ledger = Ledger::open(&state).unwrap();
            assert_eq!(ledger.reader().log().0, start);
            let ranges: Vec<_> = ledger.log_ranges().iter().map(|range| range.segment).collect();
            assert_eq!((ranges, ledger.log_bytes()), (vec![3], 7));
        }
        append(&mut ledger, 3, 1);
        assert_eq!(ledger.log_bytes(), 8);
    }
}
