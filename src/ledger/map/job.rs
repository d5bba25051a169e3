//! Jobs, as the ledger remembers them: waiting ones, the running one, and those that ended last.

use std::collections::BTreeMap;
use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::codec;
use crate::model::{Cursor, Timestamp};

pub(crate) const JOB_PREFIX: &[u8] = b"job/";
/// Version of a job's encoding. Version 1 is still read.
const JOB_VERSION: u8 = 2;

/// Why a job exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// A run: it scans its roots and ends when all is processed.
    #[default]
    Run,
    /// A watcher's standing job: it scans nothing and follows changes.
    Watch,
    /// The first scan of roots that were added to a watcher.
    Added,
    /// A scan on request.
    Rescan,
    /// A scan due by its schedule.
    Scheduled,
    /// A watcher's own scan, to find what its events did not report.
    Reconcile,
    /// A run that looks at the files of a list only.
    Listed,
}

impl JobKind {
    /// Returns whether a process does this job and no other.
    pub fn is_run(self) -> bool {
        matches!(self, Self::Run | Self::Listed)
    }
}

/// As in JSON.
impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Watch => "watch",
            Self::Added => "added",
            Self::Rescan => "rescan",
            Self::Scheduled => "scheduled",
            Self::Reconcile => "reconcile",
            Self::Listed => "listed",
        })
    }
}

/// How a job ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum JobEnd {
    /// It runs, or the process was killed.
    Running,
    /// Everything was processed.
    Completed,
    /// It was asked to stop; the rest is pending.
    Interrupted,
    /// It could not go on.
    Failed,
    /// It waits for its turn.
    Queued,
    /// It was cancelled before its end.
    Cancelled,
}

impl JobEnd {
    /// Returns whether this end is final. A job that neither runs nor waits is forgotten some day.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Queued)
    }
}

/// One job, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Job {
    /// Its number, from 1.
    pub id: u64,
    /// Why the job exists.
    pub kind: JobKind,
    /// Higher ones go first; 0 is the default.
    pub priority: i16,
    /// A folder or file below its one root, relative to it, if the job is limited to that.
    pub scope: Option<String>,
    /// When it was requested; for a run, the time of its start.
    pub queued: Timestamp,
    /// When it last began; the same as `queued` while it has not.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub end: JobEnd,
    /// Its roots.
    pub roots: Vec<u32>,
    /// Its configuration, in JSON.
    pub config: String,
    /// The cursor at its beginning.
    pub start: Cursor,
    /// Entries it found that are not directories and whose names the filters let in.
    pub discovered: u64,
    /// What it did.
    pub counts: JobCounts,
}

/// What a job did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct JobCounts {
    /// Files processed.
    pub ok: u64,
    /// Files that failed.
    pub failed: u64,
    /// Files that were done already.
    pub unchanged: u64,
    /// Files that no longer exist.
    pub removed: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Job {
    /// Returns whether it ever began: a cancelled job may not have.
    pub fn has_begun(&self) -> bool {
        self.started > self.queued || !matches!(self.end, JobEnd::Queued | JobEnd::Cancelled)
    }
}

/// A job of version 1: a run.
#[derive(Decode)]
#[cfg_attr(test, derive(Clone, Debug, Encode))]
struct JobV1 {
    id: u64,
    started: Timestamp,
    ended: Option<Timestamp>,
    end: JobEnd,
    roots: Vec<u32>,
    config: String,
    start: Cursor,
    counts: JobCounts,
}

impl From<JobV1> for Job {
    fn from(old: JobV1) -> Self {
        let counts = old.counts;
        Self {
            id: old.id,
            kind: JobKind::Run,
            priority: 0,
            scope: None,
            queued: old.started,
            started: old.started,
            ended: old.ended,
            end: old.end,
            roots: old.roots,
            config: old.config,
            start: old.start,
            // At least these: what was skipped or left pending was not recorded.
            discovered: counts.ok.saturating_add(counts.failed).saturating_add(counts.unchanged),
            counts,
        }
    }
}

