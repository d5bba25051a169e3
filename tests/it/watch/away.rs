//! Roots that go away and come back, while others go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{AST, OTHER, Watcher, wait_until};
use crate::support::{Content, Disk, Rng, Sandbox, skip};

/// The root, and another one beside it.
pub(super) fn two_roots() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let second = sandbox.root.with_file_name("second");
    let mut rng = Rng::new(11);
    for number in 0..40 {
        sandbox.write(format!("d{}/f{number}.ast.json", number % 3), Content::Ast(3).bytes(&mut rng));
        let path = second.join(format!("s{}", number % 3));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("g{number}.ast.json")), Content::Ast(3).bytes(&mut rng)).unwrap();
    }
    sandbox.settle();
    (sandbox, second)
}

fn state_of<'v>(running: &'v Value, root: &Path) -> &'v str {
    let roots = running["watch"]["roots"].as_array().map_or(&[][..], Vec::as_slice);
    let found = roots.iter().find(|told| told["path"].as_str().map(Path::new) == Some(root));
    found.and_then(|told| told["state"].as_str()).unwrap_or_default()
}

#[track_caller]
pub(super) fn wait_for_state(watcher: &mut Watcher<'_>, root: &Path, state: &str) {
    watcher.wait_for(&format!("{} is {state}", root.display()), |running| state_of(running, root) == state);
}

/// How many files of a root were taken for gone.
fn removed(sandbox: &Sandbox, root: &str) -> usize {
    sandbox.log().iter().filter(|record| record["root"] == root && record["status"] == "removed").count()
}

/// The first root goes, the second one changes meanwhile, the first one comes back with changes.
fn goes_and_comes_back(sandbox: &Sandbox, second: &Path, mut go: impl FnMut(), mut come: impl FnMut()) {
    let root = sandbox.root.clone();
    let name = root.file_name().unwrap().to_str().unwrap();
    let mut watcher = Watcher::of(sandbox, &[&root, second], &[]);
    for round in 0..2 {
        let before = removed(sandbox, name);
        go();
        fs::remove_file(second.join(format!("s0/g{}.ast.json", 3 * round))).unwrap();
        wait_for_state(&mut watcher, &root, "away");
        fs::write(second.join(format!("while-away{round}.ast.json")), AST).unwrap();
        fs::remove_dir_all(second.join(format!("s{}", round + 1))).unwrap();
        wait_until("the other root goes on", || {
            let told = watcher.status()?;
            let other =
                told["roots"].as_array()?.iter().find(|told| told["path"] == second.to_str().unwrap())?;
            // Of 40 files, 13 to 14 in each folder.
            let left = [27, 14][round] as u64;
            (other["ok"] == left && other["pending"] == 0).then_some(())
        });
        assert_eq!(removed(sandbox, name), before, "what is away is not removed: {}", watcher.said());
        come();
        wait_for_state(&mut watcher, &root, "watched");
        watcher.agree();
        sandbox.write(format!("d0/back{round}.ast.json"), OTHER);
        sandbox.write(format!("d9/new/back{round}.ast.json"), OTHER);
        watcher.agree();
        let jobs = watcher.status().unwrap()["jobs"].as_array().unwrap().len();
        assert!(jobs < 20, "a root that is back is scanned once, and there were {jobs} jobs");
    }
    watcher.stop();
}

#[test]
fn a_root_that_is_renamed_away_and_back() {
    let (sandbox, second) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    goes_and_comes_back(
        &sandbox,
        &second,
        || fs::rename(&root, &elsewhere).unwrap(),
        || {
            fs::write(elsewhere.join("meanwhile.ast.json"), OTHER).unwrap();
            let _ = fs::remove_file(elsewhere.join("d1/f1.ast.json"));
            fs::rename(&elsewhere, &root).unwrap();
        },
    );
}

#[test]
fn a_root_that_a_copy_of_it_takes_the_place_of() {
    let (sandbox, second) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    goes_and_comes_back(
        &sandbox,
        &second,
        || fs::rename(&root, &elsewhere).unwrap(),
        || {
            let copied = Command::new("cp").arg("-a").arg(&elsewhere).arg(&root).status().unwrap();
            assert!(copied.success());
            fs::remove_dir_all(&elsewhere).unwrap();
        },
    );
}

#[test]
fn a_root_whose_file_system_is_unmounted_and_mounted_again() {
    let (mut sandbox, second) = two_roots();
    let disk = match Disk::make(&sandbox.dir.path().canonicalize().unwrap(), "ext4", 64 << 20) {
        Ok(disk) => std::cell::RefCell::new(disk),
        Err(why) => return skip(&format!("no file system of its own can be made here: {why}")),
    };
    sandbox.root = disk.borrow().mount.clone();
    for number in 0..40 {
        sandbox.write(
            format!("d{}/f{number}.ast.json", number % 3),
            Content::Ast(3).bytes(&mut Rng::new(number)),
        );
    }
    rustix::fs::sync();
    goes_and_comes_back(
        &sandbox,
        &second,
        || disk.borrow_mut().pull().unwrap(),
        || disk.borrow_mut().mount().unwrap(),
    );
}

