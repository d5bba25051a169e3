//! Power cuts: the file system under the state goes down without writing anything more, and what was
//! reported as committed is there when it comes back.
//!
//! `OUTLAST_POWER_ROUNDS` sets the number of rounds on each file system, `OUTLAST_POWER_SEED` the seed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{
    Aim, Begin, Checker, Checkpoints, Disk, Heartbeats, Promise, Reach, Rng, Score, Trail, Tree, from_env,
    last_job, outlast, ran, read_log, skip,
};

/// Work for as many ticks in a release build.
const FILES: u64 = if cfg!(debug_assertions) { 260 } else { 600 };

/// The disk under the state. The folder that holds image and tree is dropped last.
struct Bench {
    disk: Disk,
    tree: Tree,
    rng: Rng,
    promised: Promise,
    /// What is committed.
    held: Promise,
    /// Cuts that came before the end of the run, with something promised.
    midway: u64,
    /// Those between the first tick of the run that wrote records and its end.
    score: Score,
    any_time: Reach,
    changes: Reach,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(kind: &str, seed: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        // The least that XFS takes.
        let mut disk = Disk::make(folder.path(), kind, 320 << 20)?;
        disk.loses_what_is_not_synced()?;
        let root = folder.path().canonicalize().unwrap().join("tree");
        let tree = Tree::grow(&root, seed, FILES);
        Ok(Self {
            disk,
            tree,
            rng: Rng::new(!seed),
            promised: Promise::default(),
            held: Promise::default(),
            midway: 0,
            score: Score::default(),
            any_time: Reach::looks(400),
            changes: Reach::changes(6),
            folder,
        })
    }

    fn state(&self) -> PathBuf {
        self.disk.mount.join("state")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = outlast();
        command.current_dir(self.folder.path()).args(args).arg("--state").arg(self.state());
        command
    }

    fn round(&mut self) {
        let mut command =
            self.command(&["run", "--format", "json", "--progress", "auto", "--heartbeat", "0.02"]);
        command.args(["--workers", "1"]).arg(&self.tree.root).stdout(Stdio::null()).stderr(Stdio::piped());
        let state = self.state();
        let is_any_time = self.rng.chance(10);
        // The witness of the first tick may be written and not be synced: by the second one it is.
        let aim = match is_any_time {
            true => Aim::within(Begin::Start, &self.any_time, &mut self.rng),
            false => Aim::within(Begin::Ticks(2), &self.changes, &mut self.rng),
        };
        let mut trail = Trail::new(&state);
        let mut run = command.spawn().unwrap();
        let heartbeats = Heartbeats::read(run.stderr.take().unwrap());
        let checkpoints = Checkpoints::ask(&state, self.rng.next(), Duration::from_millis(2));
        let met = aim.meet(&run, &mut trail, &mut self.rng);
        self.disk.cut().unwrap();
        let cut_short = run.try_wait().unwrap().is_none();
        run.kill().unwrap();
        run.wait().unwrap();
        let (promised, beats, said) = heartbeats.end();
        let promised = promised.max(checkpoints.end());
        assert!(!said.contains("panicked"), "cut at {met:?}: {said}");
        self.midway += u64::from(cut_short && beats > 0 && promised.tick > self.promised.tick);
        self.promised = self.promised.max(promised);
        self.disk.unmount().unwrap();
        self.disk.mount().unwrap();
        // A power cut would have been followed by another boot.
        let boot = state.join("db.before/boot");
        if boot.exists() {
            fs::write(boot, "another").unwrap();
        }
        let is_midway = self.look(&format!("cut at {met:?}"));
        self.score.note(cut_short && is_midway, &met.step);
        match is_any_time {
            true => self.any_time.learn(met.is_there),
            false => self.changes.learn(cut_short && is_midway),
        }
        // A run that finds little to do has few ticks.
        let times = self.rng.within(FILES / 4..FILES * 2 / 3);
        self.tree.change(times);
        self.tree.refill(FILES as usize * 3 / 4);
    }

    /// What was reported as committed is still there. Returns whether the run had committed records, and not its end.
    fn look(&mut self, when: &str) -> bool {
        let told = ran(&mut self.command(&["status", "--format", "json"]));
        if self.promised == Promise::default() && told.code == Some(10) {
            return false;
        }
        let status = told.expect(0).json();
        let held = Promise::of(&status);
        let kept = held.tick >= self.promised.tick && held.log >= self.promised.log;
        assert!(kept, "{when}: {:?} was reported as committed, and there is {held:?}", self.promised);
        read_log(&self.state().join("records"), held.log).unwrap();
        let before = std::mem::replace(&mut self.held, held);
        held.log > before.log && last_job(&status)["end"] == "killed"
    }

    fn end(&mut self) {
        let mut command = self.command(&["run", "--format", "json", "--progress", "never"]);
        let told = ran(command.arg(&self.tree.root));
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        Checker::new(&self.state(), &[&self.tree.root]).with_history(&self.tree.history).assert();
    }
}

fn power_is_cut(kind: &str, default_rounds: u64) {
    let seed = from_env("OUTLAST_POWER_SEED", 7);
    let rounds = from_env("OUTLAST_POWER_ROUNDS", default_rounds);
    let mut bench = match Bench::new(kind, seed) {
        Ok(bench) => bench,
        Err(why) => return skip(&format!("power cuts on {kind} can't be simulated here: {why}")),
    };
    for round in 1..=rounds {
        bench.round();
        // A state of its own for the first ticks, now and then.
        if round % 4 == 0 {
            bench.end();
            fs::remove_dir_all(bench.state()).unwrap();
            (bench.promised, bench.held) = Default::default();
        }
    }
    bench.end();
    let midway = bench.midway;
    eprintln!("{kind}: {rounds} power cuts, {midway} of them after ticks of the same run and before its end");
    bench.score.assert(&format!("{kind}: cut off after the first tick with records, and before the end"));
    assert!(rounds < 20 || midway > 2, "too few cuts came midway: {midway} of {rounds}");
}

#[test]
fn what_was_committed_survives_a_power_cut_on_xfs() {
    power_is_cut("xfs", 3);
}

#[test]
fn what_was_committed_survives_a_power_cut_on_ext4() {
    power_is_cut("ext4", 2);
}
