//! Killed again and again, at any instant: nothing is lost, and nothing is there twice.
//!
//! `OUTLAST_KILL_ROUNDS` sets the number of rounds, `OUTLAST_COMPACT_ROUNDS`, `OUTLAST_OPEN_ROUNDS` and
//! `OUTLAST_PROFILE_ROUNDS` those of kills within a compaction, while a state is opened, and with one profile after
//! another; `OUTLAST_KILL_SEED` the seed.

mod compaction;
mod opening;
mod profile;

use std::process::Stdio;
use std::time::Duration;

use crate::support::{
    Aim, Begin, Checker, Checkpoints, Heartbeats, Promise, Reach, Rng, Sandbox, Score, Trail, Tree, copy,
    from_env, last_job, list, outlast, ran, read_log, read_segments, summary_adds_up,
};

/// Work for as many ticks in a release build.
const FILES: u64 = if cfg!(debug_assertions) { 220 } else { 600 };
/// Rounds on one state, before it is checked and the next begins with none.
const ROUNDS_OF_A_STATE: u64 = 6;

/// How long a run works on between two commits, about.
const STRETCH: Duration = Duration::from_millis(2);

/// What came of the rounds.
#[derive(Debug, Default)]
struct Count {
    rounds: u64,
    /// The run had not come to its end.
    interrupted: u64,
    /// Killed before there was a state.
    without_state: u64,
    /// Killed with some work committed, and some not.
    midway: u64,
    resumed: u64,
}

/// The rounds of all states.
struct Rounds {
    count: Count,
    /// Those between the first tick of the run that wrote records and its end.
    score: Score,
    any_time: Reach,
    changes: Reach,
}

/// A state, from nothing to the last check.
struct Life {
    sandbox: Sandbox,
    tree: Tree,
    rng: Rng,
    promised: Promise,
    /// What is committed.
    held: Promise,
    was_interrupted: bool,
}

