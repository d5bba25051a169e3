//! Killed while it opens a state that a killed run has left: the next one opens it as well, and all is there.

use std::process::{Command, Stdio};

use super::Seed;
use crate::support::{
    Aim, Begin, Checker, Checkpoints, Promise, Reach, Rng, Sandbox, Score, Trail, Tree, from_env, ran,
};

const FILES: u64 = 120;
/// Kills while it opens, on one state.
const KILLS: u64 = 8;

/// Leaves a run in the middle of a commit.
fn kill_a_run(sandbox: &Sandbox, rng: &mut Rng) -> Promise {
    let mut command = sandbox.run_command(&["--workers", "1"]);
    let mut trail = Trail::new(&sandbox.state);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let checkpoints = Checkpoints::ask(&sandbox.state, rng.next(), super::STRETCH);
    Aim::within(Begin::Log, &Reach::changes(5), rng).meet(&run, &mut trail, rng);
    run.kill().unwrap();
    run.wait().unwrap();
    checkpoints.end()
}

fn that_opens(sandbox: &Sandbox, rng: &mut Rng) -> Command {
    match rng.within(0..10) {
        0..6 => sandbox.run_command(&[]),
        6 => sandbox.command(["compact"]),
        7 => sandbox.command(["records"]),
        8 => sandbox.command(["status"]),
        _ => {
            let mut command = sandbox.command(["watch", "--progress", "never"]);
            command.arg(&sandbox.root);
            command
        }
    }
}

/// Kills it once, between the lock of the state and what shows that it is open: the control socket, or the end.
fn round(sandbox: &Sandbox, rng: &mut Rng, reach: &mut Reach, score: &mut Score) {
    let mut command = that_opens(sandbox, rng);
    let _ = std::fs::remove_file(sandbox.state.join("ctl.sock"));
    let aim = Aim::within(Begin::Change, reach, rng);
    let mut trail = Trail::new(&sandbox.state).with_open();
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let is_open = |trail: &Trail| trail.has("ctl.sock") || trail.has_logged();
    let met = aim.meet_before(&process, &mut trail, rng, is_open);
    process.kill().unwrap();
    let ended = process.wait_with_output().unwrap();
    let was_opening = ended.status.code().is_none() && ended.stdout.is_empty() && !is_open(&trail);
    reach.learn(was_opening);
    score.note(was_opening && trail.has_changed(), &met.step);
}

#[test]
fn a_process_that_is_killed_while_it_opens_a_state_changes_nothing_that_was_committed() {
    let seed = Seed(from_env("OUTLAST_KILL_SEED", 20));
    let rounds = from_env("OUTLAST_OPEN_ROUNDS", 24);
    let mut lives = Rng::new(seed.0);
    let mut reach = Reach::looks(12);
    let mut score = Score::default();
    let mut done = 0;
    while done < rounds {
        let mut rng = Rng::new(lives.next());
        let sandbox = Sandbox::new();
        let mut tree = Tree::grow(&sandbox.root, lives.next(), FILES);
        if rng.chance(50) {
            sandbox.run(&[]);
            tree.change(FILES / 2);
        }
        let promised = kill_a_run(&sandbox, &mut rng);
        for _ in 0..KILLS.min(rounds - done) {
            done += 1;
            round(&sandbox, &mut rng, &mut reach, &mut score);
        }
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        if told.code == Some(10) {
            assert_eq!(promised, Promise::default(), "a state that was promised from is gone: {told}");
        } else {
            let held = Promise::of(&told.expect(0).json());
            assert!(held.tick >= promised.tick && held.log >= promised.log, "{promised:?}, and {held:?}");
        }
        let told = sandbox.run(&[]);
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        Checker::new(&sandbox.state, &[&sandbox.root]).with_history(&tree.history).assert();
    }
    score.assert("killed between the lock of a state and its being open");
}
