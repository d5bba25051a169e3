//! `outlast compact`: removes outdated records from the record log, through the run that holds the state or alone.

use anyhow::{Context, Result};
use indicatif::HumanBytes;
use outlast::engine::{self, CompactReport};
use outlast::service::Request;
use outlast::service::settings::Settings;

use crate::cli::options::global::Global;
use crate::cli::output::terminal::{self, Lines};
use crate::cli::{client, exit_code};

/// Runs `outlast compact`.
pub(crate) fn compact(global: &Global, settings: &Settings) -> Result<u8> {
    let payload = client::put_or(global, &Request::Compact, || {
        engine::compact(&global.state, &settings.fields().batch)
    })?;
    let report: CompactReport = serde_json::from_slice(&payload).context("the answer tells no compaction")?;
    terminal::print_report(global.format, &report, |out| show(&report, out))?;
    Ok(exit_code::DONE)
}

fn show(report: &CompactReport, out: &mut Lines<'_>) -> std::io::Result<()> {
    let before = HumanBytes(report.bytes_before);
    let after = HumanBytes(report.bytes_after);
    if report.bytes_unread > 0 {
        let unread = HumanBytes(report.bytes_unread);
        writeln!(out, "{unread} stay, as a consumer has not read them: see `outlast status`")?;
    }
    if report.segments_dropped == 0 && report.bytes_unread > 0 {
        return Ok(());
    }
    if report.segments_dropped == 0 {
        return writeln!(out, "nothing to compact: the record log has {before}, all of it up to date");
    }
    writeln!(
        out,
        "the record log had {before} and has {after}: {} records ({}) carried forward, in {:.1} s",
        report.records_copied,
        HumanBytes(report.bytes_copied),
        report.seconds
    )
}
