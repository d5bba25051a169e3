//! `outlast shards status`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use outlast::Shard;
use outlast::engine::{ShardStates, ShardStatus, ShardsReport};

use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::summary::to_the_second;
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct ShardsStatusArgs {
    /// The folder with the states: what `--state STATES/{shard}` names
    #[arg(value_name = "STATES")]
    states: PathBuf,

    /// Show it again when it changes, until no shard is pending
    #[arg(long)]
    follow: bool,
}

/// How often `--follow` looks.
const FOLLOW: Duration = Duration::from_secs(2);

/// Shows how the shards are.
pub(super) fn status(global: &Global, args: &ShardsStatusArgs) -> Result<u8> {
    let clears = args.follow && global.format == Format::Human && terminal::Stream::Out.is_steerable();
    let mut shown = None;
    loop {
        let report = ShardStates::find(&args.states)?.report()?;
        let is_last = !args.follow || report.pending == 0;
        let seen = serde_json::to_string(&report)?;
        if is_last || shown.as_ref() != Some(&seen) {
            if clears {
                terminal::clear_screen()?;
            }
            // Where lines stay, a line each time is enough.
            let is_whole = is_last || clears;
            terminal::print_report(global.format, &report, |out| write_report(&report, is_whole, out))?;
            shown = Some(seen);
        }
        if is_last {
            return Ok(code_of(&report));
        }
        std::thread::sleep(FOLLOW);
    }
}

fn code_of(report: &ShardsReport) -> u8 {
    match report {
        ShardsReport { pending: 1.., .. } => exit_code::UNAVAILABLE,
        ShardsReport { failed: 1.., .. } => exit_code::SOME_FAILED,
        _ => exit_code::DONE,
    }
}

fn write_report(report: &ShardsReport, is_whole: bool, out: &mut Lines<'_>) -> io::Result<()> {
    if is_whole {
        writeln!(out, "shard  state       pending          ok      failed  written               by")?;
        report.shards.iter().try_for_each(|shard| write_shard(shard, out))?;
    }
    let ShardsReport { count, done, failed, pending, total, .. } = report;
    writeln!(
        out,
        "{count} shards: {done} done, {failed} done with failures, {pending} pending; files: {} pending, {} ok, {} failed",
        total.pending, total.ok, total.failed
    )
}

fn write_shard(status: &ShardStatus, out: &mut Lines<'_>) -> io::Result<()> {
    let ShardStatus { shard, state, summary } = status;
    let shard = Shard::padded_number(*shard);
    let state = state.as_str();
    let Some(summary) = summary else { return writeln!(out, "{shard}   {state}") };
    let counts = summary.counts;
    writeln!(
        out,
        "{shard}   {state:<9}{:>10}{:>12}{:>12}  {}  {}:{}",
        counts.pending,
        counts.ok,
        counts.failed,
        to_the_second(summary.written),
        summary.host,
        summary.pid
    )
}
