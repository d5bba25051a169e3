//! Orders for a process that watches, each with what comes of it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use outlast::engine::Command;
use outlast::service::{Request, ask};

use super::{AST, OTHER, Watcher, wait_until};
use crate::support::{Content, Promise, Rng, Sandbox, ran};

fn grown() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(31);
    for number in 0..20 {
        sandbox.write(format!("d{}/f{number}.ast.json", number % 3), Content::Ast(3).bytes(&mut rng));
    }
    sandbox.settle();
    sandbox
}

/// Another folder with so many files of about so many KiB beside the root.
fn beside(sandbox: &Sandbox, name: &str, files: u64, kib: u64) -> PathBuf {
    let folder = sandbox.root.with_file_name(name);
    fs::create_dir(&folder).unwrap();
    let mut rng = Rng::new(files);
    for number in 0..files {
        fs::write(folder.join(format!("{name}{number:03}.ast.json")), Content::Large(kib).bytes(&mut rng))
            .unwrap();
    }
    folder
}

fn has_record(sandbox: &Sandbox, path: &str) -> bool {
    sandbox.log_brief().iter().any(|(recorded, _)| recorded == path)
}

#[track_caller]
fn number(done: &serde_json::Value) -> u64 {
    done["job_id"].as_u64().unwrap_or_else(|| panic!("no job in {done}"))
}

#[test]
fn a_rescan_of_everything_or_of_a_part_is_a_job_that_completes() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let all = number(&watcher.order(&["rescan"]));
    let job = watcher.wait_for_job(all, "completed");
    assert_eq!(
        (&job["kind"], &job["discovered"], &job["unchanged"]),
        (&"rescan".into(), &20.into(), &20.into())
    );
    let part = number(&watcher.order(&["rescan", sandbox.root.join("d1").to_str().unwrap()]));
    let job = watcher.wait_for_job(part, "completed");
    assert_eq!((&job["scope"], &job["ok"]), (&"d1".into(), &0.into()));
    // A file's is its folder's; what is gone is looked for from the folder above.
    let gone = sandbox.root.join("none/at/all.ast.json");
    let root = number(&watcher.order(&["rescan", gone.to_str().unwrap()]));
    assert_eq!(watcher.wait_for_job(root, "completed")["scope"], serde_json::Value::Null);
    let told = watcher.try_order(&["rescan", "/proc"]).expect(2);
    assert!(told.stderr.contains("none of the roots"), "{told}");
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_root_that_is_added_is_served_also_after_a_restart_until_it_is_removed() {
    let sandbox = grown();
    let added = beside(&sandbox, "added", 10, 4);
    let mut watcher = Watcher::start(&sandbox);
    let job = number(&watcher.order(&["add", added.to_str().unwrap()]));
    let job = watcher.wait_for_job(job, "completed");
    assert_eq!((&job["kind"], &job["ok"]), (&"added".into(), &10.into()));
    assert_eq!(job["roots"][0]["path"], added.to_str().unwrap());
    watcher.roots.push(added.clone());
    fs::write(added.join("followed.ast.json"), AST).unwrap();
    watcher.agree();
    let told = watcher.order(&["add", added.to_str().unwrap()]);
    assert!(told["what"].as_str().unwrap().contains("served already"), "{told}");

    // It is not named at the next start.
    watcher.roots.pop();
    watcher.kill();
    fs::write(added.join("while-dead.ast.json"), AST).unwrap();
    watcher.start_again();
    watcher.roots.push(added.clone());
    watcher.agree();
    fs::write(added.join("followed-again.ast.json"), AST).unwrap();
    watcher.agree();

    let told = watcher.order(&["remove", added.to_str().unwrap()]);
    assert!(!told["what"].as_str().unwrap().contains("next start"), "{told}");
    watcher.roots.pop();
    watcher.wait_for("it is served no more", |running| {
        running["watch"]["roots"].as_array().is_some_and(|roots| roots.len() == 1)
    });
    fs::remove_file(added.join("followed.ast.json")).unwrap();
    fs::write(added.join("unseen.ast.json"), AST).unwrap();
    sandbox.write("seen.ast.json", AST);
    watcher.agree();
    assert!(!has_record(&sandbox, "unseen.ast.json"));
    let status = sandbox.status();
    assert_eq!(status["roots"][1]["ok"], 13, "its records stay: {status}");
    watcher.kill_and_start();
    watcher.agree();
    let told = watcher.try_order(&["remove", sandbox.root.to_str().unwrap()]).expect(2);
    assert!(told.stderr.contains("only root"), "{told}");
    watcher.stop();
    assert!(!has_record(&sandbox, "unseen.ast.json"));
}

