//! The values of all settings, each in a field of its type.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::problem::{Problem, Sourced};
use super::shard::ShardChoice;
use crate::engine::WatchOptions;
use crate::model::{BatchConfig, ErrorClass, RetryPolicy, RootName};
use crate::process::Limits;
use crate::process::exec::ExecCommand;
use crate::service::schedule::ScheduleSettings;

/// The values of all settings. Where a default depends on another setting, `None` stands for it.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The configuration of a run. As set, it is without the number of workers and the retries.
    pub batch: BatchConfig,
    /// The number of workers.
    pub workers: Option<Sourced<usize>>,
    /// The most workers.
    pub workers_max: Option<usize>,
    /// The retries of each class.
    pub(super) retry: BTreeMap<ErrorClass, Retries>,
    /// How much of a document goes into its record.
    pub limits: Limits,
    /// The state folder.
    pub state: PathBuf,
    /// The record folder, if one is set.
    pub out: Option<PathBuf>,
    /// The shard, as it was given.
    pub shard: Option<Sourced<ShardChoice>>,
    /// Whether a shard may be on a file system whose locks don't exclude other machines.
    pub unsafe_locks: bool,
    /// The roots that have a name.
    pub roots: Sourced<Vec<NamedRoot>>,
    /// The command that processes files, if it is not the AST processor that does.
    pub exec: Option<Sourced<ExecCommand>>,
    /// The version of that command.
    pub processor_version: Option<String>,
    /// The longest time until a child of it is ready.
    pub exec_start_timeout: Duration,
    /// Files after which a child is replaced.
    pub exec_recycle: Option<u64>,
    /// Memory above which a child is replaced, in bytes.
    pub exec_memory: Option<u64>,
    /// What is logged.
    pub log_level: String,
    /// How the log on stderr is written.
    pub log_format: LogFormat,
    /// An additional log file.
    pub log_file: Option<Sourced<PathBuf>>,
    /// What the exit code says of known failures.
    pub known_failures: KnownFailures,
    /// Whether progress is shown.
    pub progress: ProgressMode,
    /// The time between two heartbeat lines.
    pub heartbeat: Duration,
    /// How a process follows changes.
    pub watching: WatchOptions,
    /// When all roots are scanned again. As set, it is without the cron expression.
    pub schedule: ScheduleSettings,
    /// Times of scans.
    pub cron: Option<Sourced<String>>,
    /// Where HTTP is served.
    pub listen: Option<Sourced<SocketAddr>>,
    /// The file with the token that clients of HTTP present, if one is set.
    pub token_file: Option<Sourced<PathBuf>>,
}

/// The retries of one class of failures.
#[derive(Debug, Clone, Default)]
pub(super) struct Retries {
    pub(super) attempts: Option<u16>,
    pub(super) backoff_ms: Option<u64>,
    pub(super) backoff_max_ms: Option<Sourced<u64>>,
}

/// A root with the name that its records have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRoot {
    /// The name.
    pub name: RootName,
    /// The folder.
    pub path: PathBuf,
}

/// How the log on stderr is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// As lines for people.
    Human,
    /// As a JSON object on each line.
    Json,
}

/// Whether a process shows its progress on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgressMode {
    /// As a bar on a terminal, and as lines elsewhere.
    Auto,
    /// As a bar.
    Always,
    /// It shows none.
    Never,
}

/// What the exit code of a run says of failures that an earlier run recorded, of files that are unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownFailures {
    /// Some files failed, as long as any file does.
    Fail,
    /// Done, where no other file failed.
    Ok,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            batch: BatchConfig::default(),
            workers: None,
            workers_max: None,
            retry: ErrorClass::ALL.map(|class| (class, Retries::default())).into(),
            limits: Limits::default(),
            state: ".outlast".into(),
            out: None,
            shard: None,
            unsafe_locks: false,
            roots: Sourced::default(Vec::new()),
            exec: None,
            processor_version: None,
            exec_start_timeout: Duration::from_secs(30),
            exec_recycle: None,
            exec_memory: None,
            log_level: "warn".to_owned(),
            log_format: LogFormat::Human,
            log_file: None,
            known_failures: KnownFailures::Fail,
            progress: ProgressMode::Auto,
            heartbeat: Duration::from_secs(5),
            watching: WatchOptions::default(),
            schedule: ScheduleSettings::default(),
            cron: None,
            listen: None,
            token_file: None,
        }
    }
}

