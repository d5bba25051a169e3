//! Which changes are not reported.

use std::path::PathBuf;

use crate::source::Filters;
use crate::source::filter::EntryPath;
use crate::source::filter::ignored::IGNORE_FILE;

/// Excludes changes from being reported.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) filters: Filters,
    /// The folders of state and records.
    pub(super) state: Vec<PathBuf>,
}

impl Rules {
    /// Returns whether the globs accept an entry whose folder they accept.
    pub(super) fn lets_in(&self, relative: &[u8], is_folder: bool) -> bool {
        let (folder, name) = match relative.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (&relative[..at], &relative[at + 1..]),
            None => (&b""[..], relative),
        };
        let mut entry = EntryPath::in_folder(folder);
        entry.set(name);
        self.filters.cut(&entry, is_folder).is_none()
    }

    /// Returns whether a change to this file is reported: it is accepted, or is an ignore file.
    pub(super) fn concerns(&self, relative: &[u8]) -> bool {
        let name = relative.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        name == IGNORE_FILE || self.lets_in(relative, false)
    }
}