/// Returns the key of a job's value.
pub(crate) fn job_key(id: u64) -> Vec<u8> {
    [JOB_PREFIX, &id.to_be_bytes()].concat()
}

/// Encodes a job's value.
pub(crate) fn encode_job(key: &[u8], job: &Job) -> Result<Vec<u8>, &'static str> {
    codec::encode_as(JOB_VERSION, key, job)
}

/// Decodes the job of a value, as this or an earlier version wrote it.
pub(crate) fn decode_job(key: &[u8], value: &[u8]) -> Result<Job, &'static str> {
    match codec::unseal_any(key, value)? {
        (JOB_VERSION, body) => codec::decode_body(body),
        (codec::VERSION, body) => codec::decode_body::<JobV1>(body).map(Job::from),
        _ => Err(codec::UNKNOWN_VERSION),
    }
}

/// The known jobs, and how many ended ones are kept.
#[derive(Debug)]
pub(crate) struct Jobs {
    ends: BTreeMap<u64, JobEnd>,
    kept: usize,
}

impl Jobs {
    /// Creates the list of these jobs; all are kept until [`Jobs::keep`] sets a limit.
    pub(crate) fn new(ends: BTreeMap<u64, JobEnd>) -> Self {
        Self { ends, kept: usize::MAX }
    }

    /// Keeps this many ended jobs from the next one on that begins or ends.
    pub(crate) fn keep(&mut self, kept: usize) {
        self.kept = kept;
    }

