//! Roots that are given through a link, and links that are changed while a process watches.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{AST, OTHER, Watcher, wait_until};
use crate::support::Sandbox;

/// Within so long a change of a link shows; a busy machine has more time.
const SOON: Duration = Duration::from_secs(20);

fn lead(link: &Path, to: impl AsRef<Path>) {
    let fresh = link.with_file_name("fresh");
    symlink(to, &fresh).unwrap();
    fs::rename(fresh, link).unwrap();
}

fn release(base: &Path, name: &str, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = base.join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_link_that_is_changed_is_followed_to_the_new_tree_and_away_from_the_old_one() {
    let sandbox = Sandbox::new();
    let base = sandbox.root.parent().unwrap().to_owned();
    release(&base, "rel1", &[("a.ast.json", AST), ("d/b.ast.json", AST), ("gone.ast.json", AST)]);
    release(&base, "rel2", &[("a.ast.json", AST), ("d/b.ast.json", OTHER), ("new/c.ast.json", AST)]);
    let link = base.join("current");
    symlink("rel1", &link).unwrap();
    sandbox.settle();
    let mut watcher = Watcher::of(&sandbox, &[&link], &[]);
    watcher.agree();
    let begun = Instant::now();
    lead(&link, "rel2");
    wait_until("the new tree is seen", || {
        let told = sandbox.log_brief();
        told.iter().any(|(path, _)| path == "new/c.ast.json").then_some(())
    });
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    watcher.agree();
    let before = sandbox.log().len();
    fs::write(base.join("rel1/late.ast.json"), AST).unwrap();
    fs::write(link.join("d/b.ast.json"), AST).unwrap();
    fs::write(link.join("new/live.ast.json"), OTHER).unwrap();
    watcher.agree();
    assert_eq!(sandbox.log().len(), before + 2, "{:?}", sandbox.log_brief());
    // The old tree goes at the same instant, as git-sync does it.
    lead(&link, "rel1");
    fs::remove_dir_all(base.join("rel2")).unwrap();
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_link_that_is_changed_again_and_again_is_followed_to_where_it_leads_at_last() {
    let sandbox = Sandbox::new();
    let base = sandbox.root.parent().unwrap().to_owned();
    release(&base, "rel1", &[("a.ast.json", AST), ("gone.ast.json", AST)]);
    release(&base, "rel2", &[("a.ast.json", OTHER), ("new.ast.json", AST)]);
    let link = base.join("current");
    symlink("rel1", &link).unwrap();
    sandbox.settle();
    let mut watcher = Watcher::of(&sandbox, &[&link], &[]);
    for round in 0..12 {
        // Also between two jobs, and while the next one begins.
        for change in 0..25 {
            lead(&link, format!("rel{}", 1 + (round + change) % 2));
            std::thread::sleep(Duration::from_millis(change * 7 % 40));
        }
        watcher.agree();
    }
    watcher.stop();
}

#[test]
fn a_link_above_the_root_counts_as_well() {
    let sandbox = Sandbox::new();
    let base = sandbox.root.parent().unwrap().to_owned();
    release(&base, "..2024_1", &[("app/a.ast.json", AST)]);
    release(&base, "..2024_2", &[("app/a.ast.json", OTHER), ("app/b.ast.json", AST)]);
    let data = base.join("..data");
    symlink("..2024_1", &data).unwrap();
    sandbox.settle();
    let root = data.join("app");
    let mut watcher = Watcher::of(&sandbox, &[&root], &[]);
    lead(&data, "..2024_2");
    fs::remove_dir_all(base.join("..2024_1")).unwrap();
    wait_until("the new tree is seen", || {
        sandbox.log_brief().iter().any(|(path, _)| path == "b.ast.json").then_some(())
    });
    watcher.agree();
    fs::write(root.join("c.ast.json"), OTHER).unwrap();
    watcher.agree();
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 1);
    watcher.stop();
}

#[test]
fn a_root_that_was_never_there_is_served_when_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("a.ast.json", AST);
    sandbox.settle();
    let link = sandbox.root.with_file_name("later");
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root, &link], &[]);
    super::away::wait_for_state(&mut watcher, &link, "away");
    release(sandbox.dir.path(), "rel1", &[("x/y.ast.json", OTHER)]);
    symlink("rel1", &link).unwrap();
    super::away::wait_for_state(&mut watcher, &link, "watched");
    watcher.agree();
    fs::write(link.join("x/z.ast.json"), OTHER).unwrap();
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_root_is_forgotten_while_it_is_served_and_files_of_others_too() {
    let sandbox = Sandbox::new();
    let base = sandbox.root.parent().unwrap().to_owned();
    sandbox.write("a.ast.json", AST);
    release(&base, "second", &[("b.ast.json", AST), ("c.ast.json", OTHER)]);
    sandbox.settle();
    let second = base.join("second");
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root, &second], &[]);
    let forget = |path: &Path| watcher.try_order(&["forget", path.to_str().unwrap()]);
    let done = forget(&second).expect(0).json();
    assert_eq!((&done["root"], &done["files"]), (&"second".into(), &2.into()), "{done}");
    let status = sandbox.status();
    assert_eq!(status["roots"].as_array().unwrap().len(), 1, "{status}");
    let done = forget(&sandbox.root.join("a.ast.json")).expect(0).json();
    assert_eq!((&done["root"], &done["files"]), (&serde_json::Value::Null, &1.into()), "{done}");
    let told = forget(&sandbox.root).expect(2);
    assert!(told.stderr.contains("only root"), "{told}");
    assert_eq!(forget(&sandbox.root.join("none")).code, Some(4));
    fs::write(second.join("d.ast.json"), AST).unwrap();
    watcher.order(&["rescan"]);
    watcher.roots.pop();
    watcher.agree();
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 1);
    watcher.stop();
}
