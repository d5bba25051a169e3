//! Simulated runs: the real stages, one step at a time in an order that a seed chooses, with a clock that stands
//! still between steps. Everything that can go wrong does: reads fail, the tree goes away and comes back, files
//! change and a watcher reports it, the processor fails and hangs, the state can't be written, or turns out to be
//! damaged, the process dies. At the end all faults are lifted, and then each file must have its one record.
//!
//! `OUTLAST_SIM_SEEDS` sets the number of schedules, `OUTLAST_SIM_SEED` the first. `OUTLAST_SIM_DIGESTS` names a file
//! that gets a line for each: its seed and a digest of its result. A change that only moves code leaves all of them
//! unchanged.

mod attempt;
mod judge;
mod world;

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use super::job_plan::{self, JobPlan};
use super::roots::GivenRoot;
use super::store::Store;
use crate::engine::coordinator::health::Health;
use crate::engine::coordinator::run_state::RunState;
use crate::engine::resources::breaker::Breakers;
use crate::engine::resources::machine::Usage;
use crate::engine::resources::memory_meter::Meter;
use crate::ledger::{Ledger, LedgerError, RootInfo, StateFolder, damage};
use crate::model::{BatchConfig, BatchPriority, Clock, PriorityRule};
use judge::Verdict;
use world::{Behaviour, Trouble, World};

/// The number of schedules: together they take some seconds.
const SEEDS: u64 = 250;
/// Further schedules: a scan's older sighting is applied after a watcher's report, while a worker has the older version
/// of a file that was rewritten, or, in the last four, removed.
const OLDER_SIGHTINGS: [u64; 7] = [5553, 11_485, 12_140, 420, 5006, 10_070, 11_565];
/// Starts of the process in one schedule.
const LIVES_MAX: u64 = 4;
const LIMIT_BYTES: u64 = 256 << 20;
/// One in this many schedules has a tree that is not in memory, so that files are read ahead.
const COLD: u64 = 4;
/// In one of so many schedules files are processed together. It has no divisor in common with [`COLD`] and [`RULED`],
/// so that such files are read ahead and have priorities, too.
const TOGETHER: u64 = 5;

thread_local! {
    /// Free space of the state's file system.
    static FREE: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Memory in use by the process.
    static RSS: Cell<u64> = const { Cell::new(0) };
}

/// One in this many schedules has priority rules, other ones in each life of its process.
const RULED: u64 = 3;

/// Numbers from a seed (splitmix64).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The faults that a process meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Faults {
    /// Any that the seed chooses, and then its death.
    Any,
    /// Each read fails, from the end of the scan until the process dies.
    Reads,
    None,
}

