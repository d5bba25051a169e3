//! Whether the states of all shards fit together: as parts of one tree, done in one way, with each path in one of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ShardStates, ShardSummary};
use crate::engine::error::EngineError;
use crate::ledger::{LedgerError, StateFolder, StateInfo};
use crate::model::{RootId, Shard};

/// Paths of other shards that are named, of each shard.
const PATHS_MAX: usize = 5;

impl ShardStates {
    /// Returns what differs, a line for each; nothing where all fits.
    ///
    /// # Errors
    /// A log can't be read.
    pub fn check(&self) -> Result<Vec<String>, EngineError> {
        let mut problems = Vec::new();
        let mut states = Vec::new();
        for &number in &self.found {
            match described(&self.state(number)) {
                Ok(info) => states.push((number, info)),
                Err(what) => problems.push(format!("{}: {what}", Shard::padded_number(number))),
            }
        }
        let count = most_of(states.iter().filter_map(|(_, info)| Some(info.shard?.count())));
        let count = count.unwrap_or_else(|| self.found.last().map_or(0, |last| last + 1));
        for (number, info) in &states {
            problems.extend(
                misplaced(*number, info.shard, count)
                    .map(|what| format!("{}: {what}", Shard::padded_number(*number))),
            );
        }
        let missing = (0..count).filter(|number| !self.found.contains(number));
        problems.extend(missing.map(|number| {
            format!("{}: not there: no runner has begun {number}/{count}", Shard::padded_number(number))
        }));
        check_copies(&states, &mut problems);
        check_alike(&states, "processor", &mut problems, |info| {
            listed(info.roots.iter().map(|root| format!("{} of {}", root.processor, root.name)))
        });
        check_alike(&states, "filters", &mut problems, |info| {
            listed(info.roots.iter().flat_map(|root| {
                let rules = root.filters.lines().filter(|line| !line.starts_with("shard "));
                rules.map(|rule| format!("`{rule}` of {}", root.name)).collect::<Vec<_>>()
            }))
        });
        check_alike(&states, "roots", &mut problems, |info| {
            listed(info.roots.iter().map(|root| format!("{} at {}", root.name, root.path.display())))
        });
        for (number, info) in &states {
            let Some(shard) = info.shard.filter(|shard| shard.index() == *number) else { continue };
            self.check_paths(shard, &mut problems)?;
        }
        problems.sort();
        Ok(problems)
    }

    /// Reports each path whose records are in this shard, and which is of another: so none is in two.
    fn check_paths(&self, shard: Shard, problems: &mut Vec<String>) -> Result<(), EngineError> {
        let name = shard.padded();
        let state = self.state(shard.index());
        let Some(summary) = ShardSummary::read(&state)? else {
            problems.push(format!("{name}: no runner has written a summary yet"));
            return Ok(());
        };
        if summary.shard != shard {
            problems.push(format!("{name}: its summary is of shard {}, from elsewhere", summary.shard));
            return Ok(());
        }
        let mut foreign = BTreeMap::new();
        summary.log(&state).each_line(|_, record| {
            let path = record.key(RootId(0)).map(|key| key.relative_path());
            if let Some(path) = path.filter(|path| !shard.holds(path)) {
                foreign.insert(path, record.root.to_string());
            }
            Ok(())
        })?;
        for (path, root) in foreign.iter().take(PATHS_MAX) {
            let of = Shard::index_of(path, shard.count());
            problems.push(format!(
                "{name}: has {} of {root}, a file of {}: it would be in two shards",
                path.escape_ascii(),
                Shard::padded_number(of)
            ));
        }
        if foreign.len() > PATHS_MAX {
            problems.push(format!("{name}: has {} more files of other shards", foreign.len() - PATHS_MAX));
        }
        Ok(())
    }
}

fn described(state: &Path) -> Result<StateInfo, String> {
    StateFolder::read_info(state).map_err(|error| match error {
        LedgerError::Io { error, .. } => error.to_string(),
        LedgerError::Damaged { what, .. } => what,
        error => error.to_string(),
    })
}

fn misplaced(number: u32, shard: Option<Shard>, count: u32) -> Option<String> {
    match shard {
        None => Some("a state of all files, from elsewhere".to_owned()),
        Some(shard) if shard.index() != number => Some(format!("the state of shard {shard}, from elsewhere")),
        Some(shard) if shard.count() != count => {
            Some(format!("one of {} shards, and most are of {count}", shard.count()))
        }
        Some(_) => None,
    }
}

/// Reports states that are copies of one.
fn check_copies(states: &[(u32, StateInfo)], problems: &mut Vec<String>) {
    let mut seen = BTreeMap::<&str, u32>::new();
    for (number, info) in states {
        if let Some(first) = seen.insert(&info.id, *number) {
            problems.push(format!(
                "{}: a copy of the state of {}",
                Shard::padded_number(*number),
                Shard::padded_number(first)
            ));
        }
    }
}

/// Reports states that differ in something from most of them.
fn check_alike(
    states: &[(u32, StateInfo)],
    what: &str,
    problems: &mut Vec<String>,
    of: impl Fn(&StateInfo) -> String,
) {
    let Some(usual) = most_of(states.iter().map(|(_, info)| of(info))) else { return };
    let others = states.iter().filter(|(_, info)| of(info) != usual);
    problems.extend(others.map(|(number, info)| {
        format!("{}: other {what}: {}; most have {usual}", Shard::padded_number(*number), of(info))
    }));
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Returns the most frequent value, of several the least.
fn most_of<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counted = BTreeMap::<T, usize>::new();
    values.for_each(|value| *counted.entry(value).or_default() += 1);
    let most = counted.values().copied().max()?;
    counted.into_iter().find(|(_, count)| *count == most).map(|(value, _)| value)
}
