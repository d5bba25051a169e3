//! Settings: flags, variables, files, and what is said of them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, outlast, ran};
use crate::user::{AST, BROKEN};

/// A project's folder and a user's.
pub(crate) struct Place {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: PathBuf,
    user: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let folder = sandbox.dir.path().canonicalize().unwrap();
        let user = folder.join("home");
        fs::create_dir_all(user.join("outlast")).unwrap();
        Self { sandbox, folder, user }
    }

    pub(crate) fn project(&self, text: &str) -> PathBuf {
        write(self.folder.join("outlast.toml"), text)
    }

    pub(crate) fn users(&self, text: &str) -> PathBuf {
        write(self.user.join("outlast/outlast.toml"), text)
    }

    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = outlast();
        command.current_dir(&self.folder).env("XDG_CONFIG_HOME", &self.user).args(args);
        command
    }

    fn shown(&self) -> Value {
        ran(&mut self.command(["config", "show", "--format", "json"])).expect(0).json()
    }
}

fn write(path: PathBuf, text: &str) -> PathBuf {
    fs::write(&path, text).unwrap();
    path
}

/// Value and origin of a setting.
pub(crate) fn row(told: &Value, key: &str) -> (Value, String) {
    let rows = told["settings"].as_array().unwrap();
    let row = rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    (row["value"].clone(), row["origin"].as_str().unwrap().to_owned())
}

/// A setting of each kind: its key, the values in a user's file, a project's, a variable and a flag, and how the
/// four and the default are shown.
const KINDS: [(&str, [&str; 4], [&str; 5]); 8] = [
    ("batch-size", ["2", "\"3\"", "4", "5"], ["2", "3", "4", "5", "200"]),
    ("timeout", ["20", "\"3m\"", "4h", "5"], ["\"20s\"", "\"3m\"", "\"4h\"", "\"5s\"", "\"5m\""]),
    (
        "memory-limit",
        ["\"20MiB\"", "\"128MB\"", "2GiB", "1gib"],
        ["\"20MiB\"", "\"122MiB\"", "\"2GiB\"", "\"1GiB\"", "\"1000MiB\""],
    ),
    (
        "order",
        ["\"newest\"", "\"oldest\"", "smallest", "largest"],
        ["\"newest\"", "\"oldest\"", "\"smallest\"", "\"largest\"", "\"path\""],
    ),
    (
        "exclude",
        ["[\"a\"]", "[\"b\", \"{c,d}\"]", "e,{f,g}", "h,i"],
        ["[\"a\"]", "[\"b\",\"{c,d}\"]", "[\"e\",\"{f,g}\"]", "[\"h,i\"]", "[]"],
    ),
    ("max-failures", ["1", "\"2%\"", "3", "4.5%"], ["\"1\"", "\"2%\"", "\"3\"", "\"4.5%\"", "null"]),
    (
        "log-level",
        ["\"info\"", "\"warn,a=debug\"", "error", "off"],
        ["\"info\"", "\"warn,a=debug\"", "\"error\"", "\"off\"", "\"warn\""],
    ),
    ("log-file", ["\"/u\"", "\"/p\"", "/e", "/f"], ["\"/u\"", "\"/p\"", "\"/e\"", "\"/f\"", "null"]),
];

