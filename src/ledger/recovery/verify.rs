//! Checks whether the disk holds what was committed last.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use super::witness::{Line, Witness};
use crate::ledger::database::{Database, Tree};
use crate::ledger::error::LedgerError;
use crate::ledger::map::entry::Counts;
use crate::ledger::map::job::{JOB_PREFIX, Jobs, decode_job};
use crate::ledger::map::meta::{
    LOG_START_KEY, ROOT_PREFIX, RULE_PREFIX, TICK_KEY, TickMeta, TreeSum, compiled, root_counts,
};
use crate::ledger::map::ready::{Classes, add_counts, add_row, tally_row};
use crate::ledger::map::{block, codec};
use crate::model::{LogStart, PriorityCounts, PriorityRules};

/// This many blocks, 16,000 files, are checked before anything else and by one thread: that takes a millisecond. Only
/// one in debug builds, where more would leave no test of the background check.
pub(crate) const BLOCKS_FEW: u64 = if cfg!(debug_assertions) { 1 } else { 256 };

/// Content of the database's small values.
pub(crate) struct Loaded {
    pub(crate) tick: TickMeta,
    pub(crate) rules: PriorityRules,
    pub(crate) pending: PriorityCounts,
    pub(crate) counts: BTreeMap<u32, Counts>,
    pub(crate) jobs: Jobs,
    pub(crate) log_start: LogStart,
}

impl Loaded {
    /// Returns their content for a ledger without files.
    pub(crate) fn empty(tick: TickMeta) -> Self {
        Self {
            tick,
            rules: PriorityRules::default(),
            pending: PriorityCounts::default(),
            counts: BTreeMap::new(),
            jobs: Jobs::new(BTreeMap::new()),
            log_start: LogStart::default(),
        }
    }
}

/// A database whose small values match what was committed last.
pub(crate) struct Opened {
    pub(crate) store: Database,
    pub(crate) loaded: Loaded,
    /// The last tick's line, if the witness lacks it.
    pub(crate) missing: Option<Line>,
}

impl Opened {
    /// Checks the small values of an open database, against themselves and against the witness.
    pub(crate) fn of(store: Database, witness: &Witness) -> Result<Self, LedgerError> {
        let loaded = load(&store)?;
        let missing = compare(&loaded.tick, witness)?;
        Ok(Self { store, loaded, missing })
    }

    /// Checks all the rest.
    pub(crate) fn checked(self) -> Result<Self, LedgerError> {
        check(&self.store, &self.loaded.tick).map(|()| self)
    }
}

/// Checks all blocks, and the pending entries, against the sums of the last tick.
pub(super) fn check(store: &Database, tick: &TickMeta) -> Result<(), LedgerError> {
    let damaged = |what: &str| LedgerError::damaged(store.folder(), what);
    let are_few = tick.blocks.values <= BLOCKS_FEW;
    let blocks = if are_few { tally_front(store)? } else { tally_blocks(store)? };
    if blocks != tick.blocks {
        return Err(damaged("the blocks are not those of the last tick"));
    }
    if tally_ready(store)? != tick.ready {
        return Err(damaged("the pending files are not those of the last tick"));
    }
    Ok(())
}

/// Reads the small values of the database, and checks them against each other.
fn load(store: &Database) -> Result<Loaded, LedgerError> {
    let damaged = |what: &str| LedgerError::damaged(store.folder(), what);
    let value = store.get(Tree::Meta, TICK_KEY)?.ok_or_else(|| damaged("the last tick is gone"))?;
    let rules = load_rules(store)?;
    let tick: TickMeta = codec::decode(TICK_KEY, &value).map_err(damaged)?;
    let mut counts = BTreeMap::new();
    store.walk_prefix(Tree::Meta, ROOT_PREFIX)?.check_each(|key, value| {
        counts.extend([root_counts(key, value)?]);
        Ok(())
    })?;
    let files = counts.values().fold(0_u64, |sum, counts: &Counts| sum.wrapping_add(counts.files()));
    if files != tick.blocks.entries {
        return Err(damaged("the counts are not those of the last tick"));
    }
    let mut ends = BTreeMap::new();
    store.walk_prefix(Tree::Meta, JOB_PREFIX)?.check_each(|key, value| {
        let job = decode_job(key, value)?;
        ends.insert(job.id, job.end);
        Ok(())
    })?;
    let log_start = match store.get(Tree::Meta, LOG_START_KEY)? {
        Some(value) => codec::decode(LOG_START_KEY, &value).map_err(damaged)?,
        None => LogStart::default(),
    };
    if log_start.segment > tick.cursor.log.segment {
        return Err(damaged("the record log begins behind its end"));
    }
    let pending = count_pending(store, &tick, &rules, &counts)?;
    Ok(Loaded { tick, rules, pending, counts, jobs: Jobs::new(ends), log_start })
}

fn load_rules(store: &Database) -> Result<PriorityRules, LedgerError> {
    let mut rules = Vec::new();
    store.walk_prefix(Tree::Meta, RULE_PREFIX)?.check_each(|key, value| {
        rules.push(codec::decode(key, value)?);
        Ok(())
    })?;
    compiled(&rules).map_err(|what| LedgerError::damaged(store.folder(), what))
}

