//! Real children and commands, good and bad.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::children::Children;
use super::per_file::{Outcome, Running};
use super::spawner::Spawner;
use super::window::ChildWindow;
use super::{ExecCommand, ExecOptions};
use crate::model::FileError;
use crate::process::window::{Caller, Cancelled, GivenFile, Window, WindowEnd};

const LIMIT: Duration = Duration::from_secs(20);

fn command(arguments: &[&str]) -> ExecCommand {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process/exec/tests/child.py");
    ExecCommand::new(["python3", script].iter().chain(arguments).copied()).unwrap()
}

fn options(arguments: &[&str]) -> ExecOptions {
    ExecOptions { start_timeout: LIMIT, ..ExecOptions::new(command(arguments)) }
}

/// Files in a folder of their own.
struct Files {
    folder: tempfile::TempDir,
    names: Vec<String>,
}

impl Files {
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "content").unwrap();
        }
        Self { folder, names: names.iter().map(|&name| name.to_owned()).collect() }
    }

    fn given(&self, name: &str) -> GivenFile {
        let absolute = self.folder.path().join(name);
        let (root, digest) = ("r".to_owned(), "00".to_owned());
        GivenFile { path: name.into(), bytes: b"content".to_vec(), root, absolute, size: 7, digest }
    }

    /// Asks about all as a worker does. Returns the result, or class and message, of each.
    fn ask(&self, children: &Arc<Children>, limit: Duration) -> BTreeMap<String, String> {
        let mut waiting: VecDeque<(&str, bool)> =
            self.names.iter().map(|name| (name.as_str(), false)).collect();
        let mut outcomes = BTreeMap::new();
        let mut window = ChildWindow::new(Arc::clone(children), limit);
        let mut flying: Vec<(u64, &str)> = Vec::new();
        let mut caller = Times(Instant::now());
        for id in 0.. {
            let is_alone = waiting.front().is_some_and(|(_, alone)| *alone);
            if !waiting.is_empty() && (flying.is_empty() || (!is_alone && window.has_room(7))) {
                let (name, _) = waiting.pop_front().unwrap();
                window.give(id, self.given(name));
                flying.push((id, name));
                caller.0 = Instant::now();
                if !is_alone && !waiting.is_empty() {
                    continue;
                }
            }
            if flying.is_empty() {
                break;
            }
            let mut answers = Vec::new();
            let mut ended = window.answers(Duration::from_millis(20), &mut caller, &mut answers).err();
            for (id, answer) in answers {
                let at = flying.iter().position(|(flying, _)| *flying == id).expect("it is in flight");
                let (_, name) = flying.remove(at);
                let text =
                    answer.map_or_else(|error| error.to_string(), |json| String::from_utf8(json).unwrap());
                assert!(outcomes.insert(name.to_owned(), text).is_none(), "two answers");
            }
            if ended.is_none() && !flying.is_empty() && caller.0.elapsed() >= limit {
                ended = match window.cancel(flying[0].0, &mut caller) {
                    Cancelled::Died(end) => Some(end),
                    Cancelled::Restarted => None,
                    Cancelled::Ended => unreachable!("a child has no such file"),
                };
            }
            let Some(end) = ended else { continue };
            window = ChildWindow::new(Arc::clone(children), limit);
            match end {
                WindowEnd::Died(error) if flying.len() == 1 => {
                    outcomes.insert(flying[0].1.to_owned(), error.to_string());
                }
                WindowEnd::Died(_) => waiting.extend(flying.iter().map(|(_, name)| (*name, true))),
                WindowEnd::Stopping => unreachable!("nothing stops it"),
                WindowEnd::Unavailable(why) => {
                    outcomes.extend(
                        flying.iter().map(|(_, name)| ((*name).to_owned(), format!("unavailable: {why}"))),
                    );
                }
            }
            flying.clear();
        }
        assert_eq!(outcomes.len(), self.names.len());
        outcomes
    }
}

/// When the time of the oldest file began.
struct Times(Instant);

impl Caller for Times {
    fn call(&mut self, _on_behalf_of: Option<u64>, _work: &mut dyn FnMut()) -> Result<(), FileError> {
        unreachable!("a child runs no code here")
    }

    fn wait(&mut self, wait: &mut dyn FnMut()) {
        wait();
    }

    fn is_stopping(&self) -> bool {
        false
    }

    fn restart(&mut self, _id: u64) {
        self.0 = Instant::now();
    }
}

fn start(options: ExecOptions) -> Arc<Children> {
    Arc::new(Children::start(options).unwrap())
}

/// Returns how many processes belong to groups that this test started with this mark among their arguments.
fn processes(mark: &str) -> usize {
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}

#[test]
fn files_are_answered_with_and_without_their_content() {
    for ready in ["{}", r#"{"content": "inline"}"#, r#"{"window": 1}"#] {
        let children = start(options(&[ready]));
        let names: Vec<String> = (0..50).map(|n| format!("echo-{n}")).collect();
        let files = Files::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let outcomes = files.ask(&children, LIMIT);
        assert!(outcomes.values().all(|outcome| outcome == "\"content\""), "{ready}: {outcomes:?}");
        children.end(Instant::now() + LIMIT);
    }
}

