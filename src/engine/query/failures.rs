//! Failures by class: from the ledger, with a few records looked up as samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::engine::job_plan;
use crate::engine::store::StoreView;
use crate::ledger::{Entry, EntryState};
use crate::model::{ErrorClass, FileKey, LogPosition, RecordHead, RetryPolicy, Timestamp};
use crate::sink::{LineReader, SinkError};

/// Default number of samples of a class.
pub const SAMPLES: usize = 3;

/// Answer of `outlast failures`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// Files that failed, all classes of this report together.
    pub failed: u64,
    /// Files that failed with an error that may pass and are tried again.
    pub waiting: u64,
    /// Each class that occurs, in the order of the classes.
    pub classes: Vec<FailureGroup>,
}

/// The failures of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// The class.
    pub class: ErrorClass,
    /// Files whose latest record says so.
    pub failed: u64,
    /// Of those, files quarantined until their content changes.
    pub quarantined: u64,
    /// Pending files whose last attempt failed so, and that are tried again.
    pub waiting: u64,
    /// When the first of those is due.
    pub next_at: Option<Timestamp>,
    /// Pending files that brought the process down, and are tried again; of class `crash` only.
    pub suspected: u64,
    /// A few of these files, the first in the order of the tree: those that failed, then those that wait.
    pub samples: Vec<FailureSample>,
}

/// One failed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureSample {
    /// Name of its root.
    pub root: String,
    /// Path relative to the root, with replacement characters where it is not UTF-8.
    pub path: String,
    /// What went wrong; `None` before there is a record of it.
    pub message: Option<String>,
    /// Line of the fault, from 1.
    pub line: Option<u64>,
    /// Column of the fault, in bytes from 1.
    pub column: Option<u64>,
    /// Attempts at this version.
    pub attempts: u16,
    /// Whether it is quarantined until its content changes.
    pub quarantined: bool,
    /// When it is tried again; `None` for a file that failed.
    pub next_at: Option<Timestamp>,
    /// Position of its record.
    pub position: Option<LogPosition>,
    /// The tick that committed its record.
    pub committed_tick: Option<u64>,
}

impl StoreView {
    /// Counts failures and files that wait for another attempt, by class: all, or one class. Of each class, up to
    /// `samples` files are reported. One pass over the ledger; memory grows with the samples only.
    ///
    /// # Errors
    /// Where the state or a record of it can't be read.
    pub fn failures(&self, class: Option<ErrorClass>, samples: usize) -> Result<FailureReport, EngineError> {
        let mut groups: BTreeMap<ErrorClass, ClassFailures> = BTreeMap::new();
        let mut scan = self.reader.scan();
        while let Some((key, entry)) = scan.peek()? {
            for (of, place) in places(entry).into_iter().flatten() {
                if class.is_none_or(|class| class == of) {
                    groups.entry(of).or_default().add(place, key, entry, samples);
                }
            }
            scan.advance();
        }
        drop(scan);
        let mut lines = LineReader::new(&self.records);
        let mut report = FailureReport::default();
        for (class, failures) in groups {
            report.failed += failures.failed;
            report.waiting += failures.waiting;
            report.classes.push(self.group(class, failures, samples, &mut lines)?);
        }
        Ok(report)
    }

    fn group(
        &self,
        class: ErrorClass,
        failures: ClassFailures,
        samples: usize,
        lines: &mut LineReader,
    ) -> Result<FailureGroup, EngineError> {
        let ClassFailures { failed, quarantined, waiting, next_at, suspected, failed_files, other_files } =
            failures;
        let files = failed_files.into_iter().chain(other_files).take(samples);
        let samples = files.map(|(key, entry)| self.sample(&key, &entry, lines)).collect::<Result<_, _>>()?;
        Ok(FailureGroup { class, failed, quarantined, waiting, next_at, suspected, samples })
    }

