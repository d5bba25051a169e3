use super::*;

const MEMINFO: &str =
    "MemTotal:       24684084 kB\nMemFree:        20614676 kB\nMemAvailable:   24045120 kB\n";
const MOUNTS_V1: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:16 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
const GROUPS_V1: &str = "9:name=systemd:/\n4:memory:/pods/one\n1:cpu,cpuacct:/\n0::/\n";
const MOUNTS_V2: &str =
    "34 24 0:29 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const STAT_V2: &str = "anon 1000\nfile 5000\ninactive_file 300\nactive_file 200\nslab_reclaimable 100\n";

/// A machine whose `/proc` and `/sys` hold these files.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
    let base = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = base.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let machine = Machine::at(base.path());
    (base, machine)
}

#[test]
fn the_smallest_limit_on_the_way_up_counts() {
    let (_kept, machine) = machine(&[
        ("proc/meminfo", MEMINFO),
        ("proc/self/cgroup", "0::/system.slice/outlast.service\n"),
        ("proc/self/mountinfo", MOUNTS_V2),
        ("sys/fs/cgroup/system.slice/memory.max", "8000\n"),
        ("sys/fs/cgroup/system.slice/memory.current", "2600\n"),
        ("sys/fs/cgroup/system.slice/memory.stat", STAT_V2),
        ("sys/fs/cgroup/system.slice/outlast.service/memory.max", "max\n"),
        ("sys/fs/cgroup/system.slice/outlast.service/memory.high", "16000\n"),
        ("sys/fs/cgroup/system.slice/outlast.service/memory.current", "1600\n"),
        ("sys/fs/cgroup/system.slice/outlast.service/memory.stat", STAT_V2),
        (
            "sys/fs/cgroup/system.slice/outlast.service/memory.pressure",
            "some avg10=12.50 avg60=3.00 avg300=0.10 total=1\nfull avg10=1.25 avg60=0.00 avg300=0.00 total=1\n",
        ),
        ("proc/pressure/memory", "some avg10=99.00 avg60=0.00 avg300=0.00 total=1\n"),
    ]);
    assert_eq!(machine.bounds().memory, Some(8000));
    let usage = machine.usage();
    assert_eq!(usage.group, Some(GroupUse { used_bytes: 2000, limit_bytes: 8000 }));
    assert_eq!((usage.some_avg10, usage.full_avg10), (Some(12.5), Some(1.25)));
}

#[test]
fn version_1_has_memory_where_both_are_mounted() {
    let (_kept, machine) = machine(&[
        ("proc/meminfo", MEMINFO),
        ("proc/self/cgroup", GROUPS_V1),
        ("proc/self/mountinfo", MOUNTS_V1),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/pods/memory.limit_in_bytes", "536870912\n"),
        ("sys/fs/cgroup/memory/pods/memory.usage_in_bytes", "500000000\n"),
        (
            "sys/fs/cgroup/memory/pods/memory.stat",
            "cache 9\ntotal_inactive_file 100000000\ntotal_active_file 0\n",
        ),
        ("sys/fs/cgroup/memory/pods/one/memory.limit_in_bytes", "1073741824\n"),
        ("sys/fs/cgroup/memory/pods/one/memory.usage_in_bytes", "400000000\n"),
        ("proc/pressure/memory", "some avg10=0.50 avg60=0.00 avg300=0.00 total=1\n"),
    ]);
    assert_eq!(machine.bounds().memory, Some(512 << 20));
    let usage = machine.usage();
    assert_eq!(usage.group, Some(GroupUse { used_bytes: 400_000_000, limit_bytes: 512 << 20 }));
    assert_eq!((usage.some_avg10, usage.full_avg10), (Some(0.5), None));
}

