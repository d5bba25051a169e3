use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use super::*;
use crate::engine::lifecycle::transition::{AttemptOutcome, Attempted, FileEvent};
use crate::engine::resources::memory_budget::{Budget, need};
use crate::engine::stop::Stop;
use crate::engine::workers::crash_hook::CrashSignal;
use crate::engine::workers::pool::Pool;
use crate::engine::workers::record::overdue_outcome;
use crate::engine::workers::slots::{Stage, WorkerSlots};
use crate::model::FileBatch;
use crate::model::clock::Clock;
use crate::model::config::BatchConfig;
use crate::model::key::RootTable;
use crate::process::from_fn;
use crate::source::{Filters, TreeSource};

const LIMIT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(20);

/// A processor that is slow on content that says so, then answers with the number of bytes.
fn sleeper(hang: Duration) -> Arc<dyn Processor> {
    Arc::new(from_fn("sleeper/1", &["*"], move |file: &FileContent<'_>| {
        if file.bytes == b"hang" {
            std::thread::sleep(hang);
        }
        Ok(file.bytes.len())
    }))
}

fn context(processor: Arc<dyn Processor>, workers: usize) -> Arc<WorkContext> {
    let budget = Arc::new(Budget::new(256 << 20));
    Arc::new(WorkContext {
        processor,
        source: Arc::new(TreeSource::new(Filters::default(), Vec::new())),
        roots: RootTable::new(Vec::new()),
        config: Arc::new(BatchConfig { worker_count: workers, ..BatchConfig::default() }),
        clock: Clock::default(),
        slots: Arc::new(WorkerSlots::new(workers, Arc::clone(&budget))),
        budget,
        markers: None,
        stop: Stop::default(),
        crash_signal: Arc::new(CrashSignal::default()),
        doubts_rules: Default::default(),
    })
}

/// Creates a batch of files, with content made by `content`.
fn batch(folder: &Path, id: u64, files: usize, content: impl Fn(usize) -> &'static str) -> FileBatch {
    let file = |n: usize| {
        let path = folder.join(format!("{id}-{n:03}"));
        std::fs::write(&path, content(n)).unwrap();
        DiscoveredFile::at(&path).unwrap()
    };
    FileBatch::unplanned(id, (0..files).map(file))
}

fn start(context: &Arc<WorkContext>, workers: usize) -> (Arc<Pool>, Receiver<OutcomeGroup>) {
    let (send, receive) = channel();
    let context = Arc::clone(context);
    let make = move |worker| {
        let send: Sender<OutcomeGroup> = send.clone();
        BatchWorker::new(Arc::clone(&context), worker, move |group| drop(send.send(group)))
    };
    let work = |worker: &mut BatchWorker<_>, task, hand: &WorkerHandle<'_>| worker.run(task, hand);
    (Pool::start(workers, make, work, || panic!("a worker panicked")).unwrap(), receive)
}

/// How often each file had an outcome, and of which class it failed.
#[derive(Default)]
struct Seen(BTreeMap<String, Vec<Option<ErrorClass>>>);

impl Seen {
    fn take(&mut self, group: &OutcomeGroup) {
        assert_eq!(group.lines.len(), group.outcomes.iter().map(|outcome| outcome.line).sum::<usize>());
        for outcome in &group.outcomes {
            let FileEvent::Ended(Attempted { end: AttemptOutcome::Recorded { failure, .. }, .. }) =
                outcome.change
            else {
                panic!("{:?}", outcome.change)
            };
            let name = String::from_utf8_lossy(outcome.key.name()).into_owned();
            self.0.entry(name).or_default().push(failure);
        }
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.0.iter().filter(|(_, ends)| ends.contains(&Some(ErrorClass::Timeout)));
        failed.map(|(name, _)| name.as_str()).collect()
    }
}

/// Acts as a coordinator, until all files have an outcome.
fn coordinate(
    context: &Arc<WorkContext>,
    pool: &Arc<Pool>,
    receive: &Receiver<OutcomeGroup>,
    files: usize,
) -> Seen {
    let mut seen = Seen::default();
    let until = Instant::now() + LONG;
    while seen.0.values().map(Vec::len).sum::<usize>() < files {
        assert!(Instant::now() < until, "{} of {files}", seen.0.len());
        if let Ok(group) = receive.recv_timeout(Duration::from_millis(10)) {
            seen.take(&group);
        }
        for reclaimed in context.slots.reclaim_overdue(LIMIT, context.clock.now()) {
            assert_eq!(reclaimed.stage, Stage::Processing);
            seen.take(&overdue_outcome(context, &reclaimed).unwrap());
            seen.take(&reclaimed.group);
            reclaimed.rest.into_iter().for_each(|rest| pool.push(rest));
            pool.replace(reclaimed.worker).unwrap();
        }
    }
    seen
}

