//! The state folder: making it, locking it, moving it, repairing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_new_state_is_private_and_marked_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/state");
    assert!(matches!(StateFolder::open(&path), Err(LedgerError::NoState { .. })));
    let mut state = StateFolder::create(&path, "records".as_ref()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(path.join(".gitignore")).unwrap(), "*\n");
    assert!(path.join("CACHEDIR.TAG").exists());
    assert_eq!(state.records(), path.join("records"));
    let root = RootInfo {
        id: 1,
        name: "asts".to_owned(),
        path: "/data".into(),
        processor: "ast/1".to_owned(),
        epoch: 1,
        filters: "{}".to_owned(),
        mark: String::new(),
        watched: false,
    };
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
        &["state.json", "db", "witness", "CACHEDIR.TAG"],
    ];
    for gone in steps {
        gone.iter().for_each(|name| disk::remove(&path.join(name)).unwrap());
        assert!(matches!(StateFolder::open(&path), Err(LedgerError::NoState { .. })), "{gone:?}");
        commit_nothing_durable(&path);
    }
}

/// Makes the state and looks into it, without committing.
fn commit_nothing_durable(path: &Path) {
    let ledger = created(path);
    assert_eq!(ledger.cursor().tick, 0);
    assert!(path.join("CACHEDIR.TAG").exists());
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
