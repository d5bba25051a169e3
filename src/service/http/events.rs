//! Server-sent events: a snapshot each second, to as many as are listened to.

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

/// Who listens at the same time.
const LISTENERS_MAX: usize = 16;
/// How long one stream lasts. A browser opens the next one by itself; who has gone without a word has not kept
/// a place for longer.
const STREAM_LIFE: Duration = Duration::from_secs(15 * 60);
/// How soon a browser tries again, in milliseconds.
const HELLO: &str = "retry: 2000\n\n";

pub(super) struct Listeners(Arc<Semaphore>);

impl Listeners {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LISTENERS_MAX)))
    }

    /// The stream for one more, where there is room.
    pub(super) fn stream(&self, figures: &Figures) -> Response {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else {
            let mut refused = failed(StatusCode::SERVICE_UNAVAILABLE, "too many listen already; ask again");
            refused.headers_mut().insert(RETRY_AFTER, 5.into());
            return refused;
        };
        let (first, later) = figures.listen();
        // One is on its way while the next one is made; who is slower than that misses some.
        let (send, frames) = mpsc::channel(1);
        tokio::spawn(pass_on(first, later, send, place));
        let head = [
            (CONTENT_TYPE, "text/event-stream"),
            // What stands in between would keep events back until there are many.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (head, Body::new(Feed(frames))).into_response()
    }
}

/// Passes snapshots on until nobody listens any more.
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
