//! `outlast failures` and `outlast retry`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use outlast::engine::{RetryFilter, StoreView, retry};
use outlast::process::PlainProcessor;
use outlast::{
    BatchConfig, Engine, ErrorClass, ErrorMode, FileContent, FileError, RetryPolicy, RunOptions, from_fn,
};
use serde_json::{Value, json};

use crate::support::{Checker, Oddity, Ran, Sandbox, ran, skip};
use crate::user::{AST, BROKEN, StopAtEnd, midway, slow, wait_until};

/// Five broken files, one that is too large, and one that is sound.
fn mixed() -> Sandbox {
    let sandbox = broken();
    Oddity::Sparse(1001 << 20).make(&sandbox.root, b"huge.ast.json");
    sandbox.settle();
    sandbox.run_code(&[], 3);
    sandbox
}

/// The same without the large one, not run yet.
fn broken() -> Sandbox {
    let names = ["a.ast.json", "b.ast.json", "src/a.ast.json", "src/deep/c_ast.json", "src/x.syntax.json"];
    let files: Vec<_> = names.into_iter().map(|name| (name, BROKEN)).chain([("ok.ast.json", AST)]).collect();
    Sandbox::with(&files)
}

fn failures(sandbox: &Sandbox, extra: &[&str]) -> Value {
    let mut command = sandbox.command(["failures", "--format", "json"]);
    ran(command.args(extra)).expect(0).json()
}

fn retried(sandbox: &Sandbox, extra: &[&str]) -> Ran {
    ran(sandbox.command(["retry", "--format", "json"]).args(extra))
}

/// Records of a path, each by its status.
fn records_of(sandbox: &Sandbox, path: &str) -> Vec<String> {
    sandbox.log_brief().into_iter().filter(|(of, _)| of == path).map(|(_, status)| status).collect()
}

