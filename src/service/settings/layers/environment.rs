//! Settings in the environment: `OUTLAST_` and the key in upper case.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::service::settings::catalogue::{Setting, catalogue};
use crate::service::settings::load::{LayerValue, Origin, Problem};
use crate::service::settings::suggest::{did_you_mean, nearest};

const PREFIX: &[u8] = b"OUTLAST_";
/// The variable that names the configuration file, instead of the nearest one.
pub(crate) const CONFIG: &str = "OUTLAST_CONFIG";
/// The older name of the `log-level` variable; the newer one takes precedence.
const LOG: (&str, &str) = ("OUTLAST_LOG", "OUTLAST_LOG_LEVEL");

/// Variables with the prefix that are no settings: those of tests and benchmarks, and those that Kubernetes sets for
/// a service named `outlast`.
const OTHERS: [&str; 6] = [
    "OUTLAST_BENCH_",
    "OUTLAST_FAILPOINT",
    "OUTLAST_TEST_",
    "OUTLAST_WRITE_GOLDEN",
    "OUTLAST_SERVICE_",
    "OUTLAST_PORT",
];
const OTHERS_ENDS: [&str; 2] = ["_ROUNDS", "_SEED"];

/// Reads what the variables set; an empty one counts as unset.
pub(crate) fn read(variables: &BTreeMap<OsString, OsString>, problems: &mut Vec<Problem>) -> Vec<LayerValue> {
    let is_ours = |name: &OsStr| name.as_bytes().starts_with(PREFIX);
    let ours = variables.iter().filter(|(name, value)| is_ours(name) && !value.is_empty());
    let mut found = Vec::new();
    for (name, value) in ours {
        let shown = name.to_string_lossy();
        let origin = Origin::Variable(shown.to_string());
        match meant(&shown, variables) {
            Meant::Setting(setting) => match setting.kind.parse_os(value) {
                Ok(value) => found.push(LayerValue { setting, value, origin }),
                Err(wrong) => {
                    let what = format!("{} is {:?}: {wrong}", setting.key, value.to_string_lossy());
                    problems.push(Problem { origin, what });
                }
            },
            Meant::Nothing => {}
            Meant::Unknown => {
                let names: Vec<String> = catalogue().iter().map(Setting::variable).collect();
                let hint = did_you_mean(nearest(&shown, names.iter().map(String::as_str)));
                problems.push(Problem { origin, what: format!("no such setting; {hint}") });
            }
        }
    }
    found
}

enum Meant {
    Setting(&'static Setting),
    Nothing,
    Unknown,
}

fn meant(name: &str, variables: &BTreeMap<OsString, OsString>) -> Meant {
    let (old, new) = LOG;
    if name == old && variables.get(OsStr::new(new)).is_some_and(|value| !value.is_empty()) {
        return Meant::Nothing;
    }
    let wanted = if name == old { new } else { name };
    if let Some(setting) = catalogue().iter().find(|setting| setting.variable() == wanted) {
        return Meant::Setting(setting);
    }
    let is_other = name == CONFIG
        || OTHERS.iter().any(|begin| name.starts_with(begin))
        || OTHERS_ENDS.iter().any(|end| name.ends_with(end));
    if is_other { Meant::Nothing } else { Meant::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(variables: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut problems = Vec::new();
        let found = read(&variables, &mut problems);
        let found = found.iter().map(|found| format!("{}={}", found.setting.key, found.value));
        (found.collect(), problems.iter().map(ToString::to_string).collect())
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
        assert_eq!(reported(&[("OUTLAST_LOG", "info")]).0, ["log-level=info"]);
        assert_eq!(
            reported(&[("OUTLAST_LOG", "info"), ("OUTLAST_LOG_LEVEL", "debug")]).0,
            ["log-level=debug"]
        );
        assert_eq!(reported(&[("OUTLAST_LOG", "info"), ("OUTLAST_LOG_LEVEL", "")]).0, ["log-level=info"]);
    }
}
