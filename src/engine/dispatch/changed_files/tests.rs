use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use crate::engine::discovery::message::Message;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::resources::semaphore::Semaphore;
use crate::engine::run::engine::{Engine, RunOptions};
use crate::engine::stats::ProcessingState;
use crate::engine::store::StoreView;
use crate::engine::workers::worker::LARGE_BYTES;
use crate::ledger::Entry;
use crate::model::{BatchConfig, FileKey, Fingerprint, LogPosition, RecordStatus, RootId};
use crate::process::{FileContent, IntoProcessor, from_fn};

const LONG: Duration = Duration::from_secs(60);
/// More than are handed out at a time by `max_concurrent_batches` of 1.
const FILES: usize = 3_000;

fn key(path: &str) -> FileKey {
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

fn name(n: usize) -> String {
    format!("f{n:05}")
}

/// A run over many slow files, and what a test does beside it.
struct Bulk {
    tree: tempfile::TempDir,
    engine: Arc<Engine>,
    semaphore: Semaphore,
    /// Time that a file takes, in microseconds.
    takes_micros: Arc<AtomicU64>,
}

impl Bulk {
    fn new() -> Self {
        let takes_micros = Arc::new(AtomicU64::new(0));
        let micros = Arc::clone(&takes_micros);
        let slow = from_fn("slow/1", &["*"], move |file: &FileContent<'_>| {
            std::thread::sleep(Duration::from_micros(micros.load(Ordering::Relaxed)));
            Ok(String::from_utf8_lossy(file.bytes).into_owned())
        });
        let bulk = Self { takes_micros, ..Self::of(slow) };
        (0..FILES).for_each(|n| bulk.write(&name(n), "before"));
        bulk
    }

    /// Creates a run of this processor over no file.
    fn of<Kind>(processor: impl IntoProcessor<Kind>) -> Self {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("root")).unwrap();
        let engine = Arc::new(Engine::new(processor));
        Self { tree, engine, semaphore: Semaphore::new(8), takes_micros: Arc::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tree.path().join("root").join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn view(&self) -> StoreView {
        self.engine.view().unwrap()
    }

    fn entry(&self, name: &str) -> Option<Entry> {
        self.view().reader.get(&key(name)).unwrap()
    }

    fn seen(&self, name: &str) -> std::io::Result<Fingerprint> {
        fs::metadata(self.path(name)).map(|found| Fingerprint::from_metadata(&found))
    }

    /// Reports changes of these files, as a watcher would.
    fn tell(&self, names: &[&str]) {
        let look = |name: &&str| {
            let missing = |_| FileEvent::Missing(self.entry(name).unwrap_or_default());
            (key(name), self.seen(name).map_or_else(missing, FileEvent::Touched))
        };
        let changes = names.iter().map(look).collect();
        self.send(Message::Touched { changes, since: Instant::now(), permit: self.semaphore.acquire() });
    }

    fn send(&self, message: Message) {
        self.engine.events().unwrap().send(message.into()).unwrap();
    }

    fn wait(&self, what: &str, done: impl Fn() -> bool) -> Duration {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < LONG, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }

    fn slow_down(&self) {
        self.takes_micros.store(1_500, Ordering::Relaxed);
    }

    fn run(&self) -> crate::engine::stats::RepositoryProcessingResult {
        let (config, options) = self.settings();
        self.engine.run(&[self.tree.path().join("root")], &config, &options).unwrap()
    }

    fn settings(&self) -> (BatchConfig, RunOptions) {
        let config = BatchConfig { worker_count: 2, max_concurrent_batches: 1, ..BatchConfig::default() };
        (config, RunOptions::new(self.tree.path().join("state")))
    }

    /// Runs, and calls `beside` once all is listed and files are in flight.
    fn run_beside(&self, beside: impl FnOnce(&Self)) -> crate::engine::stats::RepositoryProcessingResult {
        let (config, options) = self.settings();
        let engine = Arc::clone(&self.engine);
        let root = self.tree.path().join("root");
        let run = std::thread::spawn(move || engine.run(&[root], &config, &options).unwrap());
        self.wait("the run does not begin", || {
            let seen = self.engine.statistics();
            seen.state == ProcessingState::Processing
                && seen.progress.discovered == FILES as u64
                && seen.in_flight > 0
        });
        beside(self);
        run.join().unwrap()
    }

    /// Returns the records of a file.
    fn records(&self, path: &str) -> Vec<(RecordStatus, Option<String>)> {
        let log = self.log().into_iter().filter(|(name, ..)| name == path);
        log.map(|(_, status, result)| (status, result)).collect()
    }

    /// Returns all records, in the order in which they were written.
    fn log(&self) -> Vec<(String, RecordStatus, Option<String>)> {
        let view = StoreView::open(self.tree.path().join("state")).unwrap();
        let mut records = Vec::new();
        view.log()
            .each_from(LogPosition::START, |_, head| {
                records.push((head.path.to_string(), head.status, head.result.map(ToString::to_string)));
                Ok(())
            })
            .unwrap();
        records
    }

    fn is_done(&self, name: &str) -> bool {
        let now = self.seen(name).unwrap();
        self.entry(name).is_some_and(|entry| !entry.pending && entry.fingerprint == now)
    }
}

fn ok(content: &str) -> (RecordStatus, Option<String>) {
    (RecordStatus::Ok, Some(format!("\"{content}\"")))
}

#[test]
fn a_touched_file_is_durable_long_before_the_bulk_work_ends() {
    let bulk = Bulk::new();
    bulk.slow_down();
    // One that waits in a batch, one that is not claimed, one that no scan has seen.
    let waits = name(1_500);
    let last = name(FILES - 1);
    let names = [waits.as_str(), last.as_str(), "new"];
    let done = bulk.run_beside(|bulk| {
        names.iter().for_each(|name| bulk.write(name, "after"));
        bulk.tell(&names);
        let took = bulk.wait("they are not done", || names.iter().all(|name| bulk.is_done(name)));
        let left = bulk.engine.statistics().progress.pending;
        assert!(left > FILES as u64 / 2, "{left} files were left after {took:?}");
    });
    let progress = &done.progress;
    assert_eq!((progress.discovered, progress.ok, progress.pending), (FILES as u64 + 1, FILES as u64 + 1, 0));
    for name in names {
        assert_eq!(bulk.records(name), [ok("after")], "{name}: once, and as it is now");
    }
    assert_eq!(bulk.records(&name(7)), [ok("before")]);
}

#[test]
fn a_file_that_changes_again_and_again_ends_as_it_is_and_counts_once() {
    let bulk = Bulk::new();
    bulk.run();
    bulk.slow_down();
    (0..FILES).filter(|n| n % 4 != 0).for_each(|n| bulk.write(&name(n), "again"));
    let again = name(0);
    let gone = name(4);
    let brief = "brief";
    let done = bulk.run_beside(|bulk| {
        for round in 0..20 {
            bulk.write(&again, &format!("round {round}"));
            bulk.write(brief, &format!("round {round}"));
            bulk.tell(&[&again, brief]);
            std::thread::sleep(Duration::from_millis(round % 7));
        }
        // The scan has counted it as unchanged.
        fs::remove_file(bulk.path(&gone)).unwrap();
        fs::remove_file(bulk.path(brief)).unwrap();
        bulk.tell(&[&gone, brief]);
        bulk.wait("it is not done", || bulk.is_done(&again));
        bulk.wait("it is still known", || bulk.entry(&gone).is_none() && bulk.entry(brief).is_none());
        assert!(bulk.engine.statistics().progress.pending > FILES as u64 / 4);
    });
    let progress = &done.progress;
    let skipped: u64 = progress.skipped.values().sum();
    assert_eq!(progress.discovered, FILES as u64 + 1, "{progress:?}");
    assert_eq!(
        progress.discovered,
        progress.ok + progress.failed + progress.unchanged + skipped,
        "{progress:?}"
    );
    assert_eq!((progress.unchanged, skipped, progress.pending), (FILES as u64 / 4 - 2, 2, 0), "{progress:?}");
    assert_eq!(bulk.records(&again).last(), Some(&ok("round 19")));
    assert_eq!(bulk.records(&gone), [ok("before"), (RecordStatus::Removed, None)]);
}

#[test]
fn what_little_a_scan_finds_is_handed_out_and_committed_in_one_tick() {
    let bulk = Bulk::new();
    assert_eq!(bulk.run().progress.ok, FILES as u64);
    let changed: Vec<String> = (0..FILES).step_by(FILES / 20).map(name).collect();
    // On a busy machine a tick by time may come between.
    let in_one = (1..=40).find(|&round| {
        changed.iter().for_each(|name| bulk.write(name, &"after".repeat(round)));
        std::fs::remove_file(bulk.path(&name(round))).unwrap();
        let progress = bulk.run().progress;
        assert_eq!((progress.ok, progress.removed), (changed.len() as u64, 1));
        // The job begins and ends with it.
        progress.ticks == 1
    });
    let content = format!("{:?}", "after".repeat(in_one.unwrap()));
    for name in changed {
        assert_eq!(bulk.records(&name).last().unwrap().1.as_ref(), Some(&content));
    }
}

#[test]
fn a_large_file_does_not_wait_for_all_the_small_ones_before_it() {
    let bulk = Bulk::new();
    let large = usize::try_from(LARGE_BYTES).unwrap();
    bulk.write("the last", &"x".repeat(large));
    bulk.slow_down();
    assert_eq!(bulk.run().progress.ok, FILES as u64 + 1);
    let log = bulk.log();
    let place = log.iter().position(|(name, ..)| name == "the last").unwrap();
    assert_eq!(log.len(), FILES + 1, "each once");
    assert!(place < FILES / 2, "it was begun behind {place} others");
}

/// Runs over a file, which `change` changes and reports once a worker has read it; then a late sighting of the version
/// that was read arrives. Returns the records of all files.
fn overtaken(
    change: impl FnOnce(&Bulk),
    late: impl FnOnce(&Bulk, Vec<(FileKey, FileEvent)>, Fingerprint) -> Message,
) -> Vec<(String, RecordStatus, Option<String>)> {
    let (has_read, goes_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (read, go_on) = (Arc::clone(&has_read), Arc::clone(&goes_on));
    let bulk = Bulk::of(from_fn("waiting/1", &["*"], move |file: &FileContent<'_>| {
        if file.path == b"it" && file.bytes == b"before" {
            read.wait();
            go_on.wait();
        }
        Ok(String::from_utf8_lossy(file.bytes).into_owned())
    }));
    bulk.write("it", "before");
    let before = bulk.seen("it").unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bulk.run());
        has_read.wait();
        bulk.wait("it is not pending", || bulk.entry("it").is_some_and(|entry| entry.pending));
        change(&bulk);
        bulk.send(late(&bulk, vec![(key("it"), FileEvent::Found(before))], before));
        goes_on.wait();
        let progress = run.join().unwrap().progress;
        let skipped: u64 = progress.skipped.values().sum();
        assert_eq!((progress.discovered, progress.pending), (progress.ok + skipped, 0), "{progress:?}");
    });
    bulk.log()
}

