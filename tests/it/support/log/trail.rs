//! What a process does to its state, as far as names, sizes and times of the files tell.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders of a state whose files are looked at.
const FOLDERS: [&str; 4] = ["", "db", "db.before", "records"];
/// What is not durable state.
const OTHERS: [&str; 1] = ["lock"];

/// Size, time of the last write, and inode.
type Seen = (u64, (i64, i64), u64);

/// The files of a state, look by look.
pub(crate) struct Trail {
    state: PathBuf,
    seen: BTreeMap<String, Seen>,
    /// Whether the files count that the process has opened, too.
    with_open: bool,
    step: String,
    changes: u64,
    quiet_looks: u64,
    ticks: u64,
    /// Anything was written to the log, or removed from it.
    has_logged: bool,
    /// The log has grown since the witness did.
    has_appended: bool,
}

impl Trail {
    /// As the state is before the process begins.
    pub(crate) fn new(state: &Path) -> Self {
        Self {
            state: state.to_owned(),
            seen: scan(state),
            with_open: false,
            step: String::new(),
            changes: 0,
            quiet_looks: 0,
            ticks: 0,
            has_logged: false,
            has_appended: false,
        }
    }

    /// A file that the process opens is a change, too.
    pub(crate) fn with_open(self) -> Self {
        Self { with_open: true, ..self }
    }

    /// Looks once more. Returns whether anything has changed.
    pub(crate) fn look(&mut self, pid: u32) -> bool {
        let mut now = scan(&self.state);
        if self.with_open {
            now.extend(opened(pid, &self.state));
        }
        let names = now.keys().chain(self.seen.keys());
        let changed = names.filter(|name| now.get(*name) != self.seen.get(*name));
        let steps: Vec<String> =
            changed.map(|name| step_of(name, self.seen.get(name), now.get(name))).collect();
        self.has_logged |= steps.iter().any(|step| LOGS.contains(&step.as_str()));
        let last = steps.into_iter().max_by_key(|step| RANKS.iter().position(|rank| rank == step));
        let log = |files: &BTreeMap<String, Seen>| -> u64 {
            files.iter().filter(|(name, _)| is_segment(name)).map(|(_, seen)| seen.0).sum()
        };
        self.has_appended |= log(&now) > log(&self.seen);
        if now.get("witness") != self.seen.get("witness") && std::mem::take(&mut self.has_appended) {
            self.ticks += 1;
        }
        self.seen = now;
        let has_changed = last.is_some();
        self.step = last.unwrap_or_else(|| std::mem::take(&mut self.step));
        self.changes += u64::from(has_changed);
        self.quiet_looks = if has_changed { 0 } else { self.quiet_looks + 1 };
        has_changed
    }

    /// What was done last.
    pub(crate) fn step(&self) -> &str {
        &self.step
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.changes > 0
    }

    /// Looks since the last change.
    pub(crate) fn quiet_looks(&self) -> u64 {
        self.quiet_looks
    }

    /// Whether anything was written to the log, or removed from it.
    pub(crate) fn has_logged(&self) -> bool {
        self.has_logged
    }

    /// Whether there is a file, or one is opened, of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.seen.contains_key(name)
    }

    /// Ticks since the beginning that wrote records.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }
}

fn scan(state: &Path) -> BTreeMap<String, Seen> {
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        for entry in std::fs::read_dir(state.join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(seen) = entry.metadata().ok().filter(|_| !OTHERS.contains(&&*name)) else { continue };
            let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            // A folder's own size and time tell of the files in it.
            let what =
                if seen.is_dir() { (0, (0, 0)) } else { (seen.len(), (seen.mtime(), seen.mtime_nsec())) };
            found.insert(name, (what.0, what.1, seen.ino()));
        }
    }
    found
}

/// The files of the state that the process has opened.
fn opened(pid: u32, state: &Path) -> Vec<(String, Seen)> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    let ours = targets.filter_map(|target| Some(target.strip_prefix(state).ok()?.display().to_string()));
    ours.map(|name| (format!("open {name}"), (0, (0, 0), 0))).collect()
}

fn is_segment(name: &str) -> bool {
    name.starts_with("records/records-") && name.ends_with(".ndjson")
}

/// The steps of a commit, in this order; whatever else there is comes before.
const RANKS: [&str; 4] = ["segment begun", "log appended", "db written", "witness written"];

/// What is done to the log where more than its end is cut.
const LOGS: [&str; 3] = ["segment begun", "log appended", "segment dropped"];

fn step_of(name: &str, before: Option<&Seen>, now: Option<&Seen>) -> String {
    let is_longer = before.zip(now).is_none_or(|(before, now)| now.0 > before.0);
    let known = match (name, before, now) {
        ("db/db", Some(_), Some(_)) => "db written",
        ("witness", Some(before), Some(now)) if before.2 == now.2 => "witness written",
        (name, None, Some(_)) if is_segment(name) => "segment begun",
        (name, Some(_), None) if is_segment(name) => "segment dropped",
        (name, ..) if is_segment(name) => {
            if is_longer {
                "log appended"
            } else {
                "log cut"
            }
        }
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    // Numbers tell nothing.
    let name: String = name.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let what = match (before, now) {
        (None, _) => "is there",
        (_, None) => "is gone",
        _ => "written",
    };
    format!("{name} {what}")
}
