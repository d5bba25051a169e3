//! Time, as a run sees it.
//!
//! A process may not run for a while: Ctrl-Z, a frozen container, a debugger, a machine that is overloaded. That time
//! is not counted: a file in flight has not taken it, and nothing was waited for so long. So the system's clock
//! counts beats from a thread of the run ([`Clock::beat`]): where the next one is late it stands still, and continues
//! from there. Without beats it is the system's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::Timestamp;

/// A beat that comes later than this is late.
const BEAT_LATE: Duration = Duration::from_millis(100);
/// Stands for a beat while there are none.
const NO_BEAT: u64 = u64::MAX;

/// The time in which this process ran, or a simulated time. Clones are one clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    System(Beats),
    /// Nanoseconds that it was advanced.
    Simulated(AtomicU64),
}

/// The last beat, and how long the process did not run until then: nanoseconds from `base`.
#[derive(Debug)]
struct Beats {
    base: Instant,
    /// Odd while the other two are written.
    version: AtomicU64,
    last: AtomicU64,
    lost: AtomicU64,
    writing: Mutex<()>,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Kind::System(Beats {
            base: Instant::now(),
            version: AtomicU64::new(0),
            last: AtomicU64::new(NO_BEAT),
            lost: AtomicU64::new(0),
            writing: Mutex::new(()),
        })))
    }
}

impl Clock {
    /// Longest pause between beats for the thread that gives them.
    pub const BEAT: Duration = Duration::from_millis(50);

    /// Creates a clock that only [`Clock::advance`] moves; clones move together.
    pub fn simulated() -> Self {
        Self(Arc::new(Kind::Simulated(AtomicU64::new(0))))
    }

    /// Advances a simulated clock. The system's own is not moved.
    pub fn advance(&self, by: Duration) {
        if let Kind::Simulated(passed) = &*self.0 {
            passed.fetch_add(nanos(by), Ordering::Relaxed);
        }
    }

    /// Returns the time for measuring. Never goes back.
    pub fn now(&self) -> Instant {
        static BASE: OnceLock<Instant> = OnceLock::new();
        match &*self.0 {
            Kind::System(beats) => beats.now(),
            Kind::Simulated(passed) => {
                *BASE.get_or_init(Instant::now) + Duration::from_nanos(passed.load(Ordering::Relaxed))
            }
        }
    }

    /// Returns the same with the time in which the process did not run, for code that uses the system's clock.
    pub fn instant(&self) -> Instant {
        match &*self.0 {
            Kind::System(_) => Instant::now(),
            Kind::Simulated(_) => self.now(),
        }
    }

    /// Reports that the process runs. From the first beat on, time without one does not count. Returns how much did
    /// not count since the last.
    pub fn beat(&self) -> Duration {
        match &*self.0 {
            Kind::System(beats) => beats.beat(nanos(beats.base.elapsed())),
            Kind::Simulated(_) => Duration::ZERO,
        }
    }

    /// Ends the beats: all time counts from now on, and what did not count before is forgotten.
    pub fn end_beats(&self) {
        if let Kind::System(beats) = &*self.0 {
            beats.write(|_, _| (NO_BEAT, 0));
        }
    }

    /// Returns the time of day, for storing. A simulated one begins in 2001.
    pub fn time(&self) -> Timestamp {
        match &*self.0 {
            Kind::System(_) => Timestamp::from_system_time(SystemTime::now()),
            Kind::Simulated(passed) => {
                let passed = i64::try_from(passed.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                Timestamp(passed.saturating_add(1_000_000_000_000_000_000))
            }
        }
    }
}

impl Beats {
    fn now(&self) -> Instant {
        let (last, lost) = self.read();
        let passed = nanos(self.base.elapsed());
        self.base + Duration::from_nanos(counted(passed, last).saturating_sub(lost))
    }

    fn beat(&self, passed: u64) -> Duration {
        let late = |last| passed.saturating_sub(counted(passed, last));
        let mut missed = 0;
        self.write(|last, lost| {
            missed = late(last);
            (passed, lost + missed)
        });
        Duration::from_nanos(missed)
    }

    /// Returns the last beat, and the time lost until then.
    fn read(&self) -> (u64, u64) {
        loop {
            let before = self.version.load(Ordering::SeqCst);
            let read = (self.last.load(Ordering::SeqCst), self.lost.load(Ordering::SeqCst));
            if before.is_multiple_of(2) && self.version.load(Ordering::SeqCst) == before {
                return read;
            }
            std::thread::yield_now();
        }
    }

    fn write(&self, change: impl FnOnce(u64, u64) -> (u64, u64)) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, lost) = change(self.last.load(Ordering::SeqCst), self.lost.load(Ordering::SeqCst));
        self.version.fetch_add(1, Ordering::SeqCst);
        self.last.store(last, Ordering::SeqCst);
        self.lost.store(lost, Ordering::SeqCst);
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns how far time has advanced, given the last beat.
fn counted(passed: u64, last: u64) -> u64 {
    passed.min(last.saturating_add(nanos(BEAT_LATE)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_until_it_is_moved() {
        let clock = Clock::simulated();
        let now = clock.now();
        let time = clock.time();
        assert_eq!((clock.now(), clock.time()), (now, time));
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.now() - now, Duration::from_secs(2));
        assert_eq!(clock.time().0 - time.0, 2_000_000_000);
    }

    #[test]
    fn time_without_a_beat_does_not_count() {
        let clock = Clock::default();
        std::thread::sleep(Duration::from_millis(120));
        let begun = clock.now();
        assert_eq!(clock.beat(), Duration::ZERO, "before the first beat all time counts");
        std::thread::sleep(Duration::from_millis(400));
        let stopped = clock.now();
        assert!(stopped - begun <= Duration::from_millis(150), "{:?}", stopped - begun);
        let missed = clock.beat();
        assert!(missed >= Duration::from_millis(250), "{missed:?}");
        let goes_on = clock.now();
        assert!(goes_on >= stopped && goes_on - stopped < Duration::from_millis(200));
        clock.end_beats();
        assert!(clock.now() - goes_on >= missed, "as for a clock that was never told");
    }

    #[test]
    fn it_never_goes_back_while_beats_come_and_stay_away() {
        let clock = Clock::default();
        let beats = clock.clone();
        let giver = std::thread::spawn(move || {
            for round in 0..40 {
                beats.beat();
                std::thread::sleep(Duration::from_millis(if round % 8 == 7 { 130 } else { 1 }));
            }
        });
        let mut last = clock.now();
        while !giver.is_finished() {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        giver.join().unwrap();
    }
}
