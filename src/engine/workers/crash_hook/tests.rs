use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// How the child dies, and where it writes what its coordinator has done.
const HOW: &str = "OUTLAST_TEST_DEATH";
const NOTE: &str = "OUTLAST_TEST_NOTE";

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn overflow(depth: &mut [u8; 1024]) -> u8 {
    let mut more = [depth[0]; 1024];
    std::hint::black_box(&mut more);
    overflow(&mut more) + more[1]
}

struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        panic!("once more");
    }
}

fn die(how: &str) {
    match how {
        "abort" => std::process::abort(),
        "double panic" => {
            let _again = PanicsAgain;
            panic!("once");
        }
        "stack" => drop(overflow(&mut [1; 1024])),
        "exit" => std::process::exit(7),
        // SAFETY: not at all; that is the test.
        "pointer" => unsafe { ptr::without_provenance_mut::<u8>(64).write_volatile(1) },
        _ => std::thread::sleep(Duration::from_secs(30)),
    }
}

/// Runs only in a child: a thread that dies as requested, and a coordinator that is slow.
#[test]
fn child() {
    let (Ok(how), Ok(note)) = (std::env::var(HOW), std::env::var(NOTE)) else { return };
    watch();
    watch();
    let crash_signal = std::sync::Arc::new(CrashSignal::default());
    let of_thread = std::sync::Arc::clone(&crash_signal);
    std::thread::spawn(move || match how.strip_prefix("stranger ") {
        Some(how) => die(how),
        None => {
            within(&of_thread, 8, || within(&of_thread, 9, || ()));
            within(&of_thread, 3, || die(&how));
        }
    });
    std::fs::write(&note, "begun").unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if let Some(thread_id) = crash_signal.poll() {
            std::thread::sleep(Duration::from_millis(200));
            let again = crash_signal.poll();
            std::fs::write(&note, format!("{thread_id} {again:?}")).unwrap();
            crash_signal.release();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    std::process::exit(99);
}

fn spawn(how: &str, note: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine::workers::crash_hook::tests::child", "--nocapture"])
        .env(HOW, how)
        .env(NOTE, note)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Returns how a child ends, what its coordinator noted, and what it wrote on stderr.
fn end_of(how: &str) -> (ExitStatus, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let output = spawn(how, &note).wait_with_output().unwrap();
    let noted = std::fs::read_to_string(&note).unwrap_or_default();
    (output.status, noted, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_worker_that_dies_waits_for_the_coordinator_and_dies_as_it_would_have() {
    for (how, signal) in [
        ("abort", libc::SIGABRT),
        ("double panic", libc::SIGABRT),
        ("stack", libc::SIGABRT),
        ("pointer", libc::SIGSEGV),
    ] {
        let (status, noted, stderr) = end_of(how);
        assert_eq!(noted, "3 None", "{how}: {status} {stderr}");
        assert_eq!(status.signal(), Some(signal), "{how}: {status} {stderr}");
        assert_eq!(stderr.contains("has overflowed its stack"), how == "stack", "{stderr}");
    }
    let (status, noted, _) = end_of("exit");
    assert_eq!((status.code(), noted.as_str()), (Some(7), "3 None"));
}

#[test]
fn a_thread_that_is_no_worker_dies_at_once() {
    for (how, signal) in [
        ("stranger abort", libc::SIGABRT),
        ("stranger stack", libc::SIGABRT),
        ("stranger pointer", libc::SIGSEGV),
    ] {
        let begun = Instant::now();
        let (status, noted, stderr) = end_of(how);
        assert_eq!(status.signal(), Some(signal), "{how}: {status} {stderr}");
        assert!(!noted.contains('3'), "{how}: {noted}");
        assert!(begun.elapsed() < Duration::from_millis(PATIENCE_MS), "{how}");
    }
    let (status, noted, _) = end_of("stranger exit");
    assert_eq!((status.code(), noted.contains('3')), (Some(7), false));
}

#[test]
fn a_signal_from_outside_is_nobodys_fault() {
    for signal in [rustix::process::Signal::ABORT, rustix::process::Signal::ILL] {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("note");
        let mut child = spawn("sleep", &note);
        while std::fs::read_to_string(&note).unwrap_or_default() != "begun" {
            std::thread::sleep(Duration::from_millis(2));
        }
        let begun = Instant::now();
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal.as_raw()));
        assert_eq!(std::fs::read_to_string(&note).unwrap(), "begun");
        assert!(begun.elapsed() < Duration::from_millis(PATIENCE_MS));
    }
}