#[test]
fn only_the_file_is_blamed_that_ends_its_child_alone() {
    let bad: &[(&str, &str)] = &[
        ("exit7", "crash: the child ended with exit code 7; it printed: about to exit; so it ended 2 times"),
        ("segfault-1", "crash: the child was killed by signal 11"),
        ("segfault-2", "crash: the child was killed by signal 11"),
        ("segfault-3", "crash: the child was killed by signal 11"),
        ("killed", "crash: the child was killed by signal 9; so it ended 3 times"),
        (
            "exit137",
            "crash: the child ended with exit code 137; it printed: about to exit; so it ended 3 times",
        ),
        ("half", "crash: the child ended with exit code 0"),
        ("wrong-id", "crash: the child answered 10000 while"),
        ("close", "crash: the child closed its socket, and went on"),
        ("grandchild", "crash: the child ended with exit code 1"),
        ("long-line", "crash: the child sent a line that is longer than 64 MiB"),
        ("not-utf8", "crash: the child sent a line that is no JSON message"),
        ("nan", "processor: the result holds NaN"),
        ("error", "parse: bad (line 3, column 4)"),
        ("print", "7"),
        ("slow", "7"),
    ];
    let children = start(options(&[]));
    let names = bad.iter().flat_map(|(name, _)| [name, "good"]).enumerate();
    let names: Vec<String> =
        names.map(|(at, name)| if name == "good" { format!("good-{at}") } else { name.to_owned() }).collect();
    let files = Files::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let outcomes = files.ask(&children, Duration::from_secs(10));
    for (name, expected) in bad {
        assert!(outcomes[*name].starts_with(expected), "{name}: {}", outcomes[*name]);
    }
    assert!(
        outcomes.iter().all(|(name, outcome)| !name.starts_with("good") || outcome == "7"),
        "{outcomes:?}"
    );
    children.end(Instant::now() + LIMIT);
}

