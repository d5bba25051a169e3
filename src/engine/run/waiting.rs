//! A run is made of attempts; between two of them it waits for what is missing.

use std::time::Duration;

use super::live::LiveRun;
use super::session::Session;
use crate::engine::coordinator::health::{Health, can_open};
use crate::engine::coordinator::run_state::{AttemptEnd, Interruption, RunState};
use crate::engine::error::EngineError;
use crate::engine::job_plan::{self, JobPlan};
use crate::engine::resources::breaker::BreakerVerdict;
use crate::engine::roots::identity::{LostRoot, RootIdentities, RootMonitor};
use crate::engine::stats::ProcessingState;
use crate::engine::store::Store;
use crate::engine::watch::WatchState;
use crate::ledger::{HeldState, JobEnd, LedgerError, StateFolder};
use crate::model::Resource;
use crate::source::Source;

/// How often it checks.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Room and descriptors that have to be there at least before a state is opened again.
const ROOM_TO_OPEN_BYTES: u64 = 16 << 20;
const DESCRIPTORS_TO_OPEN: usize = 32;

impl Session<'_> {
    /// Makes one attempt after the other, until the run ends. The slot is empty only while the store is reopened.
    pub(super) fn attempts(
        &self,
        plan: &JobPlan,
        slot: &mut Option<Store>,
        run: &mut RunState,
        mut watch_state: Option<&mut WatchState>,
    ) -> Result<AttemptEnd, EngineError> {
        let mut identities =
            slot.as_ref().map(|store| RootIdentities::of(store.state.info())).unwrap_or_default();
        loop {
            if self.engine.control_flags().has_config() {
                return Ok(AttemptEnd::Reconfigured);
            }
            let store = slot.as_mut().ok_or(LedgerError::Poisoned)?;
            let shared = self.engine.shared();
            let view = store.view().during(plan.unwritten());
            let shown = LiveRun::new(shared, plan, view, &self.config, watch_state.is_some())?;
            shared.shows_life(Some(self.clock.now()));
            let ending =
                self.attempt_if_here(plan, store, &mut identities, &shown, run, watch_state.as_deref_mut())?;
            let AttemptEnd::Hindered(outage) = ending else { return Ok(ending) };
            let given_up = match outage {
                Interruption::Root(lost)
                    if watch_state.is_none()
                        && !lost.unlisted
                        && self.check_roots(plan, store, &mut identities)?.is_none() =>
                {
                    tracing::info!("{lost}: listing again");
                    None
                }
                Interruption::Rescan => {
                    run.rescans += 1;
                    tracing::info!("some folders could not be listed: listing again");
                    None
                }
                // Another root may be there.
                Interruption::Root(lost) if watch_state.is_some() => {
                    return Ok(AttemptEnd::Hindered(Interruption::Root(lost)));
                }
                Interruption::Root(lost) => self.await_roots(plan, &lost, store, &mut identities, run)?,
                Interruption::State { resource, why } => {
                    shown.end();
                    if let Some(watch_state) = watch_state.as_deref_mut() {
                        watch_state.must_scan = true;
                    }
                    let state = slot.take().map(Store::close).ok_or(LedgerError::Poisoned)?;
                    self.await_state(plan, resource, why, state, slot, run)?
                }
            };
            if let Some(ending) = given_up {
                return Ok(ending);
            }
        }
    }

    /// Makes an attempt, if the roots are the same directories as before.
    fn attempt_if_here(
        &self,
        plan: &JobPlan,
        store: &mut Store,
        identities: &mut RootIdentities,
        shown: &LiveRun<'_>,
        run: &mut RunState,
        watch_state: Option<&mut WatchState>,
    ) -> Result<AttemptEnd, EngineError> {
        run.begin_attempt(&store.reader, plan, self.config.worker_count);
        if let Some(outage) = self.check_roots(plan, store, identities)? {
            return Ok(AttemptEnd::Hindered(outage));
        }
        shown.look(store.view().during(plan.unwritten()));
        let root_monitor = RootMonitor::new(&self.fs_probe, identities, &plan.roots);
        self.attempt(&plan.bound(identities), store, root_monitor, shown, run, watch_state)
    }

    /// Checks whether the roots are the same directories as before.
    fn check_roots(
        &self,
        plan: &JobPlan,
        store: &mut Store,
        identities: &mut RootIdentities,
    ) -> Result<Option<Interruption>, EngineError> {
        let accept_empty = self.config.accept_empty;
        let scans_whole = |id| plan.scans_whole(id);
        let lost = identities.check(store, &self.fs_probe, &plan.roots, scans_whole, accept_empty)?;
        Ok(lost.map(Interruption::Root))
    }

    /// Waits until the roots are back. Closes the job if that takes too long, or a stop is requested.
    fn await_roots(
        &self,
        plan: &JobPlan,
        lost: &LostRoot,
        store: &mut Store,
        identities: &mut RootIdentities,
        run: &mut RunState,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        run.health.trip(Resource::Files, lost.to_string(), self.clock.now());
        // Another configuration may treat them differently.
        let has_config = || self.engine.control_flags().has_config();
        let held = store.state.held().clone();
        let works = |_: &Health| {
            let is_back = self.check_roots(plan, store, identities)?.is_none() && self.is_listed_again(lost);
            Ok(is_back || has_config())
        };
        let Some(ending) = self.await_resource(Resource::Files, &held, run, works)? else { return Ok(None) };
        let end = if ending == AttemptEnd::Interrupted { JobEnd::Interrupted } else { JobEnd::Failed };
        let so_far = job_plan::so_far(&plan.job, &run.counts, run.statistics.progress.bytes);
        store.commit_without_lines(&[], Some(&job_plan::ended(so_far, end)))?;
        Ok(Some(ending))
    }

    fn is_listed_again(&self, lost: &LostRoot) -> bool {
        let of = lost.clone();
        let look = move |source: &dyn Source| of.still_unlisted(source).is_none();
        !lost.unlisted || self.fs_probe.ask(&lost.root.path, look).unwrap_or(false)
    }

    /// Waits until a state that could not be written can be opened again.
    fn await_state(
        &self,
        plan: &JobPlan,
        mut resource: Resource,
        mut why: String,
        mut state: StateFolder,
        slot: &mut Option<Store>,
        run: &mut RunState,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        loop {
            run.health.trip(resource, why, self.clock.now());
            let room_to_open = state.bytes_to_open().max(ROOM_TO_OPEN_BYTES);
            let works = |health: &Health| {
                Ok(match resource {
                    Resource::Descriptors => can_open(DESCRIPTORS_TO_OPEN),
                    _ => {
                        health.has_disk_space(state.path(), room_to_open)
                            && health.has_disk_space(&state.records(), ROOM_TO_OPEN_BYTES)
                    }
                })
            };
            if let Some(ending) = self.await_resource(resource, state.held(), run, works)? {
                return Ok(Some(ending));
            }
            match Store::open(state) {
                Ok(store) => {
                    run.take_committed(&store.reader.jobs()?, plan.job.id);
                    *slot = Some(store);
                    return Ok(None);
                }
                Err(failed) => {
                    let (closed, error) = *failed;
                    let is_read = matches!(error, EngineError::Ledger(LedgerError::InUse { .. }));
                    // A reader holds it no longer than for one answer.
                    let short = error.short_of().or(is_read.then_some(resource));
                    let Some(short) = short else { return Err(error) };
                    state = closed;
                    resource = short;
                    why = error.to_string();
                }
            }
        }
    }

    /// Waits until a probe succeeds; returns how the run ends if it gives up before. The state must stay this
    /// process's own meanwhile.
    fn await_resource(
        &self,
        resource: Resource,
        held: &HeldState,
        run: &mut RunState,
        mut works: impl FnMut(&Health) -> Result<bool, EngineError>,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        loop {
            held.check()?;
            let now = self.clock.now();
            run.publish_state(self.engine.shown(), ProcessingState::Waiting, now);
            if self.engine.stop_flag().is_requested() {
                return Ok(Some(AttemptEnd::Interrupted));
            }
            match run.health.verdict(resource, now) {
                BreakerVerdict::Closed => return Ok(None),
                BreakerVerdict::Probe => {
                    let works = works(&run.health)?;
                    run.health.probed(resource, works, now);
                    continue;
                }
                BreakerVerdict::Open { .. } => {}
            }
            let wait = Duration::from_secs(self.config.wait_seconds);
            if let Some((resource, why)) = run.health.given_up(wait, now) {
                return Ok(Some(AttemptEnd::GaveUp { resource, why }));
            }
            std::thread::sleep(LOOK_UP);
        }
    }
}