/// Waits until the abandoned threads have come back and ended: then only `others` share the context.
fn wait_for_abandoned(context: &Arc<WorkContext>, others: usize) {
    let until = Instant::now() + LONG;
    while Arc::strong_count(context) > 1 + others {
        assert!(Instant::now() < until, "an abandoned thread did not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_hangs_stops_no_other_and_comes_too_late() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let context = context(sleeper(Duration::from_secs(3)), 1);
    let (pool, receive) = start(&context, 1);
    pool.push(Task::new(batch(folder.path(), 1, 200, |n| if n == 50 { "hang" } else { "go" })));
    let seen = coordinate(&context, &pool, &receive, 200);
    assert_eq!(seen.failed(), ["1-050"]);
    assert_eq!((seen.0.len(), seen.0.values().all(|ends| ends.len() == 1)), (200, true));
    pool.close();
    assert!(pool.join(Some(Instant::now() + LONG)));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(context.budget.given_up(), 1);
    wait_for_abandoned(&context, 1);
    assert_eq!(
        (context.budget.given_up(), context.budget.in_use_bytes()),
        (0, 0),
        "its memory is given back"
    );
    assert_eq!((pool.idle(), receive.try_iter().count()), (0, 0), "it changes nothing when it comes back");
}

#[test]
fn all_workers_may_hang_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    // Far longer than the limit: on a busy machine the coordinator may come late.
    let context = context(sleeper(Duration::from_secs(30)), 4);
    let (pool, receive) = start(&context, 4);
    for id in 0..8 {
        pool.push(Task::new(batch(folder.path(), id, 20, |n| if n == 7 { "hang" } else { "go" })));
    }
    let seen = coordinate(&context, &pool, &receive, 8 * 20);
    assert_eq!((seen.failed().len(), seen.0.len()), (8, 160));
    pool.close();
    assert!(pool.join(Some(Instant::now() + LONG)));
}

#[test]
fn workers_are_abandoned_while_others_steal() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(sleeper(Duration::from_millis(300)), 4);
    let (pool, receive) = start(&context, 4);
    // One long batch: three live on what the fourth gives away, and each hangs now and then.
    pool.push(Task::new(batch(folder.path(), 1, 3_000, |n| if n % 250 == 9 { "hang" } else { "go" })));
    let seen = coordinate(&context, &pool, &receive, 3_000);
    assert_eq!((seen.failed().len(), seen.0.len()), (12, 3_000));
    pool.close();
    assert!(pool.join(Some(Instant::now() + LONG)));
    drop(pool);
    wait_for_abandoned(&context, 0);
    assert_eq!(receive.try_iter().count(), 0);
}

#[test]
fn all_that_is_in_hand_can_be_taken_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(sleeper(Duration::from_secs(2)), 2);
    let (pool, receive) = start(&context, 2);
    pool.push(Task::new(batch(folder.path(), 1, 6, |n| if n == 2 { "hang" } else { "go" })));
    let until = Instant::now() + LONG;
    while context.slots.slow_files(&context.roots, context.clock.now()).iter().all(Option::is_none) {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut seen = Seen::default();
    let reclaimed = context.slots.seize_all();
    let files: Vec<_> = reclaimed.iter().filter_map(|reclaimed| reclaimed.file.as_ref()).collect();
    assert_eq!(files.len(), 1);
    assert!(files[0].key.name().ends_with(b"002"));
    let rest: usize = reclaimed.iter().filter_map(|reclaimed| Some(reclaimed.rest.as_ref()?.len())).sum();
    receive.try_iter().for_each(|group| seen.take(&group));
    reclaimed.iter().for_each(|reclaimed| seen.take(&reclaimed.group));
    let waiting: usize = std::iter::from_fn(|| pool.take_back()).map(|task| task.len()).sum();
    assert_eq!((seen.0.len() + rest + waiting, seen.failed().len()), (5, 0));
    reclaimed.iter().for_each(|reclaimed| pool.abandon(reclaimed.worker));
    pool.close();
    assert!(pool.join(Some(Instant::now() + Duration::from_secs(1))), "shutdown does not wait for it");
    assert!(context.slots.seize_all().is_empty(), "nothing is taken twice");
}

/// A file larger than what a worker keeps without asking.
fn large() -> &'static str {
    Box::leak("x".repeat(6 << 20).into_boxed_str())
}

#[test]
fn memory_for_large_files_is_given_back_when_nothing_is_left_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let content = large();
    let context = context(sleeper(Duration::ZERO), 1);
    let (pool, receive) = start(&context, 1);
    for id in 0..3 {
        pool.push(Task::new(batch(folder.path(), id, 2, |_| content)));
    }
    let mut seen = Seen::default();
    let until = Instant::now() + LONG;
    while seen.0.len() < 6 {
        seen.take(&receive.recv_timeout(LONG).unwrap());
    }
    while context.budget.in_use_bytes() > 0 {
        assert!(Instant::now() < until, "{:?}", context.budget);
        std::thread::sleep(Duration::from_millis(5));
    }
    pool.close();
    assert!(pool.join(Some(until)));
}

#[test]
fn a_small_file_that_hangs_behind_a_large_one_takes_the_memory_of_that_along() {
    let folder = tempfile::tempdir().unwrap();
    let content = large();
    let context = context(sleeper(Duration::from_secs(3)), 1);
    let (pool, _receive) = start(&context, 1);
    let hangs = |n| if n == 0 { content } else { "hang" };
    pool.push(Task::new(batch(folder.path(), 1, 2, hangs)));
    let until = Instant::now() + LONG;
    let reclaimed = loop {
        assert!(Instant::now() < until, "nothing hangs");
        std::thread::sleep(Duration::from_millis(10));
        if let Some(reclaimed) = context.slots.reclaim_overdue(10 * LIMIT, context.clock.now()).pop() {
            break reclaimed;
        }
    };
    assert_eq!(reclaimed.file.unwrap().fingerprint.size, 4);
    assert_eq!(context.budget.given_up_bytes(), need(6 << 20));
    pool.abandon(0);
}