    /// Records a job's state, and returns the jobs that are forgotten for it, the oldest first.
    pub(crate) fn put(&mut self, job: &Job) -> Vec<u64> {
        // Each tick puts the running job: only a change can make too many.
        if self.ends.insert(job.id, job.end) == Some(job.end) {
            return Vec::new();
        }
        let ended = || self.ends.iter().filter(|(_, end)| end.is_final());
        let surplus = ended().count().saturating_sub(self.kept);
        let gone: Vec<u64> = ended().map(|(&id, _)| id).take(surplus).collect();
        self.ends.retain(|id, _| !gone.contains(id));
        gone
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::LogPosition;

    fn any_end() -> impl Strategy<Value = JobEnd> {
        prop_oneof![
            Just(JobEnd::Running),
            Just(JobEnd::Completed),
            Just(JobEnd::Interrupted),
            Just(JobEnd::Failed),
            Just(JobEnd::Queued),
            Just(JobEnd::Cancelled),
        ]
    }

    fn any_kind() -> impl Strategy<Value = JobKind> {
        prop_oneof![
            Just(JobKind::Run),
            Just(JobKind::Watch),
            Just(JobKind::Added),
            Just(JobKind::Rescan),
            Just(JobKind::Scheduled),
            Just(JobKind::Reconcile),
            Just(JobKind::Listed),
        ]
    }

    prop_compose! {
        fn any_old()(
            (id, started, ended) in any::<(u64, i64, Option<i64>)>(),
            end in any_end().prop_filter("of version 1", |end| *end as u8 <= JobEnd::Failed as u8),
            (roots, config) in (proptest::collection::vec(any::<u32>(), 0..9), any::<String>()),
            (tick, segment, offset) in any::<(u64, u32, u64)>(),
            counts in any::<[u64; 5]>(),
        ) -> JobV1 {
            let [ok, failed, unchanged, removed, bytes] = counts;
            let start = Cursor { tick, log: LogPosition { segment, offset } };
            let started = Timestamp(started);
            let ended = ended.map(Timestamp);
            let counts = JobCounts { ok, failed, unchanged, removed, bytes };
            JobV1 { id, started, ended, end, roots, config, start, counts }
        }
    }

    prop_compose! {
        fn any_job()(
            old in any_old(),
            (kind, end) in (any_kind(), any_end()),
            (priority, scope) in any::<(i16, Option<String>)>(),
            (queued, discovered) in any::<(i64, u64)>(),
        ) -> Job {
            Job { kind, end, priority, scope, queued: Timestamp(queued), discovered, ..old.into() }
        }
    }

    proptest! {
        #[test]
        fn a_job_is_read_as_it_was_written(job in any_job()) {
            let key = job_key(job.id);
            let value = encode_job(&key, &job).unwrap();
            prop_assert_eq!(decode_job(&key, &value), Ok(job));
        }

        #[test]
        fn a_job_of_the_version_before_is_a_run(old in any_old()) {
            let key = job_key(old.id);
            let job = decode_job(&key, &codec::encode(&key, &old).unwrap()).unwrap();
            prop_assert_eq!((job.kind, job.priority, &job.scope), (JobKind::Run, 0, &None));
            prop_assert_eq!((job.queued, job.has_begun()), (old.started, true));
            prop_assert_eq!((job.id, job.end, job.start), (old.id, old.end, old.start));
            prop_assert_eq!((job.started, job.ended), (old.started, old.ended));
            prop_assert_eq!((job.roots, job.config), (old.roots, old.config));
            prop_assert_eq!(job.counts, old.counts);
        }

        #[test]
        fn no_more_ended_jobs_are_kept_than_asked_for_and_all_others_are(
            kept in 1_usize..5,
            changes in proptest::collection::vec((1_u64..20, any_end()), 0..80),
        ) {
            let mut jobs = Jobs::new(BTreeMap::new());
            jobs.keep(kept);
            let mut all = BTreeMap::new();
            for (id, end) in changes {
                all.insert(id, end);
                let gone = jobs.put(&job(id, end));
                let ended: Vec<u64> = all.iter().filter(|(_, end)| end.is_final()).map(|(&id, _)| id).collect();
                prop_assert_eq!(&gone[..], &ended[..ended.len().saturating_sub(kept)]);
                all.retain(|id, _| !gone.contains(id));
                prop_assert_eq!(&jobs.ends, &all);
            }
        }
    }

    fn job(id: u64, end: JobEnd) -> Job {
        let started = Timestamp(7);
        let start = Cursor::default();
        let roots = vec![1];
        let config = "{}".to_owned();
        let counts = JobCounts { ok: 1, failed: 2, unchanged: 3, removed: 4, bytes: 5 };
        JobV1 { id, started, ended: None, end, roots, config, start, counts }.into()
    }

    /// The bytes themselves, since both sides of the other tests would change together.
    #[test]
    fn the_bytes_that_the_version_before_wrote_are_read() {
        let mut value = vec![1, 9, 14, 1, 16, 3, 1, 1, 2, b'{', b'}', 4, 1, 6, 1, 2, 3, 4, 5];
        let key = job_key(9);
        codec::seal(&key, &mut value);
        let log = LogPosition { segment: 1, offset: 6 };
        let expected = Job {
            ended: Some(Timestamp(8)),
            start: Cursor { tick: 4, log },
            discovered: 6,
            ..job(9, JobEnd::Failed)
        };
        assert_eq!(decode_job(&key, &value), Ok(expected));
    }

    #[test]
    fn a_job_of_a_later_version_is_refused() {
        let key = job_key(1);
        let job = job(1, JobEnd::Queued);
        let value = codec::encode_as(JOB_VERSION + 1, &key, &job).unwrap();
        assert_eq!(decode_job(&key, &value), Err(codec::UNKNOWN_VERSION));
    }

    #[test]
    fn what_is_cancelled_or_waits_may_have_begun_before() {
        let waits = job(1, JobEnd::Queued);
        assert!(!waits.has_begun());
        assert!(Job { started: Timestamp(8), ..waits.clone() }.has_begun(), "it had to wait again");
        assert!(!Job { end: JobEnd::Cancelled, ..waits.clone() }.has_begun());
        assert!(Job { end: JobEnd::Running, ..waits }.has_begun());
    }
}
