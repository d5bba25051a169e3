//! How a command is used.

use std::path::PathBuf;
use std::time::Duration;

use super::ExecCommand;

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
    /// The run's first root, which the first message to a child has.
    pub root: PathBuf,
    /// Longest time from a child's start to its `ready`.
    pub start_timeout: Duration,
    /// Files after which a child is replaced.
    pub recycle: Option<u64>,
    /// Resident memory in bytes, with that of its process group, above which a child is replaced.
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
