//! `outlast explain`.

use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use outlast::engine::{Explanation, RulesOfJob};
use outlast::service::Request;
use outlast::service::settings::Settings;

use crate::cli::client::put;
use crate::cli::exit_code;
use crate::cli::options::global::Global;
use crate::cli::output::summary::to_the_second;
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The path to explain
    pub(crate) path: PathBuf,
}

/// Runs `outlast explain`.
pub(crate) fn explain(global: &Global, args: &ExplainArgs, settings: &Settings) -> Result<u8> {
    let path = std::path::absolute(&args.path)?.into_os_string();
    let rules = settings.fields().batch.priorities.clone();
    let payload = put(global, &Request::Explain { path, rules })?;
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
        let by_job = answer.rules_of.map_or_else(String::new, |RulesOfJob { job_id, started }| {
            format!(", by the rules of job {job_id}, of {}", to_the_second(started))
        });
        writeln!(out, "  priority  {priority}{by_job}")?;
    }
    if let Some(next) = &answer.next_priority {
        writeln!(out, "  next job  {next}, by the present configuration without flags")?;
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
