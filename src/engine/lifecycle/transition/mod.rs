//! How each kind of event changes a file's entry in the ledger: pure functions, no I/O.

#[cfg(test)]
mod tests;

use crate::ledger::{Entry, RecordRef, Retry};
use crate::model::{Digest, ErrorClass, Fingerprint, LogPosition};

/// An event of one file, on its way to the ledger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FileEvent {
    /// A scan saw this version, and it is due.
    Found(Fingerprint),
    /// Something wrote this version a moment ago: it is due even where a record of this run has its times.
    Touched(Fingerprint),
    /// A scan did not see the file that the ledger holds as this entry.
    Missing(Entry),
    /// A rule leaves the file out that the ledger holds as this pending entry.
    Hidden(Entry),
    /// A worker has finished with the file.
    Ended(Attempted),
    /// A client requested to process the file again that the ledger holds as this entry.
    Asked(Entry),
    /// Its record is to end, whether the file exists or not.
    Forgotten,
}

impl FileEvent {
    /// Returns whether it says that the file is gone.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Ended(Attempted { end: AttemptOutcome::Gone, .. }))
    }

    /// Returns whether a worker has read or processed the file for it.
    pub(crate) fn was_attempted(&self) -> bool {
        !matches!(self, Self::Ended(attempted) if !attempted.end.was_attempted())
    }

    /// Returns whether an attempt failed for good.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Ended(Attempted { end: AttemptOutcome::Recorded { failure: Some(_), .. }, .. }))
    }
}

/// How a worker's attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attempted {
    /// The version that was claimed.
    pub claimed: Fingerprint,
    /// The outcome.
    pub end: AttemptOutcome,
    /// Whether a watcher reported since the claim what may be newer than the version that was read. The entry may not
    /// show it: a scan can have listed the file before, and be applied after.
    pub outdated: bool,
}

/// Outcome of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AttemptOutcome {
    /// A version was read and processed, or failed for good.
    Recorded { fingerprint: Fingerprint, racy: bool, digest: Option<Digest>, failure: Option<ErrorClass> },
    /// The content already has a record: only the fingerprint has changed.
    Unchanged { fingerprint: Fingerprint, racy: bool },
    /// The file is gone, or is no regular file any more.
    Gone,
    /// A rule leaves it out by now: it was not read.
    Hidden,
    /// It failed with an error that may pass.
    Again(Retry),
    /// It brought the process down.
    Crashed,
    /// It was not read.
    Released,
}

impl AttemptOutcome {
    /// Returns whether the file was read or processed: not if it was left as it was, or is not there.
    pub(crate) fn was_attempted(&self) -> bool {
        !matches!(self, Self::Released | Self::Hidden | Self::Gone)
    }
}

/// The effect of a change.
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
    /// The entry is no longer pending, as a rule leaves its file out: it returns to its record, or is deleted.
    Hidden,
}

/// How a file counts in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Pending,
    Ok,
    Failed(Reported),
    /// Done by an earlier run; this run's scan has seen it so.
    Unchanged(Option<Reported>),
}

/// Whether a failure has been reported before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    /// By this run at the earliest.
    Now,
    /// By an earlier run, and the file is unchanged.
    Earlier,
}

/// The context of a decision beside the entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunScope {
    /// The current epoch of the file's root.
    pub epoch: u32,
    /// Where this run's records begin.
    pub run_start: LogPosition,
    /// Where records begin that no completed run has reported: those of this run, and of a run that it resumes.
    pub reported_before: LogPosition,
    /// Whether failing files are quarantined.
    pub quarantine: bool,
}

impl RunScope {
    /// Returns whether the record was made by this run.
    pub(crate) fn is_of_this_run(&self, record: &RecordRef) -> bool {
        !record.carried && record.position >= self.run_start
    }

    /// Returns how this run counts a file with this entry; `None` if an earlier run completed it.
    pub(crate) fn counted(&self, entry: &Entry) -> Option<Counted> {
        if entry.pending {
            return Some(Counted::Pending);
        }
        let record = entry.record.as_ref().filter(|record| self.is_of_this_run(record))?;
        Some(if record.failure.is_none() { Counted::Ok } else { Counted::Failed(Reported::Now) })
    }

