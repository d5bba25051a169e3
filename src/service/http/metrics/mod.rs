//! `/metrics`: which figures there are, in base units.
//!
//! Constraints: no path, file name or root name ever becomes a label; all labels come from lists that are fixed or as
//! long as the number of workers, and from the names of consumers, at most 100. The metrics of a shard have it as a label.

mod text;

use super::figures::Seen;
use crate::engine::{
    BatchStatistics, BreakerState, ConsumerStatus, FailureReport, ProcessingState, RootState, StatusReport,
    WatchFigures,
};
use crate::model::{BatchPriority, ErrorClass, Resource, Shard};
use text::{Exposition, Kind};

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const STATES: [(ProcessingState, &str); 8] = [
    (ProcessingState::Idle, "idle"),
    (ProcessingState::Scanning, "scanning"),
    (ProcessingState::Processing, "processing"),
    (ProcessingState::Draining, "draining"),
    (ProcessingState::Waiting, "waiting"),
    (ProcessingState::Paused, "paused"),
    (ProcessingState::Watching, "watching"),
    (ProcessingState::Ended, "ended"),
];
const BREAKER_STATES: [(BreakerState, &str); 3] =
    [(BreakerState::Closed, "closed"), (BreakerState::Open, "open"), (BreakerState::HalfOpen, "half-open")];
const ROOT_STATES: [(RootState, &str); 4] = [
    (RootState::Watched, "watched"),
    (RootState::Polled, "polled"),
    (RootState::Unreadable, "unreadable"),
    (RootState::Away, "away"),
];

/// Formats all metrics. Those that can't be read at the moment are left out.
pub(super) fn text(
    shard: Option<Shard>,
    seen: &Seen,
    failures: Option<&FailureReport>,
    status: Option<&StatusReport>,
) -> String {
    let mut out = Exposition::of_shard(shard);
    let version = env!("CARGO_PKG_VERSION");
    out.metric(Kind::Gauge, "build_info", "The version that runs").of(&[("version", version)], 1);
    process(&mut out, seen);
    job(&mut out, &seen.statistics);
    queue(&mut out, &seen.statistics);
    workers(&mut out, &seen.statistics);
    breakers(&mut out, &seen.statistics);
    memory(&mut out, &seen.statistics);
    if let Some(status) = status {
        state(&mut out, status);
    }
    if let Some(failures) = failures {
        classes(&mut out, failures);
    }
    if let Some(watch) = &seen.statistics.watch {
        watcher(&mut out, watch);
    }
    out.into_text()
}

fn process(out: &mut Exposition, seen: &Seen) {
    out.gauge("ready", "Whether all checks of /readyz are well", seen.readiness.ready);
    let mut states =
        out.metric(Kind::Gauge, "state", "What the process is doing: 1 for that, 0 for the others");
    for (state, name) in STATES {
        states.of(&[("state", name)], seen.statistics.state == state);
    }
    let totals = seen.statistics.process;
    out.counter("processed_files_total", "Files that workers were through with, well or not", totals.files);
    out.counter("read_bytes_total", "Bytes that workers read", totals.bytes);
    out.counter("batches_total", "Batches that were completed", totals.batches);
    out.counter("ticks_total", "Commit ticks in the life of the state", seen.statistics.cursor.tick);
}

fn job(out: &mut Exposition, statistics: &BatchStatistics) {
    let progress = &statistics.progress;
    out.gauge("job_number", "Number of the present job", progress.job_id);
    out.gauge("job_elapsed_seconds", "Time that the present job has taken", progress.elapsed_seconds);
    out.gauge("job_discovered_files", "Files that the present job has found", progress.discovered);
    let mut files = out.metric(Kind::Gauge, "job_files", "Files of the present job by what became of them");
    let skipped = progress.skipped.values().sum();
    for (outcome, count) in [
        ("ok", progress.ok),
        ("failed", progress.failed),
        ("unchanged", progress.unchanged),
        ("removed", progress.removed),
        ("skipped", skipped),
    ] {
        files.of(&[("outcome", outcome)], count);
    }
    let help = "Folders that the present job could not list";
    out.gauge("job_unreadable_folders", help, progress.unreadable_folders);
}

fn queue(out: &mut Exposition, statistics: &BatchStatistics) {
    out.gauge("pending_files", "Files that are due", statistics.progress.pending);
    out.gauge("pending_bytes", "Sizes of the files that are due", statistics.pending_bytes);
    let help = "Files that are due, of all roots, by class of priority";
    let mut queued = out.metric(Kind::Gauge, "queued_files", help);
    for class in BatchPriority::ALL {
        queued.of(&[("class", class.as_str())], statistics.pending_by_class.of(class));
    }
    out.gauge("in_flight_files", "Files handed to workers and not committed yet", statistics.in_flight);
}

