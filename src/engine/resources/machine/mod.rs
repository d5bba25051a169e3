//! The machine's resources and their use, as the kernel reports them under `/proc` and `/sys`.
//!
//! A memory limit can be set in any control group from the process's own upwards, in version 1 or 2 of their file
//! system; the fullest one counts. Anything missing or odd reads as "not known", never as an error: a run must not
//! fail because its machine reports little.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors requested at most: some programs and kernels set up tables of the whole limit's size.
const DESCRIPTORS_MAX: u64 = 65_536;
/// Values from here on are version 1's "no limit".
const NO_LIMIT: u64 = 1 << 60;

/// What is in use.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Usage {
    /// Resident memory of this process.
    pub rss_bytes: u64,
    /// That of the processes that work for it.
    pub children_bytes: u64,
    /// The fullest control group with a limit, this process's own or one above it.
    pub group: Option<GroupUse>,
    /// Memory that the whole machine can still give without swapping.
    pub available_bytes: Option<u64>,
    /// Memory of the whole machine.
    pub total_bytes: Option<u64>,
    /// Share of the last ten seconds in which some of the group's tasks waited for memory, in percent.
    pub some_avg10: Option<f32>,
    /// Share of the last ten seconds in which all of them did.
    pub full_avg10: Option<f32>,
}

/// What bounds the memory of this process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    /// The smallest limit of a control group, or the machine's memory.
    pub memory: Option<u64>,
    /// Address space that the limits of the process (`ulimit -v`, `ulimit -d`) leave it, if it has any.
    pub addresses: Option<u64>,
}

impl Bounds {
    /// Returns the part of a memory limit that files may be admitted for. Stacks and the allocator's pools take
    /// addresses, too, and a process that asks for more than there are dies: files get up to half.
    pub(crate) fn for_files(&self, limit_bytes: u64) -> u64 {
        self.addresses.map_or(limit_bytes, |left| limit_bytes.min(left / 2))
    }
}

/// Limit and use of a control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupUse {
    /// Without the file cache and other memory that the kernel takes back on its own.
    pub used_bytes: u64,
    pub limit_bytes: u64,
}

/// Where this process's figures are found.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    proc: PathBuf,
    group: Option<Group>,
}

impl Machine {
    /// Creates the view of this machine from this process.
    pub(crate) fn new() -> Self {
        Self::at(Path::new("/"))
    }

    /// Uses `/proc` and `/sys` below another folder.
    fn at(base: &Path) -> Self {
        let proc = base.join("proc");
        let group = Group::find(&text(&proc.join("self/cgroup")), &text(&proc.join("self/mountinfo")));
        Self { group: group.map(|group| group.below(base)), proc }
    }

    /// Returns what this process may take at most from now on.
    pub(crate) fn bounds(&self) -> Bounds {
        let groups = self.group.iter().flat_map(|group| group.folders().filter_map(|at| group.limit(at)));
        let memory = groups.chain(field_bytes(&text(&self.proc.join("meminfo")), "MemTotal")).min();
        let status = text(&self.proc.join("self/status"));
        let left = |resource, taken| {
            let limit = getrlimit(resource).current?;
            Some(limit.saturating_sub(field_bytes(&status, taken).unwrap_or(0)))
        };
        let addresses = left(Resource::As, "VmSize").into_iter().chain(left(Resource::Data, "VmData")).min();
        Bounds { memory, addresses }
    }

    pub(crate) fn usage(&self) -> Usage {
        let meminfo = text(&self.proc.join("meminfo"));
        let group = self.group.as_ref();
        let pressure = group.and_then(Group::pressure).unwrap_or_else(|| {
            let of_machine = self.proc.join("pressure/memory");
            text(&of_machine)
        });
        Usage {
            rss_bytes: field_bytes(&text(&self.proc.join("self/status")), "VmRSS").unwrap_or(0),
            children_bytes: 0,
            group: group.and_then(Group::fullest),
            available_bytes: field_bytes(&meminfo, "MemAvailable"),
            total_bytes: field_bytes(&meminfo, "MemTotal"),
            some_avg10: avg10(&pressure, "some"),
            full_avg10: avg10(&pressure, "full"),
        }
    }

    /// Returns the number of processes that the kernel has killed for want of memory since it started.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        counter(&text(&self.proc.join("vmstat")), "oom_kill")
    }
}

/// Returns the process's peak resident memory, where the system reports it.
pub(crate) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Raises the limit of open descriptors as far as the process may, and returns the resulting limit.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(DESCRIPTORS_MAX);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { current }
}

