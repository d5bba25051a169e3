//! What each kind of news does to a file's entry in the ledger: pure functions, no I/O.

use crate::ledger::{Entry, RecordRef, Retry};
use crate::model::{Digest, ErrorClass, Fingerprint, LogPosition};

/// News of one file, on its way to the ledger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A scan saw this version, and it is due.
    Found(Fingerprint),
    /// A scan did not see the file that the ledger holds as this entry.
    Missing(Entry),
    /// A worker is through with the file.
    Ended(Ending),
    /// Somebody wants the file processed again that the ledger holds as this entry.
    Asked(Entry),
}

impl Change {
    /// Whether it says that the file is gone.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Ended(Ending { end: End::Gone, .. }))
    }
}

/// How a worker's attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ending {
    /// The version that was claimed.
    pub claimed: Fingerprint,
    /// What came of it.
    pub end: End,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// A version was read and processed, or failed for good.
    Recorded { fingerprint: Fingerprint, racy: bool, digest: Option<Digest>, failure: Option<ErrorClass> },
    /// The content already has a record: only the fingerprint is news.
    Unchanged { fingerprint: Fingerprint, racy: bool },
    /// The file is gone, or is no regular file any more.
    Gone,
    /// It failed in a way that may pass.
    Again(Retry),
    /// It brought the process down.
    Crashed,
    /// It was not looked at.
    Released,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The entry stays as it was.
    None,
    /// The entry is pending: newly, again or still.
    Pending,
    /// A record is written.
    Recorded,
    /// It failed as it had before; the old record stands.
    FailedAgain,
    /// The content is that of the old record, which stands.
    Unchanged,
    /// A `removed` record is written, and the entry deleted.
    Removed,
    /// The entry, which had no record, is deleted.
    Vanished,
}

/// The place of a file in the counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Pending,
    Ok,
    Failed,
}

impl Counted {
    fn by_failure(failure: Option<ErrorClass>) -> Self {
        if failure.is_none() { Self::Ok } else { Self::Failed }
    }
}

/// What the decision needs beside the entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground {
    /// The present epoch of the file's root.
    pub epoch: u32,
    /// Where this run's records begin.
    pub run_start: LogPosition,
    /// Whether what fails is set aside.
    pub quarantine: bool,
}

impl Ground {
    /// Whether the entry was completed by this run.
    pub(crate) fn is_of_this_run(&self, record: &RecordRef) -> bool {
        !record.carried && record.position >= self.run_start
    }

    /// How this run counts a file with this entry; none where it was done by an earlier run.
    pub(crate) fn counted(&self, entry: &Entry) -> Option<Counted> {
        if entry.pending {
            return Some(Counted::Pending);
        }
        let record = entry.record.as_ref().filter(|record| self.is_of_this_run(record))?;
        Some(Counted::by_failure(record.failure))
    }

    /// Whether nothing is to be done for a file that is seen with this fingerprint.
    pub(crate) fn is_current(&self, entry: &Entry, seen: &Fingerprint) -> bool {
        let Some(record) = &entry.record else { return false };
        if entry.pending || entry.fingerprint != *seen {
            return false;
        }
        if entry.quarantined {
            return true;
        }
        if record.epoch != self.epoch {
            return false;
        }
        self.is_of_this_run(record)
            || (!entry.recheck && !record.failure.is_some_and(ErrorClass::is_environmental))
    }
}

/// Applies one change to an entry, at a position that its record would take.
pub(crate) fn apply(
    old: Option<Entry>,
    change: &Change,
    ground: Ground,
    position: LogPosition,
) -> (Option<Entry>, Effect) {
    match change {
        Change::Found(seen) => found(old, *seen, ground),
        Change::Missing(observed) if is_as(old.as_ref(), observed) => gone(old),
        Change::Asked(observed) => match old {
            Some(entry) if is_as(Some(&entry), observed) => asked(entry),
            _ => (old, Effect::None),
        },
        Change::Missing(_) => (old, Effect::None),
        Change::Ended(ending) => ended(old, ending, ground, position),
    }
}

