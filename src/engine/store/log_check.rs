//! Checks that the record log is as committed: compared with its checksums, or untouched since it was.
//!
//! A comparison reads all of it: a tenth of a run in which nothing has changed while it is in memory, and far more
//! from a disk. So a run that has compared it and appended nothing leaves a note of the files, as the system reported
//! them before the comparison and still does at its end. The next run relies on that for a day, while the machine has
//! not been restarted, and while device, inode, size and times of each file are the same.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::engine::error::EngineError;
use crate::engine::stop::Stop;
use crate::ledger::{LOG_CHECKED, Ledger, LogRange, StateFolder};
use crate::model::{Fingerprint, Timestamp};
use crate::sink::{self, SinkError};

/// How long a note is valid.
const GOOD_NS: i64 = 24 * 3600 * 1_000_000_000;

/// Compares committed ranges of the record log with their checksums. Returns false if stopped before the end.
///
/// # Errors
/// [`SinkError::Damaged`] where one differs.
pub(crate) fn check_log(records: &Path, ranges: &[LogRange], stop: &Stop) -> Result<bool, EngineError> {
    for range in ranges {
        if stop.is_requested() {
            return Ok(false);
        }
        let path = records.join(sink::segment_name(range.segment));
        if !sink::check_range(&path, range.from, range.to, range.crc32)? {
            let what = format!("bytes {} to {} changed after they were committed", range.from, range.to);
            return Err(SinkError::Damaged { path, what }.into());
        }
    }
    Ok(true)
}

/// Returns when the log was compared, from a note in the state folder, if its files are unchanged since.
pub(super) fn compared_at(state: &StateFolder, files: &str, now: Timestamp) -> Option<Timestamp> {
    let note = std::fs::read_to_string(state.path().join(LOG_CHECKED)).ok()?;
    let (at, noted) = note.split_once('\n')?;
    let at = Timestamp(at.parse().ok()?);
    let is_good = (0..=GOOD_NS).contains(&now.0.checked_sub(at.0)?) && noted == files;
    is_good.then_some(at)
}

/// Leaves a note that these files were compared then. One that can't be written is not essential.
pub(super) fn note(state: &StateFolder, files: &str, at: Timestamp) {
    if let Err(error) = std::fs::write(state.path().join(LOG_CHECKED), format!("{}\n{files}", at.0)) {
        tracing::debug!(%error, "no note of the log's check can be left");
    }
}

/// Returns what the system reports of the log's files, up to where it is committed, and its boot. `None` where the
/// log is longer, or can't be read.
pub(super) fn files_of(state: &StateFolder, ledger: &Ledger) -> Option<String> {
    let mut files = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let first = ledger.log_start().segment;
    let end = ledger.cursor().log;
    let mut size = 0;
    for segment in first..=end.segment {
        let found = state.records().join(sink::segment_name(segment)).metadata().ok()?;
        let Fingerprint { mtime, ctime, inode, .. } = Fingerprint::from_metadata(&found);
        size = found.len();
        writeln!(files, "{segment} {} {inode} {size} {} {}", found.dev(), mtime.0, ctime.0).ok()?;
    }
    (size == end.offset).then_some(files)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use super::super::Store;
    use super::*;
    use crate::engine::run::engine::{Engine, RunOptions};
    use crate::model::BatchConfig;
    use crate::process::from_fn;

    /// A state whose log one run has written and another one compared.
    struct Ran(tempfile::TempDir);

    impl Ran {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            fs::create_dir(place.path().join("tree")).unwrap();
            fs::write(place.path().join("tree/f"), "content").unwrap();
            let ran = Self(place);
            ran.run();
            assert!(!ran.is_known(), "what was written is compared once");
            ran.run();
            assert!(ran.is_known());
            ran
        }

        fn run(&self) {
            let engine = Engine::new(from_fn("one/1", &["*"], |file| Ok(file.bytes.len())));
            let options = RunOptions::new(self.state());
            engine.run(&[self.0.path().join("tree")], &BatchConfig::default(), &options).unwrap();
        }

        fn state(&self) -> PathBuf {
            self.0.path().join("state")
        }

        fn log(&self) -> PathBuf {
            self.state().join("records").join(sink::segment_name(1))
        }

        /// Returns whether the next run takes the log as intact.
        fn is_known(&self) -> bool {
            Store::create(&self.state(), None).unwrap().log_compared.is_some()
        }

        fn edit_note(&self, edit: impl Fn(&str) -> String) {
            let path = self.state().join(LOG_CHECKED);
            fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
        }
    }

    #[test]
    fn a_log_that_nobody_has_touched_is_not_read_again() {
        let ran = Ran::new();
        assert!(ran.is_known() && ran.is_known(), "to open it is not to touch it");
        ran.run();
        assert!(ran.is_known());
        fs::remove_file(ran.state().join(LOG_CHECKED)).unwrap();
        assert!(!ran.is_known());
        ran.run();
        assert!(ran.is_known(), "it was compared");
        fs::write(ran.0.path().join("tree/g"), "more").unwrap();
        ran.run();
        assert!(!ran.is_known(), "there is more of it");
    }

    #[test]
    fn a_check_that_was_stopped_says_nothing_of_the_log() {
        let ran = Ran::new();
        let store = Store::create(&ran.state(), None).unwrap();
        let records = store.state.records();
        let ranges = store.ledger.log_ranges();
        let stop = Stop::default();
        assert!(!ranges.is_empty() && check_log(&records, &ranges, &stop).unwrap());
        stop.request();
        assert!(!check_log(&records, &ranges, &stop).unwrap());
    }

    #[test]
    fn a_log_that_was_touched_is_compared_also_where_its_size_and_its_time_are_as_before() {
        let ran = Ran::new();
        let before = fs::metadata(ran.log()).unwrap();
        let content = fs::read(ran.log()).unwrap();
        let mut file = fs::File::options().write(true).open(ran.log()).unwrap();
        file.write_all(&content).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(fs::metadata(ran.log()).unwrap().len(), before.len());
        assert!(!ran.is_known());
    }

    #[test]
    fn a_note_is_good_for_a_day_and_until_the_machine_starts_again() {
        let ran = Ran::new();
        let hours = |by: i64| {
            move |note: &str| {
                let (at, files) = note.split_once('\n').unwrap();
                format!("{}\n{files}", at.parse::<i64>().unwrap() + by * 3600 * 1_000_000_000)
            }
        };
        ran.edit_note(hours(-23));
        assert!(ran.is_known());
        ran.edit_note(hours(-2));
        assert!(!ran.is_known());
        ran.edit_note(hours(26));
        assert!(!ran.is_known(), "of a time to come");
        ran.edit_note(hours(-1));
        assert!(ran.is_known());
        let other_boot = |note: &str| {
            let mut lines: Vec<_> = note.lines().collect();
            lines[1] = "8a4a6f0e-0000-4000-8000-000000000000";
            lines.join("\n") + "\n"
        };
        ran.edit_note(other_boot);
        assert!(!ran.is_known());
        ran.edit_note(|_| "rubbish".to_owned());
        assert!(!ran.is_known());
        ran.run();
        assert!(ran.is_known());
    }
}