impl Life {
    fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let tree = Tree::grow(&sandbox.root, seed, FILES);
        Self {
            sandbox,
            tree,
            rng: Rng::new(!seed),
            promised: Promise::default(),
            held: Promise::default(),
            was_interrupted: false,
        }
    }

    fn round(&mut self, rounds: &mut Rounds) {
        let rng = &mut self.rng;
        let is_any_time = rng.chance(10);
        let (aim, reach) = match is_any_time {
            true => (Aim::within(Begin::Start, &rounds.any_time, rng), &mut rounds.any_time),
            false => (Aim::within(Begin::Ticks(1), &rounds.changes, rng), &mut rounds.changes),
        };
        let workers = rng.within(1..4).to_string();
        let names_files = rng.chance(30);
        let mut command = self.sandbox.command(["run", "--format", "json", "--heartbeat", "0.01"]);
        command
            .args(["--workers", &workers])
            .arg(&self.sandbox.root)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if names_files {
            let files = list(&self.sandbox.root).into_iter().flat_map(|path| [path, vec![0]].concat());
            let named = self.sandbox.dir.path().join("named");
            std::fs::write(&named, files.collect::<Vec<u8>>()).unwrap();
            command.arg("--files-from").arg(named);
        }
        let mut trail = Trail::new(&self.sandbox.state);
        let mut run = command.spawn().unwrap();
        let heartbeats = Heartbeats::read(run.stderr.take().unwrap());
        let checkpoints = rng.chance(90).then(|| Checkpoints::ask(&self.sandbox.state, rng.next(), STRETCH));
        let met = aim.meet(&run, &mut trail, rng);
        run.kill().unwrap();
        let ended = run.wait().unwrap();
        let (promised, _, said) = heartbeats.end();
        let promised = checkpoints.map_or(promised, |asked| promised.max(asked.end()));
        self.promised = self.promised.max(promised);
        let count = &mut rounds.count;
        count.rounds += 1;
        self.was_interrupted = ended.code().is_none();
        count.interrupted += u64::from(self.was_interrupted);
        let fine = self.was_interrupted || matches!(ended.code(), Some(0 | 3));
        assert!(fine, "killed at {met:?}, and the run ended with {ended}: {said}");
        let is_midway = self.look_at_copy();
        reach.learn(if is_any_time { met.is_there } else { is_midway });
        rounds.score.note(self.was_interrupted && is_midway, &met.step);
        if self.rng.chance(40) {
            self.look(count);
        }
        // A run that finds little to do has few ticks.
        if self.rng.chance(80) {
            let times = self.rng.within(FILES / 8..FILES * 2 / 3);
            self.tree.change(times);
            self.tree.refill(FILES as usize * 3 / 4);
        }
    }

    /// Looks at a copy, so that the next run finds the state as the kill has left it. Returns whether the run had
    /// committed records, and not its end.
    fn look_at_copy(&mut self) -> bool {
        let copied = self.sandbox.dir.path().join("copied");
        let _ = std::fs::remove_dir_all(&copied);
        if !self.sandbox.state.exists() {
            return false;
        }
        copy(&self.sandbox.state, &copied);
        let told = ran(outlast().args(["status", "--format", "json", "--state"]).arg(&copied));
        if told.code == Some(10) {
            return false;
        }
        let status = told.expect(0).json();
        let held = Promise::of(&status);
        assert!(
            held.tick >= self.promised.tick && held.log >= self.promised.log,
            "{:?}: {status}",
            self.promised
        );
        let before = std::mem::replace(&mut self.held, held);
        held.log > before.log && last_job(&status)["end"] == "killed"
    }

    /// What was reported as committed is there, in whole lines, before any run repairs anything.
    fn look(&mut self, count: &mut Count) {
        let told = ran(&mut self.sandbox.command(["status", "--format", "json"]));
        if told.code == Some(10) {
            assert_eq!(self.promised, Promise::default(), "a state that was reported from is gone: {told}");
            assert!(read_segments(&self.sandbox.records()).is_empty(), "records without a state: {told}");
            count.without_state += 1;
            return;
        }
        let status = told.expect(0).json();
        let held = Promise::of(&status);
        let kept = held.tick >= self.promised.tick && held.log >= self.promised.log;
        assert!(kept, "{:?} was reported as committed, and there is {held:?}", self.promised);
        let records = read_log(&self.sandbox.records(), held.log).unwrap();
        count.midway += u64::from(!records.is_empty() && status["total"]["pending"] != 0);
    }

    /// Runs to the end, and checks everything.
    fn end(self, count: &mut Count) {
        let summary = self.sandbox.run(&[]).json();
        summary_adds_up(&summary).unwrap();
        assert_eq!(summary["pending"], 0, "{summary}");
        // A run that was killed after its last commit had come to its end.
        assert!(self.was_interrupted || summary["resumed"] == false, "{summary}");
        count.resumed += u64::from(summary["resumed"] == true);
        Checker::new(&self.sandbox.state, &[&self.sandbox.root]).with_history(&self.tree.history).assert();
        self.sandbox.settle();
        self.sandbox.run(&[]);
        let summary = self.sandbox.run(&[]).json();
        assert_eq!(summary["unchanged"], summary["discovered"], "all is done, and was done again: {summary}");
    }
}

/// Prints the seed where a test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with OUTLAST_KILL_SEED={}", self.0);
        }
    }
}

#[test]
fn killed_at_any_instant_each_version_is_recorded_once() {
    let seed = Seed(from_env("OUTLAST_KILL_SEED", 20));
    let rounds = from_env("OUTLAST_KILL_ROUNDS", 100);
    let mut all = Rounds {
        count: Count::default(),
        score: Score::default(),
        any_time: Reach::looks(400),
        changes: Reach::changes(6),
    };
    let mut lives = Rng::new(seed.0);
    while all.count.rounds < rounds {
        let mut life = Life::new(lives.next());
        for _ in 0..ROUNDS_OF_A_STATE.min(rounds - all.count.rounds) {
            life.round(&mut all);
        }
        life.end(&mut all.count);
    }
    let count = all.count;
    eprintln!("{count:?}, {:?}, {:?}", all.any_time, all.changes);
    all.score.assert("killed after the first tick with records, and before the end");
    assert!(count.interrupted * 2 >= rounds, "too few runs were interrupted: {count:?}");
    assert!(rounds < 100 || count.midway > 5, "too few runs were killed midway: {count:?}");
}
