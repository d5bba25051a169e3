//! Clients, readers and runs that take their time, or for ever: they hold nobody else up.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use crate::support::{Ran, Sandbox, Tree, assert_record, ran};
use crate::user::{AST, Background, midway, slow};

/// Killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn clients(sandbox: &Sandbox, count: usize, say: &[u8]) -> Vec<UnixStream> {
    let connect = |_| {
        let mut stream = UnixStream::connect(sandbox.state.join("ctl.sock")).unwrap();
        stream.write_all(say).unwrap();
        stream
    };
    (0..count).map(connect).collect()
}

/// What a run says that is stopped now, and how long it took to end.
#[track_caller]
fn stopped(run: Background) -> (Ran, Duration) {
    let begun = Instant::now();
    run.signal(Signal::INT);
    let ended = run.end();
    (ended, begun.elapsed())
}

#[test]
fn a_run_ends_whatever_its_clients_do() {
    let sandbox = slow(40);
    let (run, _) = midway(&sandbox);
    let silent = clients(&sandbox, 20, b"");
    let deaf = clients(&sandbox, 20, b"{\"ask\":\"current\",\"status\":null}\n");
    let (ended, took) = stopped(run);
    ended.expect(130);
    // Beyond what a file in hand takes; less than a client's time for its request is enough.
    assert!(took < Duration::from_secs(20), "it ended after {took:?}");
    drop((silent, deaf));
    sandbox.run_ok(&[]);
    sandbox.check();
}

#[test]
fn clients_that_ask_nothing_lose_their_places() {
    let sandbox = slow(40);
    let (run, _) = midway(&sandbox);
    let mut silent = clients(&sandbox, 16, b"");
    std::thread::sleep(Duration::from_millis(200));
    // Their time passes, and the run has as much to do as before.
    run.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(5));
    run.signal(Signal::CONT);
    let begun = Instant::now();
    let told = sandbox.status();
    assert!(begun.elapsed() < Duration::from_secs(20), "answered after {:?}", begun.elapsed());
    stopped(run).0.expect(130);
    assert!(told["running"].is_object(), "the run ended before its answer: {told}");
    assert_eq!(silent[0].read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn what_is_no_request_is_answered() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    let ask = |text: &[u8]| {
        let mut answer = String::new();
        clients(&sandbox, 1, text)[0].read_to_string(&mut answer).unwrap();
        answer
    };
    let wrong = ask(b"{\"ask\":\"nothing\"}\n");
    let status = ask(b"{\"ask\":\"status\"}\n");
    stopped(run).0.expect(130);
    assert!(wrong.starts_with("error the request is not understood"), "{wrong}");
    assert!(status.starts_with("ok\n{") && status.ends_with("}\nend\n"), "{status}");
}

#[test]
fn records_that_nobody_reads_on_do_not_hold_the_state() {
    let sandbox = Sandbox::new();
    Tree::grow(&sandbox.root, 4, 1500);
    sandbox.run(&[]);
    for arguments in [&["records"][..], &["records", "--since", "1:0"]] {
        let child = sandbox.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut records = Killed(child);
        // It prints, and is stuck: there is more than a pipe holds.
        let mut out = records.0.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        let told = sandbox.run(&[]);
        assert!(matches!(told.code, Some(0 | 3)), "{arguments:?}: {told}");
        assert!(records.0.try_wait().unwrap().is_none(), "{arguments:?} printed everything");
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        let lines = rest.iter().filter(|&&byte| byte == b'\n').count();
        let all = ran(&mut sandbox.command(arguments)).expect(0).lines().len();
        assert_eq!(lines, all, "{arguments:?}");
    }
}

#[test]
fn following_waits_for_a_state_in_use_and_leaves_an_idle_one_alone() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let child = sandbox.command(["records", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut follower = Killed(child);
    let mut lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: String = lines.next().unwrap().unwrap();
        assert_record(line.as_bytes());
        line
    };
    assert!(next().contains("\"a.ast.json\""));

    std::thread::sleep(Duration::from_secs(2));
    let lock = File::options().write(true).open(sandbox.state.join("lock")).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("an idle follower opens the state");
        flock(&lock, FlockOperation::Unlock).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }

    sandbox.write("b.ast.json", AST);
    sandbox.run_ok(&[]);
    assert!(next().contains("\"b.ast.json\""));
    // Something was committed, as far as can be told, and a run that starts holds the state.
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let witness = File::options().write(true).open(sandbox.state.join("witness")).unwrap();
    witness.set_modified(std::time::SystemTime::now()).unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert!(follower.0.try_wait().unwrap().is_none(), "it gave up");
    flock(&lock, FlockOperation::Unlock).unwrap();
    sandbox.write("c.ast.json", AST);
    sandbox.run_ok(&[]);
    assert!(next().contains("\"c.ast.json\""));
}

#[test]
fn messages_that_can_not_be_written_are_no_crash() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let status = sandbox.command(["status"]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(10));
    let mut run = sandbox.run_command(&["--log", "debug,="]);
    assert_eq!(run.stdout(Stdio::null()).stderr(full()).status().unwrap().code(), Some(2));
    let mut run = sandbox.command(["run", "--log", "trace", "--heartbeat", "0.01", "--reprocess"]);
    run.arg(&sandbox.root).stdout(Stdio::null()).stderr(full());
    assert_eq!(run.status().unwrap().code(), Some(0));
    let told = sandbox.command(["records", "--cursor"]).stdout(Stdio::null()).stderr(full()).status();
    assert_eq!(told.unwrap().code(), Some(1), "a cursor that was not told");
}

#[test]
fn people_read_times_to_the_second() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let told = ran(&mut sandbox.command(["status"])).expect(0).text();
    let job = told.lines().find(|line| line.starts_with("job 1: completed, ")).unwrap();
    assert_eq!((job.matches("Z").count(), job.contains('.')), (2, false), "{job}");
    assert!(sandbox.status()["jobs"][0]["started"].as_str().unwrap().contains('.'));
}
