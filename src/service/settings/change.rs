//! Differences between two readings of the settings.

use std::fmt;

use super::problem::Origin;
use super::resolved::{Resolved, Settings};
use super::setting::Setting;
use super::values::Value;

/// A setting whose value has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The key of the setting.
    pub key: &'static str,
    /// The value before.
    pub from: Value,
    /// The value now.
    pub to: Value,
    /// The source of the value now.
    pub origin: Origin,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {} ({})", self.key, self.from, self.to, self.origin)
    }
}

impl Settings {
    /// Returns the settings that differ in `next`, except defaults that merely follow from another setting.
    pub fn changes_to(&self, next: &Self) -> Vec<(&'static Setting, Changed)> {
        let pairs = self.all.iter().zip(&next.all);
        let differ = |(old, new): &(&Resolved, &Resolved)| {
            let follows = old.origin == Origin::Default && new.origin == Origin::Default;
            old.value != new.value && !follows
        };
        let changed = |(old, new): (&Resolved, &Resolved)| {
            let to = new.value.clone();
            let origin = new.origin.clone();
            (new.setting, Changed { key: &new.setting.key, from: old.value.clone(), to, origin })
        };
        pairs.filter(differ).map(changed).collect()
    }

    /// Returns `next`, except for settings that `takes` rejects: these keep their value here.
    #[must_use]
    pub fn taking(&self, next: &Self, takes: impl Fn(&Setting) -> bool) -> Self {
        let mut from = self.set.clone();
        let mut set = next.set.clone();
        let mut origin = |(old, new): (&Resolved, &Resolved)| {
            if takes(new.setting) {
                return new.origin.clone();
            }
            new.setting.copy(&mut from, &mut set);
            old.origin.clone()
        };
        let origins = self.all.iter().zip(&next.all).map(&mut origin).collect();
        Self::new(set, origins, next.files.clone(), next.warnings.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::AppliesWhen;
    use super::super::catalogue::setting;
    use super::super::load::given;
    use super::*;

    fn with(flags: &[(&str, &str)]) -> Settings {
        given(flags).load().unwrap()
    }

    #[test]
    fn a_change_is_told_with_both_values_and_not_what_follows_from_it() {
        let old = with(&[]);
        let new = with(&[("retry-attempts", "7")]);
        let changes = |old: &Settings, new| {
            let lines = old.changes_to(new).into_iter().map(|(_, changed)| changed.to_string());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(changes(&old, &new), ["retry-attempts 3 -> 7 (flag --retry-attempts)"]);
        assert_eq!(changes(&new, &old), ["retry-attempts 7 -> 3 (default)"]);
        assert!(changes(&new, &new).is_empty());
    }

    #[test]
    fn what_is_not_taken_over_stays_a_change() {
        let new = [("out", "/b"), ("batch-size", "9")];
        let old = with(&[("out", "/a")]);
        let new = with(&new);
        let taken = old.taking(&new, |setting| setting.takes != AppliesWhen::Restart);
        assert_eq!((taken.out(), taken.batch().batch_size), (old.out(), 9));
        let left = taken.changes_to(&new);
        assert_eq!(left.iter().map(|(setting, _)| setting.key.as_str()).collect::<Vec<_>>(), ["out"]);
    }

    #[test]
    fn what_runs_takes_over_limits_and_levels_and_keeps_where_things_are() {
        let takes = |key: &str| setting(key).unwrap().takes;
        for key in ["workers", "memory-limit", "timeout", "retry.timeout.attempts", "wait", "log-level"] {
            assert_eq!(takes(key), AppliesWhen::AtOnce, "{key}");
        }
        for key in ["include", "exclude", "order", "on-error"] {
            assert_eq!(takes(key), AppliesWhen::NextJob, "{key}");
        }
        for key in ["state", "out", "log-file", "log-format", "limit.depth", "heartbeat"] {
            assert_eq!(takes(key), AppliesWhen::Restart, "{key}");
        }
    }
}