/// One schedule.
struct Schedule {
    rng: Rng,
    world: World,
    clock: Clock,
    config: Arc<BatchConfig>,
    names: u64,
    /// Changed files that no watcher has reported.
    touched: Vec<String>,
    /// Whether its processes have priority rules.
    is_ruled: bool,
    lives: u64,
    /// The most files that the processor gets together; 0 where it gets one at a time.
    files_max: usize,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let config = BatchConfig {
            worker_count: 1 + rng.below(3) as usize,
            batch_size: 1 + rng.below(8) as usize,
            checkpoint_interval: 1 + rng.below(6) as usize,
            timeout_seconds: 5,
            compact_above_percent: 10 + rng.below(91),
            compact_min_bytes: rng.below(4000),
            ..BatchConfig::default()
        };
        let clock = Clock::simulated();
        let config = Arc::new(config);
        let touched = Vec::new();
        let is_ruled = seed.is_multiple_of(RULED);
        let world = World::new(seed.is_multiple_of(COLD));
        let files_max = if seed.is_multiple_of(TOGETHER) { 2 + (seed / TOGETHER % 5) as usize } else { 0 };
        let mut schedule =
            Self { rng, world, clock, config, names: 0, touched, is_ruled, lives: 0, files_max };
        for _ in 0..8 + schedule.rng.below(30) {
            schedule.add_file();
        }
        schedule
    }

    fn add_file(&mut self) {
        let folder = ["", "a/", "b/", "c/"][self.rng.below(4) as usize];
        self.names += 1;
        let path = format!("{folder}f{}", self.names);
        self.write(path);
    }

    fn write(&mut self, path: String) {
        let behaviour = match self.rng.below(20) {
            0 => Behaviour::Parse,
            1 => Behaviour::Error,
            2 => Behaviour::Panic,
            3 => Behaviour::Busy(1 + self.rng.below(4) as u32),
            _ => Behaviour::Fine,
        };
        self.touched.push(path.clone());
        self.world.lock().write(path, behaviour);
    }

    /// Causes a fault of the tree or the machine.
    fn disturb(&mut self) {
        match self.rng.below(12) {
            0 => self.world.lock().trouble = Trouble::Unmounted,
            1 => self.world.lock().trouble = Trouble::Failing(rustix::io::Errno::IO),
            2 => self.world.lock().trouble = Trouble::Failing(rustix::io::Errno::MFILE),
            3 => self.world.lock().trouble = Trouble::Failing(rustix::io::Errno::NOTCONN),
            4 => self.world.lock().trouble = Trouble::Flaky,
            5 => FREE.set(1 << 20),
            6 => RSS.set(LIMIT_BYTES * 2),
            7..=10 => self.edit(),
            _ => self.heal(),
        }
    }

    /// Creates, rewrites or removes a file.
    fn edit(&mut self) {
        match self.rng.below(4) {
            0 => self.add_file(),
            1 | 2 => self.with_any_file(|schedule, path| schedule.write(path)),
            _ => self.with_any_file(|schedule, path| {
                schedule.world.lock().remove(path.clone());
                schedule.touched.push(path);
            }),
        }
    }

    fn with_any_file(&mut self, act: impl FnOnce(&mut Self, String)) {
        let count = self.world.lock().files.len() as u64;
        if count > 0 {
            let at = self.rng.below(count) as usize;
            let path = self.world.lock().files.keys().nth(at).cloned().unwrap();
            act(self, path);
        }
    }

    /// Lifts all faults.
    fn heal(&self) {
        self.world.lock().trouble = Trouble::None;
        FREE.set(u64::MAX);
        RSS.set(0);
    }

    /// Runs a process from its start to its end or death. Returns whether the run ended.
    fn live(&mut self, state: &Path, faults: Faults) -> bool {
        self.touched.clear();
        self.lives += 1;
        if self.is_ruled {
            let priorities = rules(self.lives);
            self.config = Arc::new(BatchConfig { priorities, ..(*self.config).clone() });
        }
        // Where the state can't be opened, nothing happened.
        let Ok(mut store) = Store::create(state, None) else { return false };
        let Ok(plan) = self.begin(&mut store) else { return false };
        let meter = Meter::new(LIMIT_BYTES, || Usage { rss_bytes: RSS.get(), ..Usage::default() });
        let breakers = Breakers::with_seed(self.rng.next());
        let mut run = RunState::new(Health::new(meter, breakers, |_| Ok(FREE.get())));
        run.begin_job(&plan, store.ledger.cursor().tick);
        self.run(store, &plan, &mut run, faults)
    }

    fn begin(&self, store: &mut Store) -> Result<JobPlan, super::error::EngineError> {
        let known = store.state.info().roots.iter().any(|info| info.path == Path::new("/simulated"));
        if !known {
            store.state.update(|info| {
                let root = RootInfo::new(1, "simulated", "/simulated", "simulated/1");
                info.roots.push(RootInfo { target: "/simulated".into(), ..root });
            })?;
        }
        let root = GivenRoot::known("/simulated".into());
        job_plan::begin(store, &[root], "simulated/1", &self.fs_probe(), &self.config)
    }
}

/// The rules of a life of a process; in each fourth there are none.
fn rules(life: u64) -> Vec<PriorityRule> {
    let rule = |glob: &str, class| {
        let globs = vec![glob.to_owned()];
        PriorityRule { globs, class, ..PriorityRule::default() }
    };
    let old = PriorityRule { newer_than_seconds: Some(60), ..rule("*", BatchPriority::Normal) };
    let large = PriorityRule { larger_than: Some(1), ..rule("*", BatchPriority::Low) };
    match life % 4 {
        1 => vec![rule("f*[13579]", BatchPriority::High), rule("a/*", BatchPriority::Low)],
        2 => vec![old, rule("b/*", BatchPriority::High)],
        3 => vec![large, rule("f*[02468]", BatchPriority::High)],
        _ => Vec::new(),
    }
}

/// Prints the seed where a schedule fails.
struct Failing(u64);

impl Drop for Failing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with OUTLAST_SIM_SEED={} OUTLAST_SIM_SEEDS=1", self.0);
        }
    }
}

/// In memory: a sync costs nothing there.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Whether files of a schedule were read ahead, processed together, and both.
type Met = [bool; 3];

