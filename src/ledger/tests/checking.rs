//! A ledger that lacks a block, and whose other values are right: only the check of all blocks detects it.

use std::fs;
use std::ops::Bound;
use std::path::PathBuf;

use super::*;
use crate::ledger::database::{Bytes, Changes, Database, Tree};

/// A block, as it is stored.
pub(crate) type Block = (Vec<u8>, Vec<u8>);

/// Takes the first block out of a closed state, so that only the sums of all blocks show it.
pub(crate) fn take_block(state: &Path) -> Option<Block> {
    let store = opened(state);
    let (key, value) = store.walk(Tree::Files, Bound::Unbounded).unwrap().next().unwrap()?;
    apply(&store, Changes::from([(key.to_vec(), None)]));
    Some((key.to_vec(), value.to_vec()))
}

/// Puts it back.
pub(crate) fn put_block(state: &Path, (key, value): Block) {
    apply(&opened(state), Changes::from([(key, Some(Bytes::from(value)))]));
}

fn opened(state: &Path) -> Database {
    let held = HeldState::take(state).unwrap();
    drop(held.lock_database().unwrap());
    Database::open(&state.join("db"), state.join("db"), None).unwrap()
}

fn apply(store: &Database, files: Changes) {
    store.apply((files, Changes::new()), Changes::new(), Changes::new()).unwrap();
}

/// Returns the content of a state's files that are more than a hint.
pub(crate) fn contents(state: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for entry in fs::read_dir(state).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            contents.extend(self::contents(&entry.path()));
        } else {
            contents.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    contents
}

#[test]
fn a_ledger_that_lacks_a_block_is_read_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = StateFolder::create(&path, "records".as_ref()).unwrap();
    let mut ledger = Ledger::open(&state).unwrap();
    let key = FileKey::from_relative_path(RootId(1), b"a").unwrap();
    let changes = [(key.clone(), Some(Entry { pending: true, ..Entry::default() }))];
    let tick = Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None };
    ledger.commit(tick).unwrap();
    drop((ledger, state));
    let block = take_block(&path).unwrap();
    let state = StateFolder::open(&path).unwrap();
    let before = contents(&path);
    let reader = {
        let mut ledger = Ledger::open_to_read(&state).unwrap();
        let reader = ledger.reader();
        assert_eq!(reader.get(&key).unwrap(), None, "it can be read");
        assert!(matches!(ledger.commit(tick), Err(LedgerError::Damaged { .. })));
        assert!(matches!(ledger.commit(tick), Err(LedgerError::Poisoned)));
        reader
    };
    assert!(matches!(reader.get(&key), Err(LedgerError::Closed)), "and by nobody any more");
    drop(reader);
    assert_eq!(contents(&path), before);
    assert!(matches!(Ledger::open(&state).map(drop), Err(LedgerError::Damaged { .. })));
    drop(state);
    put_block(&path, block);
    let ledger = Ledger::open(&StateFolder::open(&path).unwrap()).unwrap();
    assert_eq!((ledger.cursor().tick, ledger.reader().total().pending), (1, 1));
}
