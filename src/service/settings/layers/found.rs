//! What the layers set.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::service::settings::catalogue::catalogue;
use crate::service::settings::fields::Fields;
use crate::service::settings::problem::{Origin, Problem};
use crate::service::settings::resolved::Settings;
use crate::service::settings::setting::Setting;
use crate::service::settings::suggest::ignored;
use crate::service::settings::values::Raw;

/// What the layers set, which are read by precedence: the first value of a setting wins.
#[derive(Debug, Default)]
pub(crate) struct Found {
    fields: Fields,
    origins: BTreeMap<&'static str, Origin>,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What is ignored: files that were found, and keys without an effect.
    pub(crate) warnings: Vec<Problem>,
}

impl Found {
    /// Takes a value over, unless a layer before had one; it is checked in any case.
    pub(crate) fn take(&mut self, setting: &'static Setting, raw: &Raw<'_>, origin: Origin) {
        let is_first = !self.origins.contains_key(&*setting.key);
        let set = if is_first {
            setting.set(&mut self.fields, raw, &origin)
        } else {
            setting.set(&mut Fields::default(), raw, &origin)
        };
        match set {
            Ok(()) if is_first => drop(self.origins.insert(&setting.key, origin)),
            Ok(()) => {}
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
        let mut origin = |setting: &Setting| self.origins.remove(&*setting.key).unwrap_or(Origin::Default);
        let origins = catalogue().iter().map(&mut origin).collect();
        let settings = Settings::new(self.fields, origins, files, self.warnings);
        self.problems.extend(settings.conflicts());
        (settings, self.problems)
    }
}

#[cfg(test)]
impl Found {
    /// Returns what was set: its source, key and value.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut fields = self.fields.clone();
        let mut line = |setting: &Setting| {
            let origin = self.origins.get(&*setting.key)?;
            Some(format!("{origin} {}={}", setting.key, setting.show(&mut fields)))
        };
        catalogue().iter().filter_map(&mut line).collect()
    }
}