#[test]
fn an_older_sighting_that_comes_after_a_report_does_not_stand_for_the_file() {
    type Late = fn(&Bulk, Vec<(FileKey, FileEvent)>, Fingerprint) -> Message;
    let scan: Late = |bulk, changes, _| {
        let permit = bulk.semaphore.acquire();
        Message::Found { changes, counts: ScanCounts::default(), permit }
    };
    // A thread that lists again what the watcher has lost sight of.
    let other_thread: Late = |bulk, _, before| {
        let changes = vec![(key("it"), FileEvent::Touched(before))];
        Message::Touched { changes, since: Instant::now(), permit: bulk.semaphore.acquire() }
    };
    let last = |log: &[(String, RecordStatus, Option<String>)], name: &str| {
        let of_file = log.iter().rfind(|(path, ..)| path == name);
        of_file.map(|(_, status, result)| (*status, result.clone()))
    };
    for late in [scan, other_thread] {
        let rewrite = |bulk: &Bulk| {
            bulk.write("it", "after");
            bulk.tell(&["it"]);
        };
        assert_eq!(last(&overtaken(rewrite, late), "it"), Some(ok("after")));
        let remove = |bulk: &Bulk| {
            fs::remove_file(bulk.path("it")).unwrap();
            bulk.tell(&["it"]);
        };
        let log = overtaken(remove, late);
        assert!(last(&log, "it").is_none_or(|last| last == (RecordStatus::Removed, None)), "{log:?}");
        let rename = |bulk: &Bulk| {
            fs::rename(bulk.path("it"), bulk.path("other")).unwrap();
            bulk.tell(&["it", "other"]);
        };
        let log = overtaken(rename, late);
        assert!(last(&log, "it").is_none_or(|last| last == (RecordStatus::Removed, None)), "{log:?}");
        assert_eq!(last(&log, "other"), Some(ok("before")));
    }
}
