use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::engine::run::engine::{Engine, RunOptions};
use crate::model::{FileKey, Fingerprint, FolderKey, Root};
use crate::process::{FileContent, Processor, from_fn};
use crate::source::{
    Content, Folder, FolderVisitor, Listed, ListedKind, Names, ReadError, ScanReport, Source,
};

/// Returns what a check finds if so many files were measured, each of which waited for this share of its millisecond.
fn measured(files: f64, share: f64) -> IoWait {
    let total = files / 1e3;
    IoWait { waiting: share * total, total, files, waited: if share > 0.0 { files } else { 0.0 } }
}

fn sizer(least: usize, most: usize) -> PoolSizer {
    PoolSizer::new(&BatchConfig { worker_count: least, workers_max: most, ..BatchConfig::default() })
}

/// Checks once, at the next interval.
fn look(sizer: &mut PoolSizer, now: &mut Instant, found: IoWait) -> Option<usize> {
    *now += LOOK;
    sizer.decide(*now, found, 0)
}

#[test]
fn threads_grow_until_they_are_enough_for_the_waiting_and_rest_when_it_has_ended_for_a_while() {
    let mut sizer = sizer(2, 32);
    let mut now = Instant::now();
    let grown: Vec<_> = std::iter::from_fn(|| look(&mut sizer, &mut now, measured(50.0, 0.9375))).collect();
    assert_eq!(grown, [8, 32], "a sixteenth of the time is work: sixteen times as many");
    let ended = now;
    while sizer.allowed > 2 {
        look(&mut sizer, &mut now, measured(50.0, 0.0));
        assert!(now - ended < 4 * CALM, "{sizer:?}");
    }
    assert!(now - ended >= CALM);
}

#[test]
fn nothing_is_added_for_little_waiting_for_chance_for_idle_workers_or_where_the_number_is_fixed() {
    let mut calm = sizer(2, 32);
    let mut now = Instant::now();
    assert_eq!((0..50).find_map(|_| look(&mut calm, &mut now, measured(50.0, 0.15))), None);
    // One file that waited for long among many that did not.
    let stall = IoWait { waiting: 0.05, total: 0.055, files: 50.0, waited: 1.0 };
    assert_eq!(look(&mut sizer(2, 32), &mut now, stall), None);
    assert_eq!(look(&mut sizer(2, 32), &mut now, measured(2.0, 0.9)), None, "two files tell nothing");
    let idle = sizer(8, 32).decide(now, measured(50.0, 0.9), 3);
    assert_eq!(idle, None, "they would find no files either");
    assert!(!sizer(2, 0).is_due(now), "nobody looks");
}

/// A folder of files that are slow to read.
struct SlowSource {
    files: usize,
    /// How long the reads take that come after so many.
    pauses: Vec<(usize, Duration)>,
    reads: AtomicUsize,
}

impl Source for SlowSource {
    fn scan(
        &self,
        root: &Root,
        _: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport> {
        let kind = ListedKind::File(Fingerprint { size: 10, ..Fingerprint::default() });
        let listed = |n| Listed { name: format!("f{n:06}").into_bytes().into(), kind: kind.clone() };
        let key = FolderKey::root(root.id);
        let mut files = (0..self.files).map(listed);
        let _ = visitors().folder(Folder { key, files: &mut files, folders: &Names::default() });
        Ok(ScanReport::default())
    }

    fn read(&self, _: &Root, key: &FileKey, _: u64, buffer: &mut Vec<u8>) -> Result<Content, ReadError> {
        let before = self.reads.fetch_add(1, Ordering::Relaxed);
        let pause = self.pauses.iter().rev().find(|(from, _)| before >= *from).map(|(_, pause)| *pause);
        // For a time of zero there is no sleep, as even that takes time.
        pause.filter(|pause| !pause.is_zero()).into_iter().for_each(sleep);
        buffer.clear();
        buffer.extend_from_slice(key.name());
        Ok(Content { fingerprint: Fingerprint { size: 10, ..Fingerprint::default() }, size: 10, racy: false })
    }

    fn root_mark(&self, _: &Root) -> std::io::Result<u128> {
        Ok(1)
    }

    fn exists(&self, _: &Root, _: &FileKey) -> bool {
        true
    }

    fn accepts(&self, _: &[u8]) -> bool {
        true
    }

    fn filters(&self) -> String {
        String::new()
    }
}

/// Returns the numbers of workers that were allowed in a run, in order, and how many were shown at its end. The run
/// is stopped once `is_enough` accepts the numbers.
fn run(
    source: SlowSource,
    processor: impl Processor + 'static,
    config: BatchConfig,
    is_enough: impl Fn(&[usize]) -> bool,
) -> (Vec<usize>, usize) {
    let place = tempfile::tempdir().unwrap();
    let roots: Vec<PathBuf> = vec![place.path().join("root")];
    std::fs::create_dir(&roots[0]).unwrap();
    let engine = Engine::new(processor).with_source(source);
    let options = RunOptions::new(place.path().join("state"));
    let mut numbers = Vec::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| engine.run(&roots, &config, &options).unwrap());
        while !running.is_finished() {
            let allowed = engine.statistics().workers_allowed;
            if allowed > 0 && numbers.last() != Some(&allowed) {
                numbers.push(allowed);
            }
            if is_enough(&numbers) {
                engine.stop().request();
            }
            sleep(Duration::from_millis(5));
        }
        running.join().unwrap();
    });
    (numbers, engine.statistics().workers.len())
}

fn quick() -> impl Processor {
    from_fn("quick/1", &["*"], |file: &FileContent<'_>| Ok(file.bytes.len()))
}

const WAIT: Duration = Duration::from_millis(2);

fn config(least: usize, most: usize) -> BatchConfig {
    BatchConfig { worker_count: least, workers_max: most, ..BatchConfig::default() }
}

#[test]
fn a_source_that_waits_gets_all_the_threads_there_may_be_and_gives_them_back_when_it_is_fast() {
    let pauses = vec![(0, WAIT), (6_000, Duration::ZERO)];
    let source = SlowSource { files: 200_000, pauses, reads: AtomicUsize::new(0) };
    // What comes after the slow part takes a core's time, and long enough for the calm to be noticed.
    let busy = from_fn("busy/1", &["*"], |file: &FileContent<'_>| {
        let running = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let begun = running();
        while running() < begun + Duration::from_micros(80) {}
        Ok(file.bytes.len())
    });
    let is_enough = |numbers: &[usize]| numbers.contains(&16) && numbers.last() == Some(&2);
    let (numbers, shown) = run(source, busy, config(2, 16), is_enough);
    assert!(is_enough(&numbers), "{numbers:?}");
    assert_eq!((numbers[0], numbers.iter().max(), shown), (2, Some(&16), 16));
}

#[test]
fn a_processor_that_waits_is_never_called_by_more_threads() {
    let source = SlowSource { files: 500, pauses: Vec::new(), reads: AtomicUsize::new(0) };
    let slow = from_fn("slow/1", &["*"], |file: &FileContent<'_>| {
        sleep(WAIT);
        Ok(file.bytes.len())
    });
    assert_eq!(run(source, slow, config(2, 16), |_| false), (vec![2], 2));
}

#[test]
fn a_fixed_number_stays_whatever_reading_does() {
    let source = SlowSource { files: 600, pauses: vec![(0, WAIT)], reads: AtomicUsize::new(0) };
    assert_eq!(run(source, quick(), config(3, 0), |_| false), (vec![3], 3));
}
