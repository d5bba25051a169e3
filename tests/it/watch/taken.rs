//! The state, or the records, are taken from under a watcher.

use std::fs;

use super::*;
use crate::support::outlast;

fn grown() -> Sandbox {
    let files: Vec<String> = (0..20).map(|number| format!("d{}/f{number}.ast.json", number % 3)).collect();
    let text = r#"{"_type":"Module","body":[]}"#;
    Sandbox::with(&files.iter().map(|path| (path.as_str(), text)).collect::<Vec<_>>())
}

#[test]
fn a_watcher_whose_lock_file_is_removed_keeps_others_out_and_ends() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    watcher.agree();
    fs::remove_file(sandbox.state.join("lock")).unwrap();
    for command in [&["repair"][..], &["run", "tree"]] {
        let told = ran(&mut sandbox.command(command));
        // It may have noticed, and be gone by now.
        assert!(matches!(told.code, Some(0 | 11)), "{told}");
        assert!(!sandbox.state.join("db.damaged").exists());
    }
    let (code, said) = watcher.ended();
    assert_eq!(code, Some(11), "{said}");
    assert!(said.contains("state/lock") && said.contains("removed or replaced"), "{said}");
    ran(&mut sandbox.command(["run", "tree"])).expect(0);
}

#[test]
fn a_watcher_whose_state_is_removed_ends_and_leaves_a_new_one_alone() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    watcher.agree();
    fs::remove_dir_all(&sandbox.state).unwrap();
    ran(&mut sandbox.command(["run", "tree"])).expect(0);
    let description = fs::read(sandbox.state.join("state.json")).unwrap();
    let (code, said) = watcher.ended();
    assert!(matches!(code, Some(10 | 11)), "{said}");
    assert!(said.contains("removed or replaced while"), "{said}");
    assert_eq!(fs::read(sandbox.state.join("state.json")).unwrap(), description);
    assert_eq!(sandbox.status()["total"]["ok"], 20);
    ran(&mut sandbox.command(["run", "tree"])).expect(0);
}

#[test]
fn a_repair_of_another_state_changes_no_record_of_a_watcher() {
    let sandbox = grown();
    let out = sandbox.dir.path().join("out");
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--out", out.to_str().unwrap()]);
    let segment = out.join("records-000001.ndjson");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[0] = b'[';
    fs::write(&segment, &bytes).unwrap();
    let mut repair = outlast();
    repair.arg("repair").arg("--state").arg(sandbox.dir.path().join("other")).arg("--out").arg(&out);
    let told = ran(&mut repair);
    assert_eq!(told.code, Some(11), "{told}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    watcher.assert_alive("the repair");
}

#[test]
fn a_watcher_that_rests_keeps_no_folder_of_a_tree_open() {
    let sandbox = grown();
    ran(&mut sandbox.command(["run", "tree"])).expect(0);
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--exclude", "d1/"]);
    // A file that is known, and that a rule leaves out, goes and comes back.
    let (file, aside) = (sandbox.root.join("d1/f1.ast.json"), sandbox.root.join("d1/aside"));
    let (root, fds) = (sandbox.root.canonicalize().unwrap(), format!("/proc/{}/fd", watcher.child.id()));
    let events = |running: &Value| running["watch"]["status"]["events"].as_u64().unwrap();
    let before = events(&watcher.status().unwrap()["running"]);
    fs::rename(&file, &aside).unwrap();
    fs::rename(&aside, &file).unwrap();
    watcher.wait_for("that is seen", |running| events(running) > before);
    let keeps_none = || {
        let open = fs::read_dir(&fds).unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        (!open.into_iter().any(|path| path.starts_with(&root))).then_some(())
    };
    std::thread::sleep(std::time::Duration::from_millis(500));
    wait_until("nothing of the tree is open", keeps_none);
}
