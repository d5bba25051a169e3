//! What a run is to do: its roots and its configuration, or those of a job, and the files of a list.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use outlast::engine::{EngineError, FileList, Refusal, Resumption};
use outlast::service::settings::Settings;
use outlast::source::list::ListError;
use outlast::{BatchConfig, CheckpointData, Cursor};

use super::RunArgs;
use crate::cli::options::global::Global;

/// What a run is to do.
pub(super) struct Target {
    pub(super) roots: Vec<PathBuf>,
    pub(super) config: BatchConfig,
    pub(super) files: Option<FileList>,
    /// Of the job that it goes on with.
    pub(super) resumption: Option<Resumption>,
}

impl Target {
    pub(super) fn of(global: &Global, args: &RunArgs, settings: &Settings) -> Result<Self> {
        let (roots, config, resumption) = match &args.resume {
            Some(job) => {
                let mut resumption = Resumption::of(&job.checkpoint(&global.state))?;
                let config = settings.over_job(std::mem::take(&mut resumption.config));
                (resumption.roots.clone(), config, Some(resumption))
            }
            None => (settings.chosen_roots(&args.roots), settings.fields().batch.clone(), None),
        };
        if roots.is_empty() {
            return Err(EngineError::from(Refusal::NoRoot).into());
        }
        let config =
            BatchConfig { reprocess: args.reprocess, change_processor: args.change_processor, ..config };
        let listed = args.files_from.as_deref().map(|list| read_list(list, &roots)).transpose()?;
        let files = listed.or_else(|| resumption.as_ref()?.files.clone());
        Ok(Self { roots, config, files, resumption })
    }
}

/// Reads a list of files below these roots.
pub(super) fn read_list(list: &Path, roots: &[PathBuf]) -> Result<FileList> {
    let is_stdin = list == Path::new("-");
    let read = || match is_stdin {
        true => FileList::read(io::stdin().lock(), roots),
        false => FileList::read(File::open(list).map_err(ListError::Read)?, roots),
    };
    read().map_err(|error| match error {
        EngineError::List(_) if is_stdin => anyhow::Error::from(error).context("stdin"),
        EngineError::List(_) => anyhow::Error::from(error).context(list.display().to_string()),
        error => error.into(),
    })
}

/// A job as an argument: its number, with the id of its state behind it or not.
#[derive(Debug, Clone)]
pub(crate) struct GivenJob {
    job_id: u64,
    state_id: Option<String>,
}

impl FromStr for GivenJob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, state) = text.split_once('@').map_or((text, None), |(job, state)| (job, Some(state)));
        let wrong =
            || "expected the number of a job, as `outlast jobs` prints it, or NUMBER@STATE".to_owned();
        let job_id = number.parse().map_err(|_| wrong())?;
        Ok(Self { job_id, state_id: state.map(str::to_owned) })
    }
}

impl GivenJob {
    /// Returns a checkpoint of it that the state has reached.
    fn checkpoint(&self, state: &Path) -> CheckpointData {
        CheckpointData {
            job_id: self.job_id,
            state: state.to_owned(),
            cursor: Cursor::default(),
            state_id: self.state_id.clone(),
        }
    }
}