#[test]
fn who_removes_a_root_that_the_process_was_started_with_is_told_that_it_comes_back() {
    let sandbox = grown();
    let named = beside(&sandbox, "named", 2, 4);
    let link = named.with_file_name("link");
    std::os::unix::fs::symlink(&named, &link).unwrap();
    let watcher = Watcher::of(&sandbox, &[&sandbox.root, &link], &[]);
    let told = watcher.order(&["remove", named.to_str().unwrap()]);
    assert!(told["what"].as_str().unwrap().contains("the next start serves it again"), "{told}");
}

#[test]
fn a_queued_job_of_higher_priority_comes_first_and_the_other_one_goes_on_behind_it() {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(32);
    for number in 0..24 {
        sandbox.write(format!("f{number:02}.ast.json"), Content::Large(700).bytes(&mut rng));
    }
    let (urgent, idle) = (beside(&sandbox, "urgent", 3, 4), beside(&sandbox, "idle", 3, 4));
    let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], &["--workers", "1", "--batch-size", "1"]);
    let running = watcher.wait_for("it is midway", |running| {
        running["ok"].as_u64() > Some(1) && running["pending"].as_u64() > Some(10)
    });
    let first = running["job_id"].as_u64().unwrap();
    let later = number(&watcher.order(&["add", idle.to_str().unwrap(), "--priority", "-1"]));
    wait_until("it is listed by its name", || {
        (watcher.job(later)["roots"] == serde_json::json!([{ "name": "idle", "path": idle }])).then_some(())
    });
    let sooner = number(&watcher.order(&["add", urgent.to_str().unwrap(), "--priority", "5"]));
    let done = watcher.wait_for_job(sooner, "completed");
    assert_eq!((&done["ok"], &done["priority"]), (&3.into(), &5.into()));
    let (own, behind) = (watcher.job(first), watcher.job(later));
    assert!(own["state"] != "completed", "it came first: {own}");
    assert_eq!(behind["state"], "queued");
    watcher.wait_for_job(first, "completed");
    watcher.wait_for_job(later, "completed");
    watcher.roots.extend([urgent, idle]);
    watcher.agree();
    let order: Vec<String> =
        sandbox.log().iter().map(|record| record["root"].as_str().unwrap().to_owned()).collect();
    let last = |root: &str| order.iter().rposition(|name| name == root).unwrap();
    assert!(last("urgent") < last("tree") && last("tree") < last("idle"), "{order:?}");
    watcher.stop();
}

#[test]
fn a_job_is_cancelled_while_it_waits_and_while_it_runs() {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(33);
    for number in 0..30 {
        sandbox.write(format!("f{number:02}.ast.json"), Content::Large(700).bytes(&mut rng));
    }
    let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], &["--workers", "1", "--batch-size", "1"]);
    let running = watcher.wait_for("it is midway", |running| {
        running["ok"].as_u64() > Some(1) && running["pending"].as_u64() > Some(10)
    });
    let first = running["job_id"].as_u64().unwrap();
    let waiting = number(&watcher.order(&["rescan"]));
    watcher.order(&["cancel", &waiting.to_string()]);
    assert_eq!(watcher.job(waiting)["state"], "cancelled");
    watcher.order(&["cancel", &first.to_string()]);
    watcher.wait_for_job(first, "cancelled");
    let told = watcher.try_order(&["cancel", &first.to_string()]).expect(2);
    assert!(told.stderr.contains("no job"), "{told}");
    watcher.wait_for("it only watches", |running| running["state"] == "watching");
    let left = sandbox.status()["total"]["pending"].as_u64().unwrap();
    assert!(left > 0, "what it found stays pending");
    // What is touched goes on all the same.
    sandbox.write("touched.ast.json", AST);
    wait_until("it is there", || has_record(&sandbox, "touched.ast.json").then_some(()));
    let again = number(&watcher.order(&["rescan"]));
    watcher.wait_for_job(again, "completed");
    watcher.agree();
    watcher.stop();
}

#[test]
fn it_pauses_and_goes_on_with_what_changed_meanwhile() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    watcher.order(&["pause"]);
    watcher.wait_for("it pauses", |running| running["state"] == "paused");
    sandbox.write("d0/during.ast.json", OTHER);
    fs::rename(sandbox.root.join("d1"), sandbox.root.join("d7")).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!has_record(&sandbox, "d0/during.ast.json"));
    watcher.order(&["resume"]);
    watcher.agree();
    watcher.wait_for("it watches", |running| running["state"] == "watching");
    watcher.stop();
}

