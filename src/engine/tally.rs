//! The counts of a run.

use std::collections::BTreeMap;

use super::change::{Counted, Effect};

/// What a scan counted besides the changes that it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ScanCounts {
    /// Entries seen that the ledger did not hold as pending.
    pub discovered: u64,
    /// Files that are done, as they are.
    pub unchanged: u64,
    /// Of those, files whose last outcome is a failure.
    pub failed_earlier: u64,
    /// Entries that are never opened, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Folders that could not be listed.
    pub unreadable_folders: u64,
}

/// Counts of a run, moved along with each committed change, so that at any time
/// discovered = ok + failed + unchanged + pending + skipped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub discovered: u64,
    pub ok: u64,
    pub failed: u64,
    pub unchanged: u64,
    pub failed_earlier: u64,
    pub removed: u64,
    pub skipped: BTreeMap<&'static str, u64>,
    pub unreadable_folders: u64,
}

/// Reason for a file that was pending and gone before it was read.
const VANISHED: &str = "vanished";

impl Tally {
    /// Adds what a scan counted.
    pub(crate) fn add(&mut self, counts: ScanCounts) {
        self.discovered += counts.discovered;
        self.unchanged += counts.unchanged;
        self.failed_earlier += counts.failed_earlier;
        self.unreadable_folders += counts.unreadable_folders;
        for (reason, count) in counts.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// Moves a file from one place to another.
    pub(crate) fn note(&mut self, before: Option<Counted>, after: Option<Counted>, effect: Effect) {
        match before {
            Some(Counted::Ok) => self.ok = self.ok.saturating_sub(1),
            Some(Counted::Failed) => self.failed = self.failed.saturating_sub(1),
            Some(Counted::Pending) | None => {}
        }
        match after {
            Some(Counted::Ok) => self.ok += 1,
            Some(Counted::Failed) => self.failed += 1,
            Some(Counted::Pending) | None => {}
        }
        match effect {
            Effect::Unchanged if after.is_none() => self.unchanged += 1,
            Effect::FailedAgain if after.is_none() => self.failed += 1,
            Effect::Removed | Effect::Vanished => {
                self.removed += u64::from(effect == Effect::Removed);
                if before.is_some() {
                    *self.skipped.entry(VANISHED).or_default() += 1;
                }
            }
            Effect::None | Effect::Pending | Effect::Recorded | Effect::Unchanged | Effect::FailedAgain => {}
        }
    }
}
