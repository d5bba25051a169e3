//! `outlast watch`.

use std::time::{Duration, Instant};

use anyhow::Result;
use outlast::BatchConfig;
use outlast::service::{NextJob, Signals};

use super::args::{Cli, WatchArgs};
use super::run::{engine, options, when_free};
use super::services::Services;
use super::{Configured, exit, progress};

/// Follows what changes until it is asked to stop.
pub(crate) fn watch(cli: &Cli, args: &WatchArgs, configured: Configured<'_>, started: Instant) -> Result<u8> {
    let settings = configured.settings;
    let config = BatchConfig { change_processor: args.change_processor, ..settings.batch() };
    let watching = settings.watching();
    let engine = engine(settings);
    let signals = Signals::install(&engine.stop().flag(), Duration::from_secs(config.drain_seconds))?;
    let options = options(cli, settings, started);
    let _shown = progress::show(&engine, cli.format, settings)?;
    let services = Services::new(&engine, configured, &config, &signals, NextJob::Here)?;
    let result = when_free(&options.state, || {
        engine.watch_with(&args.roots, &config, &options, &watching, |state| services.start(state))
    })?;
    if result.stopped.is_some() {
        return Ok(exit::SOME_FAILED);
    }
    Ok(signals.exit_code().unwrap_or(exit::DONE))
}
