use proptest::prelude::*;

use super::*;

const EPSILON: f64 = 1e-6;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Returns the end of an open breaker's pause.
#[track_caller]
fn until(breakers: &mut Breakers, resource: Resource, now: Instant) -> Instant {
    match breakers.verdict(resource, now) {
        BreakerVerdict::Open { until } => until,
        other => panic!("{resource} is not open: {other:?}"),
    }
}

/// Advances to the end of the pause and answers a probe; returns the time.
fn probe(breakers: &mut Breakers, resource: Resource, now: Instant, ok: bool) -> Instant {
    let then = until(breakers, resource, now);
    assert_eq!(breakers.verdict(resource, then), BreakerVerdict::Probe);
    breakers.probed(resource, ok, then);
    then
}

/// Whether these outcomes, a millisecond apart, open the breaker.
fn opens(resource: Resource, outcomes: &[(u32, u32)]) -> bool {
    let mut breakers = Breakers::with_seed(0);
    let start = Instant::now();
    for (at, (failed, fine)) in (0..).zip(outcomes) {
        breakers.note(resource, *failed, *fine, start + ms(at));
    }
    !breakers.is_closed(resource)
}

#[test]
fn each_resource_has_its_own_measure() {
    use Resource::{Descriptors, Disk, Files, Memory, Processor};
    assert!(!opens(Files, &[(1, 0); 4]) && opens(Files, &[(1, 0); 5]) && opens(Files, &[(5, 0)]));
    assert!(!opens(Files, &[(4, 0), (0, 1), (4, 0), (0, 1)]), "each row has a good one in it");
    assert!(!opens(Files, &[(9, 11)]) && opens(Files, &[(10, 10)]), "half of twenty");
    assert!(opens(Disk, &[(1, 1000)]));
    for resource in [Memory, Descriptors] {
        assert!(!opens(resource, &[(2, 0)]) && opens(resource, &[(1, 1000), (1, 1000), (1, 1000)]));
    }
    assert!(!opens(Processor, &[(99, 0)]) && opens(Processor, &[(100, 0)]) && opens(Processor, &[(80, 20)]));
    assert!(!opens(Processor, &[(79, 21)]), "files of their own may be at fault");
}

#[test]
fn what_is_long_past_does_not_count() {
    let mut breakers = Breakers::with_seed(0);
    let start = Instant::now();
    for second in [0, 2, 4, 6] {
        breakers.note(Resource::Descriptors, 1, 0, start + ms(second * 1000));
        breakers.note(Resource::Files, 4, 4, start + ms(second * 20_000));
    }
    assert!(breakers.all_closed());
    // A million good ones a moment ago don't hide that nearly all fail now.
    for _ in 0..1000 {
        breakers.note(Resource::Processor, 0, 1000, start);
    }
    (0..12).for_each(|_| breakers.note(Resource::Processor, 20, 0, start));
    assert!(!breakers.is_closed(Resource::Processor));
}

#[test]
fn a_file_system_that_comes_back_is_found_within_ten_seconds() {
    let mut breakers = Breakers::with_seed(3);
    let start = Instant::now();
    breakers.note(Resource::Files, 64, 0, start);
    let mut now = start;
    let mut pauses = Vec::new();
    while now < start + Duration::from_secs(60) {
        let then = probe(&mut breakers, Resource::Files, now, false);
        pauses.push(then - now);
        now = then;
    }
    assert!(pauses[0] >= PAUSE_MIN / 2 && pauses[0] <= PAUSE_MIN, "{pauses:?}");
    assert!(pauses.last().is_some_and(|&last| last >= PAUSE_MAX / 2 && last <= PAUSE_MAX), "{pauses:?}");
    assert!(pauses.len() > 8, "{pauses:?}");
    let (resource, since, why) = breakers.open_since().unwrap();
    assert_eq!((resource, since, why), (Resource::Files, start, "64 attempts in a row failed"));
    let back = probe(&mut breakers, Resource::Files, now, true);
    assert!(breakers.all_closed() && breakers.open_since().is_none());
    let report = &breakers.report(back)[0];
    assert_eq!((report.opened, report.state), (1, BreakerState::Closed));
    assert!((report.open_seconds - (back - start).as_secs_f64()).abs() < EPSILON, "{report:?}");
    // The next outage begins with the short pause again, once files have been read.
    breakers.note(Resource::Files, 0, 1, back);
    breakers.note(Resource::Files, 5, 0, back);
    assert!(until(&mut breakers, Resource::Files, back) - back <= PAUSE_MIN);
}

