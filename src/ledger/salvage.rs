//! What a repair can still learn from a state that does not open.

use super::LedgerError;
use super::disk;
use super::state::{StateFolder, WITNESS};
use super::witness::{self, LogRange};
use super::writer::WITNESS_ASIDE;

impl StateFolder {
    /// Begins a repair, durably: until it has ended the state opens for nothing else.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn begin_repair(&self) -> Result<(), LedgerError> {
        if self.check_no_repair().is_ok() { self.mark_repair() } else { Ok(()) }
    }

    /// The committed ranges of the record log, as far as the lines of the witness are sound. Once a
    /// repair has set it aside, that one's.
    pub fn readable_log_ranges(&self) -> Vec<LogRange> {
        let (path, aside) = (self.path().join(WITNESS), self.path().join(WITNESS_ASIDE));
        let path = if disk::is_there(&aside) { aside } else { path };
        std::fs::read(path).map(|bytes| witness::sound_ranges(&bytes)).unwrap_or_default()
    }
}
