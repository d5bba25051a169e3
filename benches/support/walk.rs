//! The fastest walk with metadata that is known here: threads take folders from one stack, read their
//! entries by getdents into a reused buffer, and ask for each wanted file's metadata by its name in the
//! open folder.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};

use super::Done;
use super::bare::{peak_bytes, wanted};

/// Folders that wait, and how many threads have none in hand.
#[derive(Default)]
struct Waiting {
    folders: Vec<CString>,
    idle: usize,
}

struct Walk {
    threads: usize,
    waiting: Mutex<Waiting>,
    more: Condvar,
    files: AtomicUsize,
    bytes: AtomicU64,
}

/// Walks a tree on some threads; prints how many files it saw.
pub(crate) fn run(root: &Path, threads: usize) -> Done {
    let waiting = Waiting { folders: vec![CString::new(root.as_os_str().as_bytes())?], idle: 0 };
    let (more, files, bytes) = Default::default();
    let walk = Walk { threads, waiting: Mutex::new(waiting), more, files, bytes };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(|| walk.work())));
    });
    let (files, bytes) = (walk.files.into_inner(), walk.bytes.into_inner());
    println!("{{\"files\":{files},\"bytes\":{bytes},\"peak_rss_bytes\":{}}}", peak_bytes()?);
    Ok(())
}

impl Walk {
    fn work(&self) {
        let mut buffer = Vec::with_capacity(64 << 10);
        let mut found = Vec::new();
        while let Some(folder) = self.next(&mut found) {
            // A benchmark's tree can be read.
            let _ = self.list(&folder, &mut buffer, &mut found);
        }
    }

    /// Hands over what was found, and takes the next folder; none when all is done.
    fn next(&self, found: &mut Vec<CString>) -> Option<CString> {
        let mut waiting = self.waiting.lock().ok()?;
        let mine = found.pop();
        if !found.is_empty() {
            waiting.folders.append(found);
            self.more.notify_all();
        }
        if let Some(folder) = mine.or_else(|| waiting.folders.pop()) {
            return Some(folder);
        }
        waiting.idle += 1;
        loop {
            if waiting.idle == self.threads {
                self.more.notify_all();
                return None;
            }
            waiting = self.more.wait(waiting).ok()?;
            if let Some(folder) = waiting.folders.pop() {
                waiting.idle -= 1;
                return Some(folder);
            }
        }
    }

    fn list(&self, path: &CString, buffer: &mut Vec<u8>, found: &mut Vec<CString>) -> rustix::io::Result<()> {
        let folder = openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let (mut files, mut bytes) = (0, 0);
        let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
        let mut entries = RawDir::new(&folder, spare);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type() == FileType::Directory {
                if !matches!(name.to_bytes(), b"." | b"..") {
                    let below = [path.as_bytes(), b"/", name.to_bytes()].concat();
                    found.extend(CString::new(below));
                }
            } else if wanted(name.to_bytes()) {
                let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
                files += 1;
                bytes += stat.st_size.unsigned_abs();
            }
        }
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}
