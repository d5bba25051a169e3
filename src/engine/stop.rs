//! Asking a run to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::EngineError;
use crate::engine::run::engine::Engine;

/// Asks a run to stop: it finishes the files in hand, commits them, and leaves the rest pending. Where none runs, it is
/// the next one that is asked; no other.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Asks for the stop of others on every way out.
pub(crate) struct StopOnDrop<'a>(pub &'a Stop);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

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
        self.stop.0.store(false, Ordering::Relaxed);
        self.runs.store(false, Ordering::SeqCst);
    }
}

pub(super) fn runs_already() -> EngineError {
    EngineError::Job("this engine runs a job already; make another engine".to_owned())
}
