//! The handlers of each path.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Serialize;

use super::events::Listeners;
use super::figures::Figures;
use super::gate::{self, Gate};
use super::health::Health;
use super::page::Page;
use super::requests::{self, FailuresQuery, JobsQuery};
use super::respond::failed;
use super::{ControlHandle, metrics};
use crate::engine::{Command, EngineError, StoreView};
use crate::model::Shard;
use crate::service::control_handle::OrderError;
use crate::service::ticker::has_thread;

/// Largest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long a client may take for the body of a request.
const BODY_WAIT: Duration = Duration::from_secs(5);

/// What all requests share.
pub(super) struct Site {
    pub(super) control_handle: Arc<ControlHandle>,
    pub(super) gate: Arc<Gate>,
    pub(super) page: Page,
    pub(super) figures: Figures,
    pub(super) listeners: Listeners,
    pub(super) shard: Option<Shard>,
}

/// The handlers' view of it.
pub(super) type Shared = State<Arc<Site>>;

pub(super) fn router(site: &Arc<Site>) -> Router {
    let page = |State(site): Shared| async move { site.page.answer() };
    let events = |State(site): Shared| async move { site.listeners.stream(&site.figures) };
    let history = |State(site): Shared| async move { answer(StatusCode::OK, &site.figures.history()) };
    let nothing = || async { failed(StatusCode::NOT_FOUND, "nothing is here") };
    let not_so = || async { failed(StatusCode::METHOD_NOT_ALLOWED, "not with this method") };
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .route("/metrics", get(all_metrics))
        .route("/api/status", get(status))
        .route("/api/failures", get(failures))
        .route("/api/jobs", get(jobs))
        .route("/api/history", get(history))
        .route("/api/events", get(events))
        .route("/api/retry", post(retry))
        .route("/api/orders", post(orders))
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&site.gate), gate::guard))
        .with_state(Arc::clone(site))
}

async fn health(State(site): Shared) -> Response {
    let stalled = site.figures.look().stalled;
    let status = if stalled.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(status, &Health::of(stalled))
}

async fn readiness(State(site): Shared) -> Response {
    let readiness = site.figures.look().readiness;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &readiness)
}

async fn all_metrics(State(site): Shared) -> Response {
    let seen = site.figures.look();
    let failures = site.figures.failures().await;
    let engine = Arc::clone(site.control_handle.engine());
    let status = blocking(move || engine.view().and_then(|view| view.status(None).ok())).await;
    let text = metrics::text(site.shard, &seen, failures.as_deref(), status.flatten().as_ref());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn status(State(site): Shared) -> Response {
    let running = site.control_handle.engine().statistics();
    ask(&site, move |view| view.status(Some(running))).await
}

async fn jobs(State(site): Shared, query: Result<Query<JobsQuery>, QueryRejection>) -> Response {
    let ended = match query {
        Ok(Query(query)) => query.ended(),
        Err(wrong) => return failed(StatusCode::BAD_REQUEST, &wrong.body_text()),
    };
    let running = site.control_handle.engine().statistics();
    ask(&site, move |view| view.jobs(Some(&running), Some(ended))).await
}

async fn failures(State(site): Shared, query: Result<Query<FailuresQuery>, QueryRejection>) -> Response {
    let Query(query) = match query {
        Ok(query) => query,
        Err(wrong) => return failed(StatusCode::BAD_REQUEST, &wrong.body_text()),
    };
    if query.is_usual() {
        return match site.figures.failures().await {
            Some(report) => answer(StatusCode::OK, &*report),
            None => no_run(),
        };
    }
    let (class, samples) = query.read();
    ask(&site, move |view| view.failures(class, samples)).await
}

async fn retry(State(site): Shared, request: axum::extract::Request) -> Response {
    let filter = match body(request).await.and_then(|body| requests::retry_filter(&body)) {
        Ok(filter) => filter,
        Err(refused) => return *refused,
    };
    tracing::info!(?filter, "failed files are asked for again");
    let engine = Arc::clone(site.control_handle.engine());
    let done = blocking(move || engine.retry(&filter)).await;
    site.figures.forget_failures().await;
    // The run is there; what does not fit is the glob.
    reported(done, StatusCode::BAD_REQUEST)
}

async fn orders(State(site): Shared, request: axum::extract::Request) -> Response {
    let order: Command = match body(request).await.and_then(|body| requests::order(&body)) {
        Ok(order) => order,
        Err(refused) => return *refused,
    };
    let control_handle = Arc::clone(&site.control_handle);
    reported(blocking(move || control_handle.order(order)).await, StatusCode::CONFLICT)
}

/// Reads the body of a request, of which only the head has been awaited so far.
async fn body(request: axum::extract::Request) -> Result<Bytes, Box<Response>> {
    use axum::extract::FromRequest;
    gate::check_content(request.headers())?;
    let read = tokio::time::timeout(BODY_WAIT, Bytes::from_request(request, &())).await;
    let refused = match read {
        Ok(Ok(body)) => return Ok(body),
        Ok(Err(wrong)) => too_large_or_broken(&wrong),
        Err(_) => failed(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come in time"),
    };
    Err(Box::new(refused))
}

fn too_large_or_broken(wrong: &BytesRejection) -> Response {
    failed(wrong.status(), &wrong.body_text())
}

/// Queries the state of the active run.
async fn ask<T: Serialize + Send + 'static>(
    site: &Arc<Site>,
    question: impl FnOnce(StoreView) -> Result<T, EngineError> + Send + 'static,
) -> Response {
    let engine = Arc::clone(site.control_handle.engine());
    match blocking(move || engine.view().map(question)).await {
        Some(None) => no_run(),
        Some(Some(done)) => reported(Some(done), StatusCode::CONFLICT),
        None => went_down(),
    }
}

/// Runs slow work on a thread where only its client waits for it. Returns `None` if it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    has_thread().ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

/// Converts a result to a response. `unfit` is the status of a request that does not fit the run.
fn reported<T: Serialize>(done: Option<Result<T, impl Into<OrderError>>>, unfit: StatusCode) -> Response {
    match done {
        Some(Ok(done)) => answer(StatusCode::OK, &done),
        Some(Err(error)) => {
            let error: OrderError = error.into();
            let status = match &error {
                OrderError::Engine(EngineError::Config(_) | EngineError::Filter(_)) => {
                    StatusCode::BAD_REQUEST
                }
                OrderError::Engine(error) if error.is_refusal() => unfit,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            failed(status, &error.to_string())
        }
        None => went_down(),
    }
}

fn went_down() -> Response {
    failed(StatusCode::INTERNAL_SERVER_ERROR, "that went down; the log says why")
}

fn no_run() -> Response {
    failed(StatusCode::SERVICE_UNAVAILABLE, "the state is not open, or just being opened; ask again")
}

fn answer<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => (status, [(CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => failed(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
