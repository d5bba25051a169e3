//! Whether the record log is what was committed: compared with its checksums, or untouched since it was.
//!
//! To compare it, all of it is read: a tenth of a run in which nothing has changed while it is in memory, and far more
//! from a disk. So a run that has compared or written it leaves a note of its files, as the system tells of them. The
//! next one only goes by that while the machine has not been started again, so that nothing can have been lost in
//! between, while size, times and inode of each file are the same, and for a day from when the log was compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::error::EngineError;
use super::stop::Stop;
use crate::ledger::{Ledger, LogRange, StateFolder};
use crate::model::{Fingerprint, Timestamp};
use crate::sink::{self, SinkError};

/// The note, in the state folder. Without it, the log is compared.
pub(super) const NOTE: &str = "log-checked";
/// How long a note is good for.
const GOOD_NS: i64 = 24 * 3600 * 1_000_000_000;

/// Compares committed ranges of the record log with their checksums.
///
/// # Errors
/// [`SinkError::Damaged`] where one differs.
pub(crate) fn check_log(records: &Path, ranges: &[LogRange], stop: &Stop) -> Result<(), EngineError> {
    for range in ranges {
        if stop.is_requested() {
            return Ok(());
        }
        let path = records.join(sink::segment_name(range.segment));
        if !sink::check_range(&path, range.from, range.to, range.crc32)? {
            let what = format!("bytes {} to {} changed after they were committed", range.from, range.to);
            return Err(SinkError::Damaged { path, what }.into());
        }
    }
    Ok(())
}

/// When the log was compared, where nobody has touched it since.
pub(super) fn untouched_since(state: &StateFolder, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
    let note = std::fs::read_to_string(path_of(state)).ok()?;
    let (at, files) = note.split_once('\n')?;
    let at = Timestamp(at.parse().ok()?);
    let is_good = (0..=GOOD_NS).contains(&now.0.checked_sub(at.0)?) && files_of(state, ledger)? == files;
    is_good.then_some(at)
}

/// Leaves a note that the log was compared then. A note that can't be written is done without.
pub(super) fn note(state: &StateFolder, ledger: &Ledger, at: Timestamp) {
    let Some(files) = files_of(state, ledger) else { return };
    let (path, text) = (path_of(state), format!("{}\n{files}", at.0));
    if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return;
    }
    if let Err(error) = std::fs::write(&path, text) {
        tracing::debug!(%error, "no note of the log's check can be left");
    }
}

fn path_of(state: &StateFolder) -> PathBuf {
    state.path().join(NOTE)
}

/// What the system tells of the log's files, up to where it is committed, and since when it runs. None where it is
/// longer, or can't be looked at.
fn files_of(state: &StateFolder, ledger: &Ledger) -> Option<String> {
    let mut files = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let (first, end) = (ledger.log_start().segment, ledger.cursor().log);
    let mut size = 0;
    for segment in first..=end.segment {
        let found = state.records().join(sink::segment_name(segment)).symlink_metadata().ok()?;
        let file = Fingerprint::from_metadata(&found);
        let Fingerprint { mtime, ctime, inode, .. } = file;
        size = file.size;
        writeln!(files, "{segment} {size} {} {} {inode}", mtime.0, ctime.0).ok()?;
    }
    (size == end.offset).then_some(files)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::Arc;

    use super::super::run::{Engine, RunOptions};
    use super::super::store::Store;
    use super::*;
    use crate::model::BatchConfig;
    use crate::process::from_fn;

    /// A state whose log a run has written.
    struct Ran(tempfile::TempDir);

    impl Ran {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            fs::create_dir(place.path().join("tree")).unwrap();
            fs::write(place.path().join("tree/f"), "content").unwrap();
            let ran = Self(place);
            ran.run();
            ran
        }

        fn run(&self) {
            let engine = Engine::new(Arc::new(from_fn("one/1", &["*"], |file| Ok(file.bytes.len()))));
            let (tree, options) = (self.0.path().join("tree"), RunOptions::new(self.state()));
            engine.run(&[tree], &BatchConfig::default(), &options).unwrap();
        }

        fn state(&self) -> PathBuf {
            self.0.path().join("state")
        }

        fn log(&self) -> PathBuf {
            self.state().join("records").join(sink::segment_name(1))
        }

        /// Whether the next run takes the log for right.
        fn is_known(&self) -> bool {
            Store::create(&self.state(), None).unwrap().log_checked.is_some()
        }

        fn edit_note(&self, edit: impl Fn(&str) -> String) {
            let path = self.state().join(NOTE);
            fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
        }
    }

    #[test]
    fn a_log_that_nobody_has_touched_is_not_read_again() {
        let ran = Ran::new();
        assert!(ran.is_known() && ran.is_known(), "to open it is not to touch it");
        ran.run();
        assert!(ran.is_known());
        fs::remove_file(ran.state().join(NOTE)).unwrap();
        assert!(!ran.is_known());
        ran.run();
        assert!(ran.is_known(), "it was compared");
    }

    #[test]
    fn a_log_that_was_touched_is_compared_also_where_its_size_and_its_time_are_as_before() {
        let ran = Ran::new();
        let (before, content) = (fs::metadata(ran.log()).unwrap(), fs::read(ran.log()).unwrap());
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
