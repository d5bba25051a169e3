//! What the layers set.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::service::settings::catalogue::catalogue;
use crate::service::settings::problem::{Origin, Problem};
use crate::service::settings::resolved::Settings;
use crate::service::settings::setting::{Given, Setting};
use crate::service::settings::suggest::ignored;
use crate::service::settings::values::Raw;

/// What the layers set, which are read by precedence: the first value of a setting wins.
#[derive(Debug, Default)]
pub(crate) struct Found {
    given: BTreeMap<&'static str, (Given, Origin)>,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What is ignored: files that were found, and keys without an effect.
    pub(crate) warnings: Vec<Problem>,
}

impl Found {
    /// Takes a value over, unless a layer before had one; it is checked in any case.
    pub(crate) fn take(&mut self, setting: &'static Setting, raw: &Raw, origin: Origin) {
        match setting.read(raw, &origin) {
            Ok(value) => drop(self.given.entry(&setting.key).or_insert((value, origin))),
            Err(wrong) => wrong.into_iter().for_each(|what| self.wrong(origin.clone(), what)),
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

    /// Returns the settings, and all problems.
    pub(crate) fn settle(mut self, files: Vec<PathBuf>) -> (Settings, Vec<Problem>) {
        let given = catalogue().iter().map(|setting| self.given.remove(&*setting.key)).collect();
        let settings = Settings::new(given, files, self.warnings);
        self.problems.extend(settings.conflicts());
        (settings, self.problems)
    }
}

#[cfg(test)]
impl Found {
    /// Returns what was set, with its source, and what is wrong.
    pub(crate) fn lines(self) -> (Vec<String>, Vec<String>) {
        let (settings, problems) = self.settle(Vec::new());
        let given = settings.all().iter().filter(|one| one.origin != Origin::Default);
        let lines = given.map(|one| format!("{} {}={}", one.origin, one.setting.key, one.value));
        (lines.collect(), problems.iter().map(ToString::to_string).collect())
    }
}
