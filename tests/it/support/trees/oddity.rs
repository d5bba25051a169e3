//! What stands in trees besides sound files: made in a moment, however large.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Something at a path.
#[derive(Debug)]
pub(crate) enum Oddity {
    /// A file with this content.
    Bytes(Vec<u8>),
    /// A file of these parts, each so many times; never held as a whole.
    Parts(Vec<(&'static [u8], usize)>),
    /// An object of so many different keys.
    Keys(usize),
    /// A file of so many zero bytes that takes no room.
    Sparse(u64),
    /// A file that its owner may not read.
    Unreadable(Vec<u8>),
    /// A link to this path.
    Link(&'static str),
    /// A named pipe that nobody writes to.
    Pipe,
}

impl Oddity {
    /// Makes it, and the folders on the way.
    pub(crate) fn make(&self, root: &Path, relative: &[u8]) {
        let path = root.join(OsStr::from_bytes(relative));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Self::Bytes(bytes) => fs::write(path, bytes).unwrap(),
            Self::Parts(parts) => {
                let mut file = BufWriter::new(File::create(path).unwrap());
                for (part, times) in parts {
                    (0..*times).for_each(|_| file.write_all(part).unwrap());
                }
                file.flush().unwrap();
            }
            Self::Keys(keys) => {
                let mut file = BufWriter::new(File::create(path).unwrap());
                for key in 0..*keys {
                    write!(file, "{}\"k{key}\":0", if key == 0 { '{' } else { ',' }).unwrap();
                }
                file.write_all(b"}").unwrap();
                file.flush().unwrap();
            }
            Self::Sparse(size) => File::create(path).unwrap().set_len(*size).unwrap(),
            Self::Unreadable(bytes) => {
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
            }
            Self::Link(target) => symlink(target, path).unwrap(),
            Self::Pipe => {
                rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RWXU).unwrap();
            }
        }
    }
}

/// A folder that can be neither listed nor entered, until this is dropped: else nobody could remove it.
#[derive(Debug)]
pub(crate) struct Locked(PathBuf);

impl Locked {
    pub(crate) fn new(folder: PathBuf) -> Self {
        fs::set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
        Self(folder)
    }

    /// Whether it is, for this user.
    pub(crate) fn holds(&self) -> bool {
        fs::read_dir(&self.0).is_err()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.0, Permissions::from_mode(0o700));
    }
}