#[test]
fn a_flag_beats_a_variable_beats_the_project_beats_the_user_beats_the_default() {
    for (key, [user, project, variable, flag], shown) in KINDS {
        let place = Place::new();
        let (user, project) = (
            place.users(&format!("# mine\n{key} = {user}\n")),
            place.project(&format!("{key} = {project}\n")),
        );
        let name = format!("OUTLAST_{}", key.to_uppercase().replace('-', "_"));
        let flag_name = format!("--{key}");
        let show = |with_variable: bool, with_flag: bool| {
            let mut command = place.command(["config", "show", "--format", "json"]);
            if with_variable {
                command.env(&name, variable);
            }
            if with_flag {
                command.args([&flag_name, flag]);
            }
            row(&ran(&mut command).expect(0).json(), key)
        };
        let wanted = |at: usize| serde_json::from_str::<Value>(shown[at]).unwrap();
        assert_eq!(show(true, true), (wanted(3), format!("flag {flag_name}")));
        assert_eq!(show(true, false), (wanted(2), format!("env {name}")));
        assert_eq!(show(false, false), (wanted(1), format!("{}:1", project.display())));
        fs::remove_file(project).unwrap();
        assert_eq!(show(false, false), (wanted(0), format!("{}:2", user.display())));
        fs::remove_file(user).unwrap();
        assert_eq!(show(false, false), (wanted(4), "default".to_owned()));
    }
}

#[test]
fn a_switch_and_tables_come_from_each_layer_as_well() {
    let place = Place::new();
    place.users("accept-empty = true\n[retry.timeout]\nattempts = 4\nbackoff = \"1m\"\n[limit]\ndepth = 9\nkinds = 1\n");
    place.project("accept-empty = false\nlimit.depth = 8\n[retry.timeout]\nattempts = 5\n");
    let told = place.shown();
    let value = |told: &Value, key: &str| row(told, key).0;
    assert_eq!(value(&told, "accept-empty"), false);
    assert_eq!((value(&told, "limit.depth"), value(&told, "limit.kinds")), (8.into(), 1.into()));
    assert_eq!(value(&told, "retry.timeout.attempts"), 5);
    assert_eq!(value(&told, "retry.timeout.backoff"), "1m", "of a table, each setting counts for itself");
    assert_eq!(value(&told, "retry.timeout.backoff-max"), "1m", "never less than the first pause");
    let mut command = place.command(["config", "show", "--format", "json", "--retry", "timeout=7,2s"]);
    command.env("OUTLAST_ACCEPT_EMPTY", "yes").env("OUTLAST_RETRY_TIMEOUT_ATTEMPTS", "6");
    command.env("OUTLAST_LIMIT_DEPTH", "7");
    let told = ran(&mut command).expect(0).json();
    assert_eq!(row(&told, "accept-empty"), (true.into(), "env OUTLAST_ACCEPT_EMPTY".to_owned()));
    assert_eq!(row(&told, "retry.timeout.attempts"), (7.into(), "flag --retry".to_owned()));
    assert_eq!(row(&told, "limit.depth"), (7.into(), "env OUTLAST_LIMIT_DEPTH".to_owned()));
}

/// It was refused with this code, and said all of this.
#[track_caller]
pub(crate) fn refused(told: &Ran, code: i32, words: &[&str]) {
    assert_eq!(told.code, Some(code), "{told}");
    for word in words {
        assert!(told.stderr.contains(word), "no {word:?}: {told}");
    }
    assert!(told.stdout.is_empty() && !told.crashed(), "{told}");
}

#[test]
fn an_unknown_name_is_refused_with_the_one_that_is_meant() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", AST);
    refused(&ran(&mut place.command(["run", "tree", "--wokers", "2"])), 2, &["--wokers", "--workers"]);
    let mut command = place.command(["run", "tree"]);
    refused(&ran(command.env("OUTLAST_WOKERS", "2")), 78, &["env OUTLAST_WOKERS", "OUTLAST_WORKERS?"]);
    let path = place.project("workers = 2\nmax_concurrent_batches = 9\n[retry.time-out]\nattempts = 2\n");
    let first = format!("{}:2", path.display());
    let words = [&first, "batches-ahead?", "retry.time-out"];
    for command in [&["run", "tree"][..], &["watch", "tree"], &["repair"], &["config", "show"]] {
        refused(&ran(&mut place.command(command.iter().copied())), 78, &words);
    }
    assert!(!place.folder.join(".outlast").exists(), "a refused run leaves nothing behind");
}

