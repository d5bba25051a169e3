//! `outlast jobs`.

use std::io;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::Args;
use outlast::Timestamp;
use outlast::engine::{JobOutcome, JobReport, JobSummary, ProcessingState};
use outlast::ledger::JobKind;
use outlast::service::Request;

use crate::cli::options::global::Global;
use crate::cli::output::terminal::{self, Lines};
use crate::cli::{client, exit_code};

#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    /// How many of the jobs that ended are listed, the latest ones; what waits or runs always is
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "all")]
    limit: u32,

    /// List every job that is remembered
    #[arg(long)]
    all: bool,
}

/// Roots of a job that are listed by name; the rest are counted.
const ROOTS_SHOWN: usize = 3;

/// Runs `outlast jobs`.
pub(crate) fn jobs(global: &Global, args: &JobsArgs) -> Result<u8> {
    let ended = (!args.all).then_some(args.limit as usize);
    let payload = client::put(global, &Request::Jobs { ended })?;
    let report: JobReport = serde_json::from_slice(&payload).context("the answer tells no jobs")?;
    let now = Timestamp::from_system_time(SystemTime::now());
    terminal::print_report(global.format, &report, |out| show(&report, now, out))?;
    Ok(exit_code::DONE)
}

const HEADS: [&str; 8] = ["job", "kind", "state", "began (UTC)", "took", "ok", "failed", "roots"];
/// Which of these columns are right-aligned numbers.
const RIGHT: [bool; 8] = [true, false, false, false, true, true, true, false];

fn show(report: &JobReport, now: Timestamp, out: &mut Lines<'_>) -> io::Result<()> {
    if report.jobs.is_empty() && report.left_out == 0 {
        return writeln!(out, "no job yet");
    }
    let rows: Vec<[String; 8]> = report.jobs.iter().map(|job| row(job, now)).collect();
    let mut widths = HEADS.map(str::len);
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
    }
    if report.left_out > 0 {
        writeln!(out, "{} older jobs are not listed; --all lists them", report.left_out)?;
    }
    for row in std::iter::once(&HEADS.map(str::to_owned)).chain(&rows) {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(widths).zip(RIGHT) {
            let padded = if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            line += &padded;
            line += "  ";
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn row(job: &JobSummary, now: Timestamp) -> [String; 8] {
    [
        job.job_id.to_string(),
        job.kind.to_string(),
        state_of(job),
        job.started.map_or_else(none, to_the_minute),
        took(job, now),
        job.counts.ok.to_string(),
        job.counts.failed.to_string(),
        roots_of(job),
    ]
}

fn none() -> String {
    "-".to_owned()
}

fn state_of(job: &JobSummary) -> String {
    match (job.phase, job.progress) {
        // Never 100 % before the end.
        (_, Some(share)) => format!("{} {}%", job.state, ((share * 100.0) as u8).min(99)),
        (Some(ProcessingState::Scanning), None) if job.kind != JobKind::Watch => "scanning".to_owned(),
        (Some(ProcessingState::Draining), None) => "draining".to_owned(),
        (Some(ProcessingState::Waiting), None) => "waiting".to_owned(),
        _ => job.state.to_string(),
    }
}

fn to_the_minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// Formats the time from the start to the end, or so far.
fn took(job: &JobSummary, now: Timestamp) -> String {
    let end = if job.state == JobOutcome::Running { Some(now) } else { job.ended };
    let (Some(start), Some(end)) = (job.started, end) else { return none() };
    let seconds = end.0.saturating_sub(start.0).max(0) as u64 / 1_000_000_000;
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (0, hours, minutes, _) => format!("{hours}h{minutes:02}m"),
        (days, hours, ..) => format!("{days}d{hours:02}h"),
    }
}

fn roots_of(job: &JobSummary) -> String {
    let names: Vec<String> = job.roots.iter().take(ROOTS_SHOWN).map(|root| root.name.clone()).collect();
    let mut text = names.join(", ");
    if let Some(scope) = &job.scope {
        text += &format!("/{}", scope);
    }
    if job.roots.len() > ROOTS_SHOWN {
        text += &format!(" and {} more", job.roots.len() - ROOTS_SHOWN);
    }
    if job.priority != 0 {
        text += &format!(" (priority {})", job.priority);
    }
    text
}

#[cfg(test)]
mod tests {
    use outlast::engine::JobRoot;
    use outlast::ledger::JobCounts;

    use super::*;

    fn root(name: &str) -> JobRoot {
        JobRoot { name: name.to_owned(), path: "/data".into() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn line(job_id: u64, state: JobOutcome) -> JobSummary {
        JobSummary {
            job_id,
            kind: JobKind::Run,
            state,
            priority: 0,
            roots: vec![root("tree")],
            scope: None,
            queued: at("2026-11-24T22:37:56Z"),
            started: Some(at("2026-11-24T22:37:56Z")),
            ended: None,
            phase: None,
            pending: None,
            progress: None,
            discovered: 40_000,
            counts: JobCounts { ok: 11_052, bytes: 5, ..JobCounts::default() },
        }
    }

    fn shown(report: &JobReport) -> String {
        let mut out = Vec::new();
        show(report, at("2026-11-25T01:38:00Z"), &mut Lines::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_fits_on_a_terminal() {
        let ended = Some(at("2026-11-24T22:40:06Z"));
        let phase = Some(ProcessingState::Scanning);
        let jobs = vec![
            line(98, JobOutcome::Killed),
            JobSummary { ended, kind: JobKind::Scheduled, ..line(99, JobOutcome::Interrupted) },
            JobSummary {
                progress: Some(0.9999),
                kind: JobKind::Reconcile,
                roots: ["a", "b", "c", "d", "e"].map(root).to_vec(),
                ..line(100, JobOutcome::Running)
            },
            JobSummary { kind: JobKind::Added, phase, ..line(101, JobOutcome::Running) },
            JobSummary { kind: JobKind::Watch, phase, ..line(102, JobOutcome::Running) },
            JobSummary {
                kind: JobKind::Rescan,
                started: None,
                scope: Some("src\u{1b}".to_owned()),
                priority: 5,
                counts: JobCounts::default(),
                ..line(103, JobOutcome::Queued)
            },
        ];
        let expected = "\
7 older jobs are not listed; --all lists them
job  kind       state        began (UTC)        took     ok  failed  roots
 98  run        killed       2026-11-24 22:37      -  11052       0  tree
 99  scheduled  interrupted  2026-11-24 22:37  2m10s  11052       0  tree
100  reconcile  running 99%  2026-11-24 22:37  3h00m  11052       0  a, b, c and 2 more
101  added      scanning     2026-11-24 22:37  3h00m  11052       0  tree
102  watch      running      2026-11-24 22:37  3h00m  11052       0  tree
103  rescan     queued       -                     -      0       0  tree/src\\u{1b} (priority 5)
";
        assert_eq!(shown(&JobReport { jobs, left_out: 7 }), expected);
        assert_eq!(shown(&JobReport::default()), "no job yet\n");
    }

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        let after = |seconds: i64| {
            let start = at("2026-11-24T22:37:56Z");
            let ended = Some(Timestamp(start.0 + seconds * 1_000_000_000));
            took(&JobSummary { ended, ..line(1, JobOutcome::Completed) }, start)
        };
        let shown = [-5, 0, 59, 61, 3_599, 3_661, 90_000].map(after);
        assert_eq!(shown, ["0s", "0s", "59s", "1m01s", "59m59s", "1h01m", "1d01h"]);
    }
}
