//! Asks the kernel to read ahead a file that is needed soon.

use std::io::IoSliceMut;

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};

use super::dir_cache;
use crate::model::{FileKey, Root};

/// The result of requesting a file ahead of its reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// The file is being read into memory.
    Asked,
    /// The beginning of the file is in memory.
    InMemory,
    /// The file is missing, or can't be opened. Reading it will report why.
    Unopened,
    /// The source has no way to read ahead.
    Unable,
}

/// Makes the kernel read a file into its memory, without waiting for it.
///
/// No descriptor is kept: the second `open` takes 1 to 2 us of some 30 that a small file takes from a disk, and so
/// there is nothing to bound, to close after a while, or to hand over with a file that another worker takes.
pub(crate) fn ask(root: &Root, key: &FileKey) -> Ahead {
    let Some(fd) = dir_cache::file(root, key) else { return Ahead::Unopened };
    let mut byte = [0];
    // This takes nothing out of a pipe or terminal that replaced the file: positioned reads fail there.
    match rustix::io::preadv2(&fd, &mut [IoSliceMut::new(&mut byte)], 0, ReadWriteFlags::NOWAIT) {
        Ok(_) => Ahead::InMemory,
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => {
            rustix::fs::fadvise(&fd, 0, None, Advice::WillNeed).map_or(Ahead::Unable, |()| Ahead::Asked)
        }
        Err(_) => Ahead::Unable,
    }
}
