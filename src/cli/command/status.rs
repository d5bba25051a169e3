//! `outlast status`.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::HumanBytes;
use outlast::PriorityCounts;
use outlast::engine::{BatchStatistics, BreakerState, StatusReport, WatchFigures};
use outlast::service::Request;

use crate::cli::client::put;
use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::summary::to_the_second;
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Show it again each second, until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
}

/// How often `status --follow` refreshes.
const FOLLOW_STATUS: Duration = Duration::from_secs(1);

/// Runs `outlast status`.
pub(crate) fn status(global: &Global, args: &StatusArgs) -> Result<u8> {
    let clears = args.follow && global.format == Format::Human && terminal::Stream::Out.is_steerable();
    loop {
        let payload = put(global, &Request::Status)?;
        let report: StatusReport = serde_json::from_slice(&payload).context("the answer is no status")?;
        if clears {
            terminal::clear_screen()?;
        }
        terminal::print_report(global.format, &report, |out| write_status(&report, out))?;
        if !args.follow {
            return Ok(exit_code::DONE);
        }
        std::thread::sleep(FOLLOW_STATUS);
        if !clears && global.format == Format::Human {
            terminal::print(|out| writeln!(out))?;
        }
    }
}

fn write_status(report: &StatusReport, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "tick {}, records end at {}", report.cursor.tick, report.records_end)?;
    for root in &report.roots {
        let counts = root.counts;
        writeln!(
            out,
            "root {} ({}): {} pending, {} ok, {} failed",
            root.name,
            root.path.display(),
            counts.pending,
            counts.ok,
            counts.failed
        )?;
    }
    let PriorityCounts { high, normal, low } = report.pending_by_class;
    if high + low > 0 {
        writeln!(out, "pending by class: {high} high, {normal} normal, {low} low")?;
    }
    let older = report.jobs.len().saturating_sub(STATUS_JOBS);
    if older > 0 {
        writeln!(out, "{older} older jobs: see `outlast jobs`")?;
    }
    for job in report.jobs.iter().skip(older) {
        let ended = job.ended.map_or_else(|| "-".to_owned(), to_the_second);
        writeln!(
            out,
            "job {}: {}, {} to {ended}, {} ok, {} failed, {} unchanged, {} removed",
            job.job_id,
            job.end,
            to_the_second(job.started),
            job.counts.ok,
            job.counts.failed,
            job.counts.unchanged,
            job.counts.removed
        )?;
    }
    writeln!(
        out,
        "state {}, records {} in {}",
        HumanBytes(report.state_bytes),
        HumanBytes(report.records_bytes),
        report.records.display()
    )?;
    for consumer in &report.consumers {
        let behind = match consumer.behind_bytes {
            Some(0) => "has read all".to_owned(),
            Some(bytes) => format!(
                "{} behind, compaction leaves {} for it",
                HumanBytes(bytes),
                HumanBytes(consumer.held_bytes)
            ),
            None => "has to start over, as the log no longer has what comes next".to_owned(),
        };
        let moved = to_the_second(consumer.moved);
        writeln!(out, "consumer {} at {}, moved {moved}: {behind}", consumer.name, consumer.cursor)?;
    }
    report.running.as_ref().map_or(Ok(()), |running| write_running(running, out))
}

fn write_running(running: &BatchStatistics, out: &mut Lines<'_>) -> io::Result<()> {
    let progress = &running.progress;
    writeln!(
        out,
        "running: job {}, {}, {} ok, {} failed, {} unchanged, {} pending, {:.0} files/s, {} workers",
        progress.job_id,
        running.state,
        progress.ok,
        progress.failed,
        progress.unchanged,
        progress.pending,
        progress.files_per_second,
        running.workers_allowed
    )?;
    for breaker in running.breakers.iter().filter(|breaker| breaker.state != BreakerState::Closed) {
        let why = breaker.why.as_deref().unwrap_or_default();
        writeln!(out, "waiting for {} since {:.0} s: {why}", breaker.resource, breaker.open_seconds)?;
    }
    running.watch.as_ref().map_or(Ok(()), |watch| write_watch(watch, out))
}

fn write_watch(watch: &WatchFigures, out: &mut Lines<'_>) -> io::Result<()> {
    for root in &watch.roots {
        let why = root.why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
        writeln!(out, "root {} is {}{why}", root.name, root.state)?;
    }
    let status = &watch.status;
    let latency = &watch.latency;
    writeln!(
        out,
        "{} folders watched, {} names and {} folders to look at, {} jobs queued, {} overflows",
        status.armed_folders, status.waiting, watch.folders_waiting, watch.queued_jobs, status.overflows
    )?;
    for (reason, folders) in &status.unwatched {
        writeln!(out, "{folders} folders are polled: {reason}")?;
    }
    if let Some(why) = &watch.unreadable {
        let folders = watch.unreadable_folders;
        writeln!(out, "{folders} folders can't be listed, and are tried again and again, such as {why}")?;
    }
    if latency.count > 0 {
        writeln!(
            out,
            "from a change to its record: {:.0} ms for half, {:.0} ms for 99 % of the last",
            latency.p50_seconds * 1e3,
            latency.p99_seconds * 1e3
        )?;
    }
    Ok(())
}
/// Jobs that `status` lists; `jobs` lists more.
const STATUS_JOBS: usize = 10;
