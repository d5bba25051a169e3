//! Which configuration files count, and what a check of them finds.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use crate::support::{Ran, Sandbox, outlast, ran, skip, take_environment};
use crate::user::{AST, midway_with, slow};

const SERVICE_USER: &str = "54321";

/// The command as a user who owns nothing here; none where only root can do so.
fn as_service(sandbox: &Sandbox, folder: &str, home: &str, args: &[&str]) -> Option<Ran> {
    let bin = sandbox.dir.path().join("outlast");
    if !bin.exists() {
        fs::copy(outlast().get_program(), &bin).unwrap();
        fs::set_permissions(sandbox.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={SERVICE_USER}")).arg(format!("--regid={SERVICE_USER}"));
    command.arg("--clear-groups").arg(&bin).args(args).current_dir(sandbox.dir.path().join(folder));
    take_environment(&mut command, &outlast());
    command.env("HOME", sandbox.dir.path().join(home)).env_remove("XDG_CONFIG_HOME");
    let told = ran(&mut command);
    if told.code == Some(127) || told.stderr.contains("setpriv:") {
        skip("another user needs root and `setpriv`");
        return None;
    }
    Some(told)
}

#[test]
fn a_file_is_not_there_for_a_user_who_can_not_see_it() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let at = |path: &str| sandbox.dir.path().join(path);
    for folder in ["private/inner", "home/.config/outlast", "state"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    fs::write(at("private/outlast.toml"), "workers = 0").unwrap();
    fs::write(at("home/.config/outlast/outlast.toml"), "workers = 0").unwrap();
    for folder in ["private", "home"] {
        fs::set_permissions(at(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::set_permissions(at("state"), fs::Permissions::from_mode(0o777)).unwrap();
    let (tree, state) = (sandbox.root.to_str().unwrap(), at("state/s"));
    for folder in ["private", "private/inner"] {
        let args = ["run", tree, "--state", state.to_str().unwrap()];
        let Some(told) = as_service(&sandbox, folder, "home", &args) else { return };
        assert_eq!(told.expect(0).stderr, "", "{folder}");
    }
    let named =
        as_service(&sandbox, ".", "home", &["run", tree, "--config", "private/outlast.toml"]).unwrap();
    assert!(
        named.expect(78).stderr.contains("can't be read: Permission denied"),
        "a file that is named counts"
    );
}

#[test]
fn a_folder_that_was_removed_has_no_configuration() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let gone = sandbox.dir.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "rmdir \"$PWD\" && exec \"$0\" \"$@\""])
        .arg(outlast().get_program())
        .current_dir(&gone);
    command.arg("run").arg(&sandbox.root).arg("--state").arg(&sandbox.state);
    take_environment(&mut command, &outlast());
    ran(&mut command).expect(0);
    ran(&mut sandbox.command(["status"])).expect(0);
}

#[test]
fn a_strangers_project_file_is_not_obeyed_unless_it_is_named() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let file = sandbox.dir.path().canonicalize().unwrap().join("outlast.toml");
    fs::write(&file, "log-file = \"stolen\"\nlog-level = \"info\"\nnonsense = 1\n").unwrap();
    if chown(&file, Some(54_321), None).is_err() {
        return skip("a file of another user needs root");
    }
    let stolen = sandbox.dir.path().join("stolen");
    for args in [&["run", "tree"][..], &["status"], &["config", "show"], &["config", "check"]] {
        let told = ran(&mut sandbox.command(args)).expect(0);
        let remedy = format!("name it: --config {}", file.display());
        assert!(told.stderr.contains("is not obeyed") && told.stderr.contains(&remedy), "{told}");
        assert!(!stolen.exists());
    }
    fs::write(&file, "log-file = \"stolen\"\nlog-level = \"info\"\n").unwrap();
    let mut named = sandbox.command(["run", "tree", "--config", "outlast.toml"]);
    assert!(!ran(&mut named).expect(0).stderr.contains("obeyed"));
    assert!(stolen.exists());
}

/// The same words, from a start and from a check.
#[track_caller]
fn both_say(sandbox: &Sandbox, text: &str, words: &str) {
    fs::write(sandbox.dir.path().join("outlast.toml"), text).unwrap();
    let start = ran(&mut sandbox.command(["run", "tree"])).expect(78);
    for args in [&["config", "check"][..], &["config", "check", "outlast.toml"]] {
        let check = ran(&mut sandbox.command(args)).expect(78);
        assert!(check.text().contains(words), "{words}: {check}");
        let said = start.stderr.lines().map(|line| line.trim_start_matches("outlast: "));
        assert_eq!(said.collect::<Vec<_>>(), check.text().lines().collect::<Vec<_>>());
    }
    assert!(!sandbox.state.exists());
}

#[test]
fn a_check_finds_what_a_start_would_not_begin_for() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let token = sandbox.dir.path().join("token");
    both_say(&sandbox, "listen = \"127.0.0.1:0\"\ntoken-file = \"token\"", "token: No such file");
    both_say(&sandbox, "token-file = \"token\"", "token: No such file");
    fs::write(&token, "a-token-of-this-test").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    both_say(&sandbox, "token-file = \"token\"", "chmod 600");
    both_say(&sandbox, "log-file = \"none/log\"", "none/log can't be opened: No such file");
    both_say(&sandbox, "log-file = \"tree\"", "tree can't be opened: Is a directory");
    both_say(&sandbox, "log-file = \"tree/a.ast.json/log\"", "can't be opened: Not a directory");
    both_say(&sandbox, "cron = \"61 * * * *\"", "cron");
    both_say(&sandbox, "include = [\"a[b\"]", "a[b");
    fs::write(sandbox.dir.path().join("outlast.toml"), "cron = \"0 4 * * *\"").unwrap();
    for args in [&["run", "tree"][..], &["config", "check"], &["config", "check", "outlast.toml"]] {
        let told = ran(sandbox.command(args).env("TZ", "No/Where")).expect(78);
        assert!((told.text() + &told.stderr).contains("\"No/Where\""), "{told}");
    }
    fs::write(sandbox.dir.path().join("outlast.toml"), "log-file = \"log\"").unwrap();
    ran(&mut sandbox.command(["config", "check"])).expect(0);
    assert!(!sandbox.dir.path().join("log").exists(), "a check makes nothing");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let fifo = |path: &str| {
        let path = sandbox.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    };
    fifo("pipe");
    fifo("home/outlast/outlast.toml");
    let told = ran(&mut sandbox.command(["run", "tree", "--log-file", "pipe"])).expect(78);
    assert!(told.stderr.contains("pipe can't be opened"), "{told}");
    let mut of_user = sandbox.command(["run", "tree"]);
    let told = ran(of_user.env("XDG_CONFIG_HOME", sandbox.dir.path().join("home"))).expect(78);
    assert!(told.stderr.contains("is no file"), "{told}");
}

#[test]
fn the_token_is_read_again_and_that_is_said() {
    let sandbox = slow(24);
    let token = sandbox.dir.path().join("token");
    let write = |text: &str| {
        fs::write(&token, text).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("the-first-token-of-this-test");
    let (run, status) = midway_with(&sandbox, &["--listen", "127.0.0.1:0", "--token-file", "token"]);
    assert!(status["running"].is_object());
    ran(&mut sandbox.command(["ctl", "pause"])).expect(0);
    let reload = || ran(&mut sandbox.command(["ctl", "reload"]));
    assert!(reload().expect(0).text().contains("the token was read again and is the same"));
    write("the-second-token-of-this-test");
    assert!(reload().expect(0).text().contains("the token was read again and is another one"));
    write("short");
    let told = reload().expect(78);
    assert!(told.stderr.contains("16 characters") && told.stderr.contains("stays as it was"), "{told}");
    for order in ["resume", "stop"] {
        ran(&mut sandbox.command(["ctl", order])).expect(0);
    }
    run.end();
}
