//! What editors, tools and people do to a tree: at the end the records are what is there.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use super::{AST, OTHER, Watcher};
use crate::support::{Content, Disk, Rng, Sandbox, skip};

/// A sandbox with some files in folders.
fn grown() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(1);
    for number in 0..30 {
        let path = format!("d{}/e{}/f{number}.ast.json", number % 3, number % 2);
        sandbox.write(path, Content::Ast(3).bytes(&mut rng));
    }
    sandbox.settle();
    sandbox
}

#[test]
fn new_nested_folders_that_are_filled_at_once() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let mut rng = Rng::new(2);
    for round in 0..5 {
        for number in 0..60 {
            let path = format!("new{round}/a{}/b/c/d/f{number}.ast.json", number % 7);
            sandbox.write(path, Content::Ast(2).bytes(&mut rng));
        }
        watcher.agree();
    }
    fs::remove_dir_all(sandbox.root.join("new0")).unwrap();
    fs::remove_dir_all(sandbox.root.join("new1/a3")).unwrap();
    watcher.agree();
    watcher.stop();
}

#[test]
fn folders_that_are_renamed_within_out_of_and_into_the_tree() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let at = |path: &str| sandbox.root.join(path);
    fs::rename(at("d0"), at("moved")).unwrap();
    watcher.agree();
    sandbox.write("moved/e0/later.ast.json", AST);
    sandbox.write("moved/new.ast.json", AST);
    watcher.agree();
    fs::rename(at("moved/e0"), at("d1/e0/deeper")).unwrap();
    fs::rename(at("d1"), at("d0")).unwrap();
    sandbox.write("d0/e0/deeper/again.ast.json", OTHER);
    watcher.agree();
    let outside = sandbox.dir.path().join("outside");
    fs::rename(at("d2"), &outside).unwrap();
    watcher.agree();
    fs::write(outside.join("made-outside.ast.json"), AST).unwrap();
    fs::rename(&outside, at("d0/back")).unwrap();
    watcher.agree();
    sandbox.write("d0/back/e0/after.ast.json", AST);
    watcher.agree();
    // Two folders change places, and one takes the place of an empty one.
    fs::rename(at("d0"), at("tmp")).unwrap();
    fs::rename(at("moved"), at("d0")).unwrap();
    fs::rename(at("tmp"), at("moved")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::rename(at("moved"), at("empty")).unwrap();
    sandbox.write("empty/e0/last.ast.json", OTHER);
    sandbox.write("d0/last.ast.json", OTHER);
    watcher.agree();
    watcher.stop();
}

#[test]
fn files_that_are_replaced_by_a_rename() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let mut rng = Rng::new(3);
    for _ in 0..20 {
        for name in ["d0/e0/f0.ast.json", "d1/e1/f1.ast.json", "top.ast.json"] {
            let temporary = sandbox.write("d2/part.tmp", Content::Ast(4).bytes(&mut rng));
            fs::rename(temporary, sandbox.root.join(name)).unwrap();
        }
    }
    watcher.agree();
    // Files of names that are ingested change places.
    let at = |path: &str| sandbox.root.join(path);
    fs::rename(at("top.ast.json"), at("other.ast.json")).unwrap();
    fs::rename(at("d0/e0/f0.ast.json"), at("top.ast.json")).unwrap();
    fs::rename(at("other.ast.json"), at("d0/e0/f0.ast.json")).unwrap();
    watcher.agree();
    watcher.stop();
}

