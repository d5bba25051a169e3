//! Which file systems' locks exclude other machines. Elsewhere, two machines could write one state at once.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::ledger::error::LedgerError;

/// Options of a mount by which its locks stay on the machine: of NFS, Lustre, GFS2 and OCFS2.
const LOCAL_OPTIONS: [&str; 5] =
    ["nolock", "local_lock=flock", "local_lock=all", "localflock", "localflocks"];
/// Types of SMB, and of shared folders of virtual machines.
const LOCAL_TYPES: [&str; 7] = ["cifs", "smb2", "smb3", "smbfs", "9p", "virtiofs", "vboxsf"];
/// Types of FUSE whose locks go to a server, or which are a disk of this machine. What FUSE does with the locks of any other
/// can't be asked: the kernel takes locks itself for those that have none.
const FUSE_TYPES: [&str; 8] = [
    "fuse.ceph",
    "fuse.ceph-fuse",
    "fuse.glusterfs",
    "fuse.juicefs",
    "fuse.mfs",
    "fuse.mfsmount",
    "fuse.fuse-overlayfs",
    "fuseblk",
];
/// The same types by the numbers of `statfs`, where the list of mounts does not tell: SMB, its two successors, FUSE.
const LOCAL_MAGIC: [(u64, &str); 4] =
    [(0x517b, "smbfs"), (0xff53_4d42, "cifs"), (0xfe53_4d42, "smb3"), (0x6573_5546, "fuse")];

/// Checks that the locks of the file system that holds this folder, or will hold it, exclude other machines.
///
/// # Errors
/// [`LedgerError::LocksLocal`] where they don't, or nothing is known of them.
pub fn check_exclusion(folder: &Path) -> Result<(), LedgerError> {
    let absolute = std::path::absolute(folder).map_err(LedgerError::io(folder))?;
    let Some(there) = absolute.ancestors().find(|above| above.exists()) else { return Ok(()) };
    match weakness_of(there).map_err(LedgerError::io(there))? {
        Some(why) => Err(LedgerError::LocksLocal { path: folder.to_owned(), why }),
        None => Ok(()),
    }
}

fn weakness_of(there: &Path) -> io::Result<Option<String>> {
    let device = fs::metadata(there)?.dev();
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if let Some(mount) = Mount::find(&mounts, &device) {
        return Ok(mount.weakness());
    }
    let magic = rustix::fs::statfs(there)?.f_type.cast_unsigned() & 0xffff_ffff;
    let known = LOCAL_MAGIC.iter().find(|(number, _)| *number == magic);
    Ok(known.map(|(_, kind)| of_type(kind, "an unknown place")))
}

/// A line of `/proc/self/mountinfo`.
struct Mount<'a> {
    place: &'a str,
    kind: &'a str,
    /// Those of the mount, and those of the file system.
    options: [&'a str; 2],
}

impl<'a> Mount<'a> {
    fn find(mounts: &'a str, device: &str) -> Option<Self> {
        mounts.lines().find_map(|line| {
            let (mount, file_system) = line.split_once(" - ")?;
            let mount: Vec<&str> = mount.split(' ').collect();
            let mut of_system = file_system.split(' ');
            let kind = of_system.next()?;
            let options = [mount.get(5)?, of_system.nth(1).unwrap_or_default()];
            (*mount.get(2)? == device).then_some(Self { place: mount.get(4)?, kind, options })
        })
    }

    /// Returns why its locks don't exclude other machines, with the remedy.
    fn weakness(&self) -> Option<String> {
        let Self { place, kind, options } = self;
        let is_unknown_fuse = (*kind == "fuse" || kind.starts_with("fuse.")) && !FUSE_TYPES.contains(kind);
        if LOCAL_TYPES.contains(kind) || is_unknown_fuse {
            return Some(of_type(kind, place));
        }
        let mut given = options.iter().flat_map(|options| options.split(','));
        let option = given.find(|option| LOCAL_OPTIONS.contains(option))?;
        Some(format!(
            "{kind} at {place} is mounted with `{option}`, by which locks stay on this machine; mount it without"
        ))
    }
}

fn of_type(kind: &str, place: &str) -> String {
    format!(
        "nothing is known of locks of {kind} at {place} that exclude other machines; use NFS 4, CephFS, Lustre with \
         `flock`, or a disk of this machine"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
40 22 0:50 / /mnt/a rw,relatime shared:9 - cifs //host/x rw,vers=3.1.1,cache=strict
41 22 0:51 / /mnt/b rw,relatime - nfs4 host:/b rw,vers=4.2,proto=tcp,local_lock=none,addr=10.0.0.1
42 22 0:52 / /mnt/c rw - nfs host:/c rw,vers=3,nolock,proto=tcp,local_lock=all
43 22 0:53 / /mnt/d rw - nfs4 host:/d rw,vers=4.2,local_lock=flock
44 22 0:54 / /mnt/e rw - nfs4 host:/e rw,vers=4.2,local_lock=posix
45 22 0:55 / /mnt/f rw,nosuid - fuse.sshfs me@host: rw,user_id=0
46 22 0:56 / /mnt/g rw - fuse.glusterfs host:/g rw
47 22 0:57 / /mnt/h rw - lustre mgs@tcp:/h rw,localflock
48 22 0:58 / /mnt/i rw - lustre mgs@tcp:/i rw,flock
49 22 0:59 / /mnt/j rw - ceph 10.0.0.1:/ rw,acl
";

    #[test]
    fn a_mount_whose_locks_stay_on_the_machine_is_named_with_its_option_and_the_remedy() {
        let told = |device: &str| Mount::find(MOUNTS, device).unwrap().weakness();
        for sound in ["8:1", "0:51", "0:54", "0:56", "0:58", "0:59"] {
            assert_eq!(told(sound), None, "{sound}");
        }
        for (device, words) in [
            ("0:50", &["cifs at /mnt/a", "use NFS 4"][..]),
            ("0:52", &["nfs at /mnt/c is mounted with `nolock`", "mount it without"]),
            ("0:53", &["`local_lock=flock`"]),
            ("0:55", &["fuse.sshfs at /mnt/f"]),
            ("0:57", &["`localflock`"]),
        ] {
            let why = told(device).unwrap();
            assert!(words.iter().all(|word| why.contains(word)), "{why}");
        }
    }

    #[test]
    fn a_folder_that_is_still_to_be_made_is_on_the_disk_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        check_exclusion(&folder.path().join("states/0003")).unwrap();
    }
}
