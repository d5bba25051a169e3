//! The coordinator's part in commands: those that need the state, between two rounds of the loop.

use std::sync::mpsc::SyncSender;

use super::Coordinator;
use super::run_state::AttemptEnd;
use crate::engine::command::CommandRequest;
use crate::engine::edit::forget::drop_root;
use crate::engine::error::EngineError;
use crate::engine::stats::WatchFigures;
use crate::engine::watch::WatchState;
use crate::engine::watch::commands::CommandContext;
use crate::engine::watch::root_checks::Present;
use crate::model::{Root, RootId};

impl Coordinator<'_> {
    /// Carries out an order that needs the state. An error is the state's own: the run can't continue with it.
    pub(crate) fn carry_out(&mut self, ordered: CommandRequest) -> Result<(), EngineError> {
        let what = "this is a single run: only `outlast watch` takes that order";
        let done = match self.at_hand() {
            Some((watch_state, hands)) => watch_state.carry_out(ordered.order, hands),
            None => Err(EngineError::Job(what.to_owned())),
        };
        self.answer(&ordered.reply, done)
    }

    /// Removes a root from the state once nothing is known of it any more. A served root is no longer served, and
    /// leaves later. An error is the state's own.
    pub(crate) fn forget_root(
        &mut self,
        id: RootId,
        reply: &SyncSender<Result<bool, EngineError>>,
    ) -> Result<(), EngineError> {
        let done = self.try_forget(id);
        self.answer(reply, done)
    }

    /// Sends a client what came of its request, and makes room for another job if one should come first. Returns an
    /// error of the state itself instead.
    fn answer<T>(
        &mut self,
        reply: &SyncSender<Result<T, EngineError>>,
        done: Result<T, EngineError>,
    ) -> Result<(), EngineError> {
        match done {
            Err(error) if error.is_of_the_state() => return Err(error),
            // The client may have gone.
            done => drop(reply.try_send(done)),
        }
        self.switch_if_wanted()
    }

    fn try_forget(&mut self, id: RootId) -> Result<bool, EngineError> {
        let is_running = self.set.plan.roots.iter().any(|(root, _)| root.id == id);
        let served = self
            .watch_state
            .as_deref()
            .and_then(|watch_state| watch_state.roots().find(|root| root.id == id))
            .cloned();
        if let Some(root) = served {
            self.remove_root(&root)?;
        } else if is_running && self.watch_state.is_none() {
            let what = "the run that goes on ingests this root: forget it when that has ended";
            return Err(EngineError::Job(what.to_owned()));
        }
        let is_known = self.committer.store().reader.counts(id).files() > 0;
        if is_running || is_known || self.committer.holds_of(id) {
            return Ok(false);
        }
        drop_root(self.committer.store_mut(), id)?;
        Ok(true)
    }

    fn remove_root(&mut self, root: &Root) -> Result<(), EngineError> {
        let Some((watch_state, hands)) = self.at_hand() else { return Ok(()) };
        watch_state.remove(&root.path, hands).map(drop)
    }

    /// Returns the state of a watching process, and the context that its commands need.
    fn at_hand(&mut self) -> Option<(&mut WatchState, CommandContext<'_>)> {
        let hands = CommandContext {
            store: self.committer.store_mut(),
            fs_probe: self.set.guard.fs_probe,
            processor: self.set.context.processor.identity(),
            running: &self.set.plan.job,
            config: &self.set.context.config,
        };
        Some((self.watch_state.as_deref_mut()?, hands))
    }

    /// Checks what a watching process has to do.
    pub(crate) fn check_watch_state(&mut self) -> Result<(), EngineError> {
        let Some(watch_state) = self.watch_state.as_deref_mut().filter(|watch_state| watch_state.is_due())
        else {
            return Ok(());
        };
        let (store, context) = (self.committer.store_mut(), self.set.context);
        let present = Present {
            fs_probe: self.set.guard.fs_probe,
            processor: context.processor.identity(),
            config: &context.config,
        };
        let lost = watch_state.look(store, &present, &self.set.plan.job)?;
        let figures = watch_state.figures(store);
        watch_state.tell_of_polling(&figures.status);
        self.run.statistics.watch = Some(WatchFigures { latency: self.run.latency.figures(), ..figures });
        if let Some(lost) = lost {
            self.lost_root(lost);
        }
        self.switch_if_wanted()
    }

    /// Ends this job if another one should come first.
    pub(crate) fn switch_if_wanted(&mut self) -> Result<(), EngineError> {
        let Some(watch_state) = self.watch_state.as_deref() else { return Ok(()) };
        if watch_state.wants_switch(self.committer.store(), &self.set.plan.job)? {
            self.end(AttemptEnd::Superseded);
        }
        Ok(())
    }
}
