//! The counts of a run.

use std::collections::BTreeMap;

use super::transition::{Counted, Effect, Reported};

/// What a scan counted besides the changes that it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ScanCounts {
    /// Entries seen that are not due: done already, or never opened.
    pub discovered: u64,
    /// Files that are done, as they are.
    pub unchanged: u64,
    /// Of those, files whose last outcome is a failure.
    pub failed_earlier: u64,
    /// Of those, failures that no completed run has reported.
    pub unreported: u64,
    /// Entries that are never opened, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Folders that could not be listed.
    pub unreadable_folders: u64,
}

/// Counts of a run, moved along with each committed change, so that at any time
/// discovered = ok + failed + unchanged + pending + skipped.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunCounts {
    pub discovered: u64,
    pub ok: u64,
    pub failed: u64,
    /// Of those, failures that an earlier run reported, of unchanged files.
    pub failed_again: u64,
    pub unchanged: u64,
    pub failed_earlier: u64,
    /// Of those, failures that no completed run has reported.
    pub unreported: u64,
    pub removed: u64,
    pub skipped: BTreeMap<&'static str, u64>,
    pub unreadable_folders: u64,
}

/// Reason for a file that was pending and vanished before it was read.
const VANISHED: &str = "vanished";

impl RunCounts {
    /// Adds what a scan counted.
    pub(crate) fn add(&mut self, counts: ScanCounts) {
        self.discovered += counts.discovered;
        self.unchanged += counts.unchanged;
        self.failed_earlier += counts.failed_earlier;
        self.unreported += counts.unreported;
        self.unreadable_folders += counts.unreadable_folders;
        for (reason, count) in counts.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// Returns how many failures an earlier run reported, of files that are unchanged since.
    pub(crate) fn known_failures(&self) -> u64 {
        self.failed_again + self.failed_earlier - self.unreported
    }

    /// Returns how many failures this run is the first to report.
    pub(crate) fn new_failures(&self) -> u64 {
        self.failed - self.failed_again + self.unreported
    }

    /// Moves a file from one count to another; `failure` is what the change leaves it with. A file that is pending
    /// and was not counted before in this run was discovered.
    pub(crate) fn note(
        &mut self,
        before: Option<Counted>,
        after: Option<Counted>,
        effect: Effect,
        failure: Option<Reported>,
    ) {
        if effect == Effect::None {
            return;
        }
        // What no scan has counted can't have been counted as unchanged.
        let before = before.filter(|place| self.holds(*place));
        self.discovered += u64::from(before.is_none() && after == Some(Counted::Pending));
        self.leave(before);
        let fails_again = u64::from(failure == Some(Reported::Earlier));
        self.enter(after, fails_again);
        match effect {
            Effect::Unchanged if after.is_none() => {
                self.unchanged += 1;
                self.failed_earlier += u64::from(failure.is_some());
                self.unreported += u64::from(failure == Some(Reported::Now));
            }
            Effect::FailedAgain if after.is_none() => {
                self.failed += 1;
                self.failed_again += fails_again;
            }
            Effect::Removed | Effect::Vanished => {
                self.removed += u64::from(effect == Effect::Removed);
                if before.is_some() {
                    *self.skipped.entry(VANISHED).or_default() += 1;
                }
            }
            // Rules leave it out, and files left out are not discovered.
            Effect::Hidden if after.is_none() => self.discovered -= u64::from(before.is_some()),
            Effect::Hidden
            | Effect::None
            | Effect::Pending
            | Effect::Recorded
            | Effect::Unchanged
            | Effect::FailedAgain => {}
        }
        // The entry of a file that failed again in this run does not say so: where it moves on, it counts as new.
        self.failed_again = self.failed_again.min(self.failed);
        self.unreported = self.unreported.min(self.failed_earlier);
    }

    /// Adds a file to its count.
    fn enter(&mut self, place: Option<Counted>, fails_again: u64) {
        match place {
            Some(Counted::Ok) => self.ok += 1,
            Some(Counted::Failed(_)) => {
                self.failed += 1;
                self.failed_again += fails_again;
            }
            Some(Counted::Pending | Counted::Unchanged(_)) | None => {}
        }
    }

    /// Takes a file out of its count.
    fn leave(&mut self, place: Option<Counted>) {
        match place {
            Some(Counted::Ok) => self.ok -= 1,
            Some(Counted::Failed(reported)) => {
                self.failed -= 1;
                self.failed_again =
                    self.failed_again.saturating_sub(u64::from(reported == Reported::Earlier));
            }
            Some(Counted::Unchanged(failure)) => {
                self.unchanged -= 1;
                self.failed_earlier = self.failed_earlier.saturating_sub(u64::from(failure.is_some()));
                self.unreported = self.unreported.saturating_sub(u64::from(failure == Some(Reported::Now)));
            }
            Some(Counted::Pending) | None => {}
        }
    }

    /// Returns whether any file is counted there.
    fn holds(&self, place: Counted) -> bool {
        match place {
            Counted::Pending => true,
            Counted::Ok => self.ok > 0,
            Counted::Failed(_) => self.failed > 0,
            Counted::Unchanged(_) => self.unchanged > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn sum(counts: &RunCounts, pending: u64) -> u64 {
        counts.ok + counts.failed + counts.unchanged + pending + counts.skipped.values().sum::<u64>()
    }

    #[test]
    fn a_file_is_in_one_place_however_it_moves() {
        use Counted::{Failed, Ok, Pending};
        let new = Some(Reported::Now);
        let mut counts = RunCounts::default();
        counts.note(None, Some(Pending), Effect::Pending, None);
        assert_eq!((counts.discovered, sum(&counts, 1)), (1, 1));
        counts.note(Some(Pending), Some(Ok), Effect::Recorded, None);
        assert_eq!((counts.discovered, counts.ok, sum(&counts, 0)), (1, 1, 1));
        counts.note(Some(Ok), Some(Pending), Effect::Pending, None);
        counts.note(Some(Pending), Some(Failed(Reported::Now)), Effect::Recorded, new);
        assert_eq!((counts.discovered, counts.ok, counts.failed), (1, 0, 1));
        counts.note(Some(Failed(Reported::Now)), None, Effect::Removed, None);
        assert_eq!((counts.discovered, counts.removed, sum(&counts, 0)), (1, 1, 1));
    }

    #[test]
    fn a_file_that_was_unchanged_and_is_due_after_all_is_not_counted_twice() {
        let before = Some(Counted::Unchanged(Some(Reported::Earlier)));
        let scanned = RunCounts { discovered: 1, unchanged: 1, failed_earlier: 1, ..RunCounts::default() };
        let mut counts = scanned.clone();
        counts.note(before, Some(Counted::Pending), Effect::Pending, None);
        assert_eq!((counts.discovered, counts.failed_earlier, sum(&counts, 1)), (1, 0, 1));
        // Only touched: it stays the same, again and again.
        for _ in 0..3 {
            counts.note(Some(Counted::Pending), None, Effect::Unchanged, None);
            assert_eq!((counts.discovered, counts.unchanged, sum(&counts, 0)), (1, 1, 1));
            counts.note(before, Some(Counted::Pending), Effect::Pending, None);
            assert_eq!((counts.discovered, counts.unchanged, sum(&counts, 1)), (1, 0, 1));
        }
        let mut counts = scanned;
        counts.note(before, None, Effect::Removed, None);
        assert_eq!((counts.discovered, counts.unchanged, counts.removed, sum(&counts, 0)), (1, 0, 1, 1));
    }

    #[test]
    fn a_file_that_no_scan_has_counted_is_discovered_when_it_is_due() {
        let mut counts = RunCounts::default();
        counts.note(Some(Counted::Unchanged(None)), Some(Counted::Pending), Effect::Pending, None);
        assert_eq!((counts.discovered, counts.unchanged, sum(&counts, 1)), (1, 0, 1));
    }

    #[test]
    fn a_failure_that_stands_after_a_second_look_is_told() {
        let mut counts = RunCounts::default();
        counts.note(Some(Counted::Pending), None, Effect::Unchanged, Some(Reported::Earlier));
        assert_eq!((counts.unchanged, counts.failed_earlier, counts.known_failures()), (1, 1, 1));
    }
}
