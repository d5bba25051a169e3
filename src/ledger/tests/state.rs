//! The state folder: making it, locking it, moving it, repairing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::ledger::folder::disk;
use crate::model::failpoint::{Fault, arm};

#[test]
fn a_new_state_is_private_and_marked_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/state");
    assert!(matches!(StateFolder::open(&path), Err(LedgerError::NoState { .. })));
    let mut state = StateFolder::create(&path, "records".as_ref()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(path.join(".gitignore")).unwrap(), "*\n");
    assert_eq!(state.records(), path.join("records"));
    let root = RootInfo { filters: "{}".to_owned(), ..RootInfo::new(1, "asts", "/data", "ast/1") };
    state.update(|info| info.roots.push(root.clone())).unwrap();
    drop(state);
    assert_eq!(StateFolder::open(&path).unwrap().info().roots, [root]);
}

#[test]
fn a_state_is_one_processes_own_until_its_last_reader_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = StateFolder::create(&path, "records".as_ref()).unwrap();
    let in_use = || matches!(StateFolder::open(&path), Err(LedgerError::InUse { .. }));
    assert!(in_use());
    let reader = Ledger::open(&state).unwrap().reader();
    drop(state);
    assert!(in_use());
    drop(reader);
    opened(&path).unwrap();
}

#[test]
fn the_record_folder_is_settled_when_the_state_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let out = folder.path().join("out");
    drop(StateFolder::create(&path, &out).unwrap());
    let error = StateFolder::create(&path, "records".as_ref()).unwrap_err();
    assert!(matches!(error, LedgerError::OtherRecords { found, .. } if found == out));
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    assert_eq!(StateFolder::create(&path, &folder.path().join("link/out")).unwrap().records(), out);
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "x").unwrap();
    let error = StateFolder::create(folder.path(), "records".as_ref()).unwrap_err();
    assert!(matches!(error, LedgerError::Foreign { .. }));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was added");
    fs::write(folder.path().join("lock"), "theirs").unwrap();
    StateFolder::create(folder.path(), "records".as_ref()).unwrap_err();
    assert_eq!(fs::read_to_string(folder.path().join("lock")).unwrap(), "theirs");
}

#[test]
fn a_folder_in_which_another_start_makes_a_state_is_in_use_whatever_is_in_it_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let held = HeldState::take(folder.path()).unwrap();
    fs::write(folder.path().join("state.new"), "half").unwrap();
    let error = StateFolder::create(folder.path(), "records".as_ref()).unwrap_err();
    assert!(matches!(error, LedgerError::InUse { .. }), "{error}");
    drop(held);
}

#[test]
fn making_a_state_that_was_cut_short_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    created(&path);
    let steps: [&[&str]; 5] = [
        &["state.json"],
        &["state.json", "db/db"],
        &["state.json", "db/conf", "db/blobs"],
        &["state.json", "db"],
        &["state.json", "db", "witness", ".gitignore"],
    ];
    for gone in steps {
        gone.iter().for_each(|name| disk::remove(&path.join(name)).unwrap());
        assert!(matches!(StateFolder::open(&path), Err(LedgerError::NoState { .. })), "{gone:?}");
        commit_nothing_durable(&path);
    }
}

/// Creates the state and reads it, without committing.
fn commit_nothing_durable(path: &Path) {
    let ledger = created(path);
    assert_eq!(ledger.cursor().tick, 0);
    assert!(path.join(".gitignore").exists());
}

#[test]
fn a_state_that_lost_its_description_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    commit(&mut created(&path), &[(key("a"), Some(pending(1)))]);
    fs::remove_file(path.join("state.json")).unwrap();
    for _ in 0..2 {
        let created = StateFolder::create(&path, "records".as_ref());
        assert!(matches!(created, Err(LedgerError::Damaged { .. })));
        assert!(matches!(StateFolder::open(&path), Err(LedgerError::Damaged { .. })));
        // Not even when its witness is lost, too.
        let _ = fs::remove_file(path.join("witness"));
    }
}

#[test]
fn no_new_state_is_made_beside_the_records_of_a_lost_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    fs::create_dir_all(path.join("records")).unwrap();
    fs::write(path.join("records/records-000001.ndjson"), "{}\n").unwrap();
    let created = StateFolder::create(&path, "records".as_ref());
    assert!(matches!(created, Err(LedgerError::Damaged { .. })));
    StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
}