#[test]
fn what_failed_is_told_by_class_with_samples() {
    let sandbox = mixed();
    let told = failures(&sandbox, &[]);
    assert_eq!((&told["failed"], &told["waiting"]), (&6.into(), &0.into()));
    let [parse, large] = told["classes"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!((&parse["class"], &parse["failed"]), (&"parse".into(), &5.into()));
    assert_eq!((&large["class"], &large["failed"]), (&"too-large".into(), &1.into()));
    let sample = &parse["samples"][0];
    let place = (&sample["root"], &sample["path"], &sample["line"], &sample["column"]);
    assert_eq!(place, (&"tree".into(), &"a.ast.json".into(), &1.into(), &27.into()), "{sample}");
    assert!(sample["message"].as_str().unwrap().contains("was it written completely"), "{sample}");
    assert_eq!((&sample["attempts"], &sample["quarantined"]), (&1.into(), &false.into()));
    assert!(sample["committed_tick"].as_u64() > Some(0), "{sample}");
    assert_eq!(parse["samples"].as_array().unwrap().len(), 3);

    let one = failures(&sandbox, &["--class", "too-large", "--samples", "9"]);
    assert_eq!((&one["failed"], one["classes"].as_array().unwrap().len()), (&1.into(), 1));
    assert_eq!(one["classes"][0]["samples"][0]["path"], "huge.ast.json");
    let all = failures(&sandbox, &["--samples", "9"]);
    assert_eq!(all["classes"][0]["samples"].as_array().unwrap().len(), 5);
    assert_eq!(failures(&sandbox, &["--samples", "0"])["classes"][0]["samples"], json!([]));
}

#[test]
fn people_are_told_what_failed_where_and_what_to_do() {
    let sandbox = mixed();
    let told = ran(&mut sandbox.command(["failures"])).expect(0).text();
    let words = [
        "6 files failed",
        "tree/a.ast.json\n    line 1, column 27: ",
        "tree/huge.ast.json\n",
        "and 2 more",
        "A file that is changed is done again by the next run.\n",
    ];
    words.iter().for_each(|word| assert!(told.contains(word), "no {word:?}: {told}"));
    assert!(!told.contains("outlast retry"), "the same content fails again: {told}");
    let summary = ran(sandbox.command(["run", "--progress", "never"]).arg(&sandbox.root)).expect(3).text();
    assert!(summary.contains("outlast failures"), "{summary}");

    let none = ran(&mut sandbox.command(["failures", "--class", "panic"])).expect(0).text();
    assert_eq!(none, "no file failed with class panic\n");
    let sound = Sandbox::with(&[("a.ast.json", AST)]);
    sound.run_ok(&[]);
    assert_eq!(ran(&mut sound.command(["failures"])).expect(0).text(), "no file failed\n");
}

#[test]
fn what_is_retried_is_chosen_by_name_path_folder_and_class() {
    let sandbox = mixed();
    let below = sandbox.root.join("src");
    let absolute = |rest: &str| format!("{}/{rest}", sandbox.root.display());
    let (folder, glob) = (absolute("src/"), absolute("src/*.json"));
    let cases: [(&[&str], u64); 9] = [
        (&["a.ast.json"], 2),
        (&["src/*.json"], 2),
        (&["src/**"], 3),
        (&["tree/a.ast.json"], 1),
        (&["tree/src"], 3),
        (&[&folder], 3),
        (&[&glob], 2),
        (&["--class", "parse"], 5),
        (&["*.ast.json", "--class", "too-large"], 1),
    ];
    for (args, files) in cases {
        let told = retried(&sandbox, args).expect(0).json();
        assert_eq!((&told["files"], &told["running"]), (&files.into(), &false.into()), "{args:?}");
        assert_eq!(sandbox.status()["total"]["pending"], files, "{args:?}");
        retried(&sandbox, args).expect(4);
        let before = sandbox.log().len() as u64;
        assert_eq!(sandbox.run_code(&[], 3)["pending"], 0, "{args:?}");
        assert_eq!(sandbox.log().len() as u64, before + files, "{args:?}: a record for each");
    }
    // In its folder, a name is that file and no other.
    let mut command = sandbox.command(["retry", "a.ast.json", "--format", "json"]);
    assert_eq!(ran(command.current_dir(below)).expect(0).json()["files"], 1);
}

#[test]
fn a_retried_file_has_a_new_record_though_it_fails_as_before() {
    let sandbox = broken();
    sandbox.run_code(&[], 3);
    sandbox.run_code(&[], 3);
    assert_eq!(records_of(&sandbox, "b.ast.json"), ["failed"], "nothing asked for it");
    let told = ran(&mut sandbox.command(["retry", "b.ast.json"])).expect(0).text();
    assert!(told.starts_with("1 file is due again: `outlast run` does them\n"), "{told}");
    assert_eq!(failures(&sandbox, &[])["failed"], 4, "what is due again is no failure");
    let again = sandbox.run_code(&[], 3);
    assert_eq!((&again["failed"], &again["unchanged"]), (&1.into(), &5.into()));
    assert_eq!(records_of(&sandbox, "b.ast.json"), ["failed", "failed"]);
    assert_eq!(records_of(&sandbox, "a.ast.json"), ["failed"]);
    assert_eq!(sandbox.run_code(&[], 3)["failed_earlier"], 5);
    Checker::new(&sandbox.state, &[&sandbox.root]).retried().assert();
}

#[test]
fn a_run_takes_up_what_is_retried_meanwhile() {
    let sandbox = slow(60);
    sandbox.write("a.ast.json", BROKEN);
    sandbox.write("b.ast.json", BROKEN);
    let (run, _) = midway(&sandbox);
    wait_until("both failed", || (failures(&sandbox, &[])["failed"] == 2).then_some(()));
    sandbox.write("b.ast.json", AST);
    let told = retried(&sandbox, &["--class", "parse"]).expect(0).json();
    assert_eq!(
        (&told["files"], &told["classes"], &told["running"]),
        (&2.into(), &json!({"parse": 2}), &true.into())
    );
    let human = ran(&mut sandbox.command(["retry", "nothing*"])).expect(4).text();
    let summary = run.end().expect(3).json();
    assert!(human.contains("no failed file matches"), "{human}");
    assert_eq!((&summary["ok"], &summary["failed"], &summary["pending"]), (&61.into(), &1.into(), &0.into()));
    assert_eq!(records_of(&sandbox, "a.ast.json"), ["failed", "failed"]);
    assert_eq!(records_of(&sandbox, "b.ast.json"), ["failed", "ok"]);
    Checker::new(&sandbox.state, &[&sandbox.root]).retried().assert();
}

#[test]
fn a_run_leaves_the_failures_of_roots_that_are_not_its_own() {
    let sandbox = slow(40);
    let other = sandbox.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.ast.json"), BROKEN).unwrap();
    ran(sandbox.command(["run", "--progress", "never"]).arg(&other)).expect(3);
    let (run, _) = midway(&sandbox);
    let told = retried(&sandbox, &[]);
    run.end().expect(0);
    let told = told.expect(4).json();
    assert_eq!((&told["files"], &told["elsewhere"]), (&0.into(), &1.into()));
    assert_eq!(retried(&sandbox, &[]).expect(0).json()["files"], 1);
}

#[test]
fn what_the_latest_run_leaves_out_is_not_retried() {
    let sandbox = broken();
    sandbox.run_code(&[], 3);
    sandbox.write("src/deep/.outlastignore", "c_*");
    sandbox.run_code(&["--exclude", "b.*"], 3);
    let told = retried(&sandbox, &[]).expect(0).json();
    assert_eq!((&told["files"], &told["left_out"]), (&3.into(), &2.into()), "{told}");
    let told = ran(&mut sandbox.command(["retry", "tree/b.ast.json"])).expect(4).text();
    assert!(told.contains("1 file left as before") && told.contains("outlast explain"), "{told}");
    let next = sandbox.run_code(&["--exclude", "b.*"], 3);
    assert_eq!((&next["discovered"], &next["failed"]), (&4.into(), &3.into()), "{next}");
    for path in ["b.ast.json", "src/deep/c_ast.json"] {
        assert_eq!(records_of(&sandbox, path), ["failed"], "{path}");
    }
}

#[test]
fn wrong_questions_are_refused() {
    let sandbox = Sandbox::with(&[("a.ast.json", BROKEN)]);
    for command in ["failures", "retry"] {
        let told = ran(&mut sandbox.command([command])).expect(10);
        assert!(told.stderr.contains("no state here"), "{told}");
    }
    assert!(!sandbox.state.exists(), "asking makes no state");
    sandbox.run_code(&[], 3);
    for command in ["failures", "retry"] {
        let told = ran(&mut sandbox.command([command, "--class", "parsing"])).expect(2);
        let classes = ["parsing", "io-transient", "too-large", "crash"];
        classes.iter().for_each(|word| assert!(told.stderr.contains(word), "no {word}: {told}"));
    }
    let told = retried(&sandbox, &["a[b"]).expect(2);
    assert!(told.stderr.contains("glob \"a[b\""), "{told}");
    let told = ran(&mut sandbox.command(["retry", "z*"])).expect(4).text();
    assert!(told.contains("no failed file matches"), "{told}");
    assert_eq!(sandbox.status()["total"]["pending"], 0);
}

const NOBODY: u32 = 65_534;

/// Gives the sandbox to a user whom permissions hold; none where that user can't run the binary.
fn give_away(sandbox: &Sandbox) -> Option<()> {
    if rustix::process::geteuid().is_root() {
        let own = |path: &std::path::Path| chown(path, Some(NOBODY), Some(NOBODY));
        own(sandbox.dir.path()).and_then(|()| own(&sandbox.root)).ok()?;
        own(&sandbox.root.join("a.ast.json")).ok()?;
        as_owner(&mut crate::support::outlast()).arg("--version").output().ok()?;
    }
    Some(())
}

fn as_owner(command: &mut Command) -> &mut Command {
    if rustix::process::geteuid().is_root() { command.uid(NOBODY).gid(NOBODY) } else { command }
}

#[test]
fn a_file_without_permission_is_recorded_anew_only_when_asked_for() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let path = sandbox.root.join("a.ast.json");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    if give_away(&sandbox).is_none() {
        return skip("permissions need a user whom they hold");
    }
    sandbox.settle();
    let asked = |args: &[&str]| ran(as_owner(&mut sandbox.command(args)));
    let run = || asked(&["run", "tree", "--progress", "never", "--format", "json"]);
    // The state is the owner's: whoever else opens it leaves files behind.
    let records = || {
        let log = asked(&["records", "--since", "1:0"]).expect(0);
        let status = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["status"].clone();
        Value::Array(log.lines().into_iter().map(status).collect())
    };
    assert_eq!(run().expect(3).json()["failed"], 1);
    let told = asked(&["failures", "--format", "json"]).expect(0).json();
    let group = &told["classes"][0];
    assert_eq!((&group["class"], &group["failed"]), (&"io-permanent".into(), &1.into()));
    assert!(group["samples"][0]["message"].as_str().unwrap().contains("denied"), "{group}");

    run().expect(3);
    assert_eq!(records(), json!(["failed"]), "it failed again as before");
    asked(&["retry", "--class", "io-permanent"]).expect(0);
    run().expect(3);
    assert_eq!(records(), json!(["failed", "failed"]));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    asked(&["retry"]).expect(0);
    run().expect(0);
    assert_eq!(records(), json!(["failed", "failed", "ok"]));
    sandbox.settle();
    assert_eq!(run().expect(0).json()["unchanged"], 1);
}

