//! A file that gets its name when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::ExportError;
use crate::model::durable;

/// Prefix and suffix of the names of unfinished files.
const PREFIX: &str = ".outlast-export-";
const SUFFIX: &str = ".tmp";
/// Names tried for an unfinished file.
const NAMES_MAX: u32 = 1_000;

/// An unfinished file, beside the one that it becomes. Dropped before [`OutputFile::commit`] it leaves nothing
/// behind; what a kill leaves, the next one in the same folder removes.
#[derive(Debug)]
pub struct OutputFile {
    target: PathBuf,
    temporary: PathBuf,
    file: File,
    committed: bool,
}

impl OutputFile {
    /// Begins the file that will be at `path`, where a file may exist already.
    ///
    /// # Errors
    /// If no file can be created there: the folder is missing or can't be written to, or `path` is something else
    /// than a file.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, ExportError> {
        let path = path.as_ref();
        let target = target_of(path)?;
        let folder = folder_of(&target);
        clear_leftovers(&folder);
        let (temporary, file) = create_in(&folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                ExportError::target(path, "its folder does not exist; make it, or name a file elsewhere")
            }
            io::ErrorKind::NotADirectory => {
                ExportError::target(path, "lies below a file, not a folder; name a file elsewhere")
            }
            _ => ExportError::write(path)(error),
        })?;
        Ok(Self { target, temporary, file, committed: false })
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Returns its final path, links followed.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Syncs what was written, and moves it to its name.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn commit(mut self) -> Result<(), ExportError> {
        self.file.sync_all().map_err(ExportError::write(&self.target))?;
        fs::rename(&self.temporary, &self.target).map_err(ExportError::write(&self.target))?;
        self.committed = true;
        durable::sync_folder(&folder_of(&self.target)).map_err(ExportError::write(&self.target))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Returns the file behind `path`: a link is followed, since replacing it would leave its file as it is.
fn target_of(path: &Path) -> Result<PathBuf, ExportError> {
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(ExportError::target(path, "is no name of a file; add one"));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(ExportError::target(path, "is a folder; name a file, such as one in it"))
        }
        Ok(found) if !found.is_file() => {
            Err(ExportError::target(path, "is there and no regular file; name another"))
        }
        Ok(_) => path.canonicalize().map_err(ExportError::write(path)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn folder_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Creates a file in the folder, locked so that no process takes it for a leftover.
fn create_in(folder: &Path) -> io::Result<(PathBuf, File)> {
    for number in 0..NAMES_MAX {
        let path = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id()));
        let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        // Without locks, nothing is removed either.
        let _ = file.lock();
        if file.metadata()?.nlink() > 0 {
            return Ok((path, file));
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no name is free for an unfinished file"))
}

/// Removes unfinished files that no process writes any more. What can't be removed does no harm.
fn clear_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_gets_its_name_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "old").unwrap();
        let output = OutputFile::create(&path).unwrap();
        output.file().write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        output.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "old").unwrap();
        OutputFile::create(&path).unwrap().file().write_all(b"half").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"old".to_vec(), vec!["out".to_owned()])
        );
    }

    #[test]
    fn leftovers_of_kills_are_cleared_away_and_files_in_the_making_are_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".outlast-export-7-0.tmp"), "half").unwrap();
        let first = OutputFile::create(folder.path().join("first")).unwrap();
        let second = OutputFile::create(folder.path().join("second")).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        first.commit().unwrap();
        second.commit().unwrap();
        assert_eq!(names(folder.path()), ["first", "second"]);
    }

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        let real = folder.path().join("real");
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let output = OutputFile::create(&link).unwrap();
        output.file().write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn what_is_no_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| OutputFile::create(path).unwrap_err().to_string();
        assert!(refused(folder.path()).contains("is a folder"));
        assert!(refused(&folder.path().join("none/out")).contains("none/out: its folder does not exist"));
        assert!(refused(Path::new("/dev/null")).contains("no regular file"));
        assert!(refused(Path::new("new/")).contains("no name of a file"));
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(refused(&folder.path().join("file/out")).contains("below a file"));
    }
}
