//! `outlast run`, and what goes before it: what it is to do, and how that would be cut into batches.

pub(in crate::cli) mod plan;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use outlast::BatchConfig;
use outlast::engine::{Engine, EngineError, RepositoryProcessingResult, RunOptions, Stop, root_path};
use outlast::ledger::{StateFolder, check_exclusion};
use outlast::service::settings::{KnownFailures, Settings, SettingsError};
use outlast::service::{NextJob, Signals};

use crate::cli::options::flags::{Flags, OfRun};
use crate::cli::options::global::{Global, absolute};
use crate::cli::output::{progress, summary, terminal};
use crate::cli::setup::Configured;
use crate::cli::setup::processor::ChosenProcessor;
use crate::cli::setup::services::Services;
use crate::cli::{client, exit_code};
use target::{GivenJob, Target};

/// Runs a job to its end.
pub(crate) fn run(
    global: &Global,
    args: &RunArgs,
    configured: Configured<'_>,
    started: Instant,
) -> Result<u8> {
    let settings = configured.settings;
    let target = Target::of(global, args, settings)?;
    let roots = target.roots;
    PreparedRun::check_free(global, settings)?;
    let mut run = PreparedRun::prepare(global, settings, target.config, &roots, started)?;
    if let Some(resumption) = target.resumption {
        resumption.check(run.engine.identity()).inspect_err(|_| run.end_children())?;
    }
    run.options.files = target.files;
    if args.end_with_stdin {
        run.signals.end_with_stdin()?;
    }
    let result = if args.dry_run {
        let seen = run.engine.dry_run(&roots, &run.config, &run.options);
        run.end_children();
        seen?
    } else {
        run.serve(global, configured, NextJob::Elsewhere, |services| {
            run.engine.run_with(&roots, &run.config, &run.options, |state| services.start(state))
        })?
    };
    let printed = summary::summary(&result, global.format, args.dry_run, &run.options);
    terminal::code_of_printed(printed, code_of(&result, &run, args, settings.fields().known_failures))
}

/// What `run` and `watch` work with.
pub(super) struct PreparedRun {
    pub(super) engine: Arc<Engine>,
    pub(super) config: BatchConfig,
    pub(super) options: RunOptions,
    pub(super) signals: Signals,
    chosen: ChosenProcessor,
}

impl PreparedRun {
    /// Refuses a state that another process holds, before a child is started for nothing.
    pub(super) fn check_free(global: &Global, settings: &Settings) -> Result<()> {
        if settings.fields().exec.is_some() {
            client::when_free(&global.state, || Ok(StateFolder::check_free(&global.state)?))?;
        }
        Ok(())
    }

    /// Prepares a run with the processor for these settings. Signals end it from now on.
    pub(super) fn prepare(
        global: &Global,
        settings: &Settings,
        config: BatchConfig,
        roots: &[PathBuf],
        started: Instant,
    ) -> Result<Self> {
        if let Some(problem) = settings.shard_problem() {
            return Err(SettingsError(vec![problem]).into());
        }
        if config.shard.is_some() && !settings.fields().unsafe_locks {
            check_exclusion(&global.state).map_err(EngineError::from)?;
        }
        // Before a child is started, which must not outlive the signal.
        let stop = Stop::default();
        let signals = Signals::install(&stop.flag(), Duration::from_secs(config.drain_seconds))?;
        let chosen = ChosenProcessor::of(settings, &config, roots)?;
        let engine = Arc::new(Engine::new(chosen.processor()).with_stop(stop));
        let records = settings.fields().out.as_deref().map(absolute);
        let named =
            settings.fields().roots.value.iter().map(|root| (root_path(&root.path), root.name.clone()));
        let names = named.collect();
        let options = RunOptions { state: global.state.clone(), records, names, files: None, started };
        Ok(Self { engine, config, options, signals, chosen })
    }

    fn end_children(&self) {
        self.chosen.end(Duration::from_secs(self.config.drain_seconds));
    }

    /// Runs once the state is free, with its progress shown, and its services ready to start.
    pub(super) fn serve<T>(
        &self,
        global: &Global,
        configured: Configured<'_>,
        next_job: NextJob,
        act: impl Fn(&Services) -> Result<T, EngineError>,
    ) -> Result<T> {
        let _shown = progress::show(&self.engine, global.format, configured.settings)?;
        let services = Services::new(&self.engine, configured, &self.config, &self.signals, next_job)?;
        let done = client::when_free(&self.options.state, || act(&services));
        self.end_children();
        Ok(done?)
    }
}

fn code_of(
    result: &RepositoryProcessingResult,
    run: &PreparedRun,
    args: &RunArgs,
    known: KnownFailures,
) -> u8 {
    let progress = &result.progress;
    if result.interrupted {
        return run.signals.exit_code().unwrap_or(exit_code::STOPPED);
    }
    if result.stopped.is_some() {
        return exit_code::SOME_FAILED;
    }
    let unseen = progress.unreadable_folders > 0 || progress.skipped.contains_key("no-metadata");
    let known_failures = if known == KnownFailures::Ok { 0 } else { progress.known_failures };
    if progress.new_failures + known_failures > 0 || unseen {
        return exit_code::SOME_FAILED;
    }
    let named_no_file = ["not-there", "folder"].map(|reason| progress.skipped.get(reason).unwrap_or(&0));
    let files = progress.discovered - named_no_file.into_iter().sum::<u64>();
    // Of a list that names what was deleted, all is done; a whole tree that is gone is another matter.
    let removed = run.options.files.as_ref().map_or(0, |_| progress.removed);
    // A shard may well have none of the files.
    let may_be_none = args.resume.is_some() || run.config.shard.is_some();
    if files + removed == 0 && !may_be_none { exit_code::NOTHING_MATCHED } else { exit_code::DONE }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Folders to ingest; else those that the setting `root` names
    #[arg(value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    /// Go on with this job of the state, with its roots and its settings; as 3@STATE it is refused by a state with
    /// another id
    #[arg(long, value_name = "JOB", conflicts_with_all = ["roots", "root", "reprocess", "change_processor"])]
    pub(crate) resume: Option<GivenJob>,

    /// Look at the files that this list names and at no others: a path a line, or each ended by a zero byte, relative
    /// to ROOT or absolute; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "reprocess")]
    pub(crate) files_from: Option<PathBuf>,

    /// Only tell what would be done; nothing is read, written or made
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Process every file again, done or not
    #[arg(long)]
    pub(crate) reprocess: bool,

    /// Process every file again that another processor has processed, which is refused else
    #[arg(long)]
    pub(crate) change_processor: bool,

    /// End at once, with all that is committed, when standard input ends: for a program that starts this one through a
    /// pipe, and may be killed
    #[arg(long)]
    pub(crate) end_with_stdin: bool,
}
