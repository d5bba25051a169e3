//! A small file system of its own, in an image file.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use crate::support::skip;

/// Mounted until it is dropped.
pub(crate) struct Mount {
    pub(crate) path: PathBuf,
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
        let (image, path) = (base.join("ext4.img"), base.join("mount"));
        File::create(&image).and_then(|file| file.set_len(bytes)).map_err(|error| error.to_string())?;
        fs::create_dir(&path).map_err(|error| error.to_string())?;
        // No blocks are kept back for root: full is full, for the tests too.
        tool(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", "-O", "^has_journal"]).arg(&image))?;
        tool(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&path))?;
        Ok(Self { path, _folder: folder })
    }

    /// Fills it up, but for so many bytes. Returns the file that does it.
    pub(crate) fn fill(&self, leave: u64) -> PathBuf {
        let ballast = self.path.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        let zeros = vec![0; 64 << 10];
        loop {
            let free = outlast::ledger::free_bytes(&self.path).unwrap();
            let length = free.saturating_sub(leave).min(zeros.len() as u64) as usize;
            match file.write(&zeros[..length]) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{}: {error}", ballast.display()),
            }
        }
        file.sync_all().unwrap();
        ballast
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn tool(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
