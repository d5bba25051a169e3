//! What is served over HTTP while a run goes on.

mod browser;
mod gate;
mod limits;
mod metrics;
mod watching;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outlast::{AstProcessor, Engine};

use outlast::service::{ControlHandle, HttpSettings, Served};
use serde_json::{Value, json};

use super::{BROKEN, slow, wait_until};
use crate::support::{Background, Checker, Client, Sandbox, ran, summary_adds_up};

/// A server for an engine that runs nothing.
fn idle(token: Option<&str>) -> (Served, Client) {
    let desk =
        ControlHandle::new(Arc::new(Engine::new(AstProcessor::with_limits(outlast::Limits::default()))));
    let settings =
        HttpSettings { listen: ([127, 0, 0, 1], 0).into(), token: token.map(str::to_owned), shard: None };
    let served = Served::start(&settings, Arc::new(desk)).unwrap();
    let client = Client(served.address());
    (served, client)
}

/// A run that serves, with these arguments.
fn serving(sandbox: &Sandbox, extra: &[&str]) -> (Background, Client) {
    let arguments = [&["--listen", "127.0.0.1:0"], extra].concat();
    let mut run = Background::start(&mut sandbox.run_command(&arguments));
    let client = client_of(&mut run);
    (run, client)
}

/// A client of a process that has just been started.
pub(crate) fn client_of(run: &mut Background) -> Client {
    let address = run.says("outlast: serving http://");
    let address: SocketAddr = address.trim_end_matches('/').parse().unwrap();
    Client(address)
}

/// A name that a page, a table, or an escape sequence could fall for.
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'\u{202e}\n\u{1b}[31m.ast.json";

/// A run of one worker that was paused when some files were done, and some had failed.
fn paused() -> (Sandbox, Background, Client) {
    let sandbox = slow(30);
    // They come first.
    sandbox.write("a.ast.json", BROKEN);
    sandbox.write(HOSTILE, BROKEN);
    sandbox.settle();
    let (run, client) = serving(&sandbox, &["--workers", "1"]);
    wait_until("some files are done", || {
        let status = client.get("/api/status");
        (status.status == 200 && status.json()["total"]["ok"].as_u64()? > 0).then_some(())
    });
    let told = client.post("/api/orders", &json!({"order": "pause"})).expect(200).json();
    assert!(told["what"].as_str().unwrap().starts_with("paused"), "{told}");
    wait_until("nothing is in hand", || {
        let running = &client.get("/api/status").expect(200).json()["running"];
        (running["state"] == "paused" && running["in_flight"] == 0).then_some(())
    });
    (sandbox, run, client)
}

