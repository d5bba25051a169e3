//! The files in flight are known after any death of the process, and never invented.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::ledger::folder::disk;

fn keys(names: &[&str]) -> Vec<FileKey> {
    names.iter().map(|name| key(name)).collect()
}

fn state_in(folder: &Path) -> StateFolder {
    StateFolder::create(&folder.join("state"), "records".as_ref()).unwrap()
}

fn left(state: &StateFolder) -> PreviousCrash {
    InFlightMarkers::open(state, None).unwrap().1
}

/// Returns a state in whose process one worker had these files in flight, and no other had any.
fn with_one_in_hand(files: &[FileKey], alone: bool) -> (tempfile::TempDir, StateFolder) {
    let folder = tempfile::tempdir().unwrap();
    let state = state_in(folder.path());
    let (markers, _) = InFlightMarkers::open(&state, Some(3)).unwrap();
    let mut other = markers.marker(1);
    other.begin(keys(&["done"]).iter(), true);
    other.end();
    markers.marker(0).begin(files.iter(), alone);
    (folder, state)
}

#[test]
fn files_are_suspects_from_the_place_on_until_they_are_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let state = state_in(folder.path());
    let (markers, nothing) = InFlightMarkers::open(&state, Some(7)).unwrap();
    assert_eq!(nothing, PreviousCrash::default());
    let now = Instant::now();
    let [mut first, mut second] = [0, 1].map(|worker| markers.marker(worker));
    first.begin(keys(&["z", "src/b", "src/bc", "a"]).iter(), false);
    first.place(1, now);
    first.place(2, now + Duration::from_millis(4));
    second.begin(keys(&["c", "d"]).iter(), false);
    second.place(1, now);
    second.place(2, now + Duration::from_millis(6));
    let expected = keys(&["src/b", "src/bc", "a"]);
    let found = left(&state);
    assert_eq!(found, PreviousCrash { suspects: expected.clone(), alone: None, oom_kills: Some(7) });
    // They stay suspects after another death, without a count to judge them by.
    let (markers, again) = InFlightMarkers::open(&state, Some(8)).unwrap();
    assert_eq!(again, PreviousCrash { suspects: expected, ..PreviousCrash::default() });
    markers.set_suspects(&keys(&["src/b"])).unwrap();
    markers.marker(0).begin(keys(&["x", "src/b"]).iter(), false);
    assert_eq!(left(&state).suspects, keys(&["x", "src/b"]));
    InFlightMarkers::open(&state, None).unwrap().0.clear();
    assert_eq!(left(&state), PreviousCrash::default());
}

#[test]
fn of_a_long_task_only_what_may_have_been_begun_is_suspect() {
    let folder = tempfile::tempdir().unwrap();
    let state = state_in(folder.path());
    let (markers, _) = InFlightMarkers::open(&state, None).unwrap();
    let names: Vec<String> = (0..500).map(|number| format!("{number:03}")).collect();
    let files = keys(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut marker = markers.marker(0);
    let now = Instant::now();
    marker.begin(files.iter(), false);
    (0..=40).for_each(|place| marker.place(place, now));
    let suspects = left(&state).suspects;
    assert!(suspects.contains(&files[40]) && suspects.len() <= 32, "{suspects:?}");
    assert!(!suspects.contains(&files[0]), "it was done");
}

#[test]
fn where_files_take_long_few_are_suspect_and_more_again_when_they_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let state = state_in(folder.path());
    let names: Vec<String> = (0..500).map(|number| format!("{number:03}")).collect();
    let files = keys(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let suspects = |slow: usize, quick: usize| {
        let (markers, _) = InFlightMarkers::open(&state, None).unwrap();
        markers.set_suspects(&[]).unwrap();
        let mut marker = markers.marker(0);
        let mut now = Instant::now();
        marker.begin(files.iter(), false);
        for place in 0..=slow + quick {
            marker.place(place, now);
            now += if place < slow { Duration::from_millis(8) } else { Duration::from_micros(20) };
        }
        let suspects = left(&state).suspects;
        assert!(suspects.contains(&files[slow + quick]), "{suspects:?}");
        suspects.len()
    };
    assert_eq!(suspects(20, 0), 2);
    assert_eq!(suspects(20, 300), 32);
}

#[test]
fn one_that_was_alone_comes_after_all_other_suspects_from_then_on() {
    let (_folder, state) = with_one_in_hand(&keys(&["a", "b", "c"]), false);
    let die_alone = |name: &str| {
        let (markers, left) = InFlightMarkers::open(&state, None).unwrap();
        markers.marker(0).begin(keys(&[name]).iter(), true);
        left.suspects
    };
    assert_eq!(die_alone("a"), keys(&["a", "b", "c"]));
    assert_eq!(die_alone("b"), keys(&["b", "c", "a"]));
    assert_eq!(left(&state).suspects, keys(&["c", "a", "b"]));
}

#[test]
fn one_that_was_in_hand_alone_is_named() {
    let alone = |files: &[&str], marked| left(&with_one_in_hand(&keys(files), marked).1).alone;
    assert_eq!(alone(&["a"], true), Some(key("a")));
    assert_eq!(alone(&["a"], false), None);
    assert_eq!(alone(&["a", "b"], true), None);
    let (_folder, state) = with_one_in_hand(&keys(&["a"]), true);
    fs::write(state.path().join("in-hand/2"), "torn").unwrap();
    assert_eq!(left(&state), PreviousCrash { suspects: keys(&["a"]), alone: None, oom_kills: Some(3) });
}

#[test]
fn a_marker_that_is_cut_or_changed_is_left_out() {
    let files = keys(&["src/a", "src/abc"]);
    let (_folder, state) = with_one_in_hand(&files, false);
    let path = state.path().join("in-hand/0");
    let whole = fs::read(&path).unwrap();
    let read_back = |bytes: &[u8]| {
        InFlightMarkers::open(&state, None).unwrap().0.clear();
        fs::write(&path, bytes).unwrap();
        left(&state).suspects
    };
    assert_eq!(read_back(&[&whole[..], b"rest of a longer one"].concat()), files);
    (0..whole.len()).for_each(|cut| assert_eq!(read_back(&whole[..cut]), [], "cut at {cut}"));
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert_eq!(read_back(&flipped), [], "byte {at}");
    }
}