fn simulate(seed: u64) -> (Verdict, Met) {
    let _seed = Failing(seed);
    let folder = scratch();
    let state = folder.path().join("state");
    let mut schedule = Schedule::new(seed);
    for _ in 0..schedule.rng.below(LIVES_MAX) {
        schedule.live(&state, Faults::Any);
    }
    schedule.heal();
    assert!(schedule.live(&state, Faults::None), "it did not come to its end");
    let (asked, together) = {
        let world = schedule.world.lock();
        (world.asked > 0, world.batches > 0)
    };
    (judge::judge(&state, &schedule), [asked, together, asked && together])
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn whatever_happens_each_file_has_its_one_record_in_the_end() {
    let first = from_env("OUTLAST_SIM_SEED", 1);
    let seeds = from_env("OUTLAST_SIM_SEEDS", SEEDS);
    let hook = std::panic::take_hook();
    // The processor panics where its file says so.
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<&str>() || info.location().is_none_or(|at| !at.file().ends_with("world.rs")) {
            hook(info);
        }
    }));
    if seeds == SEEDS {
        OLDER_SIGHTINGS.into_iter().map(simulate).for_each(drop);
    }
    let (verdicts, met): (Vec<Verdict>, Vec<Met>) = (first..first + seeds).map(simulate).unzip();
    if let Ok(path) = std::env::var("OUTLAST_SIM_DIGESTS") {
        let lines = (first..).zip(&verdicts).map(|(seed, verdict)| format!("{seed} {}\n", verdict.digest));
        std::fs::write(path, lines.collect::<String>()).unwrap();
    }
    let compacted = verdicts.iter().map(|verdict| verdict.is_compacted).collect();
    let count = |seen: Vec<bool>| seen.into_iter().filter(|&is| is).count() as u64;
    let compacted = count(compacted);
    let [asked, together, both] = [0, 1, 2].map(|which| count(met.iter().map(|met| met[which]).collect()));
    assert!(seeds < 50 || asked >= seeds / 10, "only {asked} of {seeds} asked for files ahead");
    assert!(seeds < 50 || together >= seeds / 10, "only {together} of {seeds} processed files together");
    assert!(seeds < 50 || both >= seeds / 50, "only {both} of {seeds} did so with files read ahead");
    assert!(seeds < 50 || compacted >= seeds / 10, "only {compacted} of {seeds} logs were compacted");
}

#[test]
fn a_file_system_that_fails_for_long_costs_none_but_the_first_files_an_attempt() {
    for seed in 1..9 {
        let _seed = Failing(seed);
        let folder = scratch();
        let state = folder.path().join("state");
        let mut schedule = Schedule::new(seed);
        (0..60).for_each(|_| schedule.add_file());
        assert!(!schedule.live(&state, Faults::Reads));
        let blamed = judge::attempted(&state, &schedule);
        assert!(blamed < 5, "{blamed} files");
        schedule.heal();
        assert!(schedule.live(&state, Faults::None));
        judge::judge(&state, &schedule);
    }
}

#[test]
fn a_ledger_that_turns_out_to_be_damaged_while_it_is_scanned_is_not_written() {
    let mut damaged = 0;
    for seed in 1..60 {
        let _seed = Failing(seed);
        let folder = scratch();
        let state = folder.path().join("state");
        let mut schedule = Schedule::new(seed);
        schedule.live(&state, Faults::Any);
        // With a state that exists, has files, and is not due to be rewritten anyway.
        if schedule.live(&state, Faults::None)
            && let Some(block) = damage::take_block(&state)
        {
            let before = damage::contents(&state);
            assert!(!schedule.live(&state, Faults::Any));
            schedule.heal();
            assert!(!schedule.live(&state, Faults::None), "it came to its end");
            // A process that died has left the copy that it was to put back.
            let opened = StateFolder::open(&state).and_then(|folder| Ledger::open(&folder).map(drop));
            assert!(matches!(opened, Err(LedgerError::Damaged { .. })), "{opened:?}");
            let after = damage::contents(&state);
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
            before
                .iter()
                .for_each(|(path, bytes)| assert!(after[path] == *bytes, "{} was written", path.display()));
            damage::put_block(&state, block);
            damaged += 1;
        }
        schedule.heal();
        assert!(schedule.live(&state, Faults::None));
        judge::judge(&state, &schedule);
    }
    assert!(damaged > 20, "only {damaged} states had blocks");
}
