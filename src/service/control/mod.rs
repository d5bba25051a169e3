//! The control socket: a running engine answers questions about the state that it holds.
//!
//! `ctl.sock` in the state folder, mode 0600. A request is one line of JSON. The answer is the line `ok`, the
//! payload, a line feed and the line `end`; or one line with a message after `error `, after `wrong ` if the request
//! is at fault, after `gone ` if the log no longer has what comes after a cursor, or after `later ` if the run has
//! its state not open yet, or no room for the request; or `config ` and, as a JSON string, what is wrong with the
//! settings. A payload that can't be completed ends in a line feed and
//! such a line with `error ` in place of `end`; a stream that has neither was cut short. Before all that, the line
//! `works` comes each second, as long as an answer may still follow.
//!
//! All requests only read, except five. `commit` changes a consumer of the log. `compact` makes the run compact its record log, and waits for that. `retry`
//! makes failed files due, and `forget` ends records: both go to the run's own thread in bounded chunks, each of
//! which is committed before the next; if the run ends meanwhile, the error says how many are due. An `order` is
//! carried out as for every other source of commands.
//!
//! Constraints: a client that sends nothing or reads nothing delays neither the run nor, for long, other clients, and
//! a run that is stopped or hangs blocks no client. So no payload waits for a reader of records: it states their
//! positions in the log, and the client reads them there.

mod attend;
mod client;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, oneshot};

use attend::attend;
pub use client::{ask, is_answered};

use super::control_handle::ControlHandle;
use super::settings::nearest_of;
use crate::engine::{
    Command, ConsumerChange, Engine, EngineError, ForgetFilter, RecordFilter, Refusal, RetryFilter, StoreView,
};
use crate::model::{BatchConfig, ConsumerName, ErrorClass, PriorityRule, RecordCursor};

