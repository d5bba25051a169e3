//! A process that stays: a row of jobs over one open state, while a watcher reports what changes.
//!
//! A *scan job* scans its roots, or a part of them, and ends when all of that is processed: the first scan, an added
//! root, a scan that a client or a schedule asked for, a reconcile. When none is queued, a *standing job* scans
//! nothing and follows watch events, until one is. Queued jobs are in the ledger, so a restart finds them; the one of
//! the highest priority comes first, and takes the place of a running one of a lower.
//!
//! Watch events go through every job, past its bulk work: see `engine/discovery/follow/`. None of them outlives the
//! process: each start scans. So does a process where events may have been lost, such as by a state that could not be
//! written.
//!
//! A root that goes away does not hold up the others: it is left out until it is back, and scanned then. One that is
//! missing when the process starts is away, too. Once a second each root is resolved: a link that was changed makes
//! the next job watch and scan what it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::engine::{Engine, RunOptions};
use super::into_roots::IntoRoots;
use super::session::Session;
use crate::engine::coordinator::health::Health;
use crate::engine::coordinator::run_state::{AttemptEnd, Interruption, RunState};
use crate::engine::error::{EngineError, Refusal};
use crate::engine::job_plan::{self, JobRequest};
use crate::engine::roots::{self, GivenRoot, registry, root_path};
use crate::engine::stats::RepositoryProcessingResult;
use crate::engine::watch::{WatchOptions, WatchState};
use crate::ledger::JobKind;
use crate::model::{BatchConfig, Root, RootName};
use crate::source::watch::{Watch, WatchSettings};

impl Engine {
    /// Ingests directories and keeps the records in step with them until a stop is requested. Without `roots` it
    /// serves those that were added to the state. `begun` makes a value that lives while the state is held, as for
    /// [`Engine::run_with`].
    ///
    /// # Errors
    /// Any failure that ends the run as a whole; everything committed before stays.
    pub fn watch_with<G>(
        &self,
        roots: impl IntoRoots,
        config: &BatchConfig,
        options: &RunOptions,
        watching: &WatchOptions,
        begun: impl FnOnce(&Path) -> G,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let _one = self.begin()?;
        let settings = WatchSettings { poll: watching.poll, settle: watching.settle };
        let watch = (!self.has_own_source()).then(|| Arc::new(Watch::new(settings)));
        let (mut session, meter) = Session::open(self, config, options, watch.clone())?;
        let mut watch_state = WatchState::new(watch, watching.clone());
        let served = session.serve_roots(&mut watch_state, &roots.into_roots(), &options.names);
        let served = served.map_err(EngineError::or_unavailable);
        served.inspect_err(|_| session.discard())?;
        let guard = begun(&options.state);
        let mut run = RunState::new(Health::of_machine(meter));
        let ended = self.do_jobs(&mut session, &mut watch_state, &mut run);
        // Readers of the state through this run have to go first.
        drop(guard);
        self.shared().end();
        session.close(&ended);
        // Between two jobs nothing waits for room.
        let ending = ended.map_err(EngineError::or_unavailable)?;
        self.result_of(ending, false, run, &session)
    }

    /// Does one job after the other, until one ends the process.
    fn do_jobs(
        &self,
        session: &mut Session<'_>,
        watch_state: &mut WatchState,
        run: &mut RunState,
    ) -> Result<AttemptEnd, EngineError> {
        loop {
            // A job begins with what was loaded before it was asked for, also if the one before ended for it.
            session.reconfigure(run)?;
            if session.has_other_filters {
                session.register_again(watch_state)?;
            }
            let plan = session.begin_next(watch_state)?;
            run.begin_job(&plan, session.first_tick());
            tracing::info!(job = plan.job.id, kind = %plan.job.kind, "begun");
            let ending = session.run_job(&plan, run, Some(watch_state))?;
            match &ending {
                // Recorded already; the standing job never is.
                AttemptEnd::Done if plan.scans_all() => session.forget_suspects(),
                AttemptEnd::Done => {}
                AttemptEnd::Superseded => session.end_job(&plan, run, watch_state.end_of(&plan.job))?,
                AttemptEnd::Hindered(Interruption::Root(lost)) => {
                    watch_state.lose(lost);
                    session.end_job(&plan, run, watch_state.end_of(&plan.job))?;
                }
                _ => return Ok(ending),
            }
            watch_state.cancelled = false;
            session.restart_clock();
        }
    }
}

