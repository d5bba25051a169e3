use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::batch::strategy_of;
use crate::engine::job_plan::{self, JobPlan};
use crate::engine::lifecycle::transition::{AttemptOutcome, Attempted};
use crate::engine::roots::GivenRoot;
use crate::engine::roots::probe::tests::impatient;
use crate::engine::stop::Stop;
use crate::engine::store::Store;
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::engine::workers::pool::{Pool, WorkerHandle};
use crate::engine::workers::task::Lane;
use crate::model::{BatchConfig, Fingerprint, RootId, Timestamp};

fn found(path: &str, size: u64) -> (FileKey, FileEvent) {
    let key = FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap();
    (key, FileEvent::Found(Fingerprint { size, ..Fingerprint::default() }))
}

fn state(folder: &Path) -> (Store, JobPlan) {
    let root = folder.join("root");
    fs::create_dir(&root).unwrap();
    let mut store = Store::create(&folder.join("state"), None).unwrap();
    let fs_probe = impatient(Duration::from_secs(60), Stop::default());
    let root = GivenRoot::known(root);
    let plan = job_plan::begin(&mut store, &[root], "one/1", &fs_probe, &BatchConfig::default()).unwrap();
    (store, plan)
}

/// Returns the lanes of the batches that were handed out, and whether files wait to be claimed.
fn admitted(order: Order, origin: ChangeOrigin, is_open: bool, sizes: &[u64]) -> (Vec<Lane>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, plan) = state(folder.path());
    let config = BatchConfig { order, ..BatchConfig::default() };
    let no_work = |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(());
    let pool = Pool::start(0, |_| (), no_work, || ()).unwrap();
    let mut dispatch = Dispatcher::new(&config, strategy_of(&config), pool.clone(), Vec::new());
    dispatch.set_workers(4);
    // A large file that is found while another one is pending.
    if sizes.iter().any(|&size| size >= LARGE_BYTES) {
        let pending = crate::ledger::Entry { pending: true, ..Default::default() };
        store.commit_without_lines(&[(found("pending", 1).0, Some(pending))], None).unwrap();
    }
    let scope = ClaimScope { reader: &store.reader, plan: &plan, now: Timestamp(0) };
    let mut changes: Vec<_> =
        sizes.iter().enumerate().map(|(n, &size)| found(&format!("f{n}"), size)).collect();
    dispatch.admit(&scope, &mut changes, origin, is_open).unwrap();
    let batches = std::iter::from_fn(|| pool.take_back());
    let lanes: Vec<_> = batches.map(|task| task.shared().lane).collect();
    assert_eq!(lanes.is_empty(), dispatch.outstanding() == 0);
    (lanes, dispatch.makes_claimable())
}

#[test]
fn each_origin_bypasses_the_queue_by_its_own_rule() {
    let watch = ChangeOrigin::Watch { since: Instant::now() };
    let scan = ChangeOrigin::Scan;
    let client = ChangeOrigin::Client;
    let small = [1, 1];
    let large = [1, LARGE_BYTES];
    let urgent = Lane::Urgent;
    let bulk = Lane::Bulk;
    let queued = (vec![], true);
    assert_eq!(admitted(Order::Path, watch, true, &small), (vec![urgent, urgent], false));
    assert_eq!(admitted(Order::Largest, watch, true, &small), (vec![urgent, urgent], false));
    assert_eq!(admitted(Order::Path, watch, false, &small), queued, "the run ends, or lacks something");
    assert_eq!(admitted(Order::Path, scan, true, &small), (vec![bulk], false));
    assert_eq!(admitted(Order::Path, scan, false, &small), queued);
    assert_eq!(admitted(Order::Largest, scan, true, &small), queued, "all are needed to know the largest");
    assert_eq!(admitted(Order::Path, scan, true, &large), (vec![urgent], true), "the large one alone");
    assert_eq!(admitted(Order::Path, client, true, &small), queued);
    assert_eq!(admitted(Order::Path, watch, true, &[]), (vec![], false), "nothing changed");
}

