//! A command that is run once for a file: its exit code says how it went, its output is the result.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};

use super::ExecCommand;
use super::child::is_temporary;
use super::message;
use super::output::{SharedOutput, Stream};
use super::spawner::{Process, Spawner, in_words};
use crate::model::{ErrorClass, FileError};

/// Bytes of standard output that become the result; the rest is dropped.
const RESULT_MAX: usize = 1 << 20;
/// More than a pipe holds: what comes beyond was written after the end, by a process that has left its group.
const PIPE_MAX: u64 = 2 << 20;
/// How often a process is looked at, where the kernel has no descriptors of processes.
const LOOK: Duration = Duration::from_millis(5);

/// A command that runs for a file.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    /// Readable once the process has ended.
    end: Option<OwnedFd>,
    stdout: Pipe,
    stderr: Pipe,
    result: Vec<u8>,
    dropped: u64,
    output: SharedOutput,
    lines: Stream,
}

/// A pipe, until it has ended.
#[derive(Debug)]
struct Pipe(Option<File>);

/// What has become of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its result, as JSON on one line.
    Result(Vec<u8>),
    /// Its failure; one that asks to be run again later may pass.
    Failed(FileError),
}

impl Running {
    /// Starts the command for the file at this path.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn start(spawner: &Spawner, command: &ExecCommand, path: &Path) -> io::Result<Self> {
        let mut program = Command::new(command.program());
        program.args(command.arguments_for(path).collect::<Vec<OsString>>());
        // It may be set for this process, which has that descriptor no more.
        program.env_remove("OUTLAST_EXEC_FD");
        let mut process = spawner.start(program, None)?;
        let (stdout, stderr) = process.take_output();
        let output = SharedOutput::default();
        output.set_file(Some(path.to_string_lossy().into_owned()));
        let end = pidfd_open(process.group(), PidfdFlags::empty()).ok();
        Ok(Self {
            process,
            end,
            stdout: Pipe::of(stdout)?,
            stderr: Pipe::of(stderr)?,
            result: Vec::new(),
            dropped: 0,
            output,
            lines: Stream::new("stderr"),
        })
    }

    /// Waits until the command has ended, at most until then. Returns its outcome; none if it still runs.
    pub(super) fn wait(&mut self, until: Instant) -> Option<Outcome> {
        while !self.process.wait_for_end(Duration::ZERO) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.drain(if self.end.is_some() { left } else { left.min(LOOK) });
        }
        // What it has left behind is killed: it may hold the pipes open for ever, and write for ever.
        let status = self.process.end();
        let drained = self.result.len() as u64 + self.dropped;
        while self.drain(Duration::ZERO) && self.result.len() as u64 + self.dropped < drained + PIPE_MAX {}
        self.lines.end_line(self.process.id(), &self.output);
        Some(self.outcome(status))
    }

    /// Reads what there is, or waits for it so long. Returns whether something was read.
    fn drain(&mut self, wait: Duration) -> bool {
        let wait = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let pipes = [&self.stdout, &self.stderr].into_iter().filter_map(|pipe| pipe.0.as_ref());
        let fds = pipes.map(AsFd::as_fd).chain(self.end.as_ref().map(AsFd::as_fd));
        let mut polled: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        if !matches!(poll(&mut polled, Some(&wait)), Ok(1..)) {
            return false;
        }
        drop(polled);
        let mut buffer = [0; 16 << 10];
        let out = self.stdout.read(&mut buffer);
        let taken = out.min(RESULT_MAX - self.result.len());
        self.result.extend_from_slice(buffer.get(..taken).unwrap_or_default());
        self.dropped += (out - taken) as u64;
        let error = self.stderr.read(&mut buffer);
        self.lines.take(buffer.get(..error).unwrap_or_default(), self.process.id(), &self.output);
        out + error > 0
    }

    fn outcome(&mut self, status: Option<ExitStatus>) -> Outcome {
        let said = self.output.last_lines();
        let with_words =
            |what: String| if said.is_empty() { what } else { format!("{what}; it printed: {said}") };
        match status {
            Some(status) if status.success() => self.result(),
            Some(status) => {
                let message = with_words(format!("the command {}", in_words(status)));
                let error = FileError::new(ErrorClass::Processor, message);
                Outcome::Failed(if is_temporary(Some(status)) { error.may_pass() } else { error })
            }
            None => Outcome::Failed(FileError::processor("the command was killed")),
        }
    }

    /// Returns standard output as JSON: as it is if it is JSON, else as a text without the line feeds at its end.
    fn result(&self) -> Outcome {
        let text = String::from_utf8_lossy(&self.result);
        if let Some(json) = message::as_json(&text).filter(|_| self.dropped == 0) {
            return Outcome::Result(json);
        }
        let mut text = text.trim_end_matches(['\n', '\r']).to_owned();
        if self.dropped > 0 {
            text.push_str(&format!(" … ({} bytes more)", self.dropped));
        }
        Outcome::Result(serde_json::to_vec(&text).unwrap_or_default())
    }
}

impl Pipe {
    fn of(pipe: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self(pipe.map(File::from)))
    }

    /// Reads what is there; the pipe must be ready, or ended. Returns how much it was.
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let Some(pipe) = &mut self.0 else { return 0 };
        match pipe.read(buffer) {
            Ok(0) => self.0 = None,
            Ok(read) => return read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.0 = None,
        }
        0
    }
}
