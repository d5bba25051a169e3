//! What the layers set.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::profiles::{FileProfiles, Profiles};
use crate::service::settings::catalogue::{catalogue, setting};
use crate::service::settings::problem::{Origin, Problem};
use crate::service::settings::resolved::{Read, Settings};
use crate::service::settings::setting::{Given, Setting};
use crate::service::settings::suggest::ignored;
use crate::service::settings::values::Raw;

/// What the layers set, which are read by precedence: the first value of a setting wins.
#[derive(Debug, Default)]
pub(crate) struct Found {
    given: BTreeMap<&'static str, (Given, Origin)>,
    /// Those that were read, by precedence.
    pub(crate) files: Vec<FileSettings>,
    /// Whether what is read now is a file that nobody named: it must not say what is run.
    pub(crate) is_searched: bool,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What is ignored: files that were found, and keys without an effect.
    pub(crate) warnings: Vec<Problem>,
    /// The environment, with the number of the shard.
    pub(crate) variables: BTreeMap<OsString, OsString>,
}

/// What one file sets.
#[derive(Debug)]
pub(crate) struct FileSettings {
    pub(crate) path: PathBuf,
    /// In and outside of the profiles, as the origins say.
    pub(crate) values: Vec<(&'static str, Given, Origin)>,
    pub(crate) profiles: FileProfiles,
}

impl Found {
    /// Takes over a value that is in no file, unless a layer before had one; it is checked in any case.
    pub(crate) fn take(&mut self, setting: &'static Setting, raw: &Raw, origin: Origin) {
        if let Some(value) = self.read(setting, raw, &origin) {
            self.given.entry(&setting.key).or_insert((value, origin));
        }
    }

    /// Reads a value, or reports what is wrong with it.
    pub(crate) fn read(&mut self, setting: &'static Setting, raw: &Raw, origin: &Origin) -> Option<Given> {
        if self.is_searched && setting.runs_code() {
            let (key, variable) = (&setting.key, setting.variable());
            let what = format!(
                "{key} runs code, and this file was merely found: name it with --config, or set {key} on the command \
                 line, in {variable} or in the user's own file"
            );
            self.wrong(origin.clone(), what);
            return None;
        }
        let read = setting.read(raw, origin);
        read.map_err(|wrong| wrong.into_iter().for_each(|what| self.wrong(origin.clone(), what))).ok()
    }

    /// Warns of values that are code, in a file that a run must not obey unless it is named.
    pub(crate) fn warn_of_code(&mut self) {
        for (key, _, origin) in self.files.iter().flat_map(|file| &file.values) {
            if setting(key).is_some_and(Setting::runs_code) {
                let what = format!(
                    "{key} runs code: this file is obeyed where it is named by --config or OUTLAST_CONFIG, and refused \
                     where it is merely found"
                );
                self.warnings.push(Problem { origin: origin.clone(), what });
            }
        }
    }

    /// Reports a problem.
    pub(crate) fn wrong(&mut self, origin: Origin, what: impl Into<String>) {
        self.problems.push(Problem { origin, what: what.into() });
    }

    /// Reports a key that is no setting: it may be one that has no effect.
    pub(crate) fn unknown(&mut self, key: &str, origin: Origin, what: impl FnOnce() -> String) {
        match ignored(key) {
            Some(why) => self.warnings.push(Problem { origin, what: why }),
            None => self.wrong(origin, what()),
        }
    }

    /// Returns the settings with this profile, if one is chosen, and reports what does not go together.
    pub(crate) fn settle(&mut self, chosen: Option<(String, Origin)>) -> Settings {
        let profiles = self.profiles();
        let mut problems = profiles.problems();
        let mut chain = Vec::new();
        if let Some((name, origin)) = chosen {
            problems.extend(profiles.unknown(&name, None).map(|what| Problem { origin, what }));
            chain = profiles.chain(&name);
        }
        let settings = self.settings(&chain);
        problems.extend(settings.conflicts());
        self.problems.extend(problems);
        settings
    }

    /// Reports what would not go together if one of the other profiles were chosen.
    pub(crate) fn check_profiles(&mut self) {
        let profiles = self.profiles();
        let mut chains: Vec<_> = profiles.names().into_iter().map(|name| profiles.chain(name)).collect();
        // Where an inherited profile is at fault, those that inherit it are not.
        chains.sort_by_key(Vec::len);
        let mut problems = self.problems.clone();
        for chain in chains {
            let conflicts = self.settings(&chain).conflicts();
            let [name, ..] = chain[..] else { continue };
            for mut problem in conflicts {
                let is_same =
                    |one: &Problem| one.origin == problem.origin && one.what.ends_with(&problem.what);
                if problems.iter().any(is_same) {
                    continue;
                }
                if problem.origin.profile() != Some(name) {
                    problem.what = format!("with profile {name}, {}", problem.what);
                }
                problems.push(problem);
            }
        }
        self.problems = problems;
    }

    fn profiles(&self) -> Profiles<'_> {
        Profiles(self.files.iter().map(|file| &file.profiles).collect())
    }

    /// Returns the settings with these profiles, of which the first wins.
    fn settings(&self, chain: &[&str]) -> Settings {
        let mut given = self.given.clone();
        for file in &self.files {
            for profile in chain.iter().copied().map(Some).chain([None]) {
                let of_profile = file.values.iter().filter(|(_, _, origin)| origin.profile() == profile);
                for (key, value, origin) in of_profile {
                    given.entry(key).or_insert_with(|| (value.clone(), origin.clone()));
                }
            }
        }
        let given = catalogue().iter().map(|setting| given.remove(&*setting.key)).collect();
        let files = self.files.iter().map(|file| file.path.clone()).collect();
        let chain = chain.iter().map(ToString::to_string).collect();
        let warnings = self.warnings.clone();
        let variables = self.variables.clone();
        Settings::new(given, Read { files, profiles: chain, warnings, variables })
    }
}

#[cfg(test)]
impl Found {
    /// Returns what was set, with its source, and what is wrong.
    pub(crate) fn lines(mut self) -> (Vec<String>, Vec<String>) {
        let settings = self.settle(None);
        let given = settings.all().iter().filter(|one| one.origin != Origin::Default);
        let lines = given.map(|one| format!("{} {}={}", one.origin, one.setting.key, one.value));
        (lines.collect(), self.problems.iter().map(ToString::to_string).collect())
    }
}
