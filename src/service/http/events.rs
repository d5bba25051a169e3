//! Server-sent events: a snapshot each second, to a limited number of listeners.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::figures::Figures;
use super::respond::failed;

/// Concurrent listeners.
const LISTENERS_MAX: usize = 16;
/// How long one stream lasts. A browser opens the next one by itself; a client that vanished silently has not kept
/// its slot for longer.
const STREAM_LIFE: Duration = Duration::from_secs(15 * 60);
/// Makes a browser reconnect after so many milliseconds.
const HELLO: &str = "retry: 2000\n\n";

pub(super) struct Listeners(Arc<Semaphore>);

impl Listeners {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LISTENERS_MAX)))
    }

    /// Opens a stream for one more listener, if there is room.
    pub(super) fn stream(&self, figures: &Figures) -> Response {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else {
            let mut refused = failed(StatusCode::SERVICE_UNAVAILABLE, "too many listen already; ask again");
            refused.headers_mut().insert(RETRY_AFTER, 5.into());
            return refused;
        };
        let (first, later) = figures.listen();
        // One event is in flight while the next is made; slower listeners miss some.
        let (send, frames) = mpsc::channel(1);
        tokio::spawn(pass_on(first, later, send, place));
        let head = [
            (CONTENT_TYPE, "text/event-stream"),
            // A buffering proxy would keep events back until there are many.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (head, Body::new(Feed(frames))).into_response()
    }
}

/// Forwards snapshots until the listener is gone.
async fn pass_on(
    first: Bytes,
    mut later: watch::Receiver<Bytes>,
    send: mpsc::Sender<Bytes>,
    place: OwnedSemaphorePermit,
) {
    let _place = place;
    let ends = tokio::time::Instant::now() + STREAM_LIFE;
    let mut next = [Bytes::from_static(HELLO.as_bytes()), first].concat().into();
    while send.send(next).await.is_ok() {
        tokio::select! {
            changed = later.changed() => if changed.is_err() { return },
            () = send.closed() => return,
            () = tokio::time::sleep_until(ends) => return,
        }
        next = later.borrow_and_update().clone();
    }
}

struct Feed(mpsc::Receiver<Bytes>);

impl HttpBody for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
