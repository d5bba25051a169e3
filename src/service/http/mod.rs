//! Over HTTP: health, metrics, a JSON API, and the dashboard.
//!
//! | path | answers with |
//! |---|---|
//! | `GET /healthz` | whether the process should live on |
//! | `GET /readyz` | whether all works, check by check |
//! | `GET /metrics` | figures, in the text format of Prometheus |
//! | `GET /api/status`, `/api/failures`, `/api/jobs`, `/api/history` | what the commands report, as JSON |
//! | `GET /api/events` | a snapshot each second, as server-sent events |
//! | `POST /api/retry`, `/api/orders` | what it did |
//! | `GET /` | the dashboard: one page, without anything from elsewhere |
//!
//! Constraints: a GET changes nothing. Access is decided in one place (`gate.rs`), before anything else is read.
//! Clients delay neither the run nor, for long, other clients: connections, the size and the time of a request, and
//! the wait for slow readers are limited; slow work runs on a few threads of its own. Everything that comes from
//! files or their names is data to the page, never markup.

mod connection;
mod events;
mod figures;
mod gate;
mod health;
mod history;
mod metrics;
mod page;
mod requests;
mod respond;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use super::control_handle::ControlHandle;
use crate::model::Shard;

use events::Listeners;
use figures::Figures;
use gate::Gate;
use page::Page;
use routes::Site;

/// Threads for slow work: queries of the ledger, commands.
const THREADS_MAX: usize = 6;
/// Connections that wait for `accept`.
const BACKLOG: u32 = 128;
/// Kernel send buffer of a client that does not read. Smaller than usual: the client is noticed sooner.
const SEND_BUFFER_BYTES: u32 = 64 << 10;
/// How long the shutdown waits for answers in flight.
const CLOSE_WAIT: Duration = Duration::from_millis(800);

/// Where to listen, and which clients are admitted.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The address. One that is reachable from other machines needs a token.
    pub listen: SocketAddr,
    /// The token that clients must present.
    pub token: Option<String>,
    /// The shard of the process, which all its metrics and the dashboard name.
    pub shard: Option<Shard>,
}

/// Hides the token.
impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "...");
        let mut shown = f.debug_struct("HttpSettings");
        shown.field("listen", &self.listen).field("token", &token).field("shard", &self.shard).finish()
    }
}

/// Why HTTP is not served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Every client could query and give commands.
    #[error("{0} can be reached from elsewhere: name a `token-file`, or listen on 127.0.0.1")]
    Open(SocketAddr),
    /// The address can't be bound.
    #[error(
        "can't listen on {listen}: {source}; is another process there? name another address with `listen`"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The operating system refused.
    #[error("HTTP can't be served: {0}")]
    Io(#[source] io::Error),
}

/// Returns whether an address is reachable from this machine only.
pub(crate) fn is_local(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The HTTP server, on a thread named `http` and a few named `http-work`, until dropped.
pub struct Served {
    address: SocketAddr,
    gate: Arc<Gate>,
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts to listen, and answers for the engine of `control_handle`.
    ///
    /// # Errors
    /// The address needs a token, or can't be bound; or no thread can be started.
    pub fn start(settings: &HttpSettings, control_handle: Arc<ControlHandle>) -> Result<Self, HttpError> {
        let listen = settings.listen;
        if settings.token.is_none() && !is_local(&listen) {
            return Err(HttpError::Open(listen));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .thread_name("http-work")
            .max_blocking_threads(THREADS_MAX)
            .build()
            .map_err(HttpError::Io)?;
        let listener = {
            let _inside = runtime.enter();
            bind(listen).map_err(|source| HttpError::Listen { listen, source })?
        };
        let address = listener.local_addr().map_err(HttpError::Io)?;
        let gate = Arc::new(Gate::new(address, settings.token.as_deref()));
        let page = Page::new(settings.shard).map_err(HttpError::Io)?;
        let figures = Figures::new(Arc::clone(control_handle.engine()));
        let listeners = Listeners::new();
        let shard = settings.shard;
        let site =
            Arc::new(Site { control_handle, gate: Arc::clone(&gate), page, figures, listeners, shard });
        let (close, closed) = oneshot::channel();
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(serve(listener, site, closed));
            runtime.shutdown_timeout(CLOSE_WAIT);
        });
        let thread = thread.map_err(HttpError::Io)?;
        Ok(Self { address, gate, close: Some(close), thread: Some(thread) })
    }

    /// Returns the bound address: with the port that the system chose, if none was requested.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the function that replaces the token, where one is required. It returns whether the new token differs.
    pub fn token_changer(&self) -> impl Fn(&str) -> bool + Send + Sync + 'static {
        let gate = Arc::clone(&self.gate);
        move |token| gate.change_token(token)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Serves until `closed`, whatever the clients do.
async fn serve(listener: TcpListener, site: Arc<Site>, closed: oneshot::Receiver<()>) {
    let router = routes::router(&site);
    tokio::select! {
        () = connection::accept_each(listener, router) => {}
        () = site.figures.sample_each_second() => {}
        _ = closed => {}
    }
}
