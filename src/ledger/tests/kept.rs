//! A database that is opened is as it was before, or as committed.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::ledger::database::copy;
use crate::ledger::folder::held;

/// A state of two ticks.
fn state() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = created(&path);
    for name in ["a", "b"] {
        commit(&mut ledger, &[(key(name), Some(Entry { pending: true, ..Entry::default() }))]);
    }
    (folder, path)
}

/// Returns all files below a folder, with their content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn boot() -> Vec<u8> {
    fs::read("/proc/sys/kernel/random/boot_id").unwrap()
}

/// Leaves what a process leaves that dies while it opens the database: a copy, and another database in its place.
fn die_opening(path: &Path, boot: &[u8]) {
    let before = path.join("db.before");
    fs::create_dir(&before).unwrap();
    copy::folder(&path.join("db"), &before.join("db"), copy::CopyForm::Halves).unwrap();
    fs::write(before.join("boot"), boot).unwrap();
    fs::write(path.join("db/db"), "what is left").unwrap();
}

#[test]
fn what_does_not_open_is_left_as_it_was() {
    let (_folder, path) = state();
    for (file, bytes) in files(&path.join("db")).into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let before = files(&path);
        let opened = opened(&path);
        if let Err(error) = opened {
            assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
            assert_eq!(files(&path), before, "{}", file.display());
        }
        fs::write(&file, &bytes).unwrap();
    }
}

#[test]
fn what_a_process_leaves_that_died_opening_is_put_back_in_the_same_boot() {
    let (_folder, path) = state();
    die_opening(&path, &boot());
    assert_eq!(AskedState::open(&path).unwrap().reader().total().pending, 2, "those who ask see it, too");
    assert!(path.join("db.before").exists(), "and change nothing");
    assert_eq!(opened(&path).unwrap().reader().total().pending, 2);
    assert!(!path.join("db.before").exists() && !path.join("db.gone").exists());
}

#[test]
fn a_copy_in_two_halves_is_put_back_as_one() {
    let (_folder, path) = state();
    die_opening(&path, &boot());
    let copied = path.join("db.before/db");
    let mut bytes = fs::read(copied.join("db")).unwrap();
    let middle = bytes.len() / 2;
    fs::write(copied.join("db.front"), &bytes[..middle]).unwrap();
    bytes[..middle].fill(0);
    fs::write(copied.join("db"), bytes).unwrap();
    assert_eq!(AskedState::open(&path).unwrap().reader().total().pending, 2);
    assert_eq!(opened(&path).unwrap().reader().total().pending, 2);
    assert!(!path.join("db/db.front").exists());
}

#[test]
fn a_copy_that_is_not_complete_or_of_another_boot_is_worth_nothing() {
    for boot in [&b""[..], b"8a4a6f0e", b"8a4a6f0e-0000-4000-8000-000000000000\n"] {
        let (_folder, path) = state();
        die_opening(&path, boot);
        fs::copy(path.join("db.before/db/db"), path.join("db/db")).unwrap();
        fs::write(path.join("db.before/db/db"), "half").unwrap();
        assert_eq!(AskedState::open(&path).unwrap().reader().total().pending, 2);
        assert_eq!(opened(&path).unwrap().reader().total().pending, 2);
        assert!(!path.join("db.before").exists());
    }
}

#[test]
fn a_copy_that_was_being_put_back_is_put_back_also_in_another_boot() {
    let (_folder, path) = state();
    die_opening(&path, b"another");
    fs::rename(path.join("db"), path.join("db.before/failed")).unwrap();
    assert_eq!(AskedState::open(&path).unwrap().reader().total().pending, 2);
    assert_eq!(opened(&path).unwrap().reader().total().pending, 2);
    assert!(!path.join("db.before").exists());
}

#[test]
fn a_rebuilt_ledger_is_not_replaced_by_a_copy_of_before() {
    let (_folder, path) = state();
    die_opening(&path, &boot());
    let state = StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
    Ledger::rebuild(&state, 3).unwrap().rebuilt().unwrap();
    drop(state);
    assert_eq!(opened(&path).unwrap().cursor().tick, 2);
}

#[test]
fn those_who_ask_change_nothing_and_hold_nobody_off() {
    let (_folder, path) = state();
    let before = files(&path);
    let asked = AskedState::open(&path).unwrap();
    assert_eq!((asked.reader().total().pending, asked.reader().cursor().tick), (2, 2));
    assert_eq!(files(&path), before);
    let mut ledger = opened(&path).unwrap();
    commit(&mut ledger, &[(key("c"), Some(Entry { pending: true, ..Entry::default() }))]);
    assert_eq!(asked.reader().cursor().tick, 2, "they see it as it was");
    assert!(asked.reader().get(&key("c")).unwrap().is_none());
    assert!(matches!(AskedState::open(&path).map(drop), Err(LedgerError::InUse { .. })));
}

#[test]
fn a_start_waits_for_those_who_read() {
    let (_folder, path) = state();
    let reading = held::lock_to_read(&path).unwrap().unwrap();
    std::thread::scope(|scope| {
        let start = scope.spawn(|| opened(&path).map(drop));
        std::thread::sleep(std::time::Duration::from_millis(400));
        drop(reading);
        start.join().unwrap().unwrap();
    });
}

#[test]
fn a_large_database_is_put_together_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("db");
    let copied = folder.path().join("copy");
    fs::create_dir(&database).unwrap();
    let bytes: Vec<u8> = (0..9_u32 << 20).map(|at| ((at * 31) >> 7) as u8).collect();
    fs::write(database.join("db"), &bytes).unwrap();
    copy::folder(&database, &copied, copy::CopyForm::Halves).unwrap();
    for _ in 0..2 {
        copy::join(&copied).unwrap();
        assert!(fs::read(copied.join("db")).unwrap() == bytes);
    }
    let whole = folder.path().join("whole");
    copy::folder(&database, &whole, copy::CopyForm::Whole).unwrap();
    assert!(fs::read(whole.join("db")).unwrap() == bytes);
    assert!(!copy::front_of(&whole).exists());
}