#[test]
fn a_file_that_hangs_takes_its_own_time_only() {
    let limit = Duration::from_millis(700);
    let children = start(options(&["{}", "", "mark-hang"]));
    let begun = Instant::now();
    let outcomes = Files::new(&["a", "hang", "slow", "z"]).ask(&children, limit);
    assert!(outcomes["hang"].starts_with("timeout: the child took longer than 0.7 s"), "{outcomes:?}");
    assert_eq!((&*outcomes["a"], &*outcomes["slow"], &*outcomes["z"]), ("7", "7", "7"), "{outcomes:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    children.end(Instant::now() + LIMIT);
    assert_eq!(processes("mark-hang"), 0);
}

#[test]
fn a_second_answer_ends_the_child_but_not_the_files() {
    let children = start(options(&[]));
    let outcomes = Files::new(&["a", "twice", "z"]).ask(&children, LIMIT);
    assert_eq!(outcomes["a"], "7");
    assert_eq!(outcomes["z"], "7");
    // Its first answer counts: that another follows is seen with the next file.
    assert_eq!(outcomes["twice"], "1");
    children.end(Instant::now() + LIMIT);
}

#[test]
fn a_child_that_cannot_begin_says_why() {
    let wrong = |arguments: &[&str]| Children::start(options(arguments)).unwrap_err().message;
    let failed = wrong(&["{}", "exit"]);
    assert_eq!(failed, "the child ended with exit code 1; it printed: there is no model");
    assert!(wrong(&[r#"{"version": 3}"#]).contains("chose version 3"));
    let never =
        ExecOptions { start_timeout: Duration::from_millis(300), ..options(&["{}", "never", "mark-never"]) };
    assert_eq!(Children::start(never).unwrap_err().message, "the child sent no `ready` within 0.3 s");
    assert_eq!(processes("mark-never"), 0);
    let none = ExecOptions { command: ExecCommand::parse("/no/such/program").unwrap(), ..options(&[]) };
    assert!(
        Children::start(none)
            .unwrap_err()
            .message
            .starts_with("cannot start `/no/such/program`: No such file")
    );
}

#[test]
fn children_that_die_unasked_are_no_files_fault() {
    // The file makes the first child end; those that are started in its place end before they are asked.
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("begun");
    let children = start(options(&["{}", flag.to_str().unwrap()]));
    let outcomes = Files::new(&["a", "exit1", "b"]).ask(&children, LIMIT);
    let why = "unavailable: the child sent something while no file was in flight";
    assert_eq!(outcomes["a"], "7");
    assert!(outcomes["exit1"].starts_with(why) && outcomes["b"].starts_with(why), "{outcomes:?}");
    let children = start(options(&[]));
    let outcomes = Files::new(&["a", "exit75", "b"]).ask(&children, LIMIT);
    assert_eq!(outcomes["a"], "7");
    assert!(outcomes["exit75"].starts_with("unavailable: the child ended with exit code 75"), "{outcomes:?}");
    children.end(Instant::now() + LIMIT);
}

#[test]
fn nothing_is_left_of_the_children_and_of_what_they_started() {
    let children = start(options(&["{}", "", "mark-group"]));
    Files::new(&["grandchild", "a"]).ask(&children, LIMIT);
    assert!(processes("mark-group") > 0);
    children.end(Instant::now() + LIMIT);
    assert_eq!(processes("mark-group"), 0);
}

#[test]
fn a_child_is_replaced_after_so_many_files_and_when_it_has_grown() {
    for changed in [
        ExecOptions { recycle: Some(1), ..options(&[]) },
        ExecOptions { memory: Some(1 << 20), ..options(&[]) },
    ] {
        let children = start(changed);
        for _ in 0..2 {
            assert_eq!(Files::new(&["a"]).ask(&children, LIMIT)["a"], "7");
            // It ends beside its worker.
            let begun = Instant::now();
            while children.spawner().resident_bytes() > 0 {
                assert!(begun.elapsed() < LIMIT, "one is kept");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

#[test]
fn the_memory_of_what_a_child_has_started_counts_as_its_own() {
    let children = start(options(&[]));
    Files::new(&["a"]).ask(&children, LIMIT);
    let alone = children.spawner().resident_bytes();
    assert!((1 << 20..100 << 20).contains(&alone), "{alone}");
    Files::new(&["helper-allocates"]).ask(&children, LIMIT);
    let begun = Instant::now();
    while children.spawner().resident_bytes() < alone + (200 << 20) {
        assert!(begun.elapsed() < LIMIT, "it does not count");
        std::thread::sleep(Duration::from_millis(50));
    }
    children.end(Instant::now() + LIMIT);
    assert_eq!(children.spawner().resident_bytes(), 0);
    // A child whose helper takes too much is replaced, and the helper ends with it.
    let children = start(ExecOptions { memory: Some(200 << 20), ..options(&["{}", "", "mark-helper"]) });
    assert_eq!(Files::new(&["helper-allocates"]).ask(&children, LIMIT)["helper-allocates"], "7");
    let begun = Instant::now();
    while processes("mark-helper") > 1 {
        Files::new(&["a"]).ask(&children, LIMIT);
        assert!(begun.elapsed() < LIMIT, "it is kept");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a command of a shell for a file. Returns its result as JSON, or how it failed.
fn run(script: &str) -> Result<String, String> {
    let spawner = Spawner::new().unwrap();
    let command = ExecCommand::new(["sh", "-c", script, "sh", "{}"]).unwrap();
    let mut running = Running::start(&spawner, &command, Path::new("/t/a b")).unwrap();
    match running.wait(Instant::now() + LIMIT).expect("it ends") {
        Outcome::Result(json) => Ok(String::from_utf8(json).unwrap()),
        Outcome::Failed(error) if error.may_pass => Err(format!("later: {error}")),
        Outcome::Failed(error) => Err(format!("failed: {error}")),
    }
}

#[test]
fn what_a_command_prints_is_the_result() {
    assert_eq!(run(r#"echo "at $1""#).unwrap(), r#""at /t/a b""#);
    assert_eq!(run(r#"echo '{"a":'; echo '[1, 2.50]}'"#).unwrap(), r#"{"a": [1, 2.50]}"#);
    assert_eq!(run("echo 12").unwrap(), "12");
    assert_eq!(run("true").unwrap(), "\"\"");
    assert_eq!(run("printf '\\377\\n\\n'").unwrap(), "\"\u{fffd}\"");
    assert_eq!(run("echo NaN").unwrap(), "\"NaN\"");
    let long = run("head -c 5000000 /dev/zero | tr '\\0' x").unwrap();
    assert!(long.ends_with("xx … (3951424 bytes more)\"") && long.len() < 1_100_000, "{}", long.len());
}

#[test]
fn how_a_command_ends_says_what_became_of_the_file() {
    let failed = run("echo one >&2; echo two >&2; exit 3").unwrap_err();
    assert_eq!(failed, "failed: processor: the command ended with exit code 3; it printed: one | two");
    assert_eq!(run("kill -SEGV $$").unwrap_err(), "failed: processor: the command was killed by signal 11");
    assert!(run("exit 75").unwrap_err().starts_with("later: "));
}

#[test]
fn a_command_ends_with_its_process_although_others_hold_its_pipes() {
    let begun = Instant::now();
    assert_eq!(run("echo 1; sleep 600 & exit 0").unwrap(), "1");
    assert!(begun.elapsed() < LIMIT);
    let spawner = Spawner::new().unwrap();
    let command = ExecCommand::parse("sh -c 'sleep 600 & sleep 600' mark-late {}").unwrap();
    let mut running = Running::start(&spawner, &command, Path::new("/t/a")).unwrap();
    assert!(running.wait(Instant::now() + Duration::from_millis(200)).is_none());
    assert!(processes("mark-late") > 0);
    drop(running);
    assert_eq!(processes("mark-late"), 0);
}