#[test]
fn a_processor_has_to_show_eight_good_files() {
    let mut breakers = Breakers::with_seed(0);
    let start = Instant::now();
    breakers.note(Resource::Processor, 200, 0, start);
    let then = until(&mut breakers, Resource::Processor, start);
    breakers.verdict(Resource::Processor, then);
    breakers.note(Resource::Processor, 0, 7, then);
    assert!(!breakers.is_closed(Resource::Processor));
    breakers.note(Resource::Processor, 1, 1, then);
    let again = until(&mut breakers, Resource::Processor, then);
    breakers.verdict(Resource::Processor, again);
    (0..8).for_each(|_| breakers.probed(Resource::Processor, true, again));
    assert!(breakers.is_closed(Resource::Processor));
}

#[test]
fn outcomes_from_before_neither_close_nor_prolong() {
    let mut breakers = Breakers::with_seed(0);
    let start = Instant::now();
    breakers.trip(Resource::Disk, "no room".to_owned(), start);
    let end = until(&mut breakers, Resource::Disk, start);
    breakers.trip(Resource::Disk, "no room, said again".to_owned(), start + ms(1));
    breakers.note(Resource::Disk, 3, 900, start + ms(2));
    breakers.probed(Resource::Disk, true, start + ms(3));
    assert_eq!(until(&mut breakers, Resource::Disk, start + ms(4)), end);
    let why = "no room, said again";
    assert_eq!(breakers.open_since(), Some((Resource::Disk, start, why)), "what is known by now");
}

#[test]
fn files_that_fail_while_the_file_system_answers_are_at_fault_themselves() {
    let mut breakers = Breakers::with_seed(0);
    let mut now = Instant::now();
    for _ in 0..RELAPSES_MAX {
        breakers.note(Resource::Files, 6, 0, now);
        now = probe(&mut breakers, Resource::Files, now, true);
    }
    breakers.note(Resource::Files, 60, 0, now);
    assert!(breakers.is_closed(Resource::Files), "the run would never end");
    breakers.note(Resource::Files, 0, 1, now);
    assert!(breakers.is_closed(Resource::Files), "a good file is no reason to open");
    breakers.trip(Resource::Files, "the root is gone".to_owned(), now);
    assert!(!breakers.is_closed(Resource::Files), "what is said directly counts at any time");
    now = probe(&mut breakers, Resource::Files, now, true);
    breakers.note(Resource::Files, 0, 1, now);
    assert!(breakers.is_closed(Resource::Files));
    breakers.note(Resource::Files, 20, 0, now);
    assert!(!breakers.is_closed(Resource::Files), "a good file in between makes it a new matter");
}

#[test]
fn pauses_are_spread_and_the_same_for_the_same_seed() {
    let first = |seed| {
        let mut breakers = Breakers::with_seed(seed);
        let start = Instant::now();
        breakers.trip(Resource::Files, String::new(), start);
        until(&mut breakers, Resource::Files, start) - start
    };
    let pauses: std::collections::BTreeSet<_> = (0..100).map(first).collect();
    assert!(pauses.len() > 50, "{pauses:?}");
    assert_eq!(first(7), first(7));
    assert_ne!(Breakers::new().seed, Breakers::new().seed, "each run has its own");
}