fn failed_checks(readiness: &Value) -> Vec<&str> {
    let checks = readiness["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["ok"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn a_run_is_ready_until_it_is_paused_and_tells_what_the_commands_tell() {
    let (sandbox, run, client) = paused();
    assert_eq!(client.get("/healthz").expect(200).json(), json!({"status": "ok"}));
    let readiness = client.get("/readyz").expect(503).json();
    assert_eq!((failed_checks(&readiness), &readiness["ready"]), (vec!["not-paused"], &json!(false)));

    let (mine, theirs) = (client.get("/api/status").expect(200).json(), sandbox.status());
    for part in ["cursor", "total", "roots", "jobs", "records_bytes"] {
        assert_eq!(mine[part], theirs[part]);
    }
    assert_eq!(mine["running"]["workers"][0]["files"], theirs["running"]["workers"][0]["files"]);
    let told = ran(&mut sandbox.command(["jobs", "--format", "json"])).expect(0).json();
    assert_eq!(client.get("/api/jobs").expect(200).json()["jobs"], told["jobs"]);
    client.get("/api/jobs?ended=few").expect(400).json();
    let told = ran(&mut sandbox.command(["failures", "--format", "json"])).expect(0).json();
    assert_eq!(client.get("/api/failures").expect(200).json(), told);

    client.post("/api/orders", &json!({"order": "resume"})).expect(200);
    wait_until("it is ready", || (client.get("/readyz").status == 200).then_some(()));
    wait_until("the worker has a batch in hand", || {
        let worker = &client.get("/api/status").expect(200).json()["running"]["workers"][0];
        (worker["in_hand"].as_u64()? > 0 && worker["batch"].is_u64()).then_some(())
    });
    client.post("/api/orders", &json!({"order": "stop"})).expect(200);
    summary_adds_up(&run.end().expect(143).json()).unwrap();
    sandbox.run_code(&[], 3);
    sandbox.check();
}

#[test]
fn failures_are_told_as_data_and_can_be_asked_for_again() {
    let (sandbox, run, client) = paused();
    let told = client.get("/api/failures?class=parse&samples=5").expect(200).json();
    let samples = told["classes"][0]["samples"].as_array().unwrap();
    assert!(samples.iter().any(|sample| sample["path"] == HOSTILE), "{told}");
    assert_eq!(client.get("/api/failures?class=timeout").expect(200).json()["classes"], json!([]));
    assert_eq!(client.get("/api/failures?samples=0").expect(200).json()["classes"][0]["samples"], json!([]));
    for wrong in ["class=nothing", "samples=-1", "samples=many", "clas=parse"] {
        client.get(&format!("/api/failures?{wrong}")).expect(400).json();
    }

    client.post("/api/retry", &json!({"class": "timeout"})).expect(200);
    let again = client.post("/api/retry", &json!({"class": "parse"})).expect(200).json();
    assert_eq!((&again["files"], &again["running"]), (&json!(2), &json!(true)), "{again}");
    assert_eq!(client.get("/api/failures").expect(200).json()["failed"], 0, "none is from before");
    assert!(client.post("/api/retry", &json!({"glob": "["})).expect(400).json()["error"].is_string());
    client.post("/api/orders", &json!({"order": "resume"})).expect(200);
    run.end().expect(3);
    assert_eq!(sandbox.status()["total"]["failed"], 2);
    Checker::new(&sandbox.state, &[&sandbox.root]).retried().assert();
}

#[test]
fn each_second_there_is_a_snapshot_and_a_sample() {
    let (_sandbox, _run, client) = paused();
    let stream = client.connect();
    (&stream)
        .write_all(format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n", client.0).as_bytes())
        .unwrap();
    let mut snapshots = Vec::new();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    for line in lines {
        if let Some(json) = line.strip_prefix("data: ") {
            snapshots.push(serde_json::from_str::<Value>(json).unwrap());
        }
        if snapshots.len() == 4 {
            break;
        }
    }
    let at = |index: usize| snapshots[index]["at"].as_u64().unwrap();
    // The first one is of the moment that it was asked for.
    assert!(at(1) >= at(0) && at(3) - at(1) >= 2, "{} {} {}", at(0), at(1), at(3));
    for snapshot in &snapshots {
        assert_eq!(snapshot["statistics"]["state"], "paused");
        assert_eq!(failed_checks(&snapshot["readiness"]), ["not-paused"]);
        assert!(snapshot["statistics"]["memory"]["rss_bytes"].as_u64().unwrap() > 1 << 20);
    }
    let history = client.get("/api/history").expect(200).json();
    let column = |name: &str| history["seconds"][name].as_array().unwrap().clone();
    assert!(column("at").len() >= 3 && column("pending").len() == column("at").len(), "{history}");
    let done: f64 = column("files_per_second").iter().map(|rate| rate.as_f64().unwrap()).sum();
    assert!(done > 0.0, "{history}");
    // One may have come to its end meanwhile.
    assert!(history["minutes"]["at"].as_array().unwrap().len() <= 1 + column("at").len() / 60, "{history}");
}

#[test]
fn orders_that_can_not_be_carried_out_are_refused_with_the_reason() {
    let (_sandbox, _run, client) = paused();
    let refused = |body: Value, status| {
        let told = client.post("/api/orders", &body).expect(status).json();
        told["error"].as_str().unwrap().to_owned()
    };
    assert!(
        refused(json!({"order": "rescan", "path": null, "scheduled": false}), 409).contains("outlast watch")
    );
    assert!(refused(json!({"order": "add", "root": "/tmp", "priority": 0}), 409).contains("outlast watch"));
    refused(json!({"order": "workers", "count": 0}), 400);
    refused(json!({"order": "dance"}), 400);
    let cursor =
        client.post("/api/orders", &json!({"order": "checkpoint"})).expect(200).json()["cursor"].clone();
    assert!(cursor["tick"].as_u64().unwrap() > 0);
}

#[test]
fn a_port_that_is_taken_ends_the_run_before_it_begins() {
    let sandbox = Sandbox::with(&[("a.ast.json", super::AST)]);
    let (served, _) = idle(None);
    let told = sandbox.run(&["--listen", &served.address().to_string()]).expect(1);
    for words in [served.address().to_string().as_str(), "in use", "another address", "listen"] {
        assert!(told.stderr.contains(words), "no {words:?}: {told}");
    }
    assert!(!sandbox.state.exists());
}

#[test]
fn an_address_that_others_reach_is_refused_without_a_token() {
    let sandbox = Sandbox::with(&[("a.ast.json", super::AST)]);
    let told = sandbox.run(&["--listen", "0.0.0.0:0"]).expect(78);
    assert!(told.stderr.contains("token-file") && told.stderr.contains("flag --listen"), "{told}");
    let token = sandbox.dir.path().join("token");
    std::fs::write(&token, "short\n").unwrap();
    let told = sandbox.run(&["--listen", "0.0.0.0:0", "--token-file", token.to_str().unwrap()]).expect(78);
    assert!(told.stderr.contains("chmod 600") || told.stderr.contains("16 characters"), "{told}");
    sandbox.run_ok(&["--listen", "0"]);
}

#[test]
fn without_a_run_it_lives_and_is_not_ready() {
    let (served, client) = idle(None);
    assert_eq!(client.get("/healthz").expect(200).json()["status"], "ok");
    assert_eq!(failed_checks(&client.get("/readyz").expect(503).json()), ["state-open", "running"]);
    for path in ["/api/status", "/api/failures", "/api/jobs", "/api/failures?samples=1"] {
        assert!(client.get(path).expect(503).json()["error"].is_string());
    }
    assert!(client.get("/metrics").expect(200).text.contains("outlast_ready 0\n"));
    client.post("/api/orders", &json!({"order": "checkpoint"})).expect(409);
    client.post("/api/retry", &json!({})).expect(503);
    drop(served);
    std::thread::sleep(Duration::from_millis(50));
    assert!(std::net::TcpStream::connect(client.0).is_err(), "nobody listens any more");
}
