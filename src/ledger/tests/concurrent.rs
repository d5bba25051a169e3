//! Readers beside the writer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// File `n` of 4000. Every fourth one stays, the others come and go.
fn file(n: usize) -> FileKey {
    key(&format!("src/module{:02}/file{n:05}.ast.json", n / 100))
}

fn stays(n: usize) -> bool {
    n.is_multiple_of(4)
}

/// Commits, for a while, removals and insertions that split and merge blocks.
fn churn(ledger: &mut Ledger, ticks: usize) {
    for tick in 0..ticks {
        let (start, come) = (tick * 700 % 4000, tick % 3 != 0);
        let changes: Vec<_> = (start..start + 900)
            .filter(|n| *n < 4000 && !stays(*n))
            .map(|n| (file(n), come.then(|| pending(n as u64))))
            .collect();
        commit(ledger, &changes);
    }
}

fn while_churning(read: impl Fn(&LedgerReader) + Sync) {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    let all: Vec<_> = (0..4000).map(|n| (file(n), Some(pending(n as u64)))).collect();
    commit(&mut ledger, &all);
    let (reader, done) = (ledger.reader(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                read(&reader);
            }
        });
        churn(&mut ledger, 60);
        done.store(true, Ordering::Relaxed);
    });
}

fn expected() -> Vec<FileKey> {
    (0..4000).filter(|n| stays(*n)).map(file).collect()
}

#[test]
fn a_scan_meets_what_stays_exactly_once_and_in_order() {
    let expected: BTreeSet<Vec<u8>> = expected().iter().map(|key| key.as_bytes().to_vec()).collect();
    while_churning(|reader| {
        let found = contents(reader).unwrap();
        assert!(found.is_sorted_by(|(before, _), (key, _)| before < key));
        let met = found.iter().filter(|(key, _)| expected.contains(key)).count();
        assert_eq!(met, expected.len());
    });
}

#[test]
fn lookups_and_claims_see_all_that_stays() {
    let expected = expected();
    while_churning(|reader| {
        assert!(reader.lookup(&expected).unwrap().iter().all(Option::is_some));
        let (mut found, mut from) = (BTreeSet::new(), Some(ReadyPosition::default()));
        while let Some(position) = from {
            let ready = reader.ready(&position, 100).unwrap();
            found.extend(ready.files.into_iter().map(|(key, _)| key));
            from = ready.next;
        }
        assert!(expected.iter().all(|key| found.contains(key)));
    });
}
