//! Under a service manager: what it is told, and the unit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Disk, Sandbox, ran, skip};
use crate::user::http::client_of;
use crate::user::{AST, Background, slow, wait_until};

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    sandbox: Sandbox,
}

impl Manager {
    fn new(sandbox: Sandbox) -> Self {
        let socket = UnixDatagram::bind(sandbox.dir.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        Self { socket, sandbox }
    }

    /// A run whose signs of life are wanted so often.
    fn run(&self, extra: &[&str], alive_millis: u64) -> Background {
        let mut command = self.sandbox.run_command(&[&["--workers", "1"], extra].concat());
        command.env("NOTIFY_SOCKET", self.sandbox.dir.path().join("notify"));
        Background::start(command.env("WATCHDOG_USEC", (alive_millis * 1000).to_string()))
    }

    /// The lines that came and were not taken yet.
    fn told(&self) -> Vec<String> {
        let (mut lines, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(length) = self.socket.recv(&mut bytes) {
            lines.extend(String::from_utf8_lossy(&bytes[..length]).lines().map(str::to_owned));
        }
        lines
    }

    /// Waits until a line that begins so has come; returns all until then.
    #[track_caller]
    fn wait_for(&self, begin: &str) -> Vec<String> {
        let mut lines = Vec::new();
        wait_until(begin, || {
            lines.extend(self.told());
            lines.iter().any(|line| line.starts_with(begin)).then_some(())
        });
        lines
    }

    fn ctl(&self, order: &str) {
        ran(&mut self.sandbox.command(["ctl", order])).expect(0);
    }

    /// Whether a sign of life comes within this time.
    fn is_alive(&self, within: Duration) -> bool {
        self.told();
        let begun = Instant::now();
        while begun.elapsed() < within {
            if self.told().iter().any(|line| line == "WATCHDOG=1") {
                return true;
            }
        }
        false
    }
}

#[test]
fn the_service_manager_is_told_of_the_start_of_each_reload_and_of_the_end() {
    let manager = Manager::new(slow(24));
    let run = manager.run(&[], 500);
    let mut lines = manager.wait_for("WATCHDOG=1");
    assert_eq!(lines[0], "READY=1", "{lines:?}");
    if !lines.iter().any(|line| line.starts_with("STATUS=")) {
        lines.extend(manager.wait_for("STATUS="));
    }
    assert!(lines.iter().all(|line| line != "STOPPING=1"), "{lines:?}");
    manager.ctl("pause");
    assert!(manager.is_alive(Duration::from_secs(20)), "who pauses is alive");
    manager.told();
    manager.ctl("reload");
    let lines = manager.wait_for("READY=1");
    let at = |what: &str| lines.iter().position(|line| line.starts_with(what));
    assert!(at("RELOADING=1").is_some() && at("RELOADING=1") < at("READY=1"), "{lines:?}");
    assert!(at("MONOTONIC_USEC=").is_some(), "{lines:?}");
    manager.ctl("resume");
    manager.ctl("stop");
    run.end().expect(143);
    let lines = manager.told();
    assert_eq!(lines.iter().filter(|line| *line == "STOPPING=1").count(), 1, "{lines:?}");
}

#[test]
fn a_run_that_ends_by_itself_says_so_and_one_without_a_manager_tells_nobody() {
    let manager = Manager::new(Sandbox::with(&[("a.ast.json", AST)]));
    manager.run(&[], 500).end().expect(0);
    let lines = manager.told();
    assert_eq!(lines.first().map(String::as_str), Some("READY=1"), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("STOPPING=1"), "{lines:?}");
    let mut command = manager.sandbox.run_command(&[]);
    ran(command.env("NOTIFY_SOCKET", "/nowhere/notify").env("WATCHDOG_USEC", "1000")).expect(0);
}

#[test]
fn a_run_whose_own_thread_hangs_gives_no_sign_of_life_to_anyone() {
    // The worker goes on meanwhile: it must not come to the end.
    let sandbox = slow(200);
    let disk = match Disk::make(&sandbox.dir.path().canonicalize().unwrap(), "ext4", 64 << 20) {
        Ok(disk) => disk,
        Err(why) => return skip(&format!("no file system can be made here: {why}")),
    };
    sandbox.settle();
    let (manager, out) = (Manager::new(sandbox), disk.mount.join("out"));
    let mut run = manager.run(&["--out", out.to_str().unwrap(), "--listen", "127.0.0.1:0"], 4_000);
    let client = client_of(&mut run);
    manager.wait_for("WATCHDOG=1");
    assert_eq!(client.get("/healthz").expect(200).json()["status"], "ok");
    let frozen = match disk.freeze() {
        Ok(frozen) => frozen,
        Err(why) => return skip(&format!("no file system can be frozen here: {why}")),
    };
    // It hangs as soon as it commits: what is finished can't be written, and fails in no way either.
    wait_until("signs of life end", || (!manager.is_alive(Duration::from_secs(5))).then_some(()));
    let health = client.get("/healthz").expect(503).json();
    assert_eq!(health["status"], "stalled");
    let silent = health["stalled_seconds"].as_u64().unwrap();
    assert!(silent >= 2, "half of the watchdog's time: {health}");
    let readiness = client.get("/readyz").expect(503).json();
    let progress = readiness["checks"].as_array().unwrap().iter().find(|check| check["name"] == "progress");
    assert!(progress.unwrap()["why"].as_str().unwrap().starts_with("nothing was shown for"), "{readiness}");
    drop(frozen);
    assert!(manager.is_alive(Duration::from_secs(30)), "it goes on");
    client.get("/healthz").expect(200);
    manager.ctl("stop");
    run.end().expect(143);
}

/// The settings of the unit, by section and key; those given several times in one.
fn unit() -> BTreeMap<String, String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/outlast.service")).unwrap();
    let mut section = String::new();
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line:?} is no setting"));
        let all = found.entry(format!("{section}.{key}")).or_default();
        *all = format!("{all} {value}").trim().to_owned();
    }
    found
}

