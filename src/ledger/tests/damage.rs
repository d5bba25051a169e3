//! Damage is detected, and never causes a panic.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::ledger::folder::disk;
use crate::model::{Digest, Fingerprint};

struct Fixture {
    folder: tempfile::TempDir,
    before_last: PathBuf,
    last: PathBuf,
    contents: Vec<(Vec<u8>, Entry)>,
}

/// A state of a few blocks, as a kill leaves it, and one tick earlier.
fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let [before_last, last] = ["before", "last"].map(|name| folder.path().join(name));
    commit(&mut created(&path), &entries(0));
    let mut ledger = opened(&path).unwrap();
    ledger.set_order(Order::Smallest, &[], Timestamp(0)).unwrap();
    commit(&mut ledger, &entries(1));
    copy(&path, &before_last);
    commit(&mut ledger, &entries(2));
    copy(&path, &last);
    let contents = contents(&ledger.reader()).unwrap();
    Fixture { folder, before_last, last, contents }
}

fn entries(tick: u64) -> Vec<(FileKey, Option<Entry>)> {
    let entry = |n| Entry {
        pending: n % 3 == 0,
        fingerprint: Fingerprint {
            size: n << (n % 20),
            mtime: Timestamp(n as i64),
            ..Fingerprint::default()
        },
        record: Some(RecordRef {
            position: LogPosition { segment: 1, offset: n },
            epoch: 1,
            digest: Some(Digest([n as u8; 16])),
            failure: None,
            carried: n % 7 == 1,
        }),
        ..Entry::default()
    };
    let name = |n| key(&format!("src/module{tick}/file{n:04}.ast.json"));
    (0..200).map(|n| (name(n), Some(entry(n)))).collect()
}

fn copy(from: &Path, to: &Path) {
    disk::remove(to).unwrap();
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // It is being removed beside a ledger that has just been opened.
        if entry.file_name() == "db.gone" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.metadata().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Fixture {
    /// Opens a copy after `damage` was done to it: `None` if that was detected.
    fn opened_after(&self, damage: impl FnOnce(&Path)) -> Option<Vec<(Vec<u8>, Entry)>> {
        let path = self.folder.path().join("broken");
        copy(&self.last, &path);
        damage(&path);
        match opened(&path).and_then(|ledger| contents(&ledger.reader())) {
            Ok(contents) => Some(contents),
            Err(LedgerError::Damaged { .. }) => None,
            Err(other) => panic!("{other}"),
        }
    }

    /// Damages a file, and returns whether that was detected. If not, nothing may be lost.
    fn notices(&self, file: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> bool {
        let contents = self.opened_after(|path| {
            let path = path.join(file);
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(path, bytes).unwrap();
        });
        assert!(contents.as_ref().is_none_or(|found| *found == self.contents), "{}", file.display());
        contents.is_none()
    }

    fn files_of_db(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.last.join("db")).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.metadata().unwrap().is_file());
        files.map(|entry| Path::new("db").join(entry.file_name())).collect()
    }
}

/// Returns about `count` offsets into the used part of a file.
fn offsets(bytes: &[u8], count: usize) -> Vec<usize> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    (0..used).step_by(used.div_ceil(count).max(1)).collect()
}

#[test]
fn a_flipped_byte_in_the_database_is_noticed_or_harmless() {
    let fixture = fixture();
    let mut noticed = 0;
    let mut tried = 0;
    for file in fixture.files_of_db() {
        for at in offsets(&fs::read(fixture.last.join(&file)).unwrap(), 60) {
            for flip in [0xff, 0x10] {
                noticed += usize::from(fixture.notices(&file, |bytes| bytes[at] ^= flip));
                tried += 1;
            }
        }
    }
    assert!(tried >= 200 && noticed >= tried / 4, "{noticed} of {tried}");
}

#[test]
fn a_cut_or_missing_file_of_the_database_is_noticed_or_harmless() {
    let fixture = fixture();
    for file in fixture.files_of_db() {
        for at in offsets(&fs::read(fixture.last.join(&file)).unwrap(), 20) {
            fixture.notices(&file, |bytes| bytes.truncate(at));
        }
        let contents = fixture.opened_after(|path| fs::remove_file(path.join(&file)).unwrap());
        assert!(contents.is_none_or(|found| found == fixture.contents), "{}", file.display());
    }
    assert!(fixture.opened_after(|path| disk::remove(&path.join("db")).unwrap()).is_none());
    assert!(fixture.opened_after(|path| disk::remove(&path.join("db/db")).unwrap()).is_none());
}

