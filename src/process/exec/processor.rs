//! A command as a processor.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::Death;
use super::children::{ChildOptions, Children};
use super::command_window::CommandWindow;
use super::spawner::Spawner;
use super::window::ChildWindow;
use super::{ExecCommand, ExecError};
use crate::model::{BatchConfig, FileError};
use crate::process::window::{Window, Windowed};
use crate::process::{FileContent, Processor, ResultWriter};

/// How a command is used as a processor.
///
/// ```
/// use outlast::{ExecCommand, ExecOptions};
///
/// let options = ExecOptions { version: Some("2".to_owned()), ..ExecOptions::new(ExecCommand::parse("wc -l {}")?) };
/// assert_eq!(options.start_timeout.as_secs(), 30);
/// # Ok::<(), outlast::ExecCommandError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOptions {
    /// The command.
    pub command: ExecCommand,
    /// The version; without one, it comes from the child or from the command's files.
    pub version: Option<String>,
    /// The run's first root, which children are told.
    pub root: PathBuf,
    /// Longest time from a child's start to its `ready`.
    pub start_timeout: Duration,
    /// Files after which a child is replaced.
    pub recycle: Option<u64>,
    /// Resident memory in bytes above which a child is replaced.
    pub memory: Option<u64>,
}

impl ExecOptions {
    /// Creates options with defaults: 30 s to start, and children that stay.
    pub fn new(command: ExecCommand) -> Self {
        Self {
            command,
            version: None,
            root: PathBuf::from("/"),
            start_timeout: Duration::from_secs(30),
            recycle: None,
            memory: None,
        }
    }
}

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
        let command = Arc::new(options.command);
        if command.is_per_file() {
            command.find_program()?;
            let spawner = Arc::new(Spawner::new().map_err(ExecError::NoThread)?);
            let identity = command.identity(options.version.as_deref());
            return Ok(Self { identity, include: Vec::new(), how: How::Command(command, spawner) });
        }
        let started = Children::start(ChildOptions {
            command: Arc::clone(&command),
            root: options.root,
            start_limit: options.start_timeout,
            files_max: options.recycle,
            memory_max: options.memory,
        });
        let children = started.map_err(|Death { message, .. }| ExecError::NotReady { message })?;
        let ready = children.ready();
        let identity = match (&options.version, &ready.identity) {
            (None, Some(identity)) => identity.clone(),
            (Some(version), Some(identity)) => {
                format!("{}/{version}", identity.split('/').next().unwrap_or_default())
            }
            (version, _) => command.identity(version.as_deref()),
        };
        let include = ready.include.clone();
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

    fn wants_content(&self) -> bool {
        matches!(&self.how, How::Children(children) if children.ready().inline)
    }
}
