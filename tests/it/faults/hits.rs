//! A fault at each call that makes state durable, one run for each. The next run ends as if there had been
//! none: nothing acknowledged is lost, nothing is there twice.
//!
//! `OUTLAST_FAULT_SEED` sets the seed, `OUTLAST_FAULT_ALL=1` tries every fault at every call.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::{Place, change, grow, is_a_good_message};

use crate::support::{Checker, Ran, Rng, copy, from_env, ran, skip};

const THREADS: usize = 3;
const SIGABRT: i32 = 6;
/// Each fault is tried once at each place, and in so many of a hundred further calls there.
const SAMPLE_PERCENT: u64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Abort,
    Io,
    NoSpace,
    Short,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Abort, Self::Io, Self::NoSpace, Self::Short];

    fn name(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Io => "EIO",
            Self::NoSpace => "ENOSPC",
            Self::Short => "short",
        }
    }

    /// Whether a run that met it ended as it should.
    fn judge(self, told: &Ran, within: &Path) -> Result<(), String> {
        match (self, told.code) {
            (Self::Abort, None) if told.signal == Some(SIGABRT) => Ok(()),
            (Self::Abort, _) => Err(format!("not aborted: {told}")),
            _ if told.crashed() => Err(format!("went down: {told}")),
            // What is only a hint may be missing.
            (_, Some(0 | 3)) => Ok(()),
            (Self::Io, Some(1)) => is_a_good_message(told, within, "Input/output error"),
            (Self::NoSpace | Self::Short, Some(1 | 75)) => is_a_good_message(told, within, "No space left"),
            _ => Err(format!("an unexpected end: {told}")),
        }
    }
}

/// A call that can fail, by its number in a run, from 1.
#[derive(Debug, Clone)]
struct Hit {
    number: usize,
    place: String,
    is_write: bool,
}

impl Hit {
    fn read(log: &Path) -> Vec<Self> {
        let text = fs::read_to_string(log).unwrap_or_default();
        let hit = |(at, line): (usize, &str)| Self {
            number: at + 1,
            place: line.trim_end_matches(" write").to_owned(),
            is_write: line.ends_with(" write"),
        };
        text.lines().enumerate().map(hit).collect()
    }
}

/// Where the runs begin: a tree, and a state or none.
struct RunScope {
    folder: tempfile::TempDir,
    root: PathBuf,
    state: Option<PathBuf>,
    tick: u64,
    work: Work,
}

/// What suffers the fault.
#[derive(Debug, Clone, Copy)]
enum Work {
    Run,
    /// A run that has more to compact than to process.
    CompactingRun,
    Compact,
}

impl Work {
    fn command(self, place: &Place) -> Command {
        match self {
            Self::Run => place.run_command(),
            Self::CompactingRun => {
                let mut command = place.run_command();
                command.args(["--compact-min", "0B", "--compact-above", "10"]);
                command
            }
            Self::Compact => place.command(&["compact", "--format", "json"]),
        }
    }
}

