//! The tree `files` with changes laid over the stored blocks: those of a tick being prepared, or those that show the
//! state before a tick that is not committed yet.

use std::ops::Bound;
use std::sync::Arc;

use super::{Bytes, Changes, Database, Pair, Tree};
use crate::ledger::error::LedgerError;

/// What readers see of the trees, as far as two reads must be consistent.
#[derive(Default)]
pub(crate) struct Layout {
    /// Incremented with each change of what is visible.
    pub(crate) number: u64,
    /// What the latest transaction replaced, while it is not committed.
    pub(crate) before: Option<Arc<Before>>,
}

/// The blocks that a transaction replaced: laid over the trees, they show these as they were.
#[derive(Default)]
pub(crate) struct Before {
    pub(crate) files: Changes,
    pub(crate) meta: Changes,
}

/// Returns the last block whose key is within the bound.
pub(crate) fn last_below(
    store: &Database,
    changes: &Changes,
    bound: Bound<&[u8]>,
) -> Result<Option<Pair>, LedgerError> {
    let mut within = changes.range::<[u8], _>((Bound::Unbounded, bound));
    let over = within.rfind(|(_, value)| value.is_some());
    let mut stored = store.last_below(Tree::Files, bound)?;
    while let Some((key, _)) = &stored
        && changes.contains_key(&key[..])
        && over.is_none_or(|(found, _)| found.as_slice() < &key[..])
    {
        let key = key.clone();
        stored = store.last_below(Tree::Files, Bound::Excluded(&key))?;
    }
    Ok(match (pair_of(over), stored) {
        (Some(over), Some(stored)) => Some(if over.0 < stored.0 { stored } else { over }),
        (over, stored) => over.or(stored),
    })
}

/// Returns the first block whose key is within the bound.
pub(crate) fn first_above(
    store: &Database,
    changes: &Changes,
    bound: Bound<&[u8]>,
) -> Result<Option<Pair>, LedgerError> {
    let mut within = changes.range::<[u8], _>((bound, Bound::Unbounded));
    let over = within.find(|(_, value)| value.is_some());
    let mut walk = store.walk(Tree::Files, bound)?;
    let mut stored = walk.next()?;
    while let Some((key, _)) = &stored
        && changes.contains_key(&key[..])
        && over.is_none_or(|(found, _)| found.as_slice() > &key[..])
    {
        stored = walk.next()?;
    }
    Ok(match (pair_of(over), stored) {
        (Some(over), Some(stored)) => Some(if stored.0 < over.0 { stored } else { over }),
        (over, stored) => over.or(stored),
    })
}

fn pair_of(over: Option<(&Vec<u8>, &Option<Bytes>)>) -> Option<Pair> {
    let (key, value) = over?;
    Some((Bytes::from(key.as_slice()), value.clone()?))
}
