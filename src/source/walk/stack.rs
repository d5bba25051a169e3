//! The folders still to be visited, shared by the threads of a scan.

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::names::{Names, VISIT};
use crate::model::FolderKey;
use crate::source::filter::ignored::IgnoreChain;

/// A folder to visit.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) key: FolderKey,
    /// The ignore files of the folders above.
    pub(super) ignored: Option<Arc<IgnoreChain>>,
}

/// Sub-folders of one folder. However many there are, only their packed names are kept.
#[derive(Debug)]
struct Group {
    parent: FolderKey,
    ignored: Option<Arc<IgnoreChain>>,
    names: Arc<Names>,
    /// Those that are left.
    range: Range<usize>,
}

impl Group {
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let (tag, name) = self.names.get(self.range.next()?)?;
            if tag == VISIT {
                return Some(Job { key: self.parent.child(name.to_bytes()), ignored: self.ignored.clone() });
            }
        }
    }

    /// Splits off those that come next, if there are any.
    fn split(&mut self) -> Option<Self> {
        let end = self.range.start + self.range.len().div_ceil(2).min(STOLEN_MAX);
        let range = std::mem::replace(&mut self.range.start, end)..end;
        let split = || Self {
            parent: self.parent.clone(),
            ignored: self.ignored.clone(),
            names: Arc::clone(&self.names),
            range: range.clone(),
        };
        (!range.is_empty()).then(split)
    }
}

/// Maximum number of folders a thread steals at once: it returns soon, and threads stay near each other in the
/// tree.
const STOLEN_MAX: usize = 16;

/// Folders to visit. Each thread takes those that it has found itself, last in, first out, so that it visits
/// neighbours together, and a single thread visits in key order. An idle thread steals folders nearest to the root
/// from another.
///
/// When threads took turns at one shared stack, each met every block of the ledger and decoded all of its rows to
/// find its own: on two threads, with 8 files a folder, the rows took a third longer.
///
/// A scan ends when nothing is left and no thread has a [`Turn`], since only a turn adds folders.
#[derive(Debug)]
pub(super) struct Stack {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    first: Option<Job>,
    /// Each thread's own folders, by its seat.
    own: Vec<Vec<Group>>,
    /// Turns in progress.
    turns: usize,
    waiting: usize,
    stopped: bool,
}

impl State {
    fn next_job(&mut self, seat: usize) -> Option<Job> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            while let Some(group) = self.own[seat].last_mut() {
                if let Some(job) = group.next_job() {
                    return Some(job);
                }
                self.own[seat].pop();
            }
            let stolen = self.own.iter_mut().flatten().find_map(Group::split)?;
            self.own[seat].push(stolen);
        }
    }
}

/// One thread's place at the stack.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    stack: &'a Stack,
    number: usize,
}

impl Stack {
    pub(super) fn new(first: Job) -> Self {
        let state = State { first: Some(first), own: Vec::new(), turns: 0, waiting: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a place for one more thread.
    pub(super) fn seat(&self) -> Seat<'_> {
        let mut state = self.lock();
        state.own.push(Vec::new());
        Seat { stack: self, number: state.own.len() - 1 }
    }

    /// Returns whether folders are queued that no thread has taken.
    pub(super) fn has_more(&self) -> bool {
        let state = self.lock();
        state.waiting == 0 && state.own.iter().any(|own| !own.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in another thread leaves nothing inconsistent in here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Seat<'a> {
    /// Returns the next folder as soon as there is one; `None` when all is visited or the scan was stopped.
    pub(super) fn take(&self) -> Option<(Turn<'a>, Job)> {
        let mut state = self.stack.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.next_job(self.number) {
                state.turns += 1;
                return Some((Turn { stack: self.stack, seat: self.number, complete: false }, job));
            }
            if state.turns == 0 {
                return None;
            }
            state.waiting += 1;
            state = self.stack.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }
}

/// One folder being processed by a thread. Dropped without [`Turn::end`], as by a panic, it stops the scan.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    stack: &'a Stack,
    seat: usize,
    complete: bool,
}

impl Turn<'_> {
    /// Adds the folder's sub-folders.
    pub(super) fn add(&self, folder: &FolderKey, ignored: Option<Arc<IgnoreChain>>, names: &Arc<Names>) {
        if names.is_empty() {
            return;
        }
        let range = 0..names.len();
        let group = Group { parent: folder.clone(), ignored, names: Arc::clone(names), range };
        let mut state = self.stack.lock();
        state.own[self.seat].push(group);
        if state.waiting > 0 {
            self.stack.changed.notify_all();
        }
    }

    /// Marks the folder as done; a break stops the scan.
    pub(super) fn end(mut self, flow: ControlFlow<()>) {
        self.complete = flow.is_continue();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.stack.lock();
        state.turns -= 1;
        state.stopped |= !self.complete;
        if state.waiting > 0 && (state.stopped || state.turns == 0) {
            self.stack.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RootId;

    fn taken(seat: &Seat<'_>) -> Option<String> {
        let (turn, job) = seat.take()?;
        turn.end(ControlFlow::Continue(()));
        Some(String::from_utf8(job.key.relative_path()).unwrap())
    }

    #[test]
    fn threads_go_through_neighbours_and_take_from_each_other_what_is_left() {
        let root = FolderKey::root(RootId(1));
        let stack = Stack::new(Job { key: root.clone(), ignored: None });
        let one = stack.seat();
        let other = stack.seat();
        let (turn, _) = one.take().unwrap();
        let names: Names = (10..50).map(|number| number.to_string()).collect();
        turn.add(&root, None, &Arc::new(names));
        assert_eq!(taken(&other).unwrap(), "10");
        let (deeper, job) = one.take().unwrap();
        assert_eq!(job.key, root.child(b"26"), "the other one's are left to it");
        deeper.add(&job.key, None, &Arc::new(["a", "b"].into_iter().collect()));
        assert_eq!([taken(&one).unwrap(), taken(&one).unwrap()], ["26/a", "26/b"], "below comes first");
        let rest: Vec<_> = std::iter::from_fn(|| taken(&other)).take(38).collect();
        let expected = (11..50).filter(|&number| number != 26).map(|number| number.to_string());
        assert_eq!(rest, expected.collect::<Vec<_>>(), "in order, none twice, none left");
        deeper.end(ControlFlow::Continue(()));
        turn.end(ControlFlow::Continue(()));
        assert!(one.take().is_none() && other.take().is_none());
    }
}
