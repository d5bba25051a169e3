//! Compaction during a run: in portions between the ticks, never in their way.

use std::time::Instant;

use super::Coordinator;
use crate::engine::compaction::{Compaction, Phase};
use crate::engine::error::EngineError;
use crate::engine::store::Store;
use crate::model::Resource;

/// During other work, this many times a portion's cost passes before the next one.
const PAUSE_FACTOR: u32 = 9;

impl Compaction {
    /// Returns whether a client waits for the result.
    fn is_awaited(&self) -> bool {
        !(self.asked.is_empty() && self.waiting.is_empty())
    }

    /// Returns whether a portion may be done now, beside other work or not.
    fn may_step(&self, store: &Store, is_idle: bool, now: Instant) -> bool {
        let Some((begun, took)) = self.last else { return self.is_busy(store) };
        let pause = match &self.phase {
            Phase::Passing(pass) if pass.rests() => crate::engine::compaction::PORTION * 2,
            _ if is_idle => return self.is_busy(store),
            _ => took * (1 + PAUSE_FACTOR),
        };
        now.saturating_duration_since(begun) >= pause && self.is_busy(store)
    }
}

impl Coordinator<'_> {
    /// Compacts a portion, if nothing more urgent waits. Returns whether to come back at once.
    pub(in crate::engine) fn compact(&mut self) -> Result<bool, EngineError> {
        let is_free = self.ending.is_none() && self.log_is_checked() && self.run.breakers.all_closed();
        let (is_idle, now) = (self.is_idle(), self.now());
        if self.compaction.is_awaited()
            && let Some((resource, why)) = self.holds_compaction_up()
        {
            self.compaction.refuse(resource, &why);
        }
        if !is_free
            || self.tick_is_due()
            || !self.compaction.may_step(self.committer.store(), is_idle, now)
            || self.lacks_room().is_some()
        {
            return Ok(false);
        }
        let is_busy = self.compaction.step(self.committer.store_mut(), now)?;
        // Once it has ended, there may be nothing left to wait for.
        let is_next = !is_busy || self.compaction.may_step(self.committer.store(), is_idle, self.now());
        Ok(is_idle && is_next)
    }

    /// Returns the missing resource that compaction waits for.
    fn holds_compaction_up(&self) -> Option<(Resource, String)> {
        let open = || self.run.breakers.open_since().map(|(resource, _, why)| (resource, why.to_owned()));
        self.lacks_room().map(|why| (Resource::Disk, why)).or_else(open)
    }

    /// Returns whether the log is being compacted or has to be, with room on the disk for it.
    pub(in crate::engine) fn is_compacting(&self) -> bool {
        self.compaction.is_busy(self.committer.store()) && self.lacks_room().is_none()
    }
}
