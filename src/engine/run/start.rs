//! A run from start to end: opens the state, starts the threads, coordinates, closes the job.

use std::path::Path;

use super::engine::{Engine, RunOptions};
use super::into_roots::IntoRoots;
use super::session::Session;
use crate::engine::coordinator::health::Health;
use crate::engine::coordinator::run_state::{AttemptEnd, RunState};
use crate::engine::error::EngineError;
use crate::engine::query::resumption::Resumption;
use crate::engine::resources::machine;
use crate::engine::roots;
use crate::engine::stats::{CheckpointData, RepositoryProcessingResult};
use crate::model::BatchConfig;

impl Engine {
    /// Ingests directories: continues with what is pending in the state, scans for what is new, and returns when all
    /// is done or a stop was requested.
    ///
    /// # Errors
    /// Any failure that ends the run as a whole; everything committed before stays.
    pub fn run(
        &self,
        roots: impl IntoRoots,
        config: &BatchConfig,
        options: &RunOptions,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        self.run_with(roots, config, options, |_| ())
    }

    /// Like [`Engine::run`], with a caller's value that lives while the run holds the state: made once the state
    /// directory is open, dropped before it is closed.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_with<G>(
        &self,
        roots: impl IntoRoots,
        config: &BatchConfig,
        options: &RunOptions,
        begun: impl FnOnce(&Path) -> G,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let _one = self.begin()?;
        let mut roots = roots::resolve_roots(&roots.into_roots())?;
        roots::name_all(&mut roots, &options.names);
        let (mut session, meter) = Session::open(self, config, options, None)?;
        let plan = session.begin(&roots, options.files.as_ref()).inspect_err(|_| session.discard())?;
        tracing::info!(job = plan.job.id, roots = roots.len(), resumed = plan.resumed, "run started");
        let mut run = RunState::new(Health::of_machine(meter));
        run.begin_job(&plan, session.first_tick());
        let guard = begun(&options.state);
        let ended = session.run_job(&plan, &mut run, None);
        // Readers of the state through this run have to go first.
        drop(guard);
        session.close(&ended);
        self.result_of(ended?, plan.resumed, run, &session)
    }

    pub(super) fn result_of(
        &self,
        ending: AttemptEnd,
        resumed: bool,
        run: RunState,
        session: &Session<'_>,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let stopped = match ending {
            AttemptEnd::GaveUp { resource, why } => {
                return Err(EngineError::Unavailable { resource, what: why });
            }
            AttemptEnd::Stopped(cause) => Some(cause),
            AttemptEnd::Done
            | AttemptEnd::Interrupted
            | AttemptEnd::Hindered(_)
            | AttemptEnd::Reconfigured
            | AttemptEnd::Superseded => None,
        };
        if ending == AttemptEnd::Done {
            session.markers.clear();
        }
        Ok(RepositoryProcessingResult {
            progress: run.statistics.progress,
            resumed,
            first_commit_seconds: run.first_commit.map(|elapsed| elapsed.as_secs_f64()),
            peak_rss_bytes: machine::peak_rss_bytes(),
            interrupted: ending == AttemptEnd::Interrupted,
            stopped,
            breakers: run.statistics.breakers.into_iter().filter(|breaker| breaker.opened > 0).collect(),
        })
    }

    /// Continues a job from a checkpoint: with its roots and its configuration, from what is committed. Files that
    /// failed are treated as in any run: those whose failure was one of their environment are processed again. A job on
    /// the files of a list does what is pending, and looks at no other files.
    ///
    /// # Errors
    /// The state does not know the job, or has not reached the checkpoint; or as [`Engine::run`].
    pub fn resume(
        &self,
        job_id: u64,
        checkpoint: &CheckpointData,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        if job_id != checkpoint.job_id {
            let state = checkpoint.state.clone();
            return Err(EngineError::UnknownJob { job_id, known: None, state });
        }
        let resumption = Resumption::of(checkpoint)?;
        resumption.check(self.identity())?;
        let options = RunOptions { files: resumption.files, ..RunOptions::new(&checkpoint.state) };
        self.run(resumption.roots, &resumption.config, &options)
    }
}
