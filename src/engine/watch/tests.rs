use std::sync::mpsc::sync_channel;

use super::commands::QUEUED_MAX;
use super::*;
use crate::engine::roots::identity::RootVerdict;
use crate::engine::roots::probe::tests::{impatient, settle};
use crate::engine::roots::{GivenRoot, registry};
use crate::engine::stop::Stop;
use crate::ledger::RootInfo;

struct Place {
    store: Store,
    folder: tempfile::TempDir,
    fs_probe: FsProbe,
    config: BatchConfig,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("state"), None).unwrap();
        let fs_probe = impatient(PATIENCE, Stop::default());
        Self { store, folder, fs_probe, config: BatchConfig::default() }
    }

    /// Registers a root of its own directory with another processor.
    fn root(&mut self, name: &str) -> RootInfo {
        let path = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir(&path).unwrap();
        let root = GivenRoot::known(path);
        let infos = registry::register(&mut self.store, &[root], "now/1", &self.fs_probe, &self.config);
        infos.unwrap().remove(0)
    }

    /// Checks until each root has been seen.
    fn look(&mut self, watch_state: &mut WatchState) -> Option<LostRoot> {
        settle(&self.fs_probe);
        let lost = self.glance(watch_state);
        settle(&self.fs_probe);
        lost.or(self.glance(watch_state))
    }

    fn glance(&mut self, watch_state: &mut WatchState) -> Option<LostRoot> {
        let running = JobRequest::of(JobKind::Watch, watch_state.ids()).job(&[]);
        let mut context = WatchContext {
            store: &mut self.store,
            fs_probe: &self.fs_probe,
            processor: "now/2",
            running: &running,
            config: &self.config,
        };
        watch_state.look(&mut context).unwrap()
    }

    /// Returns the jobs that wait.
    fn queued(&self) -> Vec<(JobKind, Vec<u32>)> {
        let jobs = self.store.reader.jobs().unwrap().into_iter();
        jobs.filter(|job| job.end == JobEnd::Queued).map(|job| (job.kind, job.roots)).collect()
    }

    fn info(&self, id: u32) -> RootInfo {
        self.store.state.info().roots.iter().find(|info| info.id == id).unwrap().clone()
    }
}

/// Time after which a probe is overdue.
const PATIENCE: Duration = Duration::from_secs(2);

fn watch_state() -> WatchState {
    WatchState::new(None, WatchOptions { reconcile: Some(Duration::ZERO), ..WatchOptions::default() })
}

#[test]
fn while_all_roots_are_away_no_more_than_one_scan_of_them_waits() {
    let mut place = Place::new();
    let mut watch_state = watch_state();
    for name in ["a", "b"] {
        let info = place.root(name);
        std::fs::remove_dir(&info.path).unwrap();
        watch_state.serve(info.root(), Some("not there".to_owned()));
    }
    // As at each start.
    for _ in 0..3 {
        watch_state.queue(&mut place.store, JobRequest::of(JobKind::Run, watch_state.ids())).unwrap();
    }
    for _ in 0..5 {
        place.look(&mut watch_state);
    }
    assert_eq!(place.queued(), [(JobKind::Run, vec![1, 2])]);
}

#[test]
fn a_job_waits_for_another_one_only_if_that_does_all_of_it_and_no_later() {
    let mut place = Place::new();
    let watch_state = watch_state();
    let of = |roots: &[u32]| JobRequest::of(JobKind::Rescan, roots.to_vec());
    let mut queue = |wanted: JobRequest| {
        let queued = watch_state.queue(&mut place.store, wanted).unwrap();
        (queued.job_id, queued.is_new)
    };
    let part = |scope: &str| Some(scope.to_owned());
    assert_eq!(queue(JobRequest { scope: part("d"), ..of(&[1]) }), (1, true));
    assert_eq!(queue(JobRequest { scope: part("d"), ..of(&[1]) }), (1, false));
    assert_eq!(queue(JobRequest { scope: part("e"), ..of(&[1]) }), (2, true));
    assert_eq!(queue(of(&[1])), (3, true));
    assert_eq!(queue(of(&[1, 2])), (4, true));
    assert_eq!(queue(of(&[2])), (4, false));
    assert_eq!(queue(JobRequest { scope: part("f"), ..of(&[2]) }), (4, false));
    assert_eq!(queue(JobRequest { priority: 1, ..of(&[2]) }), (5, true));
}

