//! Whether anything in the record log is out of date.

use std::time::Instant;

use crate::engine::error::EngineError;
use crate::engine::store::Store;
use crate::ledger::Scan;
use crate::model::LogPosition;
use crate::sink::LogReader;

/// A count under way: of the entries' records, then of the log's lines until there are more of these. What is
/// recorded meanwhile lies after the end, and only makes more of the earlier lines out of date.
pub(crate) struct Count {
    scan: Scan,
    records: u64,
    /// None until all records are counted.
    log: Option<LogReader>,
    lines: u64,
    end: LogPosition,
}

impl Count {
    pub(super) fn new(store: &Store) -> Self {
        let end = store.ledger.cursor().log;
        Self { scan: store.reader.scan(), records: 0, log: None, lines: 0, end }
    }

    /// Counts until a deadline. Returns whether some line is not its path's latest record, once that is known.
    pub(super) fn step(&mut self, store: &Store, until: Instant) -> Result<Option<bool>, EngineError> {
        // Others have committed since the portion before.
        self.scan.refresh();
        loop {
            match &mut self.log {
                None => self.count_entry(store)?,
                Some(log) => match log.next_line()? {
                    None => return Ok(Some(false)),
                    Some(_) if self.lines == self.records => return Ok(Some(true)),
                    Some(_) => self.lines += 1,
                },
            }
            if Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// Counts the record of the next entry; after the last one, turns to the log.
    fn count_entry(&mut self, store: &Store) -> Result<(), EngineError> {
        match self.scan.peek()? {
            Some((_, entry)) => {
                let is_before = |position| position < self.end;
                self.records += u64::from(entry.record.is_some_and(|record| is_before(record.position)));
                self.scan.advance();
            }
            None => {
                let from = LogPosition { segment: store.ledger.log_start().segment, offset: 0 };
                self.log = Some(LogReader::new(store.state.records(), from, self.end)?);
            }
        }
        Ok(())
    }
}
