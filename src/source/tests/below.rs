use super::*;

fn names(names: &[&str]) -> Vec<Box<[u8]>> {
    names.iter().map(|name| name.as_bytes().into()).collect()
}

fn looked_at(source: &TreeSource, root: &Root, folder: &[u8], names: &[Box<[u8]>]) -> Vec<Listed<'static>> {
    source.look(root, &FolderKey::from_relative_path(root.id, folder).unwrap(), names).unwrap()
}

#[test]
fn what_is_gone_or_no_folder_is_told_as_gone_and_what_a_rule_cuts_is_not_told() {
    let tree = Tree::with(&["a/f.json", "build/f.json", "s/f.json", "t/u/f.json"]);
    symlink("a", tree.at("link")).unwrap();
    tree.write("t/.outlastignore", b"u/\n");
    let mut source = source(&["*.json"], &["build/"]);
    source.state = vec![tree.at("s")];
    let below = |from: &str| scan_below(&source, &tree.root(), from.as_bytes()).unwrap();
    for from in ["none", "a/none", "none/deeper", "a/f.json", "link", "link/x"] {
        let (seen, report) = below(from);
        assert_eq!((seen.unreadable, report), (vec![from.into()], ScanReport::default()), "{from}");
        assert!(seen.folders.is_empty() && seen.files.is_empty());
    }
    for from in ["build", "build/deeper", "s", "t/u"] {
        assert_eq!(below(from), (Seen::default(), ScanReport::default()), "{from}");
        let known = names(&["f.json"]);
        assert_eq!(looked_at(&source, &tree.root(), from.as_bytes(), &known), [], "{from}");
    }
    assert_eq!(below("a").0.paths(), ["a/f.json"]);
    let in_order = |mut seen: Seen| {
        seen.folders.sort();
        seen
    };
    assert_eq!(in_order(below("").0), in_order(scan(&source, &tree.root(), 2).unwrap().0));
}

#[test]
fn a_folder_above_whose_rules_have_no_meaning_makes_what_is_below_unknown() {
    let tree = Tree::with(&["a/b/f", "a/f"]);
    tree.write("a/.outlastignore", b"[z-a]\n");
    let source = source(&[], &[]);
    let (seen, _) = scan_below(&source, &tree.root(), b"a/b").unwrap();
    assert_eq!((seen.unreadable, seen.folders), (vec![b"a/b".to_vec()], vec![]));
    for folder in [&b"a"[..], b"a/b"] {
        let folder = FolderKey::from_relative_path(RootId(1), folder).unwrap();
        let error = source.look(&tree.root(), &folder, &names(&["f"])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
    let gone = Root { path: tree.at("none"), ..tree.root() };
    let top = FolderKey::root(RootId(1));
    assert_eq!(source.look(&gone, &top, &[]).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(scan_below(&source, &gone, b"a").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_source_of_ones_own_that_cannot_look_says_so() {
    struct Own;
    impl Source for Own {
        fn scan(
            &self,
            _: &Root,
            _: usize,
            _: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
        ) -> io::Result<ScanReport> {
            Ok(ScanReport::default())
        }
        fn read(&self, _: &Root, _: &FileKey, _: u64, _: &mut Vec<u8>) -> Result<Content, ReadError> {
            unreachable!()
        }
        fn root_mark(&self, _: &Root) -> io::Result<u128> {
            Ok(0)
        }
        fn exists(&self, _: &Root, _: &FileKey) -> bool {
            false
        }
        fn accepts(&self, _: &[u8]) -> bool {
            true
        }
        fn filters(&self) -> String {
            String::new()
        }
    }
    let tree = Tree::new();
    let top = FolderKey::root(RootId(1));
    let below = gather(|visitors| Own.scan_below(&tree.root(), &top, 1, visitors));
    assert_eq!(below.unwrap_err().kind(), io::ErrorKind::Unsupported);
    assert_eq!(Own.look(&tree.root(), &top, &[]).unwrap_err().kind(), io::ErrorKind::Unsupported);
}

/// Returns whether a path is the folder or below it.
fn is_at(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}

fn parent(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&byte| byte == b'/').map_or(b"", |at| &path[..at])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_scan_below_and_a_look_agree_with_the_full_scan_everywhere_in_a_random_tree(
        plants in plants(), excludes in prop::sample::subsequence(vec!["build/", "b", "a/c.json", "**/a/b"], 0..3),
    ) {
        let tree = Tree::new();
        plants.iter().for_each(|one| plant(&tree, one));
        let source = source(&["*.json", "a"], &excludes);
        let (full, _) = scan(&source, &tree.root(), 2).unwrap();
        let mut paths = Vec::new();
        all_paths(tree.path(), b"", &mut paths);
        for (from, is_folder) in &paths {
            let (mut seen, _) = scan_below(&source, &tree.root(), from).unwrap();
            let mut expected = Seen::default();
            if *is_folder {
                expected.folders.extend(full.folders.iter().filter(|(path, _)| is_at(path, from)).cloned());
                let files = full.files.iter().filter(|(path, _)| is_at(path, from));
                expected.files.extend(files.map(|(path, kinds)| (path.clone(), kinds.clone())));
            } else if full.folders.iter().any(|(path, _)| path == parent(from)) {
                expected.unreadable.push(from.clone());
            }
            seen.folders.sort();
            expected.folders.sort();
            prop_assert_eq!(seen, expected);
        }
        let asked = names(&[".e", "a", "b", "build", "c.json", "d.json", "none.json"]);
        let folders = paths.iter().filter(|(_, is_folder)| *is_folder).map(|(path, _)| path.as_slice());
        for folder in folders.chain([&b""[..]]) {
            let reported = full.files.iter().filter(|(path, _)| parent(path) == folder);
            let reported: Vec<_> = reported.map(|(path, kinds)| (path.rsplit(|&b| b == b'/').next().unwrap(), &kinds[0])).collect();
            let looked_at = looked_at(&source, &tree.root(), folder, &asked);
            let looked_at: Vec<_> = looked_at.iter().map(|listed| (&*listed.name, &listed.kind)).collect();
            prop_assert_eq!(looked_at, reported);
        }
    }
}