#[test]
fn who_is_replaced_can_note_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let state = state_in(folder.path());
    let (markers, _) = InFlightMarkers::open(&state, None).unwrap();
    let mut hung = markers.marker(0);
    hung.begin(keys(&["hung"]).iter(), false);
    let mut next = markers.marker(0);
    next.begin(keys(&["next"]).iter(), false);
    hung.end();
    hung.begin(keys(&["ghost"]).iter(), false);
    assert_eq!(left(&state).suspects, keys(&["next"]));
}

#[test]
fn what_is_left_of_it_alone_is_no_strangers_folder() {
    let (folder, state) = with_one_in_hand(&keys(&["a"]), true);
    let path = state.path().to_owned();
    drop(state);
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap().path();
        if !entry.ends_with("in-hand") {
            disk::remove(&entry).unwrap();
        }
    }
    assert_eq!(left(&state_in(folder.path())), PreviousCrash::default(), "a new state knows no suspects");
}

const CHILD: &str = "OUTLAST_IN_HAND_CHILD";

/// Returns the files in the task of this number.
fn task(number: usize) -> Vec<FileKey> {
    (0..1 + number * 37 % 300).map(|file| key(&format!("m{number}/f{file:03}"))).collect()
}

/// Takes one task after the other, until it is killed.
#[test]
#[ignore = "the child of a_killed_process_leaves_one_task_of_each_worker"]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let state = state_in(folder.as_ref());
    let (markers, _) = InFlightMarkers::open(&state, None).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let mut marker = markers.marker(worker);
            scope.spawn(move || {
                for number in (worker..).step_by(2) {
                    let files = task(number);
                    marker.begin(files.iter(), false);
                    (0..files.len()).for_each(|place| marker.place(place, Instant::now()));
                }
            });
        }
    });
}

#[test]
fn a_killed_process_leaves_one_task_of_each_worker() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_both = 0;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::tests::in_hand::child", "--ignored", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = folder.path().join("state/in-hand/1");
        while !begun.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the child ended");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(300 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let state = StateFolder::open(&folder.path().join("state")).unwrap();
        let (markers, left) = InFlightMarkers::open(&state, None).unwrap();
        markers.clear();
        let mut of_task = BTreeMap::<usize, Vec<FileKey>>::new();
        for suspect in left.suspects {
            let path = String::from_utf8(suspect.relative_path()).unwrap();
            let number = path[1..path.find('/').unwrap()].parse().unwrap();
            of_task.entry(number).or_default().push(suspect);
        }
        for (number, suspects) in &of_task {
            let in_a_row = task(*number).windows(suspects.len()).any(|part| part == suspects);
            assert!(in_a_row && suspects.len() <= 32, "task {number} was not {suspects:?}");
        }
        assert!(of_task.len() <= 2 && of_task.keys().map(|number| number % 2).is_sorted_by(|a, b| a != b));
        with_both += usize::from(of_task.len() == 2);
    }
    assert!(with_both >= 6, "only {with_both} of 12 left what both workers had in hand");
}
