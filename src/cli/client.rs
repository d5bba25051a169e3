//! Requests to the run that holds the state, or to the state itself if no run does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use outlast::AstProcessor;
use outlast::engine::{Engine, EngineError, StoreView};
use outlast::ledger::LedgerError;
use outlast::service::{ControlError, ControlHandle, Request, answer, ask};
use serde::Serialize;

use crate::cli::options::global::Global;

/// How often, and how long, a state in use that does not answer is retried: a run is starting or ending.
const BUSY_TRIES: u32 = 50;

const BUSY_WAIT: Duration = Duration::from_millis(100);

/// How often a run that has no state open yet is retried.
const LATER_TRIES: u32 = 10;

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
    let mut tries = 0;
    loop {
        match ask_when_open(&global.state, request) {
            Err(ControlError::NobodyListens(_)) => match alone() {
                Err(error) if is_in_use(&error) && tries < BUSY_TRIES => {}
                answered => return Ok(answered?),
            },
            answered => return Ok(answered?),
        }
        tries += 1;
        std::thread::sleep(BUSY_WAIT);
    }
}

/// Asks the run that holds the state; one that is about to open it is asked again.
pub(crate) fn ask_when_open(state: &Path, request: &Request) -> Result<Vec<u8>, ControlError> {
    let mut tries = 0;
    loop {
        match ask(state, request) {
            Err(ControlError::Later(_)) if tries < LATER_TRIES => {}
            answered => return answered,
        }
        tries += 1;
        std::thread::sleep(BUSY_WAIT);
    }
}

/// Answers from the state itself, which is opened and closed again.
pub(crate) fn ask_state(global: &Global, request: &Request) -> Result<Vec<u8>, EngineError> {
    let control_handle = ControlHandle::new(Arc::new(Engine::new(Arc::new(AstProcessor::default()))));
    let mut payload = Vec::new();
    answer(&control_handle, &StoreView::open(&global.state)?, request, &mut payload)?;
    Ok(payload)
}

pub(crate) fn is_in_use(error: &EngineError) -> bool {
    matches!(error, EngineError::Ledger(LedgerError::InUse { .. }))
}
