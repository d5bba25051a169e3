//! The outcome of a file, as it is passed to the coordinator.

use std::hash::BuildHasher;

use super::context::WorkContext;
use super::outcome::{Attempt, Outcome, OutcomeGroup, ReadFile};
use super::slots::{Reclaimed, Stage};
use crate::engine::lifecycle::transition::{AttemptOutcome, Attempted, FileEvent};
use crate::ledger::{Entry, LedgerError, LedgerReader, Retry};
use crate::model::{
    BatchConfig, Clock, Digest, DiscoveredFile, ErrorClass, FileError, FileKey, Fingerprint, RecordLine,
    RecordStatus, Resource, Timestamp,
};
use crate::source::Content;

/// Creates the outcome of a failed file that no worker will report, as if a worker had.
pub(crate) fn failed_outcome(
    context: &WorkContext,
    worker: usize,
    batch_id: u64,
    file: &DiscoveredFile,
    error: &FileError,
    short_of: Option<Resource>,
) -> OutcomeGroup {
    let mut group = OutcomeGroup { batch_id, worker, ..OutcomeGroup::default() };
    put_failure(context, &mut group, file, None, error, short_of);
    group
}

/// Creates the outcome of a file that took too long; none if there was no current file.
pub(crate) fn overdue_outcome(context: &WorkContext, reclaimed: &Reclaimed) -> Option<OutcomeGroup> {
    let limit = context.config.timeout_seconds;
    let (class, message, short_of) = match reclaimed.stage {
        Stage::Waiting | Stage::Reading => {
            let message = format!("reading took longer than {limit} s; look after its disk or mount");
            (ErrorClass::IoTransient, message, Resource::Files)
        }
        Stage::Processing => {
            let FileError { class, message, .. } = too_slow(&context.config);
            (class, message, Resource::Processor)
        }
    };
    let file = reclaimed.file.as_ref()?;
    let error = FileError::new(class, message);
    Some(failed_outcome(context, reclaimed.worker, reclaimed.batch_id, file, &error, Some(short_of)))
}

/// Returns the failure of a file whose processing takes too long.
pub(super) fn too_slow(config: &BatchConfig) -> FileError {
    let limit = config.timeout_seconds;
    FileError::new(ErrorClass::Timeout, format!("processing took longer than {limit} s; raise `timeout`"))
}

/// Creates the outcome of the file that was alone in flight when the kernel killed an earlier process for want of
/// memory; none if it is not pending any more.
pub(crate) fn blamed_outcome(
    context: &WorkContext,
    reader: &LedgerReader,
    key: FileKey,
) -> Result<Option<OutcomeGroup>, LedgerError> {
    let Some(entry) = reader.get(&key)?.filter(|entry| entry.pending) else { return Ok(None) };
    let Entry { fingerprint, attempts, crashes, .. } = entry;
    let file = DiscoveredFile { key, fingerprint, attempts, recorded: None };
    Ok(Some(crashed_outcome(context, 0, 0, &file, crashes)))
}

/// Creates the outcome of a file that brings the process down, as it did `crashes_before` times.
pub(crate) fn crashed_outcome(
    context: &WorkContext,
    worker: usize,
    batch_id: u64,
    file: &DiscoveredFile,
    crashes_before: u8,
) -> OutcomeGroup {
    let mut group = OutcomeGroup { batch_id, worker, ..OutcomeGroup::default() };
    let crashes = u16::from(crashes_before) + 1;
    if crashes < context.config.retry_policy(ErrorClass::Crash).attempts {
        push(&mut group, file, AttemptOutcome::Crashed, 0, None);
        return group;
    }
    let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
    let message = format!("brought the process down {times}; `outlast retry` tries it again");
    let error = FileError::new(ErrorClass::Crash, message);
    put_record(context, &mut group, file, None, Err(&error), None);
    group
}

