use std::sync::{Arc, Barrier, mpsc};
use std::time::Instant;

use super::*;
use crate::engine::resources::machine::{GroupUse, Machine, Usage};
use crate::engine::resources::memory_meter::{Meter, Pressure};
use crate::engine::stop::StopOnDrop;

const MIB: u64 = 1 << 20;

#[track_caller]
fn admitted(budget: &Arc<Budget>, size: u64) -> MemoryPermit {
    match budget.acquire(size, &Stop::default()) {
        Admission::Admitted(permit) => permit,
        other => panic!("{size}: {other:?}"),
    }
}

fn is_too_large(budget: &Arc<Budget>, size: u64) -> bool {
    matches!(budget.acquire(size, &Stop::default()), Admission::TooLarge { .. })
}

/// Waits until this many threads are queued.
fn until_waiting(budget: &Budget, count: usize) {
    let end = Instant::now() + Duration::from_secs(20);
    while budget.waiting.load(Ordering::SeqCst) != count {
        assert!(Instant::now() < end, "{budget:?}");
        std::thread::yield_now();
    }
}

#[test]
fn the_default_limit_is_never_more_than_half_of_what_is_there() {
    let limit = |configured, there| limit_of(configured, 1000, there);
    assert_eq!(limit(1000, Some(16 << 30)), 1000 * MIB);
    assert_eq!(limit(1000, Some(512 * MIB)), 256 * MIB);
    assert_eq!(limit(1000, Some(8 * MIB)), LIMIT_MIN);
    assert_eq!(limit(1000, None), 1000 * MIB);
    assert_eq!(limit(4000, Some(512 * MIB)), 4000 * MIB, "what a user gave is taken as it is");
    assert_eq!(limit(u64::MAX, None), u64::MAX);
}

#[test]
fn a_file_fails_only_where_it_could_never_fit() {
    for limit in [16 * MIB, 100 * MIB, 128 * MIB, 1000 * MIB] {
        let budget = Arc::new(Budget::new(limit));
        assert_eq!(budget.total(), if limit < 128 * MIB { limit / 2 } else { limit - 64 * MIB });
        let size = budget.size_max();
        let permit = admitted(&budget, size);
        assert_eq!((permit.size_max(), budget.in_use_bytes()), (size, need(size)));
        drop(permit);
        assert!(is_too_large(&budget, size + 8), "{limit}");
        assert_eq!(budget.in_use_bytes(), 0);
    }
    assert!(is_too_large(&Arc::new(Budget::new(128 * MIB)), u64::MAX));
    let budget = Arc::new(Budget::new(128 * MIB));
    let refused = budget.acquire(300 * MIB, &Stop::default());
    assert!(matches!(refused, Admission::TooLarge { limit_bytes } if limit_bytes == 128 * MIB));
}

#[test]
fn a_small_file_may_grow_a_little_while_it_waits_to_be_read() {
    let budget = Arc::new(Budget::new(128 * MIB));
    assert_eq!(admitted(&budget, 10).size_max(), SMALL_BYTES);
    assert_eq!(admitted(&budget, MIB).size_max(), MIB);
    assert!(need(SMALL_BYTES) - need(0) < FILE_BYTES / 8, "the allowance has room for it");
}

#[test]
fn buffers_kept_by_all_workers_stay_within_the_engines_part() {
    for (limit, workers) in [(1000 * MIB, 2), (1000 * MIB, 64), (128 * MIB, 8), (16 * MIB, 4)] {
        let kept = Budget::new(limit).kept_bytes(workers) * workers;
        assert!(kept as u64 <= own_bytes(limit) / 4, "{limit} {workers}: {kept}");
    }
    assert_eq!(Budget::new(1000 * MIB).kept_bytes(2), 4 << 20);
}

#[test]
fn a_permit_is_good_for_what_is_not_larger_until_a_thread_waits() {
    let budget = Arc::new(Budget::new(128 * MIB));
    let small = admitted(&budget, 10);
    assert!(small.is_good_for(SMALL_BYTES) && !small.is_good_for(SMALL_BYTES + 1));
    drop(small);
    let permit = admitted(&budget, 10 * MIB);
    assert!(permit.is_good_for(10 * MIB) && !permit.is_good_for(10 * MIB + 1));
    let large = budget.size_max();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| drop(admitted(&budget, large)));
        until_waiting(&budget, 1);
        assert!(!permit.is_good_for(1));
        drop(permit);
        waits.join().unwrap();
    });
    assert_eq!(budget.in_use_bytes(), 0);
}