impl Session<'_> {
    /// Serves these roots, and those that were added to the state, and queues the first scan.
    fn serve_roots(
        &mut self,
        watch_state: &mut WatchState,
        given: &[PathBuf],
        names: &BTreeMap<PathBuf, RootName>,
    ) -> Result<(), EngineError> {
        let store = self.store()?;
        job_plan::close_stale(store)?;
        let known = store.state.info().roots.clone();
        let added = known.iter().filter(|info| info.watched).map(|info| info.path.clone());
        let mut here = Vec::<GivenRoot>::new();
        let mut away = Vec::new();
        for path in given.iter().cloned().chain(added) {
            match roots::resolve_root(&self.fs_probe, &path) {
                Ok(mut resolved) => {
                    roots::name_all(&mut resolved, names);
                    here.extend(resolved);
                }
                // It may be a mount point whose file system is not there yet, or a link that is still to be made.
                Err(mut not_there) => {
                    roots::name_all(std::slice::from_mut(&mut not_there.root), names);
                    let is_known = known.iter().any(|info| info.path == not_there.root.path);
                    if not_there.is_file && !is_known {
                        return Err(not_there.error);
                    }
                    away.push((not_there.root, not_there.error.to_string()));
                }
            }
        }
        let mut seen = BTreeSet::new();
        here.retain(|root| seen.insert(root.path.clone()));
        if here.is_empty() && away.is_empty() {
            return Err(Refusal::NoRoot.into());
        }
        let missing = self.remember(&away.iter().map(|(root, _)| root.clone()).collect::<Vec<_>>())?;
        for info in self.register(&here, true)? {
            watch_state.serve(info.root(), None);
        }
        for (root, (_, why)) in missing.into_iter().zip(away) {
            tracing::warn!("{why}: it is served when it is there");
            watch_state.serve(root, Some(why));
        }
        watch_state.names.clone_from(names);
        watch_state.named = given.iter().map(root_path).collect();
        watch_state.warn_of_nested(self.store()?);
        watch_state.cancel_unserved(self.store()?)?;
        let wanted = JobRequest::of(JobKind::Run, watch_state.ids());
        watch_state.queue(self.store()?, wanted)?;
        Ok(())
    }

    /// Records missing roots in the state. They are registered once they are there, with the processor and the
    /// filters of that time.
    fn remember(&mut self, roots: &[GivenRoot]) -> Result<Vec<Root>, EngineError> {
        let identity = self.identity().to_owned();
        let config = Arc::clone(&self.config);
        let store = self.store()?;
        let used = registry::last_used(&store.reader)?;
        let mut infos = store.state.info().roots.clone();
        let mut known = Vec::new();
        for root in roots {
            let at = roots::find_or_add(&mut infos, root, &identity, used)?;
            let Some(info) = infos.get(at) else { continue };
            registry::check_processor(info, &identity, &config)?;
            known.push(info.root());
        }
        store.describe(|state| state.roots = infos)?;
        Ok(known)
    }

    /// Applies other filters: pending files are checked again, and all is scanned.
    fn register_again(&mut self, watch_state: &mut WatchState) -> Result<(), EngineError> {
        let paths: Vec<_> = watch_state.paths_here().into_iter().map(GivenRoot::known).collect();
        // Those that are away are registered when they are back.
        self.register(&paths, false)?;
        watch_state.queue(self.store()?, JobRequest::of(JobKind::Rescan, watch_state.ids()))?;
        Ok(())
    }

    fn begin_next(&mut self, watch_state: &mut WatchState) -> Result<job_plan::JobPlan, EngineError> {
        let config = Arc::clone(&self.config);
        watch_state.begin(self.store()?, &config)
    }
}
