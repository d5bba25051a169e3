//! Names that survive a power cut, and locks: the file-system functions of all rooms that write.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::failpoint;

/// Makes the names in a folder durable.
///
/// Some file systems can't sync a folder (CIFS, some FUSE and shared folders): they report that, and it is no
/// failure, as nothing else would make the names more durable there. Nor can a folder be synced that may be written
/// to but not read.
///
/// # Errors
/// Where its sync failed, or it can't be opened for another reason than missing permission.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let folder = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    match folder.sync_all() {
        Err(error) if cannot_sync(&error) => Ok(()),
        synced => synced,
    }
}

fn cannot_sync(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS].iter().any(|unsupported| errno == Some(*unsupported))
}

/// Creates a folder and all missing ones above it, with this mode, and makes their names durable. Returns those that
/// it created, outermost first.
///
/// # Errors
/// If one can't be created or its name not be synced; those that were created are removed again.
pub(crate) fn make_folders(path: &Path, mode: u32) -> io::Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    match make_below(path, mode, &mut made) {
        Ok(()) => Ok(made),
        Err(error) => {
            remove_made(&made);
            Err(error)
        }
    }
}

fn make_below(path: &Path, mode: u32, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    make_below(above, mode, made)?;
    match DirBuilder::new().mode(mode).create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(error),
        Ok(()) => made.push(path.to_owned()),
    }
    sync_folder(above)
}

/// Removes the folders that [`make_folders`] created, as far as they are empty.
pub(crate) fn remove_made(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// Bytes rewritten at a time.
const AGAIN_BYTES: usize = 1 << 20;

/// Rewrites a file's content from an offset up to an end, and syncs it.
///
/// After a failed sync the system may count pages as clean that never reached the disk: another sync alone would
/// report success. Rewritten pages are dirty again.
///
/// # Errors
/// Where the file can't be read, written or synced.
pub(crate) fn write_again(file: &File, from: u64, end: u64) -> io::Result<()> {
    let mut at = from;
    let mut buffer = vec![0; AGAIN_BYTES];
    while at < end {
        let wanted = AGAIN_BYTES.min(usize::try_from(end - at).unwrap_or(AGAIN_BYTES));
        let part = &mut buffer[..wanted];
        file.read_exact_at(part, at)?;
        failpoint::hit("again.write")?;
        file.write_all_at(part, at)?;
        at += wanted as u64;
    }
    failpoint::hit("again.sync")?;
    file.sync_all()
}

/// Returns whether a path still leads to this open file or folder.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    is_named(id_of(file)?, path)
}

/// Returns the device and inode of an open file or folder.
pub(crate) fn id_of(file: &File) -> io::Result<(u64, u64)> {
    let open = file.metadata()?;
    Ok((open.dev(), open.ino()))
}

/// Returns whether a path leads to the file or folder with this device and inode.
pub(crate) fn is_named(id: (u64, u64), path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == id),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The expected kind of a path of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Folder,
}

/// Returns what is wrong with a path that should be a file or folder, with the remedy; `None` where it is one, or
/// does not exist.
pub(crate) fn instead_of(kind: FileKind, path: &Path) -> io::Result<Option<String>> {
    let what = match fs::metadata(path).map(|found| found.file_type()) {
        Ok(found) if found.is_file() && kind == FileKind::File => return Ok(None),
        Ok(found) if found.is_dir() && kind == FileKind::Folder => return Ok(None),
        Ok(found) if found.is_file() => "a file",
        Ok(found) if found.is_dir() => "a folder",
        Ok(found) if found.is_fifo() => "a FIFO",
        Ok(found) if found.is_socket() => "a socket",
        Ok(_) => "a device",
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::NOENT) if path.is_symlink() => "a link that leads nowhere",
            Some(Errno::LOOP) => "a link that leads to itself",
            Some(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            _ => return Err(error),
        },
    };
    let wanted = if kind == FileKind::File { "file" } else { "folder" };
    Ok(Some(format!("it is {what}, not a {wanted}; move it away")))
}

/// Creates a new file, in place of whatever has its name.
pub(crate) fn create_anew(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path)?,
        // Opening a FIFO could block for ever.
        Ok(found) if !found.is_file() => fs::remove_file(path)?,
        _ => {}
    }
    File::create(path)
}

