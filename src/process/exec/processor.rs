//! A command as a processor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::children::Children;
use super::command_window::CommandWindow;
use super::spawner::Spawner;
use super::window::ChildWindow;
use super::{ExecCommand, ExecError, ExecOptions};
use crate::model::{BatchConfig, FileError};
use crate::process::window::{Window, Windowed};
use crate::process::{FileContent, Processor, ResultWriter};

/// A processor in any language: a command that is run once for each file, or children that stay and answer.
///
/// [The guide](crate::guide::exec) describes both.
#[derive(Debug)]
pub struct ExecProcessor {
    identity: String,
    include: Vec<String>,
    how: How,
}

#[derive(Debug)]
enum How {
    Command(Arc<ExecCommand>, Arc<Spawner>),
    Children(Arc<Children>),
}

impl ExecProcessor {
    /// Creates it, and starts the first child, if it is one that stays.
    ///
    /// # Errors
    /// There is no such program, or the child is not ready in time.
    pub fn start(options: ExecOptions) -> Result<Self, ExecError> {
        if options.command.is_per_file() {
            options.command.find_program()?;
            let spawner = Arc::new(Spawner::new().map_err(ExecError::NoThread)?);
            let identity = options.command.identity(options.version.as_deref());
            let how = How::Command(Arc::new(options.command), spawner);
            return Ok(Self { identity, include: Vec::new(), how });
        }
        let children = Children::start(options)?;
        let identity = children.identity();
        let include = children.ready().include.clone();
        Ok(Self { identity, include, how: How::Children(Arc::new(children)) })
    }

    /// Asks children that wait to end, and kills all that has not ended by then.
    pub fn end(&self, until: Instant) {
        match &self.how {
            How::Command(_, spawner) => spawner.kill_all(),
            How::Children(children) => children.end(until),
        }
    }
}

impl Processor for ExecProcessor {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn default_include(&self) -> Vec<&str> {
        self.include.iter().map(String::as_str).collect()
    }

    fn process(&self, _file: &FileContent<'_>, _result: &mut ResultWriter) -> Result<(), FileError> {
        Err(FileError::processor("a command is asked through a window"))
    }

    fn windowed(&self) -> Option<&dyn Windowed> {
        Some(self)
    }
}

impl Windowed for ExecProcessor {
    fn open(&self, _worker: usize, config: &BatchConfig) -> Box<dyn Window> {
        match &self.how {
            How::Command(command, spawner) => {
                Box::new(CommandWindow::new(Arc::clone(command), Arc::clone(spawner)))
            }
            How::Children(children) => {
                let limit = Duration::from_secs(config.timeout_seconds);
                Box::new(ChildWindow::new(Arc::clone(children), limit))
            }
        }
    }

    fn children_bytes(&self) -> u64 {
        match &self.how {
            How::Command(_, spawner) => spawner.resident_bytes(),
            How::Children(children) => children.spawner().resident_bytes(),
        }
    }

    fn wants_place(&self) -> bool {
        true
    }

    fn wants_content(&self) -> bool {
        matches!(&self.how, How::Children(children) if children.ready().inline)
    }
}
