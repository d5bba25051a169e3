//! Requests to the run that holds the state, or to the state itself if no run does.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use outlast::AstProcessor;
use outlast::engine::{Engine, EngineError, StoreView};
use outlast::ledger::LedgerError;
use outlast::service::{ControlError, Request, answer, ask, is_answered};
use serde::Serialize;

use crate::cli::options::global::Global;

/// For how long a state in use that does not answer is retried: a run is starting or ending, or a command such as
/// `status` holds the state for an instant.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// For how long a run that has no state open yet is retried.
const LATER_MAX: Duration = Duration::from_secs(1);
const RETRY_WAIT: Duration = Duration::from_millis(20);

/// Sends a request to the run that holds the state, or opens the state. Releases the state before returning: the
/// reader of the output may take any time.
pub(crate) fn put(global: &Global, request: &Request) -> Result<Vec<u8>> {
    put_or_else(global, request, || ask_state(global, request))
}

/// Like [`put`], but `alone` handles a state that no run holds; its report is the answer.
pub(crate) fn put_or<T: Serialize>(
    global: &Global,
    request: &Request,
    alone: impl Fn() -> Result<T, EngineError>,
) -> Result<Vec<u8>> {
    put_or_else(global, request, || {
        let what = "the answer can't be put into words";
        serde_json::to_vec(&alone()?)
            .map_err(|error| EngineError::Io { what: what.to_owned(), source: error.into() })
    })
}

fn put_or_else(
    global: &Global,
    request: &Request,
    alone: impl Fn() -> Result<Vec<u8>, EngineError>,
) -> Result<Vec<u8>> {
    let put = || match ask_when_open(&global.state, request) {
        Err(ControlError::NotListening(_)) => Ok(alone()?),
        answered => Ok(answered?),
    };
    let may_pass = |error: &anyhow::Error| error.downcast_ref().is_some_and(is_in_use);
    retry_while(BUSY_MAX, may_pass, put)
}

/// Asks the run that holds the state; one that is about to open it is asked again.
pub(crate) fn ask_when_open(state: &Path, request: &Request) -> Result<Vec<u8>, ControlError> {
    retry_while(LATER_MAX, |error| matches!(error, ControlError::Later(_)), || ask(state, request))
}

/// Does what needs the state for itself, once it is free; fails at once if a run holds it that answers.
pub(crate) fn when_free<T>(state: &Path, act: impl Fn() -> Result<T, EngineError>) -> Result<T, EngineError> {
    retry_while(BUSY_MAX, |error| is_in_use(error) && !is_answered(state), act)
}

/// Repeats a call for so long while it fails with an error that may pass.
fn retry_while<T, E>(
    max: Duration,
    may_pass: impl Fn(&E) -> bool,
    call: impl Fn() -> Result<T, E>,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match call() {
            Err(error) if begun.elapsed() < max && may_pass(&error) => std::thread::sleep(RETRY_WAIT),
            result => return result,
        }
    }
}

/// Answers from the state itself, which is opened and closed again.
pub(crate) fn ask_state(global: &Global, request: &Request) -> Result<Vec<u8>, EngineError> {
    let engine = Engine::new(AstProcessor::default());
    let mut payload = Vec::new();
    answer(&engine, &StoreView::open(&global.state)?, request, &mut payload)?;
    Ok(payload)
}

pub(crate) fn is_in_use(error: &EngineError) -> bool {
    matches!(error, EngineError::Ledger(LedgerError::InUse { .. }))
}
