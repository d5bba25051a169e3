//! What reaches a terminal, and what becomes of a command whose output nobody takes.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::support::{Ran, Sandbox, outlast, ran, skip, take_environment};
use crate::user::{AST, BROKEN};

/// A title is set, a colour, and a line ends: in seven bits, in eight, and the direction of writing turns.
const HOSTILE: &str = "\u{1b}]0;PWNED\u{7}\u{9b}31m\n\u{202e}";

/// Whether nothing in it steers a terminal.
#[track_caller]
fn is_plain(told: &Ran) {
    let steers = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    for text in [told.text(), told.stderr.clone()] {
        let at = text.chars().position(|c| steers(&c));
        assert_eq!(at, None, "{text:?}");
        assert!(!text.contains('\n') || text.lines().all(|line| !line.starts_with("PWNED")), "{text:?}");
    }
}

#[track_caller]
fn shows(told: &Ran, what: &str) {
    is_plain(told);
    let text = told.text() + &told.stderr;
    assert!(text.contains(what), "no {what:?}: {told}");
}

const SHOWN: &str = r"\u{1b}]0;PWNED\u{7}\u{9b}31m\n\u{202e}";

/// A root, a rule, files that fail and a file that is left out, all with such names.
fn hostile() -> Sandbox {
    let sandbox = Sandbox::new();
    let root = sandbox.dir.path().join(format!("r{HOSTILE}"));
    fs::create_dir(&root).unwrap();
    let rule = HOSTILE.replace('\n', "?");
    fs::write(root.join(".outlastignore"), format!("{rule}left.ast.json\n")).unwrap();
    for (name, text) in [("left", AST), ("broken", BROKEN), ("sound", AST)] {
        fs::write(root.join(format!("{HOSTILE}{name}.ast.json")), text).unwrap();
    }
    sandbox.settle();
    sandbox
}

#[test]
fn nothing_that_is_printed_steers_a_terminal() {
    let sandbox = hostile();
    let root = format!("r{HOSTILE}");
    let file = |name: &str| format!("{root}/{HOSTILE}{name}.ast.json");
    let told = |args: &[&str]| ran(&mut sandbox.command(args));
    shows(&told(&["run", &root, "--dry-run"]), r"\u{1b}]0;PWNED");
    shows(
        &told(&["run", &root, "--log-level", "trace", "--heartbeat", "10ms"]),
        r".outlastignore:\u{1b}]0;PWNED",
    );
    for (name, state) in [("left", "left out"), ("broken", "failed"), ("sound", "ok")] {
        let explained = told(&["explain", &file(name)]);
        shows(&explained, SHOWN);
        shows(&explained, state);
    }
    shows(&told(&["status"]), &format!("root r{SHOWN} "));
    shows(&told(&["jobs"]), &format!("r{SHOWN}"));
    shows(&told(&["failures"]), &format!("{SHOWN}broken.ast.json"));
    shows(&told(&["inspect", &file("broken")]), SHOWN);
    shows(&told(&["inspect", &file("none")]), SHOWN);
    shows(&told(&["records", "--output", &format!("none/{HOSTILE}")]), SHOWN);
    shows(&told(&["retry", HOSTILE]), "no failed file");
    shows(&told(&["ctl", "rescan", &root]), "no run answers");
    is_plain(&told(&["compact"]));
    is_plain(&told(&["repair"]));
}

#[test]
fn nothing_that_is_wrong_steers_a_terminal() {
    let sandbox = hostile();
    let told = |args: &[&str]| ran(&mut sandbox.command(args));
    shows(&told(&["run", HOSTILE]).expect(2), SHOWN);
    shows(&told(&[HOSTILE]).expect(2), SHOWN);
    shows(&told(&["run", "--workers", HOSTILE, "tree"]).expect(2), SHOWN);
    shows(&told(&["run", &format!("--{HOSTILE}"), "tree"]).expect(2), SHOWN);
    shows(&told(&["run", "--include", &format!("{HOSTILE}["), "tree"]).expect(78), r"\u{1b}");
    shows(&told(&["run", "--config", HOSTILE, "tree"]).expect(78), SHOWN);
    fs::write(
        sandbox.dir.path().join("x.toml"),
        format!("\"a{}\" = 1\norder = '''{HOSTILE}'''", HOSTILE.escape_unicode()),
    )
    .unwrap();
    is_plain(&told(&["config", "check", "x.toml"]).expect(78));
    let mut shown = sandbox.command(["config", "show"]);
    let shown = ran(shown.env("OUTLAST_OUT", HOSTILE).env("OUTLAST_EXCLUDE", HOSTILE)).expect(0);
    shows(&shown, SHOWN);
    let mut wrong = sandbox.command(["status"]);
    shows(&ran(wrong.env("OUTLAST_ORDER", HOSTILE)), r"\u{1b}");
}

