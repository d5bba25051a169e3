//! How long a value has stayed unchanged (stall detection).

use std::time::{Duration, Instant};

/// A value that should change, as of the last check.
#[derive(Debug)]
pub(super) struct StallDetector<T> {
    last: Option<(T, Instant)>,
}

impl<T> Default for StallDetector<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T: PartialEq> StallDetector<T> {
    /// Checks the value; returns for how long checks have found it unchanged. Where no change is expected, that time
    /// starts again.
    pub(super) fn look(&mut self, now_is: T, is_expected: bool, now: Instant) -> Duration {
        match &self.last {
            Some((before, since)) if is_expected && *before == now_is => {
                now.saturating_duration_since(*since)
            }
            _ => {
                self.last = Some((now_is, now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_move_is_still_for_as_long_as_it_should() {
        let (begun, mut figure) = (Instant::now(), StallDetector::default());
        let mut look = |value, is_expected, seconds| {
            figure.look(value, is_expected, begun + Duration::from_secs(seconds)).as_secs()
        };
        assert_eq!(look(1, true, 50), 0);
        assert_eq!((look(1, true, 100), look(1, true, 111)), (50, 61));
        assert_eq!((look(2, true, 112), look(2, true, 170)), (0, 58));
        assert_eq!((look(2, false, 300), look(2, true, 301)), (0, 1));
    }
}
