//! Checks the result of a schedule.

use std::collections::BTreeMap;
use std::path::Path;

use super::Schedule;
use super::world::{Behaviour, File};
use crate::engine::stats::ProcessingProgress;
use crate::engine::store::StoreView;
use crate::ledger::Entry;
use crate::model::{ErrorClass, FileKey, LogPosition, RecordHead, RecordStatus, RootId};
use crate::sink::LogReader;

/// A record, as far as it is judged.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    status: RecordStatus,
    digest: Option<String>,
    class: Option<ErrorClass>,
    attempts: u16,
    result: Option<String>,
    position: usize,
}

/// Checks that the counts of a run add up.
pub(super) fn adds_up(progress: &ProcessingProgress) {
    let skipped: u64 = progress.skipped.values().sum();
    let parts = progress.ok + progress.failed + progress.unchanged + progress.pending + skipped;
    assert_eq!(progress.discovered, parts, "{progress:?}");
}

/// Result of a schedule.
pub(super) struct Verdict {
    pub(super) is_compacted: bool,
    /// Of each path's records in their order, so that two versions of the engine can be compared.
    pub(super) digest: blake3::Hash,
}

/// Checks that each file has one correct record of its content, and that nothing else has one.
pub(super) fn judge(state: &Path, schedule: &Schedule) -> Verdict {
    let view = StoreView::open(state).unwrap();
    let mut log: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    let (start, end) = view.reader.log();
    let begin = LogPosition { segment: start.segment, offset: 0 };
    let mut lines = LogReader::new(&view.records, begin, end).unwrap();
    let mut count = 0;
    while let Some((_, line)) = lines.next_line().unwrap() {
        let head = RecordHead::parse(line).unwrap();
        count += 1;
        let records = log.entry(head.path.clone().into_owned()).or_default();
        // A copy stands for the original that was dropped with its segment.
        if !head.is_copy() || records.is_empty() {
            records.push(Record {
                status: head.status,
                digest: head.digest.as_ref().map(ToString::to_string),
                class: head.error.as_ref().map(|error| error.class),
                attempts: head.attempts,
                result: head.result.map(ToString::to_string),
                position: count,
            });
        }
    }
    let world = schedule.world.lock();
    for (path, records) in &log {
        assert_once(path, records);
        let is_removed = |record: &Record| record.status == RecordStatus::Removed;
        assert!(!records.iter().any(is_removed) || world.removed.contains(path), "{path}: {records:?}");
        let last = records.last().unwrap();
        assert_eq!(world.files.contains_key(path), last.status != RecordStatus::Removed, "{path}: {last:?}");
    }
    for (path, file) in &world.files {
        let last = log.get(path).and_then(|records| records.last());
        let last = last.unwrap_or_else(|| panic!("{path} has no record"));
        assert_fits(path, file, last);
        let entry = view.reader.get(&key_of(path)).unwrap().unwrap();
        assert!(is_at_rest(&entry), "{path}: {entry:?}");
    }
    assert_eq!(view.reader.total().files(), world.files.len() as u64);
    Verdict {
        is_compacted: start.segment > LogPosition::START.segment,
        digest: blake3::hash(format!("{log:?}").as_bytes()),
    }
}

/// Returns the number of files that an attempt was counted for, or that have a record.
pub(super) fn attempted(state: &Path, schedule: &Schedule) -> usize {
    let view = StoreView::open(state).unwrap();
    let entry = |path: &String| view.reader.get(&key_of(path)).unwrap();
    let is_blamed = |entry: &Entry| entry.attempts > 0 || entry.record.is_some();
    schedule.world.lock().files.keys().filter_map(entry).filter(is_blamed).count()
}

fn key_of(path: &str) -> FileKey {
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

fn is_at_rest(entry: &Entry) -> bool {
    !entry.pending && entry.retry.is_none() && entry.attempts == 0 && entry.crashes == 0
}

/// Checks that no content has two records, unless the first reported an environment failure.
fn assert_once(path: &str, records: &[Record]) {
    for pair in records.windows(2) {
        let [before, after] = pair else { continue };
        let again = match after.status {
            RecordStatus::Removed => before.status == RecordStatus::Removed,
            _ => before.digest == after.digest && before.class.is_none_or(|class| !class.is_environmental()),
        };
        assert!(!again, "{path} has a record too many: {records:?}");
    }
}

fn assert_fits(path: &str, file: &File, last: &Record) {
    let failed = |class| last.status == RecordStatus::Failed && last.class == Some(class);
    let is_fine = last.status == RecordStatus::Ok && last.result == Some(file.version.to_string());
    let fits = match file.behaviour {
        Behaviour::Fine => is_fine,
        Behaviour::Parse => failed(ErrorClass::Parse),
        Behaviour::Error => failed(ErrorClass::Processor),
        Behaviour::Panic => failed(ErrorClass::Panic),
        Behaviour::Busy(_) => is_fine || (failed(ErrorClass::Processor) && last.attempts == 3),
    };
    assert!(fits, "{path} is {file:?}, and its record {last:?}");
    assert!((1..=3).contains(&last.attempts), "{path}: {last:?}");
}
