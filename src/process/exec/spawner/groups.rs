//! The process groups that run, in a table that a signal handler may read.

use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};

/// More children than any run has workers. One that finds no place is killed by its owner only.
const PLACES: usize = 2048;

static GROUPS: [AtomicI32; PLACES] = [const { AtomicI32::new(0) }; PLACES];

/// Enters a group.
pub(super) fn enter(group: Pid) {
    let number = group.as_raw_pid();
    let _ = GROUPS
        .iter()
        .find(|place| place.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst).is_ok());
}

/// Takes a group out, before its number can become another one's.
pub(super) fn leave(group: Pid) {
    let number = group.as_raw_pid();
    let _ = GROUPS
        .iter()
        .find(|place| place.compare_exchange(number, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok());
}

/// Kills all groups that run, with all that the children of this process have started, for a process that ends at once.
/// A signal handler may call it.
pub fn kill_groups() {
    for group in GROUPS.iter().filter_map(|place| Pid::from_raw(place.load(Ordering::SeqCst))) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
