//! Async functions as processors: the futures in flight of each worker, polled by its thread.
//!
//! Constraints: at most `concurrency` futures of a run are in flight, each worker's part of them. A future is polled
//! only when it was woken, within the runtime of the program, whose timers and sockets wake it; one that is dropped
//! costs nothing more.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::runtime::Handle;

use crate::model::{BatchConfig, FileError};
use crate::process::window::{Caller, Cancelled, FileAnswer, GivenFile, Window, WindowEnd, Windowed};
use crate::process::{FileContent, Processor, ResultWriter};

/// Makes a processor of an async function. Its futures run within the caller's tokio runtime: as many at once as
/// [`BatchConfig::concurrency`] says, polled by the `worker_count` threads of the run.
///
/// The function owns the path and the content, since it may hold them across awaits. A future that takes longer than
/// `timeout_seconds` is dropped, and so are those in flight when a run that is to stop has waited `drain_seconds`. A
/// panic fails its own file. Code that blocks its thread delays the other futures of that thread: use
/// `tokio::task::spawn_blocking` for it.
///
/// # Panics
/// Panics outside a tokio runtime.
pub fn async_from_fn<F, R, T>(
    identity: &str,
    include: &[&'static str],
    function: F,
) -> impl Processor + use<F, R, T>
where
    F: Fn(Vec<u8>, Vec<u8>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<T, FileError>> + Send + 'static,
    T: Serialize,
{
    let call: Arc<Call> = Arc::new(move |file: GivenFile| {
        let answer = function(file.path, file.bytes);
        Box::pin(async move { ResultWriter::json_of(&answer.await?) }) as Answering
    });
    AsyncFn { identity: identity.to_owned(), include: include.to_vec(), runtime: Handle::current(), call }
}

/// A future in flight.
type Answering = Pin<Box<dyn Future<Output = FileAnswer>>>;
/// Makes the future of a file.
type Call = dyn Fn(GivenFile) -> Answering + Send + Sync;

/// A processor made of an async function: see [`async_from_fn`].
struct AsyncFn {
    identity: String,
    include: Vec<&'static str>,
    runtime: Handle,
    call: Arc<Call>,
}

impl Processor for AsyncFn {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn default_include(&self) -> Vec<&str> {
        self.include.clone()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let file = GivenFile { path: file.path.to_vec(), bytes: file.bytes.to_vec(), ..GivenFile::default() };
        *result.buffer() = self.runtime.block_on((self.call)(file))?;
        Ok(())
    }

    fn windowed(&self) -> Option<&dyn Windowed> {
        Some(self)
    }
}

impl Windowed for AsyncFn {
    fn open(&self, worker: usize, config: &BatchConfig) -> Box<dyn Window> {
        let workers = config.worker_count;
        // The first workers have one more.
        let part = config.concurrency / workers + usize::from(worker < config.concurrency % workers);
        Box::new(Futures {
            part,
            runtime: self.runtime.clone(),
            call: Arc::clone(&self.call),
            woken: Arc::default(),
            files: BTreeMap::new(),
        })
    }

    fn workers_max(&self, config: &BatchConfig) -> usize {
        config.concurrency
    }
}

/// The IDs of futures to be polled.
#[derive(Default)]
struct Woken {
    ids: Mutex<Vec<u64>>,
    any: Condvar,
}

impl Woken {
    fn add(&self, id: u64) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.any.notify_one();
    }

    /// Waits until there are some, or the time is up.
    fn take(&self, until: Instant) -> Vec<u64> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.saturating_duration_since(Instant::now());
        let waited = self.any.wait_timeout_while(ids, wait, |ids| ids.is_empty());
        std::mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// Wakes one future.
struct WakeOne {
    id: u64,
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for WakeOne {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::SeqCst) {
            self.woken.add(self.id);
        }
    }
}

/// A file whose future is in flight, or about to be made.
enum Stage {
    Given(GivenFile),
    Polled { future: Answering, wake: Arc<WakeOne>, waker: Waker },
}

/// The futures of one worker.
struct Futures {
    /// The most that it has in flight.
    part: usize,
    runtime: Handle,
    call: Arc<Call>,
    woken: Arc<Woken>,
    files: BTreeMap<u64, Stage>,
}

impl Futures {
    /// Polls a future. One that is done, or panics, is dropped.
    fn poll(&mut self, id: u64, caller: &mut dyn Caller) -> Option<FileAnswer> {
        // A future may be woken once more after it has ended.
        let mut stage = self.files.remove(&id);
        stage.as_ref()?;
        let mut answer = None;
        let called = caller.call(Some(id), &mut || {
            stage = stage.take().and_then(|stage| match self.step(id, stage) {
                Ok(stage) => Some(stage),
                Err(done) => {
                    answer = Some(done);
                    None
                }
            });
        });
        if let Err(error) = called {
            return Some(Err(error));
        }
        self.files.extend(stage.map(|stage| (id, stage)));
        answer
    }

    /// Makes the future if there is none yet, and polls it; returns its answer as the error.
    fn step(&self, id: u64, stage: Stage) -> Result<Stage, FileAnswer> {
        let (mut future, wake, waker) = match stage {
            Stage::Given(file) => {
                let is_woken = AtomicBool::new(true);
                let wake = Arc::new(WakeOne { id, is_woken, woken: Arc::clone(&self.woken) });
                let waker = Waker::from(Arc::clone(&wake));
                ((self.call)(file), wake, waker)
            }
            Stage::Polled { future, wake, waker } => (future, wake, waker),
        };
        wake.is_woken.store(false, Ordering::SeqCst);
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => Err(answer),
            Poll::Pending => Ok(Stage::Polled { future, wake, waker }),
        }
    }
}

impl Window for Futures {
    fn dies_together(&self) -> bool {
        false
    }

    fn has_room(&self, _size: u64) -> bool {
        self.files.len() < self.part
    }

    fn give(&mut self, id: u64, file: GivenFile) {
        self.files.insert(id, Stage::Given(file));
        self.woken.add(id);
    }

    fn answers(
        &mut self,
        wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), WindowEnd> {
        let runtime = self.runtime.clone();
        let _within = runtime.enter();
        let mut woken = Vec::new();
        caller.wait(&mut || woken = self.woken.take(Instant::now() + wait));
        for id in woken {
            answers.extend(self.poll(id, caller).map(|answer| (id, answer)));
        }
        Ok(())
    }

    fn cancel(&mut self, id: u64, caller: &mut dyn Caller) -> Cancelled {
        let runtime = self.runtime.clone();
        let _within = runtime.enter();
        let mut stage = self.files.remove(&id);
        // A panic on the way out changes nothing: it is gone.
        let _ = caller.call(Some(id), &mut || drop(stage.take()));
        Cancelled::Ended
    }
}

impl Drop for Futures {
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        let _within = runtime.enter();
        self.files.clear();
    }
}
