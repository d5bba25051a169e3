//! Whether records, status and tree agree: the guarantees, checked from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Found, History, Promise, Ran, Record, current, outlast, ran, read_log, walk};

/// A check of a state, after a run that came to its end, against the trees that it was run on.
pub(crate) struct Checker<'a> {
    state: &'a Path,
    roots: Vec<PathBuf>,
    history: Option<&'a History>,
    repaired: bool,
    retried: bool,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(state: &'a Path, roots: &[&Path]) -> Self {
        Self {
            state,
            roots: roots.iter().map(|&root| root.to_owned()).collect(),
            history: None,
            repaired: false,
            retried: false,
        }
    }

    /// Each record must be of a content that its path once had.
    pub(crate) fn with_history(self, history: &'a History) -> Self {
        Self { history: Some(history), ..self }
    }

    /// Records may have been lost, and so made again: only the current ones are exactly once.
    pub(crate) fn repaired(self) -> Self {
        Self { repaired: true, ..self }
    }

    /// Somebody had failed files done again: one that fails as before has another record of its content.
    pub(crate) fn retried(self) -> Self {
        Self { retried: true, ..self }
    }

    #[track_caller]
    pub(crate) fn assert(self) {
        if let Err(problems) = self.check() {
            panic!("{problems}");
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let mut problems = Vec::new();
        if let Err(fatal) = self.collect(&mut problems) {
            problems.push(fatal);
        }
        let shown = problems.iter().take(10).map(|problem| format!("  {problem}\n")).collect::<String>();
        if problems.is_empty() { Ok(()) } else { Err(format!("{} problems:\n{shown}", problems.len())) }
    }

    fn collect(&self, problems: &mut Vec<String>) -> Result<(), String> {
        let status = answered(self.ask(&["status", "--format", "json"]))?.json();
        let folder = PathBuf::from(status["records"].as_str().unwrap());
        let log = read_log(&folder, Promise::of(&status).log)?;
        let trees = self.trees(&status)?;
        check_status(&status, &trees, problems);
        if !self.repaired {
            check_once(&log, self.retried, problems);
        }
        self.check_history(&log, problems);
        let latest = current(&log);
        check_current(&latest, &trees, problems);
        let printed = answered(self.ask(&["records"]))?;
        check_printed(&printed, &latest, problems);
        Ok(())
    }

    fn ask(&self, args: &[&str]) -> Ran {
        ran(outlast().args(args).arg("--state").arg(self.state))
    }

    /// What is on disk, by the name that each root has in the records.
    fn trees(&self, status: &Value) -> Result<BTreeMap<String, BTreeMap<Vec<u8>, Found>>, String> {
        let told = status["roots"].as_array().unwrap();
        let name_of = |root: &Path| -> Result<String, String> {
            let same = |told: &&Value| told["path"].as_str().map(Path::new) == Some(root);
            let found =
                told.iter().find(same).ok_or_else(|| format!("no root {} in {status}", root.display()))?;
            Ok(found["name"].as_str().unwrap().to_owned())
        };
        self.roots.iter().map(|root| Ok((name_of(root)?, walk(root)))).collect()
    }

    fn check_history(&self, log: &[Record], problems: &mut Vec<String>) {
        let Some(history) = self.history else { return };
        for record in log {
            let version = record.digest.clone().zip(record.mtime);
            let known = version
                .is_some_and(|version| history.get(&record.path).is_some_and(|all| all.contains(&version)));
            if record.status != "removed" && !known {
                problems.push(format!("{} never was what its record says, {}", record.name(), record.json));
            }
        }
    }
}

fn answered(told: Ran) -> Result<Ran, String> {
    if told.code == Some(0) && !told.crashed() { Ok(told) } else { Err(told.to_string()) }
}

