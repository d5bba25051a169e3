//! What a repair can still learn from a state that does not open.

use super::witness;
use crate::ledger::error::LedgerError;
use crate::ledger::folder::{StateFolder, disk};
use crate::ledger::log_range::LogRange;
use crate::ledger::names::{DB_ASIDE, REPAIRING, WITNESS, WITNESS_ASIDE};

impl StateFolder {
    /// Begins a repair, durably: until it has ended the state opens for nothing else. Continues one that was begun.
    ///
    /// Leftovers of an ended repair are removed first. Once the mark is set, what is set aside is of this repair, and
    /// shows it the original state.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn begin_repair(&self) -> Result<(), LedgerError> {
        if !self.is_in_repair()? {
            for leftover in [DB_ASIDE, WITNESS_ASIDE] {
                disk::remove(&self.path().join(leftover))?;
            }
            disk::sync_folder(self.path())?;
            disk::replace(&self.path().join(REPAIRING), b"")?;
        }
        self.mend_description()
    }

    /// Returns the committed ranges of the record log, as far as the lines of the witness are sound. Once a repair
    /// has set the witness aside, that one's.
    ///
    /// # Errors
    /// If the witness exists and can't be read.
    pub fn readable_log_ranges(&self) -> Result<Vec<LogRange>, LedgerError> {
        let path = self.path().join(WITNESS);
        let aside = self.path().join(WITNESS_ASIDE);
        let path = if disk::is_there(&aside)? { aside } else { path };
        Ok(witness::sound_ranges(&disk::read_if_there(&path)?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ledger::commit::{Ledger, Tick};
    use crate::model::LogPosition;

    fn commit_log(ledger: &mut Ledger, bytes: u64, crc: u32) {
        let log = LogPosition { segment: 1, offset: ledger.cursor().log.offset + bytes };
        ledger.commit(Tick { changes: &[], log, log_crc: crc, job: None }).unwrap();
    }

    #[test]
    fn each_attempt_sees_the_ranges_of_the_state_as_it_was_found() {
        for is_lost in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            let state = StateFolder::create(&path, "records".as_ref()).unwrap();
            commit_log(&mut Ledger::open(&state).unwrap(), 7, 77);
            drop(state);
            if is_lost {
                fs::remove_file(path.join(WITNESS)).unwrap();
            }
            let expected =
                if is_lost { vec![] } else { vec![LogRange { segment: 1, from: 0, to: 7, crc32: 77 }] };
            for attempt in 0..3 {
                // Leftovers of an ended repair, before the first attempt.
                if attempt == 0 {
                    fs::write(path.join(WITNESS_ASIDE), "of another time").unwrap();
                    fs::create_dir(path.join(DB_ASIDE)).unwrap();
                }
                let state = StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
                state.begin_repair().unwrap();
                assert_eq!(state.readable_log_ranges().unwrap(), expected, "attempt {attempt}");
                let mut ledger = Ledger::rebuild(&state, 1).unwrap();
                assert!(path.join(DB_ASIDE).join("db").exists(), "attempt {attempt}");
                commit_log(&mut ledger, 3, 33);
                drop(ledger);
                assert_eq!(state.readable_log_ranges().unwrap(), expected, "attempt {attempt}");
            }
        }
    }

    #[test]
    fn opening_for_repair_changes_nothing_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        drop(StateFolder::create(&path, "records".as_ref()).unwrap());
        fs::write(path.join("state.json"), "{").unwrap();
        let state = StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
        assert!(!state.is_in_repair().unwrap() && Ledger::open(&state).is_err());
        assert_eq!(fs::read_to_string(path.join("state.json")).unwrap(), "{");
        state.begin_repair().unwrap();
        assert!(state.is_in_repair().unwrap());
        drop(state);
        assert!(StateFolder::open(&path).is_err());
        StateFolder::open_for_repair(&path, "records".as_ref()).unwrap();
    }
}
