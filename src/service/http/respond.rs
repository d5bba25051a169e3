//! Answers that every handler gives alike.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// How long an answer may take, the time for the request's body in it.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// An error, as JSON.
pub(super) fn failed(status: StatusCode, what: &str) -> Response {
    let json = json!({ "error": what }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], json).into_response()
}
