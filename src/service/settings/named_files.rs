//! Checks at the start beyond the settings themselves: of the files that they name.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags};

use super::problem::{Problem, Sourced};
use super::resolved::Settings;

impl Settings {
    /// Returns all problems with named files that would keep a process from starting. Nothing is created or changed.
    pub fn check_files(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.token().err().into_iter().flat_map(|wrong| wrong.0).collect();
        let log_file = self.fields.log_file.as_ref();
        problems.extend(
            log_file
                .and_then(|file| can_append_to(&file.value).err())
                .map(|error| self.log_file_problem(&error)),
        );
        problems
    }

    /// Describes why a log file can't be opened.
    pub fn log_file_problem(&self, error: &io::Error) -> Problem {
        let file = self.fields.log_file.clone().unwrap_or_else(|| Sourced::default(PathBuf::new()));
        let path = file.value.display();
        file.problem(format!("log file {path} can't be opened: {error}; name one in a folder that is there"))
    }
}

/// Checks whether a file could be opened for appending, or created.
fn can_append_to(path: &Path) -> io::Result<()> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    match OpenOptions::new().append(true).custom_flags(nonblocking).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let both = Access::WRITE_OK | Access::EXEC_OK;
            Ok(rustix::fs::accessat(CWD, folder, both, AtFlags::EACCESS)?)
        }
        opened => opened.map(drop),
    }
}
