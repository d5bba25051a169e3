//! The shard of a process: named, or as the scheduler that started it says.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::str::FromStr;

use crate::model::{Shard, ShardError};

/// What the setting `shard` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardChoice {
    /// This one.
    Fixed(Shard),
    /// The one of so many whose number is in the environment.
    Auto(u32),
}

/// The variables with the number of a process among its like: of an indexed job of Kubernetes, of an array of Slurm, and of
/// anything else.
const KUBERNETES: &str = "JOB_COMPLETION_INDEX";
const SLURM: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_FIRST: &str = "SLURM_ARRAY_TASK_MIN";
pub(super) const OWN: &str = "OUTLAST_SHARD_INDEX";

impl ShardChoice {
    /// Returns the shard for a process with these variables.
    ///
    /// # Errors
    /// No variable has the number, or there is no such shard; a sentence.
    pub(super) fn settle(self, variables: &BTreeMap<OsString, OsString>) -> Result<Shard, String> {
        let count = match self {
            Self::Fixed(shard) => return Ok(shard),
            Self::Auto(count) => count,
        };
        let number = |name: &str| -> Option<Result<u32, String>> {
            let value = variables.get(OsStr::new(name)).filter(|value| !value.is_empty())?;
            let value = value.to_string_lossy();
            Some(value.parse().map_err(|_| format!("{name} is {value:?}, and no number of a shard")))
        };
        let (name, index) = if let Some(index) = number(KUBERNETES) {
            (KUBERNETES, index?)
        } else if let Some(index) = number(SLURM) {
            let index = index?;
            let first = number(SLURM_FIRST).unwrap_or(Ok(0))?;
            let before = || format!("{SLURM} is {index}, and {SLURM_FIRST} is {first}");
            (SLURM, index.checked_sub(first).ok_or_else(before)?)
        } else if let Some(index) = number(OWN) {
            (OWN, index?)
        } else {
            return Err(format!(
                "none of {KUBERNETES}, {SLURM} and {OWN} is set; set {OWN}, or name the shard, such as 0/{count}"
            ));
        };
        Shard::new(index, count).map_err(|error| format!("number {index} by {name}: {error}"))
    }
}

/// As it is given.
impl fmt::Display for ShardChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(shard) => write!(f, "{shard}"),
            Self::Auto(count) => write!(f, "auto/{count}"),
        }
    }
}

impl FromStr for ShardChoice {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let Some(count) = text.strip_prefix("auto/") else { return text.parse().map(Self::Fixed) };
        let count = count.parse().map_err(|_| ShardError::Form)?;
        Shard::new(0, count).map(|_| Self::Auto(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        ShardChoice::Auto(64).settle(&variables).map(|shard| shard.to_string())
    }

    #[test]
    fn the_number_is_that_of_the_first_scheduler_that_says_one() {
        for (variables, expected) in [
            (&[(KUBERNETES, "3"), (SLURM, "9"), (OWN, "5")][..], "3/64"),
            (&[(SLURM, "9"), (SLURM_FIRST, "2"), (OWN, "5")], "7/64"),
            (&[(SLURM, "9")], "9/64"),
            (&[(KUBERNETES, ""), (OWN, "63")], "63/64"),
        ] {
            assert_eq!(settled(variables).unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_number_that_is_missing_or_not_there_is_told() {
        for (variables, words) in [
            (&[][..], "none of JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID and OUTLAST_SHARD_INDEX is set"),
            (&[(OWN, "64")], "number 64 by OUTLAST_SHARD_INDEX: shards count from 0"),
            (&[(OWN, "x")], "OUTLAST_SHARD_INDEX is \"x\""),
            (&[(SLURM, "1"), (SLURM_FIRST, "2")], "SLURM_ARRAY_TASK_MIN is 2"),
        ] {
            let error = settled(variables).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
