//! `outlast shards`: the parts of a tree, each in a state of its own, from outside of their runners.

mod emit;
mod status;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use outlast::Shard;
use outlast::engine::{CommittedLog, ShardStates};
use serde::Serialize;

use super::records::records_format;
use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::export::{self, RecordsFormat, Which};
use crate::cli::output::terminal;

/// Runs `outlast shards`.
pub(crate) fn shards(global: &Global, args: &ShardsArgs) -> Result<u8> {
    match &args.command {
        ShardsCommand::Status(args) => status::status(global, args),
        ShardsCommand::Records(args) => records(args),
        ShardsCommand::Check(args) => check(global, args),
        ShardsCommand::Emit(args) => emit::emit(global, args),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ShardsArgs {
    #[command(subcommand)]
    pub(crate) command: ShardsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShardsCommand {
    /// Show how each shard is, and the sum: exit code 0 if all is done, 3 with failures, 75 if some shards are not done
    Status(status::ShardsStatusArgs),
    /// Print the latest record of each path, of all shards
    Records(ShardsRecordsArgs),
    /// Check that all shards are there and fit together, with each path in one of them; else exit code 12
    Check(ShardsCheckArgs),
    /// Print a script or manifest with which a scheduler runs all shards
    Emit(emit::EmitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShardsRecordsArgs {
    /// The folder with the states: what `--state STATES/{shard}` names
    #[arg(value_name = "STATES")]
    states: PathBuf,

    /// A folder to write to instead of stdout, with a folder `shard=0003` for each shard, as DuckDB, Polars and Spark
    /// read a data set
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// How records are written: `ndjson`, a line for each, or `parquet`, a table, with --output [default: ndjson]
    // As of `records`: the global option, with values of its own.
    #[arg(long, value_name = "ndjson|parquet", default_value = "human", hide_default_value = true,
          value_parser = records_format)]
    format: Format,
}

impl ShardsRecordsArgs {
    /// Returns why these arguments don't go together.
    pub(crate) fn misfit(&self) -> Option<&'static str> {
        let is_table = self.format == Format::Parquet;
        if is_table && cfg!(not(feature = "parquet")) {
            return Some(export::WITHOUT_PARQUET);
        }
        (is_table && self.output.is_none())
            .then_some("--format parquet needs a folder to write to: add --output DIR")
    }
}

#[derive(Debug, Args)]
pub(crate) struct ShardsCheckArgs {
    /// The folder with the states: what `--state STATES/{shard}` names
    #[arg(value_name = "STATES")]
    states: PathBuf,
}

fn records(args: &ShardsRecordsArgs) -> Result<u8> {
    let states = ShardStates::find(&args.states)?;
    let report = states.report()?;
    if report.pending > 0 {
        terminal::tell(&format!(
            "outlast: {} of {} shards are not done: these are their records so far",
            report.pending, report.count
        ));
    }
    let Some(folder) = &args.output else {
        let mut out = terminal::json_out();
        for &shard in states.found() {
            if let Some((log, positions)) = states.current(shard)? {
                log.write_lines(&positions, false, &mut out)?;
            }
        }
        out.flush()?;
        return Ok(exit_code::DONE);
    };
    let (format, name) = match args.format {
        Format::Parquet => (RecordsFormat::Table, "records.parquet"),
        _ => (RecordsFormat::Lines, "records.ndjson"),
    };
    for &shard in states.found() {
        if let Some(found) = states.current(shard)? {
            let path = folder.join(format!("shard={}", Shard::padded_number(shard))).join(name);
            let code = write(states.folder(), format, found, &path)?;
            if code != exit_code::DONE {
                return Ok(code);
            }
        }
    }
    Ok(exit_code::DONE)
}

fn write(
    states: &Path,
    format: RecordsFormat,
    (log, positions): (CommittedLog, String),
    path: &Path,
) -> Result<u8> {
    let above = path.parent().unwrap_or(path);
    fs::create_dir_all(above).with_context(|| format!("{} can't be made", above.display()))?;
    export::write(states, format, &log, &Which::At(positions), path)
}

/// Answer of `outlast shards check`.
#[derive(Serialize)]
struct Checked {
    fits: bool,
    problems: Vec<String>,
}

fn check(global: &Global, args: &ShardsCheckArgs) -> Result<u8> {
    let states = ShardStates::find(&args.states)?;
    let problems = states.check()?;
    let checked = Checked { fits: problems.is_empty(), problems };
    terminal::print_report(global.format, &checked, |out| {
        for problem in &checked.problems {
            writeln!(out, "{problem}")?;
        }
        if checked.fits {
            writeln!(out, "{} shards, which fit together", states.found().len())?;
        }
        Ok(())
    })?;
    Ok(if checked.fits { exit_code::DONE } else { exit_code::DAMAGED })
}
