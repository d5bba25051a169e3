//! What is recorded of the watches, with a watcher that does what a test says.

use std::sync::atomic::AtomicBool;

use notify::event::{AccessKind, AccessMode, EventKind, Flag, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventHandler, RecursiveMode, WatcherKind};

use super::*;

/// What a test observes of its watchers, and makes them report.
#[derive(Default)]
struct Stage {
    watched: Mutex<BTreeSet<String>>,
    unwatched: Mutex<Vec<String>>,
    handler: Mutex<Option<Handler>>,
    made: AtomicU64,
    calls: AtomicU64,
    limit: AtomicU64,
    is_broken: AtomicBool,
}

impl Stage {
    fn new() -> Arc<Self> {
        let stage = Self::default();
        stage.limit.store(u64::MAX, Ordering::Relaxed);
        Arc::new(stage)
    }

    fn watch(self: &Arc<Self>) -> Watch {
        let stage = Arc::clone(self);
        let make = move |handler| {
            if stage.is_broken.load(Ordering::Relaxed) {
                return Err(notify::Error::generic("too many open files"));
            }
            stage.made.fetch_add(1, Ordering::Relaxed);
            lock(&stage.watched).clear();
            *lock(&stage.handler) = Some(handler);
            Ok(Box::new(Fake(Arc::clone(&stage))) as Watcher)
        };
        Watch::with(WatchSettings::default(), Box::new(make))
    }

    fn event(&self, kind: EventKind, path: &Path) {
        // A tracker marks a rename that a parent folder saw.
        let event = Event::new(kind).add_path(path.to_owned()).set_tracker(1);
        lock(&self.handler).as_mut().unwrap().handle_event(Ok(event));
    }

    fn overflow(&self) {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        lock(&self.handler).as_mut().unwrap().handle_event(Ok(event));
    }

    fn watched(&self) -> Vec<String> {
        lock(&self.watched).iter().cloned().collect()
    }
}

struct Fake(Arc<Stage>);

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl notify::Watcher for Fake {
    fn new<F: EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
        unreachable!()
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        assert_eq!(mode, RecursiveMode::NonRecursive);
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        assert!(!self.0.is_broken.load(Ordering::Relaxed), "its thread has ended");
        let mut watched = lock(&self.0.watched);
        if watched.len() as u64 >= self.0.limit.load(Ordering::Relaxed) {
            return Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
        }
        watched.insert(name(path));
        Ok(())
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        lock(&self.0.unwatched).push(name(path));
        if lock(&self.0.watched).remove(&name(path)) { Ok(()) } else { Err(notify::Error::watch_not_found()) }
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

const FROM: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::From));
const TO: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));

fn reported(news: &WatchEvents) -> Reported {
    let mut reported = Reported::default();
    reported.add(news);
    reported
}

#[test]
fn above_the_limit_folders_are_polled_until_there_is_room() {
    let tree = Tree::with(&["a/b/f", "a/c/f", "d/f"]);
    let stage = Stage::new();
    stage.limit.store(2, Ordering::Relaxed);
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    let unwatched_now = unwatched(&mirror.watch);
    assert_eq!((armed(&mirror.watch), unwatched_now.is_empty()), (2, false));
    let reasons: Vec<_> = mirror.watch.status().unwatched.into_iter().collect();
    assert_eq!(reasons, [("no inotify watches left; raise fs.inotify.max_user_watches".to_owned(), 3)]);
    // None of them is below another one.
    let below = |one: &String, other: &String| one != other && one.starts_with(&format!("{other}/"));
    assert!(unwatched_now.iter().all(|one| !unwatched_now.iter().any(|other| below(one, other))));
    stage.limit.store(u64::MAX, Ordering::Relaxed);
    mirror.poll();
    assert_eq!((armed(&mirror.watch), unwatched(&mirror.watch)), (5, vec![]));
    assert_eq!(mirror.watch.status().unwatched, BTreeMap::new());
}

#[test]
fn an_unwatched_folder_that_is_gone_is_polled_once_more_and_left() {
    let tree = Tree::with(&["a/f"]);
    let stage = Stage::new();
    stage.limit.store(1, Ordering::Relaxed);
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    assert_eq!(unwatched(&mirror.watch), ["a"]);
    std::fs::remove_dir_all(tree.at("a")).unwrap();
    mirror.scan_again(b"a");
    assert_eq!((unwatched(&mirror.watch), mirror.files.len()), (vec![], 0));
}

