//! A limit on the size of files, as `ulimit -f` sets it.

use std::process::Command;

use crate::support::{Ran, Sandbox, outlast, ran, take_environment};
use crate::user::AST;

/// The binary under such a limit, in blocks of 512 or 1,024 bytes.
fn limited(sandbox: &Sandbox, blocks: u32, args: &[&str]) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")]).arg(outlast().get_program());
    command.current_dir(sandbox.dir.path()).args(args).arg("--state").arg(&sandbox.state);
    take_environment(&mut command, &outlast());
    ran(&mut command)
}

#[track_caller]
fn says_the_limit(told: &Ran, code: i32) {
    assert_eq!((told.code, told.signal), (Some(code), None), "{told}");
    assert!(told.stderr.contains("File too large") && told.stderr.contains("`ulimit -f`"), "{told}");
    assert!(!told.stderr.contains("repair"), "nothing is damaged: {told}");
}

fn many() -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..3000 {
        sandbox.write(format!("{number:04}.ast.json"), AST);
    }
    sandbox.settle();
    sandbox
}

#[test]
fn a_run_that_meets_the_limit_ends_with_its_work_kept() {
    let sandbox = many();
    // The database meets it, and where that fits, the record log; with a limit between, whichever is larger first.
    let (db, log) = ("/db", "records-000001.ndjson");
    for (blocks, what) in [(1, [db, db]), (16, [db, log]), (300, [db, log]), (1200, [log, log])] {
        let told = limited(&sandbox, blocks, &["run", "tree", "--progress", "never"]);
        says_the_limit(&told, 75);
        assert!(what.iter().any(|what| told.stderr.contains(what)), "{told}");
    }
    let summary = sandbox.run_ok(&[]);
    assert_eq!(summary["pending"], 0, "{summary}");
    assert_eq!(sandbox.log().len(), 3000);
    sandbox.check();
}

#[test]
fn an_export_that_meets_the_limit_leaves_nothing_behind() {
    let sandbox = many();
    sandbox.run_ok(&[]);
    let out = sandbox.dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let blocks = 1200;
    says_the_limit(&limited(&sandbox, blocks, &["records", "--output", "out/x"]), 1);
    let mut command = Command::new("sh");
    take_environment(&mut command, &outlast());
    let status = command
        .args(["-c", "ulimit -f 1200; exec \"$0\" records --state \"$1\" > out/stdout 2> err"])
        .arg(outlast().get_program())
        .arg(&sandbox.state)
        .current_dir(sandbox.dir.path())
        .status()
        .unwrap();
    let said = std::fs::read_to_string(sandbox.dir.path().join("err")).unwrap();
    assert!(
        status.code() == Some(1) && said.contains("stdout") && said.contains("`ulimit -f`"),
        "{status} {said}"
    );
    std::fs::remove_file(out.join("stdout")).unwrap();
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
}

#[test]
fn a_log_file_that_meets_the_limit_stops_no_run() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let args = ["run", "tree", "--log-file", "log", "--log-level", "trace"];
    std::fs::write(sandbox.dir.path().join("log"), vec![b'x'; 4 << 20]).unwrap();
    let told = limited(&sandbox, 4096, &args).expect(0);
    assert!(told.stderr.contains("log can't be written") && told.stderr.contains("`ulimit -f`"), "{told}");
}
