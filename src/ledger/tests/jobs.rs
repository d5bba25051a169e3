//! Which jobs are remembered.

use super::*;
use crate::model::Cursor;

fn job(id: u64, end: JobEnd) -> Job {
    Job {
        id,
        kind: JobKind::Rescan,
        priority: -3,
        scope: Some("src".to_owned()),
        queued: Timestamp(id as i64),
        started: Timestamp(id as i64 + 1),
        ended: end.is_final().then_some(Timestamp(7)),
        end,
        roots: vec![1],
        config: "{}".to_owned(),
        start: Cursor::default(),
        discovered: 10,
        counts: JobCounts { ok: 1, failed: 2, unchanged: 3, removed: 4, bytes: 5 },
    }
}

#[test]
fn the_ended_jobs_that_are_kept_are_the_last_ones() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFolder::create(&folder.path().join("state"), "records".as_ref()).unwrap();
    let put = |ledger: &mut Ledger, job: &Job| {
        let log = LogPosition::START;
        ledger.commit(Tick { changes: &[], log, log_crc: 0, job: Some(job) }).unwrap();
    };
    let mut ledger = Ledger::open(&state).unwrap();
    let waits = job(1, JobEnd::Queued);
    put(&mut ledger, &waits);
    let ended: Vec<Job> = (2..=6).map(|id| job(id, JobEnd::Completed)).collect();
    ended.iter().for_each(|job| put(&mut ledger, job));
    drop(ledger);
    let mut ledger = Ledger::open(&state).unwrap();
    assert_eq!(ledger.reader().jobs().unwrap().len(), 6, "all, as nobody has said how many");
    ledger.keep_jobs(3);
    let runs = job(7, JobEnd::Running);
    put(&mut ledger, &runs);
    let expected = [&waits, &ended[2], &ended[3], &ended[4], &runs].map(Job::clone);
    assert_eq!(ledger.reader().jobs().unwrap(), expected);
    let failed = job(7, JobEnd::Failed);
    put(&mut ledger, &failed);
    drop(ledger);
    let expected = [&waits, &ended[3], &ended[4], &failed].map(Job::clone);
    assert_eq!(Ledger::open(&state).unwrap().reader().jobs().unwrap(), expected);
}
