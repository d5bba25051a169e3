//! What a job goes on with, in another process: its roots and its configuration, as the state keeps them.

use std::path::PathBuf;

use crate::engine::error::{CheckpointError, EngineError};
use crate::engine::job_plan::config_of;
use crate::engine::roots::file_list::FileList;
use crate::engine::stats::CheckpointData;
use crate::ledger::{AskedState, JobKind, RootInfo};
use crate::model::BatchConfig;

/// What a job goes on with: see [`Engine::resume`](crate::Engine::resume).
#[derive(Debug)]
pub struct Resumption {
    /// Its roots.
    pub roots: Vec<PathBuf>,
    /// Its configuration.
    pub config: BatchConfig,
    /// For a job on the files of a list, a list of none: it does what is pending, and scans nothing.
    pub files: Option<FileList>,
    checkpoint: CheckpointData,
    infos: Vec<RootInfo>,
}

impl Resumption {
    /// Looks a checkpoint's job up in its state. A default cursor is reached by any state.
    ///
    /// # Errors
    /// There is no such state, it does not know the job, or it has not reached the checkpoint.
    pub fn of(checkpoint: &CheckpointData) -> Result<Self, EngineError> {
        let state = AskedState::open(&checkpoint.state)?;
        let unfit = |reason| EngineError::Checkpoint { state: checkpoint.state.clone(), reason };
        let job_id = checkpoint.job_id;
        if checkpoint.state_id.as_ref().is_some_and(|id| *id != state.info().id) {
            return Err(unfit(CheckpointError::OtherState));
        }
        let reader = state.reader();
        let jobs = reader.jobs()?;
        let Some(job) = jobs.iter().find(|job| job.id == job_id) else {
            let known = jobs.first().zip(jobs.last()).map(|(first, last)| (first.id, last.id));
            return Err(EngineError::UnknownJob { job_id, known, state: checkpoint.state.clone() });
        };
        let reached = reader.cursor();
        if reached.tick < checkpoint.cursor.tick {
            let checkpoint = checkpoint.cursor.tick;
            return Err(unfit(CheckpointError::OlderCopy { reached: reached.tick, checkpoint }));
        }
        let of_job = state.info().roots.iter().filter(|info| job.roots.contains(&info.id));
        let infos: Vec<RootInfo> = of_job.cloned().collect();
        if infos.is_empty() {
            return Err(unfit(CheckpointError::RootsForgotten { job_id }));
        }
        let config = config_of(job, &checkpoint.state)?;
        Ok(Self {
            roots: infos.iter().map(|info| info.path.clone()).collect(),
            config: BatchConfig { reprocess: false, change_processor: false, ..config },
            files: (job.kind == JobKind::Listed).then(FileList::empty),
            checkpoint: checkpoint.clone(),
            infos,
        })
    }

    /// Checks that the processor is the one that did the job.
    ///
    /// # Errors
    /// It is another one.
    pub fn check(&self, processor: &str) -> Result<(), EngineError> {
        let Some(info) = self.infos.iter().find(|info| info.processor != processor) else { return Ok(()) };
        let found = info.processor.clone();
        let wanted = processor.to_owned();
        let reason = CheckpointError::OtherProcessor { job_id: self.checkpoint.job_id, found, wanted };
        Err(EngineError::Checkpoint { state: self.checkpoint.state.clone(), reason })
    }
}
