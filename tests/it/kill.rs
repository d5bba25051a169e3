//! Killed again and again, at any instant: nothing is lost, and nothing is there twice.
//!
//! `OUTLAST_KILL_ROUNDS` sets the number of rounds, `OUTLAST_KILL_SEED` the seed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{
    Checker, Heartbeats, Moment, Promise, Rng, Sandbox, Tree, from_env, ran, read_log, read_segments,
    summary_adds_up,
};

const FILES: u64 = 220;
/// Rounds on one state, before it is checked and the next begins with none.
const ROUNDS_OF_A_STATE: u64 = 6;

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

/// A state, from nothing to the last check.
struct Life {
    sandbox: Sandbox,
    tree: Tree,
    rng: Rng,
    promised: Promise,
    was_interrupted: bool,
}

impl Life {
    fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let tree = Tree::grow(&sandbox.root, seed, FILES);
        Self { sandbox, tree, rng: Rng::new(!seed), promised: Promise::default(), was_interrupted: false }
    }

    /// `whole_run` is the time that instants are chosen within; a run that ends sooner shortens it.
    fn round(&mut self, whole_run: &mut Duration, count: &mut Count) {
        let instant = Moment::choose(&mut self.rng, *whole_run);
        let workers = self.rng.within(1..4).to_string();
        let mut command = self.sandbox.command(["run", "--format", "json", "--heartbeat", "0.01"]);
        command
            .args(["--workers", &workers])
            .arg(&self.sandbox.root)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut run = command.spawn().unwrap();
        let heartbeats = Heartbeats::read(run.stderr.take().unwrap());
        instant.wait(&mut run, &self.sandbox.records());
        run.kill().unwrap();
        let ended = run.wait().unwrap();
        let (promised, _, said) = heartbeats.end();
        self.promised = self.promised.max(promised);
        count.rounds += 1;
        self.was_interrupted = ended.code().is_none();
        count.interrupted += u64::from(self.was_interrupted);
        if let (false, Moment::After(time)) = (self.was_interrupted, &instant) {
            *whole_run = (*whole_run).min(*time);
        }
        let fine = self.was_interrupted || matches!(ended.code(), Some(0 | 3));
        assert!(fine, "killed at {instant:?}, and the run ended with {ended}: {said}");
        if self.rng.chance(40) {
            self.look(count);
        }
        if self.rng.chance(60) {
            let times = self.rng.within(1..120);
            self.tree.change(times);
        }
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
    let calibration = Life::new(seed.0);
    let begun = Instant::now();
    calibration.sandbox.run(&[]);
    let mut whole_run = begun.elapsed();
    let mut count = Count::default();
    let mut lives = Rng::new(seed.0);
    while count.rounds < rounds {
        let mut life = Life::new(lives.next());
        for _ in 0..ROUNDS_OF_A_STATE.min(rounds - count.rounds) {
            life.round(&mut whole_run, &mut count);
        }
        life.end(&mut count);
    }
    eprintln!("a whole run takes {whole_run:?}; {count:?}");
    assert!(count.interrupted * 2 >= rounds, "too few runs were interrupted: {count:?}");
    assert!(rounds < 100 || count.midway > 5, "too few runs were killed midway: {count:?}");
}