#[test]
fn a_flipped_byte_in_the_witness_is_noticed_or_harmless() {
    let fixture = fixture();
    let len = fs::read(fixture.last.join("witness")).unwrap().len();
    for at in 0..len {
        let noticed = fixture.notices(Path::new("witness"), |bytes| bytes[at] ^= 1);
        assert_eq!(noticed, at + 61 < len, "byte {at}: only the newest line can be made again");
    }
}

#[test]
fn an_older_database_is_noticed() {
    let fixture = fixture();
    let contents = fixture.opened_after(|path| copy(&fixture.before_last.join("db"), &path.join("db")));
    assert!(contents.is_none());
}

#[test]
fn a_crash_between_database_and_witness_costs_nothing() {
    let fixture = fixture();
    let last_ranges = opened(&fixture.last).unwrap().log_ranges();
    for _ in 0..2 {
        let contents = fixture.opened_after(|path| {
            fs::copy(fixture.before_last.join("witness"), path.join("witness")).unwrap();
        });
        assert_eq!(contents.as_ref(), Some(&fixture.contents));
        let ledger = opened(&fixture.folder.path().join("broken")).unwrap();
        assert_eq!(ledger.log_ranges(), last_ranges);
    }
}

#[test]
fn a_witness_that_lacks_more_than_the_last_tick_is_noticed() {
    let fixture = fixture();
    let mut ledger = opened(&fixture.last).unwrap();
    commit(&mut ledger, &entries(3));
    drop(ledger);
    let short = fs::read(fixture.before_last.join("witness")).unwrap();
    for witness in [&short[..], &[]] {
        assert!(fixture.opened_after(|path| fs::write(path.join("witness"), witness).unwrap()).is_none());
    }
    assert!(fixture.opened_after(|path| fs::remove_file(path.join("witness")).unwrap()).is_none());
}

#[test]
fn what_a_kill_leaves_of_a_snapshot_is_cleared_away() {
    let fixture = fixture();
    let contents = fixture.opened_after(|path| {
        fs::write(path.join("db/snap.00000000FFFFFFFF.generating"), "half").unwrap();
    });
    assert_eq!(contents, Some(fixture.contents));
}

#[test]
fn an_order_that_was_being_set_is_set_when_the_ledger_opens() {
    let fixture = fixture();
    let model: Model =
        fixture.contents.iter().map(|(key, entry)| (FileKey::from_bytes(key).unwrap(), *entry)).collect();
    let high = |larger_than| {
        let larger_than = Some(larger_than);
        PriorityRule { larger_than, class: BatchPriority::High, ..PriorityRule::default() }
    };
    // Rules that come, change, and go.
    for rules in [vec![high(7)], vec![high(3)], vec![]] {
        let rules = PriorityRules::new(&rules).unwrap();
        let classes = Classes { order: Order::Largest, rules, base: Timestamp(0) };
        let state = StateFolder::open(&fixture.last).unwrap();
        let mut ledger = Ledger::open(&state).unwrap();
        ledger.begin_order(classes.clone()).unwrap();
        drop(ledger);
        let ledger = Ledger::open(&state).unwrap();
        check_ready(&ledger.reader(), &model, &classes, 10);
    }
}

#[test]
fn after_a_failed_commit_nothing_is_committed_until_the_ledger_opens_again() {
    let fixture = fixture();
    let mut ledger = opened(&fixture.last).unwrap();
    let cursor = ledger.cursor();
    let total = ledger.reader().total();
    fs::remove_dir(fixture.last.join("db/blobs")).unwrap();
    let changes = entries(3);
    let tick = Tick { changes: &changes, log: cursor.log, log_crc: 0, job: None };
    assert!(matches!(ledger.commit(tick), Err(LedgerError::Io { .. })));
    fs::create_dir(fixture.last.join("db/blobs")).unwrap();
    assert!(matches!(ledger.commit(tick), Err(LedgerError::Poisoned)));
    assert!(matches!(ledger.set_order(Order::Path, &[], Timestamp(0)), Err(LedgerError::Poisoned)));
    assert_eq!((ledger.cursor(), ledger.reader().cursor()), (cursor, cursor));
    assert_eq!(ledger.reader().total(), total);
    drop(ledger);
    let mut ledger = opened(&fixture.last).unwrap();
    commit(&mut ledger, &changes);
    assert_eq!(contents(&ledger.reader()).unwrap().len(), fixture.contents.len() + 200);
}
