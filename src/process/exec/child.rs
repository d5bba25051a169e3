//! A process that answers for files over its socket.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::channel::{Channel, Outbox, Part, Woken};
use super::message::{self, FileRequest, Ready, Reply};
use super::output::{Drain, SharedOutput};
use super::spawner::{Process, SOCKET, Spawner, in_words};
use super::{ExecCommand, ExecError};
use crate::process::window::FileAnswer;

/// Exit code of a child that can't work now: a service that it needs is away.
const TEMPORARY: i32 = 75;
/// How long a child that has closed its socket has to end by itself, before it is killed.
const GRACE: Duration = Duration::from_secs(1);
/// So often a child may ask for more time for a file.
const ALIVE_MAX: u32 = 10;

/// A child, started and ready. Its process group is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    channel: Channel,
    output: SharedOutput,
    drain: Drain,
    ready: Ready,
    /// Number of the file with ID 0.
    first_id: u64,
    in_flight: VecDeque<InFlight>,
    out: Outbox,
}

/// A file without an answer.
#[derive(Debug)]
struct InFlight {
    id: u64,
    path: String,
    /// How often the child has asked for more time for it.
    alive: u32,
}

/// The end of a child before it had answered all.
#[derive(Debug)]
pub(crate) struct Death {
    pub cause: Cause,
    /// What happened, in words, with the last lines that it printed.
    pub message: String,
}

/// Why a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It ended, and not because the engine killed it.
    Ended(ExitStatus),
    /// It was killed for what it had said, or for closing its socket.
    Fault,
    /// It was killed since a file took too long.
    Late,
    /// It could not be started.
    NotStarted,
}

impl From<Death> for ExecError {
    /// Says why there is no first child.
    fn from(Death { cause, message }: Death) -> Self {
        if cause.is_temporary() || cause.was_killed() {
            Self::Away { message }
        } else {
            Self::NotReady { message }
        }
    }
}

impl Cause {
    /// Returns how it ended, if it did so by itself.
    pub(crate) fn status(self) -> Option<ExitStatus> {
        match self {
            Self::Ended(status) => Some(status),
            Self::Fault | Self::Late | Self::NotStarted => None,
        }
    }

    /// Returns whether it ended as one that asks to be tried again later.
    pub(crate) fn is_temporary(self) -> bool {
        is_temporary(self.status())
    }

    /// Returns whether it was killed by SIGKILL from outside, as the kernel does for want of memory; or says so of its
    /// own process, as a shell around a program does.
    pub(crate) fn was_killed(self) -> bool {
        self.status().is_some_and(|status| status.signal() == Some(9) || status.code() == Some(128 + 9))
    }
}

impl Child {
    /// Starts a child and waits until it is ready, at most this long.
    ///
    /// # Errors
    /// It can't be started, ends, says something else, or takes too long.
    pub(crate) fn start(
        spawner: &Spawner,
        command: &ExecCommand,
        root: &Path,
        limit: Duration,
    ) -> Result<Self, Death> {
        let until = Instant::now() + limit;
        let failed = |error: std::io::Error| Death {
            cause: Cause::NotStarted,
            message: format!("cannot start `{}`: {error}", command.program()),
        };
        let (mut channel, socket) = Channel::pair().map_err(failed)?;
        let mut program = Command::new(command.program());
        program.args(command.arguments()).env("OUTLAST_EXEC_FD", SOCKET.to_string());
        let mut process = spawner.start(program, Some(socket)).map_err(failed)?;
        channel.watch(process.group());
        let (output, drain) = SharedOutput::drain(process.id(), process.take_output()).map_err(failed)?;
        let ready = Ready { identity: None, include: Vec::new(), inline: false, window: 1, batch: false };
        // No child says this number by chance: what it answers unasked can't pass for an answer.
        let first_id = u64::from(process.id()) << 20;
        let in_flight = VecDeque::new();
        let out = Outbox::default();
        let mut child = Self { process, channel, output, drain, ready, first_id, in_flight, out };
        child.out.push(Part::Message(message::hello(root)));
        loop {
            let woken = child.channel.exchange(&mut child.out, until).map_err(failed)?;
            match child.next_reply() {
                Ok(None) => {}
                Ok(Some(Reply::Ready(ready))) => {
                    child.ready = ready;
                    return if child.channel.has_more() { Err(child.unasked()) } else { Ok(child) };
                }
                Ok(Some(_)) => return Err(child.fault("sent something else before `ready`")),
                Err(wrong) => return Err(child.fault(&wrong)),
            }
            match woken {
                Woken::Moved if Instant::now() < until => {}
                Woken::Ended => return Err(child.ended()),
                Woken::Moved | Woken::Late => {
                    let what = format!("sent no `ready` within {} s", limit.as_secs_f64());
                    return Err(child.death(Cause::Late, &what));
                }
            }
        }
    }

    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    pub(crate) fn group(&self) -> Pid {
        self.process.group()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Returns whether it waits silently for a file. One that has ended or talks unasked is of no use any more.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let looked = self.channel.exchange(&mut Outbox::default(), Instant::now());
        matches!(looked, Ok(Woken::Late)) && !self.channel.has_more()
    }

    /// Ends one that is not quiet.
    pub(crate) fn unasked(&mut self) -> Death {
        // All that there is of a message's beginning; one that never stops is not waited for.
        for _ in 0..16 {
            let looked = self.channel.exchange(&mut Outbox::default(), Instant::now());
            if !matches!(looked, Ok(Woken::Moved)) {
                break;
            }
        }
        if self.channel.has_more() {
            return self.fault("sent something while no file was in flight");
        }
        self.ended()
    }

