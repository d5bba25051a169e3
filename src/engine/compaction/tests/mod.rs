//! The record log against a model of it, while it is written, compacted, opened again and repaired.

mod between;

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::engine::consumers::ConsumerChange;
use crate::engine::query::records::RecordFilter;
use crate::engine::store::StoreView;
use crate::engine::store::repair::repair;
use crate::ledger::{Entry, RecordRef, RootInfo, Tick};
use crate::model::failpoint::{Fault, arm};
use crate::model::{FileKey, Fingerprint, RecordCursor, RecordLine, RecordStatus, RootId, Timestamp};

/// So small that each few ticks begin a segment.
const SEGMENT_BYTES: u64 = 1500;
const FILES: u8 = 12;

/// A state, and the records expected in it.
struct World {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Option<Store>,
    compaction: Option<Compaction>,
    /// Where the current run's records begin.
    run_start: LogPosition,
    /// All lines in the order of their ticks.
    history: Vec<String>,
    /// The latest line of each path that exists.
    current: BTreeMap<FileKey, String>,
    /// Cursors that were reported, and how many lines lie before each.
    cursors: Vec<(LogPosition, usize)>,
}

fn key(file: u8) -> FileKey {
    FileKey::from_relative_path(RootId(1), format!("f{file:03}").as_bytes()).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut store = Store::create(&path, None).unwrap();
        let root = RootInfo::new(1, "asts", "/tree", "ast/1");
        store.state.update(|info| info.roots.push(root)).unwrap();
        let log = std::mem::replace(&mut store.log, spare_log());
        store.log = log.with_segment_bytes_max(SEGMENT_BYTES);
        Self {
            _folder: folder,
            path,
            store: Some(store),
            compaction: None,
            run_start: LogPosition::START,
            history: Vec::new(),
            current: BTreeMap::new(),
            cursors: vec![(LogPosition::START, 0)],
        }
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    /// Commits a tick: for each file a result of so many bytes, or none where the file is gone.
    fn commit(&mut self, files: &BTreeMap<u8, Option<usize>>) {
        let store = self.store.as_mut().unwrap();
        let tick = store.ledger.cursor().tick + 1;
        let begin = store.log.begin_tick().unwrap();
        let mut lines = Vec::new();
        let mut changes = Vec::new();
        for (&file, &bytes) in files {
            let key = key(file);
            if bytes.is_none() && !self.current.contains_key(&key) {
                continue;
            }
            let mut line = Vec::new();
            let fingerprint = Fingerprint { size: tick, ..Fingerprint::default() };
            let result = format!("\"{}\"", "x".repeat(bytes.unwrap_or(0)));
            RecordLine {
                root: "asts",
                key: &key,
                status: if bytes.is_some() { RecordStatus::Ok } else { RecordStatus::Removed },
                fingerprint: bytes.is_some().then_some(&fingerprint),
                digest: None,
                processor: "ast/1",
                attempts: 1,
                result: bytes.is_some().then_some(result.as_bytes()),
                error: None,
            }
            .begin(&mut line);
            RecordLine::finish(&mut line, tick);
            let position = LogPosition { offset: begin.offset + lines.len() as u64, ..begin };
            let record = RecordRef { position, epoch: 1, digest: None, failure: None, carried: false };
            let entry = Entry { fingerprint, record: Some(record), ..Entry::default() };
            changes.push((key.clone(), bytes.map(|_| entry)));
            lines.extend_from_slice(&line);
            let text = String::from_utf8(line).unwrap();
            self.history.push(text.clone());
            match bytes {
                Some(_) => self.current.insert(key, text),
                None => self.current.remove(&key),
            };
        }
        store.log.append(&lines).unwrap();
        let appended = store.log.sync().unwrap();
        let tick = Tick { changes: &changes, log: appended.end, log_crc: appended.crc, job: None };
        let cursor = store.ledger.commit(tick).unwrap();
        self.cursors.push((cursor.log, self.history.len()));
    }

    fn reopen(&mut self) {
        self.store = None;
        self.compaction = None;
        self.store = Some(Store::create(&self.path, None).unwrap());
        let store = self.store();
        let log = std::mem::replace(&mut store.log, spare_log());
        store.log = log.with_segment_bytes_max(SEGMENT_BYTES);
        self.run_start = store.ledger.cursor().log;
    }

    /// Does some steps of a compaction, which is begun where there is none. Returns whether it has ended.
    fn compact(&mut self, steps: usize) -> Result<bool, EngineError> {
        let run_start = self.run_start;
        let compaction = self.compaction.get_or_insert_with(|| compaction(Some(run_start)));
        for _ in 0..steps {
            if !compaction.step(self.store.as_mut().unwrap(), Instant::now())? {
                self.compaction = None;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether the log holds no more than a copy of each current line.
    fn is_compact(&mut self) -> bool {
        let live: usize = self.current.values().map(|line| line.len() + 70).sum();
        self.store().ledger.log_bytes() <= live as u64
    }

    fn check(&mut self) {
        let store = self.store.as_ref().unwrap();
        check_log(&store.state.records(), &store.ledger.log_ranges(), &Stop::default()).unwrap();
        let view = store.view();
        assert_eq!(reported(&view), self.current.values().cloned().collect::<String>());
        let log = view.log();
        for &(cursor, before) in &self.cursors {
            match log.check_cursor(&view.cursor_at(cursor)) {
                Ok(()) => {
                    let mut out = Vec::new();
                    log.write_from(cursor, false, &mut out).unwrap();
                    assert_eq!(String::from_utf8(out).unwrap(), self.history[before..].concat(), "{cursor}");
                }
                Err(error) => {
                    assert!(cursor.segment < log.start.segment, "{cursor}: {error}");
                    assert!(error.to_string().contains("--cursor"), "{error}");
                }
            }
        }
        for consumer in view.consumers().unwrap() {
            let is_kept = consumer.behind_bytes.is_some();
            assert!(is_kept || !consumer.cursor.is_of(view.id.as_deref()), "{consumer:?}, {:?}", log.start);
        }
    }

    /// Commits a cursor that was reported, if the log still has what comes after it; `None` drops the consumer.
    fn consume(&mut self, name: &str, at: Option<usize>) {
        let position = at.map(|at| self.cursors[at % self.cursors.len()].0);
        let commit = position.map(|position| RecordCursor { position, state: None });
        let log = self.store().view().log();
        let is_gone = commit.as_ref().is_some_and(|cursor| log.check_cursor(cursor).is_err());
        let change = ConsumerChange { name: name.parse().unwrap(), commit };
        let done = consumers::apply(self.store(), &change, Timestamp::default());
        assert_eq!(matches!(done, Err(EngineError::CursorGone { .. })), is_gone, "{done:?}");
    }

    /// Checks that each entry says correctly whether the current run has made its record.
    fn check_runs(&mut self, made: &BTreeMap<FileKey, bool>) {
        let run_start = self.run_start;
        let scope = crate::engine::lifecycle::transition::RunScope {
            epoch: 1,
            run_start,
            reported_before: run_start,
            quarantine: false,
        };
        for (key, &is_ours) in made {
            let entry = self.store().reader.get(key).unwrap();
            if let Some(record) = entry.and_then(|entry| entry.record) {
                assert_eq!(scope.is_of_this_run(&record), is_ours, "{record:?}, {run_start}");
            }
        }
    }
}

fn reported(view: &StoreView) -> String {
    let mut out = Vec::new();
    view.write_current(&RecordFilter::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn spare_log() -> crate::sink::RecordLog {
    let folder = tempfile::tempdir().unwrap();
    crate::sink::RecordLog::open(folder.path(), crate::model::Cursor::default()).unwrap()
}

fn compaction(run_start: Option<LogPosition>) -> Compaction {
    let mut compaction = Compaction::new(&BatchConfig::default(), run_start);
    compaction.grace = Duration::ZERO;
    compaction.ask(sync_channel(1).0);
    compaction
}

#[derive(Debug, Clone)]
enum Step {
    Consume(&'static str, Option<usize>),
    Commit(BTreeMap<u8, Option<usize>>),
    Compact(usize),
    Reopen,
    Repair,
}

fn any_step() -> impl Strategy<Value = Step> {
    let files =
        proptest::collection::btree_map(0..FILES, proptest::option::weighted(0.8, 0..200_usize), 1..6);
    prop_oneof![
        10 => files.prop_map(Step::Commit),
        4 => (1..6_usize).prop_map(Step::Compact),
        1 => Just(Step::Compact(1000)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Repair),
        3 => (proptest::sample::select(&["a", "b"][..]), proptest::option::weighted(0.7, 0..200_usize))
            .prop_map(|(name, at)| Step::Consume(name, at)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_compacted_log_says_what_the_whole_one_would(steps in proptest::collection::vec(any_step(), 1..30)) {
        let mut world = World::new();
        let mut made = BTreeMap::new();
        for step in steps {
            match step {
                Step::Commit(files) => {
                    world.commit(&files);
                    made.extend(files.keys().map(|&file| (key(file), true)));
                }
                Step::Consume(name, at) => world.consume(name, at),
                Step::Compact(steps) => {
                    let before = world.store().ledger.cursor().log;
                    let is_whole = world.compaction.is_none() && consumers::first_unread(world.store(), None).is_none();
                    if world.compact(steps).unwrap() && is_whole {
                        let log = world.store().view().log();
                        log.check_cursor(&RecordCursor { position: before, state: None }).unwrap();
                        prop_assert!(log.start.compact_at.is_some() || world.is_compact());
                    }
                }
                Step::Reopen => {
                    world.reopen();
                    made.values_mut().for_each(|is_ours| *is_ours = false);
                }
                Step::Repair => {
                    world.store = None;
                    world.compaction = None;
                    let report = repair(&world.path, "records").unwrap();
                    prop_assert_eq!((report.records_dropped, report.set_aside.len()), (0, 0));
                    world.reopen();
                    made.values_mut().for_each(|is_ours| *is_ours = false);
                }
            }
            world.check();
            world.check_runs(&made);
        }
        world.compact(usize::MAX).unwrap();
        world.check();
        ["a", "b"].into_iter().for_each(|name| world.consume(name, None));
        world.compact(usize::MAX).unwrap();
        world.compact(usize::MAX).unwrap();
        world.check();
        prop_assert!(world.is_compact());
    }
}

/// A log of some segments of which half is out of date.
fn worn() -> World {
    let mut world = World::new();
    for round in 0..6 {
        let files = (0..FILES).filter(|file| round == 0 || file % 3 == round % 3);
        world.commit(&files.map(|file| (file, Some(150))).collect());
    }
    world.commit(&BTreeMap::from([(0, None)]));
    assert!(segments(&world) > 3);
    world
}

fn segments(world: &World) -> usize {
    crate::sink::segments(world.path.join("records")).unwrap().len()
}

#[test]
fn whatever_call_fails_the_log_is_right_and_the_next_attempt_ends_it() {
    for fault in [Fault::Io, Fault::NoSpace, Fault::Short] {
        for hit in 1.. {
            let mut world = worn();
            let armed = arm(hit..hit + 1, fault);
            let ended = world.compact(usize::MAX);
            let calls = armed.hits();
            drop(armed);
            if calls < hit {
                assert!(ended.unwrap() && hit > 15, "only {hit} calls");
                break;
            }
            world.reopen();
            world.check();
            world.commit(&BTreeMap::from([(1, Some(9))]));
            world.check();
            assert!(world.compact(usize::MAX).unwrap(), "{fault:?} at call {hit}");
            world.check();
            assert!(world.is_compact(), "{fault:?} at call {hit}");
        }
    }
}

#[test]
fn a_log_that_is_compact_stays_as_it_is() {
    let mut world = worn();
    assert!(world.compact(usize::MAX).unwrap());
    let cursor = world.store().ledger.cursor();
    let start = world.store().ledger.log_start();
    world.reopen();
    assert!(world.compact(usize::MAX).unwrap());
    assert_eq!((world.store().ledger.cursor(), world.store().ledger.log_start()), (cursor, start));
}

#[test]
fn a_log_is_compacted_by_itself_once_more_than_the_share_is_out_of_date() {
    let rules = BatchConfig { compact_min_bytes: 1000, ..BatchConfig::default() };
    let mut world = World::new();
    let mut length_max = 0;
    let mut passes = 0;
    let mut compaction = Compaction::new(&rules, Some(LogPosition::START));
    compaction.grace = Duration::ZERO;
    let live = u64::from(FILES) * 500;
    for round in 0..200_u8 {
        world.commit(&BTreeMap::from([(round % FILES, Some(280))]));
        let before = world.store().ledger.log_start();
        while compaction.step(world.store(), Instant::now()).unwrap() {}
        passes += u32::from(world.store().ledger.log_start() != before);
        length_max = length_max.max(world.store().ledger.log_bytes());
    }
    world.check();
    assert!(length_max < live * 5 / 2, "{length_max} bytes, of which at most {live} are of use");
    assert!((3..40).contains(&passes), "{passes} passes");
}

#[test]
fn new_records_alone_are_no_reason_to_compact() {
    let rules = BatchConfig { compact_min_bytes: 0, ..BatchConfig::default() };
    let mut world = World::new();
    let mut compaction = Compaction::new(&rules, Some(LogPosition::START));
    for file in 0..FILES {
        world.commit(&BTreeMap::from([(file, Some(280))]));
        while compaction.step(world.store(), Instant::now()).unwrap() {}
    }
    assert_eq!(world.store().ledger.log_start(), crate::model::LogStart::default());
}

#[test]
fn a_log_of_which_nothing_is_out_of_date_is_left_to_whoever_stands_within_it() {
    let mut world = World::new();
    (0..FILES).for_each(|file| world.commit(&BTreeMap::from([(file, Some(280))])));
    let before = world.store().ledger.cursor();
    let (reply, answer) = sync_channel(1);
    let mut compaction = compaction(Some(world.run_start));
    compaction.asked = vec![reply];
    while compaction.step(world.store(), Instant::now()).unwrap() {}
    let report = answer.try_recv().unwrap().unwrap();
    assert_eq!((report.segments_dropped, report.bytes_after), (0, report.bytes_before));
    assert_eq!(world.store().ledger.cursor(), before);
    assert_eq!(world.store().ledger.log_start(), crate::model::LogStart::default());
    world.check();

    // A single line is reason enough for a requested pass.
    world.commit(&BTreeMap::from([(FILES - 1, None)]));
    assert!(world.compact(usize::MAX).unwrap());
    assert!(world.is_compact() && world.store().ledger.log_start().segment > 1);
    world.check();
}

#[test]
fn a_log_that_a_consumer_holds_is_compacted_by_itself_once_it_has_moved() {
    let rules = BatchConfig { compact_min_bytes: 1000, ..BatchConfig::default() };
    let mut world = worn();
    world.consume("slow", Some(0));
    let bytes = world.store().ledger.log_bytes();
    let mut compaction = Compaction::new(&rules, Some(world.run_start));
    compaction.grace = Duration::ZERO;
    while compaction.step(world.store(), Instant::now()).unwrap() {}
    assert_eq!(world.store().ledger.log_bytes(), bytes, "nothing is dropped, and nothing copied in vain");
    let end = world.cursors.len() - 1;
    world.consume("slow", Some(end));
    compaction.look_again();
    while compaction.step(world.store(), Instant::now()).unwrap() {}
    assert!(world.is_compact());
    world.check();
}

#[test]
fn a_consumer_that_is_too_far_behind_holds_the_log_no_longer() {
    let mut world = worn();
    world.consume("slow", Some(0));
    let behind = world.store().view().consumers().unwrap()[0].behind_bytes;
    assert_eq!(behind, Some(world.store().ledger.log_bytes()), "of all");
    for (keep_bytes, is_kept) in [(behind, true), (behind.map(|bytes| bytes - 1), false)] {
        let rules = BatchConfig { consumer_keep_bytes: keep_bytes, ..BatchConfig::default() };
        world.store = None;
        let report = compact(&world.path, &rules).unwrap();
        assert_eq!((report.bytes_unread > 0, report.segments_dropped == 0), (is_kept, is_kept), "{report:?}");
        world.store = Some(Store::existing(&world.path).unwrap());
        assert_eq!(world.store().view().consumers().unwrap()[0].behind_bytes.is_some(), is_kept);
    }
}

#[test]
fn a_state_has_so_many_consumers_and_no_more() {
    let mut world = World::new();
    (0..100).for_each(|number| world.consume(&format!("c{number}"), Some(0)));
    let change = ConsumerChange { name: "more".parse().unwrap(), commit: Some(RecordCursor::default()) };
    let error = consumers::apply(world.store(), &change, Timestamp::default()).unwrap_err();
    assert!(error.to_string().contains("--forget"), "{error}");
    world.consume("c7", Some(0));
    world.consume("c7", None);
    consumers::apply(world.store(), &change, Timestamp::default()).unwrap();
}

#[test]
fn a_line_that_is_not_the_record_ends_the_compaction() {
    let mut world = worn();
    for (_, path) in crate::sink::segments(world.path.join("records")).unwrap() {
        let text = std::fs::read_to_string(&path).unwrap().replace("\"f001\"", "\"f999\"");
        std::fs::write(&path, text).unwrap();
    }
    let error = world.compact(usize::MAX).unwrap_err();
    assert!(error.to_string().contains("outlast repair"), "{error}");
    let error = compact_alone(world).unwrap_err();
    assert!(error.to_string().contains("changed after they were committed"), "{error}");
}

fn compact_alone(mut world: World) -> Result<CompactReport, EngineError> {
    world.store = None;
    world.compaction = None;
    compact(&world.path, &BatchConfig::default())
}

#[test]
fn a_state_that_no_run_holds_is_compacted_alone() {
    let mut world = worn();
    let lines: u64 = world.current.len() as u64;
    world.store = None;
    let report = compact(&world.path, &BatchConfig::default()).unwrap();
    assert!(report.bytes_after < report.bytes_before, "{report:?}");
    assert_eq!(report.records_copied, lines);
    world.reopen();
    world.check();
    assert_eq!(compact_alone(world).unwrap().segments_dropped, 0);
}
