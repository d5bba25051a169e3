//! `outlast watch`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use outlast::BatchConfig;
use outlast::service::{NextJob, Signals};

use super::run::{engine, options, when_free};
use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfRun, OfWatch};
use crate::cli::options::global::Global;
use crate::cli::output::progress;
use crate::cli::setup::Configured;
use crate::cli::setup::services::Services;

/// Follows changes until asked to stop.
pub(crate) fn watch(
    global: &Global,
    args: &WatchArgs,
    configured: Configured<'_>,
    started: Instant,
) -> Result<u8> {
    let settings = configured.settings;
    let config = BatchConfig { change_processor: args.change_processor, ..settings.batch() };
    let watching = settings.watching();
    let engine = engine(settings);
    let signals = Signals::install(&engine.stop().flag(), Duration::from_secs(config.drain_seconds))?;
    let options = options(global, settings, started);
    let _shown = progress::show(&engine, global.format, settings)?;
    let services = Services::new(&engine, configured, &config, &signals, NextJob::Here)?;
    let result = when_free(&options.state, || {
        engine.watch_with(&args.roots, &config, &options, &watching, |state| services.start(state))
    })?;
    if result.stopped.is_some() {
        return Ok(exit_code::SOME_FAILED);
    }
    Ok(signals.exit_code().unwrap_or(exit_code::DONE))
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Folders to ingest and follow; those that were added to the state by `ctl add` as well
    #[arg(value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    #[command(flatten)]
    pub(crate) watching: Flags<OfWatch>,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,
}
