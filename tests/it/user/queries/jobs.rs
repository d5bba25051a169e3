//! The list of jobs: how each came to its end, while another goes on and after.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Sandbox, ran};
use crate::user::{AST, BROKEN, midway, slow, wait_until};

#[track_caller]
fn report(sandbox: &Sandbox, extra: &[&str]) -> Value {
    let mut command = sandbox.command(["jobs", "--format", "json"]);
    ran(command.args(extra)).expect(0).json()
}

/// Each job's state, oldest first.
#[track_caller]
fn states(report: &Value) -> Vec<&str> {
    report["jobs"].as_array().unwrap().iter().map(|job| job["state"].as_str().unwrap()).collect()
}

/// The table's lines.
#[track_caller]
fn table(sandbox: &Sandbox, extra: &[&str]) -> Vec<String> {
    let told = ran(sandbox.command(["jobs"]).args(extra)).expect(0).text();
    told.lines().map(str::to_owned).collect()
}

/// Every line of the table, but its head, has the words of the report's job.
#[track_caller]
fn agree(sandbox: &Sandbox) {
    let (report, lines) = (report(sandbox, &[]), table(sandbox, &[]));
    let jobs = report["jobs"].as_array().unwrap();
    assert_eq!(lines.len(), jobs.len() + 1, "{lines:#?}");
    for (job, line) in jobs.iter().zip(&lines[1..]) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], job["job_id"].to_string(), "{line}");
        assert_eq!((words[1], words[2]), ("run", job["state"].as_str().unwrap()), "{line}");
        let counts = [&words[6], &words[7]].map(|word| word.parse::<u64>().unwrap());
        assert_eq!(counts.map(Value::from), [&job["ok"], &job["failed"]].map(Value::clone), "{line}");
        assert_eq!(words[8], "tree", "{line}");
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
}

#[test]
fn how_each_job_ended_is_told_while_one_goes_on_and_after() {
    let sandbox = slow(24);
    sandbox.write("broken.ast.json", BROKEN);
    sandbox.settle();

    let (run, _) = midway(&sandbox);
    run.signal(Signal::TERM);
    let first = run.end().expect(143).json();
    let told = report(&sandbox, &[]);
    assert_eq!(states(&told), ["interrupted"]);
    let job = &told["jobs"][0];
    assert_eq!([&job["ok"], &job["discovered"]], [&first["ok"], &first["discovered"]]);
    assert_eq!((&job["kind"], &job["priority"]), (&"run".into(), &0.into()));
    let root = serde_json::json!([{ "name": "tree", "path": sandbox.root }]);
    assert_eq!((&job["roots"], &job["scope"]), (&root, &Value::Null));
    let time = |name: &str| job[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("queued") <= time("started") && time("started") < time("ended"), "{job}");

    let (run, _) = midway(&sandbox);
    run.signal(Signal::KILL);
    assert_eq!(run.end().signal, Some(9));
    let told = report(&sandbox, &[]);
    assert_eq!((states(&told), &told["jobs"][1]["ended"]), (vec!["interrupted", "killed"], &Value::Null));

    let (run, _) = midway(&sandbox);
    let told = report(&sandbox, &[]);
    assert_eq!(states(&told), ["interrupted", "killed", "running"], "{told}");
    let job = &told["jobs"][2];
    assert!(job["pending"].as_u64() > Some(0) && job["ended"].is_null(), "{job}");
    let lines = table(&sandbox, &[]);
    assert!(lines[2].contains("killed") && lines[3].contains(" tree"), "{lines:#?}");
    run.signal(Signal::TERM);
    run.end().expect(143);

    sandbox.write("worse.ast.json", BROKEN);
    sandbox.settle();
    sandbox.run_code(&["--max-failures", "0", "--order", "smallest"], 3);
    sandbox.run_code(&[], 3);
    let told = report(&sandbox, &[]);
    assert_eq!(states(&told), ["interrupted", "killed", "interrupted", "failed", "completed"], "{told}");
    assert_eq!(told["jobs"][4]["pending"], Value::Null, "only of one that runs");
    agree(&sandbox);
    sandbox.check();
}

#[test]
fn a_run_that_has_found_all_tells_how_far_it_is() {
    let sandbox = slow(16);
    let (run, _) = midway(&sandbox);
    let job = wait_until("all is found", || {
        let told = report(&sandbox, &[]);
        let job = told["jobs"][0].clone();
        assert_eq!(job["state"], "running", "{job}");
        job["progress"].is_f64().then_some(job)
    });
    let number = |name: &str| job[name].as_f64().unwrap();
    let share = 1.0 - number("pending") / 16.0;
    assert!((number("progress") - share).abs() < 1e-9 && job["phase"] == "processing", "{job}");
    let line = &table(&sandbox, &[])[1];
    assert!(line.contains("running") && line.contains("% "), "{line}");
    run.end().expect(0);
    agree(&sandbox);
}

#[test]
fn the_latest_jobs_are_listed_and_no_more_are_kept_than_asked_for() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    assert_eq!(ran(&mut sandbox.command(["jobs"])).code, Some(10), "there is no state");
    for _ in 0..4 {
        sandbox.run_ok(&[]);
    }
    let numbers = |report: &Value| {
        report["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["job_id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let told = report(&sandbox, &["--limit", "2"]);
    assert_eq!((numbers(&told), &told["left_out"]), (vec![3, 4], &2.into()));
    let lines = table(&sandbox, &["--limit", "2"]);
    assert!(lines[0].starts_with("2 older jobs") && lines.len() == 4, "{lines:#?}");
    assert_eq!(numbers(&report(&sandbox, &["--all"])), [1, 2, 3, 4]);
    ran(sandbox.command(["jobs"]).args(["--all", "--limit", "2"])).expect(2);
    sandbox.run_ok(&["--jobs-kept", "2"]);
    assert_eq!(numbers(&report(&sandbox, &["--all"])), [4, 5]);
    assert!(sandbox.run(&["--jobs-kept", "0"]).expect(2).stderr.contains("1 to 10000"));
}
