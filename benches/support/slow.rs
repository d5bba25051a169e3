//! A processor that takes its time.

use std::time::Duration;

use outlast::{AstProcessor, FileContent, FileError, Processor, ResultWriter};
use rustix::time::ClockId;

/// Files below this folder are slow.
pub(crate) const FOLDER: &str = "zzz-slow";
/// What one of them takes beyond the AST processor.
pub(crate) const CPU: Duration = Duration::from_millis(25);

/// The AST processor, which computes for a while at each file of one folder.
#[derive(Default)]
pub(crate) struct Slow(AstProcessor);

impl Processor for Slow {
    fn identity(&self) -> &str {
        self.0.identity()
    }

    fn default_include(&self) -> Vec<&str> {
        self.0.default_include()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        if file.path.starts_with(FOLDER.as_bytes()) {
            // CPU time, so that it is the same work beside whatever else goes on.
            let begun = super::cpu(ClockId::ThreadCPUTime);
            while super::cpu(ClockId::ThreadCPUTime) - begun < CPU {
                std::hint::spin_loop();
            }
        }
        self.0.process(file, result)
    }
}