fn workers(out: &mut Exposition, statistics: &BatchStatistics) {
    let names: Vec<String> = (0..statistics.workers.len()).map(|number| number.to_string()).collect();
    let workers = || names.iter().zip(&statistics.workers);
    let help = "Files that a worker was through with in the present job";
    let mut files = out.metric(Kind::Counter, "worker_files_total", help);
    for (name, worker) in workers() {
        files.of(&[("worker", name)], worker.files);
    }
    let help = "Time that a worker was at work in the present job";
    let mut busy = out.metric(Kind::Counter, "worker_busy_seconds_total", help);
    for (name, worker) in workers() {
        busy.of(&[("worker", name)], worker.busy_seconds);
    }
    let mut in_flight =
        out.metric(Kind::Gauge, "worker_in_hand_files", "Files of the batch that a worker works on");
    for (name, worker) in workers() {
        in_flight.of(&[("worker", name)], worker.in_hand);
    }
}

fn breakers(out: &mut Exposition, statistics: &BatchStatistics) {
    let of = |resource| statistics.breakers.iter().find(|breaker| breaker.resource == resource);
    let mut states =
        out.metric(Kind::Gauge, "breaker_state", "State of a breaker: 1 for that, 0 for the others");
    for resource in Resource::ALL {
        let present = of(resource).map_or(BreakerState::Closed, |breaker| breaker.state);
        for (state, name) in BREAKER_STATES {
            states.of(&[("resource", resource.as_str()), ("state", name)], present == state);
        }
    }
    let mut opened = out.metric(Kind::Counter, "breaker_opened_total", "Times that a breaker opened");
    for resource in Resource::ALL {
        opened.of(&[("resource", resource.as_str())], of(resource).map_or(0, |breaker| breaker.opened));
    }
    let mut seconds =
        out.metric(Kind::Counter, "breaker_open_seconds_total", "Time that a breaker was not closed");
    for resource in Resource::ALL {
        let time = of(resource).map_or(0.0, |breaker| breaker.open_seconds);
        seconds.of(&[("resource", resource.as_str())], time);
    }
}

fn memory(out: &mut Exposition, statistics: &BatchStatistics) {
    let memory = statistics.memory;
    out.gauge("memory_resident_bytes", "Resident memory of the process", memory.rss_bytes);
    out.gauge("memory_limit_bytes", "What that may be", memory.limit_bytes);
    out.gauge("memory_in_hand_bytes", "What the files in flight may take together", memory.in_hand_bytes);
    let help = "How scarce memory is, 0 to 1: above 0.8, batches become smaller";
    out.gauge("memory_pressure_ratio", help, f64::from(memory.percent) / 100.0);
}

/// Adds the metrics of the whole state, beyond the current job.
fn state(out: &mut Exposition, status: &StatusReport) {
    let mut files = out.metric(Kind::Gauge, "state_files", "Files that the state knows, by how they stand");
    let total = status.total;
    for (name, count) in [("pending", total.pending), ("ok", total.ok), ("failed", total.failed)] {
        files.of(&[("status", name)], count);
    }
    out.gauge("roots", "Roots that the state knows", status.roots.len() as u64);
    out.gauge("state_bytes", "Size of the state folder without the records", status.state_bytes);
    out.gauge("records_bytes", "Size of the record files", status.records_bytes);
    consumers(out, &status.consumers);
}

fn consumers(out: &mut Exposition, consumers: &[ConsumerStatus]) {
    let named = || consumers.iter().map(|consumer| (consumer.name.to_string(), consumer));
    let help = "Length of the record log that a consumer has not read";
    let mut behind = out.metric(Kind::Gauge, "consumer_behind_bytes", help);
    for (name, consumer) in named() {
        behind.of(&[("consumer", &name)], consumer.behind_bytes.unwrap_or(0));
    }
    let help = "Length of the record log that compaction leaves for a consumer";
    let mut held = out.metric(Kind::Gauge, "consumer_held_bytes", help);
    for (name, consumer) in named() {
        held.of(&[("consumer", &name)], consumer.held_bytes);
    }
    let help = "Whether a consumer has to start over, as the record log no longer has what comes next";
    let mut is_gone = out.metric(Kind::Gauge, "consumer_gone", help);
    for (name, consumer) in named() {
        is_gone.of(&[("consumer", &name)], consumer.behind_bytes.is_none());
    }
}