/// One record for each version: none follows another of the same content, nothing is removed twice.
fn check_once(log: &[Record], retried: bool, problems: &mut Vec<String>) {
    let mut before: BTreeMap<(&str, &[u8]), &Record> = BTreeMap::new();
    let mut tick = 0;
    // What came before was dropped with the segments that it stood in.
    let has_begun_later = log.iter().any(|record| record.is_copy);
    for record in log {
        if record.is_copy {
            before.entry((&record.root, &record.path)).or_insert(record);
            continue;
        }
        if record.tick < tick {
            problems.push(format!("{} has tick {} after {tick}", record.name(), record.tick));
        }
        tick = record.tick;
        let last = before.insert((&record.root, &record.path), record);
        let again = match last {
            Some(last) if record.status == "removed" => last.status == "removed",
            Some(last) if retried && last.status == "failed" => false,
            Some(last) => last.status != "removed" && last.digest == record.digest,
            None => record.status == "removed" && !has_begun_later,
        };
        if again {
            let last = last.map(|last| &last.json);
            problems.push(format!("{} has a record too many: {} after {last:?}", record.name(), record.json));
        }
    }
}

type Trees = BTreeMap<String, BTreeMap<Vec<u8>, Found>>;

/// The latest record of each path is that of the file, and no file is without.
fn check_current(latest: &BTreeMap<(String, Vec<u8>), Record>, trees: &Trees, problems: &mut Vec<String>) {
    for (root, files) in trees {
        for (path, file) in files {
            match latest.get(&(root.clone(), path.clone())) {
                Some(record) => check_record(record, file, problems),
                None => problems.push(format!("{root}:{} has no record", path.escape_ascii())),
            }
        }
    }
    for ((root, path), record) in latest {
        if trees.get(root).is_some_and(|files| !files.contains_key(path)) {
            problems.push(format!("{} is gone, but its record stands: {}", record.name(), record.json));
        }
    }
}

fn check_record(record: &Record, file: &Found, problems: &mut Vec<String>) {
    let expected = if file.values.is_some() { "ok" } else { "failed" };
    let fits = record.status == expected
        && record.size == Some(file.size)
        && record.digest.as_deref() == Some(&file.digest)
        && record.values == file.values
        && record.mtime.is_some()
        && (expected == "ok" || record.json["error"]["class"] == "parse");
    if !fits {
        problems.push(format!("{} is {file:?}, and its record {}", record.name(), record.json));
    }
}

/// `outlast records` prints just the current records.
fn check_printed(printed: &Ran, latest: &BTreeMap<(String, Vec<u8>), Record>, problems: &mut Vec<String>) {
    let mut seen = BTreeMap::new();
    for line in printed.lines() {
        match Record::parse(line) {
            Ok(record) => {
                let key = (record.root.clone(), record.path.clone());
                if seen.insert(key, record.json).is_some() {
                    problems.push(format!("printed twice: {}", String::from_utf8_lossy(line)));
                }
            }
            Err(error) => problems.push(format!("printed: {error}")),
        }
    }
    let same =
        seen.len() == latest.len() && latest.iter().all(|(key, record)| seen.get(key) == Some(&record.json));
    if !same {
        problems.push(format!(
            "{} current records printed, {} in the log, or others",
            seen.len(),
            latest.len()
        ));
    }
}

/// Nothing is pending, and what is ok and failed are all the files.
fn check_status(status: &Value, trees: &Trees, problems: &mut Vec<String>) {
    let mut total = [0; 3];
    for root in status["roots"].as_array().unwrap() {
        let counts = ["ok", "failed", "pending"].map(|name| root[name].as_u64().unwrap());
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let Some(files) = trees.get(root["name"].as_str().unwrap()) else { continue };
        let ok = files.values().filter(|file| file.values.is_some()).count() as u64;
        let expected = [ok, files.len() as u64 - ok, 0];
        if counts != expected {
            problems.push(format!("ok, failed and pending are {expected:?}, and the status says {root}"));
        }
    }
    let told = ["ok", "failed", "pending"].map(|name| status["total"][name].as_u64().unwrap());
    if told != total {
        problems.push(format!("the roots' counts add up to {total:?}, and the status says {told:?}"));
    }
}

/// discovered = ok + failed + unchanged + pending + skipped.
pub(crate) fn summary_adds_up(summary: &Value) -> Result<(), String> {
    let of = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"));
    let skipped: u64 = summary["skipped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let parts = of("ok") + of("failed") + of("unchanged") + of("pending") + skipped;
    if of("discovered") == parts { Ok(()) } else { Err(format!("{parts} files, but {summary}")) }
}