type Opened = PlainProcessor<Box<dyn Fn(&FileContent<'_>) -> Result<u8, FileError> + Send + Sync>>;

/// A processor whose service is busy until the switch is on, but for files that don't need it.
fn service(switch: &Arc<AtomicBool>, busy: FileError) -> Opened {
    let switch = Arc::clone(switch);
    let call = move |file: &FileContent<'_>| {
        let is_fine = switch.load(Ordering::SeqCst) || file.path_text().contains("easy");
        if is_fine { Ok(1) } else { Err(busy.clone()) }
    };
    from_fn("service/1", &["*.ast.json"], Box::new(call))
}

#[test]
fn content_that_a_processor_takes_later_is_ok_once_it_is_retried() {
    for on_error in [ErrorMode::Continue, ErrorMode::Quarantine] {
        let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
        let switch = Arc::default();
        let refusal = FileError::new(ErrorClass::Processor, "no service");
        let engine = Engine::new(service(&switch, refusal));
        let config = BatchConfig { on_error, ..BatchConfig::default() };
        let run = || {
            let options = RunOptions::new(&sandbox.state);
            engine.run(std::slice::from_ref(&sandbox.root), &config, &options).unwrap().progress
        };
        assert_eq!(run().failed, 1);
        let aside = u64::from(on_error == ErrorMode::Quarantine);
        let told = failures(&sandbox, &[]);
        assert_eq!(told["classes"][0]["quarantined"], aside, "{told}");
        assert_eq!(told["classes"][0]["samples"][0]["message"], "no service");
        let human = ran(&mut sandbox.command(["failures"])).expect(0).text();
        assert_eq!(human.contains("set aside"), aside == 1, "{human}");
        switch.store(true, Ordering::SeqCst);
        let second = run();
        assert_eq!((second.failed_earlier, second.bytes), (1, 0), "the content is as it was");
        let report = retry(&sandbox.state, &RetryFilter::default()).unwrap();
        assert_eq!((report.files, report.classes[&ErrorClass::Processor]), (1, 1));
        assert_eq!(run().ok, 1);
        assert_eq!(records_of(&sandbox, "a.ast.json"), ["failed", "ok"]);
    }
}

