//! What a process prints: drained at all times, for a process that nobody reads from waits for ever.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// A longer line is cut.
const LINE_MAX: usize = 4096;
/// Bytes that are read after the end of a process: more than its pipes hold.
const REST_MAX: usize = 256 << 10;
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
    ) -> io::Result<(Self, Drain)> {
        let shared = Self::default();
        let output = shared.clone();
        let (end, ended) = UnixStream::pair()?;
        let streams: Vec<_> = [("stdout", stdout), ("stderr", stderr)]
            .into_iter()
            .filter_map(|(name, pipe)| Some((File::from(pipe?), Stream::new(name))))
            .collect();
        let thread = std::thread::Builder::new().name(format!("output-{process}"));
        let thread = thread.spawn(move || drain(process, streams, &ended, &output))?;
        Ok((shared, Drain { end: Some(end), thread: Some(thread) }))
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

/// The thread that drains a process. It ends when this is dropped, with what was written until then: a process that has
/// left the group may hold the pipes open for ever.
#[derive(Debug)]
pub(super) struct Drain {
    end: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    /// Ends the thread, once it has read what there is.
    pub(super) fn finish(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.finish();
    }
}

fn drain(process: u32, mut streams: Vec<(File, Stream)>, end: &UnixStream, output: &SharedOutput) {
    let mut buffer = vec![0; 16 << 10];
    // Read once the end has come.
    let mut rest = 0;
    while !streams.is_empty() && rest < REST_MAX {
        let pipes = streams.iter().map(|(pipe, _)| pipe.as_fd()).chain([end.as_fd()]);
        let mut polled: Vec<_> = pipes.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => break,
        }
        let mut ready: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
        let is_over = ready.pop() == Some(true);
        if is_over && !ready.contains(&true) {
            break;
        }
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
                    rest += if is_over { read } else { 0 };
                    stream.take(buffer.get(..read).unwrap_or_default(), process, output);
                    true
                }
                Err(error) => error.kind() == io::ErrorKind::Interrupted,
            }
        });
    }
    streams.iter_mut().for_each(|(_, stream)| stream.end_line(process, output));
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
