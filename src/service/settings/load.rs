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
    /// The value.
    pub raw: Raw,
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
    /// All problems of any layer, including values that another layer overrides.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let (settings, problems) = self.load_what_is_right();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems)) }
    }

    /// Reads all layers; an invalid value counts as unset, and is reported.
    pub fn load_what_is_right(&self) -> (Settings, Vec<Problem>) {
        let mut found = Found::default();
        // By precedence: the first value wins, and of a flag's occurrences the last.
        for flag in self.given.iter().rev() {
            found.take(flag.setting, &flag.raw, Origin::Flag(flag.setting.flag()));
        }
        environment::read(&self.process_env.variables, &mut found);
        let project = self.project(&mut found);
        let user = search::users(&self.process_env, &mut found);
        found.settle(project.into_iter().chain(user).collect())
    }

    /// Returns the paths whose files count, if they exist.
    pub fn places(&self) -> Vec<PathBuf> {
        let folder = &self.process_env.folder;
        let mut places = match self.named() {
            Some(path) => vec![path],
            None => folder.ancestors().map(|folder| folder.join(file::NAME)).collect(),
        };
        places.extend(self.process_env.users_file());
        places
    }

    /// Reads the named file, or else finds the nearest one upwards.
    fn project(&self, found: &mut Found) -> Option<PathBuf> {
        let Some(path) = self.named() else { return search::project(&self.process_env, found) };
        file::read(&path, found);
        Some(path)
    }

    fn named(&self) -> Option<PathBuf> {
        let path = self.config.as_deref().or_else(|| self.process_env.variable(CONFIG))?;
        Some(self.process_env.folder.join(path))
    }
}

/// Reads one file alone. Returns its settings, and all problems with it and the files that it names.
pub fn check(path: &Path) -> (Settings, Vec<Problem>) {
    let mut found = Found::default();
    file::read(path, &mut found);
    let (settings, mut problems) = found.settle(Vec::new());
    problems.extend(settings.check_files());
    (settings, problems)
}

/// Returns the layers of a process with these flags and nothing else.
#[cfg(test)]
pub(super) fn given(flags: &[(&str, &str)]) -> Layers {
    let given = |&(key, value): &(&str, &str)| FlagValue {
        setting: super::catalogue::setting(key).unwrap(),
        raw: Raw::Text(value.to_owned()),
    };
    Layers { given: flags.iter().map(given).collect(), ..Layers::default() }
}
