//! What a process that watches serves.

use std::fs;

use super::metrics::{parse, value};
use super::{client_of, failed_checks};
use crate::support::{Background, Sandbox};
use crate::user::{AST, OTHER, wait_until};

#[test]
fn a_watch_tells_how_long_changes_take_and_what_is_away() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let mut command = sandbox.command(["watch", "--progress", "never", "--listen", "127.0.0.1:0"]);
    let mut watch = Background::start(command.arg(&sandbox.root));
    let client = client_of(&mut watch);
    wait_until("it watches", || {
        let readiness = client.get("/readyz");
        let names = readiness.text.contains("watcher-armed") && readiness.text.contains("roots-there");
        let state = &client.get("/api/status").json()["running"]["state"];
        (readiness.status == 200 && names && state == "watching").then_some(())
    });
    sandbox.write("b.ast.json", OTHER);
    let samples = wait_until("the change is durable", || {
        let samples = parse(&client.get("/metrics").expect(200).text).unwrap();
        (value(&samples, "watch_committed_total", &[]) > 0.0).then_some(samples)
    });
    let of_watch = |name: &str, labels: &[(&str, &str)]| value(&samples, name, labels);
    assert!(of_watch("watch_latency_seconds", &[("quantile", "0.5")]) > 0.0);
    assert_eq!(of_watch("watch_roots", &[("state", "watched")]), 1.0);
    assert_eq!(of_watch("processed_files_total", &[]), 2.0, "also what the first job did");

    let jobs = client.get("/api/jobs").expect(200).json()["jobs"].clone();
    assert_eq!((&jobs[0]["state"], &jobs[1]["kind"]), (&"completed".into(), &"watch".into()), "{jobs}");
    fs::rename(&sandbox.root, sandbox.root.with_extension("moved")).unwrap();
    wait_until("the root is missed", || {
        let readiness = client.get("/readyz");
        (readiness.status == 503 && failed_checks(&readiness.json()).contains(&"roots-there")).then_some(())
    });
    client.get("/healthz").expect(200);
    client.post("/api/orders", &serde_json::json!({"order": "stop"})).expect(200);
    watch.end();
}
