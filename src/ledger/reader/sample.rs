//! A sample of entries, spread over a part of the ledger, without a walk over all of it.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

use super::LedgerReader;
use crate::ledger::database::Tree;
use crate::ledger::error::LedgerError;
use crate::ledger::map::block::RowReader;
use crate::ledger::map::scan::Scan;
use crate::model::{FileKey, shared_prefix};

/// Bytes after the shared prefix of two keys that determine the middle between them.
const DIGITS: usize = 8;

impl LedgerReader {
    /// Returns up to `max` of the files whose encoded keys begin with `prefix`, spread over all of them: each found
    /// one splits a gap between two others. It takes two seeks for each.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn sample(&self, prefix: &[u8], max: usize) -> Result<Vec<FileKey>, LedgerError> {
        let mut scan = self.scan();
        let first = key_from(&mut scan, prefix)?.filter(|key| key.starts_with(prefix));
        let (Some(first), Some(last)) = (first, self.last_of(prefix)?) else { return Ok(Vec::new()) };
        let mut found = BTreeSet::from([first.clone(), last.clone()]);
        let mut gaps = VecDeque::from([(first, last)]);
        while found.len() < max
            && let Some((low, high)) = gaps.pop_front()
        {
            let Some(next) = key_from(&mut scan, &behind(&low))?.filter(|key| *key < high) else { continue };
            let middle = between(&low, &high).filter(|middle| *middle > next);
            let upper = match &middle {
                Some(middle) => key_from(&mut scan, middle)?.filter(|key| *key < high),
                None => None,
            };
            match (middle, upper) {
                (Some(middle), Some(key)) => {
                    gaps.push_back((low, middle));
                    gaps.push_back((key.clone(), high));
                    found.insert(key);
                }
                // All in the gap lies in its lower half, or after the first of it.
                (middle, _) => {
                    gaps.push_back((next.clone(), middle.unwrap_or(high)));
                    found.insert(next);
                }
            }
        }
        Ok(found.iter().take(max).filter_map(|key| FileKey::from_bytes(key)).collect())
    }

    /// Returns the last key that begins with `prefix`.
    fn last_of(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let end = end_of(prefix);
        let bound = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let Some((block, value)) = self.store.last_below(Tree::Files, bound)? else { return Ok(None) };
        let damaged = |what| LedgerError::damaged(self.store.folder(), what);
        let mut rows = RowReader::default();
        let body = rows.start(&block, &value).map_err(damaged)?;
        let mut last = None;
        while rows.next(body).map_err(damaged)? {
            if rows.key.starts_with(prefix) {
                last = Some(rows.key.clone());
            }
        }
        Ok(last)
    }
}

/// Returns the first key that is not below `from`.
fn key_from(scan: &mut Scan, from: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
    scan.seek(from)?;
    Ok(scan.peek()?.map(|(key, _)| key.to_vec()))
}

/// Returns the key right after a key.
fn behind(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// Returns the key right after all keys that begin with `prefix`; `None` if there can be none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// Returns about the middle between two keys, `low` below `high`; `None` where they are too near each other.
fn between(low: &[u8], high: &[u8]) -> Option<Vec<u8>> {
    let common = shared_prefix(low, high);
    let number = |key: &[u8]| {
        let digits = (common..common + DIGITS).map(|at| key.get(at).copied().unwrap_or(0));
        digits.fold(0_u64, |number, digit| number << 8 | u64::from(digit))
    };
    let below = number(low);
    let above = number(high);
    let middle = below + above.checked_sub(below)? / 2;
    if middle == below {
        return None;
    }
    let mut key = low.get(..common)?.to_vec();
    key.extend_from_slice(&middle.to_be_bytes());
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::commit::{Ledger, Tick};
    use crate::ledger::folder::StateFolder;
    use crate::ledger::map::entry::Entry;
    use crate::model::{FolderKey, LogPosition, RootId};

    /// Creates a ledger with these files, of root 1 unless they begin with another number.
    fn ledger(paths: &[String]) -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::create(&folder.path().join("state"), "records".as_ref()).unwrap();
        let mut ledger = Ledger::open(&state).unwrap();
        let entry = Entry { pending: true, ..Entry::default() };
        let mut changes: Vec<_> = [(1, paths), (2, &["other".to_owned()][..])]
            .into_iter()
            .flat_map(|(root, paths)| paths.iter().map(move |path| (RootId(root), path)))
            .map(|(root, path)| (FileKey::from_relative_path(root, path.as_bytes()).unwrap(), Some(entry)))
            .collect();
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        let tick = Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None };
        ledger.commit(tick).unwrap();
        (folder, ledger)
    }

    fn sampled(paths: &[String], max: usize) -> Vec<String> {
        let (_folder, ledger) = ledger(paths);
        let prefix = FolderKey::root(RootId(1));
        let keys = ledger.reader().sample(prefix.as_bytes(), max).unwrap();
        keys.iter().map(|key| String::from_utf8(key.relative_path()).unwrap()).collect()
    }

    #[test]
    fn every_part_of_a_tree_is_met_also_beside_a_large_one() {
        let mut paths: Vec<String> = (0..20_000).map(|n| format!("large/d{}/{n}.json", n % 7)).collect();
        let small = ["a/b/c/d/e/f/x.json", "small/1.json", "z.json", "large2/1.json"];
        paths.extend(small.map(str::to_owned));
        paths.extend((0..9).map(|n| format!("m{n}/only.json")));
        let found = sampled(&paths, 256);
        assert_eq!(found.len(), 256);
        for path in small {
            assert!(found.iter().any(|found| found == path), "{path}");
        }
        let folder = |path: &String| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut by_folder: BTreeMap<String, usize> = BTreeMap::new();
        found.iter().for_each(|path| *by_folder.entry(folder(path)).or_default() += 1);
        assert_eq!(by_folder.len(), 7 + 4 + 9, "{by_folder:?}");
    }

    #[test]
    fn few_files_are_all_met_and_no_others() {
        for count in [0, 1, 2, 3, 50] {
            let mut paths: Vec<String> = (0..count).map(|n| format!("same/name/{n}")).collect();
            paths.sort();
            assert_eq!(sampled(&paths, 256), paths);
        }
        let near: Vec<String> = (1..40).map(|n| "a".repeat(n)).collect();
        assert_eq!(sampled(&near, 256), near);
    }
}