#[test]
fn statistics_name_resource_and_state() {
    let mut breakers = Breakers::with_seed(0);
    let start = Instant::now();
    breakers.trip(Resource::Memory, "too much is in use".to_owned(), start);
    let json = serde_json::to_value(breakers.report(start + ms(100))).unwrap();
    let expected = serde_json::json!({
        "resource": "memory", "state": "open", "why": "too much is in use", "opened": 1,
        "open_seconds": 0.1, "state_seconds": 0.1,
    });
    assert_eq!(json[2], expected);
    assert_eq!(json[0]["state"], "closed");
    assert_eq!(json.as_array().unwrap().len(), Resource::ALL.len());
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Note(u32, u32),
    Trip,
    Probed(bool),
    Ask,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let step = prop_oneof![
        (0u64..12_000).prop_map(Step::Wait),
        (0u32..30, 0u32..30).prop_map(|(failed, fine)| Step::Note(failed, fine)),
        (1u32..200).prop_map(|failed| Step::Note(failed, 0)),
        Just(Step::Trip),
        any::<bool>().prop_map(Step::Probed),
        Just(Step::Ask),
    ];
    (0..Resource::ALL.len(), step)
}

/// Checks what must hold before and after any step.
fn check_step(before: State, step: &Step, after: &Breaker, now: Instant) {
    let answered = matches!(step, Step::Probed(true) | Step::Note(0, 1..));
    match (before, after.state) {
        (State::Closed, State::Open { until }) => assert!(until - now <= PAUSE_MAX && until > now),
        (State::Open { until }, State::HalfOpen { .. }) => assert!(until <= now && matches!(step, Step::Ask)),
        (State::HalfOpen { .. }, State::Closed) => assert!(answered, "{step:?}"),
        (State::HalfOpen { .. }, State::Open { until }) => {
            assert!(until - now <= PAUSE_MAX && until - now >= PAUSE_MIN / 2);
        }
        (State::HalfOpen { good: before }, State::HalfOpen { good }) => {
            assert!(good == before || (answered && good < good_needed(after.resource)), "{step:?}");
        }
        (before, after) => assert_eq!(before, after, "{step:?}"),
    }
    assert_eq!(after.open.is_none(), after.state == State::Closed);
}

proptest! {
    #[test]
    fn a_breaker_closes_only_by_a_good_answer_behind_its_pause(
        seed: u64,
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let start = Instant::now();
        let mut waited = 0;
        let mut breakers = Breakers::with_seed(seed);
        let mut open_ms = [0; Resource::ALL.len()];
        for (at, step) in steps {
            let resource = Resource::ALL[at];
            let before = breakers.all[at].state;
            let now = start + ms(waited);
            match step {
                Step::Wait(by) => {
                    for (at, open) in open_ms.iter_mut().enumerate() {
                        *open += if breakers.is_closed(Resource::ALL[at]) { 0 } else { by };
                    }
                    waited += by;
                }
                Step::Note(failed, fine) => breakers.note(resource, failed, fine, now),
                Step::Trip => breakers.trip(resource, "said so".to_owned(), now),
                Step::Probed(ok) => breakers.probed(resource, ok, now),
                Step::Ask => { breakers.verdict(resource, now); }
            }
            check_step(before, &step, &breakers.all[at], now);
        }
        let now = start + ms(waited);
        for (status, open_ms) in breakers.report(now).iter().zip(open_ms) {
            prop_assert!((status.open_seconds - open_ms as f64 / 1000.0).abs() < EPSILON, "{:?}", status);
            prop_assert!(status.state_seconds <= now.duration_since(start).as_secs_f64() + EPSILON);
            let is_closed = breakers.is_closed(status.resource);
            prop_assert_eq!(status.state == BreakerState::Closed, is_closed);
            prop_assert!(is_closed || status.opened > 0);
            prop_assert_eq!(status.why.is_none(), is_closed);
        }
        let open = breakers.all.iter().filter_map(|one| one.open.as_ref()).map(|(_, since)| *since).min();
        prop_assert_eq!(breakers.open_since().map(|(_, since, _)| since), open);
    }
}
