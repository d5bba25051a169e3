//! `outlast run`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use outlast::BatchConfig;
use outlast::engine::{Engine, EngineError, RepositoryProcessingResult, RunOptions};
use outlast::ledger::LedgerError;
use outlast::service::{Controlled, Signals, is_answered};

use super::args::{Cli, RunArgs};
use super::{exit, print, progress};

/// How often, and how long apart, a state that is in use without a run is tried.
const BUSY_TRIES: u32 = 250;
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// Runs a job to its end.
pub(crate) fn run(cli: &Cli, args: &RunArgs, started: Instant) -> Result<u8> {
    let config = config_of(args);
    let engine = Arc::new(Engine::new(Arc::new(args.limits.processor()?)));
    let signals = Signals::install(&engine.stop().flag())?;
    let options = RunOptions { state: cli.state.clone(), records: args.out.as_ref().map(absolute), started };
    let result = if args.dry_run {
        engine.dry_run(&args.roots, &config, &options)?
    } else {
        let _shown = progress::show(&engine, cli.format, args.progress, args.heartbeat)?;
        run_when_free(&engine, args, &config, &options)?
    };
    print::summary(&result, cli.format, args.dry_run)?;
    Ok(code_of(&result, &signals))
}

/// `status` and its like hold the state for an instant: a state that is in use while no run answers
/// for it is tried again for a while.
fn run_when_free(
    engine: &Arc<Engine>,
    args: &RunArgs,
    config: &BatchConfig,
    options: &RunOptions,
) -> Result<RepositoryProcessingResult> {
    let listen = |state: &std::path::Path| {
        let controlled = Controlled::listen(state, Arc::clone(engine));
        controlled.inspect_err(|error| tracing::warn!(%error, "status and explain can't ask this run")).ok()
    };
    let mut tries = 0;
    loop {
        // What listens lives until the run has ended, and goes before the state is closed.
        match engine.run_with(&args.roots, config, options, listen) {
            Err(EngineError::Ledger(LedgerError::InUse { .. }))
                if tries < BUSY_TRIES && !is_answered(&options.state) =>
            {
                tries += 1;
                std::thread::sleep(BUSY_WAIT);
            }
            result => return Ok(result?),
        }
    }
}

/// A record folder is named relative to the current folder.
pub(crate) fn absolute(out: &PathBuf) -> PathBuf {
    std::path::absolute(out).unwrap_or_else(|_| out.clone())
}

fn config_of(args: &RunArgs) -> BatchConfig {
    let default = BatchConfig::default();
    BatchConfig {
        batch_size: args.batch_size.map_or(default.batch_size, usize::from),
        worker_count: args.workers.map_or(default.worker_count, usize::from),
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        order: args.order.into(),
        strategy: args.strategy.into(),
        reprocess: args.reprocess,
        ..default
    }
}

fn code_of(result: &RepositoryProcessingResult, signals: &Signals) -> u8 {
    let progress = &result.progress;
    if result.interrupted {
        return signals.exit_code().unwrap_or(exit::UNEXPECTED);
    }
    let unseen = progress.unreadable_folders > 0 || progress.skipped.contains_key("no-metadata");
    if progress.failed > 0 || progress.failed_earlier > 0 || unseen {
        return exit::SOME_FAILED;
    }
    if progress.discovered == 0 { exit::NOTHING_MATCHED } else { exit::DONE }
}
