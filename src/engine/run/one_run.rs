//! One run at a time: an engine that runs a job refuses another one.

use std::sync::atomic::{AtomicBool, Ordering};

use super::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::stop::Stop;

/// The one run of an engine. What asked it to stop has asked no other one, so that is over when this is dropped.
pub(super) struct OneRun<'a> {
    runs: &'a AtomicBool,
    stop: &'a Stop,
}

impl Engine {
    /// Begins a run.
    pub(super) fn begin(&self) -> Result<OneRun<'_>, EngineError> {
        if self.runs.swap(true, Ordering::SeqCst) {
            return Err(runs_already());
        }
        Ok(OneRun { runs: &self.runs, stop: &self.stop })
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
