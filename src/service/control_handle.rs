//! The one entry point for requests and commands to a running process: the control socket, HTTP, the schedule and
//! signals all use it.

use std::sync::Arc;

use super::settings::SettingsError;
use crate::engine::{Command, CommandReply, Engine, EngineError};

/// Reloads the configuration; returns what changed, or why the old one stays.
type ReadAgain = dyn Fn() -> Result<String, NotReloaded> + Send + Sync;

/// Why settings that were read again are not taken over. The old ones stay.
#[derive(Debug, thiserror::Error)]
pub enum NotReloaded {
    /// Some are wrong; the text has a line for each.
    #[error("{0}\nthe configuration stays as it was")]
    Settings(#[from] SettingsError),
    /// The engine refuses them.
    #[error("{0}\nthe configuration stays as it was")]
    Engine(#[from] EngineError),
}

/// Why a command is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The configuration was read again, and is not taken over.
    #[error(transparent)]
    NotReloaded(#[from] NotReloaded),
}

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
        read_again: impl Fn() -> Result<String, NotReloaded> + Send + Sync + 'static,
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
    pub fn order(&self, order: Command) -> Result<CommandReply, OrderError> {
        tracing::info!(?order, "asked for");
        match (&order, &self.read_again) {
            (Command::Reload, Some(read_again)) => Ok(CommandReply::text(read_again()?)),
            _ => Ok(self.engine.order(order)?),
        }
    }
}
