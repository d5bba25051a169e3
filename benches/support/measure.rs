//! Whole-process figures from the operating system's own accounting.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::Done;

/// What one process took: seconds and bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) wall: f64,
    pub(crate) user: f64,
    pub(crate) sys: f64,
    /// CPU of the processes that it has waited for.
    pub(crate) children: f64,
    pub(crate) peak_bytes: f64,
}

impl Figures {
    pub(crate) fn cpu(&self) -> f64 {
        self.user + self.sys
    }

    /// Cells of a table: seconds, seconds of CPU, MB; medians.
    pub(crate) fn cells(figures: &[Self]) -> String {
        let of = |get: fn(&Self) -> f64| median(figures, get);
        let peak = of(|one| one.peak_bytes) / 1e6;
        format!("{:.2} | {:.2} | {peak:.0}", of(|one| one.wall), of(Self::cpu))
    }
}

/// Runs a command to its end, and returns its figures and the JSON that it printed.
pub(crate) fn run_measured(mut command: Command) -> Done<(Figures, serde_json::Value)> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_string(&mut text)?;
    }
    let pid = Pid::from_child(&child);
    // Ended, but not reaped: its accounting can still be read.
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let wall = begun.elapsed().as_secs_f64();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    let summary: serde_json::Value = serde_json::from_str(&text)?;
    let peak_bytes = summary["peak_rss_bytes"].as_f64().unwrap_or(0.0);
    Ok((
        Figures { wall, user: ticks(11), sys: ticks(12), children: ticks(13) + ticks(14), peak_bytes },
        summary,
    ))
}

/// The median of one figure.
pub(crate) fn median(figures: &[Figures], get: impl Fn(&Figures) -> f64) -> f64 {
    middle(figures.iter().map(get).collect())
}

/// The median of some values.
pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
