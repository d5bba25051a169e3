//! The effective settings: the configuration of a run, limits of records, paths, and logging.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::catalogue::catalogue;
use super::fields::{Fields, KnownFailures, NamedRoot, ProgressMode, Retries};
use super::problem::{Origin, Problem};
use super::setting::Setting;
use super::values::{Value, duration_text};
use crate::engine::WatchOptions;
use crate::model::{BatchConfig, ErrorClass};
use crate::process::Limits;
use crate::service::http::is_local;
use crate::service::schedule::{ScheduleSettings, system_zone};

/// How and where the process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Levels of targets.
    pub filter: String,
    /// Whether the log on stderr is JSON.
    pub json: bool,
    /// An additional log file.
    pub file: Option<PathBuf>,
}

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
    /// As the layers set them.
    pub(super) set: Fields,
    /// With the defaults that depend on other settings.
    pub(super) fields: Fields,
    pub(super) all: Vec<Resolved>,
    pub(super) files: Vec<PathBuf>,
    pub(super) warnings: Vec<Problem>,
}

impl Settings {
    /// Creates the settings, of which these are the origins in the order of the catalogue.
    pub(super) fn new(
        set: Fields,
        origins: Vec<Origin>,
        files: Vec<PathBuf>,
        warnings: Vec<Problem>,
    ) -> Self {
        let mut fields = set.clone().derived();
        let mut resolved = |(setting, origin): (&'static Setting, _)| Resolved {
            setting,
            value: setting.show(&mut fields),
            origin,
        };
        let all = catalogue().iter().zip(origins).map(&mut resolved).collect();
        Self { set, fields, all, files, warnings }
    }

    /// Returns every setting, with its value and source.
    pub fn all(&self) -> &[Resolved] {
        &self.all
    }

    /// Returns the files that were read, by precedence.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns what is ignored, and why: files that were found, and keys without an effect.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns when all roots are scanned again.
    pub fn schedule(&self) -> ScheduleSettings {
        let cron = self.fields.cron.as_ref().map(|cron| cron.value.clone());
        ScheduleSettings { cron, ..self.fields.schedule.clone() }
    }

    /// Returns the configuration of a run.
    pub fn batch(&self) -> BatchConfig {
        self.fields.batch.clone()
    }

    /// Returns how a process follows changes.
    pub fn watching(&self) -> WatchOptions {
        self.fields.watching.clone()
    }

    /// Returns how much of a document goes into its record.
    pub fn limits(&self) -> Limits {
        self.fields.limits
    }

    /// Returns the state folder.
    pub fn state(&self) -> &Path {
        &self.fields.state
    }

    /// Returns the record folder, if one is set.
    pub fn out(&self) -> Option<&Path> {
        self.fields.out.as_deref()
    }

    /// Returns the roots that have a name.
    pub fn roots(&self) -> &[NamedRoot] {
        &self.fields.roots.value
    }

    /// Returns the roots of a command with these arguments: they, and those of flags; without either, all that the
    /// settings name.
    pub fn chosen_roots(&self, arguments: &[PathBuf]) -> Vec<PathBuf> {
        let is_of_flags = matches!(self.fields.roots.origin, Origin::Flag(_));
        let named = self.roots().iter().filter(|_| is_of_flags || arguments.is_empty());
        arguments.iter().chain(named.map(|root| &root.path)).cloned().collect()
    }

    /// Returns how and where the process logs.
    pub fn log(&self) -> LogSettings {
        LogSettings {
            filter: directives(&self.fields.log_level),
            json: self.fields.log_json,
            file: self.fields.log_file.as_ref().map(|file| file.value.clone()),
        }
    }

    /// Returns what the exit code says of known failures.
    pub fn known_failures(&self) -> KnownFailures {
        self.fields.known_failures
    }

    /// Returns whether progress is shown.
    pub fn progress(&self) -> ProgressMode {
        self.fields.progress
    }

    /// Returns the time between two heartbeat lines.
    pub fn heartbeat(&self) -> Duration {
        self.fields.heartbeat
    }

    /// Returns the file with the token that clients of HTTP present, if one is set.
    pub fn token_file(&self) -> Option<&Path> {
        self.fields.token_file.as_ref().map(|file| &*file.value)
    }

    /// Returns where the number of workers comes from.
    pub(crate) fn origin_of_workers(&self) -> Origin {
        self.fields.workers.as_ref().map_or(Origin::Default, |workers| workers.origin.clone())
    }

    /// Returns all values that don't go together.
    pub(super) fn conflicts(&self) -> Vec<Problem> {
        let mut problems = self.conflicting_pauses();
        problems.extend(self.conflicting_address());
        problems.extend(self.conflicting_cron());
        problems
    }