/// Adds the outcome of an attempt to a group.
pub(super) fn put(
    context: &WorkContext,
    group: &mut OutcomeGroup,
    file: &DiscoveredFile,
    attempt: Attempt,
    result: &[u8],
) {
    match attempt {
        Attempt::Plain(end) => push(group, file, end, 0, None),
        Attempt::Unchanged(Content { fingerprint, size, racy }) => {
            group.bytes += size;
            push(group, file, AttemptOutcome::Unchanged { fingerprint, racy }, 0, None);
        }
        Attempt::Processed(read) => put_record(context, group, file, Some(&read), Ok(result), None),
        Attempt::Failed { read, error, short_of } => {
            put_failure(context, group, file, read.as_ref(), &error, short_of);
        }
    }
}

fn put_failure(
    context: &WorkContext,
    group: &mut OutcomeGroup,
    file: &DiscoveredFile,
    read: Option<&ReadFile>,
    error: &FileError,
    short_of: Option<Resource>,
) {
    let Some(retry) = another_attempt(file, error, &context.config, &context.clock) else {
        return put_record(context, group, file, read, Err(error), short_of);
    };
    group.bytes += read.map_or(0, |read| read.content.size);
    push(group, file, AttemptOutcome::Again(retry), 0, short_of.or(read.map(|_| Resource::Processor)));
}

fn put_record(
    context: &WorkContext,
    group: &mut OutcomeGroup,
    file: &DiscoveredFile,
    read: Option<&ReadFile>,
    result: Result<&[u8], &FileError>,
    short_of: Option<Resource>,
) {
    let Some(root) = context.roots.get(file.key.root()) else {
        return push(group, file, AttemptOutcome::Released, 0, None);
    };
    let fingerprint = read.map_or(file.fingerprint, |read| read.content.fingerprint);
    let size = read.map_or(fingerprint.size, |read| read.content.size);
    group.bytes += read.map_or(0, |_| size);
    let before = group.lines.len();
    let line = RecordLine {
        root: &root.name,
        key: &file.key,
        status: if result.is_err() { RecordStatus::Failed } else { RecordStatus::Ok },
        fingerprint: Some(&Fingerprint { size, ..fingerprint }),
        digest: read.map(|read| &read.hash),
        processor: context.processor.identity(),
        attempts: file.attempts.saturating_add(1),
        result: result.ok(),
        error: result.err(),
    };
    line.begin(&mut group.lines);
    let line = group.lines.len() - before;
    let end = AttemptOutcome::Recorded {
        fingerprint,
        racy: read.is_some_and(|read| read.content.racy),
        digest: read.map(|read| Digest::from_hash(&read.hash)),
        failure: result.err().map(|error| error.class),
    };
    push(group, file, end, line, short_of);
}

fn push(
    group: &mut OutcomeGroup,
    file: &DiscoveredFile,
    end: AttemptOutcome,
    line: usize,
    short_of: Option<Resource>,
) {
    let change = FileEvent::Ended(Attempted { claimed: file.fingerprint, end, outdated: false });
    group.outcomes.push(Outcome { key: file.key.clone(), change, line, short_of });
}

/// Returns when the file is tried again after this failure, if it is: by the policy of its class. A failure of the
/// processor's own is final unless the processor says that it may pass.
fn another_attempt(
    file: &DiscoveredFile,
    error: &FileError,
    config: &BatchConfig,
    clock: &Clock,
) -> Option<Retry> {
    let class = error.class;
    let policy = config.retry_policy(class);
    let attempt = file.attempts.saturating_add(1);
    if attempt >= policy.attempts || !class.can_pass() || (class == ErrorClass::Processor && !error.may_pass)
    {
        return None;
    }
    let now = clock.time();
    let seed = rustc_hash::FxBuildHasher.hash_one((&file.key, now.0));
    let pause = i64::try_from(policy.pause(attempt, seed).as_nanos()).unwrap_or(i64::MAX);
    Some(Retry { class, at: Timestamp(now.0.saturating_add(pause)) })
}