    /// Returns how a run counts a file with this entry once it has listed all files: none is left out then.
    pub(crate) fn counted_as_listed(&self, entry: &Entry) -> Option<Counted> {
        let of_earlier_run = || {
            let record = entry.record.as_ref()?;
            let failure = self.failure(record);
            // A scan makes such a failure due again. Where it stands, this run has seen it again.
            let again = !entry.quarantined && record.failure.is_some_and(ErrorClass::is_environmental);
            Some(failure.filter(|_| again).map_or(Counted::Unchanged(failure), Counted::Failed))
        };
        self.counted(entry).or_else(of_earlier_run)
    }

    /// Returns whether the failure that a record stands for has been reported, if it is a failure.
    pub(crate) fn failure(&self, record: &RecordRef) -> Option<Reported> {
        record.failure?;
        let is_earlier = record.carried || record.position < self.reported_before;
        Some(if is_earlier { Reported::Earlier } else { Reported::Now })
    }

    /// Returns whether the failure that the change leaves the file with has been reported, if it is a failure. A
    /// file that a client requested to be tried again has none.
    pub(crate) fn failure_after(&self, old: Option<&Entry>, change: &FileEvent) -> Option<Reported> {
        let old = old.and_then(|entry| Some((entry, entry.record.as_ref()?)));
        let FileEvent::Ended(Attempted { end, .. }) = change else { return None };
        match end {
            AttemptOutcome::Recorded { failure: None, .. } => None,
            AttemptOutcome::Recorded { digest, failure, .. } => {
                let is_same = |(entry, record): &(&Entry, &RecordRef)| {
                    record.failure == *failure
                        && record.digest == *digest
                        && (digest.is_some() || entry.recheck)
                        && record.epoch != ASKED
                };
                old.filter(is_same).and_then(|(_, record)| self.failure(record)).or(Some(Reported::Now))
            }
            AttemptOutcome::Unchanged { .. } => old.and_then(|(_, record)| self.failure(record)),
            _ => None,
        }
    }

    /// Returns the record that stands for its content: a file that still has this content needs nothing done.
    pub(crate) fn standing<'e>(&self, entry: &'e Entry) -> Option<&'e RecordRef> {
        let stands = |record: &&RecordRef| {
            record.epoch == self.epoch && !record.failure.is_some_and(ErrorClass::is_environmental)
        };
        entry.record.as_ref().filter(stands)
    }

    /// Returns whether nothing is to be done for a file seen with this fingerprint.
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

    /// The same for a file that was touched after it was read: a version whose times a later write could share is not
    /// taken for the one that was read.
    pub(crate) fn is_untouched(&self, entry: &Entry, seen: &Fingerprint) -> bool {
        !entry.recheck && self.is_current(entry, seen)
    }
}

/// Applies one change to an entry, at the position that its record would take.
pub(crate) fn apply(
    old: Option<Entry>,
    change: &FileEvent,
    scope: RunScope,
    position: LogPosition,
) -> (Option<Entry>, Effect) {
    match change {
        FileEvent::Found(seen) => found(old, *seen, |entry| scope.is_current(entry, seen)),
        FileEvent::Touched(seen) => found(old, *seen, |entry| scope.is_untouched(entry, seen)),
        FileEvent::Missing(observed) if is_as(old.as_ref(), observed) => gone(old),
        FileEvent::Asked(observed) => match old {
            Some(entry) if is_as(Some(&entry), observed) => asked(entry),
            _ => (old, Effect::None),
        },
        FileEvent::Hidden(observed) => match old {
            Some(entry) if entry.pending && is_as(Some(&entry), observed) => (hidden(&entry), Effect::Hidden),
            _ => (old, Effect::None),
        },
        FileEvent::Missing(_) => (old, Effect::None),
        FileEvent::Forgotten => gone(old),
        FileEvent::Ended(ending) => ended(old, ending, scope, position),
    }
}

/// Returns whether an entry is as it was observed; its record's line may have been carried forward meanwhile.
fn is_as(entry: Option<&Entry>, observed: &Entry) -> bool {
    let Some(entry) = entry else { return false };
    let Some(record) = entry.record.filter(|record| record.carried) else { return entry == observed };
    let there = |observed| RecordRef { position: record.position, carried: true, ..observed };
    *entry == Entry { record: observed.record.map(there), ..*observed }
}

