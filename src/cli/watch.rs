//! `outlast watch`.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use outlast::service::settings::Settings;
use outlast::service::{Desk, Signals};

use super::args::{Cli, WatchArgs};
use super::run::{companions, engine, options, serve, when_free};
use super::{exit, progress};

/// Follows what changes until it is asked to stop.
pub(crate) fn watch(cli: &Cli, args: &WatchArgs, settings: &Settings, started: Instant) -> Result<u8> {
    let (config, watching) = (settings.batch(), settings.watching());
    let engine = engine(settings);
    let signals = Signals::install(&engine.stop().flag(), Duration::from_secs(config.drain_seconds))?;
    let options = options(cli, settings, started);
    let desk = Arc::new(Desk::new(Arc::clone(&engine)));
    let served = Cell::new(serve(settings, &desk)?);
    let _shown = progress::show(&engine, cli.format, settings)?;
    let listen = |state: &Path| companions(state, &desk, &served);
    let result =
        when_free(&options.state, || engine.watch_with(&args.roots, &config, &options, &watching, listen))?;
    if result.stopped.is_some() {
        return Ok(exit::SOME_FAILED);
    }
    Ok(signals.exit_code().unwrap_or(exit::DONE))
}
