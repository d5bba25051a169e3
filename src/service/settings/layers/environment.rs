//! Settings in the environment: `OUTLAST_` and the key in upper case.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::service::settings::catalogue::catalogue;
use crate::service::settings::problem::Origin;
use crate::service::settings::setting::Setting;
use crate::service::settings::shard;
use crate::service::settings::suggest::{did_you_mean, nearest};
use crate::service::settings::values::Raw;

use super::file;
use super::found::Found;

const PREFIX: &[u8] = b"OUTLAST_";
/// The variable that names the configuration file, instead of the nearest one.
pub(crate) const CONFIG: &str = "OUTLAST_CONFIG";
/// The variable that names the profile.
pub(crate) const PROFILE: &str = "OUTLAST_PROFILE";
/// The older name of the `log-level` variable; the newer one takes precedence.
const LOG: &str = "OUTLAST_LOG";

/// Variables with the prefix that are no settings: the number of the shard, those of tests and benchmarks, the one that a child of `exec` is
/// given, and those that Kubernetes sets for a service named `outlast`.
const OTHERS: [&str; 8] = [
    shard::OWN,
    "OUTLAST_EXEC_FD",
    "OUTLAST_BENCH_",
    "OUTLAST_FAILPOINT",
    "OUTLAST_TEST_",
    "OUTLAST_WRITE_GOLDEN",
    "OUTLAST_SERVICE_",
    "OUTLAST_PORT",
];
const OTHERS_ENDS: [&str; 2] = ["_ROUNDS", "_SEED"];

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

    pub(crate) fn variable(&self, name: &str) -> Option<&Path> {
        self.variables.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(Path::new)
    }

    /// Returns the user's file, which need not exist. The XDG standard requires relative folders to be ignored.
    pub(crate) fn users_file(&self) -> Option<PathBuf> {
        let config = self.variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        let config = config.map(Path::to_owned).or_else(|| Some(self.variable("HOME")?.join(".config")));
        config.map(|folder| folder.join("outlast").join(file::NAME))
    }
}

/// Reads what the variables set; an empty one counts as unset.
pub(crate) fn read(variables: &BTreeMap<OsString, OsString>, found: &mut Found) {
    let is_ours = |name: &OsStr| name.as_bytes().starts_with(PREFIX);
    // The first value wins: in this order, that of the newer name.
    for (name, value) in variables.iter().rev().filter(|(name, value)| is_ours(name) && !value.is_empty()) {
        let shown = name.to_string_lossy();
        let origin = Origin::Variable(shown.to_string());
        let wanted = if shown == LOG { "OUTLAST_LOG_LEVEL" } else { &*shown };
        if let Some(setting) = catalogue().iter().find(|setting| setting.variable() == wanted) {
            found.take(setting, &Raw::from(value.clone()), origin);
        } else if !is_other(&shown) {
            let key = shown[PREFIX.len()..].to_lowercase().replace('_', "-");
            found.unknown(&key, origin, || {
                let names: Vec<String> = catalogue().iter().map(Setting::variable).collect();
                let names = names.iter().map(String::as_str).chain([CONFIG, PROFILE]);
                let hint = did_you_mean(nearest(&shown, names));
                format!("no such setting; {hint}")
            });
        }
    }
}

fn is_other(name: &str) -> bool {
    [CONFIG, PROFILE].contains(&name)
        || OTHERS.iter().any(|begin| name.starts_with(begin))
        || OTHERS_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(variables: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut found = Found::default();
        read(&variables, &mut found);
        let (lines, problems) = found.lines();
        (lines.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect(), problems)
    }

    #[test]
    fn only_variables_with_the_prefix_are_looked_at() {
        let others = [("PATH", "/bin"), ("OUTLAST_KILL_ROUNDS", "3"), ("OUTLAST_SERVICE_HOST", "x")];
        assert_eq!(reported(&others), (Vec::new(), Vec::new()));
        let (found, problems) = reported(&[("OUTLAST_LIMIT_DEPTH", "7"), ("OUTLAST_WORKER", "2")]);
        assert_eq!(found, ["limit.depth=7"]);
        assert_eq!(problems, ["env OUTLAST_WORKER: no such setting; did you mean OUTLAST_WORKERS?"]);
    }

    #[test]
    fn the_older_name_of_the_log_level_holds_where_the_newer_one_is_not_set() {
        for (newer, level) in [("debug", "debug"), ("", "info")] {
            let variables = [("OUTLAST_LOG", "info"), ("OUTLAST_LOG_LEVEL", newer)];
            assert_eq!(reported(&variables).0, [format!("log-level={level}")]);
        }
    }
}
