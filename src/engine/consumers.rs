//! Consumers of the record log: cursors that the state keeps under a name, durable when a commit of one returns. What
//! comes after them stays in the log.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::error::{EngineError, Refusal};
use crate::engine::store::{Store, StoreView};
use crate::ledger::{Consumer, LogRange, StateFolder};
use crate::model::{ConsumerName, LogPosition, RecordCursor, Timestamp};

/// Consumers of one state, at most.
const CONSUMERS_MAX: usize = 100;

/// A change to a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerChange {
    /// The consumer; its first commit creates it.
    pub name: ConsumerName,
    /// Its cursor from now on; `None` drops the consumer.
    pub commit: Option<RecordCursor>,
}

/// Answer to a [`ConsumerChange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerReport {
    /// The consumer's cursor before; `None` if there was no such consumer.
    pub before: Option<RecordCursor>,
}

/// Answer of `outlast status` about a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerStatus {
    /// Its name.
    pub name: ConsumerName,
    /// Its committed cursor.
    pub cursor: RecordCursor,
    /// When that last moved.
    pub moved: Timestamp,
    /// Bytes of the log after it; `None` if the log no longer has what comes after it.
    pub behind_bytes: Option<u64>,
    /// Bytes of the log that compaction leaves for it: the record files from the first on that it has not read to its
    /// end.
    #[serde(default)]
    pub held_bytes: u64,
}

/// Changes a consumer of a state that no run holds. Durable when this returns.
///
/// # Errors
/// There is no state, or it is in use or damaged; or as for [`Engine::change_consumer`](crate::engine::Engine::change_consumer).
pub fn change_consumer(
    state: impl AsRef<Path>,
    change: &ConsumerChange,
) -> Result<ConsumerReport, EngineError> {
    let mut store = Store::existing(state.as_ref())?;
    apply(&mut store, change, Timestamp::from_system_time(std::time::SystemTime::now()))
}

/// Changes a consumer, durably.
pub(crate) fn apply(
    store: &mut Store,
    change: &ConsumerChange,
    now: Timestamp,
) -> Result<ConsumerReport, EngineError> {
    let ConsumerChange { name, commit } = change;
    let known = &store.state.info().consumers;
    let before = known.get(name).map(|consumer| consumer.cursor.clone());
    let Some(cursor) = commit else {
        store.describe(|info| drop(info.consumers.remove(name)))?;
        return Ok(ConsumerReport { before });
    };
    if before.is_none() && known.len() >= CONSUMERS_MAX {
        return Err(Refusal::TooManyConsumers { consumers_max: CONSUMERS_MAX }.into());
    }
    let view = store.view();
    view.log().check_cursor(cursor)?;
    let cursor = view.cursor_at(cursor.position);
    if before.as_ref() != Some(&cursor) {
        let consumer = Consumer { cursor, moved: now };
        store.describe(|info| drop(info.consumers.insert(name.clone(), consumer)))?;
    }
    Ok(ConsumerReport { before })
}

/// A consumer that the log still has something for.
struct Unread<'a> {
    name: &'a ConsumerName,
    /// The first segment that it has not read to its end.
    segment: u32,
    /// Length of the log behind its cursor.
    bytes: u64,
}

/// Returns the consumers that have not read all. One that must start over needs nothing.
fn unread(store: &Store) -> Vec<Unread<'_>> {
    let info = store.state.info();
    if info.consumers.is_empty() {
        return Vec::new();
    }
    let start = store.ledger.log_start();
    let ranges = store.ledger.log_ranges();
    let unread = info.consumers.iter().filter_map(|(name, consumer)| {
        let position = Some(&consumer.cursor).filter(|cursor| cursor.is_of(Some(&info.id)))?.position;
        start.go_on_from(position)?;
        let is_after = |segment, offset| LogPosition { segment, offset } > position;
        let mut after = ranges.iter().filter(|range| is_after(range.segment, range.to)).peekable();
        let segment = after.peek()?.segment;
        let from = |range: &LogRange| {
            if range.segment == position.segment { range.from.max(position.offset) } else { range.from }
        };
        Some(Unread { name, segment, bytes: after.map(|range| range.to - from(range)).sum() })
    });
    unread.collect()
}

/// Returns the first segment that some consumer has not read to its end; `None` if all have read all. One that is
/// further behind than `keep_bytes` does not count.
pub(crate) fn first_unread(store: &Store, keep_bytes: Option<u64>) -> Option<u32> {
    let kept = unread(store).into_iter().filter(|unread| keep_bytes.is_none_or(|keep| unread.bytes <= keep));
    kept.map(|unread| unread.segment).min()
}

/// Warns of each consumer that is further behind than `keep_bytes`, as the log is about to be compacted.
pub(crate) fn warn_of_late(store: &Store, keep_bytes: Option<u64>) {
    let late = unread(store).into_iter().filter(|unread| keep_bytes.is_some_and(|keep| unread.bytes > keep));
    for Unread { name, bytes, .. } in late {
        tracing::warn!(
            "consumer {name} is {bytes} bytes behind, more than consumer-keep: the record log is compacted, and it has \
             to start over"
        );
    }
}

impl StoreView {
    /// Returns the cursor of each consumer.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn consumer_cursors(&self) -> Result<BTreeMap<ConsumerName, RecordCursor>, EngineError> {
        let consumers = StateFolder::read_info(&self.state)?.consumers;
        Ok(consumers.into_iter().map(|(name, consumer)| (name, consumer.cursor)).collect())
    }

    /// Returns all consumers, by name.
    pub(crate) fn consumers(&self) -> Result<Vec<ConsumerStatus>, EngineError> {
        let consumers = StateFolder::read_info(&self.state)?.consumers;
        if consumers.is_empty() {
            return Ok(Vec::new());
        }
        let log = self.log();
        let status = consumers.into_iter().map(|(name, Consumer { cursor, moved })| {
            let behind_bytes = match log.check_cursor(&cursor) {
                Ok(()) => Some(log.bytes_from(cursor.position)?),
                Err(EngineError::CursorGone { .. }) => None,
                Err(error) => return Err(error),
            };
            let held_bytes = match behind_bytes {
                Some(behind) => log.bytes_held(cursor.position, behind)?,
                None => 0,
            };
            Ok(ConsumerStatus { name, cursor, moved, behind_bytes, held_bytes })
        });
        status.collect()
    }
}
