//! Which file systems report changes.

use std::path::Path;

/// File systems whose files can change on another machine, or unnoticed by the kernel: `inotify` accepts a watch
/// there, and stays silent.
const SILENT: [(u64, &str); 17] = [
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "fuse"),
    (0x00c3_6400, "ceph"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x564c, "ncp"),
    (0x0bd0_0bd0, "lustre"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x4750_4653, "gpfs"),
    (0x786f_4256, "vboxsf"),
    (0xaad7_aaea, "panfs"),
];

/// Returns the kind of a file system without events; `None` if it has events, or is unknown.
pub(super) fn silent_kind(path: &Path) -> Option<&'static str> {
    let magic = rustix::fs::statfs(path).ok()?.f_type;
    // The field is signed, and narrower, on some architectures.
    kind_of(magic as u64 & 0xffff_ffff)
}

fn kind_of(magic: u64) -> Option<&'static str> {
    SILENT.iter().find(|(known, _)| *known == magic).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_file_system_is_silent_and_a_local_one_is_not() {
        assert_eq!(kind_of(0x6969), Some("nfs"));
        assert_eq!(kind_of(0xef53), None, "ext4");
        assert_eq!(silent_kind(Path::new("/dev/shm/none")), None);
    }
}
