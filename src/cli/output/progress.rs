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

/// The bar. All figures are in the text: indicatif would draw its own between two changes of them.
const BAR: &str = "{bar:16} {wide_msg}";

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
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(BAR);
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
                rate.note(statistics, Instant::now());
                let done = statistics.progress.ok + statistics.progress.failed;
                // A bar of nothing would be drawn full.
                bar.set_length((done + statistics.progress.pending).max(1));
                bar.set_position(done);
                bar.set_message(plain(&message(statistics, rate)));
            }
            Self::Heartbeat { format: Format::Human, rate } => {
                rate.note(statistics, Instant::now());
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

/// Bytes and files per second, as moving averages over the time in which files are processed.
#[derive(Default)]
struct Rate {
    last: Option<(Instant, u64, u64)>,
    bytes: f64,
    files: f64,
    /// Whether nothing is processed now. The averages then stay what they were.
    is_idle: bool,
}

impl Rate {
    fn note(&mut self, statistics: &BatchStatistics, now: Instant) {
        let bytes = statistics.progress.bytes;
        let files = statistics.progress.ok + statistics.progress.failed;
        let last = self.last.replace((now, bytes, files));
        let (seconds, old_bytes, old_files) = match last {
            Some((then, bytes, files)) => ((now - then).as_secs_f64(), bytes, files),
            None => (statistics.progress.elapsed_seconds, 0, 0),
        };
        let is_idle = matches!(statistics.state, ProcessingState::Waiting | ProcessingState::Paused)
            && files == old_files;
        // What was idle at the last look may have been so for most of the time since then.
        if std::mem::replace(&mut self.is_idle, is_idle) || is_idle {
            return;
        }
        let seconds = seconds.max(1e-3);
        let weight = if self.files == 0.0 { 1.0 } else { (seconds / 3.0).min(1.0) };
        let towards = |old: f64, new: f64| old + weight * (new - old);
        self.bytes = towards(self.bytes, bytes.saturating_sub(old_bytes) as f64 / seconds);
        self.files = towards(self.files, files.saturating_sub(old_files) as f64 / seconds);
    }
}

fn message(statistics: &BatchStatistics, rate: &Rate) -> String {
    let progress = &statistics.progress;
    let done = progress.ok + progress.failed;
    // The rate and the time left come first: a narrow terminal cuts off the end.
    let all = done + progress.pending;
    // Rounded down: only all files are 100 %.
    let percent = u128::from(done) * 100 / u128::from(all.max(1));
    let files_per_second = if rate.is_idle { 0.0 } else { rate.files };
    let mut text = format!("{percent}%, {done} of {all} files, {files_per_second:.0} files/s");
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
        assert!(text.starts_with("99%, 999999 of 1000000 files, 110000 files/s, 12 minutes left"), "{text}");
        let bar = BAR.replace("{bar:16}", &"#".repeat(16)).replace("{wide_msg}", "").len();
        assert!(text.find(" left").unwrap() + " left".len() + bar <= 80, "{text}");
    }

    #[test]
    fn each_frame_has_the_percent_of_its_own_counts() {
        let mut statistics = BatchStatistics::default();
        for (ok, failed, pending, start) in [
            (0, 0, 0, "0%, 0 of 0 files"),
            (0, 0, 9, "0%, 0 of 9 files"),
            (28, 1, 71, "29%, 29 of 100 files"),
            (298, 1, 1, "99%, 299 of 300 files"),
            (7, 2, 0, "100%, 9 of 9 files"),
        ] {
            statistics.progress.ok = ok;
            statistics.progress.failed = failed;
            statistics.progress.pending = pending;
            let text = message(&statistics, &Rate::default());
            assert!(text.starts_with(start), "{text}");
        }
        assert!(!BAR.contains("percent"), "the bar counts at other moments than the text beside it");
    }

    #[test]
    fn the_time_left_is_as_before_once_a_wait_has_ended() {
        let mut rate = Rate::default();
        let mut statistics =
            BatchStatistics { state: ProcessingState::Processing, ..BatchStatistics::default() };
        let mut now = Instant::now();
        let mut look = |state, done: u64, seconds: u64| {
            now += Duration::from_secs(seconds);
            statistics.state = state;
            statistics.progress.elapsed_seconds += seconds as f64;
            statistics.progress.ok = done;
            statistics.progress.bytes = done * 1000;
            statistics.progress.pending = 2200 - done;
            statistics.pending_bytes = (2200 - done) * 1000;
            rate.note(&statistics, now);
            message(&statistics, &rate)
        };
        let before = look(ProcessingState::Processing, 1000, 10);
        assert!(before.contains(" 100 files/s, 12 seconds left"), "{before}");
        for stop in [ProcessingState::Waiting, ProcessingState::Paused] {
            (0..60).for_each(|_| assert!(look(stop, 1000, 10).contains(" 0 files/s")));
            look(ProcessingState::Processing, 1000, 1);
            let after = look(ProcessingState::Processing, 1100, 1);
            assert!(after.contains(" 100 files/s, 11 seconds left"), "{after}");
            assert!(look(ProcessingState::Processing, 1000, 0).contains("12 seconds left"));
        }
        let mut rate = Rate::default();
        let waited = |state, ok: u64, rate: &mut Rate, at: Instant| {
            let mut statistics = BatchStatistics { state, ..BatchStatistics::default() };
            statistics.progress.ok = ok;
            rate.note(&statistics, at);
        };
        waited(ProcessingState::Waiting, 0, &mut rate, now);
        waited(ProcessingState::Processing, 0, &mut rate, now + Duration::from_secs(600));
        waited(ProcessingState::Processing, 10, &mut rate, now + Duration::from_secs(601));
        assert_eq!(rate.files.round(), 10.0, "a run that waited first");
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
