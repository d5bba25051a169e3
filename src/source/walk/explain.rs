//! Explains why one path is, or is not, among the files of a scan.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use super::TreeSource;
use super::descent::Descent;
use super::list::{Scope, list_through};
use super::verdict::Verdict;
use crate::source::filter::ExclusionRule;

impl TreeSource {
    /// Returns what a scan of the folder `root` makes of a path relative to it, by descending to it as a scan does.
    pub fn explain(&self, root: &Path, relative: &[u8]) -> Verdict {
        self.judge(root, relative, true)
    }

    /// Does the same for one of many paths: it does not check whether the folders on the path can be listed, which
    /// takes longer the more entries they have.
    pub fn verdict(&self, root: &Path, relative: &[u8]) -> Verdict {
        self.judge(root, relative, false)
    }

    fn judge(&self, root: &Path, relative: &[u8], lists: bool) -> Verdict {
        let is_component = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
        if !relative.is_empty() && !relative.split(|&byte| byte == b'/').all(is_component) {
            return Verdict::Outside;
        }
        let (fd, state) = match self.open_root(root) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Verdict::LeftOut { rule: ExclusionRule::State.to_string(), at: Vec::new() };
            }
            Err(error) => return Verdict::Unreadable { at: Vec::new(), error },
        };
        let descent = Descent::new(fd.as_fd(), Scope::new(&self.filters, &state, None));
        let verdict = last_verdict(descent, relative).unwrap_or_else(|verdict| verdict);
        match verdict {
            Verdict::Folder if lists => unlisted(fd.as_fd(), relative, true).unwrap_or(verdict),
            Verdict::Accepted(_) if lists => unlisted(fd.as_fd(), relative, false).unwrap_or(verdict),
            _ => verdict,
        }
    }
}

/// Returns the first folder on a path that can't be listed: a scan sees nothing below it.
fn unlisted(root: BorrowedFd<'_>, relative: &[u8], is_folder: bool) -> Option<Verdict> {
    let ends = relative.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let ends = std::iter::once(0).chain(ends).chain(is_folder.then_some(relative.len()));
    ends.map(|end| &relative[..end]).find_map(|at| {
        let error = list_through(root, at).err()?;
        Some(Verdict::Unreadable { at: at.to_vec(), error: error.into() })
    })
}

fn last_verdict(mut descent: Descent<'_>, relative: &[u8]) -> Result<Verdict, Verdict> {
    if relative.is_empty() {
        descent.read_ignore_file()?;
        return Ok(Verdict::Folder);
    }
    let (folder, name) = match relative.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&relative[..at], &relative[at + 1..]),
        None => (&b""[..], relative),
    };
    descent.enter_all(folder)?;
    descent.read_ignore_file()?;
    descent.verdict(name)
}