/// Whether an entry is as it was observed; its record's line may have been carried forward meanwhile.
fn is_as(entry: Option<&Entry>, observed: &Entry) -> bool {
    let here = |entry: &Entry| {
        let placed = |record| RecordRef { position: LogPosition::START, carried: false, ..record };
        let record = entry.record.map(placed);
        Entry { record, ..*entry }
    };
    entry.map(here) == Some(here(observed))
}

fn found(old: Option<Entry>, seen: Fingerprint, ground: Ground) -> (Option<Entry>, Effect) {
    match old {
        Some(entry) if ground.is_current(&entry, &seen) => (Some(entry), Effect::None),
        Some(entry) if entry.pending && entry.fingerprint == seen => (Some(entry), Effect::None),
        Some(entry) => {
            let recheck = !entry.pending && entry.fingerprint == seen;
            let fresh = Entry { pending: true, recheck, fingerprint: seen, ..Entry::default() };
            (Some(Entry { record: entry.record, ..fresh }), Effect::Pending)
        }
        None => (Some(Entry { pending: true, fingerprint: seen, ..Entry::default() }), Effect::Pending),
    }
}

/// Makes a file due at once, as if it had never been tried. The record of no epoch is one that is not taken
/// for the present content's.
fn asked(entry: Entry) -> (Option<Entry>, Effect) {
    let record = entry.record.map(|record| RecordRef { epoch: 0, ..record });
    let due = Entry { pending: true, fingerprint: entry.fingerprint, record, ..Entry::default() };
    if due == entry { (Some(entry), Effect::None) } else { (Some(due), Effect::Pending) }
}

fn gone(old: Option<Entry>) -> (Option<Entry>, Effect) {
    match old {
        Some(entry) if entry.record.is_some() => (None, Effect::Removed),
        Some(_) => (None, Effect::Vanished),
        None => (None, Effect::None),
    }
}

fn ended(
    old: Option<Entry>,
    ending: &Ending,
    ground: Ground,
    position: LogPosition,
) -> (Option<Entry>, Effect) {
    // Only a pending entry was claimed: anything else means that the attempt is out of date.
    let Some(entry) = old.filter(|entry| entry.pending) else { return (old, Effect::None) };
    match ending.end {
        End::Released => (Some(entry), Effect::None),
        End::Again(retry) => {
            let attempts = entry.attempts.saturating_add(1);
            (Some(Entry { attempts, retry: Some(retry), ..entry }), Effect::Pending)
        }
        End::Crashed => {
            let crashes = entry.crashes.saturating_add(1);
            (Some(Entry { crashes, ..entry }), Effect::Pending)
        }
        End::Gone => gone(Some(entry)),
        End::Unchanged { fingerprint, racy } => {
            let done = settle(entry, ending.claimed, fingerprint, racy);
            let effect = if done.pending { Effect::Pending } else { Effect::Unchanged };
            (Some(done), effect)
        }
        End::Recorded { fingerprint, racy, digest, failure } => {
            let settled = settle(entry, ending.claimed, fingerprint, racy);
            if let (Some(record), Some(_)) = (&entry.record, failure)
                && record.digest == digest
                && record.failure == failure
                && record.epoch == ground.epoch
                && entry.recheck
            {
                return (Some(settled), Effect::FailedAgain);
            }
            let record = RecordRef { position, epoch: ground.epoch, digest, failure, carried: false };
            let quarantined = !settled.pending && failure.is_some() && ground.quarantine;
            (Some(Entry { record: Some(record), quarantined, ..settled }), Effect::Recorded)
        }
    }
}

