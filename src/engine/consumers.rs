//! Consumers of the record log: cursors that the state keeps under a name, durable when a commit of one returns. What
//! comes after them stays in the log.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::engine::store::{Store, StoreView};
use crate::ledger::{Consumer, StateFolder};
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
        return Err(EngineError::Refused(format!(
            "the state has {CONSUMERS_MAX} consumers, and no more: see `outlast status`, and drop some with \
             `outlast records --consumer NAME --forget`"
        )));
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

/// Returns the first segment that some consumer has not read to its end; `None` if all have read all.
pub(crate) fn first_unread(store: &Store) -> Option<u32> {
    let info = store.state.info();
    if info.consumers.is_empty() {
        return None;
    }
    let start = store.ledger.log_start();
    let ranges = store.ledger.log_ranges();
    let unread = info.consumers.values().filter_map(|consumer| {
        // One that must start over needs nothing.
        let position = Some(&consumer.cursor).filter(|cursor| cursor.is_of(Some(&info.id)))?.position;
        start.go_on_from(position)?;
        let is_after = |segment, offset| LogPosition { segment, offset } > position;
        ranges.iter().find(|range| is_after(range.segment, range.to)).map(|range| range.segment)
    });
    unread.min()
}

impl StoreView {
    /// Returns the cursor of a consumer: that of the log's start before its first commit.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn consumer_cursor(&self, name: &ConsumerName) -> Result<RecordCursor, EngineError> {
        let consumer = StateFolder::read_info(&self.state)?.consumers.remove(name);
        Ok(consumer.map_or_else(RecordCursor::default, |consumer| consumer.cursor))
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
                Err(EngineError::CursorGone(_)) => None,
                Err(error) => return Err(error),
            };
            Ok(ConsumerStatus { name, cursor, moved, behind_bytes })
        });
        status.collect()
    }
}
