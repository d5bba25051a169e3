//! File systems of their own, in image files: they can go away, and be full.

use std::fs;
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
        let (image, mount) = (folder.join(format!("{kind}.img")), folder.join("mount"));
        let made = fs::File::create(&image).and_then(|file| file.set_len(bytes));
        made.and_then(|()| fs::create_dir(&mount)).map_err(|error| error.to_string())?;
        let force = if kind == "xfs" { "-f" } else { "-F" };
        tool(Command::new(format!("mkfs.{kind}")).args(["-q", force]).arg(&image))?;
        let mut disk = Self { image, mount, mounted: false };
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn mount(&mut self) -> Result<(), String> {
        tool(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    /// Takes the file system down: nothing that was not synced gets to the disk, not even the journal, and
    /// whatever is asked of it fails.
    pub(crate) fn cut(&self) -> Result<(), String> {
        tool(Command::new("xfs_io").args(["-x", "-c", "shutdown"]).arg(&self.mount))
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

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
        }
    }
}
