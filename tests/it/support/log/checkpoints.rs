//! A run that takes its time and commits often, as it is asked to: it pauses, commits, and goes on, again and again. So it
//! has many ticks, however fast the machine is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use outlast::engine::Command;
use outlast::service::{Request, ask};

use crate::support::{Promise, Rng};

/// A thread that asks.
pub(crate) struct Checkpoints {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Promise>,
}

impl Checkpoints {
    /// Asks whatever run holds the state, and lets it go on for about so long each time.
    pub(crate) fn ask(state: &Path, seed: u64, stretch: Duration) -> Self {
        let (state, is_over) = (state.to_owned(), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let (mut promise, mut rng) = (Promise::default(), Rng::new(seed));
            while !ends.load(Ordering::Relaxed) {
                let mut order = |order| {
                    let answer = ask(&state, &Request::Order(order)).ok()?;
                    promise = promise.max(Promise::of(&serde_json::from_slice(&answer).unwrap()));
                    Some(())
                };
                let _ = order(Command::Pause).and_then(|()| order(Command::Checkpoint));
                let _ = order(Command::Resume);
                // Otherwise the next pause comes before any file was begun.
                std::thread::sleep(stretch / 4 + rng.time_up_to(stretch));
            }
            promise
        });
        Self { is_over, thread }
    }

    /// After the end of the process: the most that was promised.
    pub(crate) fn end(self) -> Promise {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