#[test]
fn json_and_records_keep_their_bytes() {
    let sandbox = hostile();
    ran(sandbox.command(["run"]).arg(sandbox.dir.path().join(format!("r{HOSTILE}")))).expect(3);
    let status = sandbox.status();
    assert!(status["roots"][0]["path"].as_str().unwrap().ends_with(&format!("r{HOSTILE}")), "{status}");
    let records = ran(&mut sandbox.command(["records", "--status", "ok"])).expect(0);
    let record: serde_json::Value = serde_json::from_slice(records.lines()[0]).unwrap();
    assert_eq!(record["path"], format!("{HOSTILE}sound.ast.json"));
    assert!(records.text().contains('\u{9b}'), "as it stands in the log");
}

/// A command whose stdout goes to `out`.
fn into(sandbox: &Sandbox, args: &[&str], out: Stdio) -> Ran {
    let mut command = sandbox.command(args);
    command.stdout(out).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap().into()
}

fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_has_gone_changes_no_exit_code() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", BROKEN)]);
    let cases: [(&[&str], i32); 10] = [
        (&["run", "tree"], 3),
        (&["run", "tree", "--format", "json"], 3),
        (&["run", "tree", "--progress", "always", "--heartbeat", "10ms"], 3),
        (&["inspect", "tree/b.ast.json"], 3),
        (&["retry", "--class", "timeout"], 4),
        (&["status"], 0),
        (&["status", "--follow"], 0),
        (&["records"], 0),
        (&["records", "--follow"], 0),
        (&["--help"], 0),
    ];
    for (args, code) in cases {
        let told = into(&sandbox, args, closed_pipe());
        assert_eq!(
            (told.code, told.signal, told.stderr.contains("outlast:")),
            (Some(code), None, false),
            "{args:?}: {told}"
        );
        let mut both = sandbox.command(args);
        let both = both.stdout(closed_pipe()).stderr(closed_pipe()).status().unwrap();
        assert_eq!(both.code(), Some(code), "{args:?}, and stderr too");
    }
    sandbox.check();
}

#[test]
fn what_can_not_be_written_is_said() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let cases: [&[&str]; 8] = [
        &["--help"],
        &["--version"],
        &["ctl", "--help"],
        &["run", "--help"],
        &["config", "check"],
        &["status"],
        &["records"],
        &["run", "tree"],
    ];
    for args in cases {
        let told = into(&sandbox, args, File::options().write(true).open("/dev/full").unwrap().into());
        let says = told.stderr.contains("stdout can't be written: No space left on device");
        assert!(told.code == Some(1) && says, "{args:?}: {told}");
    }
}

#[test]
fn streams_that_are_closed_at_the_start_take_no_byte_of_the_state() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", BROKEN)]);
    let closed = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.current_dir(sandbox.dir.path()).args(["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"]);
        command.arg(outlast().get_program()).args(args).arg("--state").arg(&sandbox.state);
        take_environment(&mut command, &outlast());
        command.status().unwrap().code()
    };
    assert_eq!(closed(&["run", "tree", "--log-level", "trace", "--progress", "always"]), Some(3));
    assert_eq!(closed(&["status"]), Some(0));
    assert_eq!(closed(&["nonsense"]), Some(2));
    sandbox.check();
    assert_eq!(sandbox.run_code(&[], 3)["unchanged"], 2);
}

/// What a command writes to a terminal of this kind.
fn on_a_terminal(sandbox: &Sandbox, term: &str, args: &str) -> Option<String> {
    let mut script = Command::new("script");
    let program = outlast().get_program().to_owned().into_string().unwrap();
    let command = format!("{program} {args} --state {}", sandbox.state.display());
    script.args(["-qec", &command, "/dev/null"]).current_dir(sandbox.dir.path());
    take_environment(&mut script, &outlast());
    script.env("TERM", term).env_remove("NO_COLOR").stdin(Stdio::null());
    let told = script.output().ok()?;
    Some(String::from_utf8(told.stdout).unwrap())
}

#[test]
fn a_terminal_without_a_name_or_a_dumb_one_gets_lines_and_no_colours() {
    let sandbox = crate::user::slow(3);
    let loud = "run tree --reprocess --log-level info --heartbeat 10ms";
    let Some(told) = on_a_terminal(&sandbox, "xterm", loud) else { return skip("a terminal needs `script`") };
    assert!(told.contains('\u{1b}'), "a bar and colours: {told:?}");
    for term in ["", "dumb"] {
        for args in [loud, &format!("{loud} --progress always"), "--help", "nonsense", "status"] {
            let told = on_a_terminal(&sandbox, term, args).unwrap();
            assert!(!told.contains('\u{1b}') && !told.is_empty(), "TERM={term:?} {args}: {told:?}");
        }
        let told = on_a_terminal(&sandbox, term, loud).unwrap();
        assert!(told.contains(" files/s"), "a heartbeat instead: {told:?}");
    }
}

#[test]
fn json_on_a_terminal_steers_it_no_more_than_text() {
    let sandbox = Sandbox::new();
    sandbox.write("\u{9b}31m\u{7f}.ast.json", AST);
    sandbox.run_ok(&[]);
    let Some(told) = on_a_terminal(&sandbox, "xterm", "records") else {
        return skip("a terminal needs `script`");
    };
    assert!(told.contains(r"\u009b31m\u007f.ast.json") && !told.contains('\u{9b}'), "{told:?}");
}
