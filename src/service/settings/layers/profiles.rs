//! Profiles: settings of one environment, in tables `[profile.NAME]` of the files.
//!
//! Constraints: a file with its profiles is one layer, in which a profile wins over what is outside of it, and over the
//! profile that it inherits. A name means the tables of this name in all files. All profiles are read and checked,
//! whichever is chosen: a mistake in one is found before it is needed.

use std::collections::{BTreeMap, BTreeSet};

use crate::service::settings::problem::{Origin, Problem};
use crate::service::settings::suggest::nearest;

/// The profiles of one file, by name, each with the one that it inherits.
pub(crate) type FileProfiles = BTreeMap<String, Option<(String, Origin)>>;

/// The profiles of all files, by precedence.
pub(crate) struct Profiles<'a>(pub(crate) Vec<&'a FileProfiles>);

impl<'a> Profiles<'a> {
    /// Returns the names of all profiles.
    pub(crate) fn names(&self) -> BTreeSet<&'a str> {
        self.0.iter().flat_map(|profiles| profiles.keys()).map(String::as_str).collect()
    }

    /// Returns this profile and those that it inherits, directly or not, each once, the nearest first.
    pub(crate) fn chain(&self, name: &str) -> Vec<&'a str> {
        let names = self.names();
        let mut chain = Vec::new();
        let mut next = names.get(name).copied();
        while let Some(name) = next.filter(|name| !chain.contains(name)) {
            chain.push(name);
            next = self.inherited(name).and_then(|(other, _)| names.get(other.as_str()).copied());
        }
        chain
    }

    fn inherited(&self, name: &str) -> Option<&'a (String, Origin)> {
        self.0.iter().find_map(|profiles| profiles.get(name)?.as_ref())
    }

    /// Returns what is wrong with the profiles that others inherit.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let all = self.0.iter().copied().flatten();
        let unknown = |(heir, inherited): (&String, &Option<(String, Origin)>)| {
            let (name, origin) = inherited.as_ref()?;
            let what = format!("inherits {name:?}: {}", self.unknown(name, Some(heir))?);
            Some(Problem { origin: origin.clone(), what })
        };
        let circle = |name: &str| {
            let chain = self.chain(name);
            let (next, _) = self.inherited(chain.last()?)?;
            // Each circle is reported once, where its first name is.
            if next != name || chain.iter().any(|other| *other < name) {
                return None;
            }
            let (_, origin) = self.inherited(name)?;
            let what = format!(
                "profiles inherit each other in a circle, {} -> {name}: leave out one `inherits`",
                chain.join(" -> ")
            );
            Some(Problem { origin: origin.clone(), what })
        };
        all.filter_map(unknown).chain(self.names().into_iter().filter_map(circle)).collect()
    }

    /// Returns the message for a name that no profile has. The one that inherits it, if any, is not proposed.
    pub(crate) fn unknown(&self, name: &str, heir: Option<&str>) -> Option<String> {
        let names = self.names();
        if names.contains(name) {
            return None;
        }
        let near = nearest(name, names.iter().copied().filter(|&other| Some(other) != heir))
            .map(|near| format!("; did you mean {near}?"));
        let known = match names.is_empty() {
            true => "no file that counts here has one".to_owned(),
            false => format!("the profiles are {}", names.into_iter().collect::<Vec<_>>().join(", ")),
        };
        Some(format!("there is no profile {name:?}{} ({known})", near.unwrap_or_default()))
    }
}