#[test]
fn a_suspect_that_is_due_later_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, plan) = state(folder.path());
    let retry =
        crate::ledger::Retry { class: crate::model::ErrorClass::IoTransient, at: Timestamp(1_000_000) };
    let suspect = found("suspect", 1).0;
    let entry = Entry { pending: true, retry: Some(retry), ..Entry::default() };
    let other = Entry { pending: true, ..Entry::default() };
    let changes = [(found("other", 1).0, Some(other)), (suspect.clone(), Some(entry))];
    store.commit_without_lines(&changes, None).unwrap();
    let pool =
        Pool::start(0, |_| (), |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(()), || ()).unwrap();
    let config = BatchConfig::default();
    let mut dispatch = Dispatcher::new(&config, strategy_of(&config), pool.clone(), vec![suspect]);
    let at = |now| ClaimScope { reader: &store.reader, plan: &plan, now: Timestamp(now) };
    dispatch.claim_suspect(&at(0)).unwrap();
    dispatch.claim(&at(2_000_000)).unwrap();
    assert_eq!(dispatch.outstanding(), 1, "the other one alone: by now the suspect is due");
    dispatch.take_back();
    dispatch.claim_suspect(&at(2_000_000)).unwrap();
    let alone: Vec<_> = std::iter::from_fn(|| pool.take_back()).map(|task| task.shared().lane).collect();
    assert_eq!(alone, [Lane::Alone]);
}

#[test]
fn an_outcome_is_outdated_by_what_a_watcher_reports_after_the_claim_of_what_was_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, plan) = state(folder.path());
    let scope = ClaimScope { reader: &store.reader, plan: &plan, now: Timestamp(0) };
    let config = BatchConfig::default();
    let version = |size| Fingerprint { size, ..Fingerprint::default() };
    let touched = |size| FileEvent::Touched(version(size));
    let gone = || FileEvent::Missing(Entry::default());
    // Version 1 is claimed; then come these reports, and the outcome of this version.
    let is_outdated = |is_open, reports: &[FileEvent], read, racy| {
        let no_work = |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(());
        let pool = Pool::start(0, |_| (), no_work, || ()).unwrap();
        let mut dispatch = Dispatcher::new(&config, strategy_of(&config), pool, Vec::new());
        let key = found("it", 1).0;
        let report = |dispatch: &mut Dispatcher, change: &FileEvent, is_open| {
            let origin = ChangeOrigin::Watch { since: Instant::now() };
            dispatch.admit(&scope, &mut [(key.clone(), change.clone())], origin, is_open).unwrap();
        };
        report(&mut dispatch, &touched(1), true);
        assert_eq!(dispatch.outstanding(), 1);
        reports.iter().for_each(|change| report(&mut dispatch, change, is_open));
        let end = AttemptOutcome::Unchanged { fingerprint: version(read), racy };
        let change = FileEvent::Ended(Attempted { claimed: version(1), end, outdated: false });
        let outcomes = vec![Outcome { key: key.clone(), change, line: 0, short_of: None }];
        let mut group = OutcomeGroup { outcomes, ..OutcomeGroup::default() };
        dispatch.ended(&mut group);
        matches!(group.outcomes[0].change, FileEvent::Ended(Attempted { outdated: true, .. }))
    };
    for is_open in [true, false] {
        assert!(!is_outdated(is_open, &[], 1, true), "none");
        assert!(!is_outdated(is_open, &[touched(1), touched(1)], 1, false), "the version that was read");
        assert!(is_outdated(is_open, &[touched(1)], 1, true), "one with the times of that which was read");
        assert!(!is_outdated(is_open, &[touched(1)], 2, false), "the claimed one, and a newer one was read");
        assert!(!is_outdated(is_open, &[touched(2)], 2, false), "a newer one, which was read");
        assert!(is_outdated(is_open, &[touched(2)], 1, false), "a newer one");
        assert!(
            is_outdated(is_open, &[touched(2), touched(1)], 1, false),
            "which of them is newer is not known"
        );
        assert!(is_outdated(is_open, &[gone()], 1, false), "a removal");
        assert!(is_outdated(is_open, &[gone(), touched(1)], 1, false), "it may have gone after");
    }
}
