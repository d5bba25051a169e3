use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn a_file_is_told_by_name_as_soon_as_it_is_closed_and_not_before() {
    let tree = Tree::with(&["s/a"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    let mut file = OpenOptions::new().append(true).open(tree.at("s/a")).unwrap();
    let mut new = File::create(tree.at("s/new")).unwrap();
    for _ in 0..20 {
        file.write_all(b"half").unwrap();
        new.write_all(b"half").unwrap();
    }
    assert_eq!(mirror.rest(&tree), Reported::default(), "both are being written");
    let before = Instant::now();
    drop(file);
    let reported = mirror.until(|mirror| mirror.files.get(&b"s/a"[..]) == mirror.actual().get(&b"s/a"[..]));
    assert_eq!(reported.names, ["s/a"]);
    assert!(before.elapsed() < Duration::from_secs(5), "the time that files settle in is no part of it");
    drop(new);
    assert_eq!(mirror.catch_up().names, ["s/new"]);
}

#[test]
fn a_file_that_nobody_closes_is_told_once_it_is_quiet() {
    let tree = Tree::with(&["a"]);
    let watch = Watch::new(WatchSettings { poll: false, settle: Duration::from_millis(30) });
    let mut mirror = Mirror::with(&tree, source(&[], &[]), watch);
    let mut file = OpenOptions::new().append(true).open(tree.at("a")).unwrap();
    file.write_all(b"a line").unwrap();
    assert_eq!(mirror.catch_up().names, ["a"]);
    fs::set_permissions(tree.at("a"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::hard_link(tree.at("a"), tree.at("b")).unwrap();
    symlink("a", tree.at("c")).unwrap();
    let mut reported = mirror.catch_up();
    reported.names.sort();
    reported.names.dedup();
    assert_eq!(reported.names, ["a", "b", "c"]);
}

#[test]
fn nested_new_folders_that_are_filled_at_once_are_found_whole() {
    let tree = Tree::with(&["old/f"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    for n in 0..400 {
        tree.write(format!("new/{}/{}/{n}", n % 5, n % 20), b"x");
    }
    mirror.catch_up();
    assert_eq!(mirror.files.len(), 401);
    assert_eq!(armed(&mirror.watch), 2 + 1 + 5 + 20);
    tree.write("new/3/3/later", b"x");
    assert_eq!(mirror.catch_up().names, ["new/3/3/later"], "a new folder is watched like any other");
}

#[test]
fn a_renamed_folder_is_gone_from_its_old_path_and_watched_at_its_new_one() {
    let tree = Tree::with(&["a/x/1", "a/y/2", "other/f"]);
    let outside = Tree::with(&["in/deep/3"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    move_to(&tree, "a", "b");
    let mut reported = mirror.catch_up();
    reported.folders.dedup();
    assert_eq!((reported.names, reported.folders), (vec![], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(armed(&mirror.watch), 5);
    tree.write("b/x/1", b"changed");
    assert_eq!(mirror.catch_up().names, ["b/x/1"]);
    move_to(&tree, "b/x", "other/x");
    move_to(&tree, "other", "a");
    mirror.catch_up();
    tree.write("a/x/new", b"");
    assert_eq!(mirror.catch_up().names, ["a/x/new"]);
    fs::rename(tree.at("a"), outside.at("a")).unwrap();
    fs::rename(outside.at("in"), tree.at("in")).unwrap();
    mirror.catch_up();
    assert_eq!(mirror.files.len(), 2);
    outside.write("a/x/1", b"nobody sees it");
    tree.write("in/deep/3", b"seen");
    let reported = mirror.rest(&tree);
    assert_eq!(reported.names, ["in/deep/3"], "what was moved out is not watched");
    assert_eq!(armed(&mirror.watch), 5, "the root, b, b/y, in, in/deep");
}

#[test]
fn an_atomic_replace_is_told_under_the_name_that_was_replaced() {
    let tree = Tree::with(&["a.json", "b.json"]);
    let mut mirror = Mirror::of(&tree, source(&["*.json"], &[]));
    for n in 0..5 {
        tree.write(".a.json.tmp", format!("{n}").as_bytes());
        move_to(&tree, ".a.json.tmp", "a.json");
    }
    let mut reported = mirror.catch_up();
    reported.names.dedup();
    assert_eq!(reported, Reported { names: vec!["a.json".to_owned()], folders: vec![] });
    move_to(&tree, "a.json", "b.json");
    let mut reported = mirror.catch_up();
    reported.names.sort();
    reported.names.dedup();
    assert_eq!(reported.names, ["a.json", "b.json"]);
}

#[test]
fn what_is_deleted_and_made_again_is_what_it_is_now() {
    let tree = Tree::with(&["f", "d/f", "d/e/f", "x/f", "y"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    for round in 0..10 {
        fs::remove_file(tree.at("f")).unwrap();
        tree.write("f", format!("{round}").as_bytes());
        fs::remove_dir_all(tree.at("d")).unwrap();
        tree.write(format!("d/{round}"), b"");
        tree.write("d/e/f", b"again");
    }
    mirror.catch_up();
    // A file where a folder was, and vice versa.
    fs::remove_dir_all(tree.at("x")).unwrap();
    tree.write("x", b"a file");
    fs::remove_file(tree.at("y")).unwrap();
    tree.write("y/f", b"in a folder");
    mirror.catch_up();
    fs::remove_file(tree.at("x")).unwrap();
    tree.write("x/f", b"a folder again");
    fs::remove_dir_all(tree.at("y")).unwrap();
    tree.write("y", b"a file again");
    mirror.catch_up();
    tree.write("x/f", b"changed");
    tree.write("d/e/f", b"changed");
    // They may become due one after the other.
    let mut reported = mirror.catch_up();
    reported.names.sort();
    assert_eq!(reported.names, ["d/e/f", "x/f"]);
}

#[test]
fn editors_noise_is_no_news() {
    let tree = Tree::with(&["src/a.json"]);
    let mut mirror = Mirror::of(&tree, source(&["*.json"], &["*.tmp.json", "build/"]));
    // As vim does, with a backup and a swap file.
    tree.write("src/4913", b"");
    fs::remove_file(tree.at("src/4913")).unwrap();
    tree.write("src/.a.json.swp", b"swap");
    move_to(&tree, "src/a.json", "src/a.json~");
    tree.write("src/a.json", b"{\"by\": \"vim\"}");
    fs::set_permissions(tree.at("src/a.json"), PermissionsExt::from_mode(0o644)).unwrap();
    fs::remove_file(tree.at("src/a.json~")).unwrap();
    fs::remove_file(tree.at("src/.a.json.swp")).unwrap();
    // As other editors do.
    tree.write("src/#a.json#", b"");
    symlink("nowhere", tree.at("src/.#a.json")).unwrap();
    fs::remove_file(tree.at("src/.#a.json")).unwrap();
    tree.write("src/a.tmp.json", b"");
    fs::create_dir(tree.at("build")).unwrap();
    tree.write("build/x.json", b"");
    tree.write("the-end.json", b"");
    let mut reported = mirror.until(|mirror| mirror.files.contains_key(&b"the-end.json"[..]));
    reported.merge(mirror.catch_up());
    reported.names.sort();
    reported.names.dedup();
    assert_eq!(reported.folders, [""; 0]);
    assert_eq!(reported.names, ["src/.#a.json", "src/a.json", "the-end.json"]);
}

#[test]
fn reading_a_tree_is_no_news() {
    let tree = Tree::new();
    for n in 0..500 {
        tree.write(format!("{}/{n}", n % 7), b"x");
    }
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    for path in mirror.files.keys() {
        fs::read(tree.at(path)).unwrap();
    }
    assert_eq!(mirror.rest(&tree), Reported::default());
    let status = mirror.watch.status();
    assert!(status.ignored_events >= 500 && status.events < 20 && status.overflows == 0, "{status:?}");
}

#[test]
fn a_changed_ignore_file_has_its_folder_scanned() {
    let tree = Tree::with(&["s/a.json", "s/t/b.json", "c.json", "u/d.json"]);
    let mut mirror = Mirror::of(&tree, source(&["*.json"], &[]));
    tree.write("s/.outlastignore", b"t/\n");
    let reported = mirror.catch_up();
    assert_eq!((reported.folders, mirror.files.len()), (vec!["s".to_owned()], 3));
    tree.write("s/.tmp", b"a.json\n");
    move_to(&tree, "s/.tmp", "s/.outlastignore");
    mirror.catch_up();
    assert!(mirror.files.contains_key(&b"s/t/b.json"[..]));
    fs::remove_file(tree.at("s/.outlastignore")).unwrap();
    mirror.catch_up();
    assert_eq!(mirror.files.len(), 4);
    tree.write(".outlastignore", b"u\n");
    assert_eq!(mirror.catch_up().folders, [""]);
}

#[test]
fn names_that_are_no_text_are_told_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let tree = Tree::new();
    tree.write(b"bad\xff/new\nline", b"");
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    tree.write(b"bad\xff/\xfe q\"", b"");
    tree.write(b"bad\xff/new\nline", b"more");
    tree.write(b"\x80/deep\xff/x", b"");
    mirror.catch_up();
    let to = tree.at(b"renamed\xff");
    fs::rename(tree.at(b"bad\xff"), &to).unwrap();
    mirror.catch_up();
    assert_eq!(to.file_name().unwrap().as_bytes(), b"renamed\xff");
    assert!(mirror.files.contains_key(&b"renamed\xff/\xfe q\""[..]));
}

#[test]
fn random_changes_while_the_tree_is_scanned_are_all_seen_in_the_end() {
    let tree = Tree::with(&["a/b/c", "d/e", "f"]);
    let watch = Watch::new(WatchSettings { poll: false, settle: Duration::from_millis(50) });
    let mut mirror = Mirror::with(&tree, source(&[], &["cut"]), watch);
    for seed in 0..6_u64 {
        std::thread::scope(|scope| {
            let churn = scope.spawn(|| churn(&tree, seed, 400));
            while !churn.is_finished() {
                mirror.scan_again(b"");
                let news = mirror.watch.take(Duration::from_millis(1), 50);
                mirror.apply(&news);
            }
        });
        mirror.catch_up();
        // No folder has lost its watch on the way.
        let folders = scan(&source(&[], &["cut"]), &mirror.root, 1).unwrap().0.folders;
        for (folder, _) in &folders {
            tree.write([folder.as_slice(), b"/probe"].concat(), format!("{seed}").as_bytes());
        }
        mirror.catch_up();
        assert_eq!(mirror.watch.status().overflows, 0);
        let mut folders: Vec<_> = folders.into_iter().map(|(folder, _)| folder).collect();
        folders.sort();
        assert_eq!(armed_paths(&mirror.watch), folders, "no more, no less");
        assert_eq!(unwatched(&mirror.watch), [""; 0]);
    }
}

/// Changes a tree at random; what can't be done is skipped.
fn churn(tree: &Tree, seed: u64, changes: u32) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 33) % limit
    };
    for n in 0..changes {
        let mut path = || {
            let depth = 1 + below(3);
            let names = (0..depth).map(|_| ["a", "b", "c", "d", "cut"][below(5) as usize]);
            tree.at(names.collect::<Vec<_>>().join("/"))
        };
        let one = path();
        let other = path();
        let _ = match below(8) {
            0 | 1 => fs::create_dir_all(&one),
            2 => fs::remove_dir_all(&one),
            3 => fs::remove_file(&one),
            4 | 5 => fs::rename(&one, &other),
            _ => fs::write(&one, format!("{n}")),
        };
    }
}
