use proptest::prelude::*;

use super::*;
use crate::model::FileKey;
use crate::source::watch::pending::Touch;

const SETTLE: Duration = Duration::from_millis(500);

/// Pending changes with their own clock, in milliseconds.
struct Bench {
    pending: Pending,
    start: Instant,
}

impl Bench {
    fn new(names_max: usize, folders_max: usize) -> Self {
        Self { pending: Pending::new(SETTLE, names_max, folders_max), start: Instant::now() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn touch(&mut self, path: &str, touch: Touch, millis: u64) {
        self.pending.name(key(path), touch, false, self.at(millis));
    }

    fn folder(&mut self, path: &str) {
        self.pending.folder(RootId(1), folder(path));
    }

    /// Returns the paths that are due, folders with a trailing `/`.
    fn take(&mut self, millis: u64) -> Vec<String> {
        self.take_up_to(millis, usize::MAX)
    }

    fn take_up_to(&mut self, millis: u64, max: usize) -> Vec<String> {
        let (folders, names) = self.pending.take(self.at(millis), max);
        let folders = folders.into_iter().map(|(_, folder)| [folder.relative_path(), b"/".to_vec()].concat());
        let paths = folders.chain(names.into_iter().map(|due| due.key.relative_path()));
        paths.map(|path| String::from_utf8(path).unwrap()).collect()
    }

    fn next_due(&self, millis: u64) -> Option<Duration> {
        self.pending.next_due(self.at(millis)).map(|due| due - self.start)
    }
}

fn key(path: &str) -> FileKey {
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

fn folder(path: &str) -> FolderKey {
    FolderKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

#[test]
fn a_completed_name_is_due_at_once_and_a_written_one_when_it_is_quiet() {
    let mut bench = Bench::new(100, 100);
    bench.touch("a", Touch::Written, 0);
    bench.touch("b", Touch::Written, 0);
    bench.touch("b", Touch::Complete, 10);
    bench.touch("c", Touch::Complete, 20);
    assert_eq!(bench.take(20), ["b", "c"]);
    bench.touch("a", Touch::Written, 400);
    bench.touch("a", Touch::Metadata, 450);
    assert_eq!(bench.take(500), [""; 0]);
    assert_eq!(bench.next_due(500), Some(Duration::from_millis(950)));
    assert_eq!(bench.take(949), [""; 0]);
    assert_eq!(bench.take(950), ["a"]);
    assert_eq!((bench.take(9999), bench.pending.len(), bench.next_due(0)), (vec![], 0, None));
}

#[test]
fn a_file_that_is_written_again_after_it_was_closed_has_to_be_closed_again() {
    let mut bench = Bench::new(100, 100);
    bench.touch("a", Touch::Complete, 0);
    bench.touch("a", Touch::Written, 1);
    assert_eq!(bench.take(2), [""; 0]);
    bench.touch("a", Touch::Complete, 3);
    bench.touch("a", Touch::Metadata, 4);
    assert_eq!(bench.take(4), ["a"], "a changed mode makes no file incomplete");
}

#[test]
fn news_is_as_old_as_the_event_that_made_it_news() {
    let mut bench = Bench::new(100, 100);
    for (path, touches) in [
        (
            "closed",
            &[(Touch::Written, 0), (Touch::Complete, 5), (Touch::Complete, 7), (Touch::Metadata, 8)][..],
        ),
        ("quiet", &[(Touch::Written, 0), (Touch::Metadata, 5)]),
    ] {
        touches.iter().for_each(|&(touch, at)| bench.touch(path, touch, at));
    }
    let (_, names) = bench.pending.take(bench.at(1000), 10);
    assert!(names.iter().all(|due| due.since == bench.at(5)), "{names:?}");
    assert_eq!(names.len(), 2);
}

#[test]
fn names_are_taken_in_the_order_they_became_due_and_folders_first() {
    let mut bench = Bench::new(100, 100);
    for (at, path) in ["z", "m/x", "a"].into_iter().enumerate() {
        bench.touch(path, Touch::Complete, at as u64);
    }
    bench.folder("new");
    assert_eq!(bench.take_up_to(10, 2), ["new/", "z"]);
    assert_eq!(bench.take_up_to(10, 1), ["m/x"]);
    assert_eq!(bench.take_up_to(10, 1), ["a"]);
}

#[test]
fn a_folder_stands_for_the_folders_below_it() {
    let mut bench = Bench::new(100, 100);
    for path in ["a/b", "a/b/c", "a-b", "a/d", "a", "a/e"] {
        bench.folder(path);
    }
    assert_eq!(bench.take(0), ["a/", "a-b/"]);
}

#[test]
fn too_many_names_collapse_into_their_folder_and_too_many_folders_into_their_root() {
    let mut bench = Bench::new(10, 3);
    for n in 0..10 {
        bench.touch(&format!("many/{n}"), Touch::Complete, 0);
    }
    bench.touch("many/one-too-many", Touch::Written, 0);
    bench.touch("few/f", Touch::Complete, 0);
    assert_eq!(bench.take(0), ["many/", "few/f"]);
    for n in 0..10 {
        bench.touch(&format!("{n}/f"), Touch::Complete, 0);
    }
    bench.touch("x/f", Touch::Complete, 0);
    assert_eq!(bench.take_up_to(0, 1), ["x/"]);
    for path in ["p", "q", "r"] {
        bench.folder(path);
    }
    assert_eq!(bench.pending.len(), 10 + 3);
    bench.folder("s");
    assert_eq!(bench.take(0), ["/"], "the root's own key stands for all");
}

#[test]
fn what_a_root_has_waiting_goes_with_it() {
    let mut bench = Bench::new(100, 100);
    bench.touch("a/b", Touch::Complete, 0);
    bench.folder("c");
    let other = FileKey::from_relative_path(RootId(2), b"a/b").unwrap();
    bench.pending.name(other, Touch::Complete, false, bench.at(0));
    bench.pending.forget(RootId(1));
    assert_eq!((bench.take(0), bench.pending.len()), (vec!["a/b".to_owned()], 0));
}

proptest! {
    #[test]
    fn whatever_comes_nothing_is_forgotten_and_memory_stays_bounded(
        events in prop::collection::vec((0usize..40, 0u8..3, 0u64..300, prop::bool::weighted(0.1), any::<bool>()), 0..200),
    ) {
        let mut bench = Bench::new(8, 4);
        // The last touch of each path that was not followed by a take of it, or of a folder above it.
        let mut open = std::collections::BTreeSet::new();
        let mut now = 0;
        let reported = |open: &mut std::collections::BTreeSet<String>, taken: Vec<String>| {
            for path in taken {
                match path.strip_suffix('/') {
                    Some("") => open.clear(),
                    Some(_) => open.retain(|one| !one.starts_with(&path)),
                    None => { open.remove(&path); }
                }
            }
        };
        for (path, touch, wait, is_folder, take) in events {
            now += wait;
            let path = format!("{}/{}", path % 7, path);
            if is_folder {
                bench.folder(&path);
                open.insert(format!("{path}/"));
            } else {
                bench.touch(&path, [Touch::Complete, Touch::Written, Touch::Metadata][usize::from(touch)], now);
                open.insert(path);
            }
            prop_assert!(bench.pending.len() <= 8 + 4);
            if take {
                let taken = bench.take_up_to(now, 3);
                prop_assert!(taken.len() <= 3);
                reported(&mut open, taken);
            }
        }
        let taken = bench.take(now + 500);
        reported(&mut open, taken);
        prop_assert_eq!(open.into_iter().collect::<Vec<_>>(), Vec::<String>::new());
        prop_assert_eq!(bench.pending.len(), 0);
    }
}
