//! The heartbeat lines of a run: what it reported as committed.

use std::io::{BufRead, BufReader, Read};
use std::thread::JoinHandle;

use serde_json::Value;

use super::Position;

/// What a run has reported as committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Promise {
    pub(crate) tick: u64,
    pub(crate) log: Position,
}

impl Promise {
    /// The cursor in a heartbeat or a status.
    pub(crate) fn of(report: &Value) -> Self {
        let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let log = (number("/cursor/log/segment"), number("/cursor/log/offset"));
        Self { tick: number("/cursor/tick"), log }
    }
}

/// Reads the standard error of a run on a thread of its own.
pub(crate) struct Heartbeats(JoinHandle<(Promise, usize, String)>);

impl Heartbeats {
    pub(crate) fn read(stderr: impl Read + Send + 'static) -> Self {
        Self(std::thread::spawn(move || {
            let (mut promise, mut beats, mut rest) = (Promise::default(), 0, String::new());
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                match serde_json::from_slice::<Value>(&line) {
                    Ok(beat) => {
                        promise = promise.max(Promise::of(&beat));
                        beats += 1;
                    }
                    // The last line may be torn; whatever else was said is kept.
                    Err(_) => rest.push_str(&format!("{}\n", String::from_utf8_lossy(&line))),
                }
            }
            (promise, beats, rest)
        }))
    }

    /// After the end of the process: the most that was promised, the number of heartbeats, and
    /// everything else on standard error.
    pub(crate) fn end(self) -> (Promise, usize, String) {
        self.0.join().unwrap()
    }
}
