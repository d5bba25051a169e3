//! The control socket: a running engine answers questions about the state that it holds.
//!
//! `ctl.sock` in the state folder, mode 0600. A request is one line of JSON; the answer is a line
//! that is either `ok` or a message after `error ` or, where the request is at fault, after `wrong `,
//! then the payload up to the end of the stream.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use crate::engine::{Engine, EngineError, StoreView};
use crate::model::{LogPosition, RecordStatus};

const SOCKET: &str = "ctl.sock";
/// Longest request line, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 << 10;
/// Requests that are answered at the same time.
const CONNECTIONS_MAX: usize = 16;

/// How long the run's end waits for answers under way.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "ask")]
pub enum Request {
    /// [`StatusReport`](crate::engine::StatusReport) as JSON.
    Status,
    /// The latest record of each path. The payload's first line is a cursor to go on from.
    Current {
        /// Only records with this status.
        status: Option<RecordStatus>,
    },
    /// The log from a cursor to its committed end. The payload's first line is the end's cursor.
    Since {
        /// Where to begin.
        since: LogPosition,
    },
    /// [`Explanation`](crate::engine::Explanation) of a path, as JSON.
    Explain {
        /// An absolute path, which may be no UTF-8.
        path: OsString,
    },
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens: no run holds the state.
    #[error("no run answers at {}", .0.display())]
    NobodyListens(PathBuf),
    /// The run said no.
    #[error("{0}")]
    Refused(String),
    /// The question can't be answered for this state.
    #[error("{0}")]
    Wrong(String),
    /// The connection broke.
    #[error("the control socket failed: {0}")]
    Io(#[from] io::Error),
}

/// Answers one request: what a running engine does, and a command by itself when none runs.
///
/// # Errors
/// Where the state can't be read, or `out` not written.
pub fn answer(
    engine: &Engine,
    view: &StoreView,
    request: &Request,
    out: &mut dyn Write,
) -> Result<(), EngineError> {
    let failed =
        |error: io::Error| EngineError::Io { what: "the answer can't be written".to_owned(), source: error };
    match request {
        Request::Status => {
            let running = engine.view().is_some().then(|| engine.statistics());
            let report = view.status(running)?;
            serde_json::to_writer(&mut *out, &report).map_err(io::Error::from).map_err(failed)
        }
        Request::Current { status } => {
            writeln!(out, "{}", view.reader.cursor().log).map_err(failed)?;
            view.write_current(*status, out)
        }
        Request::Since { since } => {
            let end = view.reader.cursor().log;
            view.check_cursor(*since, end)?;
            writeln!(out, "{end}").map_err(failed)?;
            view.write_range(*since, end, out)
        }
        Request::Explain { path } => {
            let told =
                view.explain(Path::new(path), &|config| engine.tree_for(config, view.own_folders()))?;
            serde_json::to_writer(&mut *out, &told).map_err(io::Error::from).map_err(failed)
        }
    }
}

/// Listens on the control socket of a state folder, on a thread named `control`, until dropped.
#[derive(Debug)]
pub struct Controlled {
    path: PathBuf,
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Controlled {
    /// Starts listening. The state folder's lock must be held, so that the socket is nobody else's.
    ///
    /// # Errors
    /// Where the socket or the thread can't be made.
    pub fn listen(state: &Path, engine: Arc<Engine>) -> Result<Self, ControlError> {
        let path = state.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = {
            let _inside = runtime.enter();
            with_short_path(state, |short| UnixListener::bind(short.join(SOCKET)))?
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let (close, closed) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(serve(listener, engine, closed));
            // A client that does not read its answer must not hold the run's end up.
            runtime.shutdown_timeout(CLOSE_WAIT);
        })?;
        Ok(Self { path, close: Some(close), thread: Some(thread) })
    }
}

impl Drop for Controlled {
    fn drop(&mut self) {
        // The socket goes first: whoever comes now finds nobody, and opens the state itself.
        let _ = fs::remove_file(&self.path);
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: UnixListener, engine: Arc<Engine>, mut closed: oneshot::Receiver<()>) {
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut closed => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let engine = Arc::clone(&engine);
        tokio::task::spawn_blocking(move || {
            let _place = place;
            let served = stream.into_std().and_then(|stream| serve_one(&stream, &engine));
            if let Err(error) = served {
                tracing::debug!(%error, "a control connection ended early");
            }
        });
    }
}

fn serve_one(stream: &UnixStream, engine: &Engine) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut line = String::new();
    BufReader::new(stream.take(REQUEST_BYTES_MAX)).read_line(&mut line)?;
    let mut out = BufWriter::with_capacity(64 << 10, stream);
    let request: Request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(error) => return writeln!(out, "error request not understood: {error}"),
    };
    let Some(view) = engine.view() else { return writeln!(out, "error the run has not begun yet") };
    let mut reply = Reply { out, begun: false };
    match answer(engine, &view, &request, &mut reply) {
        Ok(()) => writeln!(reply, "\nend").and_then(|()| reply.flush()),
        Err(error @ EngineError::Job(_)) if !reply.begun => writeln!(reply.out, "wrong {error}"),
        Err(error) if !reply.begun => writeln!(reply.out, "error {error}"),
        // A failure now can only cut the payload short, and the client sees that.
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Says `ok` before the first byte of the payload.
struct Reply<W> {
    out: W,
    begun: bool,
}

impl<W: Write> Write for Reply<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.begun {
            self.out.write_all(b"ok\n")?;
            self.begun = true;
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a run answers for a state.
pub fn is_answered(state: &Path) -> bool {
    with_short_path(state, |short| UnixStream::connect(short.join(SOCKET))).is_ok()
}

/// Asks the run that holds a state, and returns the payload.
///
/// # Errors
/// Nobody listens, the run refused, or the connection broke.
pub fn ask(state: &Path, request: &Request, out: &mut dyn Write) -> Result<(), ControlError> {
    let nobody = || ControlError::NobodyListens(state.join(SOCKET));
    let stream =
        with_short_path(state, |short| UnixStream::connect(short.join(SOCKET))).map_err(|_| nobody())?;
    let mut line = serde_json::to_string(request).map_err(io::Error::from)?;
    line.push('\n');
    let mut reader = BufReader::new(&stream);
    // A run that ends closes the connections that it has not answered yet.
    (&stream).write_all(line.as_bytes()).map_err(|_| nobody())?;
    line.clear();
    reader.read_line(&mut line).map_err(|_| nobody())?;
    match line.trim_end() {
        "" => Err(nobody()),
        "ok" => copy_payload(&mut reader, out),
        other if other.starts_with("wrong ") => Err(ControlError::Wrong(other["wrong ".len()..].to_owned())),
        other => Err(ControlError::Refused(other.strip_prefix("error ").unwrap_or("no answer").to_owned())),
    }
}

/// The payload ends with a line feed and the line `end`, or it was cut short.
fn copy_payload(reader: &mut dyn BufRead, out: &mut dyn Write) -> Result<(), ControlError> {
    const END: &[u8] = b"\nend\n";
    let mut held = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        held.extend_from_slice(&buffer[..length]);
        let sure = held.len().saturating_sub(END.len());
        out.write_all(&held[..sure])?;
        held.drain(..sure);
    }
    if held != END {
        return Err(ControlError::Refused("the run broke the answer off".to_owned()));
    }
    Ok(())
}

/// A socket's path must be shorter than about 108 bytes: going through the folder's descriptor makes any fit.
fn with_short_path<T>(folder: &Path, use_path: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let opened = fs::File::open(folder)?;
    use_path(Path::new(&format!("/proc/self/fd/{}", opened.as_raw_fd())))
}
