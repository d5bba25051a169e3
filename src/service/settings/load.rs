//! The layers of settings, and their precedence.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::catalogue::{Setting, catalogue, setting};
use super::layers::search::{self, SearchNotes};
use super::layers::{environment, file};
use super::values::Value;
use crate::source::Filters;

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default.
    Default,
    /// A command-line flag, with its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Variable(name) => write!(f, "env {name}"),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
        }
    }
}

/// A problem, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What is wrong, and how to fix it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.what)
    }
}

/// All problems of the settings, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingsError(pub Vec<Problem>);

/// A value given by a flag.
#[derive(Debug, Clone)]
pub struct FlagValue {
    /// Key of the setting.
    pub key: String,
    /// The flag, with its dashes.
    pub flag: String,
    /// The value.
    pub value: Value,
}

/// A value found in a layer.
#[derive(Debug)]
pub(super) struct LayerValue {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The environment of a process.
#[derive(Debug, Clone, Default)]
pub struct ProcessEnv {
    /// The current folder, absolute.
    pub folder: PathBuf,
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
}

impl ProcessEnv {
    /// Captures that of this process. If the current folder was removed it is empty, and no file is near it.
    pub fn of_process() -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        Self { folder, variables: std::env::vars_os().collect() }
    }

    fn variable(&self, name: &str) -> Option<&Path> {
        self.variables.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(Path::new)
    }

    /// Returns the user's file, which need not exist. The XDG standard requires relative folders to be ignored.
    pub(super) fn users_file(&self) -> Option<PathBuf> {
        let config = self.variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        let config = config.map(Path::to_owned).or_else(|| Some(self.variable("HOME")?.join(".config")));
        config.map(|folder| folder.join("outlast").join(file::NAME))
    }
}

/// The sources of the settings, which can be read repeatedly.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The values of flags.
    pub given: Vec<FlagValue>,
    /// The file that was named instead of the nearest.
    pub config: Option<PathBuf>,
    /// The environment of the process when it started.
    pub process_env: ProcessEnv,
}

impl Layers {
    /// Reads all layers.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self) -> Result<Settings, SettingsError> {
        load(&self.given, self.config.as_deref(), &self.process_env)
    }

    /// Reads all layers; an invalid value counts as unset, and is reported.
    pub fn load_what_is_right(&self) -> (Settings, Vec<Problem>) {
        read(&self.given, self.config.as_deref(), &self.process_env)
    }

    /// Returns the paths whose files count, if they exist.
    pub fn places(&self) -> Vec<PathBuf> {
        let folder = &self.process_env.folder;
        let named = self.config.as_deref().or_else(|| self.process_env.variable(environment::CONFIG));
        let mut places = match named {
            Some(path) => vec![folder.join(path)],
            None => folder.ancestors().map(|folder| folder.join(file::NAME)).collect(),
        };
        places.extend(self.process_env.users_file());
        places
    }
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
    pub(super) all: Vec<Resolved>,
    files: Vec<PathBuf>,
    passed_over: Vec<Problem>,
}

impl Settings {
    /// Returns every setting, with its value and source.
    pub fn all(&self) -> &[Resolved] {
        &self.all
    }

    /// Returns the files that were read, by precedence.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns files that were found but are ignored, and why.
    pub fn passed_over(&self) -> &[Problem] {
        &self.passed_over
    }
}

/// Reads all layers: flags and environment; `config` names a file instead of the nearest.
///
/// # Errors
/// All problems of any layer, including values that another layer overrides.
pub fn load(
    given: &[FlagValue],
    config: Option<&Path>,
    process_env: &ProcessEnv,
) -> Result<Settings, SettingsError> {
    let (settings, problems) = read(given, config, process_env);
    if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems)) }
}

fn read(given: &[FlagValue], config: Option<&Path>, process_env: &ProcessEnv) -> (Settings, Vec<Problem>) {
    let mut notes = SearchNotes::default();
    // By precedence: the first value wins.
    let mut layers = vec![of_flags(given), environment::read(&process_env.variables, &mut notes.problems)];
    let mut files = Vec::new();
    let project = project(config, process_env, &mut notes);
    for (path, found) in project.into_iter().chain(search::users(process_env, &mut notes)) {
        files.push(path);
        layers.push(found);
    }
    let SearchNotes { mut problems, passed_over } = notes;
    layers.iter().flatten().for_each(|found| check_globs(found, &mut problems));
    let settings = Settings { all: stack(layers), files, passed_over };
    settings.check_pauses(&mut problems);
    settings.check_served(&mut problems);
    settings.check_scheduled(&mut problems);
    (settings, problems)
}

/// Returns all problems of one file, and of the files that it names.
pub fn check(path: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(found) = file::read(path, &mut problems) else { return vec![missing(path)] };
    found.iter().for_each(|found| check_globs(found, &mut problems));
    let settings = Settings { all: stack(vec![found]), files: Vec::new(), passed_over: Vec::new() };
    settings.check_pauses(&mut problems);
    settings.check_scheduled(&mut problems);
    problems.extend(settings.check_files());
    problems
}

fn of_flags(given: &[FlagValue]) -> Vec<LayerValue> {
    let found = |given: &FlagValue| {
        let origin = Origin::Flag(given.flag.clone());
        Some(LayerValue { setting: setting(&given.key)?, value: given.value.clone(), origin })
    };
    // The last occurrence of a flag wins.
    given.iter().rev().filter_map(found).collect()
}

/// Reads the named file, or else finds the nearest one upwards.
fn project(
    named: Option<&Path>,
    process_env: &ProcessEnv,
    notes: &mut SearchNotes,
) -> Option<(PathBuf, Vec<LayerValue>)> {
    let Some(path) = named.or_else(|| process_env.variable(environment::CONFIG)) else {
        return search::project(process_env, notes);
    };
    let path = process_env.folder.join(path);
    let found = file::read(&path, &mut notes.problems);
    if found.is_none() {
        notes.problems.push(missing(&path));
    }
    Some((path, found?))
}

fn missing(path: &Path) -> Problem {
    let origin = Origin::File { path: path.to_owned(), line: None };
    Problem { origin, what: "there is no such file; check the path".to_owned() }
}

fn check_globs(found: &LayerValue, problems: &mut Vec<Problem>) {
    let Value::List(globs) = &found.value else { return };
    for glob in globs {
        let alone = std::slice::from_ref(glob);
        let tried =
            if found.setting.key == "exclude" { Filters::new(&[], alone) } else { Filters::new(alone, &[]) };
        if let Err(wrong) = tried {
            problems.push(Problem { origin: found.origin.clone(), what: wrong.to_string() });
        }
    }
}

/// Selects the value of each setting from the first layer that has one.
fn stack(layers: Vec<Vec<LayerValue>>) -> Vec<Resolved> {
    let mut found: BTreeMap<&str, LayerValue> = BTreeMap::new();
    for one in layers.into_iter().flatten() {
        found.entry(&one.setting.key).or_insert(one);
    }
    let resolved = |setting: &'static Setting| match found.remove(setting.key.as_str()) {
        Some(LayerValue { setting, value, origin }) => Resolved { setting, value, origin },
        None => Resolved { setting, value: setting.default.clone(), origin: Origin::Default },
    };
    let mut all: Vec<_> = catalogue().iter().map(resolved).collect();
    super::apply::fill_defaults(&mut all);
    all
}
