//! The folders that are still to be visited, shared by the threads of a scan.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::ignored::IgnoreChain;
use super::list::VISIT;
use super::names::Names;
use crate::model::FolderKey;

/// A folder to visit.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) key: FolderKey,
    /// The ignore files of the folders above.
    pub(super) ignored: Option<Arc<IgnoreChain>>,
}

/// The sub-folders of one folder. However many there are, they are kept as their packed names alone.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) parent: FolderKey,
    pub(super) ignored: Option<Arc<IgnoreChain>>,
    pub(super) names: Arc<Names>,
    pub(super) next: usize,
}

impl Group {
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let (tag, name) = self.names.get(self.next)?;
            self.next += 1;
            if tag == VISIT {
                return Some(Job { key: self.parent.child(name.to_bytes()), ignored: self.ignored.clone() });
            }
        }
    }
}

/// Folders to visit, last in, first out: threads stay close to each other in the tree, and one
/// thread alone visits in the order of keys.
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
    groups: Vec<Group>,
    /// Turns that are out.
    turns: usize,
    waiting: usize,
    stopped: bool,
}

impl State {
    fn next_job(&mut self) -> Option<Job> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while let Some(group) = self.groups.last_mut() {
            if let Some(job) = group.next_job() {
                return Some(job);
            }
            self.groups.pop();
        }
        None
    }
}

impl Stack {
    pub(super) fn new(first: Job) -> Self {
        let state = State { first: Some(first), groups: Vec::new(), turns: 0, waiting: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The next folder, as soon as there is one; none when all is visited or the scan was stopped.
    pub(super) fn take(&self) -> Option<(Turn<'_>, Job)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.next_job() {
                state.turns += 1;
                return Some((Turn { stack: self, complete: false }, job));
            }
            if state.turns == 0 {
                return None;
            }
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Whether folders wait that no thread has taken.
    pub(super) fn has_more(&self) -> bool {
        let state = self.lock();
        state.waiting == 0 && !state.groups.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done in here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One folder in a thread's hands. Dropped without [`Turn::end`], as a panic does, it stops the scan.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    stack: &'a Stack,
    complete: bool,
}

impl Turn<'_> {
    /// Adds the folder's sub-folders.
    pub(super) fn add(&self, group: Group) {
        if group.names.is_empty() {
            return;
        }
        let mut state = self.stack.lock();
        state.groups.push(group);
        if state.waiting > 0 {
            self.stack.changed.notify_all();
        }
    }

    /// The folder is done; a break stops the scan.
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
