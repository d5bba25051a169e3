//! Probes roots on detached threads with a deadline: a call into a file system that hangs never returns.
//!
//! Each probe has its own thread. While one is overdue no other is begun at the same path, so that a hang is detected
//! at once from then on, and leaves few threads behind.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::engine::error::ProbeError;
use crate::engine::stop::Stop;
use crate::model::Clock;
use crate::source::Source;

/// Deadline for an answer of a file system: a disk that has to spin up takes some seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same once a stop is requested.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(1);
/// How often a waiting thread checks for a requested stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Runs probes of a source's files.
#[derive(Clone)]
pub(crate) struct FsProbe {
    source: Arc<dyn Source>,
    stop: Stop,
    clock: Clock,
    patience: Duration,
    under_way: Arc<Mutex<Vec<Weak<Begun>>>>,
}

/// A probe whose thread has not ended.
struct Begun {
    path: PathBuf,
    at: Instant,
}

/// A pending probe.
pub(crate) struct ProbeHandle<T> {
    clock: Clock,
    overdue_at: Instant,
    answer: Receiver<T>,
}

impl FsProbe {
    /// Creates probes of this source. Once a stop is requested, the deadline is shorter.
    pub(crate) fn new(source: Arc<dyn Source>, stop: Stop, clock: Clock) -> Self {
        Self { source, stop, clock, patience: PATIENCE, under_way: Arc::default() }
    }

    /// Returns the source.
    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Probes the files of another source from now on.
    pub(crate) fn set_source(&mut self, source: Arc<dyn Source>) {
        self.source = source;
    }

    /// Begins a probe of what is at and below a path.
    ///
    /// # Errors
    /// An earlier probe there is overdue.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        path: &Path,
        question: impl FnOnce(&dyn Source) -> T + Send + 'static,
    ) -> Result<ProbeHandle<T>, ProbeError> {
        let begun = Arc::new(Begun { path: path.to_owned(), at: self.clock.now() });
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|look| look.strong_count() > 0);
        let is_overdue = |look: Arc<Begun>| look.path == path && self.is_overdue(look.at);
        if under_way.iter().filter_map(Weak::upgrade).any(is_overdue) {
            return Err(ProbeError::Overdue);
        }
        under_way.push(Arc::downgrade(&begun));
        let (send, answer) = sync_channel(1);
        let source = Arc::clone(&self.source);
        let at = begun.at;
        let look = move || {
            let answer = question(source.as_ref());
            drop(begun);
            // The requester may have stopped waiting.
            let _ = send.send(answer);
        };
        spawn_or_do("look", look);
        Ok(ProbeHandle { clock: self.clock.clone(), overdue_at: at + self.patience, answer })
    }

    /// Begins a probe and waits for its answer until the deadline.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        path: &Path,
        question: impl FnOnce(&dyn Source) -> T + Send + 'static,
    ) -> Result<T, ProbeError> {
        let begun = self.clock.now();
        let look = self.begin(path, question)?;
        loop {
            match look.answer.recv_timeout(LOOK_UP.min(self.patience)) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(ProbeError::Panicked),
                Err(RecvTimeoutError::Timeout) if self.is_overdue(begun) => {
                    return Err(ProbeError::Overdue);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn is_overdue(&self, begun: Instant) -> bool {
        self.clock.now().saturating_duration_since(begun) >= self.patience()
    }

    fn patience(&self) -> Duration {
        if self.stop.is_requested() { self.patience.min(PATIENCE_AT_STOP) } else { self.patience }
    }
}

/// Runs `work` on its own thread, or at once where none can be started.
pub(super) fn spawn_or_do(name: &str, work: impl FnOnce() + Send + 'static) {
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let theirs = Arc::clone(&work);
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(work) = take(&theirs) {
            work();
        }
    });
    if started.is_err()
        && let Some(work) = take(&work)
    {
        work();
    }
}

