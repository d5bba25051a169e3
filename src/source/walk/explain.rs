//! Explains why one path is, or is not, among the files of a scan.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::TreeSource;
use super::descent::Descent;
use super::list::{Scope, StateFolders, list_through};
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

    /// Returns the verdicts of a scan on names in one folder, or that on the folder.
    pub(super) fn verdicts_on(
        &self,
        root: &Path,
        folder: &[u8],
        names: &[Box<[u8]>],
    ) -> Result<Vec<Verdict>, Verdict> {
        let (fd, state) = self.open_root_or_verdict(root)?;
        let mut descent = Descent::new(fd.as_fd(), Scope::new(&self.filters, &state, None));
        descent.enter_all(folder)?;
        descent.read_ignore_file()?;
        let verdict_on = |name| descent.verdict_on(name).unwrap_or_else(|verdict| verdict);
        Ok(names.iter().map(Box::as_ref).map(verdict_on).collect())
    }

    fn open_root_or_verdict(&self, root: &Path) -> Result<(OwnedFd, StateFolders), Verdict> {
        self.open_root(root).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                Verdict::LeftOut { rule: ExclusionRule::State.to_string(), at: Vec::new() }
            }
            _ => Verdict::Unreadable { at: Vec::new(), error },
        })
    }

    fn judge(&self, root: &Path, relative: &[u8], lists: bool) -> Verdict {
        let is_component = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
        if !relative.is_empty() && !relative.split(|&byte| byte == b'/').all(is_component) {
            return Verdict::Outside;
        }
        let (fd, state) = match self.open_root_or_verdict(root) {
            Ok(opened) => opened,
            Err(verdict) => return verdict,
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