impl RunScope {
    /// A tree that was never ingested.
    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("tree");
        grow(&root);
        Self { folder, root, state: None, tick: 0, work: Work::Run }
    }

    /// One that has changed since it was.
    fn changed() -> Self {
        let mut ground = Self::fresh();
        let state = ground.folder.path().join("state");
        let place = Place { root: ground.root.clone(), state: state.clone() };
        place.finish().unwrap();
        ground.tick = place.tick().unwrap().unwrap();
        ground.state = Some(state);
        change(&ground.root, 1);
        fs::remove_dir_all(ground.root.join("m3")).unwrap();
        ground
    }

    /// One whose record log is for the most part out of date, and the tree as it was ingested last.
    fn worn(work: Work) -> Self {
        let mut ground = Self::fresh();
        let state = ground.folder.path().join("state");
        let place = Place { root: ground.root.clone(), state: state.clone() };
        for salt in 0..3 {
            place.finish().unwrap();
            change(&ground.root, salt);
            fs::remove_file(ground.root.join(format!("m1/f{}.ast.json", 1 + 4 * salt))).unwrap();
        }
        place.finish().unwrap();
        ground.tick = place.tick().unwrap().unwrap();
        (ground.state, ground.work) = (Some(state), work);
        ground
    }

    /// A copy of the state, in this folder.
    fn place(&self, folder: &Path) -> Place {
        let state = folder.canonicalize().unwrap().join("state");
        self.state.iter().for_each(|from| copy(from, &state));
        Place { root: self.root.clone(), state }
    }

    /// All the calls of a run without a fault.
    fn hits(&self) -> Vec<Hit> {
        let folder = tempfile::tempdir().unwrap();
        let (place, log) = (self.place(folder.path()), folder.path().join("hits"));
        let mut command = self.work.command(&place);
        let told = ran(command.env("OUTLAST_FAILPOINT", "count").env("OUTLAST_FAILPOINT_LOG", &log));
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
        Hit::read(&log)
    }

    /// Runs with a fault, then without one. Returns whether the first one met it.
    fn suffer(&self, hit: &Hit, fault: Fault) -> Result<bool, String> {
        let folder = tempfile::tempdir().unwrap();
        let (place, log) = (self.place(folder.path()), folder.path().join("hits"));
        let mut command = self.work.command(&place);
        let plan = format!("{}={}", hit.number, fault.name());
        let told = ran(command.env("OUTLAST_FAILPOINT", plan).env("OUTLAST_FAILPOINT_LOG", &log));
        let hits = Hit::read(&log);
        let met = hits.get(hit.number - 1);
        if let Some(met) = met {
            fault.judge(&told, place.state.parent().unwrap()).map_err(|wrong| format!("{met:?}: {wrong}"))?;
        }
        let acknowledged = hits.iter().filter(|hit| hit.place == "witness.synced").count() as u64;
        let kept = match place.tick()? {
            Some(tick) => tick >= self.tick + acknowledged,
            None => self.tick + acknowledged == 0,
        };
        if !kept {
            return Err(format!("{acknowledged} ticks were committed, and some are gone: {told}"));
        }
        place.finish().map_err(|wrong| format!("{wrong}\nafter {told}"))?;
        let checker = Checker::new(&place.state, &[&place.root]);
        checker.check().map_err(|wrong| format!("{wrong}\nafter {told}"))?;
        Ok(met.is_some())
    }

    fn cases(&self, rng: &mut Rng) -> Vec<(Hit, Fault)> {
        let all = from_env("OUTLAST_FAULT_ALL", 0) > 0;
        let mut tried = BTreeSet::new();
        let hits = self.hits();
        let pairs = hits.iter().flat_map(|hit| Fault::ALL.map(|fault| (hit.clone(), fault)));
        pairs
            .filter(|(hit, fault)| *fault != Fault::Short || hit.is_write)
            .filter(|(hit, fault)| {
                tried.insert((hit.place.clone(), fault.name())) || rng.chance(SAMPLE_PERCENT) || all
            })
            .collect()
    }
}

fn each_call_fails_once(ground: impl FnOnce() -> RunScope, seed: u64) {
    if !cfg!(debug_assertions) {
        return skip("calls fail in debug builds only");
    }
    let ground = ground();
    let cases = ground.cases(&mut Rng::new(seed));
    let places: BTreeSet<_> = cases.iter().map(|(hit, _)| hit.place.clone()).collect();
    assert!(places.len() >= 15, "only these calls are tried: {places:?}");
    let (count, todo) = (cases.len(), Mutex::new(cases.into_iter()));
    let (problems, met) = (Mutex::new(Vec::new()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().next();
                    let Some((hit, fault)) = next else { return };
                    match ground.suffer(&hit, fault) {
                        Ok(was_met) => *met.lock().unwrap() += usize::from(was_met),
                        Err(wrong) => problems.lock().unwrap().push(format!("{hit:?}, {fault:?}: {wrong}")),
                    }
                }
            });
        }
    });
    let (problems, met) = (problems.into_inner().unwrap(), met.into_inner().unwrap());
    eprintln!("{count} faults at {} places, {met} of them met, seed {seed}", places.len());
    assert!(problems.is_empty(), "{} of {count}, seed {seed}:\n{}", problems.len(), problems.join("\n\n"));
    assert!(met * 10 >= count * 9, "only {met} of {count} faults happened");
}

#[test]
fn each_call_of_a_first_run_fails_once() {
    each_call_fails_once(RunScope::fresh, from_env("OUTLAST_FAULT_SEED", 11));
}

#[test]
fn each_call_of_a_later_run_fails_once() {
    each_call_fails_once(RunScope::changed, from_env("OUTLAST_FAULT_SEED", 12));
}

#[test]
fn each_call_of_a_compaction_fails_once() {
    each_call_fails_once(|| RunScope::worn(Work::Compact), from_env("OUTLAST_FAULT_SEED", 13));
}

#[test]
fn each_call_of_a_run_that_compacts_fails_once() {
    each_call_fails_once(|| RunScope::worn(Work::CompactingRun), from_env("OUTLAST_FAULT_SEED", 14));
}