    /// Asks about a file. Its ID is larger than those before. Nothing is written yet.
    pub(crate) fn give(&mut self, id: u64, file: &FileRequest<'_>, content: Option<Arc<Vec<u8>>>) {
        let message_id = self.first_id + id;
        self.out.push(Part::Message(message::file(message_id, file, content.as_deref().map(Vec::len))));
        if let Some(content) = content {
            self.out.push(Part::Content(content));
        }
        let path = String::from_utf8_lossy(file.path).into_owned();
        if self.in_flight.is_empty() {
            self.output.set_file(Some(path.clone()));
        }
        self.in_flight.push_back(InFlight { id, path, alive: 0 });
    }

    /// Writes and reads what can be, and waits until something can, at most so long. Adds the answers, in the order in
    /// which the files were given. Returns whether the child asks for more time for the oldest file in flight.
    ///
    /// # Errors
    /// The child has ended: what is not answered was in flight. It is of no use any more.
    pub(crate) fn answers(
        &mut self,
        wait: Duration,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<bool, Death> {
        let woken = self.channel.exchange(&mut self.out, Instant::now() + wait);
        let before = answers.len();
        let is_alive = self.take_answers(answers)?;
        if answers.len() > before {
            self.output.set_file(self.in_flight.front().map(|file| file.path.clone()));
        }
        match woken {
            Ok(Woken::Ended) if self.in_flight.is_empty() => Ok(false),
            Ok(Woken::Ended) => Err(self.ended()),
            Ok(Woken::Moved | Woken::Late) => Ok(is_alive),
            Err(error) => Err(self.fault(&format!("has a socket that failed: {error}"))),
        }
    }

    fn take_answers(&mut self, answers: &mut Vec<(u64, FileAnswer)>) -> Result<bool, Death> {
        let mut is_alive = false;
        loop {
            let next = self.in_flight.front().map(|file| self.first_id + file.id);
            let wrong = match self.next_reply() {
                Ok(None) => return Ok(is_alive),
                Ok(Some(Reply::Answer { id, outcome })) if Some(id) == next => {
                    let answer = outcome.map(|result| result.get().as_bytes().to_vec());
                    answers.extend(self.in_flight.pop_front().map(|file| (file.id, answer)));
                    is_alive = false;
                    continue;
                }
                Ok(Some(Reply::Alive)) => {
                    if let Some(oldest) = self.in_flight.front_mut().filter(|file| file.alive < ALIVE_MAX) {
                        oldest.alive += 1;
                        is_alive = true;
                    }
                    continue;
                }
                Ok(Some(reply)) => unexpected(&reply, next),
                Err(wrong) => wrong,
            };
            return Err(self.fault(&wrong));
        }
    }

    /// Kills it since its oldest file took too long.
    pub(crate) fn late(&mut self, limit: Duration) -> Death {
        self.death(Cause::Late, &format!("took longer than {} s", limit.as_secs_f64()))
    }

    /// Asks the child to end, waits, sends SIGTERM to its group, waits again, and kills what is left at last. Returns
    /// how it ended; none if it had to be killed.
    pub(crate) fn stop(mut self, limit: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + limit;
        let gentle = Instant::now() + limit / 2;
        self.out.push(Part::Message(message::stop()));
        while Instant::now() < gentle
            && let Ok(Woken::Moved) = self.channel.exchange(&mut self.out, gentle)
        {
            while let Ok(Some(_)) = self.channel.next_line() {}
            self.channel.forget();
        }
        if !self.process.wait_for_end(gentle.saturating_duration_since(Instant::now())) {
            self.process.terminate();
            self.process.wait_for_end(until.saturating_duration_since(Instant::now()));
        }
        self.process.end()
    }

    fn next_reply(&mut self) -> Result<Option<Reply<'_>>, String> {
        self.channel.next_line()?.map(message::read).transpose()
    }

    /// Ends one whose `ready` is not that of the first child.
    pub(crate) fn changed(&mut self) -> Death {
        self.fault("sent another `ready` than the first child")
    }

    /// Kills it for what it did.
    fn fault(&mut self, what: &str) -> Death {
        self.death(Cause::Fault, what)
    }

    /// Ends it once its socket is closed: mostly it has ended by itself.
    fn ended(&mut self) -> Death {
        self.process.wait_for_end(GRACE);
        match self.process.end() {
            Some(status) => self.death(Cause::Ended(status), &in_words(status)),
            None => self.fault("closed its socket, and went on"),
        }
    }

    fn death(&mut self, cause: Cause, what: &str) -> Death {
        self.process.end();
        self.drain.finish();
        let last = self.output.last_lines();
        let said = if last.is_empty() { String::new() } else { format!("; it printed: {last}") };
        Death { cause, message: format!("the child {what}{said}") }
    }
}

/// Describes a message that is none that was waited for.
fn unexpected(reply: &Reply<'_>, next: Option<u64>) -> String {
    match (reply, next) {
        (Reply::Answer { id, .. }, None) => format!("answered {id} while no file was in flight"),
        (Reply::Answer { id, .. }, Some(next)) => {
            format!("answered {id} while {next} was next: answers must keep the order of the files")
        }
        (Reply::Ready(_), _) => "sent `ready` twice".to_owned(),
        (Reply::Alive, _) => "sent `alive`".to_owned(),
    }
}

/// Returns whether a child that ended so asks to be tried again later.
pub(super) fn is_temporary(status: Option<ExitStatus>) -> bool {
    status.is_some_and(|status| status.code() == Some(TEMPORARY))
}