#[test]
fn watches_of_a_renamed_folder_are_removed_before_it_is_told_under_its_new_path() {
    let tree = Tree::with(&["b/x/f"]);
    let stage = Stage::new();
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    // A walk was at the new path before the events of the rename were read.
    let top = FolderKey::root(RootId(1));
    let old = [top.child(b"a"), top.child(b"a").child(b"y")];
    for folder in &old {
        mirror.watch.set(RootId(1), folder, Standing::Armed);
    }
    stage.event(FROM, &mirror.root.path.join("a"));
    stage.event(TO, &mirror.root.path.join("b"));
    let news = mirror.watch.take(Duration::ZERO, 10);
    assert_eq!(reported(&news).folders, ["a", "b"]);
    assert_eq!(*lock(&stage.unwatched), ["a", "y", "b", "x"]);
    assert_eq!(armed(&mirror.watch), 1, "the root");
    mirror.apply(&news);
    let root = name(&mirror.root.path);
    assert_eq!(stage.watched().into_iter().filter(|one| *one != root).collect::<Vec<_>>(), ["b", "x"]);
}

#[test]
fn after_lost_events_there_is_another_watcher_and_every_root_is_news() {
    let tree = Tree::with(&["a/f"]);
    let stage = Stage::new();
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    stage.overflow();
    let news = mirror.watch.take(Duration::ZERO, 10);
    assert_eq!((reported(&news).folders, stage.watched()), (vec![String::new()], vec![]));
    assert_eq!(unwatched(&mirror.watch), [""], "until it is scanned");
    let reasons: Vec<_> = mirror.watch.status().unwatched.into_keys().collect();
    assert_eq!(reasons, ["events were lost, and a scan will watch it again"], "no limit is to be raised");
    mirror.apply(&news);
    assert_eq!((stage.watched().len(), unwatched(&mirror.watch)), (2, vec![]));
    let status = mirror.watch.status();
    assert_eq!((status.overflows, stage.made.load(Ordering::Relaxed)), (1, 2));
    stage.event(EventKind::Remove(RemoveKind::File), &mirror.root.path.join("a/f"));
    assert_eq!(reported(&mirror.watch.take(Duration::ZERO, 10)).names, ["a/f"]);
}

#[test]
fn what_an_old_watcher_still_says_is_no_news() {
    let tree = Tree::with(&["a/f"]);
    let stage = Stage::new();
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    let mut old = Handler { shared: Arc::clone(&mirror.watch.shared), generation: 0 };
    stage.overflow();
    let news = mirror.watch.take(Duration::ZERO, 10);
    mirror.apply(&news);
    let path = mirror.root.path.join("a/f");
    old.handle_event(Ok(Event::new(EventKind::Remove(RemoveKind::File)).add_path(path)));
    old.handle_event(Err(notify::Error::generic("closed")));
    drop(old);
    assert!(mirror.watch.take(Duration::ZERO, 10).is_empty());
    assert_eq!(mirror.watch.status().overflows, 1);
}

#[test]
fn a_watcher_that_died_is_replaced_as_soon_as_one_can_be_made() {
    let tree = Tree::with(&["a/f"]);
    let stage = Stage::new();
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    stage.is_broken.store(true, Ordering::Relaxed);
    // The thread takes the handler with it.
    *lock(&stage.handler) = None;
    assert_eq!(reported(&mirror.watch.take(Duration::ZERO, 10)).folders, [""]);
    mirror.scan_again(b"");
    assert_eq!((unwatched(&mirror.watch), armed(&mirror.watch)), (vec![String::new()], 0));
    let reasons: Vec<_> = mirror.watch.status().unwatched.into_keys().collect();
    assert_eq!(reasons, ["no inotify instance; raise fs.inotify.max_user_instances"]);
    assert!(mirror.watch.take(Duration::from_millis(20), 10).is_empty(), "it is no news again");
    stage.is_broken.store(false, Ordering::Relaxed);
    mirror.watch.shared.lock().renew_at = Some(Instant::now());
    let news = mirror.watch.take(PATIENCE, 10);
    assert_eq!(reported(&news).folders, [""], "all that changed meanwhile");
    mirror.apply(&news);
    assert_eq!((unwatched(&mirror.watch), armed(&mirror.watch)), (vec![], 2));
}

