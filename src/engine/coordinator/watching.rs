//! The coordinator's part in commands and served roots: what needs the state is done between two rounds of the loop.

use super::AttemptContext;
use crate::engine::command::{Command, CommandReply};
use crate::engine::commit::committer::Committer;
use crate::engine::edit::forget::drop_root;
use crate::engine::error::{EngineError, Refusal};
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::WatchFigures;
use crate::engine::watch::{WatchContext, WatchState};
use crate::model::{Root, RootId};

/// The state of a watching process; empty in a single run.
pub(super) struct Watching<'a>(pub Option<&'a mut WatchState>);

/// The result of a check of the served roots.
pub(super) struct Checked {
    pub figures: WatchFigures,
    /// A root that went away.
    pub lost: Option<LostRoot>,
    /// Whether another job should come first.
    pub wants_switch: bool,
}

impl Watching<'_> {
    /// Returns whether this is a watching process.
    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Wakes the threads that wait for watch events.
    pub(super) fn wake(&self) {
        if let Some(watch_state) = &self.0 {
            watch_state.wake();
        }
    }

    /// Makes the next job scan: what was reported since the last commit will not be reported again.
    pub(super) fn scan_again(&mut self) {
        if let Some(watch_state) = &mut self.0 {
            watch_state.must_scan = true;
        }
    }

    /// Carries out a command that needs the state.
    pub(super) fn carry_out(
        &mut self,
        command: Command,
        committer: &mut Committer<'_>,
        attempt: &AttemptContext<'_>,
    ) -> Result<CommandReply, EngineError> {
        match &mut self.0 {
            Some(watch_state) => watch_state.carry_out(command, context(committer, attempt)),
            None => Err(Refusal::NotWatching.into()),
        }
    }

    /// Removes a root from the state once nothing is known of it any more. A served root is no longer served, and
    /// leaves later.
    pub(super) fn forget(
        &mut self,
        id: RootId,
        committer: &mut Committer<'_>,
        attempt: &AttemptContext<'_>,
    ) -> Result<bool, EngineError> {
        let is_running = attempt.plan.roots.iter().any(|(root, _)| root.id == id);
        let is_same = |root: &&Root| root.id == id;
        if let Some(watch_state) = &mut self.0 {
            let served = watch_state.roots().find(is_same).cloned();
            if let Some(root) = served {
                watch_state.remove(&root.path, None, context(committer, attempt))?;
            }
        } else if is_running {
            return Err(Refusal::RootInUse.into());
        }
        let is_known = committer.store().reader.counts(id).files() > 0;
        if is_running || is_known || committer.holds_of(id) {
            return Ok(false);
        }
        drop_root(committer.store_mut(), id)?;
        Ok(true)
    }

    /// Checks the served roots, if that is due.
    pub(super) fn check(
        &mut self,
        committer: &mut Committer<'_>,
        attempt: &AttemptContext<'_>,
    ) -> Result<Option<Checked>, EngineError> {
        let Some(watch_state) = self.0.as_deref_mut().filter(|watch_state| watch_state.is_due()) else {
            return Ok(None);
        };
        let mut context = context(committer, attempt);
        let lost = watch_state.look(&mut context)?;
        let figures = watch_state.figures(context.store);
        watch_state.tell_of_polling(&figures.status);
        let wants_switch = watch_state.wants_switch(context.store, context.running)?;
        Ok(Some(Checked { figures, lost, wants_switch }))
    }

    /// Returns whether another job should come first.
    pub(super) fn wants_switch(
        &self,
        committer: &Committer<'_>,
        attempt: &AttemptContext<'_>,
    ) -> Result<bool, EngineError> {
        let Some(watch_state) = &self.0 else { return Ok(false) };
        Ok(watch_state.wants_switch(committer.store(), &attempt.plan.job)?)
    }
}

/// Returns the context of the running job.
fn context<'c>(committer: &'c mut Committer<'_>, attempt: &'c AttemptContext<'_>) -> WatchContext<'c> {
    WatchContext {
        store: committer.store_mut(),
        fs_probe: attempt.root_monitor.fs_probe,
        processor: attempt.work.processor.identity(),
        running: &attempt.plan.job,
        config: &attempt.work.config,
    }
}
