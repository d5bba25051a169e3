//! Claims by priority, from a real ledger.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::batch::strategy_of;
use crate::engine::dispatch::admission::ChangeOrigin;
use crate::engine::job_plan;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::roots::GivenRoot;
use crate::engine::roots::probe::tests::impatient;
use crate::engine::stop::Stop;
use crate::engine::store::Store;
use crate::engine::workers::pool::WorkerHandle;
use crate::ledger::Entry;
use crate::model::{Fingerprint, PriorityRule, RootId};

/// A state with a job, whose files are those that its rules know by the beginning of their names.
struct Queue {
    store: Store,
    plan: JobPlan,
    pool: Arc<Pool>,
    dispatch: Dispatcher,
    _folder: tempfile::TempDir,
}

impl Queue {
    fn new(order: Order) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let rule = |glob: &str, class| PriorityRule {
            globs: vec![glob.to_owned()],
            class,
            ..PriorityRule::default()
        };
        let priorities = vec![rule("high*", BatchPriority::High), rule("low*", BatchPriority::Low)];
        let config = BatchConfig { order, priorities, ..BatchConfig::default() };
        let mut store = Store::create(&folder.path().join("state"), None).unwrap();
        let fs_probe = impatient(Duration::from_secs(60), Stop::default());
        let root = GivenRoot::known(root);
        let plan = job_plan::begin(&mut store, &[root], "one/1", &fs_probe, &config).unwrap();
        let job = job_plan::start(&mut store, plan.job.clone(), &config).unwrap();
        let no_work = |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(());
        let pool = Pool::start(0, |_| (), no_work, || ()).unwrap();
        let mut dispatch = Dispatcher::new(&config, strategy_of(&config), pool.clone(), Vec::new());
        dispatch.set_workers(1);
        Self { store, plan: JobPlan { job, ..plan }, pool, dispatch, _folder: folder }
    }

    /// Commits files that are due.
    fn add(&mut self, name: &str, files: std::ops::Range<u64>) {
        let file = |number: u64| {
            let path = format!("d{:02}/{name}{number:06}", number % 17);
            let key = FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap();
            let fingerprint = Fingerprint { size: number, ..Fingerprint::default() };
            (key, Some(Entry { pending: true, fingerprint, ..Entry::default() }))
        };
        let mut changes: Vec<_> = files.map(file).collect();
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.store.commit_without_lines(&changes, None).unwrap();
        self.dispatch.committed();
    }

    fn claim(&mut self) {
        let scope = ClaimScope { reader: &self.store.reader, plan: &self.plan, now: Timestamp(0) };
        self.dispatch.claim(&scope).unwrap();
    }

    /// Takes what a worker takes next, and commits it as done.
    fn work(&mut self) -> Option<(BatchPriority, Vec<DiscoveredFile>)> {
        let task = self.pool.take_back()?;
        let (id, priority) = (task.batch_id(), task.shared().batch.priority);
        let files = task.take_all();
        let mut changes: Vec<_> = files.iter().map(|file| (file.key.clone(), None)).collect();
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.store.commit_without_lines(&changes, None).unwrap();
        files.iter().for_each(|file| self.dispatch.claims.ended(&file.key));
        self.dispatch.outstanding -= files.len();
        self.dispatch.count_done(id, files.len(), 0, Duration::ZERO);
        self.dispatch.committed();
        Some((priority, files))
    }
}

#[test]
fn files_come_by_class_over_all_blocks_and_by_order_within_one() {
    let mut queue = Queue::new(Order::Largest);
    queue.add("low", 0..3000);
    queue.add("normal", 0..3000);
    queue.add("high", 0..6000);
    queue.claim();
    let (mut seen, mut sizes) = ([0; 3], Vec::new());
    while let Some((priority, files)) = queue.work() {
        let name = match priority {
            BatchPriority::High => "high",
            BatchPriority::Normal => "normal",
            BatchPriority::Low => "low",
        };
        assert!(files.iter().all(|file| file.key.name().starts_with(name.as_bytes())));
        if priority == BatchPriority::High {
            sizes.extend(files.iter().map(|file| file.fingerprint.size.checked_ilog2()));
        }
        seen[priority as usize] += files.len();
        if seen[BatchPriority::High as usize] == 6000 {
            break;
        }
        queue.claim();
    }
    assert!(sizes.is_sorted_by(|a, b| a >= b), "by powers of two");
    let [low, normal, high] = seen;
    assert_eq!(high, 6000);
    assert!((1..1000).contains(&normal) && low < 300, "their shares alone: {seen:?}");
    while queue.work().is_some_and(|(priority, files)| {
        seen[priority as usize] += files.len();
        queue.claim();
        true
    }) {}
    assert_eq!(seen, [3000, 3000, 6000], "each once");
}

#[test]
fn files_of_high_priority_that_come_without_end_leave_the_others_their_share() {
    let mut queue = Queue::new(Order::Path);
    queue.add("low", 0..6000);
    let mut done = [0; 3];
    for round in 0..60 {
        // More than the worker does.
        queue.add("high", round * 600..(round + 1) * 600);
        queue.claim();
        if let Some((priority, _)) = queue.work() {
            done[priority as usize] += 1;
        }
    }
    let [low, _, high] = done;
    assert!(high > 0 && low * 10 >= high && low * 5 <= high, "about one batch in eight: {done:?}");
}

#[test]
fn what_is_wanted_first_overtakes_what_no_worker_has_begun() {
    let mut queue = Queue::new(Order::Path);
    queue.add("normal", 0..5000);
    queue.claim();
    assert_eq!(queue.work().unwrap().0, BatchPriority::Normal);
    queue.add("high", 0..300);
    queue.claim();
    let in_flight = queue.dispatch.outstanding();
    assert!(in_flight > 3000, "what was claimed before takes no room: {in_flight}");
    assert_eq!(queue.work().unwrap().0, BatchPriority::High);
}

#[test]
fn changed_files_come_before_all_else_whatever_their_class_and_by_class_among_themselves() {
    let mut queue = Queue::new(Order::Path);
    queue.add("high", 0..300);
    queue.claim();
    let found = |name: &str| {
        let key = FileKey::from_relative_path(RootId(1), name.as_bytes()).unwrap();
        (key, FileEvent::Touched(Fingerprint::default()))
    };
    let mut changes = [found("low1"), found("high1"), found("other1"), found("low2")];
    let scope = ClaimScope { reader: &queue.store.reader, plan: &queue.plan, now: Timestamp(0) };
    let origin = ChangeOrigin::Watch { since: Instant::now() };
    queue.dispatch.admit(&scope, &mut changes, origin, true).unwrap();
    let names = |files: &[DiscoveredFile]| {
        let name = |file: &DiscoveredFile| String::from_utf8(file.key.name().to_vec()).unwrap();
        files.iter().map(name).collect::<Vec<_>>()
    };
    let taken: Vec<_> =
        std::iter::from_fn(|| queue.pool.take_back()).map(|task| names(task.files())).collect();
    assert_eq!(taken[..4].concat(), ["high1", "other1", "low1", "low2"]);
    assert_eq!(taken[4..].concat().len(), 300);
}
