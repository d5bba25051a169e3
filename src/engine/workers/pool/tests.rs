use std::collections::HashSet;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::*;
use crate::engine::workers::task::{Lane, SharedBatch};
use crate::model::{BatchPriority, DiscoveredFile, FileBatch, FileKey, Fingerprint, RootId};

fn batch(id: u64, files: usize) -> FileBatch {
    let file = |n: usize| DiscoveredFile {
        key: FileKey::from_relative_path(RootId(1), format!("{id}/{n}").as_bytes()).unwrap(),
        fingerprint: Fingerprint::default(),
        attempts: 0,
        recorded: None,
    };
    FileBatch::unplanned(id, (0..files).map(file))
}

const LONG: Duration = Duration::from_secs(20);

fn joined(pool: &Pool) -> bool {
    pool.close();
    pool.join(Some(Instant::now() + LONG))
}

/// Takes all files of a task one by one, shares the rest, and reports each.
fn tell_each(send: &mut Sender<FileKey>, mut task: Task, hand: &WorkerHandle<'_>) -> ControlFlow<()> {
    loop {
        hand.share(&mut task);
        let Some(place) = task.next_place() else { return ControlFlow::Continue(()) };
        send.send(task.shared().batch.files[place].key.clone()).unwrap();
    }
}

#[test]
fn each_file_is_worked_on_once_by_any_number_of_workers() {
    for workers in [1, 2, 5] {
        let (send, receive) = channel();
        let pool = Pool::start(workers, move |_| send.clone(), tell_each, || ()).unwrap();
        for id in 0..200 {
            pool.push(Task::new(batch(id, 17)));
            if id % 50 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(joined(&pool));
        let seen: Vec<FileKey> = receive.try_iter().collect();
        assert_eq!(seen.len(), 200 * 17);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
    }
}

fn urgent(id: u64, files: usize) -> Task {
    Task::of(Arc::new(SharedBatch::new(batch(id, files), Lane::Urgent)))
}

#[test]
fn urgent_work_overtakes_a_task_between_two_files_and_the_rest_is_done_after_it() {
    let (report, seen) = channel();
    let (at_third, third) = channel();
    let (go_on, gate) = channel();
    let gate = Mutex::new(gate);
    let work = move |send: &mut Sender<u64>, mut task: Task, hand: &WorkerHandle<'_>| {
        loop {
            hand.yield_to_urgent(&mut task);
            let Some(place) = task.next_place() else { return ControlFlow::Continue(()) };
            if (task.batch_id(), place) == (1, 2) {
                at_third.send(()).unwrap();
                gate.lock().unwrap().recv().unwrap();
            }
            send.send(task.batch_id()).unwrap();
        }
    };
    let pool = Pool::start(1, move |_| report.clone(), work, || ()).unwrap();
    pool.push(Task::new(batch(1, 6)));
    third.recv_timeout(LONG).unwrap();
    pool.push(Task::new(batch(2, 1)));
    pool.push(urgent(7, 2));
    pool.push(urgent(8, 1));
    go_on.send(()).unwrap();
    assert!(joined(&pool));
    let order: Vec<u64> = seen.try_iter().collect();
    assert_eq!(order, [1, 1, 1, 7, 7, 8, 1, 1, 1, 2]);
}

#[test]
fn an_idle_worker_begins_urgent_work_at_once() {
    let (send, receive) = channel();
    let pool = Pool::start(3, move |_| send.clone(), tell_each, || ()).unwrap();
    while pool.idle() < 3 {
        std::thread::yield_now();
    }
    pool.push(urgent(1, 1));
    receive.recv_timeout(LONG).unwrap();
    assert!(joined(&pool));
}

