//! Time, as a run sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use super::Timestamp;

/// The system's time, or one that stands still until it is moved on.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// A clock that only [`Clock::advance`] moves; clones move together.
    pub fn simulated() -> Self {
        Self(Some(Arc::default()))
    }

    /// Moves a simulated clock on. The system's own is not moved.
    pub fn advance(&self, by: Duration) {
        if let Some(passed) = &self.0 {
            let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            passed.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// For measuring.
    pub fn now(&self) -> Instant {
        static BASE: OnceLock<Instant> = OnceLock::new();
        match &self.0 {
            None => Instant::now(),
            Some(passed) => {
                *BASE.get_or_init(Instant::now) + Duration::from_nanos(passed.load(Ordering::Relaxed))
            }
        }
    }

    /// For keeping: the time of day. A simulated one begins in 2001.
    pub fn time(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::from_system_time(SystemTime::now()),
            Some(passed) => {
                let passed = i64::try_from(passed.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                Timestamp(passed.saturating_add(1_000_000_000_000_000_000))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_until_it_is_moved() {
        let clock = Clock::simulated();
        let (now, time) = (clock.now(), clock.time());
        assert_eq!((clock.now(), clock.time()), (now, time));
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.now() - now, Duration::from_secs(2));
        assert_eq!(clock.time().0 - time.0, 2_000_000_000);
    }
}