#[test]
fn so_many_jobs_wait_and_one_more_is_refused_unless_another_one_does_it() {
    let mut place = Place::new();
    let watch_state = watch_state();
    let of = |scope: usize| JobRequest {
        scope: Some(scope.to_string()),
        ..JobRequest::of(JobKind::Rescan, vec![1])
    };
    for number in 0..QUEUED_MAX {
        assert!(watch_state.queue_asked(&mut place.store, of(number)).unwrap().is_new);
    }
    let refused = watch_state.queue_asked(&mut place.store, of(QUEUED_MAX)).err().unwrap().to_string();
    assert!(refused.contains("1000 may at most"), "{refused}");
    assert!(!watch_state.queue_asked(&mut place.store, of(7)).unwrap().is_new);
    // The process itself is not held up.
    assert!(watch_state.queue(&mut place.store, JobRequest::of(JobKind::Run, vec![2])).unwrap().is_new);
}

#[test]
fn a_root_that_comes_back_is_registered_as_the_process_is_now() {
    let mut place = Place::new();
    let mut watch_state = watch_state();
    watch_state.options.reconcile = None;
    watch_state.next_reconcile = None;
    let info = place.root("a");
    std::fs::remove_dir(&info.path).unwrap();
    watch_state.serve(info.root(), Some("not there".to_owned()));
    place.look(&mut watch_state);
    assert_eq!((place.info(1).processor.as_str(), place.info(1).epoch), ("now/1", 1));
    std::fs::create_dir(&info.path).unwrap();
    place.look(&mut watch_state);
    assert_eq!((place.info(1).processor.as_str(), place.info(1).epoch), ("now/2", 2));
    assert_eq!(place.queued(), [(JobKind::Rescan, vec![1])]);

    // All is to be processed again once, not each time that it comes back.
    place.config.reprocess = true;
    let lost = LostRoot::new(info.root(), String::new());
    watch_state.lose(&lost);
    place.look(&mut watch_state);
    assert_eq!(place.info(1).epoch, 2);
    let second = place.root("b");
    let before = place.info(2).epoch;
    watch_state.serve(second.root(), Some("not there at the start".to_owned()));
    for _ in 0..2 {
        place.look(&mut watch_state);
        watch_state.lose(&LostRoot::new(second.root(), String::new()));
    }
    place.look(&mut watch_state);
    assert_eq!(place.info(2).epoch, before + 1);
}

#[test]
fn a_job_that_was_taken_back_does_not_wait_again_because_its_root_went() {
    let mut watch_state = watch_state();
    let scan = JobRequest::of(JobKind::Run, vec![1]).job(&[]);
    assert_eq!(watch_state.end_of(&scan), JobEnd::Queued);
    assert_eq!(watch_state.end_of(&JobRequest::of(JobKind::Watch, vec![1]).job(&[])), JobEnd::Completed);
    watch_state.cancelled = true;
    assert_eq!(watch_state.end_of(&scan), JobEnd::Cancelled);
}

#[test]
fn a_root_that_does_not_answer_is_away_until_it_does_and_holds_up_no_other_one() {
    let mut place = Place::new();
    let mut watch_state = watch_state();
    watch_state.next_reconcile = None;
    let stuck = place.root("stuck");
    let other = place.root("other");
    for info in [&stuck, &other] {
        watch_state.serve(info.root(), None);
    }
    let (hold, held) = sync_channel::<()>(1);
    let begun = Instant::now();
    let hangs = place.fs_probe.begin(&stuck.path, move |_| {
        let _ = held.recv();
        RootVerdict::Lost("was gone when it answered".to_owned())
    });
    watch_state.served[0].look = Some(hangs.unwrap());
    let mut slowest = Duration::ZERO;
    let lost = loop {
        let looked = Instant::now();
        let lost = place.glance(&mut watch_state);
        slowest = slowest.max(looked.elapsed());
        if let Some(lost) = lost {
            break lost;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(begun.elapsed() >= PATIENCE && slowest < PATIENCE / 2, "{slowest:?}");
    assert_eq!(lost.to_string(), format!("{}: {}", stuck.path.display(), crate::engine::ProbeError::Overdue));
    watch_state.lose(&lost);
    std::fs::remove_dir(&other.path).unwrap();
    let gone = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(10));
        place.glance(&mut watch_state)
    });
    let gone = gone.take(2000).flatten().next().unwrap();
    assert_eq!(gone.root.id.0, 2, "the other one is looked at meanwhile");
    assert!(!watch_state.is_here(1));
    drop(hold);
    place.look(&mut watch_state);
    place.look(&mut watch_state);
    assert!(watch_state.is_here(1));
    assert_eq!(place.queued(), [(JobKind::Rescan, vec![1])]);
}