    /// Finds pauses of which the longest is shorter than the first.
    fn conflicting_pauses(&self) -> Vec<Problem> {
        let text = |millis: u64| duration_text(Duration::from_millis(millis));
        let conflict = |(class, retries): (&ErrorClass, &Retries)| {
            let first = retries.backoff_ms?;
            let longest = retries.backoff_max_ms.as_ref()?;
            let key = format!("retry.{class}.backoff-max");
            let first_key = format!("retry.{class}.backoff");
            let what = format!(
                "{key} is {}: must be {first_key}, which is {}, or longer",
                text(longest.value),
                text(first)
            );
            (longest.value < first).then(|| longest.problem(what))
        };
        self.fields.retry.iter().filter_map(conflict).collect()
    }

    /// Finds an address that is reachable from other machines without a token.
    fn conflicting_address(&self) -> Option<Problem> {
        let open = self.fields.listen.as_ref().filter(|listen| !is_local(&listen.value))?;
        let what = format!(
            "listen is {}, which can be reached from elsewhere: name a token-file, or listen on 127.0.0.1",
            open.value
        );
        self.fields.token_file.is_none().then(|| open.problem(what))
    }

    /// Finds a cron expression if the time zone is unknown.
    fn conflicting_cron(&self) -> Option<Problem> {
        let cron = self.fields.cron.as_ref()?;
        system_zone().err().map(|what| cron.problem(format!("cron {what}")))
    }
}

/// Applies a bare level to Outlast only: the messages of the libraries below it need an explicit target.
fn directives(filter: &str) -> String {
    if filter.contains(['=', ',']) { filter.to_owned() } else { format!("outlast={}", filter.trim()) }
}

#[cfg(test)]
mod tests {
    use super::super::load::given;
    use super::super::values::ValueInput;
    use super::*;
    use crate::model::RetryPolicy;

    fn with(flags: &[(&str, &str)]) -> Settings {
        given(flags).load().unwrap()
    }

    #[test]
    fn without_settings_all_is_as_the_library_has_it() {
        let settings = with(&[]);
        let config = settings.batch();
        assert_eq!(config, BatchConfig { workers_max: config.workers_max, ..BatchConfig::default() });
        assert!(config.workers_max >= BatchConfig::WORKERS_MAX.max(config.worker_count));
        assert_eq!(settings.limits(), Limits::default());
        assert_eq!((settings.state(), settings.out()), (Path::new(".outlast"), None));
    }

    /// Every setting reaches its destination, and its limits match those that a run checks.
    #[test]
    fn each_setting_changes_something_and_its_bounds_are_accepted() {
        let whole = |settings: &Settings| {
            let roots = settings.roots().to_owned();
            let paths = (settings.state().to_owned(), settings.out().map(Path::to_owned), roots);
            let shown =
                (settings.log(), settings.known_failures(), settings.progress(), settings.heartbeat());
            let listen = settings.fields.listen.as_ref().map(|listen| listen.value);
            let served = (listen, settings.token_file().map(Path::to_owned));
            let kept = (settings.watching(), settings.schedule(), served);
            (settings.batch(), settings.limits(), paths, shown, kept)
        };
        let default = whole(&with(&[]));
        for setting in catalogue() {
            let values = match &setting.form.input {
                ValueInput::Word(words) => words.clone(),
                ValueInput::Switch => vec!["true"],
                ValueInput::Items if setting.key == "root" => vec!["a=/a"],
                ValueInput::Items => vec!["*.x"],
                ValueInput::Path => vec!["/elsewhere"],
                ValueInput::Text => match setting.form.unit {
                    "filter" => vec!["debug"],
                    "files or %" => vec!["7"],
                    "times" => vec!["30 2 * * *"],
                    "address" => vec!["127.0.0.1:80"],
                    _ => bounds(&setting.limits),
                },
            };
            let mut changed = false;
            for value in values.into_iter().filter(|value| !is_refused(&setting.key, value)) {
                let settings = with(&[(&setting.key, value)]);
                settings.batch().check().unwrap();
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
            let config = with(flags).batch();
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
    fn a_level_alone_is_outlasts_own_and_all_else_is_used_as_written() {
        assert_eq!(with(&[("log-level", "debug")]).log().filter, "outlast=debug");
        for text in ["outlast=trace", "warn,sled=debug", "info,"] {
            assert_eq!(directives(text), text);
        }
    }

    #[test]
    fn policies_go_with_the_number_for_all_and_a_longer_first_pause() {
        let settings = with(&[("retry-attempts", "7")]);
        let workers_max = settings.batch().workers_max;
        assert_eq!(
            settings.batch(),
            BatchConfig { retry_attempts: 7, workers_max, ..BatchConfig::default() }
        );
        let shown = settings.all().iter().find(|one| one.setting.key == "retry.unstable.attempts").unwrap();
        assert_eq!((&shown.value, &shown.origin), (&Value::Count(7), &Origin::Default));
        let policy = with(&[("retry.timeout.backoff", "1m")]).batch().retry[&ErrorClass::Timeout];
        assert_eq!(policy, RetryPolicy { attempts: 1, backoff_ms: 60_000, backoff_max_ms: 60_000 });
    }
}
