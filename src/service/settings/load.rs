//! The layers of settings, and their precedence.

use std::path::{Path, PathBuf};

use super::layers::environment::{CONFIG, ProcessEnv};
use super::layers::found::Found;
use super::layers::{environment, file, search};
use super::problem::{Origin, Problem, SettingsError};
use super::resolved::Settings;
use super::setting::Setting;
use super::values::Raw;

/// A value given by a flag.
#[derive(Debug, Clone)]
pub struct FlagValue {
    /// The setting.
    pub setting: &'static Setting,
    /// The flag, with its dashes.
    pub flag: String,
    /// The value.
    pub raw: Raw<'static>,
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
        let named = self.config.as_deref().or_else(|| self.process_env.variable(CONFIG));
        let mut places = match named {
            Some(path) => vec![folder.join(path)],
            None => folder.ancestors().map(|folder| folder.join(file::NAME)).collect(),
        };
        places.extend(self.process_env.users_file());
        places
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
    let mut found = Found::default();
    // By precedence: the first value wins, and of a flag's occurrences the last.
    for flag in given.iter().rev() {
        found.take(flag.setting, &flag.raw, Origin::Flag(flag.flag.clone()));
    }
    environment::read(&process_env.variables, &mut found);
    let files = [project(config, process_env, &mut found), search::users(process_env, &mut found)];
    found.settle(files.into_iter().flatten().collect())
}

/// Reads one file alone. Returns its settings, and all problems with it and the files that it names.
pub fn check(path: &Path) -> (Settings, Vec<Problem>) {
    let mut found = Found::default();
    if !file::read(path, &mut found) {
        found.problems.push(missing(path));
    }
    let (settings, mut problems) = found.settle(Vec::new());
    problems.extend(settings.check_files());
    (settings, problems)
}

/// Reads the named file, or else finds the nearest one upwards.
fn project(named: Option<&Path>, process_env: &ProcessEnv, found: &mut Found) -> Option<PathBuf> {
    let Some(path) = named.or_else(|| process_env.variable(CONFIG)) else {
        return search::project(process_env, found);
    };
    let path = process_env.folder.join(path);
    let is_there = file::read(&path, found);
    if !is_there {
        found.problems.push(missing(&path));
    }
    is_there.then_some(path)
}

fn missing(path: &Path) -> Problem {
    let origin = Origin::File { path: path.to_owned(), line: None };
    Problem { origin, what: "there is no such file; check the path".to_owned() }
}

/// Returns the layers of a process with these flags and nothing else.
#[cfg(test)]
pub(super) fn given(flags: &[(&str, &str)]) -> Layers {
    let given = |&(key, value): &(&str, &str)| FlagValue {
        setting: super::catalogue::setting(key).unwrap(),
        flag: format!("--{key}"),
        raw: value.to_owned().into(),
    };
    Layers { given: flags.iter().map(given).collect(), ..Layers::default() }
}
