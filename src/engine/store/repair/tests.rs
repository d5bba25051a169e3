//! What is on disk after a repair was killed at each of its steps, and how the next one handles it.

use std::fs;

use super::*;
use crate::model::{Cursor, RecordLine};

/// Ticks of the log, each with one line; three of them fill a segment.
const TICKS: u64 = 8;
const SEGMENTS: u32 = 3;

struct Patient {
    folder: tempfile::TempDir,
    /// The lines of each segment.
    lines: BTreeMap<u32, Vec<Vec<u8>>>,
}

impl Patient {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::create(&folder.path().join("state"), "records".as_ref()).unwrap();
        let mut ledger = Ledger::open(&state).unwrap();
        let log = RecordLog::open(&state.records(), Cursor::default()).unwrap();
        let mut log = log.with_segment_bytes_max(300);
        let mut lines = BTreeMap::<_, Vec<_>>::new();
        for tick in 1..=TICKS {
            let key = FileKey::from_relative_path(RootId(1), format!("file-{tick}").as_bytes()).unwrap();
            let record = RecordLine {
                root: "asts",
                key: &key,
                status: RecordStatus::Ok,
                fingerprint: Some(&Fingerprint::default()),
                digest: None,
                processor: "ast/1",
                attempts: 0,
                result: None,
                error: None,
            };
            let mut line = Vec::new();
            record.begin(&mut line);
            RecordLine::finish(&mut line, tick);
            let segment = log.begin_tick().unwrap().segment;
            log.append(&line).unwrap();
            lines.entry(segment).or_default().push(line);
            let done = log.sync().unwrap();
            ledger.commit(Tick { changes: &[], log: done.end, log_crc: done.crc, job: None }).unwrap();
        }
        assert!(lines.len() == SEGMENTS as usize && lines[&1].len() == 3, "{} segments", lines.len());
        Self { folder, lines }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn segment(&self, segment: u32) -> PathBuf {
        self.state().join("records").join(sink::segment_name(segment))
    }

    fn aside(&self, segment: u32, end: &str) -> PathBuf {
        self.segment(segment).with_extension(format!("ndjson.damaged{end}"))
    }

    fn read(&self, segment: u32) -> Vec<u8> {
        fs::read(self.segment(segment)).unwrap()
    }

    /// Changes a byte of a line so that it still is a record: only its checksum differs.
    fn change(&self, segment: u32, line: usize) {
        let mut lines = self.lines[&segment].clone();
        let at = lines[line].windows(5).position(|text| text == b"file-").unwrap();
        lines[line][at] = b'F';
        fs::write(self.segment(segment), lines.concat()).unwrap();
    }

    fn without(&self, segment: u32, line: usize) -> Vec<u8> {
        let mut lines = self.lines[&segment].clone();
        lines.remove(line);
        lines.concat()
    }

    fn repair(&self) -> RepairReport {
        repair(self.state(), "records").unwrap()
    }

    /// Repairs, which must drop these lines and keep every other one. Returns the numbered copies set aside.
    fn is_repaired_without(&self, dropped: &[(u32, usize)]) -> Vec<PathBuf> {
        let found: Vec<_> = dropped
            .iter()
            .map(|&(segment, _)| {
                (segment, fs::read(sink::original_of(&self.segment(segment)).unwrap()).unwrap())
            })
            .collect();
        let report = self.repair();
        assert_eq!(report.records_dropped, dropped.len() as u64, "{report:?}");
        assert_eq!(report.records_kept, TICKS - dropped.len() as u64, "{report:?}");
        assert_eq!(report.files, report.records_kept);
        for (&segment, lines) in &self.lines {
            let expected = match dropped.iter().find(|(damaged, _)| *damaged == segment) {
                Some(&(_, line)) => self.without(segment, line),
                None => lines.concat(),
            };
            assert_eq!(self.read(segment), expected, "segment {segment}");
        }
        assert_eq!(report.set_aside.len(), found.len(), "{report:?}");
        for (aside, (_, bytes)) in report.set_aside.iter().zip(found) {
            assert_eq!(fs::read(aside).unwrap(), bytes, "{} is not as it was found", aside.display());
        }
        self.is_sound();
        report.set_aside
    }

