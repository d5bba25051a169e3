//! Breakers: a shortage of something that all files share pauses the run, instead of failing file after file.
//!
//! One for each [`Resource`]. Closed: work goes on. Open: nothing is begun, and what failed for want of the resource
//! is tried again. Half-open, once the pause is over: a probe, or a few files. A good outcome closes it, a bad one
//! opens it again for longer.
//!
//! Constraints: it reads no clock and keeps a fixed amount; the same calls at the same times with the same seed give
//! the same results. It closes only by a good outcome after a pause. Where a resource answers each probe while the
//! same few files go on failing, it is these files: after [`RELAPSES_MAX`] rounds without a good one in between,
//! their outcomes no longer open it, so that such a run ends.

use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::{Resource, RetryPolicy};
use window::{Rule, Window};

mod window;

/// The first pause: shorter than a person notices, longer than a burst of failures under way.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// Where doubling ends: when the resource is back, the run goes on within ten seconds.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Rounds of opening by outcomes and closing by probes, without one good outcome of a file.
const RELAPSES_MAX: u32 = 3;

/// When each resource's outcomes open its breaker.
const fn rule(resource: Resource) -> Rule {
    match resource {
        // A file of its own may be unreadable; a share of half, or a row without a good one, is the file system.
        Resource::Files => Rule {
            failures_min: 10,
            attempts_min: 20,
            percent: 50,
            in_a_row: Some(5),
            attempts_max: 200,
            within: Duration::from_secs(10),
        },
        // A commit without room fails as a whole: there is no second one to wait for.
        Resource::Disk => Rule {
            failures_min: 1,
            attempts_min: 1,
            percent: 0,
            in_a_row: None,
            attempts_max: u32::MAX,
            within: Duration::from_secs(1),
        },
        // Not a property of any file. Two may be the moment when another process took the last.
        Resource::Memory | Resource::Descriptors => Rule {
            failures_min: 3,
            attempts_min: 3,
            percent: 0,
            in_a_row: None,
            attempts_max: u32::MAX,
            within: Duration::from_secs(1),
        },
        // Files may well be at fault, many of them together; so only nearly all of many. Those that the processor
        // can't parse or doesn't support are not noted. A slow one needs the time.
        Resource::Processor => Rule {
            failures_min: 80,
            attempts_min: 100,
            percent: 80,
            in_a_row: None,
            attempts_max: 200,
            within: Duration::from_secs(600),
        },
    }
}

/// Good outcomes that close a half-open breaker. One good file says little of a processor that fails for most.
const fn good_needed(resource: Resource) -> u32 {
    match resource {
        Resource::Processor => 8,
        Resource::Files | Resource::Disk | Resource::Memory | Resource::Descriptors => 1,
    }
}

/// What a breaker allows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakerVerdict {
    /// Everything.
    Closed,
    /// Nothing, until then.
    Open {
        /// End of the pause.
        until: Instant,
    },
    /// A probe, or a few files.
    Probe,
}

/// State of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// The resource is there.
    Closed,
    /// It is short or away: nothing is begun.
    Open,
    /// It is being probed.
    HalfOpen,
}

/// Status of one resource's breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BreakerStatus {
    /// What it watches.
    pub resource: Resource,
    /// Its state.
    pub state: BreakerState,
    /// Why it opened; `None` while closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// How often it opened from closed.
    pub opened: u64,
    /// Time not closed, all times together, in seconds.
    pub open_seconds: f64,
    /// Time in this state, in seconds; 0 where it never opened.
    pub state_seconds: f64,
}

/// The breakers of all resources.
#[derive(Debug)]
pub(crate) struct Breakers {
    seed: u64,
    all: [Breaker; Resource::ALL.len()],
}

