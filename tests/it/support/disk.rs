//! File systems of their own, in image files: they can go away, and be full.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in an image file, mounted until it is dropped.
pub(crate) struct Disk {
    image: PathBuf,
    pub(crate) mount: PathBuf,
    mounted: bool,
}

/// Runs a tool; where it is missing or fails, tells why.
fn tool(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Disk {
    /// Makes and mounts one of this kind (`ext4`, `xfs`) and size, at `mount` in a folder that exists.
    pub(crate) fn make(folder: &Path, kind: &str, bytes: u64) -> Result<Self, String> {
        Self::make_with(folder, kind, &[], bytes)
    }

    /// The same, made with these arguments beside the usual ones.
    pub(crate) fn make_with(folder: &Path, kind: &str, extra: &[&str], bytes: u64) -> Result<Self, String> {
        let (image, mount) = (folder.join(format!("{kind}.img")), folder.join("mount"));
        let made = fs::File::create(&image).and_then(|file| file.set_len(bytes));
        made.and_then(|()| fs::create_dir(&mount)).map_err(|error| error.to_string())?;
        let force = if kind == "xfs" { "-f" } else { "-F" };
        tool(Command::new(format!("mkfs.{kind}")).args(["-q", force]).args(extra).arg(&image))?;
        let mut disk = Self { image, mount, mounted: false };
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn mount(&mut self) -> Result<(), String> {
        tool(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    /// Fills it up, but for so many bytes. Returns the file that does it.
    pub(crate) fn fill(&self, leave: u64) -> PathBuf {
        let ballast = self.mount.join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        let zeros = vec![0; 64 << 10];
        loop {
            let free = outlast::ledger::free_bytes(&self.mount).unwrap();
            let length = free.saturating_sub(leave).min(zeros.len() as u64) as usize;
            match file.write(&zeros[..length]) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{}: {error}", ballast.display()),
            }
        }
        // Where a run writes, too, there may be no room left for this.
        let _ = file.sync_all();
        ballast
    }

    /// Takes the file system down: nothing that was not synced gets to the disk, not even the journal, and
    /// whatever is asked of it fails.
    pub(crate) fn cut(&self) -> Result<(), String> {
        tool(Command::new("xfs_io").args(["-x", "-c", "shutdown"]).arg(&self.mount))
    }

    /// Whatever writes to it waits, until that is dropped.
    pub(crate) fn freeze(&self) -> Result<Frozen<'_>, String> {
        tool(Command::new("fsfreeze").arg("-f").arg(&self.mount))?;
        Ok(Frozen(&self.mount))
    }

    /// Unmounts it, even where files of it are open.
    pub(crate) fn pull(&mut self) -> Result<(), String> {
        tool(Command::new("umount").arg("-l").arg(&self.mount))?;
        self.mounted = false;
        Ok(())
    }

    pub(crate) fn unmount(&mut self) -> Result<(), String> {
        tool(Command::new("umount").arg(&self.mount))?;
        self.mounted = false;
        Ok(())
    }

    /// Whether a cut really loses what was not synced.
    pub(crate) fn loses_what_is_not_synced(&mut self) -> Result<(), String> {
        let probe = self.mount.join("probe");
        fs::write(&probe, "x").map_err(|error| error.to_string())?;
        self.cut()?;
        self.unmount()?;
        self.mount()?;
        if probe.exists() { Err("a shutdown loses nothing here".to_owned()) } else { Ok(()) }
    }
}

/// A file system to which nobody can write.
pub(crate) struct Frozen<'a>(&'a Path);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").arg("-u").arg(self.0).status();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
        }
    }
}
