use super::*;
use crate::model::Timestamp;

const START: LogPosition = LogPosition { segment: 1, offset: 100 };
const GROUND: RunScope = RunScope { epoch: 1, run_start: START, reported_before: START, quarantine: false };
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

fn ended_with(claimed: Fingerprint, end: AttemptOutcome) -> FileEvent {
    FileEvent::Ended(Attempted { claimed, end, outdated: false })
}

fn recorded(claimed: u64, read: u64) -> FileEvent {
    let fingerprint = version(read);
    let end =
        AttemptOutcome::Recorded { fingerprint, racy: false, digest: Some(Digest([4; 16])), failure: None };
    ended_with(version(claimed), end)
}

fn outcome(old: Option<Entry>, change: &FileEvent) -> (Option<Entry>, Effect) {
    apply(old, change, GROUND, HERE)
}

#[test]
fn a_new_file_becomes_pending_and_then_done() {
    let (entry, effect) = outcome(None, &FileEvent::Found(version(1)));
    assert_eq!((entry.as_ref(), effect), (Some(&pending(1, None)), Effect::Pending));
    let (entry, effect) = outcome(entry, &recorded(1, 1));
    let entry = entry.unwrap();
    assert_eq!((entry.pending, effect), (false, Effect::Recorded));
    assert_eq!(entry.record.unwrap().position, HERE);
    assert_eq!(outcome(Some(entry), &FileEvent::Found(version(1))), (Some(entry), Effect::None));
}