#[test]
fn without_a_watcher_at_the_start_all_is_polled_until_one_can_be_made() {
    let tree = Tree::with(&["a/f"]);
    let stage = Stage::new();
    stage.is_broken.store(true, Ordering::Relaxed);
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    assert_eq!((unwatched(&mirror.watch), armed(&mirror.watch)), (vec![String::new()], 0));
    let status = mirror.watch.status();
    let reasons: Vec<_> = status.unwatched.into_keys().collect();
    assert_eq!(reasons, ["no inotify instance; raise fs.inotify.max_user_instances"]);
    assert!(!status.polling, "nobody asked for it");
    tree.write("a/f", b"changed");
    mirror.poll();
    assert_eq!(mirror.difference(), [""; 0]);
    stage.is_broken.store(false, Ordering::Relaxed);
    let news = mirror.watch.take(PATIENCE, 10);
    assert_eq!(reported(&news).folders, [""], "it is tried again without being asked");
    mirror.apply(&news);
    assert_eq!((unwatched(&mirror.watch), armed(&mirror.watch)), (vec![], 2));
}

#[test]
fn polling_that_was_asked_for_watches_nothing() {
    let tree = Tree::with(&["a/f"]);
    let settings = WatchSettings { poll: true, ..WatchSettings::default() };
    let watch = Watch::with(settings, Box::new(|_| panic!("no watcher is needed")));
    let mut mirror = Mirror::with(&tree, source(&[], &[]), watch);
    assert_eq!(unwatched(&mirror.watch), [""]);
    let status = mirror.watch.status();
    assert!(status.polling && status.armed_folders == 0, "{status:?}");
    assert_eq!(status.unwatched, BTreeMap::from([("polling was asked for".to_owned(), 1)]));
    tree.write("a/f", b"changed");
    assert!(mirror.watch.take(Duration::from_millis(20), 10).is_empty());
    mirror.scan_again(b"");
    assert!(mirror.difference().is_empty());
}

#[test]
fn a_silent_file_system_is_polled_from_its_topmost_folder() {
    let tree = Tree::with(&["a/b/f", "c/f"]);
    let stage = Stage::new();
    let watch = stage.watch();
    let root = Root { path: tree.path().canonicalize().unwrap(), ..tree.root() };
    watch.add_root(&root);
    let device = rustix::fs::stat(&root.path).unwrap().st_dev;
    lock(&watch.silent).insert(device, Some("nfs"));
    let watch = Arc::new(watch);
    scan(&source(&[], &[]).with_watch(Arc::clone(&watch)), &root, 2).unwrap();
    assert_eq!((unwatched(&watch), stage.watched()), (vec![String::new()], vec![]));
    let reasons: Vec<_> = watch.status().unwatched.into_iter().collect();
    assert_eq!(reasons, [("the file system (nfs) has no events".to_owned(), 1)]);
}

#[test]
fn a_taker_is_woken() {
    let watch = Arc::new(Stage::new().watch());
    let taker = Arc::clone(&watch);
    let thread = std::thread::spawn(move || taker.take(PATIENCE, 10));
    watch.wake();
    let began = Instant::now();
    assert!(thread.join().unwrap().is_empty());
    assert!(began.elapsed() < PATIENCE / 2);
}

#[test]
fn a_file_in_the_place_of_a_folder_that_was_being_armed_is_told_by_name() {
    let tree = Tree::with(&["x", "y", "z"]);
    let stage = Stage::new();
    let mut mirror = Mirror::with(&tree, source(&[], &[]), stage.watch());
    let top = FolderKey::root(RootId(1));
    mirror.watch.arm(&mirror.root, &top.child(b"x"));
    assert_eq!(armed(&mirror.watch), 1, "no file stands as an armed folder");
    assert_eq!(unwatched(&mirror.watch), [""; 0]);
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
    for (name, kind) in [("y", closed), ("z", TO)] {
        // As if the event arrived in the middle of the arming.
        mirror.watch.set(RootId(1), &top.child(name.as_bytes()), Standing::Armed);
        stage.event(kind, &mirror.root.path.join(name));
    }
    let news = mirror.watch.take(Duration::ZERO, 10);
    assert_eq!(reported(&news).names, ["y", "z"]);
    mirror.apply(&news);
    assert_eq!((armed(&mirror.watch), mirror.difference()), (1, vec![]));
}

#[test]
fn a_watcher_whose_thread_ends_while_folders_are_armed_is_not_called_again() {
    let tree = Tree::with(&["a/f", "b/f", "c/f"]);
    let stage = Stage::new();
    let watch = stage.watch();
    stage.is_broken.store(true, Ordering::Relaxed);
    let mirror = Mirror::with(&tree, source(&[], &[]), watch);
    assert_eq!(stage.calls.load(Ordering::Relaxed), 1);
    assert_eq!((unwatched(&mirror.watch), mirror.difference()), (vec![String::new()], vec![]));
}