#[test]
fn without_a_limit_of_a_group_the_machine_is_the_limit() {
    let (_kept, unlimited) = machine(&[
        ("proc/meminfo", MEMINFO),
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", MOUNTS_V2),
    ]);
    assert_eq!(unlimited.bounds().memory, Some(24_684_084 << 10));
    assert_eq!(unlimited.usage().group, None);
    assert_eq!(unlimited.usage().available_bytes, Some(24_045_120 << 10));
    let (_kept, unknown) = machine(&[]);
    assert_eq!(unknown.bounds().memory, None);
    assert_eq!(unknown.usage(), Usage::default());
    assert_eq!(unknown.oom_kills(), None);
}

#[test]
fn a_container_that_sees_the_path_to_its_group_finds_it_at_the_mount() {
    let mounts = "35 31 0:32 /docker/4e89 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let folder = |groups: &str| Group::find(groups, mounts).unwrap().folder;
    assert_eq!(folder("4:memory:/docker/4e89\n"), Path::new("/sys/fs/cgroup/memory"));
    assert_eq!(folder("4:hugetlb,memory:/docker/4e89/job\n"), Path::new("/sys/fs/cgroup/memory/job"));
    assert_eq!(folder("4:memory:/elsewhere\n"), Path::new("/sys/fs/cgroup/memory"));
    let moved = Group::find("0::/../../other\n", MOUNTS_V2).unwrap();
    assert_eq!(moved.folder, Path::new("/sys/fs/cgroup"));
    let blank = "34 24 0:29 / /my\\040groups rw - cgroup2 cgroup2 rw\n";
    assert_eq!(Group::find("0::/a:b\n", blank).unwrap().folder, Path::new("/my groups/a:b"));
}

#[test]
fn odd_texts_are_not_known() {
    for odd in ["", "max", "-1", "9223372036854771712", "18446744073709551615", "99999999999999999999", "1 2"]
    {
        assert_eq!(limit_bytes(odd), None, "{odd}");
    }
    assert_eq!(limit_bytes("0\n"), Some(0), "a group may have nothing left to give");
    for odd in ["VmRSS", "VmRSS:", "VmRSS: 3", "VmRSS: kB", "VmRSSx: 3 kB", "VmRSS: 18446744073709551615 kB"]
    {
        assert_eq!(field_bytes(odd, "VmRSS"), None, "{odd}");
    }
    assert_eq!(field_bytes("Name:\tVmRSS: 9 kB\nVmRSS:\t    1748 kB\n", "VmRSS"), Some(1748 << 10));
    assert_eq!(counter("oom_kill_disable 4\noom_kill 2\n", "oom_kill"), Some(2));
    assert_eq!(counter("oom_kill\noom_kill x\n", "oom_kill"), None);
    for odd in ["", "some", "some avg60=1.00", "full avg10=1.00", "some avg10=x", "something avg10=1"] {
        assert_eq!(avg10(odd, "some"), None, "{odd}");
    }
    for odd in ["", "a b c", "1 2 3 / /x rw", " - ", "1 2 3 / /x rw - cgroup cgroup"] {
        assert_eq!(Group::find("4:memory:/\n0::/\n", odd), None, "{odd}");
    }
}

#[test]
fn this_machine_tells_what_this_process_uses() {
    let machine = Machine::new();
    let before = machine.usage();
    assert!(before.rss_bytes > 1 << 20, "{before:?}");
    assert!(machine.bounds().memory.is_some_and(|limit| limit > before.rss_bytes));
    let held = vec![1u8; 128 << 20];
    let risen = machine.usage().rss_bytes.saturating_sub(before.rss_bytes);
    assert!(std::hint::black_box(held).len() == 128 << 20 && risen > 32 << 20, "{risen}");
}

#[test]
fn the_limit_allows_many_files() {
    let limit = raise_descriptor_limit();
    let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    assert!(limit >= hard.min(DESCRIPTORS_MAX));
    assert_eq!(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), limit);
    let files: Vec<_> = (0..500).map(|_| fs::File::open("/dev/null").unwrap()).collect();
    assert!(files.len() as u64 <= limit);
}