const SOCKET: &str = "ctl.sock";
/// The line that says that the answer is being prepared.
const WORKS: &str = "works";
/// Concurrent clients.
const CONNECTIONS_MAX: usize = 128;
/// Requests that are answered concurrently.
const ANSWERS_MAX: usize = 16;
/// Pause after a failed `accept`, such as for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long the end of the run waits for answers in flight.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "ask")]
pub enum Request {
    /// [`StatusReport`](crate::engine::StatusReport) as JSON.
    Status,
    /// The latest record of each path: a line with [`CommittedLog`](crate::engine::CommittedLog) as JSON, then their
    /// positions, one a line. Of those that the filter selects.
    Current(RecordFilter),
    /// The log from a cursor to its committed end: [`CommittedLog`](crate::engine::CommittedLog) as JSON.
    Since {
        /// The start.
        since: RecordCursor,
    },
    /// The log from the cursor of a consumer on, which must exist: a line with [`CommittedLog`](crate::engine::CommittedLog) as JSON, then the
    /// cursor.
    Consumer {
        /// The consumer.
        name: ConsumerName,
    },
    /// [`ConsumerReport`](crate::engine::ConsumerReport) as JSON, once the change is durable. Only a run does: without
    /// one, [`change_consumer`](crate::engine::change_consumer) opens the state itself.
    Commit(ConsumerChange),
    /// [`Explanation`](crate::engine::Explanation) of a path, as JSON.
    Explain {
        /// An absolute path, which need not be UTF-8.
        path: OsString,
        /// The priority rules that the client has now.
        #[serde(default)]
        rules: Vec<PriorityRule>,
    },
    /// [`FailureReport`](crate::engine::FailureReport) as JSON.
    Failures {
        /// Only failures of this class.
        class: Option<ErrorClass>,
        /// How many files are listed of each class.
        samples: usize,
    },
    /// [`JobReport`](crate::engine::JobReport) as JSON: jobs that are queued or run, and the latest that ended.
    Jobs {
        /// How many of the ended jobs; `None` for all.
        ended: Option<usize>,
    },
    /// Makes failed files due again: [`RetryReport`](crate::engine::RetryReport) as JSON, once that is
    /// committed. Only a run does: without one, [`retry`](crate::engine::retry) opens the state itself.
    Retry(RetryFilter),
    /// Carries a command out: [`CommandReply`](crate::engine::CommandReply) as JSON.
    Order(Command),
    /// [`ForgetReport`](crate::engine::ForgetReport) as JSON, once what was asked for is forgotten. Only a run does:
    /// without one, [`forget`](crate::engine::forget) opens the state itself.
    Forget(ForgetFilter),
    /// Compacts the record log: [`CompactReport`](crate::engine::CompactReport) as JSON, once it is. Only a run
    /// does: without one, [`compact`](crate::engine::compact) opens the state itself.
    Compact,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No process listens, or not to the end of the answer: no run holds the state, or it is ending.
    #[error("no run answers for {state}; start one with `outlast watch ROOT --state {state}`", state = .0.display())]
    NotListening(PathBuf),
    /// The run refused.
    #[error("{0}")]
    Refused(String),
    /// The request does not fit this state.
    #[error("{0}")]
    Wrong(String),
    /// The log no longer has what comes after the cursor.
    #[error("{0}")]
    CursorGone(String),
    /// The run does not have its state open now, or has no room for the request; the message says what it waits for.
    #[error("{0}")]
    Later(String),
    /// The process is there but silent: it is stopped, or hangs.
    #[error("{state}: {} holds the state and does not answer: is it stopped, or does its disk hang? It may still do what it \
             was asked for; let it go on, or end it, and ask again", process_named(*.process), state = .state.display())]
    Silent {
        /// The state folder.
        state: PathBuf,
        /// The process id, if known.
        process: Option<i32>,
    },
    /// The settings to reload are invalid; each problem on a line of its own.
    #[error("{0}")]
    Settings(String),
    /// The socket can't be made, or the connection broke; the message names the path.
    #[error("{0}")]
    Io(#[source] io::Error),
}

fn process_named(process: Option<i32>) -> String {
    process.map_or_else(|| "a process".to_owned(), |process| format!("process {process}"))
}

impl ControlError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Io(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}

/// Answers one request: called by a running engine, and by a command itself if none runs.
///
/// # Errors
/// The state can't be read, the request does not fit it, or `out` can't be written.
pub fn answer(
    engine: &Engine,
    view: &StoreView,
    request: &Request,
    out: &mut dyn Write,
) -> Result<(), EngineError> {
    match request {
        Request::Status => {
            let running = engine.view().is_some().then(|| engine.statistics());
            write_json(&view.status(running)?, out)
        }
        Request::Jobs { ended } => {
            let running = engine.view().is_some().then(|| engine.statistics());
            write_json(&view.jobs(running.as_ref(), *ended)?, out)
        }
        Request::Current(filter) => {
            // The end is read first: what is committed meanwhile comes again when reading on from there.
            write_json(&view.log(), out)?;
            out.write_all(b"\n").map_err(unsent)?;
            view.write_positions(filter, out)
        }
        Request::Since { since } => {
            let log = view.log();
            log.check_cursor(since)?;
            write_json(&log, out)
        }
        Request::Consumer { name } => {
            let log = view.log();
            let mut known = view.consumer_cursors()?;
            let since = known.remove(name).ok_or_else(|| no_consumer(name, known.keys()))?;
            log.check_cursor(&since).map_err(|error| match error {
                EngineError::CursorGone { error, .. } => {
                    EngineError::CursorGone { consumer: Some(name.clone()), error }
                }
                error => error,
            })?;
            write_json(&log, out)?;
            write!(out, "\n{since}").map_err(unsent)
        }
        Request::Commit(change) => write_json(&engine.change_consumer(change)?, out),
        Request::Explain { path, rules } => {
            let tree = |config: &BatchConfig| engine.tree_for(config, view.own_folders());
            let explanation = view.explain(Path::new(path), rules, &tree)?;
            write_json(&explanation, out)
        }
        Request::Failures { class, samples } => write_json(&view.failures(*class, *samples)?, out),
        Request::Retry(filter) => write_json(&engine.retry(filter)?, out),
        Request::Forget(filter) => write_json(&engine.forget(filter)?, out),
        Request::Order(order) => write_json(&engine.order(order.clone())?, out),
        Request::Compact => write_json(&engine.compact()?, out),
    }
}

/// Refuses a consumer that does not exist: a mistyped name would get everything again.
fn no_consumer<'a>(name: &ConsumerName, known: impl Iterator<Item = &'a ConsumerName>) -> EngineError {
    let known: Vec<String> = known.map(ToString::to_string).collect();
    let nearest = nearest_of(&name.to_string(), known.iter().map(String::as_str)).map(str::to_owned);
    Refusal::UnknownConsumer { name: name.clone(), nearest }.into()
}

