//! Connections, and the limits of each client.
//!
//! When all slots are taken, the connection is dropped that has gone longest without a complete request head; when
//! many are, none is kept alive after its answer. So only requests being answered delay others.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep};

/// Concurrent connections.
const CONNECTIONS_MAX: usize = 256;
/// How long a client may take for a request head, and between two requests.
const HEAD_WAIT: Duration = Duration::from_secs(5);
/// Longest request head, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a client may leave its answer unread.
const WRITE_WAIT: Duration = Duration::from_secs(15);
/// Pause after a failed `accept`, such as for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An open connection.
struct Attended {
    task: AbortHandle,
    /// Whether a request head has arrived.
    has_asked: Arc<AtomicBool>,
}

pub(super) async fn accept_each(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // At most as many as there are slots, the oldest first.
    let mut waiting: VecDeque<Attended> = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "an HTTP connection can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        waiting.retain(|one| !one.task.is_finished() && !one.has_asked.load(Ordering::Relaxed));
        if places.available_permits() == 0
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.task.abort();
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let has_asked = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(attend(stream, router.clone(), place, Arc::clone(&has_asked)));
        waiting.push_back(Attended { task: task.abort_handle(), has_asked });
    }
}

async fn attend(stream: TcpStream, router: Router, place: OwnedSemaphorePermit, has_asked: Arc<AtomicBool>) {
    // Sends an event at once, even if the one before it was not acknowledged.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let answering = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        let is_crowded = place.semaphore().available_permits() < CONNECTIONS_MAX / 2;
        let answer = router.call(request);
        async move {
            let mut answer = answer.await?;
            if is_crowded {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Impatient::new(stream)), answering);
    if let Err(error) = served.await {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// A stream that fails if the peer does not read for too long.
struct Impatient {
    stream: TcpStream,
    /// Runs while a write waits.
    wait: Pin<Box<Sleep>>,
    waits: bool,
}

impl Impatient {
    fn new(stream: TcpStream) -> Self {
        Self { stream, wait: Box::pin(tokio::time::sleep(WRITE_WAIT)), waits: false }
    }

    fn or_too_long(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.wait.as_mut().reset(Instant::now() + WRITE_WAIT);
            self.waits = true;
        }
        ready!(self.wait.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_too_long(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.or_too_long(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
