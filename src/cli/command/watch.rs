//! `outlast watch`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use outlast::BatchConfig;
use outlast::service::NextJob;

use super::run::PreparedRun;
use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfRun, OfWatch};
use crate::cli::options::global::Global;
use crate::cli::setup::Configured;

/// Follows changes until asked to stop.
pub(crate) fn watch(
    global: &Global,
    args: &WatchArgs,
    configured: Configured<'_>,
    started: Instant,
) -> Result<u8> {
    let settings = configured.settings;
    let config = BatchConfig { change_processor: args.change_processor, ..settings.fields().batch.clone() };
    let watching = settings.fields().watching.clone();
    let roots = settings.chosen_roots(&args.roots);
    PreparedRun::check_free(global, settings)?;
    let run = PreparedRun::prepare(global, settings, config, &roots, started)?;
    if args.end_with_stdin {
        run.signals.end_with_stdin()?;
    }
    let result = run.serve(global, configured, NextJob::Here, |services| {
        run.engine.watch_with(&roots, &run.config, &run.options, &watching, |state| services.start(state))
    })?;
    if result.stopped.is_some() {
        return Ok(exit_code::SOME_FAILED);
    }
    Ok(run.signals.exit_code().unwrap_or(exit_code::DONE))
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Folders to ingest and follow, else those that the setting `root` names; those that were added to the state by `ctl add` as well
    #[arg(value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    #[command(flatten)]
    pub(crate) watching: Flags<OfWatch>,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,

    /// End at once, with all that is committed, when standard input ends: for a program that starts this one through a
    /// pipe, and may be killed
    #[arg(long)]
    pub(crate) end_with_stdin: bool,
}
