//! `outlast explain`.

use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use outlast::engine::Explanation;
use outlast::service::Request;

use crate::cli::client::put;
use crate::cli::exit_code;
use crate::cli::options::global::Global;
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The path to explain
    pub(crate) path: PathBuf,
}

/// Runs `outlast explain`.
pub(crate) fn explain(global: &Global, args: &ExplainArgs) -> Result<u8> {
    let path = std::path::absolute(&args.path)?;
    let payload = put(global, &Request::Explain { path: path.into_os_string() })?;
    let answer: Explanation = serde_json::from_slice(&payload).context("the answer is no explanation")?;
    terminal::print_report(global.format, &answer, |out| write_explanation(&answer, out))?;
    Ok(exit_code::DONE)
}

fn write_explanation(answer: &Explanation, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "{}", answer.path)?;
    writeln!(out, "  root      {}", answer.root.as_deref().unwrap_or("none"))?;
    writeln!(out, "  scan      {}", answer.scan)?;
    writeln!(out, "  state     {}", answer.state)?;
    if let Some(priority) = &answer.priority {
        writeln!(out, "  priority  {priority}")?;
    }
    if let Some(size) = answer.size {
        let changed =
            answer.mtime.map_or_else(|| "at a time out of bounds".to_owned(), |time| time.to_string());
        writeln!(out, "  version   {size} bytes, changed {changed}")?;
    }
    if answer.attempts > 0 {
        writeln!(out, "  attempts  {}", answer.attempts)?;
    }
    if answer.recheck {
        writeln!(out, "  recheck   the next scan compares its content: it changed just before it was read")?;
    }
    if let (Some(record), Some(position)) = (&answer.record, answer.position) {
        writeln!(out, "  record    {} (at {position})", record.get())?;
    }
    Ok(())
}