#[test]
fn permits_that_all_workers_keep_leave_half_of_the_budget() {
    let budget = Arc::new(Budget::new(128 * MIB));
    assert!(!admitted(&budget, 20 * MIB).may_be_kept(2));
    let large = Arc::new(Budget::new(4000 * MIB));
    assert!(!admitted(&large, 80 * MIB).may_be_kept(1));
    let kept: Vec<_> = (0..4).map(|_| admitted(&budget, 5 * MIB)).collect();
    assert!(kept.iter().all(|permit| permit.may_be_kept(4)) && !kept[0].may_be_kept(8));
    assert!(budget.in_use_bytes() <= budget.total() / 2);
    drop(kept);
    assert_eq!(budget.in_use_bytes(), 0);
}

#[test]
fn many_threads_never_hold_more_than_the_budget_and_all_come_through() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let held = AtomicU64::new(0);
    let peak = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let budget = &budget;
            let held = &held;
            let peak = &peak;
            let done = &done;
            scope.spawn(move || {
                for round in 0..2_000u64 {
                    let mixed = (thread * 2_000 + round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                    let size = if mixed % 7 == 0 { mixed % (budget.size_max() + 1) } else { mixed % 9_000 };
                    let permit = admitted(budget, size);
                    let now = held.fetch_add(need(size), Ordering::SeqCst) + need(size);
                    peak.fetch_max(now, Ordering::SeqCst);
                    held.fetch_sub(need(size), Ordering::SeqCst);
                    drop(permit);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), 16_000);
    assert_eq!((budget.in_use_bytes(), budget.waiting.load(Ordering::SeqCst)), (0, 0));
    let peak = peak.load(Ordering::SeqCst);
    assert!(peak <= 16 * MIB && peak > 8 * MIB, "{peak}");
}

#[test]
fn a_large_file_is_not_starved_by_small_ones() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let stop = Stop::default();
    let first = admitted(&budget, 10);
    std::thread::scope(|scope| {
        let _end = StopOnDrop(&stop);
        let large =
            scope.spawn(|| matches!(budget.acquire(budget.size_max(), &stop), Admission::Admitted(_)));
        until_waiting(&budget, 1);
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.is_requested() {
                    drop(budget.acquire(10, &stop));
                }
            });
        }
        // All are queued behind the large file, though there would be room for them.
        until_waiting(&budget, 5);
        drop(first);
        assert!(large.join().unwrap());
    });
    assert_eq!(budget.in_use_bytes(), 0);
}

#[test]
fn who_waits_is_served_in_the_order_of_coming() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let first = admitted(&budget, budget.size_max());
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..5 {
            let budget = &budget;
            let send = send.clone();
            scope.spawn(move || {
                let _permit = admitted(budget, budget.size_max());
                send.send(number).unwrap();
            });
            until_waiting(budget, number + 1);
        }
        drop(first);
    });
    drop(send);
    assert_eq!(receive.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn what_is_given_back_goes_to_the_next_at_once() {
    const ROUNDS: u32 = 100;
    let budget = Arc::new(Budget::new(32 * MIB));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..ROUNDS {
            let held = admitted(&budget, budget.size_max());
            let next = scope.spawn(|| drop(admitted(&budget, budget.size_max())));
            until_waiting(&budget, 1);
            drop(held);
            next.join().unwrap();
        }
    });
    assert!(start.elapsed() < LOOK_UP * ROUNDS / 2, "{:?}", start.elapsed());
}

#[test]
fn a_stop_sends_all_home_who_wait() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let stop = Stop::default();
    let held = admitted(&budget, budget.size_max());
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| matches!(budget.acquire(10, &stop), Admission::Stopped))).collect();
        until_waiting(&budget, 8);
        stop.request();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap()));
    });
    drop(held);
    assert_eq!((budget.in_use_bytes(), budget.waiting.load(Ordering::SeqCst)), (0, 0));
}

#[test]
fn beside_a_worker_that_hangs_large_files_are_not_too_large_and_fit_when_it_comes_back() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let is_short = |size| matches!(budget.acquire(size, &Stop::default()), Admission::Short);
    let size = budget.size_max() / 2;
    let hanging = admitted(&budget, size);
    std::thread::scope(|scope| {
        let large = scope.spawn(|| is_short(budget.size_max()));
        until_waiting(&budget, 1);
        assert_eq!(budget.shortage(), None);
        let given_up = budget.give_up(need(size));
        assert!(large.join().unwrap());
        drop(admitted(&budget, size / 2));
        assert!(is_short(budget.size_max()) && budget.shortage().is_some());
        assert!(is_too_large(&budget, budget.size_max() + 8), "that it would be without them, too");
        assert_eq!(budget.given_up(), 1);
        // The thread returns.
        drop((hanging, given_up));
    });
    assert_eq!((budget.given_up(), budget.shortage()), (0, None));
    drop(admitted(&budget, budget.size_max()));
    assert_eq!(budget.in_use_bytes(), 0);
}