#[test]
fn files_and_folders_that_are_deleted_and_made_again() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let at = |path: &str| sandbox.root.join(path);
    for round in 0..12 {
        let text = if round % 2 == 0 { OTHER } else { AST };
        fs::remove_file(at("d0/e0/f0.ast.json")).unwrap();
        sandbox.write("d0/e0/f0.ast.json", text);
        fs::remove_dir_all(at("d1")).unwrap();
        sandbox.write("d1/e1/f1.ast.json", text);
        sandbox.write(format!("d1/e{round}/x.ast.json"), text);
        if round % 3 == 0 {
            watcher.agree();
        }
    }
    // What was a file is a folder, and the other way round.
    fs::remove_file(at("d0/e0/f0.ast.json")).unwrap();
    sandbox.write("d0/e0/f0.ast.json/inner.ast.json", AST);
    fs::remove_dir_all(at("d2/e0")).unwrap();
    fs::write(at("d2/e0"), "no syntax tree").unwrap();
    fs::rename(at("d1/e1"), at("folder.ast.json")).unwrap();
    watcher.agree();
    fs::remove_dir_all(at("folder.ast.json")).unwrap();
    sandbox.write("folder.ast.json", OTHER);
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_file_that_is_written_slowly_is_not_read_before_its_writer_is_through() {
    let sandbox = grown();
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--settle", "20s"]);
    let text = Content::Large(300).bytes(&mut Rng::new(4));
    let mut file = File::create(sandbox.root.join("d0/slow.ast.json")).unwrap();
    for part in text.chunks(text.len() / 12 + 1) {
        file.write_all(part).unwrap();
        file.flush().unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
    let records = || sandbox.log().iter().filter(|record| record["path"] == "d0/slow.ast.json").count();
    assert_eq!(records(), 0, "it was read half");
    drop(file);
    watcher.agree();
    assert_eq!(records(), 1);
    watcher.stop();
}

#[test]
fn a_file_that_stays_open_is_read_when_it_stands_still() {
    let sandbox = grown();
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--settle", "100ms"]);
    let mut file = File::create(sandbox.root.join("d0/open.ast.json")).unwrap();
    file.write_all(AST.as_bytes()).unwrap();
    watcher.agree();
    // By a writer who never closes it.
    file.rewind().unwrap();
    file.write_all(OTHER.as_bytes()).unwrap();
    watcher.agree();
    watcher.stop();
}

#[test]
fn what_editors_leave_beside_a_file_is_no_record() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let at = |path: &str| sandbox.root.join(path);
    let edit = |text: &str, round: u32| {
        // As vim does: a probe, a swap file, a backup by renaming, the new file.
        sandbox.write("d0/4913", "");
        fs::remove_file(at("d0/4913")).unwrap();
        sandbox.write("d0/.f.ast.json.swp", "b0VIM");
        fs::rename(at("d0/f.ast.json"), at("d0/f.ast.json~")).unwrap();
        sandbox.write("d0/f.ast.json", text);
        fs::remove_file(at("d0/f.ast.json~")).unwrap();
        fs::remove_file(at("d0/.f.ast.json.swp")).unwrap();
        // As emacs does: a lock that is a link to nothing, and its own copy.
        symlink(format!("me@host.{round}"), at("d0/.#g.ast.json")).unwrap();
        sandbox.write("d0/#g.ast.json#", text);
        sandbox.write("d0/g.ast.json", text);
        fs::remove_file(at("d0/#g.ast.json#")).unwrap();
        fs::remove_file(at("d0/.#g.ast.json")).unwrap();
        // As others do: a stream that takes the name.
        sandbox.write("d0/.goutputstream-AB12", text);
        fs::rename(at("d0/.goutputstream-AB12"), at("d0/h.ast.json")).unwrap();
        sandbox.write("d0/i.ast.json___jb_tmp___", text);
        if at("d0/i.ast.json").exists() {
            fs::rename(at("d0/i.ast.json"), at("d0/i.ast.json___jb_old___")).unwrap();
        }
        fs::rename(at("d0/i.ast.json___jb_tmp___"), at("d0/i.ast.json")).unwrap();
        let _ = fs::remove_file(at("d0/i.ast.json___jb_old___"));
    };
    sandbox.write("d0/f.ast.json", AST);
    watcher.agree();
    for round in 0..8 {
        edit(if round % 2 == 0 { OTHER } else { AST }, round);
        if round % 4 == 0 {
            watcher.agree();
        }
    }
    watcher.agree();
    let names = ["f", "g", "h", "i"].map(|name| format!("d0/{name}.ast.json"));
    let strange =
        sandbox.log_brief().into_iter().find(|(path, _)| !names.contains(path) && !path.contains("/e"));
    assert_eq!(strange, None);
    watcher.stop();
}

#[test]
fn a_change_right_after_a_record_is_not_missed_where_size_and_time_stay() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    let then = SystemTime::now() - Duration::from_secs(3600);
    let mut rng = Rng::new(5);
    for round in 0..25 {
        let path = format!("d0/r{round}.ast.json");
        let write = |text: &str| {
            let path = sandbox.write(&path, text);
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        };
        write(AST);
        std::thread::sleep(rng.time_up_to(Duration::from_millis(30)));
        write(OTHER);
    }
    watcher.agree();
    for round in 0..200 {
        sandbox.write("d1/often.ast.json", if round % 2 == 0 { AST } else { OTHER });
    }
    watcher.agree();
    watcher.stop();
}