fn write_json<T: Serialize>(value: &T, out: &mut dyn Write) -> Result<(), EngineError> {
    serde_json::to_writer(out, value).map_err(io::Error::from).map_err(unsent)
}

fn unsent(source: io::Error) -> EngineError {
    EngineError::Io { what: "the answer can't be passed on; ask again".to_owned(), source }
}

/// The listener on the control socket of a state folder, on a thread named `control`, until dropped.
#[derive(Debug)]
pub struct Controlled {
    path: PathBuf,
    /// Device and inode of the socket.
    identity: (u64, u64),
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Controlled {
    /// Starts to listen. The caller must hold the state folder's lock, so that no other process uses the socket.
    ///
    /// # Errors
    /// The socket or the thread can't be created.
    pub fn listen(state: impl AsRef<Path>, control_handle: Arc<ControlHandle>) -> Result<Self, ControlError> {
        let state = state.as_ref();
        Self::listen_at(state, control_handle).map_err(ControlError::io(&state.join(SOCKET)))
    }

    fn listen_at(state: &Path, control_handle: Arc<ControlHandle>) -> io::Result<Self> {
        let path = state.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = {
            let _inside = runtime.enter();
            with_short_path(state, |short| UnixListener::bind(short.join(SOCKET)))?
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let identity = identity_of(&path)?;
        let (close, closed) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(serve(&listener, &control_handle, closed));
            // A client that does not read its answer must not delay the end of the run.
            runtime.shutdown_timeout(CLOSE_WAIT);
        })?;
        Ok(Self { path, identity, close: Some(close), thread: Some(thread) })
    }
}

impl Drop for Controlled {
    fn drop(&mut self) {
        // Remove the socket first: clients that come now find no listener, and open the state themselves. A socket
        // with another identity belongs to the process that has taken over the state.
        if identity_of(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Serves until `closed`, whatever the clients do.
async fn serve(listener: &UnixListener, control_handle: &Arc<ControlHandle>, closed: oneshot::Receiver<()>) {
    tokio::select! {
        () = accept_each(listener, control_handle) => {}
        _ = closed => {}
    }
}

async fn accept_each(listener: &UnixListener, control_handle: &Arc<ControlHandle>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let places = Arc::new(Semaphore::new(ANSWERS_MAX));
    while let Ok(connection) = Arc::clone(&connections).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a control connection can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let control_handle = Arc::clone(control_handle);
        let places = Arc::clone(&places);
        tokio::spawn(async move {
            let _connection = connection;
            if let Err(error) = attend(stream, control_handle, places).await {
                tracing::debug!(%error, "a control connection ended early");
            }
        });
    }
}

/// Calls `use_path` with a path through the folder's descriptor: socket paths are limited to about 108 bytes.
fn with_short_path<T>(folder: &Path, use_path: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let opened = fs::File::open(folder)?;
    use_path(Path::new(&format!("/proc/self/fd/{}", opened.as_raw_fd())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{FileContent, from_fn};

    #[test]
    fn a_process_that_ends_leaves_the_socket_of_the_one_that_followed_it() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = || from_fn("nothing/1", &["*"], |_: &FileContent<'_>| Ok(()));
        let listen = || {
            let engine = Arc::new(Engine::new(nothing()));
            Controlled::listen(folder.path(), Arc::new(ControlHandle::new(engine))).unwrap()
        };
        let first = listen();
        let second = listen();
        drop(first);
        assert!(is_answered(folder.path()));
        drop(second);
        assert!(!is_answered(folder.path()) && !folder.path().join(SOCKET).exists());
    }

    #[test]
    fn who_asks_a_run_before_it_has_opened_its_state_is_asked_to_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = from_fn("nothing/1", &["*"], |_: &FileContent<'_>| Ok(()));
        let engine = Arc::new(Engine::new(nothing));
        let _listens = Controlled::listen(folder.path(), Arc::new(ControlHandle::new(engine))).unwrap();
        let got = ask(folder.path(), &Request::Status);
        assert!(matches!(&got, Err(ControlError::Later(why)) if why.contains("about to open")), "{got:?}");
    }
}
