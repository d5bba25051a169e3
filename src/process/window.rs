//! How a worker has several files in flight with a processor, and gets an answer for each.
//!
//! A processor that takes files together, or begins one before another has ended, returns [`Windowed`]. Each worker
//! then opens a [`Window`], gives it files as long as it has room, and takes answers. Reading, memory, time, retries,
//! records and blame are the worker's (`engine/workers/worker/window.rs`), the same for every kind of window.
//!
//! Constraints: code of the user's runs within [`Caller::call`] and nowhere else, which is how a panic, a hang or a
//! crash is attributed; so [`Window::give`] runs none. Dropping a window drops what is in flight.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{BatchConfig, FileError};

/// A file on its way to a processor: what [`FileContent`](super::FileContent) borrows.
#[derive(Debug, Clone, Default)]
pub struct GivenFile {
    pub path: Vec<u8>,
    /// The content; empty if the processor does not want it.
    pub bytes: Vec<u8>,
    pub size: u64,
    /// Name of its root; empty, as what follows, if the processor does not want it.
    pub root: String,
    /// Path on this machine.
    pub absolute: PathBuf,
    /// Digest of the content, in hex.
    pub digest: String,
}

/// A result as JSON on one line, or why the file failed.
pub(crate) type FileAnswer = Result<Vec<u8>, FileError>;

/// A processor that has several files in flight.
pub trait Windowed {
    /// Opens the window of a worker, of `worker_count` in the configuration.
    fn open(&self, worker: usize, config: &BatchConfig) -> Box<dyn Window>;

    /// Returns whether its windows get the content, and not only what is known of it.
    fn wants_content(&self) -> bool {
        true
    }

    /// Returns whether its windows get the root, the absolute path and the digest, to ask another process by.
    fn wants_place(&self) -> bool {
        false
    }

    /// Returns the memory of the processes that work for it, in bytes.
    fn children_bytes(&self) -> u64 {
        0
    }

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
    /// The window is dead.
    fn answers(
        &mut self,
        wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), WindowEnd>;

    /// Ends a file that has taken too long.
    fn cancel(&mut self, id: u64, caller: &mut dyn Caller) -> Cancelled;
}

/// Why a window is dead.
#[derive(Debug)]
pub enum WindowEnd {
    /// What it has not answered is run again, each file alone. A file that was alone has failed so.
    Died(FileError),
    /// What the processor depends on is away: no file is at fault, and all of them wait until it is back.
    Unavailable(String),
    /// The run is to stop: what it has not answered stays as it was.
    Stopping,
}

impl From<FileError> for WindowEnd {
    fn from(error: FileError) -> Self {
        Self::Died(error)
    }
}

/// What became of a file that took too long.
#[derive(Debug)]
pub enum Cancelled {
    /// It is no longer in flight.
    Ended,
    /// It was begun again, and its time with it.
    Restarted,
    /// That can't be done, and the window is dead.
    Died(WindowEnd),
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

    /// Begins the time of a file anew.
    fn restart(&mut self, id: u64);

    /// Returns whether the run is to stop, so that nothing new should be begun.
    fn is_stopping(&self) -> bool;
}