fn codes(text: &str) -> BTreeSet<u8> {
    text.split_whitespace().map(|code| code.parse().unwrap()).collect()
}

/// The exit codes that the program has, by name.
fn exit_codes() -> BTreeMap<String, u8> {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/exit_code.rs")).unwrap();
    let codes = source.lines().filter_map(|line| {
        let (name, code) = line.strip_prefix("pub(crate) const ")?.split_once(": u8 = ")?;
        Some((name.to_owned(), code.trim_end_matches(';').parse().ok()?))
    });
    codes.collect()
}

#[test]
fn the_unit_starts_it_again_exactly_where_that_can_help() {
    let (unit, mut left) = (unit(), exit_codes());
    let mut take = |names: &[&str]| -> BTreeSet<u8> {
        names.iter().map(|name| left.remove(*name).unwrap_or_else(|| panic!("no code {name}"))).collect()
    };
    let over =
        take(&["USAGE", "SOME_FAILED", "NOTHING_MATCHED", "NO_STATE", "DAMAGED", "CURSOR_GONE", "CONFIG"]);
    let asked = take(&["STOPPED"]);
    let again = take(&["UNEXPECTED", "IN_USE", "UNAVAILABLE"]);
    take(&["DONE"]);
    assert!(left.is_empty(), "whether to start again after {left:?} is not thought through");
    assert_eq!(unit["Service.Restart"], "on-failure");
    let prevented = codes(&unit["Service.RestartPreventExitStatus"]);
    assert_eq!(prevented, over);
    let fine = codes(&unit["Service.SuccessExitStatus"]);
    assert_eq!(fine, asked.into_iter().chain([130]).collect());
    assert!(again.is_disjoint(&prevented) && again.is_disjoint(&fine));
}

#[test]
fn the_units_times_fit_the_programs() {
    let unit = unit();
    let seconds = |key: &str| -> u64 {
        let text = &unit[&format!("Service.{key}")];
        text.strip_suffix("min")
            .map_or_else(|| text.parse().unwrap(), |minutes| 60 * minutes.parse::<u64>().unwrap())
    };
    let default = outlast::BatchConfig::default();
    assert!(seconds("TimeoutStopSec") > default.drain_seconds + 10);
    assert!(seconds("WatchdogSec") >= 60, "a slow disk is not dead");
    assert_eq!(unit["Service.Type"], "notify");
    let program = "/usr/local/bin/outlast";
    assert!(unit["Service.ExecStart"].starts_with(&format!("{program} ")));
    assert_eq!(unit["Service.ExecReload"], format!("{program} ctl reload"));
}

#[test]
fn systemd_understands_the_unit() {
    let sandbox = Sandbox::new();
    let path = sandbox.dir.path().join("outlast.service");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/outlast.service")).unwrap();
    let installed = text.replace("/usr/local/bin/outlast", env!("CARGO_BIN_EXE_outlast"));
    fs::write(&path, installed).unwrap();
    let Ok(told) = Command::new("systemd-analyze").arg("verify").arg(&path).output() else {
        return skip("systemd-analyze is not there");
    };
    let said = String::from_utf8_lossy(&told.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("outlast")).collect();
    assert!(ours.is_empty(), "{said}");
}
