//! A command that runs for the one file that its worker has in flight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ExecCommand;
use super::per_file::{Outcome, Running};
use super::spawner::Spawner;
use crate::process::window::{Caller, Cancelled, FileAnswer, GivenFile, Window, WindowEnd};

/// A worker's window with one file, and the command that runs for it.
pub(super) struct CommandWindow {
    command: Arc<ExecCommand>,
    spawner: Arc<Spawner>,
    file: Option<(u64, GivenFile)>,
    running: Option<Running>,
}

impl CommandWindow {
    pub(super) fn new(command: Arc<ExecCommand>, spawner: Arc<Spawner>) -> Self {
        Self { command, spawner, file: None, running: None }
    }
}

impl Window for CommandWindow {
    fn dies_together(&self) -> bool {
        false
    }

    fn has_room(&self, _size: u64) -> bool {
        self.file.is_none()
    }

    fn give(&mut self, id: u64, file: GivenFile) {
        self.file = Some((id, file));
    }

    fn answers(
        &mut self,
        wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), WindowEnd> {
        let Some((id, file)) = &self.file else { return Ok(()) };
        let until = Instant::now() + wait;
        let running = match self.running.take() {
            Some(running) => running,
            None => {
                let started = Running::start(&self.spawner, &self.command, &file.absolute);
                let program = self.command.program();
                started
                    .map_err(|error| WindowEnd::Unavailable(format!("cannot start `{program}`: {error}")))?
            }
        };
        let running = self.running.insert(running);
        let mut outcome = None;
        caller.wait(&mut || outcome = running.wait(until));
        let answer = match outcome {
            None => return Ok(()),
            Some(Outcome::Result(json)) => Ok(json),
            Some(Outcome::Failed(error)) => Err(error),
        };
        answers.push((*id, answer));
        (self.file, self.running) = (None, None);
        Ok(())
    }

    fn cancel(&mut self, _id: u64, _caller: &mut dyn Caller) -> Cancelled {
        // Dropped, it is killed with all that it has started.
        (self.file, self.running) = (None, None);
        Cancelled::Ended
    }
}
