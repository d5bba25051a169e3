//! The effective settings: the configuration of a run, limits of records, paths, and logging.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::catalogue::catalogue;
use super::fields::{Fields, Retries};
use super::problem::{Origin, Problem, Sourced};
use super::setting::{Given, Setting};
use super::values::{Value, duration_text};
use crate::model::{BatchConfig, ErrorClass};
use crate::service::http::{HttpError, is_local};
use crate::service::schedule::system_zone;

/// A setting with its value.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value.
    pub value: Value,
    /// The source of the value.
    pub origin: Origin,
}

/// The value of every setting, in the order of the catalogue.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the layers set, with its source.
    pub(super) given: Vec<Option<(Given, Origin)>>,
    pub(super) fields: Fields,
    pub(super) all: Vec<Resolved>,
    pub(super) read: Read,
}

/// What was read for the settings.
#[derive(Debug, Clone)]
pub(super) struct Read {
    /// The files, by precedence.
    pub(super) files: Vec<PathBuf>,
    /// The chosen profile, and those that it inherits.
    pub(super) profiles: Vec<String>,
    pub(super) warnings: Vec<Problem>,
    /// The environment, with the number of the shard.
    pub(super) variables: BTreeMap<OsString, OsString>,
}

impl Settings {
    /// Creates the settings, of which these are given, in the order of the catalogue.
    pub(super) fn new(given: Vec<Option<(Given, Origin)>>, read: Read) -> Self {
        let mut fields = Fields::default();
        given.iter().flatten().for_each(|(value, _)| value.set(&mut fields));
        let mut fields = fields.derived().sharded(&read.variables);
        let mut resolved = |(setting, given): (&'static Setting, &Option<(Given, Origin)>)| Resolved {
            setting,
            value: setting.show(&mut fields),
            origin: given.as_ref().map_or(Origin::Default, |(_, origin)| origin.clone()),
        };
        let all = catalogue().iter().zip(&given).map(&mut resolved).collect();
        Self { given, fields, all, read }
    }

    /// Returns the values, each in its own type.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Returns every setting, with its value and source.
    pub fn all(&self) -> &[Resolved] {
        &self.all
    }

    /// Returns the files that were read, by precedence.
    pub fn files(&self) -> &[PathBuf] {
        &self.read.files
    }

    /// Returns what is ignored, and why: files that were found, and keys without an effect.
    pub fn warnings(&self) -> &[Problem] {
        &self.read.warnings
    }

    /// Returns the profile that was chosen, if one was, and those that it inherits, the nearest first.
    pub fn profiles(&self) -> &[String] {
        &self.read.profiles
    }

    /// Returns the roots of a command with these arguments: they, and those of flags; without either, all that the
    /// settings name.
    pub fn chosen_roots(&self, arguments: &[PathBuf]) -> Vec<PathBuf> {
        let is_of_flags = matches!(self.fields.roots.origin, Origin::Flag(_));
        let named = self.fields.roots.value.iter().filter(|_| is_of_flags || arguments.is_empty());
        arguments.iter().chain(named.map(|root| &root.path)).cloned().collect()
    }

    /// Returns the configuration of a job as flags of this command change it: no other layer of the settings counts.
    pub fn over_job(&self, job: BatchConfig) -> BatchConfig {
        let workers_max = job.workers_max;
        let mut fields = Fields { batch: job, ..Fields::default() };
        let is_of_flag = |origin: &Origin| matches!(origin, Origin::Flag(_));
        let given = self.given.iter().flatten().filter(|(_, origin)| is_of_flag(origin));
        given.for_each(|(value, _)| value.set(&mut fields));
        if fields.workers.is_none() {
            fields.workers_max.get_or_insert(workers_max);
        }
        fields.derived().batch
    }

    /// Returns what is logged. A bare level is meant for Outlast only: the messages of the libraries below it need an
    /// explicit target.
    pub fn log_filter(&self) -> String {
        let filter = &self.fields.log_level;
        if filter.contains(['=', ',']) { filter.clone() } else { format!("outlast={filter}") }
    }