#[test]
fn a_file_that_was_taken_out_is_not_begun() {
    let (send, receive) = channel();
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let work = {
        let gate = Arc::clone(&gate);
        move |send: &mut Sender<FileKey>, task: Task, hand: &WorkerHandle<'_>| {
            drop(gate.lock());
            tell_each(send, task, hand)
        }
    };
    let pool = Pool::start(2, move |_| send.clone(), work, || ()).unwrap();
    let shared = Arc::new(SharedBatch::new(batch(1, 5), Lane::Bulk));
    pool.push(Task::of(Arc::clone(&shared)));
    assert!(shared.take(1) && shared.take(4));
    assert!(!shared.take(4), "it is taken once");
    drop(held);
    assert!(joined(&pool));
    assert!((0..5).all(|place| !shared.take(place)));
    let mut names: Vec<Vec<u8>> = receive.try_iter().map(|key| key.name().to_vec()).collect();
    names.sort();
    assert_eq!(names, [b"0", b"2", b"3"]);
}

#[test]
fn one_long_batch_keeps_all_workers_busy() {
    let started = Instant::now();
    let (send, receive) = channel();
    let work = |(worker, send): &mut (usize, Sender<usize>), mut task: Task, hand: &WorkerHandle<'_>| {
        loop {
            hand.share(&mut task);
            if task.next_place().is_none() {
                return ControlFlow::Continue(());
            }
            std::thread::sleep(Duration::from_millis(2));
            send.send(*worker).unwrap();
        }
    };
    let pool = Pool::start(4, move |worker| (worker, send.clone()), work, || ()).unwrap();
    pool.push(Task::new(batch(1, 200)));
    // Workers wait for what others split off as long as the pool is open.
    let threads: HashSet<usize> = receive.iter().take(200).collect();
    assert!(joined(&pool));
    assert_eq!(threads.len(), 4);
    assert!(started.elapsed() < Duration::from_millis(350), "{:?}", started.elapsed());
}

#[test]
fn workers_that_are_allowed_later_take_part_and_rest_when_they_are_one_too_many() {
    let (send, receive) = channel();
    let work = |(worker, send): &mut (usize, Sender<usize>), mut task: Task, hand: &WorkerHandle<'_>| {
        loop {
            hand.yield_to_urgent(&mut task);
            hand.share(&mut task);
            if task.next_place().is_none() {
                return ControlFlow::Continue(());
            }
            std::thread::sleep(Duration::from_millis(1));
            send.send(*worker).unwrap();
        }
    };
    let pool = Pool::start(1, move |worker| (worker, send.clone()), work, || ()).unwrap();
    (0..20).for_each(|id| pool.push(Task::new(batch(id, 50))));
    pool.allow(4).unwrap();
    let mut seen = HashSet::new();
    let mut done = 0;
    while seen.len() < 4 {
        seen.insert(receive.recv_timeout(LONG).unwrap());
        done += 1;
    }
    pool.allow(1).unwrap();
    // Each of the three may have been processing one file, and have reported some before.
    let mut alone = 0;
    while alone < 100 {
        alone = if receive.recv_timeout(LONG).unwrap() == 0 { alone + 1 } else { 0 };
        done += 1;
        assert!(done < 900, "they go on");
    }
    assert_eq!(pool.idle(), 0, "a resting worker is not idle");
    pool.allow(3).unwrap();
    while receive.recv_timeout(LONG).unwrap() == 0 {
        done += 1;
    }
    pool.allow(1).unwrap();
    assert!(joined(&pool));
    assert_eq!(
        done + 1 + receive.try_iter().count(),
        20 * 50,
        "nothing stays in the deque of one that rests"
    );
}

