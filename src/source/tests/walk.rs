use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, Mode};

use super::*;
use crate::source::read::open;

const ODD: [&[u8]; 9] =
    [b"_a", b"-b", b".c", b"new\nline", b"q\"uote'", b"bad\xff\xfe", b"\x01", "\u{e4}".as_bytes(), b"*?["];

#[test]
fn odd_names_are_normal_for_files_and_folders() {
    let tree = Tree::new();
    let mut expected = Vec::new();
    for folder in ODD {
        for name in ODD {
            let path = [folder, b"/", name, b".ast.json"].concat();
            tree.write(&path, b"{}");
            expected.push(path);
        }
    }
    expected.sort();
    let (seen, report) = scan(&source(&["*.ast.json"], &[]), &tree.root(), 2).unwrap();
    assert!(seen.files.keys().eq(expected.iter()));
    assert!(report.filtered.is_empty() && seen.unreadable.is_empty());
}

#[test]
fn one_thread_visits_in_the_order_of_keys() {
    let tree = Tree::with(&["a/b/c/1", "a/b0/1", "a-b/1", "b/1", "a/z", "0"]);
    let (seen, _) = scan(&source(&[], &[]), &tree.root(), 1).unwrap();
    let order: Vec<_> = seen.folders.iter().map(|(path, _)| std::str::from_utf8(path).unwrap()).collect();
    assert_eq!(order, ["", "a", "a/b", "a/b/c", "a/b0", "a-b", "b"]);
    assert_eq!(seen.folders[0].1, [b"a".as_slice(), b"a-b", b"b"]);
}

#[test]
fn every_file_is_told_once_however_many_threads_there_are() {
    let tree = Tree::new();
    for n in 0..600 {
        tree.write(format!("{}/{}/{n}.ast.json", n % 7, n % 31), b"{}");
    }
    for threads in 1..=8 {
        let (seen, _) = scan(&source(&[], &[]), &tree.root(), threads).unwrap();
        assert_eq!(seen.paths().len(), 600);
        assert!(seen.files.values().all(|kinds| kinds.len() == 1));
        assert_eq!(seen.folders.len(), 1 + 7 + 7 * 31);
    }
}

#[test]
fn links_pipes_and_sockets_are_skipped_with_a_reason_and_folders_are_folders() {
    let tree = Tree::with(&["d.ast.json/x.ast.json", "a.ast.json", "o/x.ast.json"]);
    symlink(tree.path(), tree.at("loop.ast.json")).unwrap();
    symlink("a.ast.json", tree.at("o/link.ast.json")).unwrap();
    symlink("/nowhere", tree.at("dangling.ast.json")).unwrap();
    symlink("o", tree.at("folder-link")).unwrap();
    rustix::fs::mkfifoat(CWD, tree.at("pipe.ast.json"), Mode::RWXU).unwrap();
    let _socket = UnixListener::bind(tree.at("sock.ast.json")).unwrap();
    let (seen, report) = scan(&source(&["*.ast.json"], &[]), &tree.root(), 2).unwrap();
    assert_eq!(seen.paths(), ["a.ast.json", "d.ast.json/x.ast.json", "o/x.ast.json"]);
    for (path, reason) in [
        ("loop.ast.json", SkipReason::Symlink),
        ("o/link.ast.json", SkipReason::Symlink),
        ("dangling.ast.json", SkipReason::Symlink),
        ("pipe.ast.json", SkipReason::Fifo),
        ("sock.ast.json", SkipReason::Socket),
    ] {
        assert_eq!(seen.files[path.as_bytes()], [ListedKind::Skipped(reason)]);
    }
    assert_eq!(report.filtered, BTreeMap::from([("include".to_owned(), 1)]), "the link to a folder");
}

#[test]
fn what_rules_leave_out_is_counted_and_cut_folders_are_still_told() {
    let tree =
        Tree::with(&["build/a.json", "src/a.json", "src/a.txt", ".git/a.json", "src/b.tmp.json", "out/r"]);
    let mut source = source(&["*.json"], &["build", "*.tmp.json"]);
    source.state = vec![tree.at("out"), tree.at("not-there")];
    let (seen, report) = scan(&source, &tree.root(), 2).unwrap();
    assert_eq!(seen.paths(), [".git/a.json", "src/a.json"]);
    let counts: Vec<_> = report.filtered.iter().map(|(rule, &n)| (rule.as_str(), n)).collect();
    assert_eq!(
        counts,
        [("exclude:*.tmp.json", 1), ("exclude:build", 1), ("include", 1), ("state-folder", 1)]
    );
    let (_, names) = seen.folders.iter().find(|(path, _)| path.is_empty()).unwrap();
    assert_eq!(*names, [b".git".as_slice(), b"build", b"out", b"src"]);
}

#[test]
fn a_root_that_is_no_readable_folder_is_an_error() {
    let tree = Tree::with(&["file"]);
    let scan_of = |path| {
        let root = Root { id: RootId(1), name: "r".to_owned(), path };
        scan(&source(&[], &[]), &root, 2).map(|_| ()).unwrap_err()
    };
    assert_eq!(scan_of(tree.at("missing")).kind(), io::ErrorKind::NotFound);
    assert_eq!(scan_of(tree.at("file")).kind(), io::ErrorKind::NotADirectory);
    let own = TreeSource::new(Filters::default(), vec![tree.path().to_owned()]);
    assert!(scan(&own, &tree.root(), 1).unwrap_err().to_string().contains("choose another root"));
}

