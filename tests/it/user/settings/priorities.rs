//! Which files come first, by rules.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Sandbox, ran};
use crate::user::{AST, midway_with, slow};

/// The paths of the records, in the order of their commits.
fn paths(sandbox: &Sandbox) -> Vec<String> {
    sandbox.log_brief().into_iter().map(|(path, _)| path).collect()
}

#[test]
fn a_killed_run_goes_on_in_the_order_of_other_rules() {
    let sandbox = slow(24);
    let (run, _) = midway_with(&sandbox, &["--priority", "f001*=low,f002*=low"]);
    run.signal(Signal::KILL);
    run.end();
    let status = sandbox.status();
    let pending = |class: &str| status["pending_by_class"][class].as_u64().unwrap();
    let sum = pending("high") + pending("normal") + pending("low");
    assert_eq!(sum, status["total"]["pending"].as_u64().unwrap());
    let before = paths(&sandbox).len();
    let file = sandbox.dir.path().join("outlast.toml");
    fs::write(&file, "[[priority]]\nmatch = [\"f002[0-3]*\"]\nclass = \"high\"\n\n[[priority]]\nmatch = \"f00[01]*\"\nclass = \"low\"\n")
        .unwrap();
    sandbox.run_ok(&["--workers", "1"]);
    let after = paths(&sandbox).split_off(before);
    let wanted = |paths: &[String]| paths.iter().filter(|path| path.starts_with("f002")).count();
    let first = &after[..wanted(&after)];
    // What was in flight when the process died comes last, and one batch of eight is of low priority.
    assert!(wanted(first) + 2 >= first.len(), "{after:?}");
    let mut all = paths(&sandbox);
    all.sort();
    assert_eq!(all, (0..24).map(|n| format!("f{n:04}.ast.json")).collect::<Vec<_>>(), "each once");
    assert_eq!(sandbox.status()["pending_by_class"], json!({"high": 0, "normal": 0, "low": 0}));
    sandbox.check();
}

#[test]
fn explain_names_the_rule_its_origin_and_the_class() {
    let sandbox = Sandbox::with(&[
        ("src/a.rs.ast.json", AST),
        ("src/b.py_ast.json", AST),
        ("large.ast.json", &format!("{AST}{}", " ".repeat(3000))),
        ("c.ast.json", AST),
    ]);
    let file = sandbox.dir.path().canonicalize().unwrap().join("outlast.toml");
    let rules = "# first\n[[priority]]\nlanguage = \"rs\"\nclass = \"high\"\n\n[[priority]]\nlarger-than = \"2K\"\n\
                 smaller-than = \"1G\"\nclass = \"low\"\n";
    fs::write(&file, rules).unwrap();
    sandbox.run_ok(&[]);
    let format = || {
        let state: Value =
            serde_json::from_slice(&fs::read(sandbox.state.join("state.json")).unwrap()).unwrap();
        state["format"].as_u64().unwrap()
    };
    assert_eq!(format(), 4, "versions without rules refuse it");
    let explained = |path: &str| sandbox.explain(sandbox.root.join(path))["priority"].clone();
    let text = file.display();
    let rust = json!({"class": "high", "rule": 1, "text": "language:rs=high", "origin": format!("{text}:2")});
    assert_eq!(explained("src/a.rs.ast.json"), rust);
    let large = "larger-than:2KiB,smaller-than:1GiB=low";
    let large = json!({"class": "low", "rule": 2, "text": large, "origin": format!("{text}:6")});
    assert_eq!(explained("large.ast.json"), large);
    let none = json!({"class": "normal", "rule": null, "text": null, "origin": null});
    assert_eq!(explained("c.ast.json"), none);
    assert_eq!(sandbox.explain("/elsewhere")["priority"], Value::Null);
    // Flags replace the rules of the file, as they do with each list.
    sandbox.run_ok(&["--priority", "language:py=high", "--priority", "c*,newer-than:7d=low"]);
    assert_eq!(explained("src/a.rs.ast.json"), none);
    let flag = |text: &str, class: &str, rule: u32| json!({"class": class, "rule": rule, "text": text, "origin": "flag --priority"});
    assert_eq!(explained("src/b.py_ast.json"), flag("language:py=high", "high", 1));
    assert_eq!(explained("c.ast.json"), flag("match:c*,newer-than:168h=low", "low", 2));
    let told = ran(sandbox.command(["explain"]).arg(sandbox.root.join("src/b.py_ast.json"))).expect(0);
    let told = String::from_utf8(told.stdout).unwrap();
    let by_job = "priority  high by rule 1: language:py=high (flag --priority), by the rules of job 2, of 20";
    assert!(told.contains(by_job), "{told}");
    let next = "next job  normal, as no rule matches, by the present configuration without flags";
    assert!(told.contains(next), "{told}");
    let same = ran(sandbox
        .command(["explain"])
        .arg(sandbox.root.join("src/a.rs.ast.json"))
        .env("OUTLAST_PRIORITY", "language:py=high"));
    let same = String::from_utf8(same.expect(0).stdout).unwrap();
    assert!(same.contains("of job 2") && !same.contains("next job"), "{same}");
    let mut from_environment = sandbox.run_command(&[]);
    from_environment.env("OUTLAST_PRIORITY", "src/{a,b}.*,smaller-than:1M=low, *=high");
    ran(&mut from_environment).expect(0);
    assert_eq!(explained("src/a.rs.ast.json")["text"], "match:src/{a,b}.*,smaller-than:1MiB=low");
    assert_eq!(explained("c.ast.json")["class"], "high");
    fs::remove_file(&file).unwrap();
    sandbox.run_ok(&[]);
    assert_eq!((format(), explained("c.ast.json")), (2, none));
    fs::write(&file, "[[profile.nightly.priority]]\nmatch = \"c*\"\nclass = \"low\"\n").unwrap();
    sandbox.run_ok(&["--profile", "nightly"]);
    let origin = explained("c.ast.json")["origin"].as_str().unwrap().to_owned();
    assert!(origin.contains("outlast.toml:1") && origin.contains("nightly"), "{origin}");
}

