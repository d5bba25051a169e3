use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

#[test]
fn paths_are_explained_by_what_decides() {
    let tree = Tree::with(&["src/a.json", "src/a.txt", "build/deep/a.json", "state/x.json"]);
    symlink("src", tree.at("link")).unwrap();
    let mut source = source(&["*.json"], &["build/"]);
    source.state = vec![tree.at("state")];
    let verdict = |path: &str| source.explain(tree.path(), path.as_bytes()).to_string();
    for (path, expected) in [
        ("src/a.json", "ingested"),
        ("src", "a folder that is visited"),
        ("src/a.txt", "left out by include at src/a.txt"),
        ("build/deep/a.json", "left out by exclude:build/ at build"),
        ("state/x.json", "left out by state-folder at state"),
        ("link/a.json", "skipped: link is never opened (symlink)"),
        ("src/none.json", "not there"),
        ("src/a.json/x", "not there"),
        ("../x", "not below a root"),
        ("/etc", "not below a root"),
        ("", "a folder that is visited"),
    ] {
        assert_eq!(verdict(path), expected, "{path}");
    }
    let missing = source.explain(&tree.at("none"), b"x").to_string();
    assert!(missing.starts_with("unreadable: "), "{missing}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_explanation_agrees_with_the_scan_for_every_path_of_a_random_tree(
        plants in plants(), excludes in prop::sample::subsequence(vec!["build/", "b", "a/c.json", "**/a/b"], 0..3),
    ) {
        let tree = Tree::new();
        plants.iter().for_each(|one| plant(&tree, one));
        let source = source(&["*.json", "a"], &excludes);
        let (seen, report) = scan(&source, &tree.root(), 2).unwrap();
        let mut paths = Vec::new();
        all_paths(tree.path(), b"", &mut paths);
        let mut left_out = 0;
        for (path, is_folder) in &paths {
            let visited = seen.folders.iter().any(|(folder, _)| folder == path);
            let reported = seen.files.get(path).map(Vec::as_slice);
            let verdict = source.explain(tree.path(), path);
            if !*is_folder && !matches!(verdict, Verdict::Unreadable { .. } | Verdict::Missing) {
                let key = FileKey::from_relative_path(RootId(1), path).unwrap();
                let hidden = source.is_hidden(&tree.root(), &key);
                let behind_link = matches!(&verdict, Verdict::Skipped { at, .. } if at != path);
                prop_assert!(behind_link || hidden == matches!(verdict, Verdict::LeftOut { .. }), "{path:?}: {verdict}");
            }
            match (&verdict, reported) {
                (Verdict::Folder, None) => prop_assert!(*is_folder && visited),
                (Verdict::Accepted(version), Some([ListedKind::File(listed)])) => {
                    prop_assert_eq!(version, listed);
                    prop_assert!(source.filters().accepts(path));
                }
                (Verdict::Skipped { reason, at }, Some([ListedKind::Skipped(listed)])) => {
                    prop_assert_eq!((reason, at), (listed, path));
                }
                (Verdict::LeftOut { at, .. }, None) => {
                    prop_assert!(!visited);
                    left_out += u64::from(at == path);
                }
                _ => prop_assert!(false, "{verdict:?} for {path:?}, which the scan reported as {reported:?}"),
            }
        }
        prop_assert_eq!(report.filtered.values().sum::<u64>(), left_out);
    }
}
