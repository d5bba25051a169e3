//! `outlast run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use outlast::engine::{Engine, EngineError, RepositoryProcessingResult, RunOptions};
use outlast::ledger::LedgerError;
use outlast::service::settings::Settings;
use outlast::service::{NextJob, Signals, is_answered};
use outlast::{AstProcessor, BatchConfig};

use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfRun};
use crate::cli::options::global::{Global, absolute};
use crate::cli::output::{progress, summary, terminal};
use crate::cli::setup::Configured;
use crate::cli::setup::services::Services;

/// For how long, and how often, a state that is in use without a run is retried.
const BUSY_MAX: Duration = Duration::from_secs(5);
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// Runs a job to its end.
pub(crate) fn run(
    global: &Global,
    args: &RunArgs,
    configured: Configured<'_>,
    started: Instant,
) -> Result<u8> {
    let settings = configured.settings;
    let config = BatchConfig {
        reprocess: args.reprocess,
        change_processor: args.change_processor,
        ..settings.batch()
    };
    let engine = engine(settings);
    let signals = Signals::install(&engine.stop().flag(), Duration::from_secs(config.drain_seconds))?;
    let options = options(global, settings, started);
    let result = if args.dry_run {
        engine.dry_run(&args.roots, &config, &options)?
    } else {
        let _shown = progress::show(&engine, global.format, settings)?;
        let services = Services::new(&engine, configured, &config, &signals, NextJob::Elsewhere)?;
        when_free(&options.state, || {
            engine.run_with(&args.roots, &config, &options, |state| services.start(state))
        })?
    };
    let printed = summary::summary(&result, global.format, args.dry_run);
    terminal::code_of_printed(printed, code_of(&result, &signals))
}

/// Creates an engine with the processor for these settings.
pub(crate) fn engine(settings: &Settings) -> Arc<Engine> {
    Arc::new(Engine::new(Arc::new(AstProcessor::with_limits(settings.limits()))))
}

pub(crate) fn options(global: &Global, settings: &Settings, started: Instant) -> RunOptions {
    RunOptions { state: global.state.clone(), records: settings.out().map(absolute), started }
}

/// Runs a job; retries for a while if the state is in use without a run that answers, since `status` and similar
/// commands hold the state for an instant.
pub(crate) fn when_free<T>(state: &Path, run: impl Fn() -> Result<T, EngineError>) -> Result<T, EngineError> {
    let begun = Instant::now();
    loop {
        match run() {
            Err(EngineError::Ledger(LedgerError::InUse { .. }))
                if begun.elapsed() < BUSY_MAX && !is_answered(state) =>
            {
                std::thread::sleep(BUSY_WAIT);
            }
            result => return result,
        }
    }
}

fn code_of(result: &RepositoryProcessingResult, signals: &Signals) -> u8 {
    let progress = &result.progress;
    if result.interrupted {
        return signals.exit_code().unwrap_or(exit_code::STOPPED);
    }
    if result.stopped.is_some() {
        return exit_code::SOME_FAILED;
    }
    let unseen = progress.unreadable_folders > 0 || progress.skipped.contains_key("no-metadata");
    if progress.failed > 0 || progress.failed_earlier > 0 || unseen {
        return exit_code::SOME_FAILED;
    }
    if progress.discovered == 0 { exit_code::NOTHING_MATCHED } else { exit_code::DONE }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Folders to ingest
    #[arg(required = true, value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    /// Only tell what would be done; nothing is read, written or made
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Process every file again, done or not
    #[arg(long)]
    pub(crate) reprocess: bool,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,
}
