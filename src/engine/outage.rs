//! Between two attempts of a run: waiting for what is missing.

use std::time::Duration;

use super::attempt::Course;
use super::breaker::Verdict;
use super::error::EngineError;
use super::guard::{LostRoot, RootMarks};
use super::job;
use super::results::ProcessingState;
use super::run::Published;
use super::run_state::{Ending, Outage, RunState};
use super::store::Store;
use crate::ledger::{JobEnd, LedgerError};
use crate::model::Resource;

/// How often it looks up.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Room that has to be there before a state is opened again that had none.
const ROOM_TO_OPEN_BYTES: u64 = 16 << 20;

impl Course<'_> {
    /// Makes attempts, one after the other, until the run ends. The store is taken out only while it is opened again.
    pub(super) fn run(&self, slot: &mut Option<Store>, run: &mut RunState) -> Result<Ending, EngineError> {
        let mut marks = slot.as_ref().map(RootMarks::of).unwrap_or_default();
        let mut begun = false;
        loop {
            let store = slot.as_mut().ok_or(EngineError::Ledger(LedgerError::Poisoned))?;
            let shown = Published::new(self.engine.shared(), self.plan.job.id, store.view())?;
            let ending = match self.check_roots(store, &mut marks)? {
                Some(lost) => Ending::Hindered(Outage::Root(lost)),
                None => {
                    if begun {
                        run.begin_attempt(&store.reader, &self.plan.roots);
                    }
                    begun = true;
                    self.attempt(store, &marks, &shown, run)?
                }
            };
            let Ending::Hindered(outage) = ending else { return Ok(ending) };
            if let Some(ending) = self.await_resource(&outage, store, &mut marks, run)? {
                self.close(store, run, &ending, &outage)?;
                return Ok(ending);
            }
            drop(shown);
            if matches!(outage, Outage::Full(_)) {
                let reopened = slot.take().map(Store::reopen).transpose()?;
                if let Some(store) = &reopened {
                    run.take_committed(&store.reader.jobs()?, self.plan.job.id);
                }
                *slot = reopened;
            }
        }
    }

    /// Writes down how the job ended while nothing went on.
    fn close(
        &self,
        store: &mut Store,
        run: &RunState,
        ending: &Ending,
        outage: &Outage,
    ) -> Result<(), EngineError> {
        if matches!(outage, Outage::Full(_)) {
            return Ok(());
        }
        let end = if *ending == Ending::Interrupted { JobEnd::Interrupted } else { JobEnd::Failed };
        let so_far = job::so_far(&self.plan.job, &run.tally, run.statistics.progress.bytes);
        store.commit_without_lines(&[], Some(&job::ended(so_far, end)))
    }

    /// Waits until another attempt can be made; tells how the run ends where none can.
    pub(super) fn await_resource(
        &self,
        outage: &Outage,
        store: &mut Store,
        marks: &mut RootMarks,
        run: &mut RunState,
    ) -> Result<Option<Ending>, EngineError> {
        let resource = match outage {
            Outage::Rescan => {
                run.rescans += 1;
                tracing::info!("some folders could not be listed: listing again");
                return Ok(None);
            }
            Outage::Root(lost) => {
                if run.breakers.is_closed(Resource::Files) {
                    let why = format!("{}: {}", lost.root.path.display(), lost.why);
                    run.breakers.trip(Resource::Files, why, self.clock.now());
                }
                Resource::Files
            }
            Outage::Full(why) => {
                run.breakers.trip(Resource::Disk, why.clone(), self.clock.now());
                Resource::Disk
            }
        };
        loop {
            let now = self.clock.now();
            run.publish_state(self.engine.shown(), ProcessingState::Waiting, now);
            if self.engine.stop_flag().is_requested() {
                return Ok(Some(Ending::Interrupted));
            }
            match run.breakers.verdict(resource, now) {
                Verdict::Closed => return Ok(None),
                Verdict::Probe => {
                    let works = self.works(outage, store, marks, run)?;
                    run.breakers.probed(resource, works, now);
                    continue;
                }
                Verdict::Open { .. } => {}
            }
            if let Some(given_up) = run.given_up(Duration::from_secs(self.config.wait_seconds), now) {
                return Ok(Some(given_up));
            }
            std::thread::sleep(LOOK_UP);
        }
    }

    fn works(
        &self,
        outage: &Outage,
        store: &mut Store,
        marks: &mut RootMarks,
        run: &RunState,
    ) -> Result<bool, EngineError> {
        if *outage == Outage::Rescan || matches!(outage, Outage::Root(_)) {
            return Ok(self.check_roots(store, marks)?.is_none());
        }
        let has_room = |folder| (run.free_bytes)(folder).is_ok_and(|free| free >= ROOM_TO_OPEN_BYTES);
        Ok(has_room(store.path()) && has_room(&store.state.records()))
    }

    /// The first root that is not the folder that it was.
    pub(super) fn check_roots(
        &self,
        store: &mut Store,
        marks: &mut RootMarks,
    ) -> Result<Option<LostRoot>, EngineError> {
        marks.check(store, self.source.as_ref(), &self.plan.roots, self.config.accept_empty)
    }
}