#[test]
fn workers_that_wait_for_work_when_they_are_one_too_many_take_nobodys_wake_up() {
    let (send, receive) = channel();
    let pool = Pool::start(1, move |_| send.clone(), tell_each, || ()).unwrap();
    let idle = |wanted: usize| {
        let begun = Instant::now();
        while pool.idle() != wanted {
            assert!(begun.elapsed() < LONG, "{} are idle, not {wanted}", pool.idle());
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    for round in 0..20 {
        pool.allow(8).unwrap();
        idle(8);
        pool.allow(1).unwrap();
        pool.push(Task::new(batch(round, 1)));
        receive.recv_timeout(LONG).unwrap();
        idle(1);
    }
    assert!(joined(&pool));
}

/// Creates a pool of one worker that waits at each task until the gate is open; the worker has begun one.
fn gated(gate: &Arc<Mutex<()>>) -> Arc<Pool> {
    let gate = Arc::clone(gate);
    let (send, begun) = channel();
    let make = move |_| send.clone();
    let work = move |send: &mut Sender<()>, _: Task, _: &WorkerHandle<'_>| {
        let _ = send.send(());
        drop(gate.lock());
        ControlFlow::Continue(())
    };
    let pool = Pool::start(1, make, work, || ()).unwrap();
    pool.push(Task::new(batch(0, 1)));
    begun.recv().unwrap();
    pool
}

#[test]
fn what_no_worker_began_can_be_taken_back() {
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let pool = gated(&gate);
    (1..10).for_each(|id| pool.push(Task::new(batch(id, 1))));
    assert_eq!(std::iter::from_fn(|| pool.take_back()).count(), 9);
    assert!(!pool.join(Some(Instant::now() + Duration::from_millis(20))), "it is still at work");
    drop(held);
    assert!(joined(&pool));
}

#[test]
fn a_pool_without_workers_gives_tasks_back() {
    let work = |(): &mut (), _: Task, _: &WorkerHandle<'_>| ControlFlow::Continue(());
    let pool = Pool::start(0, |_| (), work, || ()).unwrap();
    pool.push(Task::new(batch(1, 3)));
    let mut task = pool.take_back().unwrap();
    pool.with_hand(|hand| hand.share(&mut task));
    assert_eq!((task.batch_id(), task.len(), pool.take_back().is_none()), (1, 3, true));
    assert!(joined(&pool));
}

#[test]
fn a_panic_is_told_and_does_not_hang_the_pool() {
    let reported = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reported);
    let work = |_: &mut (), _: Task, _: &WorkerHandle<'_>| panic!("of the test");
    let panicked = move || {
        counter.fetch_add(1, Ordering::SeqCst);
    };
    let pool = Pool::start(2, |_| (), work, panicked).unwrap();
    pool.push(Task::new(batch(1, 1)));
    assert!(joined(&pool));
    assert_eq!(reported.load(Ordering::SeqCst), 1);
}

#[test]
fn what_an_abandoned_worker_had_set_aside_goes_to_others() {
    let (send, receive) = channel();
    let (open, gate) = std::sync::mpsc::sync_channel::<()>(0);
    let (begun_send, begun) = channel();
    let gate = Mutex::new(Some(gate));
    let work = move |send: &mut Sender<FileKey>, mut task: Task, hand: &WorkerHandle<'_>| {
        let taken = gate.lock().unwrap().take();
        let Some(gate) = taken else { return tell_each(send, task, hand) };
        // The first: it sets half aside for an idle one, and hangs.
        hand.deque.push(task.split().unwrap());
        begun_send.send(()).unwrap();
        let _ = gate.recv();
        ControlFlow::Break(())
    };
    let pool = Pool::start(1, move |_| send.clone(), work, || ()).unwrap();
    pool.push(Task::new(batch(1, 10)));
    begun.recv().unwrap();
    pool.replace(0).unwrap();
    let seen: HashSet<FileKey> = (0..5).map(|_| receive.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(seen.len(), 5);
    assert!(joined(&pool), "the one that hangs is not waited for");
    drop(open);
}

#[test]
fn each_priority_has_its_share_and_the_highest_comes_first() {
    let pool =
        Pool::start(0, |_| (), |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(()), || ()).unwrap();
    let push = |priority, tasks: u64| {
        (0..tasks).for_each(|id| pool.push(Task::new(FileBatch { priority, ..batch(id, 1) })));
    };
    let take = |tasks: usize| {
        let mut taken = [0; 3];
        for _ in 0..tasks {
            taken[pool.take_back().unwrap().shared().batch.priority as usize] += 1;
        }
        taken
    };
    BatchPriority::ALL.into_iter().for_each(|priority| push(priority, 64));
    assert_eq!(take(7), [0, 0, 7]);
    assert_eq!(take(57), [1, 7, 49]);
    assert_eq!(take(128), [63, 57, 8]);
    // There is nothing of the usual priority: the lowest is the next lower one.
    push(BatchPriority::High, 64);
    push(BatchPriority::Low, 64);
    assert_eq!(take(64), [8, 0, 56]);
}
