//! When a commit tick is due: a pure function of what waits, and of the ticks before.

use std::time::{Duration, Instant};

use crate::model::BatchConfig;

/// A tick that is not due by time has to have earned back the last one's cost this many times.
const COST_FACTOR: u32 = 20;
/// The same for one that is due since the outcome of a changed file waits. With it, commits take up to a quarter
/// of the time while such files come one after the other.
const URGENT_COST_FACTOR: u32 = 3;
/// The shortest time between two ticks once nothing is left to hand out: all wait for the last one, so it should have
/// little to do. That matters only where much waits.
const CLOSING: Duration = Duration::from_millis(25);
const CLOSING_FILES: usize = 512;

/// The ticks before, and since when something waits for the next one.
#[derive(Debug, Clone)]
pub(crate) struct TickPolicy {
    last: Instant,
    /// Of no meaning while nothing waits.
    waiting_since: Instant,
    cost: Duration,
}

/// The reasons for which a tick may be due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickInputs {
    pub now: Instant,
    /// Changes and outcomes that wait to be committed.
    pub waiting: usize,
    /// A client waits for the next tick, or memory has no room for more outcomes.
    pub is_demanded: bool,
    /// The disk has no room, or fails.
    pub is_hindered: bool,
    /// The outcome of a changed file waits.
    pub is_urgent: bool,
    pub is_scanning: bool,
    /// The tick makes something pending that the workers do not have.
    pub makes_claimable: bool,
    /// Files that the workers have.
    pub outstanding: usize,
    /// Workers without a task.
    pub idle: usize,
    /// Outcomes since the last tick, and how many make one due.
    pub ended: usize,
    pub interval: usize,
    /// Nothing is left to hand out; asked for only where [`TickPolicy::may_close`].
    pub is_all_out: bool,
}

impl TickPolicy {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last: now, waiting_since: now, cost: Duration::ZERO }
    }

    /// Returns whether it matters that nothing is left to hand out.
    pub(crate) fn may_close(waiting: usize, is_scanning: bool) -> bool {
        waiting >= CLOSING_FILES && !is_scanning
    }

    /// Notes that something waits from now on, which nothing did before.
    pub(crate) fn waits_from(&mut self, now: Instant) {
        self.waiting_since = now;
    }

    /// Notes a tick, and with it what it cost.
    pub(crate) fn committed(&mut self, begun: Instant, now: Instant) {
        self.last = now;
        self.cost = now.saturating_duration_since(begun);
    }

    /// Returns the time since the last tick.
    pub(crate) fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last)
    }

    /// Returns whether a tick is due: by time, by the number of outcomes, on demand, or as soon as the workers have
    /// nothing to do until it is committed.
    pub(crate) fn is_due(&self, inputs: &TickInputs) -> bool {
        if inputs.is_hindered {
            return false;
        }
        if inputs.is_demanded {
            return true;
        }
        if inputs.waiting == 0 {
            return false;
        }
        // While a scan goes on, what is done already need not be committed for it to find more to do.
        let feeds = inputs.makes_claimable || !inputs.is_scanning;
        let has_earned = self.since(inputs.now) >= self.cost * COST_FACTOR;
        self.waited(inputs.now) >= BatchConfig::TICK
            || (feeds && inputs.outstanding == 0)
            || self.until_sooner(inputs).is_some_and(|left| left.is_zero())
            || (has_earned
                && (inputs.ended >= inputs.interval || (inputs.makes_claimable && inputs.idle > 0)))
    }

    /// Returns how long it takes until the next tick is due by time, with what waits for it.
    pub(crate) fn until_due(&self, inputs: &TickInputs) -> Duration {
        let by_time = BatchConfig::TICK.saturating_sub(self.waited(inputs.now));
        self.until_sooner(inputs).map_or(by_time, |left| left.min(by_time))
    }

    /// Returns how long something has waited for this tick at most. The first find in a while is not committed before
    /// a worker can have processed it.
    fn waited(&self, now: Instant) -> Duration {
        self.since(now).min(now.saturating_duration_since(self.waiting_since))
    }

    /// Returns how long it takes until a tick is due that should come sooner than usual.
    fn until_sooner(&self, inputs: &TickInputs) -> Option<Duration> {
        let least = self.cost * URGENT_COST_FACTOR;
        if inputs.is_urgent {
            return Some(least.saturating_sub(self.since(inputs.now)));
        }
        let is_closing = Self::may_close(inputs.waiting, inputs.is_scanning) && inputs.is_all_out;
        is_closing.then(|| least.max(CLOSING).saturating_sub(self.waited(inputs.now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A run in full work: outcomes wait, and all workers have more.
    fn busy(now: Instant) -> TickInputs {
        TickInputs {
            now,
            waiting: 10,
            is_demanded: false,
            is_hindered: false,
            is_urgent: false,
            is_scanning: false,
            makes_claimable: false,
            outstanding: 100,
            idle: 0,
            ended: 10,
            interval: 1000,
            is_all_out: false,
        }
    }

    #[test]
    fn each_reason_for_a_tick_alone() {
        type Adjust = fn(&mut TickInputs);
        let cases: [(&str, u32, Adjust, bool); 14] = [
            ("nothing special", 50, |_| (), false),
            ("by time", 1000, |_| (), true),
            ("nothing waits", 1000, |i| i.waiting = 0, false),
            ("a client asks", 0, |i| i.is_demanded = true, true),
            (
                "a client asks, and nothing waits",
                0,
                |i| *i = TickInputs { is_demanded: true, waiting: 0, ..*i },
                true,
            ),
            (
                "the disk is full",
                1000,
                |i| *i = TickInputs { is_demanded: true, is_hindered: true, ..*i },
                false,
            ),
            ("the workers have nothing", 1, |i| i.outstanding = 0, true),
            (
                "they wait for the scan, not for the tick",
                1,
                |i| *i = TickInputs { outstanding: 0, is_scanning: true, ..*i },
                false,
            ),
            ("many outcomes", 50, |i| i.ended = 1000, true),
            ("many outcomes, before the last tick has paid", 30, |i| i.ended = 1000, false),
            (
                "idle workers, and the tick feeds them",
                50,
                |i| *i = TickInputs { idle: 1, makes_claimable: true, ..*i },
                true,
            ),
            ("a changed file", 6, |i| i.is_urgent = true, true),
            ("a changed file, right after a tick", 5, |i| i.is_urgent = true, false),
            ("the end of much work", 25, |i| *i = TickInputs { waiting: 512, is_all_out: true, ..*i }, true),
        ];
        let begun = Instant::now();
        let mut policy = TickPolicy::new(begun);
        // The last tick took 2 ms.
        let last = begun + 2 * MS;
        policy.committed(begun, last);
        policy.waits_from(last);
        for (what, after, change, expected) in cases {
            let mut inputs = busy(last + after * MS);
            change(&mut inputs);
            assert_eq!(policy.is_due(&inputs), expected, "{what}");
            if policy.until_due(&inputs).is_zero() && inputs.waiting > 0 && !inputs.is_hindered {
                assert!(expected, "{what}: due by time");
            }
        }
    }

    #[test]
    fn what_is_found_after_a_quiet_time_waits_for_company() {
        let begun = Instant::now();
        let mut policy = TickPolicy::new(begun);
        let found = begun + 60_000 * MS;
        policy.waits_from(found);
        assert!(!policy.is_due(&busy(found + MS)));
        assert_eq!(policy.until_due(&busy(found + MS)), BatchConfig::TICK - MS);
        assert!(policy.is_due(&busy(found + BatchConfig::TICK)));
    }
}
