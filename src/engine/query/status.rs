//! Queries of a state, during a run and after.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::jobs::JobStatus;
use crate::engine::consumers::ConsumerStatus;
use crate::engine::error::EngineError;
use crate::engine::job_plan::config_of;
use crate::engine::roots;
use crate::engine::stats::{BatchStatistics, lossy};
use crate::engine::store::StoreView;
use crate::ledger::{Counts, Entry, EntryState, Job};
use crate::model::{
    BatchConfig, BatchPriority, Cursor, FileKey, Fingerprint, LogPosition, PriorityCounts, PriorityRule,
    PriorityRules, RecordCursor, RecordHead, Root, RootId, Timestamp, without_copy_mark,
};
use crate::sink::{LineReader, segment_bytes, segments};
use crate::source::{TreeSource, Verdict};

/// Answer of `outlast status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusReport {
    /// What has been committed.
    pub cursor: Cursor,
    /// The same end of the records, as `outlast records --since` takes it.
    pub records_end: RecordCursor,
    /// Counts of all files of the state.
    pub total: StateCounts,
    /// The pending ones of these, by class of priority.
    #[serde(default)]
    pub pending_by_class: PriorityCounts,
    /// Counts by root.
    pub roots: Vec<RootStatus>,
    /// The jobs so far, oldest first.
    pub jobs: Vec<JobStatus>,
    /// Size of the state folder without the records, in bytes.
    pub state_bytes: u64,
    /// Size of the record files, in bytes.
    pub records_bytes: u64,
    /// The record folder.
    #[serde(serialize_with = "lossy")]
    pub records: PathBuf,
    /// Consumers of the record log, by name.
    #[serde(default)]
    pub consumers: Vec<ConsumerStatus>,
    /// Figures of the current run, if there is one.
    pub running: Option<BatchStatistics>,
}

/// Files of a state or root, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts {
    /// Files that are due.
    pub pending: u64,
    /// Files whose latest record says `ok`.
    pub ok: u64,
    /// Files whose latest record says `failed`.
    pub failed: u64,
    /// Total size of all these files, in bytes.
    pub bytes: u64,
}

impl From<Counts> for StateCounts {
    fn from(counts: Counts) -> Self {
        Self { pending: counts.pending, ok: counts.ok, failed: counts.failed, bytes: counts.bytes }
    }
}

/// One root's counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RootStatus {
    /// Name in the records.
    pub name: String,
    /// The folder.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Its files.
    #[serde(flatten)]
    pub counts: StateCounts,
}

/// State of a path in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It is due.
    Pending,
    /// It was processed.
    Ok,
    /// It failed, and is not due again as it is.
    Failed,
    /// The ledger does not know it.
    Unknown,
}

/// As in the JSON.
impl fmt::Display for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

/// Answer of `outlast explain`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The path asked for, absolute.
    pub path: String,
    /// Name of the root that contains it; `None` where none does.
    pub root: Option<String>,
    /// What a scan does with it now: `ingested`, or why it is left out.
    pub scan: String,
    /// Its state in the ledger.
    pub state: FileState,
    /// How soon it is processed when it is due, by the rules of the latest job; `None` under no root.
    #[serde(default)]
    pub priority: Option<FilePriority>,
    /// That job; `None` under no root, and before the first.
    #[serde(default)]
    pub rules_of: Option<RulesOfJob>,
    /// How soon by the rules that the client has now, where they say something else: they hold from its next job on.
    #[serde(default)]
    pub next_priority: Option<FilePriority>,
    /// Attempts at the current version that failed with an error that may pass.
    pub attempts: u16,
    /// Size as last seen, in bytes.
    pub size: Option<u64>,
    /// Modification time as last seen; `None` where no record can hold it.
    pub mtime: Option<Timestamp>,
    /// Whether the next scan compares the content, since the times alone don't decide.
    pub recheck: bool,
    /// Position of its latest record.
    pub position: Option<LogPosition>,
    /// Its latest record.
    pub record: Option<Box<RawValue>>,
}

