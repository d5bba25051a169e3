//! Connections, and the limits on what a client may do with one.
//!
//! Where all places are taken, the connection gives way that has been there longest without a whole head of a request;
//! where many are, none is kept behind its answer. So only what is being answered holds others up.

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

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 256;
/// How long a client may take for the head of a request, and between two requests.
const HEAD_WAIT: Duration = Duration::from_secs(5);
/// Longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a client may leave unread what it asked for.
const WRITE_WAIT: Duration = Duration::from_secs(15);
/// Pause after a connection that can't be accepted, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection.
struct Attended {
    task: AbortHandle,
    /// The head of a request has come.
    has_asked: Arc<AtomicBool>,
}

pub(super) async fn accept_each(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // No more than have a place, the oldest first.
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
    // An event is sent at once, also where the one before it was not acknowledged.
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

/// A stream that fails when nobody reads for too long what is written to it.
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
