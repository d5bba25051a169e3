//! Responses shared by all handlers.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// How long an answer may take, including the request's body.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// Builds an error response, as JSON.
pub(super) fn failed(status: StatusCode, what: &str) -> Response {
    let json = json!({ "error": what }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], json).into_response()
}
