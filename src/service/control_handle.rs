//! The one entry point for requests and commands to a running process: the control socket, HTTP, the schedule and
//! signals all use it.

use std::sync::Arc;

use crate::engine::{Command, CommandReply, Engine, EngineError};

/// Reloads the configuration; returns what changed, or why the old one stays.
type ReadAgain = dyn Fn() -> Result<String, String> + Send + Sync;

/// A running engine, and the actions that only its process can do.
pub struct ControlHandle {
    engine: Arc<Engine>,
    read_again: Option<Box<ReadAgain>>,
}

impl ControlHandle {
    /// Creates the handle of a process without a configuration.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine, read_again: None }
    }

    /// Creates the handle of a process that can reload its configuration.
    #[must_use]
    pub fn with_reload(
        mut self,
        read_again: impl Fn() -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        self.read_again = Some(Box::new(read_again));
        self
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// As [`Engine::order`]; or the configuration can't be read, and the old one stays.
    pub fn order(&self, order: Command) -> Result<CommandReply, EngineError> {
        tracing::info!(?order, "asked for");
        match (&order, &self.read_again) {
            (Command::Reload, Some(read_again)) => {
                read_again().map(CommandReply::text).map_err(EngineError::Settings)
            }
            _ => self.engine.order(order),
        }
    }
}