impl Fields {
    /// Derives defaults from other settings: `workers-max` from `workers`, attempts of a class from `retry-attempts`,
    /// and a longest pause from the first one.
    pub(super) fn derived(mut self) -> Self {
        let cores = self.batch.worker_count;
        // An explicit number of workers is also the maximum.
        let most = self.workers.as_ref().map_or(BatchConfig::WORKERS_MAX.max(cores), |set| set.value);
        self.batch.workers_max = *self.workers_max.get_or_insert(most);
        self.batch.worker_count = self.workers.get_or_insert(Sourced::default(cores)).value;
        self.schedule.cron = self.cron.as_ref().map(|cron| cron.value.clone());
        for (&class, retries) in &mut self.retry {
            let default = RetryPolicy::default_of(class, self.batch.retry_attempts);
            if let Some(policy) = retries.derive(default) {
                self.batch.retry.insert(class, policy);
            }
        }
        self
    }
}

/// What stands for the number of the shard in a path.
const SHARD: &str = "{shard}";

impl Fields {
    /// Takes the shard for a process with these variables: also in the paths that name it.
    pub(super) fn sharded(mut self, variables: &BTreeMap<OsString, OsString>) -> Self {
        let Some(Ok(shard)) = self.shard.as_ref().map(|choice| choice.value.settle(variables)) else {
            return self;
        };
        self.batch.shard = Some(shard);
        let log_file = self.log_file.as_mut().map(|file| &mut file.value);
        for path in [Some(&mut self.state), self.out.as_mut(), log_file].into_iter().flatten() {
            *path = replaced(path, SHARD.as_bytes(), shard.padded().as_bytes());
        }
        self
    }

    /// Returns why a process with these variables has no shard, although one was given.
    pub(super) fn lacks_shard(&self, variables: &BTreeMap<OsString, OsString>) -> Option<Problem> {
        let choice = self.shard.as_ref()?;
        let error = choice.value.settle(variables).err()?;
        Some(choice.problem(format!("shard is {}: {error}", choice.value)))
    }

    /// Returns whether the state's path names a shard, and there is none.
    pub(super) fn state_needs_shard(&self) -> bool {
        let has_place = |path: &Path| {
            path.as_os_str().as_bytes().windows(SHARD.len()).any(|part| part == SHARD.as_bytes())
        };
        self.batch.shard.is_none() && has_place(&self.state)
    }
}

/// Returns a path with each occurrence of a text replaced.
fn replaced(path: &Path, text: &[u8], with: &[u8]) -> PathBuf {
    let mut rest = path.as_os_str().as_bytes();
    let mut made = Vec::with_capacity(rest.len());
    while let Some(at) = rest.windows(text.len()).position(|part| part == text) {
        made.extend_from_slice(&rest[..at]);
        made.extend_from_slice(with);
        rest = &rest[at + text.len()..];
    }
    made.extend_from_slice(rest);
    OsString::from_vec(made).into()
}

impl Retries {
    /// Derives what is not set, and returns the policy if any part is set.
    fn derive(&mut self, default: RetryPolicy) -> Option<RetryPolicy> {
        let Self { attempts, backoff_ms, backoff_max_ms } = self;
        let is_set = attempts.is_some() || backoff_ms.is_some() || backoff_max_ms.is_some();
        let attempts = *attempts.get_or_insert(default.attempts);
        let backoff_ms = *backoff_ms.get_or_insert(default.backoff_ms);
        let longest = Sourced::default(default.backoff_max_ms.max(backoff_ms));
        let backoff_max_ms = backoff_max_ms.get_or_insert(longest).value;
        is_set.then_some(RetryPolicy { attempts, backoff_ms, backoff_max_ms })
    }
}