#[test]
fn other_rules_sort_what_is_pending_once_the_next_job_begins() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    watcher.order(&["pause"]);
    watcher.wait_for("it pauses", |running| running["state"] == "paused");
    for number in 0..6 {
        sandbox.write(format!("d0/new{number}.ast.json"), OTHER);
    }
    let counts = |high: u64, normal: u64| {
        move |running: &serde_json::Value| {
            let classes = &running["pending_by_class"];
            (&classes["high"], &classes["normal"]) == (&high.into(), &normal.into())
        }
    };
    watcher.wait_for("they are pending", counts(0, 6));
    let file = sandbox.dir.path().join("outlast.toml");
    fs::write(file, "[[priority]]\nmatch = \"d0/new[45]*\"\nclass = \"high\"\n").unwrap();
    watcher.order(&["reload"]);
    watcher.wait_for("the present job goes on by its rules", counts(0, 6));
    watcher.order(&["rescan"]);
    watcher.wait_for("the next one has others", counts(2, 4));
    watcher.order(&["resume"]);
    watcher.agree();
    watcher.wait_for("it watches", |running| running["state"] == "watching");
    watcher.stop();
}

#[test]
fn the_number_of_workers_changes_and_nothing_that_happens_meanwhile_is_missed() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let mut rng = Rng::new(34);
    for count in [3, 1, 2, 4] {
        for number in 0..30 {
            sandbox.write(
                format!("n{count}/d{}/f{number}.ast.json", number % 4),
                Content::Ast(4).bytes(&mut rng),
            );
        }
        watcher.order(&["workers", &count.to_string()]);
        for number in 0..30 {
            sandbox.write(
                format!("n{count}/d{}/f{number}.ast.json", number % 3),
                Content::Ast(4).bytes(&mut rng),
            );
        }
        watcher.wait_for("they are as many", |running| {
            running["workers"].as_array().is_some_and(|workers| workers.len() == count)
        });
        watcher.agree();
    }
    let told = watcher.try_order(&["workers", "0"]);
    assert_eq!(told.code, Some(2), "{told}");
    watcher.stop();
}

#[test]
fn what_happens_while_one_job_follows_another_is_not_missed() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let mut rng = Rng::new(35);
    for round in 0..60 {
        let order = Command::Rescan { path: None, scheduled: false };
        ask(&sandbox.state, &Request::Order(order)).unwrap();
        for number in 0..rng.within(1..6) {
            sandbox.write(format!("j{}/f{number}.ast.json", round % 8), Content::Ast(2).bytes(&mut rng));
            std::thread::sleep(rng.time_up_to(Duration::from_millis(8)));
        }
        if round % 15 == 0 {
            watcher.agree();
        }
    }
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_checkpoint_tells_a_cursor_that_survives_a_kill_and_a_stop_ends_it_well() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    sandbox.write("d0/last.ast.json", OTHER);
    watcher.agree();
    let done = watcher.order(&["checkpoint"]);
    let promised = Promise::of(&done);
    assert!(promised.tick > 0, "{done}");
    watcher.kill();
    let held = Promise::of(&sandbox.status());
    assert!(held >= promised, "{held:?} is less than {promised:?}");
    watcher.start_again();
    watcher.wait_for("it watches", |running| running["state"] == "watching");
    watcher.order(&["stop"]);
    let ended = wait_until("it ends", || watcher.child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0), "{}", watcher.said());
    sandbox.check();
    assert_eq!(ran(&mut sandbox.command(["ctl", "pause"])).code, Some(10));
}

#[test]
fn roots_that_lie_in_one_another_are_warned_of_at_the_start_and_when_one_is_added() {
    let sandbox = grown();
    let (first, second) = (sandbox.root.join("d0"), sandbox.root.join("d1"));
    let watcher = Watcher::of(&sandbox, &[&sandbox.root, &first], &[]);
    let warned = |inner: &PathBuf| {
        let log = fs::read_to_string(&watcher.log).unwrap();
        log.contains(&format!("{} lies in {}", inner.display(), sandbox.root.display()))
    };
    assert!(warned(&first) && !warned(&second));
    watcher.order(&["add", second.to_str().unwrap()]);
    assert!(warned(&second));
}