    /// Returns why a process can't work with the shard that these settings name. Others don't need it.
    pub fn shard_problem(&self) -> Option<Problem> {
        let needs_one = || {
            let what = format!(
                "state is {}: {{shard}} stands for the number of a shard, and there is none; add --shard, such as 0/64",
                self.fields.state.display()
            );
            let origin = self.all.iter().find(|one| one.setting.key == "state")?.origin.clone();
            Some(Problem { origin, what })
        };
        let lacking = self.fields.lacks_shard(&self.read.variables);
        lacking.or_else(|| self.fields.state_needs_shard().then(needs_one).flatten())
    }

    /// Returns all values that don't go together.
    pub(super) fn conflicts(&self) -> Vec<Problem> {
        let Fields { retry, listen, token_file, cron, .. } = &self.fields;
        let mut problems: Vec<Problem> = retry.iter().filter_map(conflicting_pauses).collect();
        let open = listen.as_ref().filter(|listen| token_file.is_none() && !is_local(&listen.value));
        problems.extend(open.map(|open| open.problem(HttpError::Open(open.value).to_string())));
        let wrong_zone = |cron: &Sourced<_>| Some(cron.problem(format!("cron {}", system_zone().err()?)));
        problems.extend(cron.as_ref().and_then(wrong_zone));
        problems
    }
}