#[test]
fn every_mistake_in_a_rule_is_told_with_its_line_and_a_remedy() {
    let sandbox = Sandbox::new();
    let file = sandbox.dir.path().canonicalize().unwrap().join("outlast.toml");
    let rules = r#"[[priority]]
langauge = "py"
class = "hihg"

[[priority]]
class = "low"

[[priority]]
match = ["*.rs", "[a"]
larger-than = "2 parsecs"
newer-than = "soon"

[[priority]]
match = []
language = ".py"
larger-than = "3M"
class = "low"

[[priority]]
larger-than = "3M"
smaller-than = "2M"
class = "low"
"#;
    fs::write(&file, rules).unwrap();
    let told = sandbox.run(&[]).expect(78);
    let lines: Vec<String> =
        told.stderr.lines().map(|line| line.replace(&*file.to_string_lossy(), "FILE")).collect();
    for (line, words) in [
        (2, "priority.langauge is no setting; did you mean priority.language?"),
        (3, "priority.class is \"hihg\": must be one of high, normal, low; did you mean high?"),
        (5, "a priority rule has no condition"),
        (9, "match glob \"[a\": "),
        (8, "this priority rule has no class: add class = \"high\""),
        (10, "priority.larger-than is \"2 parsecs\": must be 0B or more, with its unit"),
        (11, "priority.newer-than is \"soon\": must be 1s to"),
        (14, "priority.match is a list: must be a text or a list of texts, and not empty"),
        (
            15,
            "language \".py\" is no extension: write one alone, without dots, blanks and wildcards, such as \"py\"",
        ),
        (19, "no file is larger than 3MiB and smaller than 2MiB"),
    ] {
        let place = format!("FILE:{line}: ");
        assert!(
            lines.iter().any(|told| told.contains(&place) && told.contains(words)),
            "{place}{words} is not in {lines:#?}"
        );
    }
    for (flag, words) in [
        ("*.rs", "priority \"*.rs\" has no class: write \"*.rs=high\""),
        ("*.rs=urgent", "priority.class is \"urgent\": must be one of high, normal, low"),
        ("=high", "a priority rule has no condition"),
        ("langage:py=high", "priority has no condition \"langage\"; did you mean language:py?"),
        ("larger-than:2=low", "priority.larger-than is \"2\": must be 0B or more"),
        (
            "larger-than:2M,larger-than:3M=low",
            "priority.larger-than is given twice in one rule: keep one of them",
        ),
        (
            "newer-than:7=low",
            "priority.newer-than is \"7\": must be 1s to 876600h, in whole seconds, with its unit, such as 7d",
        ),
        (
            "a=b,c=high",
            "priority.class is \"b\": must be one of high, normal, low; where the = belongs to a glob, write \"a[=]b\"",
        ),
        (
            "language:*.py=high",
            "language \"*.py\" is no extension: write one alone, without dots, blanks and wildcards, such as \"py\"",
        ),
        ("language:=high", "language \"\" is no extension"),
        (
            "language=py=high",
            "priority condition \"language\" has its value behind a colon: write language:py; for a glob write \
             match:language=py",
        ),
        ("larger-than=2M=low", "priority condition \"larger-than\" has its value behind a colon"),
        ("language=py", "priority condition \"language\" has its value behind a colon: write language:VALUE"),
        ("match: =high", "match glob \"\": empty"),
        ("larger-than: =high", "priority.larger-than is \"\": must be"),
        ("size:5M=high", "priority has no condition \"size\": a rule has match, language"),
        ("src/=low", "match glob \"src/\": names a folder; write \"src/**\""),
    ] {
        fs::remove_file(&file).unwrap_or_default();
        let told = sandbox.run(&["--priority", flag]).expect(78);
        assert!(told.stderr.contains(&format!("flag --priority: {words}")), "{flag}: {}", told.stderr);
    }
    fs::write(&file, "[priority]\nclass = \"high\"\n").unwrap();
    let told = sandbox.run(&[]).expect(78);
    assert!(
        told.stderr.contains("outlast.toml:1: priority is a list of tables: write [[priority]]"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_rule_by_language_finds_sources_and_dumps_in_any_case() {
    let sandbox = Sandbox::with(&[
        ("a.py", "a"),
        ("B.PY", "b"),
        ("c.rs", "c"),
        ("d.json", "{}"),
        ("e.py.ast.json", AST),
    ]);
    let rules =
        ["--include", "*", "--strategy", "language", "--priority", "language : Py = high, language:json=low"];
    sandbox.run_ok(&[&["--exec", "wc -c {}"], &rules[..]].concat());
    let class = |path: &str| sandbox.explain(sandbox.root.join(path))["priority"]["class"].clone();
    let classes = ["a.py", "B.PY", "c.rs", "d.json", "e.py.ast.json"].map(class);
    assert_eq!(classes, ["high", "high", "normal", "low", "high"]);
}