    fn sample(
        &self,
        key: &FileKey,
        entry: &Entry,
        lines: &mut LineReader,
    ) -> Result<FailureSample, EngineError> {
        let root = self.roots.get(key.root()).map_or_else(String::new, |root| root.name.clone());
        let mut sample = FailureSample {
            root,
            path: String::from_utf8_lossy(&key.relative_path()).into_owned(),
            message: None,
            line: None,
            column: None,
            attempts: entry.attempts,
            quarantined: entry.quarantined,
            next_at: next_at(entry),
            position: None,
            committed_tick: None,
        };
        // The record of a pending file is that of an earlier failure, or of an earlier version.
        if let (Some(record), false) = (&entry.record, entry.pending) {
            let line = self.line_of(lines, key.as_bytes(), record.position)?;
            let head = RecordHead::parse(&line).map_err(|_| {
                let what = format!("the line at {} is no record any more", record.position);
                SinkError::Damaged { path: self.records.clone(), what }
            })?;
            sample.attempts = head.attempts;
            sample.position = Some(record.position);
            sample.committed_tick = Some(head.committed_tick);
            if let Some(error) = head.error {
                sample.line = error.line;
                sample.column = error.column;
                sample.message = Some(error.message);
            }
        }
        Ok(sample)
    }
}

/// Returns when a waiting file is tried again.
fn next_at(entry: &Entry) -> Option<Timestamp> {
    Some(entry.retry?.due(job_plan::now(), RetryPolicy::LONGEST))
}

/// How a file counts in a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Failed,
    Waiting,
    Suspected,
}

/// Returns where a file counts: a pending one can wait for another attempt, and be suspected of a crash besides.
fn places(entry: &Entry) -> [Option<(ErrorClass, Place)>; 2] {
    match entry.state() {
        EntryState::Ok => [None, None],
        EntryState::Failed(class) => [Some((class, Place::Failed)), None],
        EntryState::Pending => [
            entry.retry.map(|retry| (retry.class, Place::Waiting)),
            (entry.crashes > 0).then_some((ErrorClass::Crash, Place::Suspected)),
        ],
    }
}

#[derive(Debug, Default)]
struct ClassFailures {
    failed: u64,
    quarantined: u64,
    waiting: u64,
    next_at: Option<Timestamp>,
    suspected: u64,
    failed_files: Vec<(FileKey, Entry)>,
    other_files: Vec<(FileKey, Entry)>,
}

impl ClassFailures {
    fn add(&mut self, place: Place, key: &[u8], entry: &Entry, samples: usize) {
        match place {
            Place::Failed => {
                self.failed += 1;
                self.quarantined += u64::from(entry.quarantined);
            }
            Place::Waiting => {
                self.waiting += 1;
                self.next_at = [self.next_at, next_at(entry)].into_iter().flatten().min();
            }
            Place::Suspected => self.suspected += 1,
        }
        let files = if place == Place::Failed { &mut self.failed_files } else { &mut self.other_files };
        let is_new = files.last().is_none_or(|(last, _)| last.as_bytes() != key);
        if files.len() < samples && is_new {
            files.extend(FileKey::from_bytes(key).map(|key| (key, *entry)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{RecordRef, Retry};

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds)
    }

    #[test]
    fn a_file_counts_where_its_last_attempt_ended() {
        use Place::{Failed, Suspected, Waiting};
        let record = |failure| RecordRef {
            position: LogPosition::START,
            epoch: 1,
            digest: None,
            failure,
            carried: false,
        };
        let done = |failure| Entry { record: Some(record(failure)), ..Entry::default() };
        assert_eq!(places(&done(None)), [None, None]);
        assert_eq!(places(&done(Some(ErrorClass::Parse))), [Some((ErrorClass::Parse, Failed)), None]);
        let due = Entry { pending: true, ..done(Some(ErrorClass::Parse)) };
        assert_eq!(places(&due), [None, None], "due again: what was no longer counts");
        let retry = Some(Retry { class: ErrorClass::Timeout, at: at(9) });
        let both = Entry { retry, crashes: 1, ..due };
        let expected = [Some((ErrorClass::Timeout, Waiting)), Some((ErrorClass::Crash, Suspected))];
        assert_eq!(places(&both), expected);
    }

    #[test]
    fn the_earliest_attempt_is_told_and_samples_are_bounded() {
        let mut failures = ClassFailures::default();
        for (number, due) in [5, 3, 7].into_iter().enumerate() {
            let key = FileKey::from_relative_path(crate::model::RootId(1), &[b'a' + number as u8]).unwrap();
            let retry = Some(Retry { class: ErrorClass::Unstable, at: at(due) });
            let entry = Entry { pending: true, retry, ..Entry::default() };
            failures.add(Place::Waiting, key.as_bytes(), &entry, 2);
        }
        assert_eq!((failures.waiting, failures.next_at, failures.other_files.len()), (3, Some(at(3)), 2));
    }
}