#[test]
fn files_that_wait_for_their_next_attempt_are_told_and_can_be_tried_at_once() {
    // More than one commit makes due.
    const FILES: u64 = 8_400;
    // The others may have become due by themselves, one each half second, and be tried just then.
    const WAITING: u64 = 8_200;
    let sandbox = Sandbox::new();
    for number in 0..FILES {
        sandbox.write(format!("{number:05}.ast.json"), "{}");
        // Were all of them busy, it would be the service, and none would be blamed.
        sandbox.write(format!("{number:05}-easy.ast.json"), "{}");
    }
    let switch = Arc::default();
    let busy = FileError::new(ErrorClass::Processor, "the service is busy").may_pass();
    let engine = Engine::new(service(&switch, busy));
    let hour = RetryPolicy { attempts: 100, backoff_ms: 3_600_000, backoff_max_ms: 3_600_000 };
    let retry = [(ErrorClass::Processor, hour)].into();
    let config = BatchConfig { retry, ..BatchConfig::default() };
    let (roots, options) = ([sandbox.root.clone()], RunOptions::new(&sandbox.state));
    let done = std::thread::scope(|scope| {
        let stop = StopAtEnd(engine.stop());
        let run = scope.spawn(|| engine.run(&roots, &config, &options));
        let told = wait_until("they wait", || {
            let told = engine.view()?.failures(None, 3).unwrap();
            let class = told.classes.first()?;
            (told.waiting >= WAITING && class.failed == 0).then_some(told)
        });
        let (group, sample) = (&told.classes[0], &told.classes[0].samples[0]);
        assert_eq!((group.class, group.waiting), (ErrorClass::Processor, told.waiting));
        assert!(group.next_at.is_some() && group.next_at <= sample.next_at, "{told:?}");
        assert!(sample.attempts >= 1 && sample.message.is_none() && sample.path.ends_with(".ast.json"));
        switch.store(true, Ordering::SeqCst);
        let filter = RetryFilter { class: Some(ErrorClass::Processor), ..RetryFilter::default() };
        let report = engine.retry(&filter).unwrap();
        assert!(report.running && report.waited == report.files, "{report:?}");
        assert!(report.files <= FILES && report.files > FILES / 2, "{report:?}");
        let done = run.join().unwrap().unwrap().progress;
        drop(stop);
        done
    });
    assert_eq!((done.ok, done.failed, done.pending), (2 * FILES, 0, 0));
    assert!(engine.retry(&RetryFilter::default()).is_err(), "no run goes on");
    assert!(StoreView::open(&sandbox.state).unwrap().failures(None, 3).unwrap().classes.is_empty());
}
