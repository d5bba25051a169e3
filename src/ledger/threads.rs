//! Whether there are threads for the embedded store.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Threads that sled gets on with.
const THREADS_MIN: usize = 2;

/// Whether a few threads can be started. sled starts some with the first database that a process opens, and without any
/// it would wait for ever.
pub(super) fn check() -> io::Result<()> {
    static CHECKED: AtomicBool = AtomicBool::new(false);
    if CHECKED.load(Ordering::Relaxed) {
        return Ok(());
    }
    // All at once: each rests until the others were started.
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
