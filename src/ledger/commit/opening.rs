//! Opening the ledger: what exists, whether it is what was committed, and when it may be written.

use std::path::Path;
use std::sync::Arc;

use super::Ledger;
use crate::ledger::database::Database;
use crate::ledger::database::kept::{self, Removal};
use crate::ledger::error::LedgerError;
use crate::ledger::folder::held::HeldState;
use crate::ledger::folder::{StateFolder, renew};
use crate::ledger::names::{DB, WITNESS};
use crate::ledger::reader::LedgerReader;
use crate::ledger::recovery::checking::{self, Checking};
use crate::ledger::recovery::verify::{BLOCKS_FEW, Loaded, Opened};
use crate::ledger::recovery::witness::{Line, Witness};

impl Ledger {
    /// Opens the ledger, and checks all of it.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where it is not what was committed last, or a repair has not ended.
    pub fn open(state: &StateFolder) -> Result<Self, LedgerError> {
        let mut ledger = Self::open_to_read(state)?;
        ledger.settle()?;
        Ok(ledger)
    }

    /// The same, but returns while the blocks of a large ledger are checked: what is read until then may be damaged.
    /// [`Ledger::settle`] reports that, and is called before anything is written.
    ///
    /// # Errors
    /// As [`Ledger::open`], where that is known already.
    pub fn open_to_read(state: &StateFolder) -> Result<Self, LedgerError> {
        state.check_no_repair()?;
        if let Some(new) = state.take_new() {
            return Ok(new);
        }
        let mut ledger = Self::open_in(state.held())?;
        if !ledger.tick.ready_is_whole {
            let classes = ledger.classes();
            ledger.guarded(|ledger| ledger.put_in_order(classes))?;
        }
        Ok(ledger)
    }

    fn open_in(held: &HeldState) -> Result<Self, LedgerError> {
        // Before anything is changed: another process may have it open, though this one has the lock file.
        drop(held.lock_database()?);
        kept::recover(held.path())?;
        renew::write_noted(held)?;
        let (mut ledger, mut missing) = Self::open_once(held)?;
        if missing.is_some() {
            // The last tick counts once the witness has its line. The process that committed it may have ended since
            // its sync failed, and then it is only in memory: it is made durable first.
            ledger.settle()?;
            drop(ledger);
            renew::write_all(held)?;
            (ledger, missing) = Self::open_once(held)?;
        }
        if let Some(line) = missing {
            ledger.settle()?;
            ledger.witness.append(line).inspect_err(|_| renew::note(held))?;
        }
        Ok(ledger)
    }

    /// Opens the existing database, and returns the line of the last tick if the witness lacks it.
    fn open_once(held: &HeldState) -> Result<(Self, Option<Line>), LedgerError> {
        let folder = held.path();
        let witness = Witness::open(&folder.join(WITNESS))?;
        let open = |at: &Path| {
            let opened = Opened::of(Database::open(at, folder.join(DB), Some(held))?, &witness)?;
            let is_small = opened.loaded.tick.blocks.values < BLOCKS_FEW;
            Ok((if is_small { opened.checked()? } else { opened }, is_small))
        };
        let look_again = |at: &Path| checking::look_again(held, at);
        let ((opened, is_checked), kept) = kept::open_kept(folder, open, look_again)?;
        let Opened { store, loaded, missing } = opened;
        let mut ledger = Self::with(held, store, loaded, witness);
        if is_checked {
            ledger.goes_on(Some(kept.discard()?))?;
        } else {
            ledger.checking = Some(Checking::begin(held, &ledger.reader.store, &ledger.tick, kept));
        }
        Ok((ledger, missing))
    }

    pub(super) fn with(held: &HeldState, store: Database, loaded: Loaded, mut witness: Witness) -> Self {
        let Loaded { tick, rules, pending, counts, jobs, log_start } = loaded;
        witness.forget_before(log_start.segment);
        let committed = Arc::default();
        let reader = LedgerReader { store: Arc::new(store), committed, only_committed: false };
        let ledger = Self {
            folder: held.path().to_path_buf(),
            reader,
            tick,
            rules,
            pending,
            counts,
            jobs,
            log_start,
            witness,
            poisoned: false,
            checking: None,
            removal: None,
        };
        ledger.publish();
        ledger
    }

    /// Waits until all is checked. If something is wrong, the ledger is closed for all readers, and nothing was
    /// changed.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn settle(&mut self) -> Result<(), LedgerError> {
        let Some(checking) = self.checking.take() else { return Ok(()) };
        let settled = checking.settle(&self.reader.store, &self.tick).and_then(|copy| self.goes_on(copy));
        self.poisoned |= settled.is_err();
        settled
    }

    /// Returns whether no check is left to wait for.
    pub fn is_checked(&self) -> bool {
        self.checking.as_ref().is_none_or(Checking::has_ended)
    }

    /// Ends the check well: from now on the ledger may be written.
    fn goes_on(&mut self, copy: Option<Removal>) -> Result<(), LedgerError> {
        self.removal = copy;
        let tidied = self.witness.tidy();
        tidied.inspect_err(|_| self.reader.store.held().into_iter().for_each(renew::note))
    }
}
