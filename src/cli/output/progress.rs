//! Progress on stderr: a bar on a terminal, a heartbeat line elsewhere.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use outlast::engine::{BatchStatistics, Engine, ProcessingState};
use outlast::service::settings::{ProgressMode, Settings};

use super::terminal::{Stream, plain, tell, tell_json};
use crate::cli::options::global::Format;

/// How often the bar is drawn.
const DRAW: Duration = Duration::from_millis(100);

/// The progress display, active until dropped.
pub(crate) struct Shown {
    /// Carries no messages: dropping it ends the thread.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts to show the progress of an engine, on a thread named `progress`.
pub(crate) fn show(engine: &Arc<Engine>, format: Format, settings: &Settings) -> Result<Shown> {
    let heartbeat = settings.fields().heartbeat;
    let bar = match settings.fields().progress {
        ProgressMode::Never => return Ok(Shown { end: None, thread: None }),
        // A terminal without cursor control would show a new line for each update.
        ProgressMode::Always => !Stream::Err.is_terminal() || Stream::Err.is_steerable(),
        ProgressMode::Auto => Stream::Err.is_steerable() && format == Format::Human,
    };
    let (end, ended) = sync_channel::<()>(0);
    let engine = Arc::clone(engine);
    let thread = std::thread::Builder::new()
        .name("progress".to_owned())
        .spawn(move || {
            let mut display = if bar { Display::bar() } else { Display::heartbeat(format) };
            let every = if bar { DRAW } else { heartbeat };
            while ended.recv_timeout(every) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                display.show(&engine.statistics());
            }
            display.clear();
        })
        .inspect_err(|error| tracing::warn!(%error, "no progress is shown"));
    Ok(Shown { end: Some(end), thread: thread.ok() })
}

enum Display {
    Bar { bar: ProgressBar, rate: Rate },
    Heartbeat { format: Format, rate: Rate },
}

impl Display {
    fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:16} {percent:>3}% {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::Bar { bar, rate: Rate::default() }
    }

    fn heartbeat(format: Format) -> Self {
        Self::Heartbeat { format, rate: Rate::default() }
    }

    fn show(&mut self, statistics: &BatchStatistics) {
        // An idle state may last for months.
        if matches!(statistics.state, ProcessingState::Idle | ProcessingState::Watching) {
            return self.clear();
        }
        match self {
            Self::Bar { bar, rate } => {
                rate.note(statistics);
                let done = statistics.progress.ok + statistics.progress.failed;
                bar.set_length(done + statistics.progress.pending);
                bar.set_position(done);
                bar.set_message(plain(&message(statistics, rate)));
            }
            Self::Heartbeat { format: Format::Human, rate } => {
                rate.note(statistics);
                tell(&format!("outlast: {}", message(statistics, rate)));
            }
            Self::Heartbeat { .. } => {
                if let Ok(line) = serde_json::to_string(statistics) {
                    tell_json(&line);
                }
            }
        }
    }

    fn clear(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.reset();
            bar.finish_and_clear();
        }
    }
}

/// Bytes and files per second, as moving averages.
#[derive(Default)]
struct Rate {
    last: Option<(Instant, u64, u64)>,
    bytes: f64,
    files: f64,
}

impl Rate {
    fn note(&mut self, statistics: &BatchStatistics) {
        let bytes = statistics.progress.bytes;
        let files = statistics.progress.ok + statistics.progress.failed;
        let now = Instant::now();
        if self.last.is_none() {
            let elapsed = statistics.progress.elapsed_seconds.max(1e-3);
            self.bytes = bytes as f64 / elapsed;
            self.files = files as f64 / elapsed;
        }
        if let Some((then, old_bytes, old_files)) = self.last {
            let seconds = (now - then).as_secs_f64().max(1e-3);
            let weight = (seconds / 3.0).min(1.0);
            let towards = |old: f64, new: f64| old + weight * (new - old);
            self.bytes = towards(self.bytes, bytes.saturating_sub(old_bytes) as f64 / seconds);
            self.files = towards(self.files, files.saturating_sub(old_files) as f64 / seconds);
        }
        self.last = Some((now, bytes, files));
    }
}

fn message(statistics: &BatchStatistics, rate: &Rate) -> String {
    let progress = &statistics.progress;
    let done = progress.ok + progress.failed;
    // The rate and the time left come first: a narrow terminal cuts off the end.
    let mut text = format!("{done} of {} files, {:.0} files/s", done + progress.pending, rate.files);
    if statistics.state == ProcessingState::Processing && rate.bytes > 0.0 {
        let left = Duration::from_secs_f64(statistics.pending_bytes as f64 / rate.bytes.max(1.0));
        text += &format!(", {} left", HumanDuration(left));
    }
    text += &format!(", {}", HumanBytes(progress.bytes));
    if progress.unchanged > 0 {
        text += &format!(", {} unchanged", progress.unchanged);
    }
    if progress.failed > 0 {
        text += &format!(", {} failed", progress.failed);
    }
    match statistics.state {
        ProcessingState::Scanning => text += ", still finding files",
        ProcessingState::Draining => text += ", stopping",
        ProcessingState::Waiting => {
            text += ", waiting";
            let missing = statistics.breakers.iter().filter(|breaker| breaker.why.is_some());
            missing.for_each(|breaker| text += &format!(" for {}", breaker.resource));
            text += ": see the log";
        }
        ProcessingState::Paused => text += ", paused",
        _ => {}
    }
    for slow in statistics.workers.iter().filter_map(|worker| worker.slow_file.as_deref()) {
        text += &format!(", slow: {slow}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_fit_beside_the_bar_on_80_columns() {
        let mut statistics =
            BatchStatistics { state: ProcessingState::Processing, ..BatchStatistics::default() };
        statistics.progress.ok = 999_999;
        statistics.progress.pending = 1;
        statistics.pending_bytes = 720;
        let rate = Rate { bytes: 1.0, files: 110_000.0, ..Rate::default() };
        let text = message(&statistics, &rate);
        assert!(text.starts_with("999999 of 1000000 files, 110000 files/s, 12 minutes left"), "{text}");
        let bar = "{bar:16} 100% ".len() - "{bar:16}".len() + 16;
        assert!(text.find(" left").unwrap() + " left".len() + bar <= 80, "{text}");
    }
    #[test]
    fn a_line_names_the_resource_that_is_waited_for() {
        let disk = serde_json::json!({
            "resource": "disk", "state": "open", "why": "full", "opened": 1, "open_seconds": 1.0, "state_seconds": 1.0
        });
        let breakers = vec![serde_json::from_value(disk).unwrap()];
        let statistics =
            BatchStatistics { state: ProcessingState::Waiting, breakers, ..BatchStatistics::default() };
        let text = message(&statistics, &Rate::default());
        assert!(
            text.ends_with(&format!(", waiting for {}: see the log", statistics.breakers[0].resource)),
            "{text}"
        );
    }
}