/// A control group that accounts for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    version: Version,
    /// Where the file system is mounted: the way up ends there.
    mount: PathBuf,
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Group {
    /// Finds it from `/proc/self/cgroup` and `/proc/self/mountinfo`. Where both versions are mounted, memory belongs
    /// to version 1 if that has the controller.
    fn find(groups: &str, mounts: &str) -> Option<Self> {
        Self::of(Version::One, groups, mounts).or_else(|| Self::of(Version::Two, groups, mounts))
    }

    fn of(version: Version, groups: &str, mounts: &str) -> Option<Self> {
        let (root, mount) = mounts.lines().find_map(|line| mount_of(version, line))?;
        let path = groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let is_it = match version {
                Version::One => controllers.split(',').any(|name| name == "memory"),
                Version::Two => controllers.is_empty(),
            };
            is_it.then_some(path)
        })?;
        // A container sees its own group as the root of the mount, with or without seeing the path to it.
        let below = Path::new(path).strip_prefix(&root).unwrap_or(Path::new(""));
        let leads_out = below.components().any(|part| !matches!(part, std::path::Component::Normal(_)));
        let folder = if leads_out { mount.clone() } else { mount.join(below) };
        Some(Self { version, mount, folder })
    }

    fn below(self, base: &Path) -> Self {
        let moved = |path: &Path| base.join(path.strip_prefix("/").unwrap_or(path));
        Self { version: self.version, mount: moved(&self.mount), folder: moved(&self.folder) }
    }

    /// Returns the group's own folder and those above it.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folder.ancestors().take_while(|folder| folder.starts_with(&self.mount))
    }

    fn limit(&self, folder: &Path) -> Option<u64> {
        let read = |name: &str| limit_bytes(&text(&folder.join(name)));
        match self.version {
            Version::One => read("memory.limit_in_bytes"),
            // From `high` on the kernel slows a group down until it hardly moves.
            Version::Two => [read("memory.max"), read("memory.high")].into_iter().flatten().min(),
        }
    }

    fn used(&self, folder: &Path) -> Option<u64> {
        let (name, reclaimable): (_, &[&str]) = match self.version {
            Version::One => ("memory.usage_in_bytes", &["total_inactive_file", "total_active_file"]),
            Version::Two => ("memory.current", &["inactive_file", "active_file", "slab_reclaimable"]),
        };
        let all: u64 = text(&folder.join(name)).trim().parse().ok()?;
        let stat = text(&folder.join("memory.stat"));
        let given_back = reclaimable.iter().filter_map(|name| counter(&stat, name));
        // The two files were not read at the same moment.
        Some(all.saturating_sub(given_back.sum()))
    }

    fn fullest(&self) -> Option<GroupUse> {
        let with_limit = self.folders().filter_map(|folder| {
            Some(GroupUse { limit_bytes: self.limit(folder)?, used_bytes: self.used(folder)? })
        });
        let share = |group: &GroupUse| u128::from(group.used_bytes) << 32;
        with_limit.max_by_key(|group| share(group) / u128::from(group.limit_bytes.max(1)))
    }

    fn pressure(&self) -> Option<String> {
        let own = text(&self.folder.join("memory.pressure"));
        (self.version == Version::Two && !own.is_empty()).then_some(own)
    }
}

/// Returns root and mount point of a line of `/proc/self/mountinfo`, if it is the mount looked for.
fn mount_of(version: Version, line: &str) -> Option<(PathBuf, PathBuf)> {
    let (front, behind) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(3);
    let mut behind = behind.split(' ');
    let root = unescaped(front.next()?);
    let place = unescaped(front.next()?);
    let kind = behind.next()?;
    let options = behind.nth(1).unwrap_or_default();
    let is_it = match version {
        Version::One => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
        Version::Two => kind == "cgroup2",
    };
    is_it.then(|| (PathBuf::from(root), PathBuf::from(place)))
}

/// Decodes blanks, which are in octal there.
fn unescaped(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// Parses a limit: a number; `None` for `max` and for what stands for it.
fn limit_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|&bytes| bytes < NO_LIMIT)
}

/// Reads a field of `/proc/meminfo` or `/proc/PID/status`: `NAME:   123 kB`.
fn field_bytes(text: &str, name: &str) -> Option<u64> {
    let of_line = |line: &str| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned);
    let value = text.lines().find_map(of_line)?;
    value.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Reads a line of `memory.stat` or `/proc/vmstat`: `name 123`.
fn counter(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once(' ').filter(|(key, _)| *key == name)?.1.trim().parse().ok())
}

/// Reads `some avg10=0.12 avg60=0.00 avg300=0.00 total=194542929`, and `full` the same.
fn avg10(text: &str, kind: &str) -> Option<f32> {
    let line = text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))?;
    line.split(' ').find_map(|word| word.strip_prefix("avg10=")?.parse().ok())
}

/// Returns a file's text; empty if it is missing.
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests;
