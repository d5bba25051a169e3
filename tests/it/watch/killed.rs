//! A watcher that is killed at a chosen step of a commit: within its first scan, and while the tree changes.
//!
//! `OUTLAST_WATCH_ROUNDS` sets the number of rounds of each, `OUTLAST_WATCH_SEED` the seed.

use std::time::Duration;

use super::Watcher;
use crate::support::{
    Aim, Begin, Checkpoints, Promise, Reach, Rng, Sandbox, Score, Trail, Tree, from_env, last_job, ran,
};

const FILES: u64 = if cfg!(debug_assertions) { 220 } else { 600 };
/// How long it works on between two commits, about.
const STRETCH: Duration = Duration::from_millis(2);
/// After so many looks at which nothing has changed, the scan is over.
const QUIET_LOOKS: u64 = 1000;
/// Kills in one churn.
const KILLS: u64 = 6;

/// What is committed, and whether the latest scan has ended.
fn look(sandbox: &Sandbox) -> (Promise, bool) {
    let told = ran(&mut sandbox.command(["status", "--format", "json"]));
    if told.code == Some(10) {
        return (Promise::default(), false);
    }
    let status = told.expect(0).json();
    (Promise::of(&status), last_job(&status)["end"] != "killed")
}

fn has_kept(held: Promise, promised: Promise) -> bool {
    held.tick >= promised.tick && held.log >= promised.log
}

#[test]
fn a_watcher_that_is_killed_within_its_first_scan_does_the_rest_when_it_comes_back() {
    let rounds = from_env("OUTLAST_WATCH_ROUNDS", 6);
    let mut rng = Rng::new(from_env("OUTLAST_WATCH_SEED", 70));
    let mut reach = Reach::changes(6);
    let mut score = Score::default();
    for _ in 0..rounds {
        let sandbox = Sandbox::new();
        let mut tree = Tree::grow(&sandbox.root, rng.next(), FILES);
        let mut trail = Trail::new(&sandbox.state);
        let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], &["--settle", "50ms", "--workers", "1"]);
        let checkpoints = Checkpoints::ask(&sandbox.state, rng.next(), STRETCH);
        // It never ends by itself.
        let is_over = |trail: &Trail| trail.has_changed() && trail.quiet_looks() > QUIET_LOOKS;
        let aim = Aim::within(Begin::Ticks(1), &reach, &mut rng);
        let met = aim.meet_before(&watcher.child, &mut trail, &mut rng, is_over);
        watcher.kill();
        let promised = checkpoints.end();
        let (held, has_ended) = look(&sandbox);
        assert!(has_kept(held, promised), "{met:?}: {promised:?} was promised, and there is {held:?}");
        let is_within = trail.ticks() > 0 && !has_ended;
        reach.learn(is_within);
        score.note(is_within, &met.step);
        tree.change(20);
        watcher.start_again();
        watcher.agree();
        watcher.stop();
    }
    score.assert("killed after the first tick with records, and before the end of the first scan");
}

#[test]
fn a_watcher_that_is_killed_while_the_tree_changes_misses_nothing() {
    let rounds = from_env("OUTLAST_WATCH_ROUNDS", 6) * 2;
    let mut rng = Rng::new(from_env("OUTLAST_WATCH_SEED", 70));
    let mut score = Score::default();
    let mut done = 0;
    while done < rounds {
        let sandbox = Sandbox::new();
        let mut tree = Tree::grow(&sandbox.root, rng.next(), 80);
        let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--settle", "20ms", "--workers", "2"]);
        for kill in 0..KILLS.min(rounds - done) {
            done += 1;
            if kill > 0 {
                watcher.start_again();
            }
            let aim = Aim::within(Begin::Ticks(1), &Reach::changes(9), &mut rng);
            let mut trail = Trail::new(&sandbox.state);
            let mut looks = 0;
            let met = aim.meet_before(&watcher.child, &mut trail, &mut rng.clone(), |_| {
                looks += 1;
                if looks % 16 == 0 {
                    tree.change(rng.within(1..4));
                }
                false
            });
            watcher.kill();
            score.note(met.is_there && trail.ticks() > 0, &met.step);
            if rng.chance(50) {
                tree.change(10);
            }
        }
        watcher.start_again();
        watcher.agree();
        watcher.stop();
    }
    score.assert("killed after a tick with records, while the tree changes");
}
