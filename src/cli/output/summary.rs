//! Results on stdout.

use std::io;
use std::path::Path;

use anyhow::Result;
use indicatif::HumanBytes;
use outlast::Timestamp;
use outlast::engine::{RepositoryProcessingResult, RunOptions, StopCause};

use super::terminal::{self, Lines};
use crate::cli::options::global::Format;

/// Prints the summary of a run.
pub(crate) fn summary(
    result: &RepositoryProcessingResult,
    format: Format,
    dry_run: bool,
    options: &RunOptions,
) -> Result<()> {
    terminal::print_report(format, result, |out| {
        write_summary(result, dry_run, out)?;
        // Once: later runs of the state have the same answer.
        if result.progress.job_id == 1 && !dry_run { write_place(options, out) } else { Ok(()) }
    })
}

/// Prints where the records of a new state are, and how to read them.
fn write_place(options: &RunOptions, out: &mut Lines<'_>) -> io::Result<()> {
    let folder = options.state.join(options.records_or_default());
    let of_state = if options.state == Path::new(".outlast") {
        String::new()
    } else {
        format!(" --state {}", quoted(&options.state.to_string_lossy()))
    };
    writeln!(out, "  records: {}; to read them: outlast records{of_state}", folder.display())
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
        writeln!(out, "job {}: {end}{resumed}", progress.job_id)?;
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
    if progress.new_failures + progress.known_failures > 0 {
        let new = progress.new_failures;
        let known = progress.known_failures;
        writeln!(out, "  failures: {new} new, {known} known from an earlier run")?;
        writeln!(out, "  which files failed, and why: outlast failures")?;
    }
    if progress.unreadable_folders > 0 {
        let folders = counted(progress.unreadable_folders, "folder", "folders");
        writeln!(out, "  {folders} could not be listed: see the log")?;
    }
    for breaker in &result.breakers {
        writeln!(out, "  waited {:.1} s for a resource: {}", breaker.open_seconds, breaker.resource)?;
    }
    if !dry_run {
        writeln!(
            out,
            "  {} in {:.2} s, {:.0} files/s, {}, {}, {} of memory at most",
            HumanBytes(progress.bytes),
            progress.elapsed_seconds,
            progress.files_per_second,
            counted(progress.batches, "batch", "batches"),
            counted(progress.ticks, "tick", "ticks"),
            HumanBytes(result.peak_rss_bytes)
        )?;
    }
    Ok(())
}

/// Quotes a path for a shell, where it has to be.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Formats a count with its noun.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Formats a time without fractions of a second, which people do not read.
pub(crate) fn to_the_second(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}
