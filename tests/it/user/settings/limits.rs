//! `--limit`: how much of a document goes into its record.

use crate::support::{Sandbox, ran};
use crate::user::AST;

const TWO: &str = concat!(
    r#"{"_type":"Module","body":[{"_type":"FunctionDef","name":"f","lineno":1,"body":[]},"#,
    r#"{"_type":"FunctionDef","name":"g","lineno":2,"body":[]}]}"#,
);

#[test]
fn other_limits_make_every_file_due_again() {
    let sandbox = Sandbox::with(&[("a.ast.json", TWO), ("b.ast.json", AST)]);
    assert_eq!(sandbox.run_ok(&[])["ok"], 2);
    assert_eq!(sandbox.run_ok(&["--limit", "depth=10000"])["unchanged"], 2, "those are the defaults");
    let limits = ["--limit", "symbols=1", "--limit", "kinds=1"];
    assert_eq!(sandbox.run_ok(&limits)["ok"], 2);
    let record = &sandbox.log()[2];
    let result = &record["result"];
    assert_eq!(result["symbols"].as_array().unwrap().len(), 1);
    assert_eq!((&result["totals"]["symbols"], &result["kinds_omitted"]), (&2.into(), &1.into()));
    assert!(record["processor"].as_str().unwrap().contains("symbols=1"), "{record}");
    let reversed = ["--limit", "kinds=1", "--limit", "symbols=7", "--limit", "symbols=1"];
    assert_eq!(
        sandbox.run_ok(&reversed)["unchanged"],
        2,
        "their order does not matter, and the last one counts"
    );
    assert_eq!(sandbox.run_ok(&["--dry-run"])["pending"], 2);
    assert_eq!(sandbox.run_ok(&[])["ok"], 2);
}

#[test]
fn a_file_that_was_too_deep_is_read_with_a_higher_limit() {
    let sandbox = Sandbox::with(&[("a.ast.json", "[[[1]]]")]);
    sandbox.run_code(&["--limit", "depth=2"], 3);
    assert_eq!(
        sandbox.log()[0]["error"]["message"],
        "nested deeper than the limit of 2; raise the limit `depth` to read it"
    );
    assert_eq!(sandbox.run_ok(&["--limit", "depth=3"])["ok"], 1);
    let inspect = |limit| ran(&mut sandbox.command(["inspect", "tree/a.ast.json", "--limit", limit]));
    inspect("depth=2").expect(3);
    inspect("depth=3").expect(0);
}

#[test]
fn what_is_no_limit_is_refused_with_what_is_allowed() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    for (limit, words) in [
        ("levels=3", "depth, symbols, imports, calls, kinds"),
        ("depth", "NAME=N"),
        ("depth=", "no number"),
        ("depth=many", "no number"),
        ("depth=-1", "no number"),
        ("depth=0", "1 to 1000000"),
        ("symbols=1000001", "0 to 1000000"),
        ("calls=99999999999999999999", "no number"),
    ] {
        for command in [&["run", "tree"][..], &["inspect", "tree/a.ast.json"]] {
            let told = ran(sandbox.command(command).args(["--limit", limit])).expect(2);
            assert!(told.stderr.contains(words) && told.stderr.contains("--limit"), "{told}");
            assert!(told.stdout.is_empty(), "{told}");
        }
    }
    assert!(!sandbox.state.exists());
}