/// Returns the message for a refused lock: whether locks are missing at all, and on which file system.
pub(crate) fn lock_error(path: &Path, errno: Errno) -> io::Error {
    let missing = [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS, Errno::INVAL, Errno::BADF];
    let error = io::Error::from(errno);
    if !missing.contains(&errno) {
        return error;
    }
    let message = format!(
        "can't be locked ({error}): its file system{} has no file locks; mount it with locks, or choose a folder \
         on another file system",
        file_system_of(path).map(|found| format!(", {found},")).unwrap_or_default()
    );
    io::Error::new(error.kind(), message)
}

/// Returns the type of the file system that holds `path`, and where it is mounted.
fn file_system_of(path: &Path) -> Option<String> {
    let device = fs::metadata(path).ok()?.dev();
    let major = rustix::fs::major(device);
    let minor = rustix::fs::minor(device);
    file_system_in(&fs::read_to_string("/proc/self/mountinfo").ok()?, &format!("{major}:{minor}"))
}

fn file_system_in(mounts: &str, device: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ');
        let is_it = fields.nth(2)? == device;
        let place = fields.nth(1)?;
        let kind = file_system.split(' ').next()?;
        is_it.then(|| format!("{kind} at {place}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_folders_that_were_missing_are_made_told_and_removed_again_where_they_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let a = folder.path().join("a");
        let b = folder.path().join("a/b");
        assert_eq!(make_folders(&b, 0o700).unwrap(), [a.clone(), b.clone()]);
        assert!(make_folders(&b, 0o700).unwrap().is_empty());
        fs::write(a.join("file"), "").unwrap();
        remove_made(&[a.clone(), b.clone()]);
        assert!(a.exists() && !b.exists());
        assert!(make_folders(&a.join("file/below"), 0o700).is_err());
    }

    #[test]
    fn a_file_system_that_can_not_sync_folders_is_told_from_a_device_that_fails() {
        for (errno, is_fine) in
            [(Errno::INVAL, true), (Errno::OPNOTSUPP, true), (Errno::IO, false), (Errno::NOSPC, false)]
        {
            assert_eq!(cannot_sync(&errno.into()), is_fine, "{errno}");
        }
    }

    #[test]
    fn what_is_written_again_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..3 * AGAIN_BYTES as u32 + 5).map(|n| (n % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        for (from, end) in [(0, bytes.len() as u64), (7, 7), (AGAIN_BYTES as u64 - 1, AGAIN_BYTES as u64 + 1)]
        {
            write_again(&file, from, end).unwrap();
            assert!(fs::read(&path).unwrap() == bytes, "{from} to {end}");
        }
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_no_longer_at_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        fs::write(&path, "").unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }

    #[test]
    fn what_stands_in_place_of_a_file_or_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("missing", path("dangling")).unwrap();
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let fault = |kind, path: &Path| instead_of(kind, path).unwrap();
        for name in ["file", "link", "missing", "file/below"] {
            assert_eq!(fault(FileKind::File, &path(name)), None, "{name}");
        }
        assert_eq!(fault(FileKind::Folder, folder.path()), None);
        let here = folder.path().to_owned();
        let null = PathBuf::from("/dev/null");
        for (kind, path, words) in [
            (FileKind::Folder, path("file"), "a file, not a folder"),
            (FileKind::File, here, "a folder, not a file"),
            (FileKind::File, path("dangling"), "a link that leads nowhere"),
            (FileKind::Folder, path("loop"), "a link that leads to itself"),
            (FileKind::File, path("socket"), "a socket"),
            (FileKind::File, null, "a device"),
        ] {
            let message = fault(kind, &path).unwrap();
            assert!(message.contains(words) && message.contains("move it away"), "{message}");
        }
        create_anew(&path("socket")).unwrap();
        assert_eq!(fault(FileKind::File, &path("socket")), None);
    }

    #[test]
    fn missing_locks_are_told_with_their_file_system() {
        let folder = tempfile::tempdir().unwrap();
        for errno in [Errno::NOLCK, Errno::OPNOTSUPP] {
            let message = lock_error(folder.path(), errno).to_string();
            assert!(message.contains("no file locks") && message.contains("file system, "), "{message}");
        }
        assert!(!lock_error(folder.path(), Errno::IO).to_string().contains("locks"));
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:50 / /mnt/share rw,relatime shared:9 - cifs //host/x rw\n";
        assert_eq!(file_system_in(mounts, "0:50").unwrap(), "cifs at /mnt/share");
        assert_eq!(file_system_in(mounts, "0:51"), None);
    }
}
