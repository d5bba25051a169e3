//! The layers of settings, and their precedence.

use std::path::{Path, PathBuf};

use super::layers::environment::{CONFIG, PROFILE, ProcessEnv};
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
    /// The profile that was named.
    pub profile: Option<String>,
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
        let mut found = self.found();
        let settings = found.settle(self.chosen());
        (settings, found.problems)
    }

    /// Reads all layers. Returns the settings, and all problems with them, with the files that they name, and with the
    /// other profiles.
    pub fn check(&self) -> (Settings, Vec<Problem>) {
        checked(self.found(), self.chosen())
    }

    /// Reads one file alone, and checks it likewise.
    pub fn check_file(&self, path: &Path) -> (Settings, Vec<Problem>) {
        let mut found = Found::default();
        file::read(path, &mut found);
        if search::may_be_found(path, &self.process_env) {
            found.warn_of_code();
        }
        checked(found, self.named_profile())
    }

    fn found(&self) -> Found {
        let mut found = Found::default();
        found.variables.clone_from(&self.process_env.variables);
        // By precedence: the first value wins, and of a flag's occurrences the last.
        for flag in self.given.iter().rev() {
            found.take(flag.setting, &flag.raw, Origin::Flag(flag.setting.flag()));
        }
        environment::read(&self.process_env.variables, &mut found);
        match self.named() {
            Some(path) => file::read(&path, &mut found),
            None => search::project(&self.process_env, &mut found),
        }
        search::users(&self.process_env, &mut found);
        found
    }

    /// Returns whether a profile is chosen that the files do not have.
    pub fn lacks_profile(&self, settings: &Settings) -> bool {
        settings.profiles().is_empty() && self.chosen().is_some()
    }

    /// Returns the profile that is chosen, and by what.
    fn chosen(&self) -> Option<(String, Origin)> {
        let of_variable = || {
            let name = self.process_env.variable(PROFILE)?.to_string_lossy().into_owned();
            Some((name, Origin::Variable(PROFILE.to_owned())))
        };
        self.named_profile().or_else(of_variable)
    }

    fn named_profile(&self) -> Option<(String, Origin)> {
        Some((self.profile.clone()?, Origin::Flag("--profile".to_owned())))
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

    fn named(&self) -> Option<PathBuf> {
        let path = self.config.as_deref().or_else(|| self.process_env.variable(CONFIG))?;
        Some(self.process_env.folder.join(path))
    }
}

fn checked(mut found: Found, chosen: Option<(String, Origin)>) -> (Settings, Vec<Problem>) {
    let settings = found.settle(chosen);
    found.check_profiles();
    found.problems.extend(settings.check_files());
    (settings, found.problems)
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