/// Counts the pending files by priority: without rules they are all of the usual one. Those of a process that was
/// killed while it sorted them are counted where they are.
fn count_pending(
    store: &Database,
    tick: &TickMeta,
    rules: &PriorityRules,
    counts: &BTreeMap<u32, Counts>,
) -> Result<PriorityCounts, LedgerError> {
    let mut pending = PriorityCounts::default();
    if rules.is_empty() {
        pending.normal = counts.values().fold(0, |sum, counts| sum.wrapping_add(counts.pending));
        return Ok(pending);
    }
    if !tick.ready_is_whole {
        let classes = Classes { order: tick.order, rules: rules.clone(), base: tick.base };
        store.walk(Tree::Files, Bound::Unbounded)?.check_each(|key, value| {
            add_counts(&mut pending, &block::count(key, value, &classes)?);
            Ok(())
        })?;
        return Ok(pending);
    }
    store
        .walk(Tree::Ready, Bound::Unbounded)?
        .check_each(|key, value| add_row(&mut pending, key, value).ok_or(NO_READY_ROW))?;
    Ok(pending)
}

/// Checks all blocks, from both ends at once: that halves the wait of a start.
fn tally_blocks(store: &Database) -> Result<TreeSum, LedgerError> {
    let frontier = Mutex::new(Frontier::default());
    let frontier = &frontier;
    std::thread::scope(|scope| {
        let rear = std::thread::Builder::new().name("verify".to_owned());
        let rear = rear.spawn_scoped(scope, move || tally_from(store, frontier, End::Rear));
        let front = tally_from(store, frontier, End::Front)?;
        // Where no thread could be started, all was done from the front.
        let rear = rear.map_or(Ok(Ok(TreeSum::default())), |thread| thread.join());
        match rear {
            Ok(Ok(rear)) => Ok(front.plus(rear)),
            // sled does not find the way back over some names: errors show from the front as well.
            _ => tally_front(store),
        }
    })
}

fn tally_front(store: &Database) -> Result<TreeSum, LedgerError> {
    tally_from(store, &Mutex::default(), End::Front)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Rear,
}

/// The last blocks taken from the front and from the rear.
#[derive(Default)]
struct Frontier {
    front: Option<Vec<u8>>,
    rear: Option<Vec<u8>>,
}

impl Frontier {
    /// Takes a block from one end; returns false if it was taken from the other one.
    fn take(&mut self, key: &[u8], end: End) -> bool {
        let Self { front, rear } = self;
        let is_free =
            front.as_deref().is_none_or(|front| key > front) && rear.as_deref().is_none_or(|rear| key < rear);
        if is_free {
            let last = if end == End::Front { front } else { rear };
            let last = last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
        }
        is_free
    }
}

fn tally_from(store: &Database, frontier: &Mutex<Frontier>, end: End) -> Result<TreeSum, LedgerError> {
    let mut sum = TreeSum::default();
    let mut walk = store.walk(Tree::Files, Bound::Unbounded)?;
    loop {
        let pair = if end == End::Front { walk.next()? } else { walk.next_back()? };
        let Some((key, value)) = pair else { break };
        // Keys that are out of order end it, too; the sums are wrong then.
        if !frontier.lock().unwrap_or_else(PoisonError::into_inner).take(&key, end) {
            break;
        }
        let (entries, crc) =
            block::check(&key, &value).map_err(|what| LedgerError::damaged(store.folder(), what))?;
        sum.add(entries, crc);
    }
    Ok(sum)
}

const NO_READY_ROW: &str = "a row of pending files is no row";

fn tally_ready(store: &Database) -> Result<TreeSum, LedgerError> {
    let mut sum = TreeSum::default();
    store.walk(Tree::Ready, Bound::Unbounded)?.check_each(|key, value| {
        let (entries, crc) = tally_row(key, value).ok_or(NO_READY_ROW)?;
        sum.add(entries, crc);
        Ok(())
    })?;
    Ok(sum)
}

/// Checks the database against the witness. Returns the line of the last tick where it is missing, because the
/// process ended between the two.
fn compare(tick: &TickMeta, witness: &Witness) -> Result<Option<Line>, LedgerError> {
    let path = witness.path();
    let expected = line_of(tick);
    let Some(last) = witness.last() else {
        return match tick.cursor.tick {
            0 => Ok(None),
            // The very first line is missing.
            1 if tick.log.from == 0 => Ok(Some(expected)),
            _ => Err(LedgerError::damaged(path, "the file is empty, and the database is not")),
        };
    };
    if last.tick > tick.cursor.tick {
        let what = format!("the database is older: its last tick is {}, not {}", tick.cursor.tick, last.tick);
        return Err(LedgerError::damaged(path, what));
    }
    if last.tick + 1 == tick.cursor.tick {
        return Ok(Some(expected));
    }
    if *last != expected {
        return Err(LedgerError::damaged(path, "the database is not the one that was committed"));
    }
    Ok(None)
}

/// Returns the witness line of a tick.
pub(crate) fn line_of(tick: &TickMeta) -> Line {
    Line { tick: tick.cursor.tick, log: tick.log, blocks: tick.blocks }
}