#[test]
fn who_only_asks_is_told_of_a_mistake_and_answered() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", AST);
    ran(&mut place.command(["run", "."])).expect(0);
    let path = place.project("workerz = 2\n");
    for command in [&["status"][..], &["jobs"], &["records"], &["failures"]] {
        let told = ran(&mut place.command(command.iter().copied())).expect(0);
        let at = format!("not taken over: {}:1", path.display());
        assert!(told.stderr.contains(&at) && !told.stdout.is_empty(), "{told}");
    }
}

#[test]
fn a_mistake_reads_the_same_in_each_layer() {
    let place = Place::new();
    for (key, wrong, limits) in [
        ("workers", "0", "must be 1 to 1024 threads"),
        ("timeout", "1500ms", "must be 1s to 24h, in whole seconds; a number alone is seconds"),
        ("memory-limit", "128", "must be 16MiB or more, with its unit, such as 512MB or 2GiB"),
        ("wait", "8 weeks", "must be 0s to 168h"),
        ("order", "random", "path, smallest, largest, newest, oldest"),
        ("max-failures", "101%", "must be a number of files, such as 100, or a share of them, such as 5%"),
        ("log-level", "verbose", "must be off, error, warn, info, debug or trace"),
    ] {
        let flag = format!("--{key}");
        refused(&ran(&mut place.command(["config", "show", &flag, wrong])), 2, &[&flag, wrong, limits]);
        let name = format!("OUTLAST_{}", key.to_uppercase().replace('-', "_"));
        refused(&ran(place.command(["run", "."]).env(&name, wrong)), 78, &[&name, wrong, limits]);
        let path = place.project(&format!("{key} = {wrong:?}"));
        let at = format!("{}:1: {key} is {wrong:?}", path.display());
        refused(&ran(&mut place.command(["run", "."])), 78, &[&at, limits]);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_check_lists_all_that_is_wrong_a_line_each() {
    let place = Place::new();
    let project = place.project(
        "batchsize = 1\nexclude = [\"a[b\"]\n[retry.parse]\nattempts = 2\n[retry.timeout]\nbackoff = \"2m\"\n\
         backoff-max = \"1m\"\n",
    );
    let user = place.users("order = 5\nworkers = \n");
    let mut command = place.command(["config", "check"]);
    let told = ran(command.env("OUTLAST_LIMIT_DEPTH", "0").env("OUTLAST_WAITS", "1s")).expect(78);
    let (project, user) = (project.display().to_string(), user.display().to_string());
    for begin in [
        "env OUTLAST_LIMIT_DEPTH: limit.depth is \"0\": must be 1 to 1000000 levels",
        "env OUTLAST_WAITS: no such setting; did you mean OUTLAST_WAIT?",
        &format!("{project}:1: batchsize is no setting; did you mean batch-size?"),
        &format!("{project}:2: exclude glob \"a[b\""),
        &format!("{project}:4: retry.parse.attempts is 2: must be 1"),
        &format!("{project}:7: retry.timeout.backoff-max is 1m: must be retry.timeout.backoff, which is 2m"),
        &format!("{user}:1: order is 5: must be one of path"),
        &format!("{user}:2: "),
    ] {
        assert!(told.text().lines().any(|line| line.starts_with(begin)), "no {begin:?}: {told}");
    }
    assert_eq!(told.text().lines().count(), 8, "{told}");
    assert!(told.stderr.is_empty(), "{told}");
    let one = ran(&mut place.command(["config", "check", &user])).expect(78);
    assert_eq!(one.text().lines().count(), 2, "only that file: {one}");
    let told = ran(&mut place.command(["config", "check", &user, "--format", "json"])).expect(78).json();
    assert_eq!(told["problems"].as_array().unwrap().len(), 2, "{told}");
    assert!(
        ran(&mut place.command(["config", "check", "none.toml"])).expect(78).text().contains("no such file")
    );
}

#[test]
fn the_keys_of_logs_that_others_rotate_are_a_warning_in_each_layer() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", AST);
    let path = place.project("log-file-size = \"1MiB\"\nlog-files = 3\n");
    let mut command = place.command(["run", ".", "--log-files", "3", "--log-file-size", "4KiB"]);
    let told = ran(command.env("OUTLAST_LOG_FILE_SIZE", "1MiB").env("OUTLAST_LOG_FILES", "many")).expect(0);
    for origin in [
        "flag --log-file-size: log-file-size",
        "flag --log-files: log-files",
        "env OUTLAST_LOG_FILE_SIZE: log-file-size",
        "env OUTLAST_LOG_FILES: log-files",
        &format!("{}:1: log-file-size", path.display()),
        &format!("{}:2: log-files", path.display()),
    ] {
        let line = format!("{origin} has no effect: logrotate");
        assert_eq!(told.stderr.matches(&line).count(), 1, "no {line:?}: {told}");
    }
    assert!(!ran(&mut place.command(["run", "--help"])).expect(0).text().contains("--log-files"));
    for args in [&["config", "check"][..], &["config", "check", "outlast.toml"]] {
        let told = ran(&mut place.command(args.iter().copied())).expect(0);
        assert!(told.text().contains(": sound") && told.stderr.contains("logrotate"), "{told}");
    }
}

#[test]
fn a_check_of_what_is_sound_says_so() {
    let place = Place::new();
    ran(&mut place.command(["config", "check"])).expect(0);
    let path = place.project("workers = 2\n");
    let told = ran(&mut place.command(["config", "check"])).expect(0);
    assert_eq!(told.text(), format!("{}: sound\n", path.display()));
    ran(&mut place.command(["config", "check", "outlast.toml"])).expect(0);
}

#[test]
fn the_nearest_file_upwards_counts_unless_another_one_is_named() {
    let place = Place::new();
    place.project("workers = 3\nbatch-size = 3\n");
    let deep = place.folder.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    let shown = |change: &dyn Fn(&mut Command)| {
        let mut command = place.command(["config", "show", "--format", "json"]);
        change(command.current_dir(&deep));
        ran(&mut command).expect(0).json()
    };
    assert_eq!(row(&shown(&|_| ()), "workers").0, 3);
    write(place.folder.join("a/outlast.toml"), "workers = 4\n");
    let told = shown(&|_| ());
    assert_eq!(
        (row(&told, "workers").0, row(&told, "batch-size").0),
        (4.into(), 200.into()),
        "one file, not two"
    );
    write(deep.join("other.toml"), "workers = 5\n");
    write(deep.join("third.toml"), "workers = 6\n");
    let told = shown(&|command| {
        command.env("OUTLAST_CONFIG", "other.toml");
    });
    assert_eq!(row(&told, "workers").0, 5);
    let told = shown(&|command| {
        command.env("OUTLAST_CONFIG", "other.toml").args(["--config", "third.toml"]);
    });
    assert_eq!(row(&told, "workers"), (6.into(), format!("{}:1", deep.join("third.toml").display())));
    assert_eq!(told["files"], json!([deep.join("third.toml")]));
    refused(
        &ran(&mut place.command(["run", ".", "--config", "nowhere.toml"])),
        78,
        &["nowhere.toml", "no such file"],
    );
}

#[test]
fn what_is_no_file_or_no_text_is_refused_and_not_waited_for() {
    let place = Place::new();
    let path = place.folder.join("outlast.toml");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    refused(&ran(&mut place.command(["run", "."])), 78, &["outlast.toml: is no file", "--config"]);
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"workers = 1 # \xff").unwrap();
    refused(&ran(&mut place.command(["run", "."])), 78, &["outlast.toml: can't be read", "UTF-8"]);
    fs::write(&path, "#".repeat(2 << 20)).unwrap();
    refused(&ran(&mut place.command(["run", "."])), 78, &["outlast.toml: can't be read", "1 MiB"]);
}

