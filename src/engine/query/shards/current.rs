//! The latest record of each path of a shard, by its record log alone.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::{ShardStates, ShardSummary};
use crate::engine::error::EngineError;
use crate::engine::query::records::CommittedLog;
use crate::model::{FileKey, LogPosition, RecordStatus, RootId};
use crate::sink::SinkError;

/// A compaction may drop what a summary still names: the next one, at most 10 s later, does not.
const NEXT_SUMMARY: Duration = Duration::from_secs(15);
const RETRY_WAIT: Duration = Duration::from_millis(500);

impl ShardStates {
    /// Returns the committed log of a shard, held open for reading, and the positions in it of the latest record of each
    /// path that exists, one a line, in the order of the tree. `None` where no runner has begun the shard.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn current(&self, shard: u32) -> Result<Option<(CommittedLog, String)>, EngineError> {
        let state = self.state(shard);
        let until = Instant::now() + NEXT_SUMMARY;
        loop {
            let Some(summary) = ShardSummary::read(&state)? else { return Ok(None) };
            let mut log = summary.log(&state);
            match log.hold_all().and_then(|()| positions(&log)) {
                Err(EngineError::Sink(SinkError::Missing { .. })) if Instant::now() < until => {
                    std::thread::sleep(RETRY_WAIT);
                }
                found => return Ok(Some((log, found?))),
            }
        }
    }
}

fn positions(log: &CommittedLog) -> Result<String, EngineError> {
    let mut roots = Vec::<String>::new();
    let mut latest = BTreeMap::<FileKey, LogPosition>::new();
    log.each_line(|position, record| {
        let at = roots.iter().position(|root| *root == *record.root).unwrap_or_else(|| {
            roots.push(record.root.to_string());
            roots.len() - 1
        });
        // There are few roots.
        if let Some(key) = record.key(RootId(at as u32)) {
            match record.status {
                RecordStatus::Removed => latest.remove(&key),
                RecordStatus::Ok | RecordStatus::Failed => latest.insert(key, position),
            };
        }
        Ok(())
    })?;
    let mut text = String::new();
    // Writing to a String can't fail.
    latest.values().for_each(|position| _ = writeln!(text, "{position}"));
    Ok(text)
}
