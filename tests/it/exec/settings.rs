//! What may set the command, what it is refused for, and what makes files due again.

use std::fs;

use rustix::process::Signal;

use super::{child, outcomes, run_command, wait_until};
use crate::support::{Background, Sandbox, outlast, ran};

#[test]
fn a_file_that_was_merely_found_must_not_say_what_is_run() {
    let sandbox = Sandbox::with(&[("a.txt", "x")]);
    let found = sandbox.dir.path().join("outlast.toml");
    fs::write(&found, "include = [\"*.txt\"]\nexec = [\"touch\", \"{}.ran\"]\n").unwrap();
    let refused = ran(&mut sandbox.run_command(&[])).expect(78);
    assert!(refused.stderr.contains("outlast.toml:2: exec runs code"), "{refused}");
    assert!(!sandbox.root.join("a.txt.ran").exists() && !sandbox.state.exists());
    // A command that only asks says so, and answers.
    ran(&mut sandbox.command(["status"])).expect(10);
    // Named, it is obeyed, by flag and by variable; so are the user's own file and the environment.
    let named = ["--config", found.to_str().unwrap()];
    ran(&mut sandbox.run_command(&named)).expect(0);
    assert!(sandbox.root.join("a.txt.ran").exists());
    fs::remove_file(&found).unwrap();
    let home = sandbox.dir.path().join("home");
    fs::create_dir_all(home.join("outlast")).unwrap();
    fs::write(home.join("outlast/outlast.toml"), "exec = \"cat {}\"\n").unwrap();
    let mut own = sandbox.run_command(&["--include", "*.txt", "--change-processor"]);
    ran(own.env("XDG_CONFIG_HOME", &home)).expect(0);
    assert_eq!(outcomes(&sandbox)["a.txt"].1, "x");
    let mut variable = sandbox.run_command(&["--include", "*.txt", "--change-processor"]);
    ran(variable.env("OUTLAST_EXEC", "wc -c {/}x{}")).expect(3);
}

#[test]
fn a_check_warns_of_code_in_a_file_that_a_run_may_merely_find() {
    let sandbox = Sandbox::new();
    let check = |name: &str| {
        let path = sandbox.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "exec = \"cat {}\"\n").unwrap();
        let mut command = sandbox.command(["config", "check"]);
        ran(command.arg(&path).env("XDG_CONFIG_HOME", sandbox.dir.path().join("home"))).expect(0).stderr
    };
    let told = check("outlast.toml");
    assert!(told.contains("outlast.toml:1: exec runs code") && told.contains("merely found"), "{told}");
    assert_eq!(check("named.toml"), "", "it is never found");
    assert_eq!(check("home/outlast/outlast.toml"), "", "it is the user's own");
}

#[test]
fn words_of_a_file_are_relative_to_its_folder() {
    let sandbox = Sandbox::with(&[("a.txt", "x")]);
    let home = sandbox.dir.path().join("home");
    let folder = home.join("outlast");
    fs::create_dir_all(folder.join("bin")).unwrap();
    fs::copy("/bin/cat", folder.join("bin/own-cat")).unwrap();
    fs::write(folder.join("more"), "more").unwrap();
    fs::write(folder.join("outlast.toml"), "exec = [\"bin/own-cat\", \"{}\", \"./more\"]\n").unwrap();
    // Its run is in another folder, which has neither.
    ran(sandbox.run_command(&["--include", "*.txt"]).env("XDG_CONFIG_HOME", &home)).expect(0);
    assert_eq!(outcomes(&sandbox)["a.txt"].1, "xmore");
}

