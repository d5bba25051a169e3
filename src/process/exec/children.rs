//! The children of a run: taken by a worker for some files, given back, replaced.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::ExecOptions;
use super::child::{Cause, Child, Death, is_temporary};
use super::message::Ready;
use super::spawner::Spawner;
use crate::process::window::WindowEnd;

/// Children that end in a row without having been asked: then there is no use in starting more.
const DEATHS_MAX: u32 = 5;
/// How long a child that is replaced has to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Files after which a child's memory is looked at, which takes some 10 µs.
const MEASURED_EVERY: u64 = 16;
/// Longest pause before a child is started in place of one that has ended.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The children.
#[derive(Debug)]
pub(crate) struct Children {
    options: ExecOptions,
    /// What the first child said in `ready`; the others must say the same.
    ready: Ready,
    spawner: Spawner,
    idle: Mutex<Vec<Worked>>,
    /// The threads that stop children which are replaced.
    stopping: Mutex<Vec<JoinHandle<()>>>,
    /// Children in a row that ended without having been asked.
    deaths: AtomicU32,
}

/// A child, and how many files it has answered for.
#[derive(Debug)]
pub(super) struct Worked {
    pub child: Child,
    files: u64,
    /// Whether it took more memory than a child may when it was last looked at.
    is_large: bool,
}

impl Worked {
    fn new(child: Child) -> Self {
        Self { child, files: 0, is_large: false }
    }

    fn measure(&mut self, options: &ExecOptions, spawner: &Spawner) {
        self.is_large |= options.memory.is_some_and(|max| spawner.group_bytes(self.child.group()) > max);
    }
}

impl Children {
    /// Starts the first child, so that a command that can't work is known at once.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub(crate) fn start(options: ExecOptions) -> Result<Self, Death> {
        let spawner = Spawner::new().map_err(|error| Death {
            cause: Cause::NotStarted,
            message: format!("cannot start a thread: {error}"),
        })?;
        let start = || Child::start(&spawner, &options.command, &options.root, options.start_timeout);
        let mut child = start();
        for _ in 1..DEATHS_MAX {
            // One that is killed from outside says nothing of the command.
            if child.as_ref().err().is_some_and(|death| death.cause.was_killed()) {
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

    /// Returns name and version of the processor: what the first child said, with the version of the options if they
    /// have one, else those of the command.
    pub(super) fn identity(&self) -> String {
        let version = self.options.version.as_deref();
        match (version, &self.ready.identity) {
            (None, Some(identity)) => identity.clone(),
            (Some(version), Some(identity)) => {
                format!("{}/{version}", identity.split('/').next().unwrap_or_default())
            }
            (version, None) => self.options.command.identity(version),
        }
    }

    /// Returns whether a child is to be replaced, and should get no more files.
    pub(super) fn is_old(&self, worked: &Worked) -> bool {
        worked.is_large || self.options.recycle.is_some_and(|max| worked.files >= max)
    }

    /// Takes a child that waits, or starts one.
    ///
    /// # Errors
    /// None can be had, and nothing is wrong with the files.
    pub(super) fn take(&self) -> Result<Worked, WindowEnd> {
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
        worked.measure(&self.options, &self.spawner);
        if self.is_old(&worked) {
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
        let before = worked.files;
        worked.files += answered as u64;
        if before / MEASURED_EVERY < worked.files / MEASURED_EVERY {
            worked.measure(&self.options, &self.spawner);
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
        let mut child = Child::start(&self.spawner, &options.command, &options.root, options.start_timeout)?;
        if *child.ready() == self.ready { Ok(child) } else { Err(child.changed()) }
    }

    /// Counts the death of a child that had not been asked, and pauses.
    fn note_death(&self, status: Option<ExitStatus>, message: &str) -> Result<(), WindowEnd> {
        let deaths = self.deaths.fetch_add(1, Ordering::Relaxed) + 1;
        if deaths >= DEATHS_MAX || is_temporary(status) {
            return Err(WindowEnd::Unavailable(message.to_owned()));
        }
        std::thread::sleep((Duration::from_millis(50) * 2_u32.pow(deaths)).min(PAUSE_MAX));
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worked>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
