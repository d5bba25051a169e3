//! A tick whose commit fails: it is not reported, and nothing of it is believed before it is written again.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::model::Cursor;
use crate::model::failpoint::{Fault, arm};

/// Returns changes of 600 files, others each time: new ones, other ones, removed ones, whole blocks of them.
fn changes(round: u64) -> Vec<(FileKey, Option<Entry>)> {
    let is_meant = |n: &u64| (n * 7 + round * 31) % 11 < 3 || n / 100 == round % 6;
    let entry =
        |n: u64| (!(n + round).is_multiple_of(3) && n / 100 != (round + 1) % 6).then(|| done(n + round));
    (0..600).filter(is_meant).map(|n| (key(&format!("d{}/f{n:04}", n / 200)), entry(n))).collect()
}

fn try_commit(ledger: &mut Ledger, round: u64) -> Result<Cursor, LedgerError> {
    let log = ledger.cursor().log;
    let log = LogPosition { offset: log.offset + 1, ..log };
    let job = Job {
        id: 1,
        kind: JobKind::Run,
        priority: 0,
        scope: None,
        queued: Timestamp(1),
        started: Timestamp(1),
        ended: None,
        end: JobEnd::Running,
        roots: vec![1],
        config: String::new(),
        start: Cursor::default(),
        discovered: round,
        counts: JobCounts { ok: round, ..JobCounts::default() },
    };
    ledger.commit(Tick { changes: &changes(round), log, log_crc: 7, job: Some(&job) })
}

/// Returns whether the state must be written again before it is used.
fn is_noted(path: &Path) -> bool {
    fs::metadata(path.join("lock")).unwrap().len() > 0
}

/// Returns what shows whether `state.json` was rewritten.
fn version(path: &Path) -> (u64, i64, i64) {
    let found = fs::metadata(path.join("state.json")).unwrap();
    (found.ino(), found.mtime(), found.mtime_nsec())
}

/// Entries, figures of the jobs, and the end.
type Reported = (Vec<(Vec<u8>, Entry)>, Vec<u64>, Cursor);

/// Returns everything that a reader reports, found in several ways.
fn reported(reader: &LedgerReader) -> Reported {
    let all = contents(reader).unwrap();
    for n in (0..600).step_by(7) {
        let key = key(&format!("d{}/f{n:04}", n / 200));
        let expected = all.iter().find(|(found, _)| found == key.as_bytes()).map(|(_, entry)| *entry);
        assert_eq!(reader.get(&key).unwrap(), expected);
        let mut scan = reader.scan();
        scan.seek(key.as_bytes()).unwrap();
        let next = all.iter().find(|(found, _)| found.as_slice() >= key.as_bytes());
        assert_eq!(scan.peek().unwrap().map(|(key, entry)| (key.to_vec(), *entry)), next.cloned());
    }
    (all, reader.jobs().unwrap().iter().map(|job| job.counts.ok).collect(), reader.cursor())
}

#[test]
fn a_reader_of_what_is_committed_sees_nothing_of_a_tick_before_all_of_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = created(&path);
    let mut seen_early = 0;
    let mut round = 0;
    for hit in (2..7).cycle().take(60) {
        round += 1;
        try_commit(&mut ledger, round).unwrap();
        round += 1;
        let before = reported(&ledger.reader());
        assert_eq!(reported(&ledger.committed_reader()), before);
        // A walk under way sees the rest as it was, too.
        let committed = ledger.committed_reader();
        let mut scan = committed.scan();
        let first = scan.peek().unwrap().map(|(key, entry)| (key.to_vec(), *entry));
        scan.advance();
        let armed = arm(hit..hit + 1, Fault::NoSpace);
        try_commit(&mut ledger, round).unwrap_err();
        drop(armed);
        let mut met: Vec<_> = first.into_iter().collect();
        while let Some((key, entry)) = scan.peek().unwrap() {
            met.push((key.to_vec(), *entry));
            scan.advance();
        }
        assert_eq!(met, before.0);
        assert_eq!(reported(&ledger.committed_reader()), before);
        seen_early += u32::from(contents(&ledger.reader()).unwrap() != before.0);
        drop((scan, committed, ledger));
        ledger = opened(&path).unwrap();
    }
    assert!(seen_early > 20, "the tick was in the database {seen_early} times");
}

#[test]
fn what_a_failed_sync_was_for_is_written_again_before_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = created(&path);
    try_commit(&mut ledger, 1).unwrap();
    for fault in [Fault::Io, Fault::NoSpace] {
        for hit in 1.. {
            let cursor = ledger.cursor();
            let armed = arm(hit..hit + 1, fault);
            let committed = try_commit(&mut ledger, hit);
            if committed.is_ok() && armed.hits() < hit {
                assert!(hit > 8, "{hit} calls");
                break;
            }
            drop(armed);
            assert!(is_noted(&path), "call {hit}");
            drop(ledger);
            // The first attempts to write it again fail: it still has to be written.
            for again in 1.. {
                let armed = arm(again..again + 1, fault);
                let opened = opened(&path);
                if opened.is_ok() {
                    assert!(again > 8, "{again} calls");
                    break;
                }
                drop(armed);
                let failed = opened.err().unwrap();
                assert!(!matches!(failed, LedgerError::Damaged { .. }), "call {hit}, {again}: {failed}");
            }
            ledger = opened(&path).unwrap();
            assert!(!is_noted(&path), "call {hit}");
            assert!(ledger.cursor().tick - cursor.tick < 2);
        }
    }
}

#[test]
fn a_tick_that_the_witness_lacks_is_written_again_also_without_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = created(&path);
    try_commit(&mut ledger, 1).unwrap();
    let before = fs::metadata(path.join("state.json")).unwrap().ino();
    let armed = arm(6..7, Fault::Io);
    try_commit(&mut ledger, 2).unwrap_err();
    drop((armed, ledger));
    fs::write(path.join("lock"), "").unwrap();
    assert_eq!(opened(&path).unwrap().cursor().tick, 2);
    assert_ne!(fs::metadata(path.join("state.json")).unwrap().ino(), before);
}

#[test]
fn a_tick_that_was_not_synced_is_written_again_by_the_same_process_where_that_could_not_be_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = created(&path);
    try_commit(&mut ledger, 1).unwrap();
    for from in 1..8 {
        let before = version(&path);
        // From then on nothing can be synced, nor noted.
        let armed = arm(from..u64::MAX, Fault::NoSpace);
        try_commit(&mut ledger, from + 1).unwrap_err();
        assert!(armed.hits() > from && !is_noted(&path), "call {from}");
        drop((armed, ledger));
        ledger = opened(&path).unwrap();
        assert_ne!(version(&path), before, "call {from}");
        drop(ledger);
        let before = version(&path);
        ledger = opened(&path).unwrap();
        assert_eq!(version(&path), before, "once is enough");
    }
}

#[test]
fn a_state_is_closed_although_it_is_read_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = StateFolder::create(&path, "records".as_ref()).unwrap();
    let mut ledger = Ledger::open(&state).unwrap();
    try_commit(&mut ledger, 1).unwrap();
    let reader = ledger.committed_reader();
    let mut scan = reader.scan();
    scan.peek().unwrap();
    scan.refresh();
    ledger.close();
    assert!(matches!(scan.peek(), Err(LedgerError::Closed)));
    assert!(matches!(reader.get(&key("a")), Err(LedgerError::Closed)));
    assert_eq!(Ledger::open(&state).unwrap().cursor().tick, 1);
}
