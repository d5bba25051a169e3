//! Damaged states: a run either names what is damaged and how to repair it, or ends with everything
//! right. Never is it silently wrong.
//!
//! `OUTLAST_DAMAGE_ROUNDS` multiplies the number of damages to each file, `OUTLAST_DAMAGE_SEED` sets the seed.

mod harm;
mod judge;
mod killed;
mod kinds;
mod long_log;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;

use crate::support::{Aim, Begin, Reach, Record, Rng, Sandbox, Trail, Tree, copy, from_env, read_segments};
use harm::Harm;

const FILES: u64 = 70;
const THREADS: usize = 2;

/// A state to be damaged, in copies.
struct Patient {
    sandbox: Sandbox,
    tree: Tree,
    /// The state as it was some runs before.
    older: PathBuf,
    /// Every line that its log holds.
    lines: BTreeSet<Vec<u8>>,
    /// The last tick that is surely committed.
    tick: u64,
    /// All of its log is committed.
    finished: bool,
}

impl Patient {
    /// After two runs, with changes between them.
    fn finished(seed: u64) -> Self {
        let mut patient = Self::after_one_run(seed);
        patient.sandbox.run(&[]);
        patient.note_lines();
        patient
    }

    /// The second run was killed while it wrote.
    fn killed(seed: u64) -> Self {
        let mut patient = Self::after_one_run(seed);
        let mut rng = Rng::new(seed);
        for _ in 0..6 {
            let mut command = patient.sandbox.run_command(&["--workers", "1"]);
            let mut trail = Trail::new(&patient.sandbox.state);
            let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            Aim::within(Begin::Log, &Reach::changes(3), &mut rng).meet(&run, &mut trail, &mut rng);
            run.kill().unwrap();
            if run.wait().unwrap().code().is_none() && trail.has_logged() {
                patient.finished = false;
                patient.note_lines();
                return patient;
            }
            patient.tree.change(60);
        }
        panic!("no run could be killed midway");
    }

    fn after_one_run(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let mut tree = Tree::grow(&sandbox.root, seed, FILES);
        sandbox.run(&[]);
        sandbox.run(&[]);
        let older = sandbox.dir.path().join("older");
        copy(&sandbox.state, &older);
        tree.change(60);
        Self { sandbox, tree, older, lines: BTreeSet::new(), tick: 0, finished: true }
    }

    fn note_lines(&mut self) {
        for bytes in read_segments(&self.sandbox.records()).values() {
            self.lines.extend(bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec));
        }
        let ticks = self.lines.iter().filter_map(|line| Some(Record::parse(line).ok()?.tick));
        // The tick that a killed run was at is done again.
        self.tick = ticks.max().unwrap() - u64::from(!self.finished);
    }

    /// Every file of the state folder and the record folder, relative.
    fn files(&self) -> Vec<PathBuf> {
        let (mut folders, mut files) = (vec![self.sandbox.state.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    files.push(path.strip_prefix(&self.sandbox.state).unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }

    /// Damages copies in every way, and judges what comes of each.
    fn suffer(&self, seed: u64) {
        let harms = Harm::all(self, &mut Rng::new(seed), from_env("OUTLAST_DAMAGE_ROUNDS", 1));
        let (count, todo) = (harms.len(), Mutex::new(harms.into_iter().enumerate()));
        let (problems, refused) = (Mutex::new(Vec::new()), Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    loop {
                        let next = todo.lock().unwrap().next();
                        let Some((number, harm)) = next else { return };
                        match judge::judge(self, &harm, &mut Rng::new(seed + number as u64)) {
                            Ok(was_refused) => *refused.lock().unwrap() += usize::from(was_refused),
                            Err(problem) => problems.lock().unwrap().push(format!("{harm:?}: {problem}")),
                        }
                    }
                });
            }
        });
        let (problems, refused) = (problems.into_inner().unwrap(), refused.into_inner().unwrap());
        eprintln!("{count} damages, {refused} of them refused and repaired, seed {seed}");
        assert!(
            problems.is_empty(),
            "{} of {count}, seed {seed}:\n{}",
            problems.len(),
            problems.join("\n\n")
        );
        assert!(refused * 3 > count, "only {refused} of {count} damages did any harm");
    }
}

fn seed() -> u64 {
    from_env("OUTLAST_DAMAGE_SEED", 31)
}

#[test]
fn a_damaged_state_of_a_finished_run_is_refused_or_right() {
    Patient::finished(seed()).suffer(seed());
}

#[test]
fn a_damaged_state_of_a_killed_run_is_refused_or_right() {
    Patient::killed(seed()).suffer(seed());
}
