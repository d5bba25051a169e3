//! Processes that are there and do not answer, and what is told to who asks them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use outlast::service::{ControlError, Request, ask};
use rustix::process::Signal;

use crate::support::{Background, Sandbox, Tree, ran};
use crate::user::{AST, midway, slow};

/// Longer than a client waits for a word, on a busy machine.
const SOON: Duration = Duration::from_secs(25);

#[test]
fn a_stopped_process_holds_up_nobody_who_asks() {
    let sandbox = slow(40);
    let (run, _) = midway(&sandbox);
    run.signal(Signal::STOP);
    let asked: [&[&str]; 10] = [
        &["status"],
        &["status", "--follow"],
        &["jobs"],
        &["records", "--since", "1:0"],
        &["records", "--output", "x"],
        &["failures"],
        &["explain", "tree/f0000.ast.json"],
        &["retry"],
        &["compact"],
        &["ctl", "reload"],
    ];
    let begun = Instant::now();
    let asking = asked.map(|args| (args, Background::start(&mut sandbox.command(args))));
    for (args, asking) in asking {
        let told = asking.end().expect(75);
        let process = format!("process {} holds the state", run.child().id());
        assert!(told.stdout.is_empty() && told.stderr.contains(&process), "{args:?}: {told}");
    }
    assert!(begun.elapsed() < SOON, "told after {:?}", begun.elapsed());
    run.signal(Signal::CONT);
    assert!(sandbox.status()["running"].is_object(), "it goes on");
    run.signal(Signal::INT);
    run.end().expect(130);
}

#[test]
fn a_reader_that_follows_waits_for_a_process_that_is_stopped() {
    let sandbox = slow(40);
    let (run, _) = midway(&sandbox);
    run.signal(Signal::STOP);
    let mut follower = Background::start(&mut sandbox.command(["records", "--follow"]));
    follower.says("outlast: ");
    run.signal(Signal::CONT);
    run.end().expect(0);
    crate::user::wait_until("all is told", || {
        let told = sandbox.log().len() == 40;
        (told && !follower.has_ended()).then_some(())
    });
}

/// A state folder with somebody who listens and is not outlast.
fn with_listener() -> (Sandbox, UnixListener) {
    let sandbox = Sandbox::new();
    std::fs::create_dir(&sandbox.state).unwrap();
    let listener = UnixListener::bind(sandbox.state.join("ctl.sock")).unwrap();
    (sandbox, listener)
}

#[test]
fn a_process_that_takes_no_connection_any_more_holds_up_nobody() {
    let (sandbox, _listener) = with_listener();
    let mut waiting = Vec::new();
    let path = sandbox.state.join("ctl.sock");
    let address = rustix::net::SocketAddrUnix::new(&path).unwrap();
    loop {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
        let flags = SocketFlags::NONBLOCK;
        let client = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        if connect(&client, &address).is_err() {
            break;
        }
        waiting.push(client);
    }
    let begun = Instant::now();
    ran(&mut sandbox.command(["status"])).expect(75);
    assert!(begun.elapsed() < SOON, "told after {:?}", begun.elapsed());
}

#[test]
fn a_long_answer_is_not_cut_short_as_long_as_something_comes() {
    let (sandbox, listener) = with_listener();
    let answering = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        BufReader::new(&client).read_line(&mut String::new()).unwrap();
        let pause = || thread::sleep(Duration::from_secs(3));
        for part in ["works\n", "ok\n{\"a\":", "1}\nend\n"] {
            pause();
            client.write_all(part.as_bytes()).unwrap();
        }
        drop(client);
        // And one that begins, and comes to no end.
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(b"ok\n{").unwrap();
        thread::sleep(SOON);
    });
    assert_eq!(ask(&sandbox.state, &Request::Status).unwrap(), b"{\"a\":1}");
    let told = ask(&sandbox.state, &Request::Status);
    assert!(matches!(told, Err(ControlError::Silent { .. })), "{told:?}");
    drop(answering);
}

#[test]
fn clients_that_do_not_read_are_cut_off_and_others_are_told_to_wait() {
    let sandbox = Sandbox::new();
    Tree::grow(&sandbox.root, 5, 4000);
    sandbox.run(&[]);
    let mut watch = sandbox.command(["watch", "--log-level", "info"]);
    let mut watch = Background::start(watch.arg(&sandbox.root));
    let status = crate::user::wait_until("it watches", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"])).json();
        (told["running"]["state"] == "watching").then_some(told)
    });
    assert!(status["total"]["ok"].as_u64() > Some(1000), "{status}");
    // Whatever a socket holds: the answers are larger.
    let deaf: Vec<UnixStream> = (0..40)
        .map(|_| {
            let mut client = UnixStream::connect(sandbox.state.join("ctl.sock")).unwrap();
            client.write_all(b"{\"ask\":\"current\",\"status\":null}\n").unwrap();
            client
        })
        .collect();
    let silent: Vec<UnixStream> =
        (0..40).map(|_| UnixStream::connect(sandbox.state.join("ctl.sock")).unwrap()).collect();
    sandbox.status();
    assert!(!watch.has_ended());
    let begun = Instant::now();
    watch.signal(Signal::TERM);
    watch.end().expect(143);
    assert!(begun.elapsed() < SOON, "it ended after {:?}", begun.elapsed());
    drop((deaf, silent));
    std::fs::write(sandbox.root.join("a.ast.json"), AST).unwrap();
    sandbox.run(&[]);
    sandbox.check();
}