#[test]
fn a_root_that_is_not_there_at_the_start_is_scanned_when_it_comes() {
    let (sandbox, second) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    let mut watcher = Watcher::of(&sandbox, &[&root, &second], &[]);
    watcher.agree();
    watcher.kill();
    fs::rename(&root, &elsewhere).unwrap();
    fs::write(elsewhere.join("meanwhile.ast.json"), OTHER).unwrap();
    fs::write(second.join("meanwhile.ast.json"), OTHER).unwrap();
    watcher.start_again();
    wait_for_state(&mut watcher, &root, "away");
    wait_until("the other root is served", || {
        sandbox.log_brief().iter().any(|(path, _)| path == "meanwhile.ast.json").then_some(())
    });
    fs::rename(&elsewhere, &root).unwrap();
    watcher.agree();
    sandbox.write("later.ast.json", AST);
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_root_that_is_named_by_a_link_and_not_there_at_the_start_is_scanned_when_it_comes() {
    let (sandbox, second) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    let folder = root.parent().unwrap();
    // The one leads through the other, and by a relative way.
    std::os::unix::fs::symlink(folder, folder.join("up")).unwrap();
    std::os::unix::fs::symlink(Path::new("up").join(root.file_name().unwrap()), folder.join("link")).unwrap();
    let link = folder.join("link");
    let mut watcher = Watcher::of(&sandbox, &[&link, &second], &[]);
    watcher.kill();
    fs::rename(&root, &elsewhere).unwrap();
    watcher.start_again();
    wait_for_state(&mut watcher, &link, "away");
    fs::rename(&elsewhere, &root).unwrap();
    wait_for_state(&mut watcher, &link, "watched");
    sandbox.write("later.ast.json", AST);
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_root_that_is_not_there_at_the_start_with_other_limits_is_processed_anew_when_it_comes() {
    let (sandbox, second) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    let mut watcher = Watcher::of(&sandbox, &[&root, &second], &[]);
    watcher.agree();
    watcher.kill();
    fs::rename(&root, &elsewhere).unwrap();
    watcher.extra.extend(["--limit".to_owned(), "symbols=7".to_owned()]);
    watcher.start_again();
    wait_for_state(&mut watcher, &root, "away");
    let records = || sandbox.log().iter().filter(|record| record["status"] == "ok").count();
    wait_until("the other root is processed again", || (records() == 120).then_some(()));
    fs::rename(&elsewhere, &root).unwrap();
    wait_until("the one that is back is, too", || (records() == 160).then_some(()));
    // Once, however often it comes back.
    fs::rename(&root, &elsewhere).unwrap();
    wait_for_state(&mut watcher, &root, "away");
    fs::rename(&elsewhere, &root).unwrap();
    wait_for_state(&mut watcher, &root, "watched");
    sandbox.write("later.ast.json", AST);
    wait_until("what comes then is seen", || {
        sandbox.log_brief().iter().any(|(path, _)| path == "later.ast.json").then_some(())
    });
    watcher.wait_for("it only watches", |running| running["state"] == "watching");
    assert_eq!(records(), 161);
}

#[test]
fn scans_that_are_asked_for_while_all_roots_are_away_do_not_pile_up() {
    let (sandbox, _) = two_roots();
    let (root, elsewhere) = (sandbox.root.clone(), sandbox.root.with_file_name("elsewhere"));
    let mut watcher = Watcher::of(&sandbox, &[&root], &["--reconcile", "1s"]);
    watcher.agree();
    fs::rename(&root, &elsewhere).unwrap();
    wait_for_state(&mut watcher, &root, "away");
    for _ in 0..2 {
        let jobs: Vec<_> = (0..3).map(|_| watcher.order(&["rescan"])["job_id"].clone()).collect();
        assert!(jobs[0].is_u64() && jobs.iter().all(|job| *job == jobs[0]), "{jobs:?}");
        std::thread::sleep(std::time::Duration::from_millis(2500));
        let running = watcher.wait_for("it tells", |running| running["watch"].is_object());
        assert_eq!(running["watch"]["queued_jobs"], 1, "{running}");
        watcher.kill_and_start();
        wait_for_state(&mut watcher, &root, "away");
    }
    fs::rename(&elsewhere, &root).unwrap();
    wait_for_state(&mut watcher, &root, "watched");
    watcher.agree();
    watcher.stop();
}
