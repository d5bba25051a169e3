//! The recent attempts, in slots of time: a fixed amount, whatever their number.

use std::time::{Duration, Instant};

/// The conditions on the recent attempts under which a breaker opens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Failures among them, at least.
    pub failures_min: u32,
    /// Attempts, at least.
    pub attempts_min: u32,
    /// Share of failures, at least.
    pub percent: u32,
    /// Or this many failures, one after the other.
    pub in_a_row: Option<u32>,
    /// Attempts before the last `attempts_max` don't count: a fast run would take long to notice.
    pub attempts_max: u32,
    /// Nor those from before this time.
    pub within: Duration,
}

const SLOTS: usize = 10;

/// The last attempts. The oldest slot is dropped as a whole, so up to a tenth less than the rule's number counts.
#[derive(Debug, Default)]
pub(super) struct Window {
    slots: [Slot; SLOTS],
    at: usize,
    in_a_row: u32,
}

#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    begun: Option<Instant>,
    failed: u32,
    fine: u32,
}

impl Slot {
    fn attempts(&self) -> u32 {
        self.failed.saturating_add(self.fine)
    }
}

impl Window {
    /// Records outcomes. Among those of one call the good ones count as the last.
    pub(super) fn note(&mut self, failed: u32, fine: u32, now: Instant, rule: &Rule) {
        self.in_a_row = if fine > 0 { 0 } else { self.in_a_row.saturating_add(failed) };
        let slot = self.slots[self.at];
        let is_over = slot.begun.is_none_or(|begun| {
            now.saturating_duration_since(begun) >= rule.within / SLOTS as u32
                || slot.attempts() >= rule.attempts_max / SLOTS as u32
        });
        if is_over {
            self.at = (self.at + 1) % SLOTS;
            self.slots[self.at] = Slot { begun: Some(now), ..Slot::default() };
        }
        let slot = &mut self.slots[self.at];
        slot.failed = slot.failed.saturating_add(failed);
        slot.fine = slot.fine.saturating_add(fine);
    }

    /// Returns why the breaker has to open, if it has to.
    pub(super) fn passes(&self, now: Instant, rule: &Rule) -> Option<String> {
        if rule.in_a_row.is_some_and(|row| self.in_a_row >= row) {
            return Some(format!("{} attempts in a row failed", self.in_a_row));
        }
        let (failed, attempts) = self.counts(now, rule);
        let share = u64::from(failed) * 100 >= u64::from(attempts) * u64::from(rule.percent);
        (failed >= rule.failures_min && attempts >= rule.attempts_min && share)
            .then(|| format!("{failed} of the last {attempts} attempts failed"))
    }

    /// Returns the failures, and all attempts, of the slots that have not expired.
    fn counts(&self, now: Instant, rule: &Rule) -> (u32, u32) {
        let is_recent =
            |slot: &&Slot| slot.begun.is_some_and(|begun| now.saturating_duration_since(begun) < rule.within);
        self.slots.iter().filter(is_recent).fold((0, 0), |(failed, attempts): (u32, u32), slot| {
            (failed.saturating_add(slot.failed), attempts.saturating_add(slot.attempts()))
        })
    }
}
