//! One client connection: its request, and the answer.

use std::io::{self, BufWriter, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{SendFlags, send};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Request, WORKS, answer, write_json};
use crate::engine::{BreakerState, BreakerStatus, Engine, EngineError};
use crate::ledger::LedgerError;
use crate::service::control_handle::{ControlHandle, OrderError};
use crate::service::liveness::silence;
use crate::service::ticker::has_thread;

/// Longest request line, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 << 10;
/// How long a client may take to send its request.
const REQUEST_WAIT: Duration = Duration::from_secs(5);
/// How long a client may leave its answer unread.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// How often a client is sent `works` while its answer is prepared.
const TELL_WORKS: Duration = Duration::from_secs(1);
/// For how long, if the answer does not need the engine itself: it may need a file system that hangs.
const WORKS_MAX: Duration = Duration::from_secs(60);
/// How long a run may publish nothing and still count as working on a request.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Waits for the request on the async thread, where the run's end cancels the wait. Answers on a thread that may
/// block, once one is free.
pub(super) async fn attend(
    mut stream: tokio::net::UnixStream,
    control_handle: Arc<ControlHandle>,
    places: Arc<Semaphore>,
) -> io::Result<()> {
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new((&mut stream).take(REQUEST_BYTES_MAX));
    tokio::time::timeout(REQUEST_WAIT, reader.read_line(&mut line)).await??;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WRITE_WAIT))?;
    let request = serde_json::from_str(&line);
    let is_long = matches!(request, Ok(Request::Compact | Request::Retry(_) | Request::Forget(_)));
    let works = Works { engine: Arc::clone(control_handle.engine()), is_long, begun: Instant::now() };
    let client = Arc::new(Client { stream, is_answered: Mutex::new(false) });
    if let Err(error) = has_thread() {
        return client.say(&format!("later no thread can be started that answers: {error}"));
    }
    let answered = async {
        let place = places.acquire_owned().await;
        let client = Arc::clone(&client);
        tokio::task::spawn_blocking(move || {
            let _place = place;
            client.answer(request, &control_handle)
        })
        .await
    };
    let mut answered = std::pin::pin!(answered);
    loop {
        tokio::select! {
            done = &mut answered => return done?,
            () = tokio::time::sleep(TELL_WORKS) => if works.goes_on() { client.tell_works() },
        }
    }
}

/// The check of whether a request may still get an answer.
struct Works {
    engine: Arc<Engine>,
    /// No time limit: the engine's own thread does the work.
    is_long: bool,
    begun: Instant,
}

impl Works {
    fn goes_on(&self) -> bool {
        if !self.is_long {
            return self.begun.elapsed() < WORKS_MAX;
        }
        let silent = silence(&self.engine.statistics(), self.engine.clock().now());
        silent.is_none_or(|silent| silent < SILENCE_MAX)
    }
}

struct Client {
    stream: UnixStream,
    /// Whether the answer has begun.
    is_answered: Mutex<bool>,
}

impl Client {
    /// Sends `works`, unless the answer has begun. Does not wait for a client whose socket buffer has no room even
    /// for that.
    fn tell_works(&self) {
        let is_answered = self.is_answered.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_answered {
            let line = format!("{WORKS}\n");
            let _ = send(&self.stream, line.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
    }

    /// Begins the answer: returns its writer.
    fn begin(&self) -> BufWriter<&UnixStream> {
        *self.is_answered.lock().unwrap_or_else(PoisonError::into_inner) = true;
        BufWriter::with_capacity(64 << 10, &self.stream)
    }

    /// Sends a one-line answer.
    fn say(&self, line: &str) -> io::Result<()> {
        let mut out = self.begin();
        writeln!(out, "{line}").and_then(|()| out.flush())
    }

    fn answer(&self, request: serde_json::Result<Request>, control_handle: &ControlHandle) -> io::Result<()> {
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let remedy = "ask with the version of outlast that runs";
                return self.say(&format!("error the request is not understood: {error}; {remedy}"));
            }
        };
        let Some(view) = control_handle.engine().view() else {
            let what = what_is_missing(&control_handle.engine().statistics().breakers);
            return self.say(&format!("later {}", one_line(&what)));
        };
        let mut reply = Reply { client: self, out: None };
        let answered = match &request {
            // It may be one for the process, not for its engine.
            Request::Order(order) => control_handle
                .order(order.clone())
                .and_then(|carried_out| Ok(write_json(&carried_out, &mut reply)?)),
            request => answer(control_handle.engine(), &view, request, &mut reply).map_err(OrderError::from),
        };
        match (answered, &mut reply.out) {
            (Ok(()), _) => writeln!(reply, "\nend").and_then(|()| reply.flush()),
            (Err(error), Some(out)) => {
                writeln!(out, "\nerror {}", one_line(&error.to_string())).and_then(|()| out.flush())
            }
            (Err(error), None) => self.say(&refusal(&error)),
        }
    }
}

/// Formats the line that is sent instead of an answer.
fn refusal(error: &OrderError) -> String {
    let error = match error {
        OrderError::NotReloaded(wrong) => {
            return format!("config {}", serde_json::Value::String(wrong.to_string()));
        }
        OrderError::Engine(error) => error,
    };
    match error {
        error if error.is_refusal() => format!("wrong {}", one_line(&error.to_string())),
        EngineError::CursorGone { .. } => format!("gone {}", one_line(&error.to_string())),
        EngineError::Unavailable { .. } | EngineError::Ledger(LedgerError::Closed) => {
            format!("later {}", one_line(&error.to_string()))
        }
        error => format!("error {}", one_line(&error.to_string())),
    }
}

/// Describes why a run has no state open: it has not begun yet, or waits for a resource to open the state again.
fn what_is_missing(breakers: &[BreakerStatus]) -> String {
    let open = breakers.iter().find(|breaker| breaker.state != BreakerState::Closed);
    match open {
        Some(BreakerStatus { resource, why, .. }) => {
            let why = why.as_deref().unwrap_or("it was short");
            format!(
                "the state is closed while the run waits for {resource}: {why}; ask again when it is there"
            )
        }
        None => "the run is about to open its state; ask again".to_owned(),
    }
}

/// Joins the lines of a message, which may name a path that contains a line feed.
fn one_line(message: &str) -> String {
    message.replace('\n', " ")
}

/// Writer of an answer, which sends `ok` before the first byte of the payload.
struct Reply<'a> {
    client: &'a Client,
    /// The payload's writer, once it has begun.
    out: Option<BufWriter<&'a UnixStream>>,
}

impl Write for Reply<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.is_none() {
            self.out.insert(self.client.begin()).write_all(b"ok\n")?;
        }
        self.out.as_mut().map_or(Ok(bytes.len()), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}
