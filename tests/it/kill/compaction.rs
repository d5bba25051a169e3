//! Killed while it compacts the record log, by itself or within a run: what is current stays to the byte.

use std::process::Stdio;

use super::Seed;
use crate::support::{
    Aim, Begin, Checker, Reach, Rng, Sandbox, Score, Trail, Tree, copy, from_env, ran, read_segments,
};

/// Files with long records: carrying them forward takes several ticks.
const LONG_FILES: u64 = 80;
const LONG_KINDS: u64 = 100;
/// Kills of one compaction at most, before it may come to its end.
const KILLS: u64 = 3;

/// A state of whose log half is out of date.
fn worn(seed: u64) -> (Sandbox, Tree) {
    let sandbox = Sandbox::new();
    let mut tree = Tree::grow(&sandbox.root, seed, 60);
    for version in 0..2 {
        for number in 0..LONG_FILES {
            let node = |kind| format!("{{\"type\":\"{kind:0>250}\",\"version\":{version}}}");
            let text = format!("[{}]", (0..LONG_KINDS).map(node).collect::<Vec<_>>().join(","));
            sandbox.write(format!("long{number}.ast.json"), text);
        }
        tree.change(20);
        sandbox.settle();
        sandbox.run(&[]);
    }
    (sandbox, tree)
}

fn records(sandbox: &Sandbox) -> Vec<u8> {
    ran(&mut sandbox.command(["records"])).expect(0).stdout
}

/// Kills it once. Returns whether it had not ended by itself.
fn round(sandbox: &Sandbox, rng: &mut Rng, reach: &mut Reach, score: &mut Score) -> bool {
    let is_alone = rng.chance(60);
    let mut command = match is_alone {
        true => sandbox.command(["compact"]),
        false => sandbox.run_command(&["--compact-min", "1B", "--compact-above", "10"]),
    };
    let aim = Aim::within(Begin::Log, reach, rng);
    let mut trail = Trail::new(&sandbox.state);
    let before = read_segments(&sandbox.records());
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let met = aim.meet(&process, &mut trail, rng);
    process.kill().unwrap();
    let ended = process.wait().unwrap();
    assert!(matches!(ended.code(), None | Some(0 | 3)), "{ended}");
    let was_interrupted = ended.code().is_none();
    // What a pass that has ended leaves begins with the segment that it began.
    let after = read_segments(&sandbox.records());
    let goes_on = after.first_key_value().map(|first| first.0) <= before.last_key_value().map(|last| last.0);
    let has_begun = trail.has_logged() && after.len() > 1;
    reach.learn(was_interrupted && goes_on);
    score.note(was_interrupted && has_begun && goes_on, &met.step);
    was_interrupted
}

#[test]
fn a_compaction_that_is_killed_again_and_again_loses_nothing() {
    let seed = Seed(from_env("OUTLAST_KILL_SEED", 20));
    let rounds = from_env("OUTLAST_COMPACT_ROUNDS", 18);
    let (sandbox, tree) = worn(seed.0);
    let worn = sandbox.dir.path().join("worn");
    std::fs::rename(&sandbox.state, &worn).unwrap();
    let mut rng = Rng::new(!seed.0);
    let mut reach = Reach::changes(8);
    let mut score = Score::default();
    let mut done = 0;
    while done < rounds {
        let _ = std::fs::remove_dir_all(&sandbox.state);
        copy(&worn, &sandbox.state);
        let (before, bytes) = (records(&sandbox), log_bytes(&sandbox));
        for _ in 0..KILLS.min(rounds - done) {
            done += 1;
            if !round(&sandbox, &mut rng, &mut reach, &mut score) {
                break;
            }
            if rng.chance(30) {
                assert_eq!(records(&sandbox), before, "after a kill");
            }
        }
        ran(&mut sandbox.command(["compact"])).expect(0);
        assert!(records(&sandbox) == before, "other records than before");
        assert!(log_bytes(&sandbox) * 3 < bytes * 2, "{} bytes of {bytes}", log_bytes(&sandbox));
        let told = sandbox.run(&[]);
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        Checker::new(&sandbox.state, &[&sandbox.root]).with_history(&tree.history).assert();
    }
    score.assert("killed between the begin of a compaction and its end");
}

fn log_bytes(sandbox: &Sandbox) -> usize {
    read_segments(&sandbox.records()).values().map(Vec::len).sum()
}
