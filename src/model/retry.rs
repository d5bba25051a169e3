//! When a failed file is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ErrorClass;

/// How often, and how long apart, a file is tried again after a failure of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts, the first included. 1 to 100.
    pub attempts: u16,
    /// Bound of the pause after the first attempt, in milliseconds; it doubles with each one. 0 to 3,600,000.
    pub backoff_ms: u64,
    /// Where the bound stops growing, in milliseconds. At least `backoff_ms`, at most 86,400,000.
    pub backoff_max_ms: u64,
}

impl RetryPolicy {
    /// No policy delays an attempt for longer.
    pub const LONGEST: Duration = Duration::from_secs(86_400);

    /// Returns the longest pause.
    pub fn longest(&self) -> Duration {
        Duration::from_millis(self.backoff_max_ms)
    }

    /// Returns the default policy of a class. `attempts` is the number for failures that may pass.
    pub fn default_of(class: ErrorClass, attempts: u16) -> Self {
        let attempts = match class {
            ErrorClass::IoTransient | ErrorClass::Unstable | ErrorClass::Processor => attempts,
            // Once may be an accident.
            ErrorClass::Crash => 2,
            ErrorClass::IoPermanent
            | ErrorClass::Parse
            | ErrorClass::TooLarge
            | ErrorClass::Timeout
            | ErrorClass::Panic
            | ErrorClass::Unsupported => 1,
        };
        Self { attempts, backoff_ms: 250, backoff_max_ms: 30_000 }
    }

    /// Returns the pause after the attempt with this number, from 1: any time up to the bound, so that files that
    /// failed together are not tried together ("full jitter"). The same seed gives the same pause.
    pub fn pause(&self, attempt: u16, seed: u64) -> Duration {
        let doublings = u32::from(attempt.saturating_sub(1)).min(32);
        let bound = self.backoff_ms.saturating_mul(1 << doublings).min(self.backoff_max_ms);
        Duration::from_millis(mix(seed ^ u64::from(attempt)) % bound.saturating_add(1))
    }
}

/// Spreads a seed over all bits (the finalizer of splitmix64).
fn mix(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_cap_and_pauses_fill_it() {
        let policy = RetryPolicy { attempts: 9, backoff_ms: 100, backoff_max_ms: 350 };
        for (attempt, bound) in [(1, 100), (2, 200), (3, 350), (60, 350), (u16::MAX, 350)] {
            let pauses: Vec<u128> = (0..500).map(|seed| policy.pause(attempt, seed).as_millis()).collect();
            assert!(pauses.iter().all(|&pause| pause <= bound), "{attempt}");
            assert!(pauses.iter().any(|&pause| pause < bound / 8), "{attempt}");
            assert!(pauses.iter().any(|&pause| pause > bound - bound / 8), "{attempt}");
        }
        assert_eq!(policy.pause(2, 7), policy.pause(2, 7));
        let none = RetryPolicy { attempts: 2, backoff_ms: 0, backoff_max_ms: 0 };
        assert_eq!(none.pause(1, 3), Duration::ZERO);
    }
}
