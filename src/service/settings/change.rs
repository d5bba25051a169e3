//! Differences between two readings of the settings.

use std::fmt;

use super::catalogue::catalogue;
use super::problem::Origin;
use super::resolved::{Resolved, Settings};
use super::setting::AppliesWhen;
use super::values::Value;

/// A setting whose value has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The key of the setting.
    pub key: &'static str,
    /// When it is applied.
    pub takes: AppliesWhen,
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
    pub fn changes_to(&self, next: &Self) -> Vec<Changed> {
        let pairs = self.all.iter().zip(&next.all);
        let differ = |(old, new): &(&Resolved, &Resolved)| {
            let follows = old.origin == Origin::Default && new.origin == Origin::Default;
            old.value != new.value && !follows
        };
        let changed = |(old, new): (&Resolved, &Resolved)| {
            let Resolved { setting, value, origin } = new.clone();
            Changed { key: &setting.key, takes: setting.takes, from: old.value.clone(), to: value, origin }
        };
        pairs.filter(differ).map(changed).collect()
    }

    /// Returns `next`, except for settings that `takes` rejects: these keep their value here.
    #[must_use]
    pub fn taking(&self, next: &Self, takes: impl Fn(AppliesWhen) -> bool) -> Self {
        let pairs = self.given.iter().zip(&next.given).zip(catalogue());
        let given = pairs.map(|((old, new), setting)| if takes(setting.takes) { new } else { old }.clone());
        Self::new(given.collect(), next.read.clone())
    }
}

#[cfg(test)]
mod tests {
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
            let lines = old.changes_to(new).into_iter().map(|changed| changed.to_string());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(changes(&old, &new), ["retry-attempts 3 -> 7 (flag --retry-attempts)"]);
        assert_eq!(changes(&new, &old), ["retry-attempts 7 -> 3 (default)"]);
        assert!(changes(&new, &new).is_empty());
    }
}
