//! Readers beside the writer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const FILES: usize = 3000;

/// Returns file `n`, in the order of the keys. Every tenth one stays, the others come and go. The long names make for
/// about a hundred blocks, which sled spreads over several of its pages.
fn file(n: usize) -> FileKey {
    key(&format!("src/module/file{n:05}{}.ast.json", "-".repeat(150)))
}

fn stays(n: usize) -> bool {
    n.is_multiple_of(10)
}

fn staying() -> Vec<FileKey> {
    (0..FILES).filter(|n| stays(*n)).map(file).collect()
}

/// Adds or removes the files of a range that don't stay: blocks split or merge.
fn churn(ledger: &mut Ledger, range: std::ops::Range<usize>, come: bool) {
    let moving = range.filter(|n| !stays(*n));
    let changes: Vec<_> = moving.map(|n| (file(n), come.then(|| pending(n as u64)))).collect();
    commit(ledger, &changes);
}

fn full_ledger(folder: &Path) -> Ledger {
    let mut ledger = created(&folder.join("state"));
    let all: Vec<_> = (0..FILES).map(|n| (file(n), Some(pending(n as u64)))).collect();
    commit(&mut ledger, &all);
    ledger
}

/// Returns those of these sorted keys whose files stay.
fn that_stay(found: impl IntoIterator<Item = FileKey>) -> Vec<FileKey> {
    let staying: BTreeSet<_> = staying().into_iter().collect();
    found.into_iter().filter(|key| staying.contains(key)).collect()
}

#[test]
fn a_scan_meets_what_stays_exactly_once_while_blocks_merge_and_split() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = full_ledger(folder.path());
    for (round, pause) in (0..FILES).step_by(262).enumerate() {
        let mut scan = ledger.reader().scan();
        let mut met = Vec::new();
        while let Some((key, _)) = scan.peek().unwrap() {
            met.push(FileKey::from_bytes(key).unwrap());
            scan.advance();
            if met.len() == pause / (1 + 9 * (round % 2)) {
                churn(&mut ledger, 0..FILES, round % 2 == 1);
            }
        }
        assert_eq!(that_stay(met), staying(), "paused after {pause}");
    }
}

#[test]
fn claims_go_on_behind_what_was_claimed_while_blocks_merge_and_split() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = full_ledger(folder.path());
    let reader = ledger.reader();
    for round in 0..12 {
        let mut found = Vec::new();
        let mut from = Some(ReadyPosition::default());
        while let Some(position) = from {
            let before = found.len();
            let ready = reader.ready(&position, 40).unwrap();
            found.extend(ready.files.into_iter().map(|(key, _)| key));
            from = ready.next;
            if (before..found.len()).contains(&(round * 24)) {
                churn(&mut ledger, 0..FILES, round % 2 == 1);
            }
        }
        assert_eq!(that_stay(found), staying(), "round {round}");
    }
}

#[test]
fn threads_read_while_the_writer_commits() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = full_ledger(folder.path());
    let reader = ledger.reader();
    let done = AtomicBool::new(false);
    let staying = staying();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let met = contents(&reader).unwrap();
                assert_eq!(that_stay(met.iter().map(|(key, _)| FileKey::from_bytes(key).unwrap())), staying);
                assert!(reader.lookup(&staying).unwrap().iter().all(Option::is_some));
            }
        });
        for tick in 0..20 {
            if !reading.is_finished() {
                churn(&mut ledger, tick * 70 % FILES..FILES, tick % 3 != 0);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
