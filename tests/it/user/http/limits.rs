//! What clients may not do: take for ever, say too much, take all the room.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{idle, paused};
use crate::support::Client;

fn begun(client: Client, request: &str) -> TcpStream {
    let stream = client.connect();
    (&stream).write_all(request.as_bytes()).unwrap();
    stream
}

/// How long it takes until the server has closed a connection.
fn closed_after(mut stream: &TcpStream) -> Duration {
    let begun = Instant::now();
    // A connection that is reset is closed as well.
    let _ = stream.read_to_end(&mut Vec::new());
    begun.elapsed()
}

fn listener(client: Client) -> TcpStream {
    begun(client, &format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n", client.0))
}

/// The first line of the answer.
fn first_line(stream: &TcpStream) -> String {
    let mut line = [0; 12];
    (&mut { stream }).read_exact(&mut line).unwrap();
    String::from_utf8(line.to_vec()).unwrap()
}

#[test]
fn the_end_waits_for_no_client() {
    let (served, client) = idle(None);
    let host = client.0;
    let heads = ["", "GET /api/sta", "GET / HTTP/1.1\r\nHost: "];
    let mut clients: Vec<_> = heads.map(|head| begun(client, head)).into();
    let body = "POST /api/orders HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n";
    clients.push(begun(client, &format!("{body}Host: {host}\r\n\r\n{{")));
    clients.extend((0..4).map(|_| listener(client)));
    clients.extend((0..4).map(|_| begun(client, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))));
    client.get("/healthz").expect(200);
    let begun = Instant::now();
    drop(served);
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    drop(clients);
}

#[test]
fn a_run_ends_while_somebody_listens() {
    let (sandbox, run, client) = paused();
    let listeners: Vec<_> = (0..8).map(|_| listener(client)).collect();
    assert_eq!(first_line(&listeners[7]), "HTTP/1.1 200");
    let begun = Instant::now();
    run.signal(rustix::process::Signal::TERM);
    run.end().expect(143);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(listeners);
    sandbox.run_code(&[], 3);
    sandbox.check();
}

#[test]
fn who_does_not_finish_a_request_loses_the_connection() {
    let (_served, client) = idle(None);
    let (silent, half) = (client.connect(), begun(client, "GET /healthz HTTP/1.1\r\nHost: "));
    let post = "POST /api/retry HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n";
    let no_body = begun(client, &format!("{post}Host: {}\r\n\r\n{{", client.0));
    let kept = begun(client, &format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", client.0));
    for stream in [&silent, &half, &no_body, &kept] {
        let took = closed_after(stream);
        assert!(took < Duration::from_secs(12), "{took:?}");
    }
}

#[test]
fn a_request_that_is_too_large_is_refused_before_it_is_read() {
    let (_served, client) = idle(None);
    let json = ("Content-Type", "application/json");
    let body = format!("{{\"glob\":\"{}\"}}", "x".repeat(100 << 10));
    client.request("POST", "/api/retry", &[json], &body).expect(413);
    let long = "x".repeat(64 << 10);
    let told = client.request("GET", "/healthz", &[("X-Long", &long)], "");
    assert!(matches!(told.status, 400 | 431), "{told:?}");
    let told = client.get(&format!("/{long}"));
    assert!(matches!(told.status, 400 | 414 | 431), "{told:?}");
    client.get("/healthz").expect(200);
}

#[test]
fn who_reads_nothing_of_what_it_asked_for_loses_the_connection() {
    let (_served, client) = idle(None);
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", client.0);
    // More than all buffers between them hold.
    let deaf = begun(client, &request.repeat(400));
    let since = Instant::now();
    super::wait_until("nobody hears it any more", || (&deaf).write_all(b"G").is_err().then_some(()));
    let took = since.elapsed();
    assert!(took > Duration::from_secs(10) && took < Duration::from_secs(40), "{took:?}");
}

#[test]
fn so_many_listen_and_others_are_still_answered() {
    let (_served, client) = idle(None);
    let listeners: Vec<_> = (0..20).map(|_| listener(client)).collect();
    let told: Vec<_> = listeners.iter().map(first_line).collect();
    assert_eq!(told.iter().filter(|line| *line == "HTTP/1.1 200").count(), 16, "{told:?}");
    assert_eq!(told.iter().filter(|line| *line == "HTTP/1.1 503").count(), 4, "{told:?}");
    client.get("/healthz").expect(200);
    drop(listeners);
    super::wait_until("their places are free again", || {
        (first_line(&listener(client)) == "HTTP/1.1 200").then_some(())
    });
}

#[test]
fn who_takes_all_connections_and_asks_for_nothing_holds_nobody_up() {
    let (_served, client) = idle(None);
    let listener = listener(client);
    assert_eq!(first_line(&listener), "HTTP/1.1 200");
    let whole = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", client.0);
    let kept: Vec<_> = (0..300).map(|_| begun(client, &whole)).collect();
    assert!(kept.iter().all(|stream| first_line(stream) == "HTTP/1.1 200"));
    let mut half: Vec<_> = (0..300).map(|_| begun(client, "GET /healthz HTTP/1.1\r\nHost: ")).collect();
    let since = Instant::now();
    for _ in 0..10 {
        client.get("/healthz").expect(200);
    }
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    // The oldest have given way, who listens has not, and the latest may still say what it wants.
    let mut last = half.pop().unwrap();
    write!(last, "{}\r\n\r\n", client.0).unwrap();
    assert_eq!(first_line(&last), "HTTP/1.1 200");
    assert!(closed_after(&half[0]) < Duration::from_secs(1));
    let mut more = [0; 64];
    (&listener).read_exact(&mut more).unwrap();
}