#[derive(Debug)]
struct Breaker {
    resource: Resource,
    state: State,
    window: Window,
    /// Why, and since when it is not closed.
    open: Option<(String, Instant)>,
    /// When the state last changed.
    changed: Option<Instant>,
    opened: u64,
    open_before: Duration,
    /// Openings since the last outcomes without a bad one, reopenings included: the pauses grow with them.
    pauses: u16,
    /// Openings by outcomes since the last good one.
    relapses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { good: u32 },
}

impl Breakers {
    pub(crate) fn new() -> Self {
        Self::with_seed(std::collections::hash_map::RandomState::new().hash_one(()))
    }

    /// Creates breakers; the seed spreads the pauses.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { seed, all: Resource::ALL.map(Breaker::new) }
    }

    /// Records outcomes of finished attempts: how many were short of this resource, and how many had enough of it.
    ///
    /// While it is open they are about the time before, and are ignored.
    pub(crate) fn note(&mut self, resource: Resource, failed: u32, fine: u32, now: Instant) {
        let seed = self.seed;
        self.of(resource).note(failed, fine, now, seed);
    }

    /// Opens a breaker on a direct report that the resource is missing.
    pub(crate) fn trip(&mut self, resource: Resource, why: String, now: Instant) {
        let seed = self.seed;
        let breaker = self.of(resource);
        match (&mut breaker.open, breaker.state) {
            (Some((known, _)), State::Open { .. }) if *known != why => {
                tracing::warn!(%resource, why, "it is known by now why");
                *known = why;
            }
            (_, State::Open { .. }) => {}
            _ => breaker.open(why, now, seed),
        }
    }

    /// Records a probe's answer. It counts while half-open only: an answer from before would be about another time.
    pub(crate) fn probed(&mut self, resource: Resource, ok: bool, now: Instant) {
        let seed = self.seed;
        let breaker = self.of(resource);
        if !matches!(breaker.state, State::HalfOpen { .. }) {
            return;
        }
        if ok { breaker.good(1, now) } else { breaker.open_again(now, seed) }
    }

    /// Returns what may be done now: an open breaker whose pause is over becomes half-open, until an answer comes.
    pub(crate) fn verdict(&mut self, resource: Resource, now: Instant) -> BreakerVerdict {
        let breaker = self.of(resource);
        match breaker.state {
            State::Closed => BreakerVerdict::Closed,
            State::Open { until } if now < until => BreakerVerdict::Open { until },
            State::Open { .. } => {
                breaker.turn(State::HalfOpen { good: 0 }, now);
                tracing::debug!(%resource, "breaker half-open: trying whether it is back");
                BreakerVerdict::Probe
            }
            State::HalfOpen { .. } => BreakerVerdict::Probe,
        }
    }

    pub(crate) fn is_closed(&self, resource: Resource) -> bool {
        self.all.iter().any(|one| one.resource == resource && one.state == State::Closed)
    }

    pub(crate) fn all_closed(&self) -> bool {
        self.all.iter().all(|one| one.state == State::Closed)
    }

    /// Returns the resource that is missing longest, since when, and why.
    pub(crate) fn open_since(&self) -> Option<(Resource, Instant, &str)> {
        let open = self.all.iter().filter_map(|one| {
            let (why, since) = one.open.as_ref()?;
            Some((one.resource, *since, why.as_str()))
        });
        open.min_by_key(|(_, since, _)| *since)
    }

    /// Returns the status of each breaker.
    pub(crate) fn report(&self, now: Instant) -> Vec<BreakerStatus> {
        self.all.iter().map(|one| one.report(now)).collect()
    }

    fn of(&mut self, resource: Resource) -> &mut Breaker {
        // `Resource::ALL` is in the order of the variants: see the tests.
        &mut self.all[resource as usize]
    }
}

impl Breaker {
    fn new(resource: Resource) -> Self {
        Self {
            resource,
            state: State::Closed,
            window: Window::default(),
            open: None,
            changed: None,
            opened: 0,
            open_before: Duration::ZERO,
            pauses: 0,
            relapses: 0,
        }
    }