fn found(
    old: Option<Entry>,
    seen: Fingerprint,
    is_current: impl Fn(&Entry) -> bool,
) -> (Option<Entry>, Effect) {
    match old {
        Some(entry) if is_current(&entry) => (Some(entry), Effect::None),
        Some(entry) if entry.pending && entry.fingerprint == seen => (Some(entry), Effect::None),
        Some(entry) => {
            let recheck = !entry.pending && entry.fingerprint == seen;
            let fresh = Entry { pending: true, recheck, fingerprint: seen, ..Entry::default() };
            (Some(Entry { record: entry.record, ..fresh }), Effect::Pending)
        }
        None => (Some(Entry { pending: true, fingerprint: seen, ..Entry::default() }), Effect::Pending),
    }
}

/// The epoch of a record whose file a client requested to process again; no root has it.
const ASKED: u32 = 0;

/// Makes a file due at once, as if it had never been tried. A record of no epoch is not taken for the current
/// content's.
fn asked(entry: Entry) -> (Option<Entry>, Effect) {
    let record = entry.record.map(|record| RecordRef { epoch: ASKED, ..record });
    let due = Entry { pending: true, fingerprint: entry.fingerprint, record, ..Entry::default() };
    if due == entry { (Some(entry), Effect::None) } else { (Some(due), Effect::Pending) }
}

/// Returns what is kept of a pending file that a rule leaves out: its record; the file is due again when it is let
/// in.
pub(crate) fn hidden(entry: &Entry) -> Option<Entry> {
    entry.record.map(|record| Entry { record: Some(record), ..Entry::default() })
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
    ending: &Attempted,
    scope: RunScope,
    position: LogPosition,
) -> (Option<Entry>, Effect) {
    // Only a pending entry was claimed: anything else means that the attempt is out of date.
    let Some(entry) = old.filter(|entry| entry.pending) else { return (old, Effect::None) };
    match ending.end {
        AttemptOutcome::Released => (Some(entry), Effect::None),
        AttemptOutcome::Hidden => (hidden(&entry), Effect::Hidden),
        // Another version begins anew: it waits for no retry of this one.
        AttemptOutcome::Again(_) if ending.outdated || entry.fingerprint != ending.claimed => {
            (Some(entry), Effect::None)
        }
        AttemptOutcome::Again(retry) => {
            let attempts = entry.attempts.saturating_add(1);
            (Some(Entry { attempts, retry: Some(retry), ..entry }), Effect::Pending)
        }
        AttemptOutcome::Crashed => {
            let crashes = entry.crashes.saturating_add(1);
            (Some(Entry { crashes, ..entry }), Effect::Pending)
        }
        AttemptOutcome::Gone => gone(Some(entry)),
        // The record that the worker compared with may have gone meanwhile: the file was removed, and is back.
        AttemptOutcome::Unchanged { .. } if scope.standing(&entry).is_none() => (Some(entry), Effect::None),
        AttemptOutcome::Unchanged { fingerprint, racy } => {
            let done = settle(entry, ending, fingerprint, racy);
            let effect = if done.pending { Effect::Pending } else { Effect::Unchanged };
            (Some(done), effect)
        }
        AttemptOutcome::Recorded { fingerprint, racy, digest, failure } => {
            let settled = settle(entry, ending, fingerprint, racy);
            if let (Some(record), Some(_)) = (&entry.record, failure)
                && record.digest == digest
                && record.failure == failure
                && record.epoch == scope.epoch
                && entry.recheck
            {
                return (Some(settled), Effect::FailedAgain);
            }
            let record = RecordRef { position, epoch: scope.epoch, digest, failure, carried: false };
            let quarantined = !settled.pending && failure.is_some() && scope.quarantine;
            (Some(Entry { record: Some(record), quarantined, ..settled }), Effect::Recorded)
        }
    }
}

/// Returns the entry after the version `read` was handled: done, unless a scan or a watcher meanwhile saw a version
/// that is neither the claimed nor the read one.
fn settle(entry: Entry, ending: &Attempted, read: Fingerprint, racy: bool) -> Entry {
    if ending.outdated || (entry.fingerprint != ending.claimed && entry.fingerprint != read) {
        return entry;
    }
    Entry { recheck: racy, fingerprint: read, record: entry.record, ..Entry::default() }
}