    /// Checks that the state opens, its log is as committed, and nothing of a repair is left.
    fn is_sound(&self) {
        let state = StateFolder::open(&self.state()).unwrap();
        let ledger = Ledger::open(&state).unwrap();
        for range in ledger.log_ranges() {
            let path = self.segment(range.segment);
            assert!(sink::check_range(&path, range.from, range.to, range.crc32).unwrap());
        }
        drop(RecordLog::open(&state.records(), ledger.cursor()).unwrap());
        let mut names: Vec<_> = fs::read_dir(self.state()).unwrap().map(|entry| entry.unwrap()).collect();
        names.extend(fs::read_dir(self.state().join("records")).unwrap().map(|entry| entry.unwrap()));
        let ends = ["repairing", ".damaged", ".new", ".copy", ".tmp"];
        let left = names.iter().map(|entry| entry.file_name().into_string().unwrap());
        let left: Vec<_> = left.filter(|name| ends.iter().any(|end| name.ends_with(end))).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Does the first step of a repair.
    fn begin(&self) -> StateFolder {
        let state = StateFolder::open_for_repair(&self.state(), "records".as_ref()).unwrap();
        state.begin_repair().unwrap();
        state
    }
}

#[test]
fn what_is_not_as_committed_is_dropped_and_set_aside() {
    let patient = Patient::new();
    patient.change(1, 1);
    patient.change(2, 0);
    let asides = patient.is_repaired_without(&[(1, 1), (2, 0)]);
    assert_eq!(asides, [patient.aside(1, "-1"), patient.aside(2, "-1")]);
}

#[test]
fn killed_before_the_new_segment_has_its_name() {
    for is_damaged_more in [false, true] {
        let patient = Patient::new();
        patient.change(2, 1);
        drop(patient.begin());
        fs::write(patient.segment(2).with_extension("ndjson.new"), "half").unwrap();
        if is_damaged_more {
            // A line that is not a record: more than the checksum shows it.
            fs::write(patient.segment(2), [&patient.without(2, 2)[..], b"no record\n"].concat()).unwrap();
        }
        fs::hard_link(patient.segment(2), patient.aside(2, "")).unwrap();
        if is_damaged_more {
            patient.is_repaired_without(&[(2, 2)]);
        } else {
            patient.is_repaired_without(&[(2, 1)]);
        }
    }
}

#[test]
fn killed_after_a_segment_was_replaced() {
    let patient = Patient::new();
    patient.change(1, 0);
    patient.change(2, 2);
    drop(patient.begin());
    fs::rename(patient.segment(1), patient.aside(1, "")).unwrap();
    fs::write(patient.segment(1), patient.without(1, 0)).unwrap();
    patient.is_repaired_without(&[(1, 0), (2, 2)]);
}

#[test]
fn killed_while_the_ledger_was_filled() {
    for is_witness_lost in [false, true] {
        let patient = Patient::new();
        patient.change(1, 0);
        if is_witness_lost {
            fs::remove_file(patient.state().join("witness")).unwrap();
        }
        for _ in 0..2 {
            let state = patient.begin();
            if sink::original_of(&patient.segment(1)).unwrap() == patient.segment(1) && !is_witness_lost {
                fs::rename(patient.segment(1), patient.aside(1, "")).unwrap();
                fs::write(patient.segment(1), patient.without(1, 0)).unwrap();
            }
            let mut ledger = Ledger::rebuild(&state, 9).unwrap();
            let mut roots = Roots { infos: Vec::new() };
            for segment in 1..=2 {
                index_segment(&mut ledger, &patient.segment(segment), segment, &mut roots).unwrap();
            }
        }
        if is_witness_lost {
            assert_eq!(patient.repair().records_kept, TICKS, "no checksum tells what was changed");
            patient.is_sound();
        } else {
            patient.is_repaired_without(&[(1, 0)]);
        }
    }
}

#[test]
fn killed_when_the_mark_was_gone_already() {
    let patient = Patient::new();
    let before = patient.state().join("witness");
    let stale = fs::read(&before).unwrap();
    patient.change(1, 0);
    patient.is_repaired_without(&[(1, 0)]);
    // As if it had not reached its last steps.
    fs::rename(patient.aside(1, "-1"), patient.aside(1, "")).unwrap();
    fs::write(patient.state().join("witness.damaged"), &stale).unwrap();
    fs::create_dir(patient.state().join("db.damaged")).unwrap();
    let report = patient.repair();
    assert_eq!((report.records_kept, report.records_dropped), (TICKS - 1, 0), "{report:?}");
    assert!(report.set_aside.is_empty(), "nothing is damaged any more");
    assert_eq!(patient.read(1), patient.without(1, 0));
    assert!(patient.aside(1, "-1").exists(), "what the first one set aside is kept");
    patient.is_sound();
}

#[test]
fn the_description_of_a_state_is_mended_after_what_an_ended_repair_has_left() {
    let patient = Patient::new();
    fs::write(patient.state().join("witness.damaged"), "of another time").unwrap();
    fs::write(patient.aside(1, ""), "of another time").unwrap();
    fs::write(patient.state().join("state.json"), "{").unwrap();
    patient.change(3, 0);
    patient.is_repaired_without(&[(3, 0)]);
    assert_eq!(fs::read_to_string(patient.aside(1, "-1")).unwrap(), "of another time");
}

#[test]
fn a_log_of_which_the_end_is_lost_keeps_its_numbers() {
    let patient = Patient::new();
    for segment in 2..=SEGMENTS {
        fs::write(patient.segment(segment), "nothing\n").unwrap();
    }
    let report = patient.repair();
    assert_eq!((report.records_kept, report.records_dropped), (3, 2));
    assert_eq!(report.set_aside, [patient.aside(2, "-1"), patient.aside(3, "-1")]);
    patient.is_sound();
    assert_eq!(patient.read(SEGMENTS), b"");
    let ledger = Ledger::open(&StateFolder::open(&patient.state()).unwrap()).unwrap();
    assert_eq!(ledger.cursor().log, LogPosition { segment: SEGMENTS, offset: 0 });
}

#[test]
fn a_file_of_someone_else_is_no_segment() {
    let patient = Patient::new();
    let own = patient.segment(20_261_124);
    fs::write(&own, "mine").unwrap();
    let error = repair(patient.state(), "records").unwrap_err().to_string();
    assert!(error.contains(own.to_str().unwrap()) && error.contains("move it elsewhere"), "{error}");
    assert!(!patient.state().join("repairing").exists(), "nothing was begun");
    fs::remove_file(own).unwrap();
    patient.is_repaired_without(&[]);
}