/// The job whose priority rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesOfJob {
    /// Its number.
    pub job_id: u64,
    /// When it was started.
    pub started: Timestamp,
}

/// The priority of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePriority {
    /// Its class.
    pub class: BatchPriority,
    /// Number of the rule that gives it that, from 1; `None` where no rule matches.
    pub rule: Option<usize>,
    /// The rule, as `--priority` takes it.
    pub text: Option<String>,
    /// Where the rule is from, such as `/srv/outlast.toml:12`.
    pub origin: Option<String>,
}

impl FilePriority {
    /// Returns what this rule, the first that matches, and its number say.
    fn by(first: Option<(usize, PriorityRule)>) -> Self {
        first.map_or_else(Self::default, |(number, rule)| Self {
            class: rule.class,
            rule: Some(number),
            text: Some(rule.to_string()),
            origin: Some(rule.origin).filter(|origin| !origin.is_empty()),
        })
    }
}

/// As `explain` prints it.
impl fmt::Display for FilePriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, rule, text, origin } = self;
        write!(f, "{class}")?;
        let (Some(number), Some(text)) = (rule, text) else { return f.write_str(", as no rule matches") };
        write!(f, " by rule {number}: {text}")?;
        origin.as_ref().map_or(Ok(()), |origin| write!(f, " ({origin})"))
    }
}

