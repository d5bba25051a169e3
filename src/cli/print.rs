//! Results on stdout.

use std::io;

use anyhow::Result;
use outlast::Timestamp;
use outlast::engine::{
    BatchStatistics, BreakerState, Explanation, RepairReport, RepositoryProcessingResult, StatusReport,
    StopCause, WatchFigures,
};

use super::args::Format;
use super::terminal::{self, Lines};

/// The summary of a run.
pub(crate) fn summary(result: &RepositoryProcessingResult, format: Format, dry_run: bool) -> Result<()> {
    if format == Format::Json {
        return terminal::print_json(result);
    }
    terminal::print(|out| write_summary(result, dry_run, out))
}

fn write_summary(result: &RepositoryProcessingResult, dry_run: bool, out: &mut Lines<'_>) -> io::Result<()> {
    let progress = &result.progress;
    if dry_run {
        writeln!(out, "dry run: nothing was read or written")?;
    } else {
        let end = match result.stopped {
            _ if result.interrupted => "interrupted, work kept",
            Some(StopCause::FailFast) => "stopped by the first failure, work kept",
            Some(StopCause::MaxFailures) => "stopped by too many failures, work kept",
            None => "done",
        };
        let resumed = if result.resumed { ", resumed" } else { "" };
        writeln!(out, "job {}: {end}{resumed}", progress.job)?;
    }
    let counts = [
        ("discovered", progress.discovered),
        ("ok", progress.ok),
        ("failed", progress.failed),
        ("unchanged", progress.unchanged),
        ("pending", progress.pending),
        ("removed", progress.removed),
    ];
    for (name, count) in counts {
        writeln!(out, "  {name:<11}{count:>10}")?;
    }
    for (reason, count) in &progress.skipped {
        writeln!(out, "  {:<11}{count:>10}  ({reason})", "skipped")?;
    }
    for (rule, count) in &progress.filtered {
        let rule = if rule == "include" { "no include glob matches" } else { rule };
        writeln!(out, "  {:<11}{count:>10}  ({rule})", "left out")?;
    }
    if progress.failed_earlier > 0 {
        writeln!(out, "  {} of the unchanged files failed in an earlier run", progress.failed_earlier)?;
    }
    if progress.failed + progress.failed_earlier > 0 {
        writeln!(out, "  which files failed, and why: outlast failures")?;
    }
    if progress.unreadable_folders > 0 {
        writeln!(out, "  {} folders could not be listed: see the log", progress.unreadable_folders)?;
    }
    for breaker in &result.breakers {
        let (resource, seconds) = (breaker.resource, breaker.open_seconds);
        writeln!(out, "  waited {seconds:.1} s for a resource: {resource}")?;
    }
    if !dry_run {
        writeln!(
            out,
            "  {:.1} MB in {:.2} s, {:.0} files/s, {} batches, {} ticks, {:.0} MB of memory at most",
            progress.bytes as f64 / 1e6,
            progress.elapsed_seconds,
            progress.files_per_second,
            progress.batches,
            progress.ticks,
            result.peak_rss_bytes as f64 / 1e6
        )?;
    }
    Ok(())
}

/// The answer of `status`.
pub(crate) fn status(report: &StatusReport, format: Format) -> Result<()> {
    if format == Format::Json {
        return terminal::print_json(report);
    }
    terminal::print(|out| write_status(report, out))
}

/// Jobs that `status` tells of; `jobs` tells of more.
const STATUS_JOBS: usize = 10;

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
    let older = report.jobs.len().saturating_sub(STATUS_JOBS);
    if older > 0 {
        writeln!(out, "{older} older jobs: see `outlast jobs`")?;
    }
    for job in report.jobs.iter().skip(older) {
        let ended = job.ended.map_or_else(|| "-".to_owned(), to_the_second);
        writeln!(
            out,
            "job {}: {}, {} to {ended}, {} ok, {} failed, {} unchanged, {} removed",
            job.job,
            job.end,
            to_the_second(job.started),
            job.ok,
            job.failed,
            job.unchanged,
            job.removed
        )?;
    }
    writeln!(
        out,
        "state {:.1} MB, records {:.1} MB in {}",
        report.state_bytes as f64 / 1e6,
        report.records_bytes as f64 / 1e6,
        report.records.display()
    )?;
    report.running.as_ref().map_or(Ok(()), |running| write_running(running, out))
}

fn write_running(running: &BatchStatistics, out: &mut Lines<'_>) -> io::Result<()> {
    let progress = &running.progress;
    writeln!(
        out,
        "running: job {}, {}, {} ok, {} failed, {} unchanged, {} pending, {:.0} files/s, {} workers",
        progress.job,
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
    let (status, latency) = (&watch.status, &watch.latency);
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

/// A time without the fraction of its second, which people do not read.
pub(super) fn to_the_second(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// The answer of `explain`.
pub(crate) fn explanation(told: &Explanation, format: Format) -> Result<()> {
    if format == Format::Json {
        return terminal::print_json(told);
    }
    terminal::print(|out| write_explanation(told, out))
}

fn write_explanation(told: &Explanation, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "{}", told.path)?;
    writeln!(out, "  root      {}", told.root.as_deref().unwrap_or("none"))?;
    writeln!(out, "  scan      {}", told.scan)?;
    writeln!(out, "  state     {}", told.state)?;
    if let Some(size) = told.size {
        let changed =
            told.mtime.map_or_else(|| "at a time out of bounds".to_owned(), |time| time.to_string());
        writeln!(out, "  version   {size} bytes, changed {changed}")?;
    }
    if told.attempts > 0 {
        writeln!(out, "  attempts  {}", told.attempts)?;
    }
    if told.recheck {
        writeln!(out, "  recheck   the next scan compares its content: it changed just before it was read")?;
    }
    if let (Some(record), Some(position)) = (&told.record, told.position) {
        writeln!(out, "  record    {} (at {position})", record.get())?;
    }
    Ok(())
}

/// The answer of `repair`.
pub(crate) fn repair(report: &RepairReport, format: Format) -> Result<()> {
    if format == Format::Json {
        return terminal::print_json(report);
    }
    terminal::print(|out| {
        writeln!(
            out,
            "repaired: {} records kept, {} dropped, {} files known; run `outlast run` to bring it up to date",
            report.records_kept, report.records_dropped, report.files
        )?;
        report.set_aside.iter().try_for_each(|path| writeln!(out, "  set aside: {}", path.display()))
    })
}
