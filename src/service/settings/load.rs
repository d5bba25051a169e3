//! The layers of settings, one above the other.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::catalogue::{Setting, catalogue, setting};
use super::layers::search::{self, Told};
use super::layers::{environment, file};
use super::values::Value;
use crate::source::Filters;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A flag of the command line, with its dashes.
    Flag(String),
    /// A variable of the environment.
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

/// Something that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, and what to write.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.what)
    }
}

/// Everything that is wrong with the settings, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingsError(pub Vec<Problem>);

/// A value that a flag gave.
#[derive(Debug, Clone)]
pub struct Given {
    /// Key of the setting.
    pub key: String,
    /// The flag, with its dashes.
    pub flag: String,
    /// The value.
    pub value: Value,
}

/// A value that a layer has.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a process finds around it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The current folder, absolute.
    pub folder: PathBuf,
    /// The environment.
    pub variables: BTreeMap<OsString, OsString>,
}

impl Surroundings {
    /// Those of this process. Where the current folder was removed there is none, and no file near it.
    pub fn of_process() -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        Self { folder, variables: std::env::vars_os().collect() }
    }

    fn variable(&self, name: &str) -> Option<&Path> {
        self.variables.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(Path::new)
    }

    /// The user's file, which need not be there. The standard has relative folders ignored.
    pub(super) fn users_file(&self) -> Option<PathBuf> {
        let config = self.variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        let config = config.map(Path::to_owned).or_else(|| Some(self.variable("HOME")?.join(".config")));
        config.map(|folder| folder.join("outlast").join(file::NAME))
    }
}

/// What settings are read from, as often as is wanted.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// What flags gave.
    pub given: Vec<Given>,
    /// The file that was named in place of the nearest.
    pub config: Option<PathBuf>,
    /// What the process found around it when it started.
    pub surroundings: Surroundings,
}

impl Layers {
    /// Reads all of them.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self) -> Result<Settings, SettingsError> {
        load(&self.given, self.config.as_deref(), &self.surroundings)
    }

    /// Reads all of them; what is wrong counts as not set, and is told.
    pub fn load_what_is_right(&self) -> (Settings, Vec<Problem>) {
        read(&self.given, self.config.as_deref(), &self.surroundings)
    }

    /// The files that count where they are there.
    pub fn places(&self) -> Vec<PathBuf> {
        let folder = &self.surroundings.folder;
        let named = self.config.as_deref().or_else(|| self.surroundings.variable(environment::CONFIG));
        let mut places = match named {
            Some(path) => vec![folder.join(path)],
            None => folder.ancestors().map(|folder| folder.join(file::NAME)).collect(),
        };
        places.extend(self.surroundings.users_file());
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
    /// Where the value comes from.
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
    /// Every setting, with its value and where that comes from.
    pub fn all(&self) -> &[Resolved] {
        &self.all
    }

    /// The files that were read, the one that wins first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Files that were found and are not obeyed, and why.
    pub fn passed_over(&self) -> &[Problem] {
        &self.passed_over
    }
}

/// Reads all layers: these flags, and what the surroundings hold; `config` names a file in place of the nearest.
///
/// # Errors
/// Everything that is wrong in any layer, be it overruled by another or not.
pub fn load(
    given: &[Given],
    config: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Settings, SettingsError> {
    let (settings, problems) = read(given, config, surroundings);
    if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems)) }
}

fn read(given: &[Given], config: Option<&Path>, surroundings: &Surroundings) -> (Settings, Vec<Problem>) {
    let mut told = Told::default();
    // From the top down: what was set is kept.
    let mut layers = vec![of_flags(given), environment::read(&surroundings.variables, &mut told.problems)];
    let mut files = Vec::new();
    let project = project(config, surroundings, &mut told);
    for (path, found) in project.into_iter().chain(search::users(surroundings, &mut told)) {
        files.push(path);
        layers.push(found);
    }
    let Told { mut problems, passed_over } = told;
    layers.iter().flatten().for_each(|found| check_globs(found, &mut problems));
    let settings = Settings { all: stack(layers), files, passed_over };
    settings.check_pauses(&mut problems);
    settings.check_served(&mut problems);
    settings.check_scheduled(&mut problems);
    (settings, problems)
}

/// Everything that is wrong with this one file, and with the files that it names.
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

fn of_flags(given: &[Given]) -> Vec<Found> {
    let found = |given: &Given| {
        let origin = Origin::Flag(given.flag.clone());
        Some(Found { setting: setting(&given.key)?, value: given.value.clone(), origin })
    };
    // Of one that is given twice, the last.
    given.iter().rev().filter_map(found).collect()
}

/// The file that is named, or else the nearest one upwards.
fn project(
    named: Option<&Path>,
    surroundings: &Surroundings,
    told: &mut Told,
) -> Option<(PathBuf, Vec<Found>)> {
    let Some(path) = named.or_else(|| surroundings.variable(environment::CONFIG)) else {
        return search::project(surroundings, told);
    };
    let path = surroundings.folder.join(path);
    let found = file::read(&path, &mut told.problems);
    if found.is_none() {
        told.problems.push(missing(&path));
    }
    Some((path, found?))
}

fn missing(path: &Path) -> Problem {
    let origin = Origin::File { path: path.to_owned(), line: None };
    Problem { origin, what: "there is no such file; check the path".to_owned() }
}

fn check_globs(found: &Found, problems: &mut Vec<Problem>) {
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

/// The value of each setting: that of the first layer that has one.
fn stack(layers: Vec<Vec<Found>>) -> Vec<Resolved> {
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for one in layers.into_iter().flatten() {
        found.entry(&one.setting.key).or_insert(one);
    }
    let resolved = |setting: &'static Setting| match found.remove(setting.key.as_str()) {
        Some(Found { setting, value, origin }) => Resolved { setting, value, origin },
        None => Resolved { setting, value: setting.default.clone(), origin: Origin::Default },
    };
    let mut all: Vec<_> = catalogue().iter().map(resolved).collect();
    super::apply::fill_defaults(&mut all);
    all
}
