//! A log file of bounded size, with a bounded number of rotated ones: `log`, `log.1`, `log.2`, ...
//!
//! `tracing-appender` rotates by time only. Several processes may write to one file, and a cleanup may move it away:
//! each write checks whether the file is still the one at its path. No error here ever stops the logging process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use outlast::model::with_remedy;
use rustix::fs::OFlags;
use tracing_subscriber::fmt::MakeWriter;

/// The log file, open for appending.
pub(crate) struct LogFile {
    path: PathBuf,
    bytes_max: u64,
    kept: u32,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    /// Whether the current error was reported.
    reported: bool,
}

impl LogFile {
    /// Opens or creates the file; only its owner can read it, since it contains paths of files.
    pub(crate) fn open(path: &Path, bytes_max: u64, kept: u32) -> io::Result<Self> {
        // After a change of the current folder, the relative path would mean another file.
        let path = std::path::absolute(path)?;
        let open = Mutex::new(Open { file: append_to(&path)?, reported: false });
        Ok(Self { path, bytes_max, kept, open })
    }

    fn append(&self, open: &mut Open, line: &[u8]) -> io::Result<()> {
        if !self.is_at_its_name(&open.file)? {
            open.file = append_to(&self.path)?;
        }
        let length = open.file.metadata()?.len();
        if length > 0 && length + line.len() as u64 > self.bytes_max {
            self.turn(open)?;
        }
        open.file.write_all(line)
    }

    /// Rotates the file and begins a new one.
    fn turn(&self, open: &mut Open) -> io::Result<()> {
        // One of several processes rotates it; the others find it done. Without locks here, they may lose a file.
        let _ = open.file.lock();
        if self.is_at_its_name(&open.file)? {
            for number in (1..self.kept).rev() {
                unless_missing(fs::rename(self.older(number), self.older(number + 1)))?;
            }
            match self.kept {
                0 => fs::remove_file(&self.path)?,
                _ => fs::rename(&self.path, self.older(1))?,
            }
        }
        open.file = append_to(&self.path)?;
        Ok(())
    }

    fn is_at_its_name(&self, file: &File) -> io::Result<bool> {
        let same = |named: fs::Metadata| {
            let open = file.metadata()?;
            Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
        };
        match fs::metadata(&self.path) {
            Ok(named) => same(named),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn older(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    // Does not wait for the reader of a pipe at this path.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nonblocking).open(path)
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// A line that can't be written is lost; the first of several failures is reported on stderr.
impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match self.append(&mut open, line) {
            Ok(()) => open.reported = false,
            Err(error) if !open.reported => {
                open.reported = true;
                let path = self.path.display();
                let error = with_remedy(error);
                crate::cli::output::terminal::tell(&format!(
                    "outlast: log file {path} can't be written: {error}; going on without it"
                ));
            }
            Err(_) => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn older_files_are_kept_up_to_their_number_and_none_is_too_long() {
        for kept in [0, 1, 3] {
            let folder = tempfile::tempdir().unwrap();
            let log = LogFile::open(&folder.path().join("log"), 20, kept).unwrap();
            for line in 0..50 {
                (&log).write_all(format!("line {line:03}\n").as_bytes()).unwrap();
            }
            let names = names(folder.path());
            assert_eq!(names.len(), 1 + kept as usize, "{names:?}");
            for name in names {
                let text = fs::read_to_string(folder.path().join(&name)).unwrap();
                assert!(text.len() <= 20 && text.lines().all(|line| line.len() == 8), "{name}: {text}");
            }
            assert!(fs::read_to_string(folder.path().join("log")).unwrap().ends_with("line 049\n"));
        }
    }

    #[test]
    fn two_writers_share_a_file_and_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let log = LogFile::open(&path, 200, 90).unwrap();
                scope.spawn(move || {
                    for line in 0..300 {
                        (&log).write_all(format!("{writer} {line:03}\n").as_bytes()).unwrap();
                    }
                });
            }
        });
        let read = |name: &String| fs::read_to_string(folder.path().join(name)).unwrap();
        let text: String = names(folder.path()).iter().map(read).collect();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 600);
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LogFile::open(&path, 1000, 1).unwrap();
        (&log).write_all(b"one\n").unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        (&log).write_all(b"two\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder.path()).unwrap();
        (&log).write_all(b"lost\n").unwrap();
    }
}