#[test]
fn what_a_lower_limit_makes_too_large_is_waited_for_no_longer() {
    let budget = Arc::new(Budget::new(256 * MIB));
    let hanging = (admitted(&budget, 8 * MIB), budget.give_up(need(8 * MIB)));
    assert!(matches!(budget.acquire(budget.size_max(), &Stop::default()), Admission::Short));
    assert!(budget.shortage().is_some());
    budget.set_limit(128 * MIB);
    drop(hanging);
    assert_eq!(budget.shortage(), None);
}

#[test]
fn permits_end_with_a_panic_too() {
    let budget = Arc::new(Budget::new(32 * MIB));
    let inner = Arc::clone(&budget);
    let barrier = Arc::new(Barrier::new(2));
    let met = Arc::clone(&barrier);
    let thread = std::thread::spawn(move || {
        let _permit = admitted(&inner, inner.size_max());
        met.wait();
        std::panic::resume_unwind(Box::new("a processor's bug"));
    });
    barrier.wait();
    drop(admitted(&budget, budget.size_max()));
    assert!(thread.join().is_err());
}

/// Readings one after the other, of a process limited to 1,000 MiB: the result of each.
fn looks<const N: usize>(usages: [Usage; N]) -> [Pressure; N] {
    let mut readings = usages.into_iter();
    let mut meter = Meter::new(1000 * MIB, move || readings.next().unwrap());
    std::array::from_fn(|_| meter.look())
}

fn resident(mib: u64) -> Usage {
    Usage { rss_bytes: mib * MIB, ..Usage::default() }
}

fn grouped(mib: u64, used: u64, limit: u64) -> Usage {
    let group = GroupUse { used_bytes: used * MIB, limit_bytes: limit * MIB };
    Usage { group: Some(group), ..resident(mib) }
}

#[test]
fn over_the_limit_stays_so_until_it_is_clearly_below() {
    let looks = looks([500, 1000, 1001, 950, 901, 900, 1000].map(resident));
    assert_eq!(looks.each_ref().map(|look| look.percent), [50, 100, 100, 95, 90, 90, 100]);
    assert_eq!(looks.each_ref().map(|look| look.over), [false, false, true, true, true, false, false]);
    let why = "this process uses 1001 MiB of memory, the limit is 1000 MiB";
    assert_eq!(looks[2].why.as_deref(), Some(why));
    assert!(looks.iter().all(|look| look.why.is_some() == look.over && look.limit_bytes == 1000 * MIB));
}

#[test]
fn a_full_control_group_counts_where_it_hinders_this_process() {
    let full = looks(
        [(90, 2000), (1700, 2000), (1901, 2000), (1801, 2000), (1800, 2000)]
            .map(|(used, limit)| grouped(90, used, limit)),
    );
    assert_eq!(full.each_ref().map(|look| look.over), [false, false, true, true, false]);
    assert_eq!(full.each_ref().map(|look| look.percent), [9, 9, 95, 90, 9]);
    let large = looks([grouped(90, 62_000, 64_000), grouped(90, 63_900, 64_000)]);
    assert_eq!(large.map(|look| look.over), [false, true], "2 GiB left are enough for a limit of 1,000 MiB");
}

#[test]
fn a_machine_out_of_memory_counts_like_a_group() {
    let machine = |available: u64| Usage {
        total_bytes: Some(2000 * MIB),
        available_bytes: Some(available * MIB),
        ..resident(100)
    };
    let looks = looks([1900, 150, 50].map(machine));
    assert_eq!(looks.map(|look| (look.percent, look.over)), [(10, false), (92, false), (97, true)]);
}

#[test]
fn waiting_for_memory_makes_batches_smaller() {
    let stalled = |mib, share| Usage { some_avg10: Some(share), ..resident(mib) };
    let looks = looks([stalled(100, 10.0), stalled(100, 10.5), stalled(990, 50.0)]);
    assert_eq!(looks.map(|look| (look.percent, look.over)), [(10, false), (85, false), (99, false)]);
}

#[test]
fn the_machine_itself_can_be_read() {
    let pressure = Meter::of_machine(u64::MAX, Machine::new(), || 0).look();
    assert!(pressure.rss_bytes > 0 && !pressure.over, "{pressure:?}");
    assert!(effective_limit(&BatchConfig::default(), Machine::new().bounds().memory) >= LIMIT_MIN);
}
