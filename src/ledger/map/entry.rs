//! What the ledger knows of one file.

use std::ops::{AddAssign, SubAssign};
use std::time::Duration;

use bincode::{Decode, Encode};

use crate::model::{Digest, ErrorClass, Fingerprint, LogPosition, RecordStatus, Timestamp};

/// What is known of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// Whether the file is due. An entry that is not has a record.
    pub pending: bool,
    /// Whether the content decides, not the fingerprint: the next scan makes the file due because a later write could
    /// have left its fingerprint unchanged, or it is due although this version has a record.
    pub recheck: bool,
    /// Attempts at this version that failed with an error that may pass.
    pub attempts: u16,
    /// The last of these, and when the next one is due; `None` where the file is due at once.
    pub retry: Option<Retry>,
    /// How often this version brought the process down.
    pub crashes: u8,
    /// Whether it failed, and is not due again before its content changes, whatever the class of its failure.
    pub quarantined: bool,
    /// The version: as last seen when pending, as processed otherwise.
    pub fingerprint: Fingerprint,
    /// The last record of the file, of this version or an earlier one.
    pub record: Option<RecordRef>,
}

/// Another attempt at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Class of the failure before.
    pub class: ErrorClass,
    /// When it is due.
    pub at: Timestamp,
}

impl Retry {
    /// Returns when it is due, where retries of its class are delayed by at most `longest`: a time further away was
    /// recorded while the clock was ahead, and is due now.
    pub fn due(&self, now: Timestamp, longest: Duration) -> Timestamp {
        let longest_ns = i64::try_from(longest.as_nanos()).unwrap_or(i64::MAX);
        if self.at.0.saturating_sub(now.0) > longest_ns { now } else { self.at }
    }
}

/// Position and summary of a file's last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef {
    /// Start of its line in the record log.
    pub position: LogPosition,
    /// Epoch of the root at that time.
    pub epoch: u32,
    /// Digest of the content, where it was read.
    pub digest: Option<Digest>,
    /// Class of the failure; `None` for a file that was processed.
    pub failure: Option<ErrorClass>,
    /// Whether the line is a copy that a run has made of an earlier run's: its position does not show when the file
    /// was processed.
    pub carried: bool,
}

/// State of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// Due.
    Pending,
    /// Processed.
    Ok,
    /// Failed, and not due again at this version.
    Failed(ErrorClass),
}

impl RecordRef {
    /// Returns the record's status.
    pub fn status(&self) -> RecordStatus {
        if self.failure.is_none() { RecordStatus::Ok } else { RecordStatus::Failed }
    }
}

impl Entry {
    /// Returns the file's state.
    pub fn state(&self) -> EntryState {
        match self.record {
            Some(record) if !self.pending => record.failure.map_or(EntryState::Ok, EntryState::Failed),
            _ => EntryState::Pending,
        }
    }
}

/// Files and bytes by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Counts {
    /// Files that are due.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Files that were processed.
    pub ok: u64,
    /// Files that failed.
    pub failed: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Counts {
    /// Returns the number of all files.
    pub fn files(&self) -> u64 {
        self.pending + self.ok + self.failed
    }

    fn of(entry: &Entry) -> Self {
        let size = entry.fingerprint.size;
        let state = entry.state();
        let pending = state == EntryState::Pending;
        Self {
            pending: u64::from(pending),
            pending_bytes: if pending { size } else { 0 },
            ok: u64::from(state == EntryState::Ok),
            failed: u64::from(matches!(state, EntryState::Failed(_))),
            bytes: size,
        }
    }

    pub(crate) fn add(&mut self, entry: &Entry) {
        *self += Self::of(entry);
    }

    pub(super) fn subtract(&mut self, entry: &Entry) {
        *self -= Self::of(entry);
    }
}

// Sums of sizes wrap: a file system may report any size, and subtracting undoes an addition.
impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.pending = self.pending.wrapping_add(other.pending);
        self.pending_bytes = self.pending_bytes.wrapping_add(other.pending_bytes);
        self.ok = self.ok.wrapping_add(other.ok);
        self.failed = self.failed.wrapping_add(other.failed);
        self.bytes = self.bytes.wrapping_add(other.bytes);
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Self) {
        self.pending = self.pending.wrapping_sub(other.pending);
        self.pending_bytes = self.pending_bytes.wrapping_sub(other.pending_bytes);
        self.ok = self.ok.wrapping_sub(other.ok);
        self.failed = self.failed.wrapping_sub(other.failed);
        self.bytes = self.bytes.wrapping_sub(other.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_that_was_noted_while_the_clock_was_ahead_is_due() {
        let now = Timestamp::from_parts(1_000, 0);
        let longest = Duration::from_secs(30);
        let due = |seconds| {
            let at = Timestamp::from_parts(seconds, 0);
            Retry { class: ErrorClass::Timeout, at }.due(now, longest).0 / 1_000_000_000
        };
        assert_eq!([due(900), due(1_030), due(1_031), due(9_000_000_000)], [900, 1_030, 1_000, 1_000]);
    }

    #[test]
    fn the_state_follows_from_the_record_and_the_pending_mark() {
        let record =
            RecordRef { position: LogPosition::START, epoch: 1, digest: None, failure: None, carried: false };
        let failed = RecordRef { failure: Some(ErrorClass::Parse), ..record };
        let state = |pending, record| Entry { pending, record, ..Entry::default() }.state();
        assert_eq!(state(false, Some(record)), EntryState::Ok);
        assert_eq!(state(false, Some(failed)), EntryState::Failed(ErrorClass::Parse));
        assert_eq!(state(true, Some(failed)), EntryState::Pending);
        assert_eq!(state(true, None), EntryState::Pending);
    }
}
