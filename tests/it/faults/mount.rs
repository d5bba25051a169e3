//! A small file system of its own.

use crate::support::{Disk, skip};

/// Mounted until it is dropped; the folder that holds its image is dropped last.
pub(crate) struct Mount {
    pub(crate) disk: Disk,
    _folder: tempfile::TempDir,
}

impl Mount {
    /// An ext4 of so many bytes; none, said aloud, where it can't be mounted here.
    pub(crate) fn ext4(bytes: u64) -> Option<Self> {
        Self::try_ext4(bytes).map_err(|why| skip(&format!("no small file system here: {why}"))).ok()
    }

    fn try_ext4(bytes: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let base = folder.path().canonicalize().map_err(|error| error.to_string())?;
        // No blocks are kept back for root: full is full, for the tests too.
        let disk = Disk::make_with(&base, "ext4", &["-m", "0", "-O", "^has_journal"], bytes)?;
        Ok(Self { disk, _folder: folder })
    }
}
