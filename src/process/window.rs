//! How a worker has several files in flight with a processor, and gets an answer for each.
//!
//! A processor that takes files together, or begins one before another has ended, returns [`Windowed`]. Each worker
//! then opens a [`Window`], gives it files as long as it has room, and takes answers. Reading, memory, time, retries,
//! records and blame are the worker's (`engine/workers/worker/window.rs`), the same for every kind of window.
//!
//! Constraints: code of the user's runs within [`Caller::call`] and nowhere else, which is how a panic, a hang or a
//! crash is attributed; so [`Window::give`] runs none. Dropping a window drops what is in flight.

use std::time::Duration;

use crate::model::{BatchConfig, FileError};

/// A file on its way to a processor: what [`FileContent`](super::FileContent) borrows.
#[derive(Debug)]
pub struct GivenFile {
    pub path: Vec<u8>,
    pub bytes: Vec<u8>,
}

/// A result as JSON on one line, or why the file failed.
pub(crate) type FileAnswer = Result<Vec<u8>, FileError>;

/// A processor that has several files in flight.
pub trait Windowed {
    /// Opens the window of a worker, of `worker_count` in the configuration.
    fn open(&self, worker: usize, config: &BatchConfig) -> Box<dyn Window>;

    /// Returns how many workers can have a window.
    fn workers_max(&self, config: &BatchConfig) -> usize {
        let _ = config;
        usize::MAX
    }
}

/// The files that one worker has in flight.
pub trait Window {
    /// Returns whether all of its files die with one of them, so that nobody knows which is at fault.
    fn dies_together(&self) -> bool;

    /// Returns whether a file of this size fits beside those that it has; true for an empty window.
    fn has_room(&self, size: u64) -> bool;

    /// Takes a file. Its ID is larger than all before.
    fn give(&mut self, id: u64, file: GivenFile);

    /// Waits for answers: for at most so long, if there is nothing else to do.
    ///
    /// # Errors
    /// The window is dead: what it has not answered is run again, each file alone.
    fn answers(
        &mut self,
        wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), FileError>;

    /// Ends a file that has taken too long; false if that can't be done, and the window is dead.
    fn cancel(&mut self, id: u64, caller: &mut dyn Caller) -> bool;
}

/// The worker, as a window sees it.
pub trait Caller {
    /// Calls the user's code on behalf of one file, or of all that are in flight.
    ///
    /// # Errors
    /// It panicked; or the files were taken away from the worker, and nothing was called.
    fn call(&mut self, on_behalf_of: Option<u64>, work: &mut dyn FnMut()) -> Result<(), FileError>;

    /// Waits by this function: meanwhile other workers may pass files on to this one, if it has room.
    fn wait(&mut self, wait: &mut dyn FnMut());
}