#[test]
fn a_state_opens_for_nothing_else_until_its_repair_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    commit(&mut created(&path), &[(key("a"), Some(pending(1)))]);
    fs::write(path.join("state.json"), "{").unwrap();
    fs::write(path.join("witness"), "?").unwrap();
    for attempt in 0..3 {
        let state = StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
        assert!(matches!(Ledger::open(&state), Err(LedgerError::Damaged { .. })));
        let mut ledger = Ledger::rebuild(&state, 18).unwrap();
        drop(state);
        assert_eq!(ledger.cursor(), crate::model::Cursor { tick: 17, log: LogPosition::START });
        commit(&mut ledger, &[(key("b"), Some(pending(2)))]);
        assert!(path.join("db.damaged/db").exists(), "what was there is kept");
        assert_eq!(fs::read(path.join("witness.damaged")).unwrap(), b"?", "attempt {attempt}");
        if attempt == 2 {
            ledger.rebuilt().unwrap();
        }
        drop(ledger);
        assert_eq!(opened(&path).is_ok(), attempt == 2);
    }
    let ledger = opened(&path).unwrap();
    assert_eq!(ledger.cursor().tick, 18);
    assert_eq!(ledger.reader().get(&key("b")).unwrap(), Some(pending(2)));
    assert!(!path.join("db.damaged").exists() && !path.join("witness.damaged").exists());
}

#[test]
fn a_state_whose_lock_file_was_removed_is_still_in_use_and_its_holder_notices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let ledger = created(&path);
    let state = opened_state(&ledger);
    state.check().unwrap();
    for is_replaced in [false, true] {
        let _ = fs::remove_file(path.join("lock"));
        if is_replaced {
            fs::write(path.join("lock"), "").unwrap();
        }
        assert!(matches!(state.check(), Err(LedgerError::LockGone { .. })));
        assert!(matches!(opened(&path), Err(LedgerError::InUse { .. })));
        let repair = StateFolder::open_for_repair(&path, "records".as_ref());
        assert!(matches!(repair, Err(LedgerError::InUse { .. })));
    }
    drop((ledger, state));
    opened(&path).unwrap();
}

/// Returns the lock that a ledger is open under.
fn opened_state(ledger: &Ledger) -> HeldState {
    ledger.reader.store.held().unwrap().clone()
}

#[test]
fn a_state_folder_that_was_removed_or_replaced_is_noticed_and_the_new_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut state = StateFolder::create(&path, "records".as_ref()).unwrap();
    fs::remove_dir_all(&path).unwrap();
    assert!(matches!(state.held().check(), Err(LedgerError::Gone { .. })));
    drop(created(&path));
    let description = fs::read(path.join("state.json")).unwrap();
    assert!(state.update(|info| info.records = "elsewhere".into()).is_err());
    assert_eq!(fs::read(path.join("state.json")).unwrap(), description);
}

#[test]
fn a_start_that_fails_leaves_nothing_and_never_touches_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/state");
    for hit in 1.. {
        let armed = arm(hit..hit + 1, Fault::Io);
        let made = StateFolder::create(&path, "records".as_ref());
        if armed.hits() < hit {
            drop(armed);
            made.unwrap().discard_if_made();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            break;
        }
        drop(armed);
        assert!(made.is_err(), "call {hit}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "call {hit}");
    }
    fs::create_dir(folder.path().join("out")).unwrap();
    let state = StateFolder::create(&path, &folder.path().join("out")).unwrap();
    state.discard_if_made();
    assert!(folder.path().join("out").exists() && !folder.path().join("a").exists());
    drop(created(&path));
    StateFolder::create(&path, "records".as_ref()).unwrap().discard_if_made();
    opened(&path).unwrap();
}

#[test]
fn a_file_in_the_place_of_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
    for (path, named) in [("file", "file"), ("file/state", "file"), ("link", "link")] {
        let path = folder.path().join(path);
        let named = folder.path().join(named);
        let is_named = |opened| matches!(opened, Err(LedgerError::NoFolder { path }) if path == named);
        assert!(is_named(StateFolder::create(&path, "records".as_ref())));
        assert!(is_named(StateFolder::open(&path)));
        assert!(is_named(StateFolder::open_for_repair(&path, "records".as_ref())));
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "x");
}

#[test]
fn nothing_counts_as_committed_in_a_file_that_was_removed_or_replaced() {
    for name in ["db/db", "witness"] {
        for is_replaced in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            let mut ledger = created(&path);
            commit(&mut ledger, &[(key("a"), Some(pending(1)))]);
            fs::rename(path.join(name), folder.path().join("aside")).unwrap();
            if is_replaced {
                fs::copy(folder.path().join("aside"), path.join(name)).unwrap();
            }
            let changes = [(key("b"), Some(pending(1)))];
            let tick = Tick { changes: &changes, log: ledger.cursor().log, log_crc: 0, job: None };
            let error = ledger.commit(tick).unwrap_err();
            assert!(
                matches!(&error, LedgerError::Lost { path: lost } if *lost == path.join(name)),
                "{error}"
            );
            assert_eq!(ledger.committed_reader().cursor().tick, 1);
        }
    }
}
