//! Includes, excludes and ignore files, and runs that come without them.

use crate::support::{Sandbox, ran};
use crate::user::AST;

fn tree() -> Sandbox {
    Sandbox::with(&[
        ("a.ast.json", AST),
        ("b.json", AST),
        ("gen/c.ast.json", AST),
        ("gen/deep/d.ast.json", AST),
        (".hidden/e.ast.json", AST),
        ("node_modules/f.ast.json", AST),
    ])
}

fn paths(sandbox: &Sandbox) -> Vec<String> {
    let told = ran(&mut sandbox.command(["records"])).expect(0);
    let path = |line: &&[u8]| {
        let record: serde_json::Value = serde_json::from_slice(line).unwrap();
        record["path"].as_str().unwrap().to_owned()
    };
    let mut paths: Vec<String> = told.lines().iter().map(path).collect();
    paths.sort();
    paths
}

#[test]
fn hidden_and_ignored_folders_are_ingested_by_default() {
    let sandbox = tree();
    sandbox.write(".gitignore", "*\n");
    assert_eq!(sandbox.run_ok(&[])["ok"], 5);
    sandbox.check();
}

#[test]
fn an_include_takes_the_place_of_the_default() {
    let sandbox = tree();
    let summary = sandbox.run_ok(&["--include", "b.json", "--include", "gen/**"]);
    assert_eq!(summary["ok"], 3);
    assert_eq!(summary["filtered"]["include"], 3);
    assert_eq!(paths(&sandbox), ["b.json", "gen/c.ast.json", "gen/deep/d.ast.json"]);
}

#[test]
fn what_a_filter_hides_keeps_its_record() {
    let sandbox = tree();
    assert_eq!(sandbox.run_ok(&["--include", "*.json"])["ok"], 6);
    let without = sandbox.run_ok(&[]);
    let counts = [&without["discovered"], &without["unchanged"], &without["removed"]];
    assert_eq!(counts, [&5, &5, &0]);
    assert_eq!(paths(&sandbox).len(), 6, "b.json exists: its record stays");
    assert_eq!(sandbox.run_ok(&["--include", "*.json"])["unchanged"], 6);
    std::fs::remove_file(sandbox.root.join("b.json")).unwrap();
    assert_eq!(sandbox.run_ok(&[])["removed"], 1, "it is gone, whatever the filter says");
    assert_eq!(paths(&sandbox).len(), 5);
}

#[test]
fn what_was_excluded_is_due_when_it_no_longer_is() {
    let sandbox = tree();
    let first = sandbox.run_ok(&["--exclude", "gen/", "--exclude", "f.*"]);
    assert_eq!(first["ok"], 2);
    assert_eq!(
        (&first["filtered"]["exclude:gen/"], &first["filtered"]["exclude:f.*"]),
        (&1.into(), &1.into())
    );
    let second = sandbox.run_ok(&[]);
    assert_eq!((&second["ok"], &second["unchanged"]), (&3.into(), &2.into()));
    sandbox.check();
}

#[test]
fn an_ignore_file_cuts_and_its_removal_lets_in() {
    let sandbox = tree();
    let ignore = sandbox.write(".outlastignore", "gen/*\n!gen/deep/\n");
    let first = sandbox.run_ok(&[]);
    assert_eq!(first["ok"], 4);
    assert_eq!(first["filtered"][".outlastignore:gen/*"], 1);
    assert_eq!(
        paths(&sandbox),
        [".hidden/e.ast.json", "a.ast.json", "gen/deep/d.ast.json", "node_modules/f.ast.json"]
    );
    std::fs::remove_file(ignore).unwrap();
    assert_eq!(sandbox.run_ok(&[])["ok"], 1);
    sandbox.check();
}

#[test]
fn an_ignore_file_that_cannot_be_understood_closes_its_folder_and_says_so() {
    let sandbox = tree();
    sandbox.run_ok(&[]);
    sandbox.write("gen/.outlastignore", b"\xff\xfe");
    std::fs::remove_file(sandbox.root.join("gen/c.ast.json")).unwrap();
    let told = sandbox.run(&[]).expect(3);
    let summary = told.json();
    assert_eq!((&summary["unreadable_folders"], &summary["removed"]), (&1.into(), &0.into()));
    assert!(told.stderr.contains("gen") && told.stderr.contains(".outlastignore"), "{told}");
    let explained = sandbox.explain(sandbox.root.join("gen/c.ast.json"));
    assert!(explained["scan"].as_str().unwrap().starts_with("unreadable"), "{explained}");
}

#[test]
fn what_is_deleted_where_rules_cut_is_removed() {
    let sandbox = tree();
    assert_eq!(sandbox.run_ok(&[])["ok"], 5);
    sandbox.write(".outlastignore", "gen/\n");
    let exclude = ["--exclude", "node_modules"];
    let cut = sandbox.run_ok(&exclude);
    assert_eq!((&cut["discovered"], &cut["removed"]), (&2.into(), &0.into()), "they exist");
    let remove = |path: &str| std::fs::remove_file(sandbox.root.join(path)).unwrap();
    ["gen/c.ast.json", "node_modules/f.ast.json"].into_iter().for_each(remove);
    assert_eq!(sandbox.run_ok(&[&exclude[..], &["--dry-run"]].concat())["removed"], 2);
    assert_eq!(sandbox.run_ok(&exclude)["removed"], 2);
    assert_eq!(paths(&sandbox), [".hidden/e.ast.json", "a.ast.json", "gen/deep/d.ast.json"]);
    std::fs::remove_dir_all(sandbox.root.join("gen/deep")).unwrap();
    assert_eq!(sandbox.run_ok(&exclude)["removed"], 1);
}

#[test]
fn what_is_pending_when_a_rule_cuts_it_is_not_processed() {
    const FILES: u64 = 6_000;
    let sandbox = Sandbox::new();
    // Stopped at the first file, which is broken, or behind the files that one tick commits.
    sandbox.write("0.ast.json", "{");
    for number in 0..FILES {
        sandbox.write(format!("d{}/f{number}.ast.json", number % 6), AST);
    }
    sandbox.settle();
    let stop = ["--workers", "1", "--batch-size", "1", "--on-error", "fail-fast"];
    let stopped = sandbox.run_code(&stop, 3);
    let below_d2 = || sandbox.log_brief().into_iter().filter(|(path, _)| path.starts_with("d2/")).count();
    let done = below_d2();
    assert!((done as u64) < FILES / 6, "some of d2 are pending: {stopped}");
    let cut = sandbox.write(".outlastignore", "d1/\nf3*\n/0.ast.json\n");
    sandbox.write("d2/.outlastignore", "*\n");
    let is_let_in = |number: &u64| !matches!(number % 6, 1 | 2) && !number.to_string().starts_with('3');
    let let_in = (0..FILES).filter(is_let_in).count() as u64;
    let dry = sandbox.run_ok(&["--dry-run"]);
    assert_eq!((&dry["discovered"], &dry["removed"]), (&let_in.into(), &0.into()), "{dry}");
    let next = sandbox.run_ok(&[]);
    assert_eq!((&next["discovered"], &next["pending"]), (&let_in.into(), &0.into()), "{next}");
    assert_eq!(next["skipped"].as_object().unwrap().len(), 0, "{next}");
    assert_eq!(below_d2(), done, "no file was processed that is left out");
    std::fs::remove_file(cut).unwrap();
    std::fs::remove_file(sandbox.root.join("d2/.outlastignore")).unwrap();
    let all = sandbox.run_code(&[], 3);
    assert_eq!(all["discovered"], FILES + 1);
    sandbox.check();
}
