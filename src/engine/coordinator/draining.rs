//! The end of an attempt: nothing more is claimed, and the files in flight are finished within some time.

use std::time::{Duration, Instant};

use super::run_state::AttemptEnd;

/// Time of a drain that the last commit needs, at most.
const LAST_COMMIT: Duration = Duration::from_secs(2);

/// The reason for which an attempt ends, and its latest end; empty while it goes on.
#[derive(Debug, Default)]
pub(super) struct Draining {
    ending: Option<(AttemptEnd, Instant)>,
}

/// The end of a drain.
#[derive(Debug, PartialEq)]
pub(super) struct Drained {
    pub ending: AttemptEnd,
    /// Its time was up: files may still be in flight.
    pub is_late: bool,
}

impl Draining {
    /// Begins to drain for at most so long. The first reason counts: returns false if it has begun already.
    pub(super) fn begin(&mut self, ending: AttemptEnd, drain: Duration, now: Instant) -> bool {
        let is_first = self.ending.is_none();
        if is_first {
            self.ending = Some((ending, now + drain - (drain / 4).min(LAST_COMMIT)));
        }
        is_first
    }

    pub(super) fn has_begun(&self) -> bool {
        self.ending.is_some()
    }

    /// Returns how the attempt ends, once nothing is under way or the time is up.
    pub(super) fn drained(&self, is_at_rest: bool, now: Instant) -> Option<Drained> {
        let (ending, latest) = self.ending.as_ref()?;
        let is_late = now >= *latest;
        (is_late || is_at_rest).then(|| Drained { ending: ending.clone(), is_late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_counts_and_the_last_commit_has_its_share_of_the_time() {
        let begun = Instant::now();
        let mut draining = Draining::default();
        assert_eq!(draining.drained(true, begun), None, "it has not begun");
        assert!(draining.begin(AttemptEnd::Interrupted, Duration::from_secs(20), begun));
        assert!(!draining.begin(AttemptEnd::Reconfigured, Duration::from_secs(60), begun));
        let ended = |is_late| Some(Drained { ending: AttemptEnd::Interrupted, is_late });
        assert_eq!(draining.drained(false, begun), None);
        assert_eq!(draining.drained(true, begun), ended(false));
        assert_eq!(draining.drained(false, begun + Duration::from_millis(17_999)), None);
        assert_eq!(draining.drained(false, begun + Duration::from_secs(18)), ended(true));
        let mut short = Draining::default();
        short.begin(AttemptEnd::Interrupted, Duration::from_secs(4), begun);
        assert_eq!(short.drained(false, begun + Duration::from_secs(3)), ended(true), "a quarter at most");
    }
}
