//! sled's threads: whether they can be started, and their start.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::{fs, io};

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Threads that sled needs at least.
const THREADS_MIN: usize = 2;

/// Checks that a few threads can be started. sled starts some with the first database that a process opens, and
/// without any it would wait for ever.
pub(super) fn check() -> io::Result<()> {
    static CHECKED: AtomicBool = AtomicBool::new(false);
    if CHECKED.load(Ordering::Relaxed) {
        return Ok(());
    }
    // All at once: each waits until the others are started.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    std::thread::scope(|scope| {
        let rest = || drop(held.lock().map(|held| held.recv()));
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, rest).map(drop);
        let started = (0..THREADS_MIN).try_for_each(start);
        drop(hold);
        started
    })?;
    CHECKED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Runs on one core what may be sled's first read or write in this process.
///
/// sled starts seven threads then, and each spins until the last one is started: on another core they take the time
/// of the thread that starts them. On its own core they wait until then. A run over one file on two busy cores: 9 ms
/// of CPU time for 12. Afterwards all of them have all cores.
pub(super) fn started_on_one_core<T>(first: impl FnOnce() -> T) -> T {
    // With an existing database, its opening is the first; with a new one, its first write.
    static LEFT: AtomicU32 = AtomicU32::new(2);
    let take = |left: u32| left.checked_sub(1);
    if LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
        return first();
    }
    let before = ids();
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    let Ok(all) = sched_getaffinity(None) else { return first() };
    if all == one || sched_setaffinity(None, &one).is_err() {
        return first();
    }
    let done = first();
    let new = ids().difference(&before).copied().filter_map(Pid::from_raw).collect::<Vec<_>>();
    let is_bound = |id: &Pid| sched_getaffinity(Some(*id)).is_ok_and(|cores| cores == one);
    let bound: Vec<Pid> = new.into_iter().filter(is_bound).collect();
    if !bound.is_empty() {
        LEFT.store(0, Ordering::Relaxed);
    }
    for id in bound.into_iter().map(Some).chain([None]) {
        if let Err(error) = sched_setaffinity(id, &all) {
            tracing::debug!(%error, "a thread stays on one core");
        }
    }
    done
}

/// Returns the threads of the process; empty where that can't be found out.
fn ids() -> BTreeSet<i32> {
    let entries = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_started_on_one_core_has_all_of_them_afterwards() {
        let all = sched_getaffinity(None).unwrap();
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let thread = started_on_one_core(move || std::thread::spawn(move || held.recv().is_err()));
        let cores = ids().into_iter().map(|id| sched_getaffinity(Pid::from_raw(id)));
        assert!(cores.flatten().all(|cores| cores == all));
        drop(hold);
        assert!(thread.join().unwrap());
    }
}