    fn note(&mut self, failed: u32, fine: u32, now: Instant, seed: u64) {
        if fine > 0 && !matches!(self.state, State::Open { .. }) {
            self.relapses = 0;
        }
        match self.state {
            State::Open { .. } => {}
            State::HalfOpen { .. } if failed > 0 => self.open_again(now, seed),
            State::HalfOpen { .. } if fine > 0 => self.good(fine, now),
            State::HalfOpen { .. } => {}
            State::Closed => {
                let rule = rule(self.resource);
                self.window.note(failed, fine, now, &rule);
                if fine > 0 && failed == 0 {
                    self.pauses = 0;
                }
                if failed > 0
                    && self.relapses < RELAPSES_MAX
                    && let Some(why) = self.window.passes(now, &rule)
                {
                    self.relapses += 1;
                    self.open(why, now, seed);
                }
            }
        }
    }

    fn good(&mut self, good: u32, now: Instant) {
        let State::HalfOpen { good: before } = self.state else { return };
        let good = before.saturating_add(good);
        if good < good_needed(self.resource) {
            self.state = State::HalfOpen { good };
        } else {
            self.close(now);
        }
    }

    fn open(&mut self, why: String, now: Instant, seed: u64) {
        let since = self.open.take().map(|(_, since)| since);
        self.opened += u64::from(since.is_none());
        let pause = self.pause(now, seed);
        tracing::warn!(
            resource = %self.resource, why, pause_ms = pause.as_millis() as u64,
            "breaker open: nothing more is begun; what failed for want of it is tried again"
        );
        self.open = Some((why, since.unwrap_or(now)));
        self.window = Window::default();
    }

    fn open_again(&mut self, now: Instant, seed: u64) {
        let pause_ms = self.pause(now, seed).as_millis() as u64;
        tracing::info!(resource = %self.resource, pause_ms, "breaker open again: it is not back yet");
    }

    /// Opens for a pause that doubles with each opening, between half of that and the whole: runs that share a file
    /// server don't come back to it at the same moment.
    fn pause(&mut self, now: Instant, seed: u64) -> Duration {
        let half = (PAUSE_MIN / 2).saturating_mul(1 << u32::from(self.pauses.min(16))).min(PAUSE_MAX / 2);
        let half_ms = half.as_millis() as u64;
        self.pauses = self.pauses.saturating_add(1);
        let jitter = RetryPolicy { attempts: u16::MAX, backoff_ms: half_ms, backoff_max_ms: half_ms };
        let seed = seed ^ ((self.opened << 8) | self.resource as u64);
        let pause = half + jitter.pause(self.pauses, seed);
        self.turn(State::Open { until: now + pause }, now);
        pause
    }

    fn close(&mut self, now: Instant) {
        let Some((_, since)) = self.open.take() else { return };
        let lasted = now.saturating_duration_since(since);
        self.open_before += lasted;
        self.turn(State::Closed, now);
        let open_seconds = lasted.as_secs_f64();
        tracing::info!(resource = %self.resource, open_seconds, "breaker closed: it is back, the run goes on");
    }

    fn turn(&mut self, state: State, now: Instant) {
        self.state = state;
        self.changed = Some(now);
    }

    fn report(&self, now: Instant) -> BreakerStatus {
        let since = |then: Instant| now.saturating_duration_since(then);
        let open_now = self.open.as_ref().map_or(Duration::ZERO, |(_, then)| since(*then));
        BreakerStatus {
            resource: self.resource,
            state: match self.state {
                State::Closed => BreakerState::Closed,
                State::Open { .. } => BreakerState::Open,
                State::HalfOpen { .. } => BreakerState::HalfOpen,
            },
            why: self.open.as_ref().map(|(why, _)| why.clone()),
            opened: self.opened,
            open_seconds: (self.open_before + open_now).as_secs_f64(),
            state_seconds: self.changed.map_or(Duration::ZERO, since).as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests;
