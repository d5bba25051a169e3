//! Traces and metrics, sent to a collector that is ours.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, ran};

const AST: &str = r#"{"type":"Program","body":[{"type":"Name","id":"x"}]}"#;

fn sandbox() -> Sandbox {
    Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", "{"), ("c.ast.json", AST)])
}

/// Path and body of a request, which is answered.
fn answer(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some((path, body))
}

/// A collector: its address, and what it is sent.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let send = send.clone();
            std::thread::spawn(move || {
                while let Some(request) = answer(&mut stream) {
                    let _ = send.send(request);
                }
            });
        }
    });
    (address, requests)
}

/// A run that sends there.
fn sending_run(sandbox: &Sandbox, address: &str) -> Command {
    let mut command = sandbox.run_command(&[]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address).env("NO_PROXY", "*");
    command
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_collector_gets_the_batches_and_the_figures_of_a_run() {
    let (address, requests) = collector();
    let sandbox = sandbox();
    ran(sending_run(&sandbox, &address).env("OTEL_TRACES_SAMPLER", "always_on")).expect(3);
    let sent: Vec<_> = requests.try_iter().collect();
    let body = |path: &str| -> Vec<u8> {
        sent.iter().filter(|(to, _)| to == path).flat_map(|(_, body)| body.clone()).collect()
    };
    let (traces, metrics) = (body("/v1/traces"), body("/v1/metrics"));
    assert!(holds(&traces, "batch") && holds(&traces, "service.name"), "{sent:?}");
    for figure in ["outlast.files", "outlast.pending", "outlast.memory.rss", "failed"] {
        assert!(holds(&metrics, figure), "no {figure}: {sent:?}");
    }
}

#[test]
fn a_collector_that_is_gone_or_says_nothing_does_not_hold_a_run_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let timed = |address: Option<String>| {
        let sandbox = sandbox();
        let begun = Instant::now();
        let told = match address {
            Some(address) => ran(&mut sending_run(&sandbox, &address)),
            None => sandbox.run(&[]),
        };
        told.expect(3);
        begun.elapsed()
    };
    let usual = timed(None);
    for address in [gone, silent.local_addr().unwrap()] {
        let took = timed(Some(format!("http://{address}")));
        // A second, and what a busy machine adds.
        assert!(took < usual + Duration::from_millis(2500), "{took:?} in place of {usual:?}");
    }
}
