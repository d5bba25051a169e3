//! `outlast repair`.

use std::io;

use anyhow::Result;
use clap::Args;
use outlast::engine::{self, RepairReport};
use outlast::service::settings::Settings;

use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfRepair};
use crate::cli::options::global::{Global, absolute};
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) flags: Flags<OfRepair>,
}

/// Runs `outlast repair`.
pub(crate) fn repair(global: &Global, settings: &Settings) -> Result<u8> {
    let out = settings.fields().out.as_deref().map_or_else(|| "records".into(), absolute);
    let report = engine::repair(&global.state, out)?;
    terminal::print_report(global.format, &report, |out| show(&report, out))?;
    Ok(exit_code::DONE)
}

fn show(report: &RepairReport, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(
        out,
        "repaired: {} records kept, {} dropped, {} files known; run `outlast run` to bring it up to date",
        report.records_kept, report.records_dropped, report.files
    )?;
    report.set_aside.iter().try_for_each(|path| writeln!(out, "  set aside: {}", path.display()))
}