#[test]
fn an_ignore_file_counts_from_when_it_is_written_to_when_it_goes() {
    let sandbox = grown();
    let mut watcher = Watcher::start(&sandbox);
    sandbox.write(".outlastignore", "d0/\nsecret*\n");
    // A folder's own ignore file is seen before what comes after it in the same folder.
    sandbox.write("d1/.outlastignore", "e0/\n");
    watcher.wait_for("it is seen", |running| running["watch"]["folders_waiting"] == 0);
    let mark = |name: &str| {
        sandbox.write(name, AST);
        super::wait_until("a mark is seen", || {
            sandbox.log_brief().iter().any(|(path, _)| path == name).then_some(())
        });
    };
    mark("mark1.ast.json");
    sandbox.write("secret.ast.json", AST);
    sandbox.write("d0/hidden.ast.json", AST);
    sandbox.write("d0/new/hidden.ast.json", AST);
    sandbox.write("d1/e0/hidden.ast.json", AST);
    mark("mark2.ast.json");
    std::thread::sleep(Duration::from_millis(300));
    let hidden = |path: &str| path.contains("hidden") || path.contains("secret");
    let seen = sandbox.log_brief().into_iter().find(|(path, _)| hidden(path));
    assert_eq!(seen, None, "{}", watcher.said());
    fs::write(sandbox.root.join(".outlastignore"), "secret*\n").unwrap();
    fs::remove_file(sandbox.root.join("secret.ast.json")).unwrap();
    fs::remove_file(sandbox.root.join("d1/.outlastignore")).unwrap();
    watcher.agree();
    fs::remove_file(sandbox.root.join(".outlastignore")).unwrap();
    sandbox.write("secret2.ast.json", AST);
    watcher.agree();
    watcher.stop();
}

#[test]
fn what_was_pending_when_it_was_killed_and_what_changed_while_it_was_dead() {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(6);
    for number in 0..60 {
        sandbox.write(format!("d{}/f{number}.ast.json", number % 4), Content::Large(200).bytes(&mut rng));
    }
    let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], &["--workers", "1"]);
    watcher.wait_for("it is midway", |running| {
        running["ok"].as_u64() > Some(0) && running["pending"].as_u64() > Some(5)
    });
    watcher.kill();
    let pending = sandbox.status()["total"]["pending"].as_u64().unwrap();
    assert!(pending > 0);
    fs::remove_dir_all(sandbox.root.join("d0")).unwrap();
    sandbox.write("d1/f1.ast.json", AST);
    sandbox.write("new/one.ast.json", AST);
    watcher.start_again();
    watcher.agree();
    // A burst of changes is cut short, too.
    for round in 0..4 {
        for number in 0..40 {
            sandbox.write(format!("b{}/f{number}.ast.json", number % 3), Content::Ast(9).bytes(&mut rng));
        }
        std::thread::sleep(rng.time_up_to(Duration::from_millis(60)));
        watcher.kill();
        sandbox.write(format!("b0/f{round}.ast.json"), OTHER);
        watcher.start_again();
    }
    watcher.agree();
    watcher.stop();
}

#[test]
fn files_that_rules_hide_are_removed_when_they_are_deleted() {
    let sandbox = grown();
    sandbox.write("a.gen.ast.json", AST);
    sandbox.run_ok(&[]);
    // The rules are there before the watcher is, which so never comes to `d0`.
    sandbox.write(".outlastignore", "d0/\n*.gen.ast.json\n");
    let watcher = Watcher::start(&sandbox);
    let at = |path: &str| sandbox.root.join(path);
    let is_removed = |path: &str| {
        super::wait_until("the file is removed", || {
            sandbox.log_brief().contains(&(path.to_owned(), "removed".to_owned())).then_some(())
        });
    };
    fs::remove_file(at("d0/e0/f0.ast.json")).unwrap();
    is_removed("d0/e0/f0.ast.json");
    fs::remove_file(at("a.gen.ast.json")).unwrap();
    is_removed("a.gen.ast.json");
    fs::rename(at("d0"), sandbox.dir.path().join("elsewhere")).unwrap();
    is_removed("d0/e1/f3.ast.json");
    watcher.stop();
}

#[test]
fn a_second_version_within_a_tick_of_the_clock_is_read_at_once() {
    let mut sandbox = Sandbox::new();
    let base = sandbox.dir.path().canonicalize().unwrap();
    // Inodes that have room for whole seconds only.
    let disk = match Disk::make_with(&base, "ext4", &["-I", "128"], 64 << 20) {
        Ok(disk) => disk,
        Err(why) => return skip(&format!("no file system of whole seconds here: {why}")),
    };
    sandbox.root = disk.mount.join("tree");
    fs::create_dir(&sandbox.root).unwrap();
    let mut watcher = Watcher::start(&sandbox);
    let text = |name: &str| format!("{{\"type\":\"{name}\",\"pad\":\"{}\"}}", "x".repeat(100_000));
    for number in 0..80 {
        let path = format!("f{number}.ast.json");
        sandbox.write(&path, text("A"));
        // While the first one is in flight, mostly.
        std::thread::sleep(Duration::from_micros(100 * number));
        sandbox.write(&path, text("B"));
    }
    watcher.agree();
    watcher.stop();
}
