//! Waiting for threads that may hang.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The first pause between two checks. Mostly an ending thread has ended by then: with pauses of a millisecond from
/// the first one on, a run over one file waited for two of them.
const FIRST_PAUSE: Duration = Duration::from_micros(20);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(1);

/// Waits for a thread to end, but no longer than until `latest`: one that hangs in the file system is abandoned.
pub(crate) fn join_until(thread: JoinHandle<()>, latest: Instant) {
    let mut pause = FIRST_PAUSE;
    while !thread.is_finished() && Instant::now() < latest {
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
    if thread.is_finished() {
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_thread_that_ends_is_waited_for_and_one_that_hangs_is_left_behind() {
        let begun = Instant::now();
        let ends = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(30)));
        join_until(ends, begun + Duration::from_secs(60));
        assert!((Duration::from_millis(30)..Duration::from_secs(30)).contains(&begun.elapsed()));
        let (hold, held) = sync_channel::<()>(0);
        let hangs = std::thread::spawn(move || held.recv().unwrap_or(()));
        join_until(hangs, Instant::now() + Duration::from_millis(10));
        drop(hold);
    }
}