fn classes(out: &mut Exposition, failures: &FailureReport) {
    let of = |class| failures.classes.iter().find(|group| group.class == class);
    let mut failed =
        out.metric(Kind::Gauge, "failed_files", "Files whose latest record says that they failed");
    for class in ErrorClass::ALL {
        failed.of(&[("class", class.as_str())], of(class).map_or(0, |group| group.failed));
    }
    let mut waiting = out.metric(Kind::Gauge, "retrying_files", "Files that failed and are tried again");
    for class in ErrorClass::ALL {
        waiting.of(&[("class", class.as_str())], of(class).map_or(0, |group| group.waiting));
    }
    let help = "Files that are set aside until their content changes";
    let mut aside = out.metric(Kind::Gauge, "quarantined_files", help);
    for class in ErrorClass::ALL {
        aside.of(&[("class", class.as_str())], of(class).map_or(0, |group| group.quarantined));
    }
}

fn watcher(out: &mut Exposition, watch: &WatchFigures) {
    let status = &watch.status;
    let latency = watch.latency;
    out.gauge("watch_armed_folders", "Folders that are watched", status.armed_folders);
    let unwatched = status.unwatched.values().sum::<u64>();
    out.gauge(
        "watch_unwatched_folders",
        "Folders that can't be watched, and are listed now and then",
        unwatched,
    );
    let help = "Folders that can't be listed, and are tried again";
    out.gauge("watch_unreadable_folders", help, watch.unreadable_folders);
    out.gauge("watch_waiting", "Names and folders that were touched and not yet looked at", status.waiting);
    out.gauge("watch_waiting_folders", "Touched folders that wait to be listed again", watch.folders_waiting);
    out.counter("watch_events_total", "Events that were looked at", status.events);
    out.counter("watch_ignored_events_total", "Events that were no news", status.ignored_events);
    out.counter(
        "watch_overflows_total",
        "Times that events were lost, and all was listed again",
        status.overflows,
    );
    out.counter("watch_committed_total", "Changed files whose outcome became durable", latency.count);
    let help = "From a change to its durable record, of the latest ones";
    let mut times = out.metric(Kind::Gauge, "watch_latency_seconds", help);
    times.of(&[("quantile", "0.5")], latency.p50_seconds);
    times.of(&[("quantile", "0.99")], latency.p99_seconds).of(&[("quantile", "1")], latency.max_seconds);
    let mut roots = out.metric(Kind::Gauge, "watch_roots", "Roots that are served, by how");
    for (state, name) in ROOT_STATES {
        let count = watch.roots.iter().filter(|root| root.state == state).count();
        roots.of(&[("state", name)], count as u64);
    }
    out.gauge("queued_jobs", "Jobs that wait for their turn", watch.queued_jobs);
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::model::{RecordCursor, Timestamp};

    fn assert_names<T: Serialize>(states: impl IntoIterator<Item = (T, &'static str)>) {
        for (state, name) in states {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }

    #[test]
    fn states_have_the_names_that_they_have_elsewhere() {
        assert_names(STATES);
        assert_names(BREAKER_STATES);
        assert_names(ROOT_STATES);
    }

    #[test]
    fn each_consumer_is_named_with_what_it_holds_and_whether_it_is_gone() {
        let consumer = |name: &str, behind_bytes| ConsumerStatus {
            name: name.parse().unwrap(),
            cursor: RecordCursor::default(),
            moved: Timestamp::default(),
            behind_bytes,
            held_bytes: behind_bytes.map_or(0, |bytes| bytes + 7),
        };
        let mut out = Exposition::default();
        consumers(&mut out, &[consumer("slow", Some(5)), consumer("lost", None)]);
        let text = out.into_text();
        for line in [
            "outlast_consumer_behind_bytes{consumer=\"slow\"} 5",
            "outlast_consumer_held_bytes{consumer=\"slow\"} 12",
            "outlast_consumer_gone{consumer=\"slow\"} 0",
            "outlast_consumer_gone{consumer=\"lost\"} 1",
        ] {
            assert!(text.lines().any(|written| written == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn a_watch_tells_what_takes_long_and_what_is_away() {
        let mut watch = WatchFigures::default();
        watch.latency.p99_seconds = 0.25;
        watch.status.unwatched = [("/a/path".to_owned(), 2), ("another".to_owned(), 3)].into();
        let mut out = Exposition::default();
        watcher(&mut out, &watch);
        let text = out.into_text();
        for line in [
            "outlast_watch_latency_seconds{quantile=\"0.99\"} 0.25",
            "outlast_watch_unwatched_folders 5",
            "outlast_watch_roots{state=\"away\"} 0",
        ] {
            assert!(text.lines().any(|written| written == line), "no {line} in\n{text}");
        }
        assert!(!text.contains("/a/path"));
    }
}
