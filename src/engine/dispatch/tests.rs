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
use crate::ledger::{BLOCKS_READ, Entry, Retry};
use crate::model::{ErrorClass, Fingerprint, PriorityRule, RootId};

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
        self.add_of(OWN, None, name, files);
    }

    /// Commits files that wait for a retry, or are due.
    fn add_of(&mut self, root: RootId, retry: Option<Retry>, name: &str, files: std::ops::Range<u64>) {
        let file = |number: u64| {
            let path = format!("d{:02}/{name}{number:06}", number % 17);
            let key = FileKey::from_relative_path(root, path.as_bytes()).unwrap();
            let fingerprint = Fingerprint { size: number, ..Fingerprint::default() };
            (key, Some(Entry { pending: true, retry, fingerprint, ..Entry::default() }))
        };
        self.commit(files.map(file).collect());
    }

    /// Commits entries, as a tick does.
    fn commit(&mut self, mut changes: Vec<(FileKey, Option<Entry>)>) {
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.store.commit_without_lines(&changes, None).unwrap();
        let priority = self.store.reader.priorities().unwrap();
        let mut left = LeftPending::default();
        for (key, entry) in &changes {
            if let Some(Entry { fingerprint, retry, .. }) = entry {
                left.note(priority(key, fingerprint), *retry);
            }
        }
        self.dispatch.committed(&left);
    }

    fn claim(&mut self) {
        self.claim_at(Timestamp(0));
    }

    fn claim_at(&mut self, now: Timestamp) {
        let scope = ClaimScope { reader: &self.store.reader, plan: &self.plan, now };
        self.dispatch.claim(&scope).unwrap();
    }

    /// Takes what a worker takes next, and commits it as done.
    fn work(&mut self) -> Option<(BatchPriority, Vec<DiscoveredFile>)> {
        self.work_to(None)
    }

    /// The same, with this for the files' entries.
    fn work_to(&mut self, entry: Option<Entry>) -> Option<(BatchPriority, Vec<DiscoveredFile>)> {
        let task = self.pool.take_back()?;
        let (id, priority) = (task.batch_id(), task.shared().batch.priority);
        let files = task.take_all();
        files.iter().for_each(|file| self.dispatch.claims.ended(&file.key));
        self.dispatch.outstanding -= files.len();
        self.dispatch.count_done(id, files.len(), 0, Duration::ZERO);
        self.commit(files.iter().map(|file| (file.key.clone(), entry)).collect());
        Some((priority, files))
    }

    /// Works until nothing is left that is due; returns the files done, and the blocks read to claim them.
    fn finish(&mut self, now: Timestamp) -> (usize, u64) {
        let (mut done, mut read) = (0, 0);
        loop {
            let before = BLOCKS_READ.get();
            self.claim_at(now);
            read += BLOCKS_READ.get() - before;
            let Some((_, files)) = self.work() else { return (done, read) };
            done += files.len();
        }
    }
}

const OWN: RootId = RootId(1);

/// After the first failure of a file, due in a second.
const RETRY: Retry = Retry { class: ErrorClass::IoTransient, at: Timestamp(1_000_000_000) };

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
fn files_of_another_root_are_not_read_whatever_their_class() {
    let mut queue = Queue::new(Order::Path);
    for name in ["high", "normal", "low"] {
        queue.add_of(RootId(2), None, name, 0..8000);
    }
    // More than are claimed at once.
    queue.add("normal", 0..20_000);
    let (done, read) = queue.finish(Timestamp(0));
    assert_eq!(done, 20_000);
    assert!(read < 100, "{read} blocks are read to claim 20,000 files");
}

#[test]
fn files_that_wait_for_a_retry_are_read_once_until_it_is_due() {
    let mut queue = Queue::new(Order::Path);
    queue.add_of(OWN, Some(RETRY), "low", 0..8000);
    queue.add("normal", 0..4000);
    let (done, read) = queue.finish(Timestamp(0));
    assert_eq!(done, 4000);
    assert!(read < 300, "{read} blocks are read to claim 4,000 files");
    assert_eq!(queue.finish(RETRY.at).0, 8000, "once they are due");
}

#[test]
fn a_file_that_a_tick_leaves_pending_is_claimed_again_when_it_is_due() {
    let mut queue = Queue::new(Order::Path);
    queue.add("high", 0..20);
    queue.claim();
    let failed = Entry { pending: true, retry: Some(RETRY), ..Entry::default() };
    while queue.work_to(Some(failed)).is_some() {
        queue.claim();
    }
    assert_eq!(queue.finish(Timestamp(RETRY.at.0 - 1)).0, 0, "not yet");
    queue.claim_at(RETRY.at);
    let due = Entry { pending: true, ..Entry::default() };
    while queue.work_to(Some(due)).is_some() {}
    assert_eq!(queue.finish(RETRY.at).0, 20);
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
