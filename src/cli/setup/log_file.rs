//! A log file that others rotate.
//!
//! A rotation moves the file away, after which it is begun anew at its path, or it copies and truncates the file, which
//! is open for appending and so goes on at its beginning. Several processes may write to one file: each line is one
//! write. No error here ever stops the logging process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use outlast::model::with_remedy;
use rustix::fs::OFlags;

use crate::cli::output::terminal;

/// The log file, open for appending.
pub(crate) struct LogFile {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    /// Whether the current error was reported.
    reported: bool,
}

impl LogFile {
    /// Opens or creates the file; only its owner can read it, since it contains paths of files.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // After a change of the current folder, the relative path would mean another file.
        let path = std::path::absolute(path)?;
        let open = Mutex::new(Open { file: append_to(&path)?, reported: false });
        Ok(Self { path, open })
    }

    /// Opens the file at the path again if it is another one by now, even if there is nothing to write.
    pub(crate) fn reopen(&self) {
        let mut open = self.lock();
        let done = self.follow_path(&mut open);
        self.report(&mut open, done);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, open: &mut Open, line: &[u8]) -> io::Result<()> {
        // If it can't be opened, the line goes to the file that was moved, rather than nowhere.
        let followed = self.follow_path(open);
        open.file.write_all(line)?;
        followed
    }

    fn follow_path(&self, open: &mut Open) -> io::Result<()> {
        let id = |file: &fs::Metadata| (file.dev(), file.ino());
        let is_at_path = match fs::metadata(&self.path) {
            Ok(at_path) => id(&at_path) == id(&open.file.metadata()?),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_at_path {
            open.file = append_to(&self.path)?;
        }
        Ok(())
    }

    /// Reports the first of several failures on stderr.
    fn report(&self, open: &mut Open, done: io::Result<()>) {
        let reported = std::mem::replace(&mut open.reported, done.is_err());
        if let Err(error) = done
            && !reported
        {
            let path = self.path.display();
            let error = with_remedy(error);
            terminal::tell(&format!(
                "outlast: log file {path} can't be written: {error}; going on without it"
            ));
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    // Does not wait for the reader of a pipe at this path.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nonblocking).open(path)
}

/// A line that can't be written is lost.
impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut open = self.lock();
        let done = self.append(&mut open, line);
        self.report(&mut open, done);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writers_share_a_file_that_is_moved_away_and_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let log = LogFile::open(&path).unwrap();
                scope.spawn(move || {
                    for line in 0..300 {
                        (&log).write_all(format!("{writer} {line:03}\n").as_bytes()).unwrap();
                    }
                });
            }
            for number in 0..20 {
                // It may not be there yet.
                let _ = fs::rename(&path, folder.path().join(format!("log.{number}")));
                std::thread::yield_now();
            }
        });
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let text: String = entries.map(|path| fs::read_to_string(path).unwrap()).collect();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 600);
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LogFile::open(&path).unwrap();
        (&log).write_all(b"one\n").unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        (&log).write_all(b"two\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder.path()).unwrap();
        (&log).write_all(b"lost\n").unwrap();
    }

    #[test]
    fn a_line_for_which_no_new_file_can_be_made_goes_to_the_moved_one() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let log = LogFile::open(&logs.join("log")).unwrap();
        (&log).write_all(b"one\n").unwrap();
        let moved = folder.path().join("moved");
        fs::rename(&logs, &moved).unwrap();
        (&log).write_all(b"two\n").unwrap();
        assert_eq!(fs::read(moved.join("log")).unwrap(), b"one\ntwo\n");
        fs::create_dir(&logs).unwrap();
        (&log).write_all(b"three\n").unwrap();
        assert_eq!(fs::read(logs.join("log")).unwrap(), b"three\n");
    }
}