#[test]
fn no_child_is_started_while_another_process_holds_the_state() {
    let sandbox = Sandbox::with(&[("a.txt", "x")]);
    let mut watch = sandbox.command(["watch", "--include", "*.txt"]);
    let watch = Background::start(watch.arg(&sandbox.root));
    wait_until(|| ran(&mut sandbox.command(["status"])).code == Some(0));
    let flag = sandbox.dir.path().join("begun");
    let exec = child(&[r#"{"window": 16}"#, flag.to_str().unwrap()]);
    for more in [&[][..], &["--dry-run"]] {
        ran(&mut run_command(&sandbox, &exec, more)).expect(11);
    }
    assert!(!flag.exists(), "it was started");
    watch.signal(Signal::TERM);
    watch.end().expect(143);
    ran(&mut run_command(&sandbox, &exec, &["--change-processor"])).expect(0);
    assert!(flag.exists());
}

#[test]
fn a_command_that_cannot_be_used_is_a_mistake_of_the_settings() {
    let sandbox = Sandbox::with(&[("a.txt", "x")]);
    for (exec, part) in [
        ("./no-such-program {}", "does not exist"),
        ("no-such-program-anywhere {}", "PATH"),
        ("no-such-program-anywhere", "No such file"),
        ("cat 'x", "quote"),
        ("{}", "placeholder"),
        ("", "no program"),
    ] {
        let refused = ran(&mut run_command(&sandbox, exec, &[]));
        assert!(
            [Some(2), Some(78)].contains(&refused.code) && refused.stderr.contains(part),
            "{exec}: {refused}"
        );
    }
    let without = ran(&mut sandbox.run_command(&["--exec", "cat {}"])).expect(78);
    assert!(without.stderr.contains("--include"), "{without}");
    // A child that names its own files needs none.
    let exec = child(&[r#"{"include": ["*.txt"]}"#]);
    ran(&mut sandbox.run_command(&["--exec", &exec])).expect(0);
}

#[test]
fn files_are_due_again_when_the_program_or_its_version_changes() {
    let sandbox = Sandbox::with(&[("a.txt", "x")]);
    let script = sandbox.dir.path().join("count.sh");
    let write = |text: &str| fs::write(&script, format!("cat \"$1\"\necho {text}\n")).unwrap();
    write("one");
    let exec = format!("sh {} {{}}", script.display());
    let run = |extra: &[&str]| ran(&mut run_command(&sandbox, &exec, extra)).expect(0).json();
    assert_eq!(run(&[])["ok"], 1);
    assert_eq!(run(&[])["unchanged"], 1);
    write("two");
    assert_eq!((run(&[])["ok"].clone(), outcomes(&sandbox)["a.txt"].1.clone()), (1.into(), "xtwo".into()));
    assert_eq!(run(&["--processor-version", "7"])["ok"], 1);
    write("three");
    assert_eq!(run(&["--processor-version", "7"])["unchanged"], 1, "the version stands for the content");
    assert_eq!(run(&["--processor-version", "8"])["ok"], 1);
}

#[test]
fn the_reference_children_pass_the_check_and_agree() {
    let sandbox = Sandbox::with(&[("a b.txt", "one\ntwo\n"), ("c.txt", "")]);
    let files = [sandbox.root.join("a b.txt"), sandbox.root.join("c.txt")];
    for (name, tool) in [("lines.py", "python3"), ("lines.mjs", "node"), ("lines.sh", "jq")] {
        if ran(std::process::Command::new("which").arg(tool)).code != Some(0) {
            crate::support::skip(&format!("{name} needs {tool}"));
            continue;
        }
        let exec = format!("{}/examples/exec/{name}", env!("CARGO_MANIFEST_DIR"));
        let checked = ran(outlast().args(["exec", "check", &exec]).args(&files)).expect(0).text();
        assert!(
            checked.contains(r#"a b.txt: {"lines":"#) && checked.contains("ended with exit code 0"),
            "{checked}"
        );
        let extra = ["--change-processor", "--reprocess"];
        ran(&mut run_command(&sandbox, &exec, &extra)).expect(0);
        let lines: Vec<_> =
            outcomes(&sandbox).into_values().map(|(_, result)| result["lines"].clone()).collect();
        assert_eq!(lines, [2, 0], "{name}");
    }
    let wrong =
        ran(outlast().args(["exec", "check", &child(&[r#"{"window": 16}"#, "exit"])])).expect(3).text();
    assert!(wrong.contains("there is no model") && wrong.contains("has `{}` in an argument"), "{wrong}");
    let mut never = outlast();
    never.args(["exec", "check", "--exec-start-timeout", "0.2", &child(&[r#"{"window": 16}"#, "never"])]);
    let never = ran(&mut never).expect(3).text();
    assert!(never.contains("no `ready` within 0.2 s"), "{never}");
    let batch = ran(outlast().args(["exec", "check", &child(&[r#"{"batch": true}"#])])).expect(0).text();
    assert!(batch.contains("window 16, batch (reserved"), "{batch}");
    ran(outlast().args(["exec", "check", "./no-such-program"])).expect(78);
}

#[test]
fn inspect_shows_what_one_file_gives() {
    let sandbox = Sandbox::with(&[("a.txt", "one\n")]);
    let file = sandbox.root.join("a.txt");
    let inspect = |exec: &str| ran(outlast().arg("inspect").arg(&file).args(["--exec", exec]));
    let seen = inspect("cat {}").expect(0).text();
    assert!(seen.contains("4 bytes") && seen.contains("\"one\""), "{seen}");
    let seen = inspect(&child(&[r#"{"content": "inline"}"#])).expect(0).text();
    assert!(seen.contains("result     4"), "{seen}");
    let failed = inspect("false {}").expect(3).text();
    assert!(failed.contains("ended with exit code 1"), "{failed}");
}