impl<T> ProbeHandle<T> {
    /// Returns the answer; `None` while it may still come.
    pub(crate) fn answer(&self) -> Option<Result<T, ProbeError>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(Ok(answer)),
            Err(TryRecvError::Disconnected) => Some(Err(ProbeError::Panicked)),
            Err(TryRecvError::Empty) => {
                (self.clock.now() >= self.overdue_at).then_some(Err(ProbeError::Overdue))
            }
        }
    }
}

impl<T> fmt::Debug for ProbeHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").field("overdue_at", &self.overdue_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::source::{Filters, TreeSource};

    /// Creates probes with a short deadline.
    pub(crate) fn impatient(patience: Duration, stop: Stop) -> FsProbe {
        let source = Arc::new(TreeSource::new(Filters::default(), Vec::new()));
        FsProbe { patience, ..FsProbe::new(source, stop, Clock::default()) }
    }

    /// Waits until no probe's thread is left.
    pub(crate) fn settle(fs_probe: &FsProbe) {
        while Arc::strong_count(&fs_probe.source) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A probe that hangs until the other end is dropped.
    fn hanging() -> (impl FnOnce(&dyn Source) -> u32 + Send + 'static, std::sync::mpsc::SyncSender<()>) {
        let (hold, held) = sync_channel::<()>(1);
        let question = move |_: &dyn Source| {
            let _ = held.recv();
            7
        };
        (question, hold)
    }

    #[test]
    fn what_hangs_is_waited_for_once_and_holds_up_nothing_beside_it() {
        let fs_probe = impatient(Duration::from_millis(200), Stop::default());
        let stuck = Path::new("/stuck");
        let fine = Path::new("/fine");
        let (question, hold) = hanging();
        let look = fs_probe.begin(stuck, question).unwrap();
        assert!(look.answer().is_none(), "it may answer yet");
        assert_eq!(fs_probe.ask(fine, |_| 1).unwrap(), 1);
        let begun = Instant::now();
        let (question, hold_too) = hanging();
        assert!(matches!(fs_probe.ask(stuck, question), Err(ProbeError::Overdue)));
        assert!(begun.elapsed() >= Duration::from_millis(200));
        assert!(matches!(look.answer(), Some(Err(ProbeError::Overdue))));
        let asked = std::sync::atomic::AtomicBool::new(false);
        let asked = Arc::new(asked);
        let seen = Arc::clone(&asked);
        let again = fs_probe.ask(stuck, move |_| seen.store(true, std::sync::atomic::Ordering::Relaxed));
        assert!(matches!(again, Err(ProbeError::Overdue)));
        assert!(!asked.load(std::sync::atomic::Ordering::Relaxed), "no further thread hangs there");
        assert_eq!(fs_probe.ask(fine, |_| 2).unwrap(), 2);

        drop((hold, hold_too));
        let late = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(5));
            look.answer()
        });
        assert_eq!(late.take(2000).find_map(|answer| answer?.ok()), Some(7), "a late answer is one");
        let again = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(5));
            fs_probe.ask(stuck, |_| 3)
        });
        assert_eq!(again.take(2000).find_map(Result::ok), Some(3));
    }

    #[test]
    fn once_a_stop_is_asked_for_nobody_waits_long() {
        let stop = Stop::default();
        let fs_probe = impatient(Duration::from_secs(600), stop.clone());
        let (question, _hold) = hanging();
        let begun = Instant::now();
        let asker = std::thread::spawn(move || fs_probe.ask(Path::new("/stuck"), question).is_err());
        std::thread::sleep(Duration::from_millis(20));
        stop.request();
        assert!(asker.join().unwrap());
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_look_that_panics_tells_nothing() {
        let fs_probe = impatient(Duration::from_secs(600), Stop::default());
        let answer = fs_probe.ask(Path::new("/any"), |_| std::panic::panic_any("as it was told"));
        assert!(matches!(answer, Err(ProbeError::Panicked)), "{answer:?}");
        assert_eq!(fs_probe.ask(Path::new("/any"), |_| 1).unwrap(), 1);
    }
}
