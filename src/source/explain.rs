//! Why one path is, or is not, among the files of a scan.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;

use super::filter::{Cut, EntryPath};
use super::list::{Scope, StateFolders, look_at, shown};
use super::open::{self, EntryKind};
use super::{ListedKind, SkipReason, TreeSource};
use crate::model::Fingerprint;

/// What a scan makes of one path. `at` is the relative path of the entry that decided: the path
/// itself, or a folder on the way to it.
#[derive(Debug)]
pub enum Verdict {
    /// A file that is ingested.
    Accepted(Fingerprint),
    /// A folder that is visited.
    Folder,
    /// A rule leaves it out.
    LeftOut {
        /// The rule, as summaries name it; with the folder of the `.outlastignore` that holds it.
        rule: String,
        /// What it was applied to.
        at: Vec<u8>,
    },
    /// It is, or stands behind, something that is never opened.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// What is not opened.
        at: Vec<u8>,
    },
    /// There is nothing at this path.
    Missing,
    /// No path below a root: it is empty or absolute, or has an empty component, `.`, `..` or a zero byte.
    Outside,
    /// A folder on the way can't be opened, or its `.outlastignore` can't be read.
    Unreadable {
        /// The folder.
        at: Vec<u8>,
        /// What went wrong.
        error: io::Error,
    },
}

/// One line for a person.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(_) => f.write_str("ingested"),
            Self::Folder => f.write_str("a folder that is visited"),
            Self::LeftOut { rule, at } => write!(f, "left out by {rule} at {}", shown(at)),
            Self::Skipped { reason, at } => {
                write!(f, "skipped: {} is never opened ({})", shown(at), reason.as_str())
            }
            Self::Missing => f.write_str("not there"),
            Self::Outside => f.write_str("not below a root"),
            Self::Unreadable { at, error } => write!(f, "unreadable: {}: {error}", shown(at)),
        }
    }
}

impl TreeSource {
    /// Says what a scan of the folder `root` makes of a path relative to it, by going down to it as
    /// a scan does.
    pub fn explain(&self, root: &Path, relative: &[u8]) -> Verdict {
        let is_component = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
        if !relative.split(|&byte| byte == b'/').all(is_component) {
            return Verdict::Outside;
        }
        let state = StateFolders::find(&self.state);
        let fd = match open::root_folder(root) {
            Ok(fd) => fd,
            Err(error) => return Verdict::Unreadable { at: Vec::new(), error: error.into() },
        };
        if rustix::fs::fstat(&fd).is_ok_and(|stat| state.holds(&stat)) {
            return Verdict::LeftOut { rule: Cut::State.to_string(), at: Vec::new() };
        }
        let scope = Scope::new(&self.filters, &state, None);
        descend(scope, &fd, relative).unwrap_or_else(|verdict| verdict)
    }
}

/// Goes down component by component; `Err` is a verdict that was reached on the way.
fn descend(mut scope: Scope<'_>, root: &OwnedFd, relative: &[u8]) -> Result<Verdict, Verdict> {
    let mut opened: Option<OwnedFd> = None;
    let mut entry = EntryPath::in_folder(b"");
    let mut components = relative.split(|&byte| byte == b'/').peekable();
    while let Some(name) = components.next() {
        let folder = opened.as_ref().unwrap_or(root).as_fd();
        let above = entry.folder().to_vec();
        let unreadable = |error| Verdict::Unreadable { at: above.clone(), error };
        scope.read_ignore_file(folder, &above).map_err(unreadable)?;
        entry.set(name);
        let at = || entry.path().to_vec();
        let kind = match open::stat_in(folder, name) {
            Ok(stat) => EntryKind::of_stat(&stat),
            Err(Errno::NOENT) => return Err(Verdict::Missing),
            Err(_) => EntryKind::Unknown,
        };
        let is_folder = kind == EntryKind::Folder;
        let is_last = components.peek().is_none();
        if !is_last && !is_folder {
            return Err(in_the_way(kind, at()));
        }
        let cut =
            scope.cut(folder, &entry, is_folder).or_else(|| scope.cut_by_ignore_file(&entry, is_folder));
        if let Some(cut) = cut {
            return Err(Verdict::LeftOut { rule: cut.in_full(), at: at() });
        }
        if !is_folder {
            return Ok(match look_at(folder, name) {
                ListedKind::File(fingerprint) => Verdict::Accepted(fingerprint),
                ListedKind::Skipped(reason) => Verdict::Skipped { reason, at: at() },
                ListedKind::Vanished => Verdict::Missing,
            });
        }
        let next = open::folder_below(root.as_fd(), entry.path());
        opened = Some(next.map_err(|error| Verdict::Unreadable { at: at(), error: error.into() })?);
        entry.enter();
    }
    let above = entry.folder().to_vec();
    let folder = opened.as_ref().unwrap_or(root).as_fd();
    scope.read_ignore_file(folder, &above).map_err(|error| Verdict::Unreadable { at: above, error })?;
    Ok(Verdict::Folder)
}

/// What is behind something that is no folder.
fn in_the_way(kind: EntryKind, at: Vec<u8>) -> Verdict {
    match kind {
        EntryKind::Other(reason) => Verdict::Skipped { reason, at },
        _ => Verdict::Missing,
    }
}
