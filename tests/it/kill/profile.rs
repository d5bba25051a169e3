//! Killed with one profile, and resumed with the same and with another one: other rules, other workers, the same records.

use std::process::{Command, Stdio};

use super::Seed;
use crate::support::{
    Aim, Begin, Checker, Checkpoints, Promise, Reach, Rng, Sandbox, Score, Trail, Tree, from_env,
};

const FILES: u64 = 160;
const KILLS: u64 = 6;

const PROFILES: [&str; 3] = ["day", "night", "calm"];

const SETTINGS: &str = r#"
[profile.day]
workers = "3"
order = "smallest"
[[profile.day.priority]]
match = "*[02468]*"
class = "high"
[[profile.day.priority]]
larger-than = "1K"
class = "low"

[profile.night]
inherits = "day"
workers = "1"
order = "path"
strategy = "language"
[[profile.night.priority]]
newer-than = "1s"
class = "low"
[[profile.night.priority]]
match = "*[02468]*"
class = "low"

[profile.calm]
workers = "2"
"#;

fn run(sandbox: &Sandbox, profile: &str) -> Command {
    sandbox.run_command(&["--profile", profile])
}

#[test]
fn a_run_that_is_killed_with_a_profile_goes_on_with_the_same_and_with_another_one() {
    let seed = Seed(from_env("OUTLAST_KILL_SEED", 20));
    let rounds = from_env("OUTLAST_PROFILE_ROUNDS", 18);
    let mut lives = Rng::new(seed.0);
    let (mut reach, mut score) = (Reach::changes(6), Score::default());
    let mut done = 0;
    while done < rounds {
        let mut rng = Rng::new(lives.next());
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.dir.path().join("outlast.toml"), SETTINGS).unwrap();
        let mut tree = Tree::grow(&sandbox.root, lives.next(), FILES);
        let mut profile = PROFILES[rng.within(0..3) as usize];
        let mut promised = Promise::default();
        for kill in 0..KILLS.min(rounds - done) {
            done += 1;
            let mut trail = Trail::new(&sandbox.state);
            let mut command = run(&sandbox, profile);
            let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let checkpoints = Checkpoints::ask(&sandbox.state, rng.next(), super::STRETCH);
            let met = Aim::within(Begin::Change, &reach, &mut rng).meet(&process, &mut trail, &mut rng);
            process.kill().unwrap();
            let was_killed = process.wait().unwrap().code().is_none();
            promised = promised.max(checkpoints.end());
            reach.learn(was_killed);
            score.note(was_killed && trail.has_changed(), &met.step);
            if kill % 2 == 1 {
                tree.change(FILES / 4);
            }
            if rng.chance(60) {
                profile = PROFILES[rng.within(0..3) as usize];
            }
        }
        let told = crate::support::ran(&mut run(&sandbox, profile));
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        let status = sandbox.status();
        let held = Promise::of(&status);
        assert!(held.tick >= promised.tick && held.log >= promised.log, "{promised:?}, and {held:?}");
        assert_eq!(status["total"]["pending"], 0, "{status}");
        Checker::new(&sandbox.state, &[&sandbox.root]).with_history(&tree.history).assert();
    }
    score.assert("killed with a profile while the state changes");
}
