use super::*;
use crate::ledger::RootInfo;
use crate::source::{Filters, TreeSource};

struct Place {
    store: Store,
    folder: tempfile::TempDir,
    source: TreeSource,
    config: BatchConfig,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("state"), None).unwrap();
        let source = TreeSource::new(Filters::default(), Vec::new());
        Self { store, folder, source, config: BatchConfig::default() }
    }

    /// Registers a root of its own folder with another processor.
    fn root(&mut self, name: &str) -> RootInfo {
        let path = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir(&path).unwrap();
        let infos = job::register(&mut self.store, &[path], "before/1", &self.source, &self.config);
        infos.unwrap().remove(0)
    }

    fn look(&mut self, agenda: &mut Agenda) -> Option<LostRoot> {
        let running = Wanted::of(JobKind::Watch, agenda.ids()).job(&[]);
        let present = Present { source: &self.source, processor: "now/2", config: &self.config };
        agenda.look(&mut self.store, &present, &running).unwrap()
    }

    /// The jobs that wait.
    fn queued(&self) -> Vec<(JobKind, Vec<u32>)> {
        let jobs = self.store.reader.jobs().unwrap().into_iter();
        jobs.filter(|job| job.end == JobEnd::Queued).map(|job| (job.kind, job.roots)).collect()
    }

    fn info(&self, id: u32) -> RootInfo {
        self.store.state.info().roots.iter().find(|info| info.id == id).unwrap().clone()
    }
}

fn agenda() -> Agenda {
    Agenda::new(None, WatchOptions { reconcile: Some(Duration::ZERO), ..WatchOptions::default() })
}

#[test]
fn while_all_roots_are_away_no_more_than_one_scan_of_them_waits() {
    let mut place = Place::new();
    let mut agenda = agenda();
    for name in ["a", "b"] {
        let info = place.root(name);
        std::fs::remove_dir(&info.path).unwrap();
        agenda.serve(info.root(), Some("not there".to_owned()));
    }
    // As at each start.
    for _ in 0..3 {
        agenda.queue(&mut place.store, Wanted::of(JobKind::Run, agenda.ids())).unwrap();
    }
    for _ in 0..5 {
        place.look(&mut agenda);
    }
    assert_eq!(place.queued(), [(JobKind::Run, vec![1, 2])]);
}

#[test]
fn a_job_waits_for_another_one_only_if_that_does_all_of_it_and_no_later() {
    let mut place = Place::new();
    let agenda = agenda();
    let of = |roots: &[u32]| Wanted::of(JobKind::Rescan, roots.to_vec());
    let mut queue = |wanted: Wanted| {
        let queued = agenda.queue(&mut place.store, wanted).unwrap();
        (queued.job, queued.is_new)
    };
    let part = |scope: &str| Some(scope.to_owned());
    assert_eq!(queue(Wanted { scope: part("d"), ..of(&[1]) }), (1, true));
    assert_eq!(queue(Wanted { scope: part("d"), ..of(&[1]) }), (1, false));
    assert_eq!(queue(Wanted { scope: part("e"), ..of(&[1]) }), (2, true));
    assert_eq!(queue(of(&[1])), (3, true));
    assert_eq!(queue(of(&[1, 2])), (4, true));
    assert_eq!(queue(of(&[2])), (4, false));
    assert_eq!(queue(Wanted { scope: part("f"), ..of(&[2]) }), (4, false));
    assert_eq!(queue(Wanted { priority: 1, ..of(&[2]) }), (5, true));
}

#[test]
fn a_root_that_comes_back_is_registered_as_the_process_is_now() {
    let mut place = Place::new();
    let mut agenda = agenda();
    agenda.options.reconcile = None;
    agenda.next_reconcile = None;
    let info = place.root("a");
    std::fs::remove_dir(&info.path).unwrap();
    agenda.serve(info.root(), Some("not there".to_owned()));
    place.look(&mut agenda);
    assert_eq!((place.info(1).processor.as_str(), place.info(1).epoch), ("before/1", 1));
    std::fs::create_dir(&info.path).unwrap();
    place.look(&mut agenda);
    assert_eq!((place.info(1).processor.as_str(), place.info(1).epoch), ("now/2", 2));
    assert_eq!(place.queued(), [(JobKind::Rescan, vec![1])]);

    // All is to be processed again once, not each time that it comes back.
    place.config.reprocess = true;
    let lost = LostRoot { root: info.root(), why: String::new() };
    agenda.lose(&lost);
    place.look(&mut agenda);
    assert_eq!(place.info(1).epoch, 2);
    let second = place.root("b");
    let before = place.info(2).epoch;
    agenda.serve(second.root(), Some("not there at the start".to_owned()));
    for _ in 0..2 {
        place.look(&mut agenda);
        agenda.lose(&LostRoot { root: second.root(), why: String::new() });
    }
    place.look(&mut agenda);
    assert_eq!(place.info(2).epoch, before + 1);
}

#[test]
fn a_job_that_was_taken_back_does_not_wait_again_because_its_root_went() {
    let mut agenda = agenda();
    let scan = Wanted::of(JobKind::Run, vec![1]).job(&[]);
    assert_eq!(agenda.end_of(&scan), JobEnd::Queued);
    assert_eq!(agenda.end_of(&Wanted::of(JobKind::Watch, vec![1]).job(&[])), JobEnd::Completed);
    agenda.cancelled = true;
    assert_eq!(agenda.end_of(&scan), JobEnd::Cancelled);
}
