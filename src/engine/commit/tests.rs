use std::fs;
use std::path::Path;
use std::time::Duration;

use super::committer::Committer;
use crate::engine::job_plan;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::lifecycle::transition::{AttemptOutcome, Attempted, FileEvent};
use crate::engine::roots::GivenRoot;
use crate::engine::stop::Stop;
use crate::engine::store::Store;
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::ledger::Entry;
use crate::model::{BatchConfig, FileKey, Fingerprint, RecordStatus, RootId, Timestamp};

fn key(path: &str) -> FileKey {
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

/// Creates a state with one root, and a version of a file in it.
fn state(folder: &Path) -> (Store, job_plan::JobPlan) {
    let root = folder.join("root");
    fs::create_dir(&root).unwrap();
    let mut store = Store::create(&folder.join("state"), None).unwrap();
    let fs_probe = crate::engine::roots::probe::tests::impatient(Duration::from_secs(60), Stop::default());
    let root = GivenRoot::known(root);
    let plan = job_plan::begin(&mut store, &[root], "one/1", &fs_probe, &BatchConfig::default()).unwrap();
    (store, plan)
}

const SEEN: Fingerprint = Fingerprint { size: 3, mtime: Timestamp(5), ctime: Timestamp(6), inode: 7 };

fn done() -> OutcomeGroup {
    let end = AttemptOutcome::Recorded { fingerprint: SEEN, racy: false, digest: None, failure: None };
    let change = FileEvent::Ended(Attempted { claimed: SEEN, end, outdated: false });
    let mut lines = Vec::new();
    let line = crate::model::RecordLine {
        root: "root",
        key: &key("a"),
        status: RecordStatus::Ok,
        fingerprint: Some(&SEEN),
        digest: None,
        processor: "one/1",
        attempts: 1,
        result: Some(b"1"),
        error: None,
    };
    line.begin(&mut lines);
    let outcome = Outcome { key: key("a"), change, line: lines.len(), short_of: None };
    OutcomeGroup { outcomes: vec![outcome], lines, ..OutcomeGroup::default() }
}

#[test]
fn what_is_found_and_processed_within_one_tick_is_committed_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, plan) = state(folder.path());
    let mut counts = RunCounts::default();
    let mut committer = Committer::new(&mut store, &plan.roots);
    committer.take_changes(vec![(key("a"), FileEvent::Found(SEEN)), (key("b"), FileEvent::Found(SEEN))]);
    committer.take_group(done());
    committer.commit(&mut counts, false, |_, _| Some(plan.job.clone())).unwrap();
    let entry = committer.store().reader.get(&key("a")).unwrap().unwrap();
    assert!(!entry.pending && entry.record.is_some() && entry.fingerprint == SEEN);
    assert_eq!((counts.discovered, counts.ok), (2, 1));
    assert!(committer.take_unconfirmed().is_empty());
}

#[test]
fn an_outcome_that_comes_before_its_change_leaves_the_file_pending() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, plan) = state(folder.path());
    let mut committer = Committer::new(&mut store, &plan.roots);
    committer.take_group(done());
    committer.take_changes(vec![(key("a"), FileEvent::Found(SEEN))]);
    committer.commit(&mut RunCounts::default(), false, |_, _| Some(plan.job.clone())).unwrap();
    assert!(committer.store().reader.get(&key("a")).unwrap().unwrap().pending);
}

#[test]
fn a_file_that_is_missed_before_its_outcome_is_committed_is_looked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, plan) = state(folder.path());
    let mut committer = Committer::new(&mut store, &plan.roots);
    committer.take_changes(vec![(key("a"), FileEvent::Found(SEEN))]);
    committer.take_group(done());
    committer.take_changes(vec![
        (key("a"), FileEvent::Missing(Entry::default())),
        (key("never"), FileEvent::Missing(Entry::default())),
    ]);
    committer.commit(&mut RunCounts::default(), false, |_, _| Some(plan.job.clone())).unwrap();
    assert_eq!(committer.take_unconfirmed(), [key("a")]);
}