/// Finds a longest pause that is shorter than the first one.
fn conflicting_pauses((class, retries): (&ErrorClass, &Retries)) -> Option<Problem> {
    let first = retries.backoff_ms?;
    let longest = retries.backoff_max_ms.as_ref().filter(|longest| longest.value < first)?;
    let [is, least] = [longest.value, first].map(|millis| duration_text(Duration::from_millis(millis)));
    Some(longest.problem(format!(
        "retry.{class}.backoff-max is {is}: must be retry.{class}.backoff, which is {least}, or longer"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::load::given;
    use super::super::values::ValueInput;
    use super::*;
    use crate::model::{RetryPolicy, StrategyKind};
    use crate::process::Limits;

    fn with(flags: &[(&str, &str)]) -> Settings {
        given(flags).load().unwrap()
    }

    #[test]
    fn without_settings_all_is_as_the_library_has_it() {
        let settings = with(&[]);
        let config = settings.fields.batch;
        assert_eq!(config, BatchConfig { workers_max: config.workers_max, ..BatchConfig::default() });
        assert!(config.workers_max >= BatchConfig::WORKERS_MAX.max(config.worker_count));
        assert_eq!(settings.fields.limits, Limits::default());
        assert_eq!((settings.fields.state, settings.fields.out), (".outlast".into(), None));
    }

    /// Every setting reaches its destination, and its limits match those that a run checks.
    #[test]
    fn each_setting_changes_something_and_its_bounds_are_accepted() {
        let whole = |settings: &Settings| {
            let Fields { batch, limits, state, out, unsafe_locks, roots, watching, schedule, .. } =
                &settings.fields;
            let state = format!("{state:?} {out:?} {unsafe_locks:?} {:?}", roots.value);
            let run = format!("{batch:?} {limits:?} {state} {watching:?} {schedule:?}");
            let Fields {
                log_format, log_file, known_failures, progress, heartbeat, listen, token_file, ..
            } = &settings.fields;
            let files = [log_file, token_file].map(|file| file.as_ref().map(|file| &file.value));
            let listen = listen.as_ref().map(|listen| listen.value);
            let shown =
                format!("{log_format:?} {files:?} {known_failures:?} {progress:?} {heartbeat:?} {listen:?}");
            let Fields { exec, processor_version, exec_start_timeout, exec_recycle, exec_memory, .. } =
                &settings.fields;
            let exec = exec.as_ref().map(|exec| &exec.value);
            let command = format!(
                "{exec:?} {processor_version:?} {exec_start_timeout:?} {exec_recycle:?} {exec_memory:?}"
            );
            (run, shown, command, settings.log_filter())
        };
        let default = whole(&with(&[]));
        for setting in catalogue() {
            let values = match &setting.form.input {
                ValueInput::Word(words) => words.iter().map(String::as_str).collect(),
                ValueInput::Switch => vec!["true"],
                ValueInput::Items if setting.key == "root" => vec!["a=/a"],
                ValueInput::Items if setting.key == "priority" => vec!["*.x,newer-than:7d=high"],
                ValueInput::Items => vec!["*.x"],
                ValueInput::Path => vec!["/elsewhere"],
                ValueInput::Text => match setting.form.unit {
                    "filter" => vec!["debug"],
                    "files or %" => vec!["7"],
                    "times" => vec!["30 2 * * *"],
                    "address" => vec!["127.0.0.1:80"],
                    "command" => vec!["wc -l {}", "./index.py 'a b'"],
                    "version" => vec!["2"],
                    "shard" => vec!["3/64"],
                    _ => bounds(&setting.limits),
                },
            };
            let mut changed = false;
            for value in values.into_iter().filter(|value| !is_refused(&setting.key, value)) {
                let settings = with(&[(&setting.key, value)]);
                settings.fields.batch.check().unwrap();
                changed |= whole(&settings) != default;
            }
            assert!(changed, "{} does nothing", setting.key);
        }
    }

    /// The least and the greatest value.
    fn bounds(limits: &str) -> Vec<&str> {
        fn word(text: &str) -> &str {
            text.split([' ', ',', ';', ':']).next().unwrap()
        }
        match limits.split_once(" to ") {
            _ if limits.contains(" or more") => vec![word(limits), "16777215TiB"],
            Some((least, rest)) => vec![least, word(rest)],
            None => vec![word(limits)],
        }
    }

    /// A longest pause of zero is shorter than the first one.
    fn is_refused(key: &str, value: &str) -> bool {
        key.ends_with("backoff-max") && value == "0s"
    }

    #[test]
    fn a_number_of_workers_that_is_set_stays_unless_the_most_is_set_as_well() {
        let most = |flags: &[(&str, &str)]| {
            let config = with(flags).fields.batch;
            (config.worker_count, config.most_workers())
        };
        let cores = BatchConfig::default().worker_count;
        assert_eq!(most(&[]), (cores, BatchConfig::WORKERS_MAX.max(cores)));
        assert_eq!(most(&[("workers", "3")]), (3, 3));
        assert_eq!(most(&[("workers", "3"), ("workers-max", "20")]), (3, 20));
        assert_eq!(most(&[("workers-max", "1")]), (cores, cores));
        assert_eq!(most(&[("workers", "40"), ("workers-max", "20")]), (40, 40));
    }

    #[test]
    fn a_jobs_configuration_stays_but_for_what_flags_say() {
        let job = with(&[("workers", "3"), ("include", "*.x"), ("batch-size", "7"), ("retry-attempts", "2")]);
        let job = job.fields.batch;
        assert_eq!(with(&[]).over_job(job.clone()), job);
        let changed = with(&[("workers", "5"), ("strategy", "count")]).over_job(job.clone());
        let expected = BatchConfig { worker_count: 5, workers_max: 5, strategy: StrategyKind::Count, ..job };
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_level_alone_is_outlasts_own_and_all_else_is_used_as_written() {
        assert_eq!(with(&[("log-level", "debug")]).log_filter(), "outlast=debug");
        for text in ["outlast=trace", "warn,sled=debug"] {
            assert_eq!(with(&[("log-level", text)]).log_filter(), text);
        }
    }

    #[test]
    fn policies_go_with_the_number_for_all_and_a_longer_first_pause() {
        let settings = with(&[("retry-attempts", "7")]);
        let workers_max = settings.fields.batch.workers_max;
        assert_eq!(
            settings.fields.batch,
            BatchConfig { retry_attempts: 7, workers_max, ..BatchConfig::default() }
        );
        let shown = settings.all().iter().find(|one| one.setting.key == "retry.unstable.attempts").unwrap();
        assert_eq!((&shown.value, &shown.origin), (&Value::Count(7), &Origin::Default));
        let policy = with(&[("retry.timeout.backoff", "1m")]).fields.batch.retry[&ErrorClass::Timeout];
        assert_eq!(policy, RetryPolicy { attempts: 1, backoff_ms: 60_000, backoff_max_ms: 60_000 });
    }
}
