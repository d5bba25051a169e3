//! `outlast explain`.

use crate::cli::client::put;
use crate::cli::exit_code;
use crate::cli::options::global::{Format, Global};
use crate::cli::output::terminal::{self, Lines};
use anyhow::{Context, Result};
use clap::Args;
use outlast::engine::Explanation;
use outlast::service::Request;
use std::io;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The path to explain
    pub(crate) path: PathBuf,
}

/// Runs `outlast explain`.
pub(crate) fn explain(global: &Global, args: &ExplainArgs) -> Result<u8> {
    let path = std::path::absolute(&args.path)?;
    let payload = put(global, &Request::Explain { path: path.into_os_string() })?;
    let told: Explanation = serde_json::from_slice(&payload).context("the answer is no explanation")?;
    explanation(&told, global.format)?;
    Ok(exit_code::DONE)
}

/// Prints the answer of `explain`.
fn explanation(told: &Explanation, format: Format) -> Result<()> {
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