#[test]
fn without_xdg_config_home_the_users_file_is_below_home() {
    let place = Place::new();
    let folder = place.folder.join("me/.config/outlast");
    fs::create_dir_all(&folder).unwrap();
    write(folder.join("outlast.toml"), "workers = 9\n");
    for xdg in [None, Some(""), Some("relative/folder")] {
        let mut command = place.command(["config", "show", "--format", "json"]);
        match xdg {
            None => command.env_remove("XDG_CONFIG_HOME"),
            Some(xdg) => command.env("XDG_CONFIG_HOME", xdg),
        };
        let told = ran(command.env("HOME", place.folder.join("me"))).expect(0).json();
        assert_eq!(row(&told, "workers").0, 9, "{xdg:?}");
    }
}

#[test]
fn a_run_does_what_the_file_says() {
    let place = Place::new();
    for number in 0..20 {
        place.sandbox.write(format!("f{number}.ast.json"), AST);
    }
    place.sandbox.write("left/out.ast.json", AST);
    place.project(
        "state = \"kept\"\nout = \"told\"\nstrategy = \"count\"\nbatch-size = 7\nexclude = [\"left/\"]\n\
         progress = \"never\"\n[limit]\nkinds = 0\n",
    );
    // Paths in a file are below its folder, whatever the current one is.
    let mut command = place.command(["run", ".", "--format", "json"]);
    let summary = ran(command.current_dir(&place.sandbox.root)).expect(0).json();
    assert_eq!((&summary["ok"], &summary["batches"]), (&20.into(), &3.into()));
    assert!(place.folder.join("kept/state.json").exists());
    let records = fs::read_to_string(place.folder.join("told/records-000001.ndjson")).unwrap();
    assert!(records.lines().all(|line| line.contains(r#""kinds":{}"#)), "{records}");
    let status = ran(&mut place.command(["status", "--format", "json"])).expect(0).json();
    assert_eq!(status["total"]["ok"], 20, "whoever asks finds the state by the same file");
    let seen = ran(&mut place.command(["inspect", "tree/f1.ast.json", "--format", "json"])).expect(0).json();
    assert_eq!(seen["kinds"], json!({}), "a look into a file has the limits of a run");
    assert_eq!(ran(&mut place.command(["config", "check", "outlast.toml"])).code, Some(0));
}

#[test]
fn a_state_in_the_environment_need_not_be_text() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", BROKEN);
    let name = OsStr::from_bytes(b"st\xffate");
    let mut command = place.command(["run", "tree", "--progress", "never"]);
    ran(command.env("OUTLAST_STATE", name)).expect(3);
    assert!(Path::new(&place.folder).join(name).join("state.json").exists());
}

#[test]
fn what_is_shown_marks_what_needs_a_restart_and_can_be_written_back() {
    let place = Place::new();
    let told = place.shown();
    let rows = told["settings"].as_array().unwrap();
    let text = ran(&mut place.command(["config", "show"])).expect(0).text();
    for row in rows {
        let key = row["key"].as_str().unwrap();
        let mark = match (row["restart"] == true, row["next_job"] == true) {
            (true, _) => "* ",
            (_, true) => "+ ",
            _ => "  ",
        };
        assert!(text.lines().any(|line| line.starts_with(&format!("{mark}{key} "))), "{key}: {text}");
    }
    assert!(rows.iter().any(|row| row["restart"] == true) && rows.iter().any(|row| row["restart"] == false));
    let line = |row: &Value| format!("{} = {}\n", row["key"].as_str().unwrap(), row["value"]);
    place.project(&rows.iter().filter(|row| !row["value"].is_null()).map(line).collect::<String>());
    let again = place.shown();
    let state = place.folder.join(".outlast");
    for row in again["settings"].as_array().unwrap() {
        let before = rows.iter().find(|before| before["key"] == row["key"]).unwrap();
        let same = row["value"] == before["value"] || row["value"] == json!(state);
        assert!(same, "{row} was {before}");
    }
}
