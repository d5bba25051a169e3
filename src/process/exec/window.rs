//! The files that a worker has in flight with a child, and who is to blame when that ends: a file is only if it was
//! alone, and the same happened again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::child::{Cause, Death};
use super::children::{Children, Worked};
use super::message::FileRequest;
use crate::model::{ErrorClass, FileError};
use crate::process::window::{Caller, Cancelled, FileAnswer, GivenFile, Window, WindowEnd};

/// Ends of a child with which a file that is alone is to blame.
const STRIKES: u32 = 2;
/// The same for ends by SIGKILL, which the kernel sends to one that takes memory, and people by mistake.
const KILLS: u32 = 3;

/// A worker's window onto a child. The child is taken when a file is there, and given back when it is dropped.
pub(super) struct ChildWindow {
    children: Arc<Children>,
    limit: Duration,
    worked: Option<Worked>,
    files: VecDeque<Sent>,
    /// What the only file in flight has done to children so far.
    strikes: u32,
    kills: u32,
}

/// A file in flight.
struct Sent {
    id: u64,
    file: GivenFile,
    content: Option<Arc<Vec<u8>>>,
}

impl ChildWindow {
    pub(super) fn new(children: Arc<Children>, limit: Duration) -> Self {
        Self { children, limit, worked: None, files: VecDeque::new(), strikes: 0, kills: 0 }
    }

    /// Takes a child, unless there is one, and asks it about all files in flight: their time begins then.
    fn child(&mut self, caller: &mut dyn Caller) -> Result<&mut Worked, WindowEnd> {
        let worked = match self.worked.take() {
            Some(worked) => worked,
            None if caller.is_stopping() => return Err(WindowEnd::Stopping),
            None => {
                let mut worked = self.children.take()?;
                for sent in &self.files {
                    sent.ask(&mut worked);
                    caller.restart(sent.id);
                }
                worked
            }
        };
        Ok(self.worked.insert(worked))
    }

    /// Decides who is to blame for a child's end.
    fn judge(&mut self, death: Death, caller: &mut dyn Caller) -> Result<(), WindowEnd> {
        self.worked = None;
        if caller.is_stopping() {
            // What asks this process to stop may have asked its children as well.
            return Err(WindowEnd::Stopping);
        }
        if death.cause.is_temporary() {
            return Err(WindowEnd::Unavailable(death.message));
        }
        let Some(only) = self.files.front().filter(|_| self.files.len() == 1) else {
            return Err(WindowEnd::Died(FileError::new(ErrorClass::Crash, death.message)));
        };
        let (times, times_max) =
            if death.cause.was_killed() { (&mut self.kills, KILLS) } else { (&mut self.strikes, STRIKES) };
        *times += 1;
        if *times < times_max {
            tracing::warn!(file = %String::from_utf8_lossy(&only.file.path), "{}; the file is tried again", death.message);
            caller.restart(only.id);
            return Ok(());
        }
        let class = if death.cause == Cause::Late { ErrorClass::Timeout } else { ErrorClass::Crash };
        let message = format!("{}; so it ended {times} times with this file alone", death.message);
        Err(WindowEnd::Died(FileError::new(class, message)))
    }
}

impl Sent {
    fn ask(&self, worked: &mut Worked) {
        let file = &self.file;
        let request = FileRequest {
            root: &file.root,
            path: &file.path,
            absolute: &file.absolute,
            size: file.size,
            digest: &file.digest,
        };
        worked.child.give(self.id, &request, self.content.clone());
    }
}

impl Window for ChildWindow {
    fn dies_together(&self) -> bool {
        true
    }

    fn has_room(&self, _size: u64) -> bool {
        self.files.len() < self.children.ready().window
            && !self.worked.as_ref().is_some_and(|worked| self.children.is_old(worked))
    }

    fn give(&mut self, id: u64, mut file: GivenFile) {
        let content = self.children.ready().inline.then(|| Arc::new(std::mem::take(&mut file.bytes)));
        let sent = Sent { id, file, content };
        if let Some(worked) = &mut self.worked {
            sent.ask(worked);
        }
        self.files.push_back(sent);
    }

    fn answers(
        &mut self,
        wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), WindowEnd> {
        let before = answers.len();
        let child = &mut self.child(caller)?.child;
        let mut heard = Ok(false);
        caller.wait(&mut || heard = child.answers(wait, answers));
        let answered = answers.len() - before;
        self.files.drain(..answered.min(self.files.len()));
        if answered > 0 {
            (self.strikes, self.kills) = (0, 0);
        }
        match heard {
            Ok(is_alive) => {
                if let Some(oldest) = self.files.front().filter(|_| is_alive || answered > 0) {
                    caller.restart(oldest.id);
                }
            }
            // The next file finds another one.
            Err(_) if self.files.is_empty() => self.worked = None,
            Err(death) => return self.judge(death, caller),
        }
        if let Some(worked) = &mut self.worked {
            self.children.note(worked, answered);
        }
        if self.files.is_empty()
            && let Some(worked) = self.worked.take()
        {
            self.children.give_back(worked);
        }
        Ok(())
    }

    fn cancel(&mut self, _id: u64, caller: &mut dyn Caller) -> Cancelled {
        let Some(worked) = &mut self.worked else {
            // It waits for a child, which is not its time.
            self.files.iter().for_each(|sent| caller.restart(sent.id));
            return Cancelled::Restarted;
        };
        let death = worked.child.late(self.limit);
        match self.judge(death, caller) {
            Ok(()) => Cancelled::Restarted,
            Err(end) => Cancelled::Died(end),
        }
    }
}

impl Drop for ChildWindow {
    fn drop(&mut self) {
        if let Some(worked) = self.worked.take().filter(|_| self.files.is_empty()) {
            self.children.give_back(worked);
        }
    }
}
