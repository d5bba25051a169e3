//! What a run over one file makes durable, and how often it opens its state: each sync takes as long as all else that
//! the run does.

use std::fs;
use std::path::Path;

use super::Place;
use crate::support::ran;

/// Runs of which one must have the time to be a single tick.
const RUNS_MAX: usize = 10;

impl Place {
    /// The places of a run where a fault could be, in their order.
    fn hits(&self) -> Vec<String> {
        let log = self.root.with_file_name("hits");
        let _ = fs::remove_file(&log);
        let mut command = self.run_command();
        command.env("OUTLAST_FAILPOINT", "count").env("OUTLAST_FAILPOINT_LOG", &log);
        ran(&mut command).expect(0);
        fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect()
    }

    /// Those that sync something.
    fn synced(&self) -> Vec<String> {
        let is_sync =
            |hit: &String| hit.contains("sync") && !hit.ends_with("synced") && *hit != "db.sync-blobs";
        self.hits().into_iter().filter(is_sync).collect()
    }
}

/// A tree of one file in this folder.
fn one_file(folder: &Path) -> Place {
    let root = folder.canonicalize().unwrap().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f.ast.json"), "{\"type\": \"Module\"}").unwrap();
    Place { state: root.with_file_name("state"), root }
}

#[test]
fn a_state_that_is_there_is_locked_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = one_file(folder.path());
    place.hits();
    let locks = place.hits().into_iter().filter(|hit| hit == "state.lock").count();
    assert_eq!(locks, 1, "it is read by the lock that it is used with");
}

#[test]
fn a_run_over_one_file_syncs_no_more_than_it_has_to() {
    let folder = tempfile::tempdir().unwrap();
    let place = one_file(folder.path());
    let made = ["replace.sync", "folder.sync", "db.sync", "db.sync-names"];
    let named = ["folder.sync", "folder.sync", "folder.sync", "replace.sync", "folder.sync"];
    let logged = ["log.sync-cut", "log.sync-folder"];
    let registered = ["replace.sync", "folder.sync"];
    let begun = ["db.sync", "witness.sync"];
    let tick = ["log.sync", "db.sync", "witness.sync"];
    let first = [&made[..], &named, &logged, &registered, &begun, &tick].concat();
    assert_eq!(place.synced(), first, "the state is made once, and the tick with the record ends the job");
    // On a busy machine the job's beginning is written by itself, once a moment has passed.
    let again: Vec<_> = std::iter::repeat_with(|| place.synced()).take(RUNS_MAX).collect();
    assert!(again.iter().any(|synced| *synced == begun), "nothing but the job is news: {again:?}");
    assert!(again.iter().all(|synced| *synced == begun || *synced == begun.repeat(2)), "{again:?}");
}
