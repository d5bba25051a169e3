use std::sync::Mutex;
use std::sync::mpsc::Receiver;

use super::*;
use crate::engine::discovery::scan::tests::{PartSource, root, scope};
use crate::engine::store::Store;
use crate::source::ScanReport;
use crate::source::watch::WatchSettings;

/// Follows three roots that are polled; records what is listed, and how often something was committed for it.
struct Polled {
    listed: Arc<Mutex<Vec<FolderKey>>>,
    commits: u64,
    folders: Arc<RelistQueue>,
}

/// Runs the thread `rescan` until it ends. `listing` is called with each folder that it lists.
fn polled(
    poll_interval: Duration,
    touched: &[FolderKey],
    listing: impl Fn(&FolderKey, usize, &NewsHands) -> std::io::Result<()> + Send + Sync + 'static,
) -> Polled {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("state"), None).unwrap();
    let watch = Watch::new(WatchSettings { poll: true, ..WatchSettings::default() });
    let roots: Vec<_> = (1..=3).map(|id| (root(id), scope())).collect();
    roots.iter().for_each(|(root, _)| watch.add_root(root));
    let hands = NewsHands { folders: Arc::default(), halt: Stop::default() };
    for folder in touched {
        hands.folders.add(folder.clone(), Instant::now());
    }
    let listed = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&listed);
    let in_hands = hands.clone();
    let source = PartSource(move |from: &FolderKey, _: &mut dyn FolderVisitor| {
        let number = {
            let mut noted = noted.lock().unwrap();
            noted.push(from.clone());
            noted.len()
        };
        listing(from, number, &in_hands).map(|()| ScanReport::default())
    });
    let plan = WatchFollower {
        reader: store.reader.clone(),
        roots,
        source: Arc::new(source),
        watch: Arc::new(watch),
        folders: Arc::clone(&hands.folders),
        poll_interval,
        halt: hands.halt.clone(),
    };
    let (send, events) = sync_channel(16);
    let commits = std::thread::scope(|scope| {
        let commits = scope.spawn(move || answer(&events));
        plan.rescan(&Reports::to(&send));
        drop(send);
        commits.join().unwrap()
    });
    Polled { listed, commits, folders: hands.folders }
}

/// What a listing can do to the state meanwhile.
#[derive(Clone)]
struct NewsHands {
    folders: Arc<RelistQueue>,
    halt: Stop,
}

/// Answers requests to commit first; counts them.
fn answer(events: &Receiver<Message>) -> u64 {
    let mut commits = 0;
    for event in events {
        if let Message::Commit(reply) = event {
            commits += 1;
            reply.send(crate::model::Cursor::default()).unwrap();
        }
    }
    commits
}

fn top(id: u32) -> FolderKey {
    FolderKey::root(RootId(id))
}

#[test]
fn a_poll_breaks_off_where_its_attempt_ends_and_leaves_nothing_to_the_next_one() {
    let ended = polled(Duration::ZERO, &[], |_, _, hands| {
        hands.halt.request();
        Ok(())
    });
    assert_eq!(*ended.listed.lock().unwrap(), [top(1)]);
    assert_eq!(ended.folders.waiting(), 0, "it is polled the next time");
}

#[test]
fn what_is_touched_during_a_poll_is_listed_before_the_rest_of_it() {
    let touched = top(3).child(b"touched");
    let ended = polled(Duration::ZERO, &[], move |_, number, hands| {
        match number {
            1 => hands.folders.add(touched.clone(), Instant::now()),
            4 => hands.halt.request(),
            _ => {}
        }
        Ok(())
    });
    assert_eq!(*ended.listed.lock().unwrap(), [top(1), top(3).child(b"touched"), top(2), top(3)]);
}

#[test]
fn one_commit_does_for_many_touched_folders_and_those_that_fail_wait() {
    let touched: Vec<FolderKey> = (0..100_u8).map(|number| top(1).child(&[number + 128])).collect();
    let ended = polled(Duration::from_secs(3600), &touched, |_, number, hands| match number {
        1 => Err(std::io::ErrorKind::PermissionDenied.into()),
        100 => {
            hands.halt.request();
            Ok(())
        }
        _ => Ok(()),
    });
    assert_eq!(*ended.listed.lock().unwrap(), touched);
    assert_eq!(ended.commits, 1);
    assert_eq!(ended.folders.waiting(), 2, "the one that failed, and the one at which the attempt ended");
}

#[test]
fn touched_folders_that_an_attempt_does_not_come_to_are_left_to_the_next_one() {
    let touched: Vec<FolderKey> = (0..5_u8).map(|number| top(1).child(&[number + 128])).collect();
    let ended = polled(Duration::from_secs(3600), &touched, |_, number, hands| {
        if number == 2 {
            hands.halt.request();
        }
        Ok(())
    });
    assert_eq!(*ended.listed.lock().unwrap(), touched[..2]);
    assert_eq!(ended.folders.waiting(), 4);
}
