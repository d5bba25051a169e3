use proptest::prelude::*;

use super::*;
use crate::engine::store::Store;
use crate::ledger::RootInfo;
use crate::model::Cursor;

fn job(id: u64, end: JobEnd) -> Job {
    Job {
        id,
        kind: JobKind::Rescan,
        priority: 0,
        scope: None,
        queued: Timestamp(id as i64),
        started: Timestamp(id as i64),
        ended: end.is_final().then_some(Timestamp(99)),
        end,
        roots: vec![1],
        config: "{}".to_owned(),
        start: Cursor::default(),
        discovered: 9,
        counts: JobCounts { ok: 1, failed: 2, unchanged: 3, removed: 4, bytes: 5 },
    }
}

proptest! {
    #[test]
    fn the_next_job_is_the_oldest_of_those_with_the_highest_priority(
        queue in proptest::collection::vec((-2_i16..3, any::<bool>()), 0..12),
    ) {
        let end = |waits| if waits { JobEnd::Queued } else { JobEnd::Completed };
        let numbered = queue.iter().zip(1..);
        let jobs: Vec<Job> =
            numbered.map(|(&(priority, waits), id)| Job { priority, ..job(id, end(waits)) }).collect();
        let mut expected: Option<&Job> = None;
        for job in jobs.iter().filter(|job| job.end == JobEnd::Queued) {
            if expected.is_none_or(|best| job.priority > best.priority) {
                expected = Some(job);
            }
        }
        prop_assert_eq!(next_queued(&jobs), expected);
    }
}

#[test]
fn only_a_higher_priority_takes_the_place_of_a_scan_and_any_that_of_the_standing_job() {
    let queued = job(2, JobEnd::Queued);
    let running = job(1, JobEnd::Running);
    assert!(!outranks(&queued, &running));
    assert!(outranks(&Job { priority: 1, ..queued.clone() }, &running));
    let standing = Job { kind: JobKind::Watch, ..running };
    assert!(outranks(&Job { priority: -1, ..queued }, &standing));
}

/// A state with one root and these jobs.
fn store_with(folder: &tempfile::TempDir, jobs: &[Job]) -> Store {
    let mut store = Store::create(&folder.path().join("state"), None).unwrap();
    let root = RootInfo::new(1, "asts", "/data/asts", "ast/1");
    store.state.update(|info| info.roots.push(root)).unwrap();
    jobs.iter().for_each(|job| store.commit_without_lines(&[], Some(job)).unwrap());
    store
}

fn numbers(report: &JobReport) -> Vec<u64> {
    report.jobs.iter().map(|line| line.job_id).collect()
}

#[test]
fn the_latest_ended_jobs_are_told_and_all_that_wait_or_run() {
    let folder = tempfile::tempdir().unwrap();
    let ends = [
        JobEnd::Queued,
        JobEnd::Completed,
        JobEnd::Interrupted,
        JobEnd::Failed,
        JobEnd::Cancelled,
        JobEnd::Interrupted,
        JobEnd::Running,
    ];
    let mut jobs: Vec<Job> = ends.into_iter().zip(1..).map(|(end, id)| job(id, end)).collect();
    // Left open by a process that died, closed by the next one.
    jobs[2].ended = None;
    let view = store_with(&folder, &jobs).view();
    let mut statistics = BatchStatistics::default();
    statistics.progress.job_id = 7;
    let all = view.jobs(Some(&statistics), None).unwrap();
    let states: Vec<String> = all.jobs.iter().map(|line| line.state.to_string()).collect();
    assert_eq!(states, ["queued", "completed", "killed", "failed", "cancelled", "interrupted", "running"]);
    let latest = view.jobs(Some(&statistics), Some(2)).unwrap();
    assert_eq!((numbers(&latest), latest.left_out), (vec![1, 5, 6, 7], 3));
    let open = view.jobs(Some(&statistics), Some(0)).unwrap();
    assert_eq!((numbers(&open), open.left_out), (vec![1, 7], 5));
    let dead = view.jobs(None, Some(1)).unwrap();
    assert_eq!((numbers(&dead), dead.jobs[1].state), (vec![1, 7], JobOutcome::Killed));
}

#[test]
fn what_never_began_has_no_start_and_a_lost_root_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let waits = Job { roots: vec![1, 7], scope: Some("src".to_owned()), ..job(1, JobEnd::Queued) };
    let again = Job { started: Timestamp(50), ..job(2, JobEnd::Queued) };
    let report = store_with(&folder, &[waits, again]).view().jobs(None, None).unwrap();
    let [waits, again] = &report.jobs[..] else { panic!("{report:?}") };
    assert_eq!((waits.started, again.started), (None, Some(Timestamp(50))));
    let known = JobRoot { name: "asts".to_owned(), path: "/data/asts".into() };
    assert_eq!(waits.roots, [known, JobRoot { name: "7".to_owned(), path: PathBuf::new() }]);
    let json = serde_json::to_string(&report).unwrap();
    let first = r#"{"jobs":[{"job_id":1,"kind":"rescan","state":"queued","priority":0,"roots":[{"name":"asts","path":"/data/asts"},{"name":"7","path":""}],"scope":"src","queued":"1970-01-01T00:00:00.000000001Z","started":null,"ended":null,"phase":null,"pending":null,"progress":null,"discovered":9,"ok":1,"failed":2,"unchanged":3,"removed":4,"bytes":5},"#;
    assert!(json.starts_with(first), "{json}");
    assert_eq!(serde_json::from_str::<JobReport>(&json).unwrap(), report);
}

#[test]
fn the_share_that_is_done_is_told_once_all_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let view = store_with(&folder, &[job(1, JobEnd::Running)]).view();
    let mut statistics = BatchStatistics { state: ProcessingState::Scanning, ..BatchStatistics::default() };
    statistics.progress = ProcessingProgress {
        job_id: 1,
        discovered: 40,
        ok: 30,
        pending: 10,
        ..ProcessingProgress::default()
    };
    let line = |statistics: &BatchStatistics| view.jobs(Some(statistics), None).unwrap().jobs[0].clone();
    let scanning = line(&statistics);
    assert_eq!((scanning.phase, scanning.pending), (Some(ProcessingState::Scanning), Some(10)));
    assert_eq!((scanning.progress, scanning.counts.ok), (None, 30));
    statistics.state = ProcessingState::Processing;
    assert_eq!(line(&statistics).progress, Some(0.75));
    statistics.progress.job_id = 0;
    let begins = line(&statistics);
    assert_eq!((begins.state, begins.progress, begins.counts.ok), (JobOutcome::Running, None, 1));
}

#[test]
fn a_status_has_each_job_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let report = store_with(&folder, &[job(1, JobEnd::Completed)]).view().status(None).unwrap();
    let json = serde_json::to_string(&report.jobs).unwrap();
    let expected = r#"[{"job_id":1,"end":"completed","started":"1970-01-01T00:00:00.000000001Z","ended":"1970-01-01T00:00:00.000000099Z","ok":1,"failed":2,"unchanged":3,"removed":4,"bytes":5}]"#;
    assert_eq!(json, expected);
}
