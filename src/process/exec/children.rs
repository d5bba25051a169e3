//! The children of a run: taken by a worker for some files, given back, replaced.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::ExecCommand;
use super::child::{Cause, Child, Death};
use super::message::Ready;
use super::spawner::{Spawner, resident_bytes};

/// Exit code of a child that can't work now: a service that it needs is away.
const TEMPORARY: i32 = 75;
/// Children that end in a row without having been asked: then there is no use in starting more.
const DEATHS_MAX: u32 = 5;
/// How long a child that is replaced has to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Files after which a child's memory is looked at, which takes some 10 µs.
const MEASURED_EVERY: u64 = 16;
/// Longest pause before a child is started in place of one that has ended.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How children are started and kept.
#[derive(Debug, Clone)]
pub(crate) struct ChildOptions {
    pub command: Arc<ExecCommand>,
    /// The run's first root, for the first message.
    pub root: PathBuf,
    /// Longest time to `ready`.
    pub start_limit: Duration,
    /// Files after which a child is replaced.
    pub files_max: Option<u64>,
    /// Resident memory, in bytes, above which a child is replaced.
    pub memory_max: Option<u64>,
}

/// The children.
#[derive(Debug)]
pub(crate) struct Children {
    options: ChildOptions,
    /// What the first child said in `ready`; the others must say the same.
    ready: Ready,
    spawner: Spawner,
    idle: Mutex<Vec<Worked>>,
    /// The threads that stop children which are replaced.
    stopping: Mutex<Vec<JoinHandle<()>>>,
    /// Children in a row that ended without having been asked.
    deaths: AtomicU32,
}

/// A child, and how many files it has been asked about.
#[derive(Debug)]
pub(super) struct Worked {
    pub child: Child,
    files: u64,
    /// Files since its memory was looked at.
    unmeasured: u64,
    /// Whether it is to be replaced.
    is_old: bool,
}

impl Worked {
    fn new(child: Child) -> Self {
        Self { child, files: 0, unmeasured: 0, is_old: false }
    }

    /// Returns whether it should get no more files.
    pub(super) fn is_old(&self) -> bool {
        self.is_old
    }

    fn measure(&mut self, options: &ChildOptions) {
        self.unmeasured = 0;
        let memory = || resident_bytes(self.child.process_id());
        self.is_old |= options.files_max.is_some_and(|max| self.files >= max)
            || options.memory_max.is_some_and(|max| memory() > Some(max));
    }
}

/// No child can be had: nothing is wrong with the files.
#[derive(Debug)]
pub(crate) struct Unavailable(pub String);

impl Children {
    /// Starts the first child, so that a command that can't work is known at once.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub(crate) fn start(options: ChildOptions) -> Result<Self, Death> {
        let spawner = Spawner::new().map_err(|error| Death {
            cause: Cause::NotStarted,
            message: format!("cannot start a thread: {error}"),
        })?;
        let start = || Child::start(&spawner, &options.command, &options.root, options.start_limit);
        // One that is killed from outside says nothing of the command.
        let killed = |death: &Death| death.cause.status().is_some_and(|status| status.signal() == Some(9));
        let mut child = start();
        for _ in 1..DEATHS_MAX {
            if child.as_ref().err().is_some_and(killed) {
                child = start();
            }
        }
        let child = child?;
        let ready = child.ready().clone();
        let idle = Mutex::new(vec![Worked::new(child)]);
        Ok(Self { options, ready, spawner, idle, stopping: Mutex::default(), deaths: AtomicU32::new(0) })
    }

    pub(super) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    /// Returns how the children want to be asked.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Takes a child that waits, or starts one.
    pub(super) fn take(&self) -> Result<Worked, Unavailable> {
        loop {
            let idle = self.idle().pop();
            match idle {
                Some(mut worked) => {
                    if worked.child.is_quiet() {
                        return Ok(worked);
                    }
                    let death = worked.child.unasked();
                    tracing::warn!("{}", death.message);
                    // What has killed one may have killed all: that is one death.
                    self.idle().retain_mut(|worked| worked.child.is_quiet());
                    self.note_death(death.cause.status(), &death.message)?;
                }
                None => match self.start_one() {
                    Ok(child) => return Ok(Worked::new(child)),
                    Err(death) => {
                        tracing::warn!("{}", death.message);
                        self.note_death(death.cause.status(), &death.message)?;
                    }
                },
            }
        }
    }

    /// Gives back a child that has answered for all that it was asked.
    pub(super) fn give_back(&self, mut worked: Worked) {
        worked.measure(&self.options);
        if worked.is_old {
            tracing::debug!(process = worked.child.process_id(), files = worked.files, "a child is replaced");
            // Beside the worker, whose answers must not wait for it.
            let stop = move || {
                worked.child.stop(STOP_LIMIT);
            };
            let stopping = std::thread::Builder::new().name("stop-child".to_owned()).spawn(stop);
            let mut all = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|thread| !thread.is_finished());
            all.extend(stopping);
        } else {
            self.idle().push(worked);
        }
    }

    /// Counts files that a child has answered for.
    pub(super) fn note(&self, worked: &mut Worked, answered: usize) {
        if answered == 0 {
            return;
        }
        self.deaths.store(0, Ordering::Relaxed);
        worked.files += answered as u64;
        worked.unmeasured += answered as u64;
        let is_enough = self.options.files_max.is_some_and(|max| worked.files >= max);
        if is_enough || worked.unmeasured >= MEASURED_EVERY {
            worked.measure(&self.options);
        }
    }

    /// Asks the children that wait to end, until then; kills all others.
    pub(crate) fn end(&self, until: Instant) {
        let idle = std::mem::take(&mut *self.idle());
        std::thread::scope(|scope| {
            for worked in idle {
                scope.spawn(move || worked.child.stop(until.saturating_duration_since(Instant::now())));
            }
        });
        self.spawner.kill_all();
        let stopping = std::mem::take(&mut *self.stopping.lock().unwrap_or_else(PoisonError::into_inner));
        stopping.into_iter().for_each(|thread| drop(thread.join()));
    }

    fn start_one(&self) -> Result<Child, Death> {
        let options = &self.options;
        let mut child = Child::start(&self.spawner, &options.command, &options.root, options.start_limit)?;
        if *child.ready() == self.ready { Ok(child) } else { Err(child.changed()) }
    }

    /// Counts the death of a child that had not been asked, and pauses.
    fn note_death(&self, status: Option<ExitStatus>, message: &str) -> Result<(), Unavailable> {
        let deaths = self.deaths.fetch_add(1, Ordering::Relaxed) + 1;
        if deaths >= DEATHS_MAX || is_temporary(status) {
            return Err(Unavailable(message.to_owned()));
        }
        std::thread::sleep((Duration::from_millis(50) * 2_u32.pow(deaths)).min(PAUSE_MAX));
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worked>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a child that ended so asks to be tried again later.
pub(super) fn is_temporary(status: Option<ExitStatus>) -> bool {
    status.is_some_and(|status| status.code() == Some(TEMPORARY))
}
