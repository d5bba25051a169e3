use std::fs;

use super::*;

#[test]
fn a_root_that_is_moved_away_and_comes_back_is_watched_again() {
    let tree = Tree::with(&["root/s/f", "root/g"]);
    let inner = Tree::new();
    let root = Root { path: tree.at("root").canonicalize().unwrap(), ..tree.root() };
    let mut mirror = Mirror::of(&inner, source(&[], &[]));
    mirror.watch.remove_root(root.id);
    mirror.watch.add_root(&root);
    mirror.root = root;
    mirror.scan_again(b"");
    assert_eq!(armed(&mirror.watch), 2);

    move_to(&tree, "root", "away");
    assert_eq!(mirror.until(|mirror| armed(&mirror.watch) == 0).names, [""; 0]);
    let reported = mirror.until(|mirror| mirror.watch.take(Duration::ZERO, 10).is_empty());
    assert_eq!(reported.names, [""; 0]);
    tree.write("away/s/f", b"changed while away");
    move_to(&tree, "away", "root");
    mirror.scan_again(b"");
    tree.write("root/s/f", b"changed again");
    tree.write("root/g", b"changed");
    mirror.catch_up();
    assert_eq!(armed(&mirror.watch), 2);

    fs::remove_dir_all(tree.at("root")).unwrap();
    mirror.until(|mirror| armed(&mirror.watch) == 0);
    tree.write("root/s/new", b"another folder at the same path");
    mirror.scan_again(b"");
    tree.write("root/s/new", b"changed");
    mirror.catch_up();
}

#[test]
fn a_root_that_goes_is_told_as_its_own_folder() {
    for remove in [false, true] {
        let tree = Tree::with(&["root/s/f"]);
        let watch = Arc::new(Watch::new(WatchSettings::default()));
        let root = Root { path: tree.at("root").canonicalize().unwrap(), ..tree.root() };
        watch.add_root(&root);
        scan(&source(&[], &[]).with_watch(Arc::clone(&watch)), &root, 1).unwrap();
        if remove {
            fs::remove_dir_all(tree.at("root")).unwrap();
        } else {
            move_to(&tree, "root", "away");
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let news = watch.take(Duration::from_millis(20), 10);
            if news.folders.iter().any(|touched| touched.folder == FolderKey::root(root.id)) {
                break;
            }
            assert!(Instant::now() < deadline);
        }
    }
}

#[test]
fn nested_roots_both_get_the_news_and_either_can_go() {
    let tree = Tree::with(&["in/s/f", "out"]);
    let mut outer = Mirror::of(&tree, source(&[], &[]));
    let inner = Root { id: RootId(2), name: "in".to_owned(), path: outer.root.path.join("in") };
    outer.watch.add_root(&inner);
    scan(&outer.source, &inner, 1).unwrap();
    assert_eq!(armed(&outer.watch), 3 + 2);
    let told_to = |watch: &Watch| {
        let mut roots = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && roots.len() < 2 {
            let news = watch.take(Duration::from_millis(200), 100);
            if news.is_empty() && !roots.is_empty() {
                break;
            }
            roots.extend(news.names.iter().map(|touched| touched.root.0));
        }
        roots
    };
    tree.write("in/s/f", b"changed");
    assert_eq!(told_to(&outer.watch), [1, 2]);
    outer.watch.remove_root(RootId(2));
    outer.watch.take(Duration::ZERO, 1);
    tree.write("in/s/f", b"changed again");
    assert_eq!(told_to(&outer.watch), [1]);
    outer.catch_up_after(&tree);

    outer.watch.add_root(&inner);
    scan(&outer.source, &inner, 1).unwrap();
    outer.watch.remove_root(RootId(1));
    outer.watch.take(Duration::ZERO, 1);
    tree.write("out", b"nobody's");
    tree.write("in/s/f", b"and again");
    assert_eq!(told_to(&outer.watch), [2]);
}

impl Mirror {
    fn catch_up_after(&mut self, tree: &Tree) {
        self.scan_again(b"");
        self.rest(tree);
    }
}

#[test]
fn the_state_folder_is_never_news() {
    let tree = Tree::with(&["f", "s/g", ".outlast/db", "s/records/log"]);
    let mut source = source(&[], &[]);
    source.state = vec![tree.at(".outlast"), tree.at("s/records")];
    let mut mirror = Mirror::of(&tree, source);
    assert_eq!(armed(&mirror.watch), 2);
    for n in 0..50 {
        tree.write(".outlast/db", format!("{n}").as_bytes());
        tree.write("s/records/log", b"a line");
        tree.write(".outlast/new/deep", b"");
    }
    fs::set_permissions(tree.at(".outlast"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(mirror.rest(&tree), Reported::default());
    fs::remove_dir_all(tree.at("s/records")).unwrap();
    fs::create_dir(tree.at("s/records")).unwrap();
    assert_eq!(mirror.rest(&tree), Reported::default());
    assert_eq!(armed(&mirror.watch), 2);
}

#[test]
fn a_root_is_added_once_and_an_unknown_one_is_not_watched() {
    let tree = Tree::with(&["s/f"]);
    let mirror = Mirror::of(&tree, source(&[], &[]));
    mirror.watch.add_root(&mirror.root);
    assert_eq!(armed(&mirror.watch), 2, "what is armed stays armed");
    let other = Root { id: RootId(9), ..mirror.root.clone() };
    mirror.watch.arm(&other, &FolderKey::root(RootId(9)));
    assert_eq!(armed(&mirror.watch), 2);
    mirror.watch.remove_root(mirror.root.id);
    assert_eq!(mirror.watch.status().armed_folders, 0);
    tree.write("s/f", b"changed");
    assert!(mirror.watch.take(Duration::from_millis(50), 10).is_empty());
}

#[test]
fn a_walk_that_is_late_for_a_root_that_is_served_no_more_leaves_no_watch_behind() {
    let tree = Tree::with(&["s/f"]);
    let mirror = Mirror::of(&tree, source(&[], &[]));
    let folder = tree.at("s");
    assert!(is_watched_by_the_system(&folder));
    mirror.watch.remove_root(mirror.root.id);
    mirror.watch.take(Duration::ZERO, 1);
    assert!(!is_watched_by_the_system(&folder));
    let key = FolderKey::root(mirror.root.id).child(b"s");
    mirror.watch.arm(&mirror.root, &key);
    assert!(!is_watched_by_the_system(&folder), "nobody would ever remove it");
}

/// Returns whether any watch of this process is on a folder, according to the kernel.
fn is_watched_by_the_system(folder: &Path) -> bool {
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(folder).unwrap());
    let word = format!(" ino:{inode:x} ");
    let open = fs::read_dir("/proc/self/fdinfo").unwrap();
    let reported = open.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    reported
        .flat_map(|reported| reported.lines().map(str::to_owned).collect::<Vec<_>>())
        .any(|line| line.starts_with("inotify ") && line.contains(&word))
}
