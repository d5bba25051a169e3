//! Watching and one scan agree: whatever happened to a tree, and to the process that watched it, at the end the
//! records are those that a single run of the final tree makes.
//!
//! `OUTLAST_AGREE_ROUNDS` sets the number of rounds, `OUTLAST_AGREE_SEED` the first one's seed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::Watcher;
use crate::support::{Promise, Rng, Sandbox, Tree, from_env, ran, read_log};

/// Prints the seed where a test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with OUTLAST_AGREE_SEED={} OUTLAST_AGREE_ROUNDS=1", self.0);
        }
    }
}

/// What happened to the processes.
#[derive(Debug, Default)]
struct Count {
    kills: u64,
    /// Killed with files pending.
    midway: u64,
}

/// Whether the state knows the root, also after a kill.
fn is_known(watcher: &Watcher<'_>) -> bool {
    watcher.status().is_some_and(|status| status["roots"].as_array().is_some_and(|roots| !roots.is_empty()))
}

/// Edits, with kills and other troubles in between.
fn churn(watcher: &mut Watcher<'_>, tree: &mut Tree, rng: &mut Rng, count: &mut Count) {
    for _ in 0..rng.within(4..16) {
        let times = rng.within(1..25);
        tree.change(times);
        match rng.within(0..100) {
            0..40 => {}
            40..60 => std::thread::sleep(rng.time_up_to(Duration::from_millis(120))),
            60..70 => {
                // An order fails where the process has only just begun.
                let _ = watcher.try_order(&["workers", &rng.within(1..4).to_string()]);
            }
            70..75 => drop(watcher.try_order(&["rescan"])),
            // A root that no process has ever seen can't be away.
            75..78 if is_known(watcher) => {
                let elsewhere = tree.root.with_extension("away");
                std::fs::rename(&tree.root, &elsewhere).unwrap();
                std::thread::sleep(rng.time_up_to(Duration::from_millis(1500)));
                std::fs::rename(elsewhere, &tree.root).unwrap();
            }
            _ => {
                std::thread::sleep(rng.time_up_to(Duration::from_millis(60)));
                watcher.kill();
                let told = ran(&mut watcher.sandbox.command(["status", "--format", "json"]));
                count.kills += 1;
                count.midway += u64::from(told.code == Some(0) && told.json()["total"]["pending"] != 0);
                if rng.chance(50) {
                    tree.change(times);
                }
                watcher.start_again();
            }
        }
    }
}

/// The current records, without what tells when they were made. A file that was only touched keeps its record, with
/// the time that it had.
fn records(sandbox: &Sandbox) -> BTreeMap<(String, Vec<u8>), Value> {
    let log = read_log(&sandbox.records(), Promise::of(&sandbox.status()).log).unwrap();
    let without_times = |mut json: Value| {
        let members = json.as_object_mut().unwrap();
        ["committed_tick", "attempts", "mtime"].iter().for_each(|name| drop(members.remove(*name)));
        json
    };
    crate::support::current(&log).into_iter().map(|(key, record)| (key, without_times(record.json))).collect()
}

#[test]
fn a_tree_that_was_watched_through_kills_has_the_records_of_a_single_run() {
    let first = from_env("OUTLAST_AGREE_SEED", 40);
    let mut count = Count::default();
    for seed in (first..).take(from_env("OUTLAST_AGREE_ROUNDS", 6) as usize) {
        let _seed = Seed(seed);
        let sandbox = Sandbox::new();
        let mut rng = Rng::new(!seed);
        let mut tree = Tree::grow(&sandbox.root, seed, 80);
        let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], &["--settle", "50ms"]);
        churn(&mut watcher, &mut tree, &mut rng, &mut count);
        watcher.agree();
        watcher.stop();
        let mut fresh = Sandbox::new();
        fresh.root.clone_from(&sandbox.root);
        let told = fresh.run(&[]);
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        let (watched, scanned) = (records(&sandbox), records(&fresh));
        let differs = |key: &&(String, Vec<u8>)| watched.get(*key) != scanned.get(*key);
        let wrong: Vec<_> = watched.keys().chain(scanned.keys()).filter(differs).take(3).collect();
        let both = |key: &(String, Vec<u8>)| (watched.get(key).cloned(), scanned.get(key).cloned());
        assert!(
            wrong.is_empty(),
            "watched, and scanned: {:#?}",
            wrong.into_iter().map(both).collect::<Vec<_>>()
        );
    }
    eprintln!("{count:?}");
}
