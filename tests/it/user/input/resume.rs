//! `outlast run --resume`: a job goes on with its roots and its settings.

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Background, Sandbox, ran, summary_adds_up};
use crate::user::{AST, slow, wait_until};

/// A run that goes on with a job, started elsewhere than the killed one.
fn resume(sandbox: &Sandbox, job: &str, extra: &[&str]) -> Command {
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never", "--resume", job]);
    command.args(extra).current_dir("/");
    command
}

/// Kills a run once some files are done and some are not; returns how many are.
fn kill_midway(sandbox: &Sandbox, extra: &[&str]) -> u64 {
    let run = Background::start(&mut sandbox.run_command(&[&["--workers", "1"], extra].concat()));
    wait_until("some files are done and some are not", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        let status = (told.code == Some(0)).then(|| told.json())?;
        (status["total"]["ok"].as_u64()? > 0 && status["total"]["pending"].as_u64()? > 0).then_some(())
    });
    run.signal(Signal::KILL);
    run.end();
    sandbox.status()["total"]["ok"].as_u64().unwrap()
}

fn state_id(sandbox: &Sandbox) -> String {
    let state: Value = serde_json::from_slice(&fs::read(sandbox.state.join("state.json")).unwrap()).unwrap();
    state["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_job_goes_on_with_its_own_roots_and_settings() {
    let sandbox = slow(40);
    sandbox.write("other.ast.json", AST);
    let done =
        kill_midway(&sandbox, &["--include", "f*.ast.json", "--batch-size", "3", "--strategy", "count"]);
    // What other layers say does not count, and a flag does.
    let job = format!("1@{}", state_id(&sandbox));
    let mut command = resume(&sandbox, &job, &["--workers", "2"]);
    let summary = ran(command.env("OUTLAST_INCLUDE", "*.txt")).expect(0).json();
    summary_adds_up(&summary).unwrap();
    assert_eq!(summary["job_id"], 2);
    assert_eq!([&summary["discovered"], &summary["unchanged"]], [&json!(40), &json!(done)]);
    assert_eq!(summary["ok"], 40 - done);
    // A batch has three files, and the last one what is left.
    assert!(summary["batches"].as_u64().unwrap() >= (40 - done) / 3, "{summary}");
    let again = ran(&mut resume(&sandbox, "2", &[])).expect(0).json();
    assert_eq!([&again["unchanged"], &again["ok"]], [40, 0], "a job that is done has nothing left");
    let mut paths: Vec<_> = sandbox.log_brief().into_iter().map(|(path, _)| path).collect();
    paths.sort();
    assert_eq!(
        paths,
        (0..40).map(|number| format!("f{number:04}.ast.json")).collect::<Vec<_>>(),
        "each once"
    );
}

#[test]
fn a_job_on_a_list_does_what_it_had_found_or_the_list_again_and_no_other_file() {
    let sandbox = slow(40);
    let list: String = (0..30).map(|number| format!("f{number:04}.ast.json\n")).collect();
    let list_file = sandbox.dir.path().join("list");
    fs::write(&list_file, &list).unwrap();
    let done = kill_midway(&sandbox, &["--files-from", "list"]);
    let summary = ran(&mut resume(&sandbox, "1", &[])).expect(0).json();
    summary_adds_up(&summary).unwrap();
    assert_eq!([&summary["ok"], &summary["discovered"]], [30 - done, 30 - done], "{summary}");
    let jobs = ran(&mut sandbox.command(["jobs", "--format", "json"])).expect(0).json();
    let kinds: Vec<_> = jobs["jobs"].as_array().unwrap().iter().map(|job| &job["kind"]).collect();
    assert_eq!(kinds, ["listed", "listed"]);
    let again = ran(&mut resume(&sandbox, "2", &[])).expect(0).json();
    assert_eq!(again["discovered"], 0);
    let extra = ["--files-from", list_file.to_str().unwrap()];
    let again = ran(&mut resume(&sandbox, "2", &extra)).expect(0).json();
    assert_eq!([&again["unchanged"], &again["ok"]], [30, 0]);
    assert_eq!(sandbox.log().len(), 30);
}

#[test]
fn what_no_job_of_this_state_is_is_refused_with_what_there_is() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    ran(&mut resume(&sandbox, "1", &[])).expect(10);
    sandbox.run_ok(&[]);
    let state = sandbox.state.display();
    let refused = |command: &mut Command| ran(command).expect(2).stderr;
    let told = refused(&mut resume(&sandbox, "7", &[]));
    assert_eq!(told, format!("outlast: {state}: knows no job 7; it knows job 1: see `outlast jobs`\n"));
    sandbox.run_ok(&[]);
    let told = refused(&mut resume(&sandbox, "0", &[]));
    assert_eq!(
        told,
        format!("outlast: {state}: knows no job 0; it knows jobs 1 to 2: see `outlast jobs --all`\n")
    );
    let told = refused(&mut resume(&sandbox, "1@0123abcd", &[]));
    assert!(told.contains("was made anew or repaired since the checkpoint"), "{told}");
    let told = refused(&mut resume(&sandbox, "1", &["--include", "*", "--exec", "wc -l {}"]));
    assert!(told.contains("job 1 was done by ast/"), "{told}");
    let told = refused(&mut resume(&sandbox, "first", &[]));
    assert!(told.contains("expected the number of a job"), "{told}");
    let told = refused(resume(&sandbox, "1", &[]).arg(&sandbox.root));
    assert!(told.contains("cannot be used with"), "{told}");
    ran(sandbox.command(["forget"]).arg(&sandbox.root)).expect(0);
    let told = refused(&mut resume(&sandbox, "1", &[]));
    assert!(told.contains("has forgotten the roots of job 1"), "{told}");
    assert_eq!(sandbox.log_brief().len(), 2);
}