#[test]
fn a_folder_that_cannot_be_listed_is_told_and_the_rest_goes_on() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let tree = Tree::with(&["a/x", "b/x", "c/x"]);
    std::fs::set_permissions(tree.at("b"), PermissionsExt::from_mode(0o000)).unwrap();
    let (seen, _) = scan(&source(&[], &[]), &tree.root(), 2).unwrap();
    std::fs::set_permissions(tree.at("b"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(
        (seen.paths(), seen.unreadable),
        (vec!["a/x".to_owned(), "c/x".to_owned()], vec![b"b".to_vec()])
    );
}

#[test]
fn a_wide_folder_is_told_whole() {
    let tree = Tree::new();
    for n in 0..20_000 {
        std::fs::File::create(tree.at(format!("f{n:05}.ast.json"))).unwrap();
    }
    let (seen, _) = scan(&source(&["*.ast.json"], &[]), &tree.root(), 2).unwrap();
    assert_eq!(seen.paths().len(), 20_000);
}

#[test]
fn a_tree_deeper_than_a_path_can_be_long_is_walked_as_far_as_paths_reach() {
    let tree = Tree::new();
    let name = "d".repeat(250);
    let mut folder = open::root_folder(tree.path()).unwrap();
    for _ in 0..20 {
        rustix::fs::mkdirat(&folder, name.as_str(), Mode::RWXU).unwrap();
        folder = open::folder_below(std::os::fd::AsFd::as_fd(&folder), name.as_bytes()).unwrap();
    }
    let (seen, _) = scan(&source(&[], &[]), &tree.root(), 2).unwrap();
    assert_eq!((seen.folders.len(), seen.unreadable.len()), (1 + 16, 1), "16 x 251 bytes are below 4096");
    assert_eq!(seen.unreadable[0].len(), 17 * 251 - 1);
}

/// Runs a closure at each folder.
struct At<F>(F);

impl<F: FnMut(&[u8]) -> ControlFlow<()> + Send> FolderVisitor for At<F> {
    fn folder(&mut self, folder: Folder<'_>) -> ControlFlow<()> {
        (self.0)(&folder.key.relative_path())
    }

    fn unreadable(&mut self, folder: &FolderKey, error: &io::Error) -> ControlFlow<()> {
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        (self.0)(&[b"unreadable ", folder.relative_path().as_slice()].concat())
    }
}

#[test]
fn a_break_ends_the_scan_on_all_threads() {
    let tree = Tree::new();
    for n in 0..300 {
        tree.write(format!("{n}/f"), b"");
    }
    let visits = AtomicUsize::new(0);
    let visits = Arc::new(visits);
    let make = || -> Box<dyn FolderVisitor> {
        let visits = Arc::clone(&visits);
        Box::new(At(move |_: &[u8]| match visits.fetch_add(1, Ordering::Relaxed) {
            0..10 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }))
    };
    let report = source(&[], &[]).scan(&tree.root(), 4, &make).unwrap();
    assert!((11..=14).contains(&report.folders), "{}", report.folders);
}

#[test]
fn a_panic_in_a_visitor_ends_the_scan_and_reaches_the_caller() {
    let tree = Tree::new();
    for n in 0..50 {
        tree.write(format!("{n}/f"), b"");
    }
    let make = || -> Box<dyn FolderVisitor> {
        Box::new(At(|path: &[u8]| {
            assert_ne!(path, b"17", "as the test wants it");
            ControlFlow::Continue(())
        }))
    };
    let root = tree.root();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let result = std::panic::catch_unwind(|| source(&[], &[]).scan(&root, 4, &make));
        sender.send(result.is_err()).unwrap();
    });
    assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok(true));
}

#[test]
fn a_folder_that_goes_or_becomes_a_link_while_walking_is_told_as_unreadable() {
    let tree = Tree::with(&["a/f", "b/f", "c/f", "c/d/f"]);
    let outside = Tree::with(&["d/secret"]);
    let reported = Arc::new(Mutex::new(Vec::new()));
    let make = || -> Box<dyn FolderVisitor> {
        let reported = Arc::clone(&reported);
        let b = tree.at("b");
        let c = tree.at("c");
        let moved = tree.at("moved");
        let outside = outside.path().to_owned();
        Box::new(At(move |path: &[u8]| {
            reported.lock().unwrap().push(String::from_utf8_lossy(path).into_owned());
            match path {
                b"a" => std::fs::remove_dir_all(&b).unwrap(),
                b"c" => {
                    std::fs::rename(&c, &moved).unwrap();
                    symlink(&outside, &c).unwrap();
                }
                _ => (),
            }
            ControlFlow::Continue(())
        }))
    };
    // The visitor only knows `NotFound`: what is behind a link must look gone, not forbidden.
    source(&[], &[]).scan(&tree.root(), 1, &make).unwrap();
    assert_eq!(*reported.lock().unwrap(), ["", "a", "unreadable b", "c", "unreadable c/d"]);
}