impl StoreView {
    /// Returns counts, jobs and sizes. `running` has the figures of the current run.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn status(&self, running: Option<BatchStatistics>) -> Result<StatusReport, EngineError> {
        let roots = self.roots.iter().map(|root| RootStatus {
            name: root.name.clone(),
            path: root.path.clone(),
            counts: self.reader.counts(root.id).into(),
        });
        let mut records_bytes = 0;
        for (_, path) in segments(&self.records)? {
            records_bytes += segment_bytes(&path)?;
        }
        let cursor = self.reader.cursor();
        Ok(StatusReport {
            cursor,
            records_end: self.cursor_at(cursor.log),
            total: self.reader.total().into(),
            pending_by_class: self.reader.pending(),
            roots: roots.collect(),
            jobs: self.known_jobs()?.iter().map(|job| JobStatus::of(job, running.is_some())).collect(),
            state_bytes: self.reader.size_on_disk()?,
            records_bytes,
            records: self.records.clone(),
            consumers: self.consumers()?,
            running,
        })
    }

    /// Returns what the state and the filters of the latest job say of a path, and what these rules would, if they say
    /// something else.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn explain(
        &self,
        path: impl AsRef<Path>,
        rules: &[PriorityRule],
        tree: &dyn Fn(&BatchConfig) -> Result<TreeSource, EngineError>,
    ) -> Result<Explanation, EngineError> {
        let path = path.as_ref();
        let absolute = std::path::absolute(path).map_err(EngineError::io(path.display().to_string()))?;
        let mut answer = Explanation {
            path: absolute.to_string_lossy().into_owned(),
            root: None,
            scan: "lies under no root of this state".to_owned(),
            state: FileState::Unknown,
            priority: None,
            rules_of: None,
            next_priority: None,
            attempts: 0,
            size: None,
            mtime: None,
            recheck: false,
            position: None,
            record: None,
        };
        let Some((root, relative)) = self.root_of(&absolute) else { return Ok(answer) };
        answer.root = Some(root.name.clone());
        answer.scan = match self.verdict(root, &relative, tree)? {
            Some(verdict) => verdict.to_string(),
            None => "not scanned yet".to_owned(),
        };
        if let Some(key) = FileKey::from_relative_path(root.id, &relative) {
            let entry = self.reader.get(&key)?;
            let on_disk =
                || std::fs::symlink_metadata(&absolute).ok().map(|found| Fingerprint::from_metadata(&found));
            let version = entry.map(|entry| entry.fingerprint).or_else(on_disk);
            answer.priority = version.map(|version| FilePriority::by(self.reader.rule_of(&key, &version)));
            let of_job = |job: &Job| RulesOfJob { job_id: job.id, started: job.started };
            answer.rules_of = self.known_jobs()?.iter().rev().find(|job| job.has_begun()).map(of_job);
            let rules = PriorityRules::new(rules).unwrap_or_default();
            let now = Timestamp::from_system_time(SystemTime::now());
            let next = version.map(|version| rules.first(key.as_bytes(), &version, now));
            let next = next.map(|rule| FilePriority::by(rule.map(|(number, rule)| (number, rule.clone()))));
            let differs = |next: &FilePriority| {
                answer.priority.as_ref().is_some_and(|now| (now.class, &now.text) != (next.class, &next.text))
            };
            answer.next_priority = next.filter(differs);
            entry.map_or(Ok(()), |entry| self.tell_entry(&mut answer, &key, &entry))?;
        }
        Ok(answer)
    }

    fn tell_entry(&self, answer: &mut Explanation, key: &FileKey, entry: &Entry) -> Result<(), EngineError> {
        answer.state = match entry.state() {
            EntryState::Pending => FileState::Pending,
            EntryState::Ok => FileState::Ok,
            EntryState::Failed(_) => FileState::Failed,
        };
        answer.attempts = entry.attempts;
        answer.size = Some(entry.fingerprint.size);
        answer.mtime = entry.fingerprint.mtime.known();
        answer.recheck = entry.recheck;
        if let Some(record) = &entry.record {
            let line = self.line_of(&mut LineReader::new(&self.records), key.as_bytes(), record.position)?;
            let line = RecordHead::parse(&line).map(|head| without_copy_mark(&line, &head).into_owned());
            answer.position = Some(record.position);
            let line = line.ok().and_then(|line| String::from_utf8(line).ok());
            answer.record = line.and_then(|line| RawValue::from_string(line).ok());
        }
        Ok(())
    }

    /// Returns the innermost root that contains a path, and the path relative to it.
    pub(crate) fn root_of(&self, absolute: &Path) -> Option<(&Root, Vec<u8>)> {
        let target = |root: &Root| self.targets.get(&root.id).cloned().unwrap_or_default();
        let places: Vec<(&Root, PathBuf)> = self.roots.iter().map(|root| (root, target(root))).collect();
        let inner = |path: &Path| {
            let (root, relative) = roots::root_above(&places, path)?;
            relative.components().all(|part| matches!(part, Component::Normal(_))).then_some(())?;
            Some((root, relative.as_os_str().as_bytes().to_vec()))
        };
        let real = absolute.parent().map(roots::resolved);
        let real = real.and_then(|parent| Some(parent.join(absolute.file_name()?)));
        match (inner(absolute), real.as_deref().and_then(inner)) {
            // Where two roots lead to it, the root by which it was named counts.
            (Some(named), Some((found, _)))
                if found.id != named.0.id && real.is_some_and(|real| real.starts_with(target(named.0))) =>
            {
                Some(named)
            }
            (named, found) => found.or(named),
        }
    }

    fn verdict(
        &self,
        root: &Root,
        relative: &[u8],
        tree: &dyn Fn(&BatchConfig) -> Result<TreeSource, EngineError>,
    ) -> Result<Option<Verdict>, EngineError> {
        let Some(tree) = self.tree_of(root.id, tree)? else { return Ok(None) };
        Ok(Some(tree.explain(&root.path, relative)))
    }

    /// Returns the tree as the latest job with this root sees it; `None` where there was no job.
    pub(crate) fn tree_of(
        &self,
        root: RootId,
        tree: &dyn Fn(&BatchConfig) -> Result<TreeSource, EngineError>,
    ) -> Result<Option<TreeSource>, EngineError> {
        let jobs = self.known_jobs()?;
        let scanned = |job: &&Job| job.has_begun() && job.roots.contains(&root.0);
        let Some(job) = jobs.iter().rev().find(scanned) else { return Ok(None) };
        Ok(Some(tree(&config_of(job, &self.state)?)?))
    }
}