/// The entry after the version `read` was dealt with: done, unless a scan meanwhile saw a version
/// that is neither the claimed nor the one that was read.
fn settle(entry: Entry, claimed: Fingerprint, read: Fingerprint, racy: bool) -> Entry {
    if entry.fingerprint != claimed && entry.fingerprint != read {
        return entry;
    }
    Entry { recheck: racy, fingerprint: read, record: entry.record, ..Entry::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    const GROUND: Ground =
        Ground { epoch: 1, run_start: LogPosition { segment: 1, offset: 100 }, quarantine: false };
    const RETRY: Retry = Retry { class: ErrorClass::IoTransient, at: Timestamp(99) };
    const HERE: LogPosition = LogPosition { segment: 1, offset: 500 };

    fn version(n: u64) -> Fingerprint {
        Fingerprint { size: n, mtime: Timestamp(7), ctime: Timestamp(8), inode: 9 }
    }

    fn record(offset: u64, failure: Option<ErrorClass>) -> RecordRef {
        let position = LogPosition { segment: 1, offset };
        RecordRef { position, epoch: 1, digest: Some(Digest([3; 16])), failure, carried: false }
    }

    fn done(offset: u64) -> Entry {
        let record = Some(record(offset, None));
        Entry { fingerprint: version(1), record, ..Entry::default() }
    }

    fn pending(n: u64, record: Option<RecordRef>) -> Entry {
        Entry { pending: true, fingerprint: version(n), record, ..Entry::default() }
    }

    fn recorded(claimed: u64, read: u64) -> Change {
        let fingerprint = version(read);
        let end = End::Recorded { fingerprint, racy: false, digest: Some(Digest([4; 16])), failure: None };
        Change::Ended(Ending { claimed: version(claimed), end })
    }

    fn outcome(old: Option<Entry>, change: &Change) -> (Option<Entry>, Effect) {
        apply(old, change, GROUND, HERE)
    }

    #[test]
    fn a_new_file_becomes_pending_and_then_done() {
        let (entry, effect) = outcome(None, &Change::Found(version(1)));
        assert_eq!((entry.as_ref(), effect), (Some(&pending(1, None)), Effect::Pending));
        let (entry, effect) = outcome(entry, &recorded(1, 1));
        let entry = entry.unwrap();
        assert_eq!((entry.pending, effect), (false, Effect::Recorded));
        assert_eq!(entry.record.unwrap().position, HERE);
        assert_eq!(outcome(Some(entry), &Change::Found(version(1))), (Some(entry), Effect::None));
    }

    #[test]
    fn an_attempt_that_comes_late_writes_nothing() {
        assert_eq!(outcome(Some(done(200)), &recorded(1, 1)), (Some(done(200)), Effect::None));
        assert_eq!(outcome(None, &recorded(1, 1)), (None, Effect::None));
    }

    #[test]
    fn a_version_seen_while_another_was_read_stays_pending() {
        let (entry, effect) = outcome(Some(pending(2, None)), &recorded(1, 1));
        assert_eq!(effect, Effect::Recorded);
        let entry = entry.unwrap();
        assert!(entry.pending && entry.fingerprint == version(2) && entry.record.is_some());
        let (entry, _) = outcome(Some(pending(2, None)), &recorded(1, 2));
        assert!(!entry.unwrap().pending, "the version that was read is the one that was seen");
    }

    #[test]
    fn a_file_that_changes_again_is_counted_as_pending_again() {
        assert_eq!(GROUND.counted(&done(50)), None, "an earlier run's");
        assert_eq!(GROUND.counted(&done(200)), Some(Counted::Ok));
        let (entry, effect) = outcome(Some(done(200)), &Change::Found(version(2)));
        let entry = entry.unwrap();
        assert_eq!((GROUND.counted(&entry), effect), (Some(Counted::Pending), Effect::Pending));
        assert!(entry.record.is_some(), "the former record is still known");
    }

    #[test]
    fn a_file_is_removed_only_as_it_was_observed() {
        let gone = Change::Missing(done(50));
        assert_eq!(outcome(Some(done(50)), &gone), (None, Effect::Removed));
        let again = Entry { fingerprint: version(2), ..done(200) };
        assert_eq!(outcome(Some(again), &gone), (Some(again), Effect::None));
        assert_eq!(outcome(Some(pending(1, None)), &Change::Missing(pending(1, None))).1, Effect::Vanished);
    }

    #[test]
    fn a_record_that_is_carried_forward_stays_what_it_was() {
        let carried = |offset| {
            let record = RecordRef { carried: true, ..record(offset, None) };
            Entry { record: Some(record), ..done(offset) }
        };
        assert_eq!(GROUND.counted(&carried(200)), None, "it is an earlier run's, wherever its line stands");
        assert_eq!(outcome(Some(carried(200)), &Change::Missing(done(50))), (None, Effect::Removed));
        let (entry, effect) = outcome(Some(carried(200)), &Change::Asked(done(50)));
        assert_eq!(effect, Effect::Pending);
        assert_eq!(entry.unwrap().record.unwrap().position.offset, 200, "the line is where it is now");
    }

    #[test]
    fn failing_again_for_the_same_reason_writes_no_second_record() {
        let failure = Some(ErrorClass::IoPermanent);
        let unread = RecordRef { digest: None, ..record(50, failure) };
        let failed = Entry { record: Some(unread), ..done(50) };
        let (entry, _) = outcome(Some(failed), &Change::Found(version(1)));
        let entry = entry.unwrap();
        assert!(entry.pending && entry.recheck, "the surroundings may have changed");
        let end = End::Recorded { fingerprint: version(1), racy: false, digest: None, failure };
        let again = Change::Ended(Ending { claimed: version(1), end });
        let (entry, effect) = outcome(Some(entry), &again);
        assert_eq!(effect, Effect::FailedAgain);
        assert_eq!(entry.unwrap().record, Some(unread));
    }

    #[test]
    fn another_epoch_or_a_racy_entry_is_due() {
        let other = Ground { epoch: 2, ..GROUND };
        assert!(GROUND.is_current(&done(50), &version(1)));
        assert!(!other.is_current(&done(50), &version(1)));
        let racy = Entry { recheck: true, ..done(50) };
        assert!(!GROUND.is_current(&racy, &version(1)));
        let just_now = Entry { recheck: true, ..done(200) };
        assert!(GROUND.is_current(&just_now, &version(1)), "not twice in one run");
    }

    #[test]
    fn a_failure_that_may_pass_counts_an_attempt() {
        let again = Change::Ended(Ending { claimed: version(1), end: End::Again(RETRY) });
        let (entry, effect) = outcome(Some(pending(1, None)), &again);
        let entry = entry.unwrap();
        assert_eq!((entry.attempts, entry.retry, effect), (1, Some(RETRY), Effect::Pending));
        let (changed, _) = outcome(Some(entry), &Change::Found(version(2)));
        assert_eq!(changed, Some(pending(2, None)), "another version begins anew");
        let released = Change::Ended(Ending { claimed: version(1), end: End::Released });
        assert_eq!(outcome(Some(pending(1, None)), &released).0, Some(pending(1, None)));
    }

    #[test]
    fn a_crash_is_counted_apart_from_attempts() {
        let crashed = Change::Ended(Ending { claimed: version(1), end: End::Crashed });
        let entry = outcome(Some(pending(1, None)), &crashed).0.unwrap();
        assert_eq!((entry.pending, entry.attempts, entry.crashes), (true, 0, 1));
    }

    #[test]
    fn what_is_set_aside_waits_for_new_content_or_for_somebody_who_asks() {
        let ground = Ground { quarantine: true, ..GROUND };
        let failure = Some(ErrorClass::Timeout);
        let end = End::Recorded { fingerprint: version(1), racy: false, digest: None, failure };
        let failed = Change::Ended(Ending { claimed: version(1), end });
        let entry = apply(Some(pending(1, None)), &failed, ground, HERE).0.unwrap();
        assert!(entry.quarantined);
        let later = Ground { epoch: 2, run_start: LogPosition { segment: 2, offset: 0 }, quarantine: false };
        assert!(later.is_current(&entry, &version(1)), "neither a new processor nor a new run");
        assert!(!later.is_current(&entry, &version(2)));
        let (due, effect) = apply(Some(entry), &Change::Asked(entry), later, HERE);
        let due = due.unwrap();
        assert_eq!((due.pending, due.quarantined, effect), (true, false, Effect::Pending));
        assert_eq!(due.record.unwrap().epoch, 0, "the old record is not taken for the content's");
        assert_eq!(apply(Some(due), &Change::Asked(entry), later, HERE), (Some(due), Effect::None));
    }
}
