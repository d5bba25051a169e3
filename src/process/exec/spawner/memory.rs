//! The memory that process groups take: their leaders as they are now, all others as they were when last counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

/// To find the members of groups, all processes of the machine are looked at, some 10 µs each: at most for this share
/// of the time.
const COUNT_SHARE: u32 = 100;
/// Shortest time from one count to the next.
const COUNT_PAUSE: Duration = Duration::from_millis(200);

/// What the members of groups take beside their leaders.
#[derive(Debug, Default)]
pub(super) struct Members {
    bytes: BTreeMap<i32, u64>,
    next_count: Option<Instant>,
}

impl Members {
    /// Counts again, if that is due.
    pub(super) fn count(&mut self, groups: &BTreeSet<i32>) {
        let now = Instant::now();
        if self.next_count.is_none_or(|next| next <= now) {
            self.bytes = count(groups);
            self.next_count = Some(now + (now.elapsed() * COUNT_SHARE).max(COUNT_PAUSE));
        }
    }

    /// Returns the resident memory of a group, in bytes.
    pub(super) fn resident_bytes(&self, group: i32) -> u64 {
        let leader = resident_bytes(group.unsigned_abs()).unwrap_or(0);
        leader + self.bytes.get(&group).copied().unwrap_or(0)
    }
}

/// Returns what the members of these groups take without their leaders.
fn count(groups: &BTreeSet<i32>) -> BTreeMap<i32, u64> {
    let mut bytes = BTreeMap::new();
    let all = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    for process in all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let group =
            group_of(process).filter(|group| groups.contains(group) && group.unsigned_abs() != process);
        if let Some(group) = group {
            *bytes.entry(group).or_default() += share_bytes(process).unwrap_or(0);
        }
    }
    bytes
}

fn group_of(process: u32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything; behind it follow the state, the parent and the group.
    text.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

/// Returns a process's part of the memory that it shares with others, such as a copy of itself, and its own.
fn share_bytes(process: u32) -> Option<u64> {
    let Ok(text) = fs::read_to_string(format!("/proc/{process}/smaps_rollup")) else {
        return resident_bytes(process);
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Returns the resident memory of a process, in bytes; none if there is no such process.
fn resident_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
