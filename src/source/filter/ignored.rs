//! `.outlastignore` files: gitignore syntax, for their own folder and everything below it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{EntryPath, ExclusionRule};
use crate::model::Resource;
use crate::source::read::open::EntryKind;

/// The file name.
pub(crate) const IGNORE_FILE: &[u8] = b".outlastignore";

/// An ignore file of this size is treated as a mistake.
const SIZE_MAX: usize = 1 << 20;

/// The ignore files that apply in a folder: the nearest first, then those of the folders above.
#[derive(Debug)]
pub(crate) struct IgnoreChain {
    rules: Gitignore,
    /// The relative path of the file's folder.
    folder: Vec<u8>,
    above: Option<Arc<IgnoreChain>>,
}

impl IgnoreChain {
    /// Prepends the ignore file of an open folder, if it has one, to those of the folders above.
    ///
    /// # Errors
    /// The file can't be read, or one of its lines is not a pattern. The folder must not be listed then: what the
    /// file would exclude is unknown.
    pub(crate) fn with_file_of(
        above: Option<Arc<Self>>,
        open_folder: BorrowedFd<'_>,
        folder: &[u8],
    ) -> io::Result<Option<Arc<Self>>> {
        let Some(text) = read(open_folder)? else { return Ok(above) };
        let mut builder = GitignoreBuilder::new(".");
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let wrong = |reason: String| invalid(format!("line {}: {reason}; mend or remove it", at + 1));
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = std::str::from_utf8(line).map_err(|_| wrong("not UTF-8".to_owned()))?;
            builder.add_line(None, line).map_err(|error| wrong(error.to_string()))?;
        }
        let rules = builder.build().map_err(|error| invalid(error.to_string()))?;
        Ok(Some(Arc::new(Self { rules, folder: folder.to_vec(), above })))
    }

    /// Returns the pattern that excludes this entry: the last match in the nearest file that has any match.
    pub(crate) fn cut(&self, entry: &EntryPath, is_folder: bool) -> Option<ExclusionRule<'_>> {
        let mut next = Some(self);
        while let Some(chain) = next {
            let skip = if chain.folder.is_empty() { 0 } else { chain.folder.len() + 1 };
            let path = entry.path().get(skip..).unwrap_or_default();
            match chain.rules.matched(Path::new(OsStr::from_bytes(path)), is_folder) {
                Match::Ignore(glob) => {
                    return Some(ExclusionRule::Ignored { folder: &chain.folder, pattern: glob.original() });
                }
                Match::Whitelist(_) => return None,
                Match::None => next = chain.above.as_deref(),
            }
        }
        None
    }
}

/// Reads the folder's ignore file; `None` where there is no regular file of that name.
fn read(folder: BorrowedFd<'_>) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = retry_on_intr(|| rustix::fs::openat(folder, IGNORE_FILE, flags, Mode::empty()));
    let fd = match opened {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => return Err(no_file()),
        Err(errno) => return Err(named(errno.into())),
    };
    let stat = rustix::fs::fstat(&fd).map_err(|errno| named(errno.into()))?;
    match EntryKind::of_stat(&stat) {
        EntryKind::File => {}
        EntryKind::Folder => return Ok(None),
        EntryKind::Other(_) | EntryKind::Unknown => return Err(no_file()),
    }
    let mut text = Vec::new();
    let limit = SIZE_MAX as u64 + 1;
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::from(fd), limit), &mut text).map_err(named)?;
    if text.len() > SIZE_MAX {
        return Err(invalid("larger than 1 MiB: write fewer patterns".to_owned()));
    }
    Ok(Some(text))
}

/// Returns the error for a non-file: it was put there to exclude something, and what exactly is not guessed.
fn no_file() -> io::Error {
    invalid("a link or a pipe, which is not read; put a regular file there".to_owned())
}

/// Adds the file name. A transient error stays the system's own, so that its class is kept.
fn named(error: io::Error) -> io::Error {
    if Resource::of_io(&error).is_some() {
        return error;
    }
    io::Error::new(error.kind(), format!(".outlastignore: {error}; make it readable or remove it"))
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!(".outlastignore: {reason}"))
}
