//! Async functions as processors: as many calls at once as the configuration says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outlast::{BatchConfig, Engine, FileContent, RunOptions, async_from_fn};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::{Answered, answer, outcomes};
use crate::support::Sandbox;

/// What comes of the same acts in futures, some of which wait.
pub(super) fn outcomes_of_futures(sandbox: &Sandbox, config: &BatchConfig) -> BTreeMap<String, Value> {
    let runtime = Runtime::new().unwrap();
    let _within = runtime.enter();
    let answered = Arc::new(Answered::default());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let concurrency = config.concurrency;
    let in_futures = async_from_fn("acts/1", &["*"], move |path, bytes| {
        let answered = Arc::clone(&answered);
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if bytes.len() % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            assert!(most.load(Ordering::SeqCst) <= concurrency, "too many at once");
            answer(&FileContent { path: &path, bytes: &bytes }, &answered)
        }
    });
    outcomes(&Engine::new(in_futures), sandbox, "futures", config)
}

/// A service on this machine that answers each connection after this time.
fn service(runtime: &Runtime, time: Duration) -> std::net::SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let asked = stream.read_u64().await.unwrap();
                tokio::time::sleep(time).await;
                stream.write_u64(asked * 2).await.unwrap();
            });
        }
    });
    address
}

/// Asks the service once.
async fn ask(address: std::net::SocketAddr, number: u64) -> u64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_u64(number).await.unwrap();
    let doubled = stream.read_u64().await.unwrap();
    assert_eq!(doubled, number * 2);
    doubled
}

/// Seconds beyond the ideal from the first of 1,000 calls in a run to the end of the last.
fn beyond_ideal(address: std::net::SocketAddr, time: Duration, concurrency: usize) -> f64 {
    let sandbox = Sandbox::new();
    (0..1_000_u64).for_each(|number| drop(sandbox.write(format!("{number:03}"), number.to_string())));
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let asking = async_from_fn("asked/1", &["*"], move |_, bytes| {
        let noted = Arc::clone(&noted);
        async move {
            noted.lock().unwrap().push(Instant::now());
            let doubled = ask(address, std::str::from_utf8(&bytes)?.parse().unwrap()).await;
            noted.lock().unwrap().push(Instant::now());
            Ok(doubled)
        }
    });
    let config = BatchConfig { worker_count: 4, concurrency, ..BatchConfig::default() };
    let done = Engine::new(asking).run(&sandbox.root, &config, &RunOptions::new(&sandbox.state)).unwrap();
    assert_eq!(done.progress.ok, 1_000);
    let times = times.lock().unwrap();
    let took = times.last().unwrap().duration_since(times[0]);
    took.as_secs_f64() - time.as_secs_f64() * 1_000.0 / concurrency as f64
}

#[test]
fn a_thousand_calls_take_hardly_longer_than_those_at_once_allow() {
    let time = Duration::from_millis(100);
    let runtime = Runtime::new().unwrap();
    let _within = runtime.enter();
    let address = service(&runtime, time);
    // The best of some: other tests run beside it.
    let mut beyond = Vec::new();
    while beyond.len() < 5 {
        beyond.push(beyond_ideal(address, time, 100));
        if beyond.last().is_some_and(|beyond| *beyond < 0.2) {
            return;
        }
    }
    panic!("{beyond:?} s beyond the ideal");
}

#[test]
fn a_future_that_is_bounded_by_one_waits_for_all_others() {
    let sandbox = Sandbox::new();
    (0..30).for_each(|number| drop(sandbox.write(format!("{number:02}"), format!("fine {number}"))));
    let config = BatchConfig { worker_count: 4, concurrency: 1, ..BatchConfig::default() };
    assert_eq!(outcomes_of_futures(&sandbox, &config).len(), 30);
}
