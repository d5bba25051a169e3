//! A process that is stopped for a while, as by Ctrl-Z, a frozen container or a debugger.

use std::time::Duration;

use outlast::BatchConfig;
use rustix::process::{Pid, Signal, kill_process};

use super::{Child, tree};
use crate::user::wait_until;

/// Stops the process so often for so long, each time for a while after it went on.
fn stop(process: &std::process::Child, times: u32, time: Duration) {
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(300));
        for signal in [Signal::STOP, Signal::CONT] {
            kill_process(Pid::from_child(process), signal).unwrap();
            if signal == Signal::STOP {
                std::thread::sleep(time);
            }
        }
    }
}

#[test]
fn time_in_which_the_process_is_stopped_is_not_the_files() {
    let (sandbox, told) = tree(20, &["steps-150", "steps-150"]);
    let config = BatchConfig { worker_count: 2, timeout_seconds: 4, ..BatchConfig::default() };
    let child = Child::new(&sandbox, config);
    let mut process = child.command().spawn().unwrap();
    wait_until("both are in hand", || told.iter().all(|path| child.calls().contains_key(path)).then_some(()));
    stop(&process, 2, Duration::from_millis(4500));
    assert!(process.wait().unwrap().success());
    let result = child.result();
    assert_eq!((&result["ok"], &result["failed"]), (&20.into(), &0.into()), "{result}");
    assert_eq!(child.calls().values().sum::<u64>(), 20, "no file was tried twice");
}

#[test]
fn a_file_that_hangs_is_found_out_by_a_process_that_is_stopped_now_and_then() {
    let (sandbox, told) = tree(20, &["hang"]);
    let child = Child::new(&sandbox, BatchConfig { timeout_seconds: 1, ..super::config() });
    let mut process = child.command().spawn().unwrap();
    wait_until("it is in hand", || child.calls().contains_key(&told[0]).then_some(()));
    stop(&process, 3, Duration::from_millis(500));
    assert!(process.wait().unwrap().success());
    assert_eq!(super::failed(&sandbox), [(told[0].clone(), "timeout".to_owned())]);
}
