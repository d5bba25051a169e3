use super::*;
use crate::ledger::{JobCounts, JobEnd};
use crate::model::{Cursor, Timestamp as Stored};

const HOUR: Duration = Duration::from_secs(3600);

fn settings(every: Option<Duration>, cron: Option<&str>, jitter: Duration) -> ScheduleSettings {
    ScheduleSettings { every, cron: cron.map(str::to_owned), jitter }
}

/// Creates a schedule in a zone with summer time from the last Sunday in March to that in October.
fn schedule(settings: &ScheduleSettings) -> Schedule {
    Schedule::new(settings, 7, TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns the scans of `days` days with a check at each full minute.
fn scans(schedule: &Schedule, from: &str, days: u64) -> Vec<String> {
    let mut cursor = ScheduleCursor { last: at(from) };
    let mut found = Vec::new();
    for minute in 0..days * 24 * 60 {
        let now = at(from) + Duration::from_secs(60 * minute);
        if cursor.advance(schedule, now, Scans::default) == ScheduleStep::Scan {
            cursor.last = now;
            found.push(now.to_string());
        }
    }
    found
}

#[test]
fn the_next_scan_follows_the_last_one() {
    let six = schedule(&settings(Some(6 * HOUR), None, Duration::ZERO));
    let now = at("2026-11-24T10:00:00Z");
    assert_eq!(six.next(now, Some(at("2026-11-24T09:00:00Z"))), Some(at("2026-11-24T15:00:00Z")));
    assert_eq!(six.next(now, None), Some(at("2026-11-24T16:00:00Z")));
    assert_eq!(
        six.next(now, Some(at("2026-11-20T00:00:00Z"))),
        Some(at("2026-11-20T06:00:00Z")),
        "it is late"
    );
    let both = schedule(&settings(Some(6 * HOUR), Some("30 12 * * *"), Duration::ZERO));
    assert_eq!(both.next(now, None), Some(at("2026-11-24T11:30:00Z")), "12:30 in its zone, which is sooner");
    assert_eq!(schedule(&ScheduleSettings::default()).next(now, None), None);
}

#[test]
fn each_night_has_one_scan_also_where_its_hour_is_missing_or_comes_twice() {
    let nightly = schedule(&settings(None, Some("30 2 * * *"), Duration::ZERO));
    let spring = scans(&nightly, "2026-03-28T00:00:00Z", 3);
    assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let autumn = scans(&nightly, "2026-10-24T00:00:00Z", 3);
    assert_eq!(autumn, ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn an_hourly_scan_goes_on_through_a_change_of_the_clock() {
    let hourly = schedule(&settings(None, Some("0 * * * *"), Duration::ZERO));
    for day in ["2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z"] {
        let found = scans(&hourly, day, 1);
        assert_eq!(found.len(), 24, "{found:?}");
    }
}

#[test]
fn a_delay_is_within_its_bounds_and_always_the_same() {
    let late = schedule(&settings(Some(HOUR), None, 10 * Duration::from_secs(60)));
    let mut seen = Vec::new();
    let start = at("2026-11-24T00:00:00Z");
    for minute in 0..500 {
        let last = start + Duration::from_secs(60 * minute);
        let due = late.next(last, Some(last)).unwrap();
        assert_eq!(late.next(last + HOUR, Some(last)), Some(due), "as long as nothing was done");
        let delay = due.duration_since(last + HOUR).as_secs();
        assert!((0..=600).contains(&delay), "{delay}");
        seen.push(delay);
    }
    assert!(seen.iter().any(|delay| *delay < 60) && seen.iter().any(|delay| *delay > 540), "they are spread");
    let other = Schedule { seed: 8, ..late.clone() };
    assert_ne!(other.next(start, None), late.next(start, None));
}

#[test]
fn what_was_missed_is_made_up_for_once() {
    let six = schedule(&settings(Some(6 * HOUR), Some("0 * * * *"), Duration::ZERO));
    let now = at("2026-11-24T10:20:00Z");
    let mut cursor = ScheduleCursor { last: at("2026-11-20T10:00:00Z") };
    assert_eq!(cursor.advance(&six, now, Scans::default), ScheduleStep::Scan);
    cursor.last = now;
    let soon = now + Duration::from_secs(1);
    assert_eq!(cursor.advance(&six, soon, Scans::default), ScheduleStep::Wait(LOOK));
    // The scan of a start counts.
    let mut cursor = ScheduleCursor { last: at("2026-11-20T10:00:00Z") };
    let begun = || Scans { last: Some(at("2026-11-24T10:19:00Z")), open: false };
    assert_eq!(cursor.advance(&six, now, begun), ScheduleStep::Wait(LOOK));
}

#[test]
fn a_time_that_comes_while_a_scan_goes_on_is_left_out() {
    let hourly = schedule(&settings(Some(HOUR), None, Duration::ZERO));
    let start = at("2026-11-24T10:00:00Z");
    let mut cursor = ScheduleCursor { last: start };
    let going_on = || Scans { last: Some(start), open: true };
    assert_eq!(cursor.advance(&hourly, start + HOUR, going_on), ScheduleStep::Skip);
    let soon = start + HOUR + SOON;
    assert_eq!(
        cursor.advance(&hourly, soon, || unreachable!()),
        ScheduleStep::Wait(LOOK),
        "it is left out once"
    );
    let ended = || Scans { last: Some(start), open: false };
    assert_eq!(cursor.advance(&hourly, start + 2 * HOUR, ended), ScheduleStep::Scan, "the next one is not");
}

#[test]
fn a_clock_that_is_set_brings_neither_a_row_of_scans_nor_none() {
    let hourly = schedule(&settings(Some(HOUR), None, Duration::ZERO));
    let start = at("2026-11-24T10:00:00Z");
    let mut cursor = ScheduleCursor { last: start };
    let back = at("2026-11-23T10:00:00Z");
    let ahead = || Scans { last: Some(start), open: false };
    assert_eq!(cursor.advance(&hourly, back, ahead), ScheduleStep::Wait(LOOK));
    let minute = Duration::from_secs(60);
    assert_eq!(cursor.advance(&hourly, back + 59 * minute, ahead), ScheduleStep::Wait(LOOK));
    assert_eq!(
        cursor.advance(&hourly, back + HOUR, ahead),
        ScheduleStep::Scan,
        "an hour by the new time, not a day"
    );
    cursor.last = back + HOUR;
    let years_on = at("2036-11-24T10:00:00Z");
    assert_eq!(cursor.advance(&hourly, years_on, Scans::default), ScheduleStep::Scan);
    cursor.last = years_on;
    assert_eq!(cursor.advance(&hourly, years_on + minute, Scans::default), ScheduleStep::Wait(LOOK));
}

#[test]
fn the_wait_ends_when_a_scan_is_due() {
    let hourly = schedule(&settings(Some(HOUR), None, Duration::ZERO));
    let start = at("2026-11-24T10:00:00Z");
    let near = start + HOUR - Duration::from_secs(5);
    assert_eq!(
        ScheduleCursor { last: start }.advance(&hourly, near, Scans::default),
        ScheduleStep::Wait(Duration::from_secs(5))
    );
}

#[test]
fn only_jobs_that_scan_all_that_is_served_count() {
    let job = |kind, hour: i64, end, roots: &[u32]| Job {
        id: 1,
        kind,
        priority: 0,
        scope: None,
        queued: Stored(0),
        started: Stored(hour * 3_600_000_000_000),
        ended: None,
        end,
        roots: roots.to_vec(),
        config: String::new(),
        start: Cursor::default(),
        discovered: 0,
        counts: JobCounts::default(),
    };
    let mut jobs = vec![
        job(JobKind::Run, 1, JobEnd::Completed, &[1, 2]),
        job(JobKind::Added, 2, JobEnd::Completed, &[2]),
        Job { scope: Some("a".to_owned()), ..job(JobKind::Rescan, 3, JobEnd::Running, &[1]) },
        job(JobKind::Watch, 4, JobEnd::Running, &[1, 2]),
    ];
    assert_eq!(Scans::of(&jobs), Scans { last: Some(at("1970-01-01T01:00:00Z")), open: false });
    jobs.push(Job { queued: Stored(5), ..job(JobKind::Scheduled, 0, JobEnd::Queued, &[1, 2]) });
    assert!(Scans::of(&jobs).open, "one waits for its turn");
}

#[test]
fn an_expression_has_five_fields() {
    for sound in ["30 2 * * *", "*/15 8-18 * * MON-FRI", "0 0 1 1,7 *", "@daily"] {
        assert!(read_cron(sound).is_ok(), "{sound}");
    }
    for wrong in ["", "* * * *", "0 30 2 * * *", "61 * * * *", "every day", "* 25 * * *"] {
        assert!(read_cron(wrong).is_err(), "{wrong}");
    }
}
