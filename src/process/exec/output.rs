//! What a process prints: drained at all times, for a process that nobody reads from waits for ever.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};

/// A longer line is cut.
const LINE_MAX: usize = 4096;
/// Lines of standard error that a failure's message quotes, and their total length.
const LAST_LINES: usize = 10;

/// What a process has printed lately, and the file that it is busy with.
#[derive(Debug, Default)]
pub(super) struct Output {
    last: VecDeque<String>,
    file: Option<String>,
}

/// The [`Output`] of a process, which a thread fills.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedOutput(Arc<Mutex<Output>>);

impl SharedOutput {
    /// Starts a thread that drains both streams of a process into the log until they end.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub(super) fn drain(
        process: u32,
        (stdout, stderr): (Option<OwnedFd>, Option<OwnedFd>),
    ) -> io::Result<Self> {
        let shared = Self::default();
        let output = shared.clone();
        let streams: Vec<_> = [("stdout", stdout), ("stderr", stderr)]
            .into_iter()
            .filter_map(|(name, pipe)| Some((File::from(pipe?), Stream::new(name))))
            .collect();
        let thread = std::thread::Builder::new().name(format!("output-{process}"));
        thread.spawn(move || drain(process, streams, &output))?;
        Ok(shared)
    }

    /// Sets the file in flight, for the log.
    pub(super) fn set_file(&self, path: Option<String>) {
        self.lock().file = path;
    }

    /// Returns the last lines of standard error, on one line.
    pub(super) fn last_lines(&self) -> String {
        self.lock().last.iter().cloned().collect::<Vec<_>>().join(" | ")
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of a process's standard output or error.
#[derive(Debug)]
pub(super) struct Stream {
    name: &'static str,
    line: Vec<u8>,
    /// Whether the current line is longer than what is kept of it.
    cut: bool,
}

fn drain(process: u32, mut streams: Vec<(File, Stream)>, output: &SharedOutput) {
    let mut buffer = vec![0; 16 << 10];
    while !streams.is_empty() {
        let mut polled: Vec<_> =
            streams.iter().map(|(pipe, _)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)).collect();
        if poll(&mut polled, None).is_err() {
            continue;
        }
        let ready: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        streams.retain_mut(|(pipe, stream)| {
            if ready.next() != Some(true) {
                return true;
            }
            match pipe.read(&mut buffer) {
                Ok(0) => {
                    stream.end_line(process, output);
                    false
                }
                Ok(read) => {
                    stream.take(buffer.get(..read).unwrap_or_default(), process, output);
                    true
                }
                Err(error) => error.kind() == io::ErrorKind::Interrupted,
            }
        });
    }
}

impl Stream {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, line: Vec::new(), cut: false }
    }

    /// Takes what was read: whole lines go into the log.
    pub(super) fn take(&mut self, mut bytes: &[u8], process: u32, output: &SharedOutput) {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            self.add(line);
            self.end_line(process, output);
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.add(bytes);
    }

    fn add(&mut self, part: &[u8]) {
        let room = LINE_MAX.saturating_sub(self.line.len());
        self.cut |= part.len() > room;
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// Ends the current line, at the end of the stream, too.
    pub(super) fn end_line(&mut self, process: u32, output: &SharedOutput) {
        let mut line = String::from_utf8_lossy(&self.line).trim_end().to_owned();
        if self.cut {
            line.push_str(" … (cut)");
        }
        self.line.clear();
        self.cut = false;
        if line.is_empty() {
            return;
        }
        let stream = self.name;
        // Not logged within the lock: the log may block, and the file's worker must not wait for it.
        let file = output.lock().file.clone();
        tracing::info!(process, stream, file, "{line}");
        if stream == "stderr" {
            let mut held = output.lock();
            if held.last.len() == LAST_LINES {
                held.last.pop_front();
            }
            held.last.push_back(line);
        }
    }
}
