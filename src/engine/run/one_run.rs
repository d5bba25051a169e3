//! One run at a time: an engine that runs a job refuses another one.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::error::EngineError;
use crate::engine::stop::Stop;

/// The one run of an engine. A stop request applies only to it, so it is cleared when this is dropped.
pub(super) struct OneRun<'a> {
    runs: &'a AtomicBool,
    stop: &'a Stop,
}

impl<'a> OneRun<'a> {
    /// Begins a run, if none is going on.
    pub(super) fn begin(runs: &'a AtomicBool, stop: &'a Stop) -> Result<Self, EngineError> {
        if runs.swap(true, Ordering::SeqCst) {
            return Err(runs_already());
        }
        Ok(Self { runs, stop })
    }
}

impl Drop for OneRun<'_> {
    fn drop(&mut self) {
        self.stop.withdraw();
        self.runs.store(false, Ordering::SeqCst);
    }
}

pub(super) fn runs_already() -> EngineError {
    EngineError::Job("this engine runs a job already; make another engine".to_owned())
}
