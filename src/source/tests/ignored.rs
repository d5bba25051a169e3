use super::*;

#[test]
fn the_nearest_ignore_file_wins_and_can_let_in_again() {
    let tree = Tree::with(&[
        "a.json",
        "a.gen.json",
        "cut/x.json",
        "s/a.gen.json",
        "s/b.gen.json",
        "s/t/a.gen.json",
        "s/keep/x.json",
        "s/only.json",
        "only.json",
        "deep/logs/x.json",
        "logs/x.json",
    ]);
    tree.write(".outlastignore", b"# a comment\n*.gen.json\ncut/\n/only.json\nlogs\n!/logs\n");
    tree.write("s/.outlastignore", b"\xef\xbb\xbf!a.gen.json\r\nkeep/*\n");
    let (seen, report) = scan(&source(&["*.json"], &[]), &tree.root(), 3).unwrap();
    assert_eq!(seen.paths(), ["a.json", "logs/x.json", "s/a.gen.json", "s/only.json", "s/t/a.gen.json"]);
    let counts: Vec<_> = report.filtered.iter().map(|(rule, &n)| (rule.as_str(), n)).collect();
    assert_eq!(
        counts,
        [
            (".outlastignore:*.gen.json", 2),
            (".outlastignore:/only.json", 1),
            (".outlastignore:cut/", 1),
            (".outlastignore:keep/*", 1),
            (".outlastignore:logs", 1),
            ("include", 2),
        ]
    );
    let explained = source(&["*.json"], &[]).explain(tree.path(), b"s/keep/x.json").to_string();
    assert_eq!(explained, "left out by s/.outlastignore:keep/* at s/keep/x.json");
}

#[test]
fn an_exclude_glob_is_not_let_in_again() {
    let tree = Tree::with(&["a.json", "b.json"]);
    tree.write(".outlastignore", b"!b.json\n");
    let (seen, _) = scan(&source(&["*.json"], &["b.json"]), &tree.root(), 1).unwrap();
    assert_eq!(seen.paths(), ["a.json"]);
}

#[test]
fn a_folder_whose_ignore_file_has_no_meaning_is_not_ingested() {
    let tree = Tree::with(&["a.json", "s/b.json", "t/c.json"]);
    tree.write("s/.outlastignore", b"fine\nbad\xff\n");
    tree.write("t/.outlastignore", b"[z-a]\n");
    let (seen, _) = scan(&source(&["*.json"], &[]), &tree.root(), 1).unwrap();
    assert_eq!(
        (seen.paths(), seen.unreadable),
        (vec!["a.json".to_owned()], vec![b"s".to_vec(), b"t".to_vec()])
    );
    let verdict = source(&[], &[]).explain(tree.path(), b"s/b.json").to_string();
    assert_eq!(verdict, "unreadable: s: .outlastignore: line 2: not UTF-8; mend or remove it");
    tree.write(".outlastignore", &[b'a'; (1 << 20) + 1]);
    assert!(scan(&source(&[], &[]), &tree.root(), 1).unwrap_err().to_string().contains("1 MiB"));
}

#[test]
fn a_folder_of_that_name_is_a_folder_and_a_link_is_refused() {
    let tree = Tree::with(&["a/.outlastignore/x.json", "b/x.json", "patterns"]);
    tree.write("patterns", b"*\n");
    std::os::unix::fs::symlink("../patterns", tree.at("b/.outlastignore")).unwrap();
    let (seen, _) = scan(&source(&["*.json"], &[]), &tree.root(), 1).unwrap();
    assert_eq!(seen.paths(), ["a/.outlastignore/x.json"]);
    assert_eq!(seen.unreadable, [b"b".to_vec()], "what a link was meant to leave out is not guessed");
}
