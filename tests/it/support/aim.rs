//! Aiming at a process: it runs in slices shorter than the steps of a commit, and what it did to its files is looked at
//! while it stands still. So it is killed, or its disk is cut off, at a step that was chosen, on a slow machine as on a
//! fast one: nothing depends on how long anything takes.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{Rng, Trail};

/// The longest slice far from the target, and close to it. The steps of a commit take about as long as the shorter one.
const SLICE: Duration = Duration::from_millis(1);
const SLICE_CLOSE: Duration = Duration::from_micros(200);

/// Where a process is to be met: so many looks behind so many changes of its state behind the beginning of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim {
    begin: Begin,
    changes: u64,
    looks: u64,
    /// Whether it goes on for a moment then, and is met in the midst of whatever it does.
    goes_on: bool,
}

/// What is waited for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// The process itself.
    Start,
    /// Any change of the state.
    Change,
    /// Anything that is written to the log.
    Log,
    /// So many whole ticks that wrote records.
    Ticks(u64),
}

/// Where a process was met.
#[derive(Debug)]
pub(crate) struct Met {
    /// It stands still there, or has just gone on. Otherwise it has ended, or what was aimed at is over.
    pub(crate) is_there: bool,
    /// What it did last.
    pub(crate) step: String,
    /// Changes and looks since what was waited for.
    changes: u64,
    looks: u64,
}

impl Aim {
    /// At this change behind the beginning.
    pub(crate) fn at_change(begin: Begin, changes: u64) -> Self {
        Self { begin, changes, looks: 0, goes_on: false }
    }

    /// As far behind the beginning as this reaches at most.
    pub(crate) fn within(begin: Begin, reach: &Reach, rng: &mut Rng) -> Self {
        let far = rng.within(0..reach.most);
        let (changes, looks) = match reach.unit {
            Unit::Looks => (0, far),
            // Just then, or shortly after.
            Unit::Changes if rng.chance(60) => (far, 0),
            Unit::Changes => (far, rng.within(1..6)),
        };
        Self { begin, changes, looks, goes_on: rng.chance(30) }
    }

    /// Lets the process run until it is there, or has ended.
    pub(crate) fn meet(&self, run: &Child, trail: &mut Trail, rng: &mut Rng) -> Met {
        self.meet_before(run, trail, rng, |_| false)
    }

    /// The same, unless it is too late by then. That is asked at each look, while the process stands still.
    pub(crate) fn meet_before(
        &self,
        run: &Child,
        trail: &mut Trail,
        rng: &mut Rng,
        mut is_too_late: impl FnMut(&Trail) -> bool,
    ) -> Met {
        let pid = Pid::from_child(run);
        let mut met = Met { is_there: false, step: "nothing yet".to_owned(), changes: 0, looks: 0 };
        let mut rest = self.looks;
        while run_slice(pid, rng.time_up_to(self.slice_at(&met))) {
            let has_changed = trail.look(run.id());
            if has_changed {
                trail.step().clone_into(&mut met.step);
            }
            if is_too_late(trail) {
                break;
            }
            if !self.begin.is_over(trail) {
                continue;
            }
            met.changes += u64::from(has_changed && met.looks > 0);
            met.looks += 1;
            if met.changes < self.changes {
                continue;
            }
            if rest > 0 {
                rest -= 1;
                continue;
            }
            if self.goes_on {
                signal(pid, Signal::CONT);
                std::thread::sleep(rng.time_up_to(SLICE_CLOSE));
            }
            met.is_there = true;
            break;
        }
        met
    }

    fn slice_at(&self, met: &Met) -> Duration {
        if met.looks > 0 && met.changes + 1 >= self.changes { SLICE_CLOSE } else { SLICE }
    }
}

impl Begin {
    fn is_over(self, trail: &Trail) -> bool {
        match self {
            Self::Start => true,
            Self::Change => trail.has_changed(),
            Self::Log => trail.has_logged(),
            Self::Ticks(ticks) => trail.ticks() >= ticks,
        }
    }
}

/// Lets the process run for a moment, and waits until all its threads stand still. False where it has ended.
fn run_slice(pid: Pid, time: Duration) -> bool {
    signal(pid, Signal::CONT);
    std::thread::sleep(time);
    signal(pid, Signal::STOP);
    // What has ended is left to be waited for.
    let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Ok(Some(status)) => return status.stopped(),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("{pid:?} can't be waited for: {error}"),
        }
    }
}

fn signal(pid: Pid, signal: Signal) {
    // One that has ended, and was not waited for, takes it still.
    kill_process(pid, signal).unwrap();
}

/// How far off a target may lie: less where that was too far, more where it was not.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    unit: Unit,
    most: u64,
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Changes,
    Looks,
}

impl Reach {
    /// So many changes at first.
    pub(crate) fn changes(most: u64) -> Self {
        Self { unit: Unit::Changes, most }
    }

    /// So many looks at first.
    pub(crate) fn looks(most: u64) -> Self {
        Self { unit: Unit::Looks, most }
    }

    /// Learns whether an aim that was chosen with it was early enough.
    pub(crate) fn learn(&mut self, was_early: bool) {
        self.most = if was_early { self.most + 1 + self.most / 16 } else { (self.most * 3 / 4).max(1) };
    }
}

/// How many were met where they should be, and at which step.
#[derive(Debug, Default)]
pub(crate) struct Score {
    rounds: u64,
    hits: u64,
    steps: BTreeMap<String, u64>,
}

impl Score {
    /// A round; where it counts as a hit, at this step.
    pub(crate) fn note(&mut self, is_hit: bool, step: &str) {
        self.rounds += 1;
        if is_hit {
            self.hits += 1;
            *self.steps.entry(step.to_owned()).or_default() += 1;
        }
    }

    /// Reports, and fails where less than half of the rounds were hits, or none of a few.
    #[track_caller]
    pub(crate) fn assert(&self, what: &str) {
        let Self { rounds, hits, steps } = self;
        eprintln!("{what}: {hits} of {rounds} rounds, the last that was seen before: {steps:?}");
        let least = if *rounds < 8 { 1 } else { rounds.div_ceil(2) };
        assert!(*hits >= least.min(*rounds), "{what}: only {hits} of {rounds} rounds");
    }
}