#[test]
fn what_a_rule_hides_is_what_its_record_says_and_a_late_outcome_changes_nothing() {
    let old = record(50, None);
    for (waiting, kept) in [(pending(1, None), None), (pending(2, Some(old)), Some(old))] {
        let ended = ended_with(waiting.fingerprint, AttemptOutcome::Hidden);
        for change in [FileEvent::Hidden(waiting), ended] {
            let (entry, effect) = outcome(Some(waiting), &change);
            assert_eq!((entry.and_then(|entry| entry.record), effect), (kept, Effect::Hidden));
            assert!(entry.is_none_or(|entry| !entry.pending && entry.fingerprint == Fingerprint::default()));
            assert_eq!(outcome(entry, &recorded(1, 1)), (entry, Effect::None));
        }
        // The ledger has another entry for it by now.
        let changed = pending(3, None);
        assert_eq!(outcome(Some(changed), &FileEvent::Hidden(waiting)), (Some(changed), Effect::None));
    }
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
fn an_outdated_attempt_is_recorded_and_leaves_the_file_pending_whatever_its_entry_shows() {
    let digest = Some(Digest([3; 16]));
    let (fingerprint, racy, failure) = (version(1), false, Some(ErrorClass::Parse));
    let waiting = pending(1, Some(record(50, None)));
    for (end, effect) in [
        (AttemptOutcome::Recorded { fingerprint, racy, digest, failure: None }, Effect::Recorded),
        (AttemptOutcome::Recorded { fingerprint, racy, digest, failure }, Effect::Recorded),
        (AttemptOutcome::Unchanged { fingerprint, racy }, Effect::Pending),
    ] {
        let attempted = Attempted { claimed: version(1), end, outdated: true };
        let scope = RunScope { quarantine: true, ..GROUND };
        let (entry, done) = apply(Some(waiting), &FileEvent::Ended(attempted), scope, HERE);
        let entry = entry.unwrap();
        assert_eq!((entry.pending, entry.quarantined, done), (true, false, effect));
        assert_eq!(entry.fingerprint, version(1));
    }
}

#[test]
fn a_file_that_changes_again_is_counted_as_pending_again() {
    assert_eq!(GROUND.counted(&done(50)), None, "an earlier run's");
    assert_eq!(GROUND.counted(&done(200)), Some(Counted::Ok));
    let (entry, effect) = outcome(Some(done(200)), &FileEvent::Found(version(2)));
    let entry = entry.unwrap();
    assert_eq!((GROUND.counted(&entry), effect), (Some(Counted::Pending), Effect::Pending));
    assert!(entry.record.is_some(), "the former record is still known");
}

#[test]
fn a_file_is_removed_only_as_it_was_observed() {
    let gone = FileEvent::Missing(done(50));
    assert_eq!(outcome(Some(done(50)), &gone), (None, Effect::Removed));
    assert_eq!(outcome(Some(done(200)), &gone), (Some(done(200)), Effect::None));
    assert_eq!(outcome(Some(pending(1, None)), &FileEvent::Missing(pending(1, None))).1, Effect::Vanished);
}

#[test]
fn failing_again_for_the_same_reason_writes_no_second_record() {
    let failure = Some(ErrorClass::IoPermanent);
    let unread = RecordRef { digest: None, ..record(50, failure) };
    let failed = Entry { record: Some(unread), ..done(50) };
    let (entry, _) = outcome(Some(failed), &FileEvent::Found(version(1)));
    let entry = entry.unwrap();
    assert!(entry.pending && entry.recheck, "the surroundings may have changed");
    let end = AttemptOutcome::Recorded { fingerprint: version(1), racy: false, digest: None, failure };
    let again = ended_with(version(1), end);
    let (entry, effect) = outcome(Some(entry), &again);
    assert_eq!(effect, Effect::FailedAgain);
    assert_eq!(entry.unwrap().record, Some(unread));
}

#[test]
fn another_epoch_or_a_racy_entry_is_due() {
    let other = RunScope { epoch: 2, ..GROUND };
    assert!(GROUND.is_current(&done(50), &version(1)));
    assert!(!other.is_current(&done(50), &version(1)));
    let racy = Entry { recheck: true, ..done(50) };
    assert!(!GROUND.is_current(&racy, &version(1)));
    let just_now = Entry { recheck: true, ..done(200) };
    assert!(GROUND.is_current(&just_now, &version(1)), "not twice in one run");
}

#[test]
fn a_touched_file_is_due_where_its_times_say_nothing() {
    let racy = Entry { recheck: true, ..done(200) };
    let (entry, effect) = outcome(Some(racy), &FileEvent::Touched(version(1)));
    assert_eq!((entry.unwrap().pending, effect), (true, Effect::Pending));
    assert_eq!(outcome(Some(done(200)), &FileEvent::Touched(version(1))).1, Effect::None);
}

#[test]
fn a_failure_that_may_pass_counts_an_attempt() {
    let again = ended_with(version(1), AttemptOutcome::Again(RETRY));
    let (entry, effect) = outcome(Some(pending(1, None)), &again);
    let entry = entry.unwrap();
    assert_eq!((entry.attempts, entry.retry, effect), (1, Some(RETRY), Effect::Pending));
    let (changed, _) = outcome(Some(entry), &FileEvent::Found(version(2)));
    assert_eq!(changed, Some(pending(2, None)), "another version begins anew");
    assert_eq!(
        outcome(changed, &again).0,
        changed,
        "also where the failure of the one before comes after it"
    );
    let end = AttemptOutcome::Again(RETRY);
    let outdated = FileEvent::Ended(Attempted { claimed: version(1), end, outdated: true });
    assert_eq!(outcome(Some(pending(1, None)), &outdated).0, Some(pending(1, None)));
    let released = ended_with(version(1), AttemptOutcome::Released);
    assert_eq!(outcome(Some(pending(1, None)), &released).0, Some(pending(1, None)));
}

#[test]
fn content_is_unchanged_only_as_long_as_its_record_stands() {
    let end = AttemptOutcome::Unchanged { fingerprint: version(2), racy: false };
    let unchanged = ended_with(version(2), end);
    let touched = pending(2, Some(record(50, None)));
    assert_eq!(outcome(Some(touched), &unchanged).1, Effect::Unchanged);
    let (back, _) = outcome(None, &FileEvent::Found(version(2)));
    assert_eq!(outcome(back, &unchanged), (back, Effect::None), "removed, and there again: it has no record");
}

#[test]
fn a_crash_is_counted_apart_from_attempts() {
    let crashed = ended_with(version(1), AttemptOutcome::Crashed);
    let entry = outcome(Some(pending(1, None)), &crashed).0.unwrap();
    assert_eq!((entry.pending, entry.attempts, entry.crashes), (true, 0, 1));
}

#[test]
fn what_is_set_aside_waits_for_new_content_or_for_somebody_who_asks() {
    let scope = RunScope { quarantine: true, ..GROUND };
    let failure = Some(ErrorClass::Timeout);
    let end = AttemptOutcome::Recorded { fingerprint: version(1), racy: false, digest: None, failure };
    let failed = ended_with(version(1), end);
    let entry = apply(Some(pending(1, None)), &failed, scope, HERE).0.unwrap();
    assert!(entry.quarantined);
    let later = RunScope { epoch: 2, run_start: LogPosition { segment: 2, offset: 0 }, ..GROUND };
    assert!(later.is_current(&entry, &version(1)), "neither a new processor nor a new run");
    assert!(!later.is_current(&entry, &version(2)));
    let (due, effect) = apply(Some(entry), &FileEvent::Asked(entry), later, HERE);
    let due = due.unwrap();
    assert_eq!((due.pending, due.quarantined, effect), (true, false, Effect::Pending));
    assert_eq!(due.record.unwrap().epoch, 0, "the old record is not taken for the content's");
    assert_eq!(apply(Some(due), &FileEvent::Asked(entry), later, HERE), (Some(due), Effect::None));
}

#[test]
fn a_record_that_is_carried_forward_stays_what_it_was() {
    let carried = |offset| {
        let record = RecordRef { carried: true, ..record(offset, None) };
        Entry { record: Some(record), ..done(offset) }
    };
    assert_eq!(GROUND.counted(&carried(200)), None, "it is an earlier run's, wherever its line stands");
    assert_eq!(outcome(Some(carried(200)), &FileEvent::Missing(done(50))), (None, Effect::Removed));
    let (entry, effect) = outcome(Some(carried(200)), &FileEvent::Asked(done(50)));
    assert_eq!(effect, Effect::Pending);
    assert_eq!(entry.unwrap().record.unwrap().position.offset, 200, "the line is where it is now");
}
