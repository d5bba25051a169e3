//! Something else in place of a file or folder of a state.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Background, Ran, Sandbox, copy};
use crate::user::AST;

/// Puts something in place of what is there, which goes.
type Put = fn(&Path);

const KINDS: [(&str, Put); 6] = [
    ("a FIFO", |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
    ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
    ("a device", |path| symlink("/dev/zero", path).unwrap()),
    ("a link that leads nowhere", |path| symlink("missing", path).unwrap()),
    ("a link that leads to itself", |path| symlink(path.file_name().unwrap(), path).unwrap()),
    ("a folder", |path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join("of-another"), "kept").unwrap();
    }),
];

/// Runs a command that ends soon, whatever it finds.
#[track_caller]
fn told(sandbox: &Sandbox, args: &[&str], what: &str) -> Ran {
    let mut child = Background::start(&mut sandbox.command(args));
    for _ in 0..1500 {
        if child.has_ended() {
            return child.end();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: {args:?} hangs");
}

#[test]
fn what_is_no_file_is_told_with_its_path_and_never_waited_for() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let [sound, away] = ["sound", "away"].map(|name| sandbox.dir.path().join(name));
    fs::rename(&sandbox.state, &sound).unwrap();
    let names =
        ["lock", "witness", "state.json", "db", "db/db", "db/conf", "in-hand", "log-checked", "repairing"];
    for name in names.iter().chain(&["records/records-000001.ndjson"]) {
        for (kind, put) in KINDS {
            let of_folder = matches!(*name, "db" | "in-hand");
            if of_folder && kind == "a folder" {
                continue;
            }
            let what = format!("{kind} in place of {name}");
            let _ = fs::remove_dir_all(&sandbox.state);
            copy(&sound, &sandbox.state);
            let path = sandbox.state.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            put(&path);
            let all = [&["status"][..], &["records"], &["run", "tree", "--wait", "1s"], &["repair"]];
            // The status tells of segments that may be dropped meanwhile, and reads none.
            for args in &all[usize::from(name.starts_with("records"))..] {
                let told = told(&sandbox, args, &what);
                assert!(told.code == Some(12) && !told.crashed(), "{what}: {args:?}: {told}");
                let words = [kind, name, "move it away"];
                assert!(words.iter().all(|word| told.stderr.contains(word)), "{what}: {args:?}: {told}");
            }
            // The remedy helps.
            let _ = fs::remove_dir_all(&away);
            let _ = fs::remove_file(&away);
            fs::rename(&path, &away).unwrap();
            told(&sandbox, &["repair"], &what).expect(0);
            told(&sandbox, &["run", "tree"], &what).expect(0);
            sandbox.check();
        }
    }
}
