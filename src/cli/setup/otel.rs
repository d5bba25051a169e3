//! Traces and metrics for an OpenTelemetry collector: in builds with the Cargo feature `otel`, if
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names one. The standard's other variables count as well.
//!
//! Constraints: a collector that does not answer only costs a run a moment at its end.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use outlast::BatchPriority;
use outlast::engine::{BatchStatistics, Engine};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::cli::output::terminal::tell;

/// The share of batches whose spans are sent, by default.
const SAMPLED: f64 = 0.1;
/// How long the end of the process waits for unsent data.
const END: Duration = Duration::from_millis(900);

/// The exporters; the remaining data is sent on drop.
pub(crate) struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

impl Telemetry {
    /// Starts to export, if a collector is named. A failure is reported, and the process goes on without.
    pub(crate) fn start() -> Option<Self> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT")
            || std::env::var("OTEL_SDK_DISABLED").is_ok_and(|off| off == "true")
        {
            return None;
        }
        let made = Self::make(is_set("OTEL_SERVICE_NAME"), is_set("OTEL_TRACES_SAMPLER"));
        made.inspect_err(|error| tell(&format!("outlast: no traces and metrics are sent: {error}"))).ok()
    }

    fn make(is_named: bool, is_sampled: bool) -> Result<Self, ExporterBuildError> {
        let resource = Resource::builder();
        let resource = if is_named { resource } else { resource.with_service_name("outlast") }.build();
        let spans = SpanExporter::builder().with_http().build()?;
        let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans);
        let share = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(SAMPLED)));
        let traces = if is_sampled { traces } else { traces.with_sampler(share) }.build();
        let figures = MetricExporter::builder().with_http().build()?;
        let metrics =
            SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(figures).build();
        global::set_meter_provider(metrics.clone());
        Ok(Self { traces, metrics })
    }

    /// Returns the layer that makes traces of spans.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let tracer = self.traces.tracer("outlast");
        // Log events are not exported.
        let only = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("outlast"));
        let only = only.with_max_level_hint(LevelFilter::DEBUG);
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(only)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let traces = self.traces.clone();
        let metrics = self.metrics.clone();
        let (ended, end) = sync_channel::<()>(0);
        let other = ended.clone();
        // If a thread can't be started, its sender is dropped, and not waited for.
        let _ = Builder::new().name("end-traces".to_owned()).spawn(move || {
            let _ = traces.shutdown_with_timeout(END);
            drop(ended);
        });
        let _ = Builder::new().name("end-metrics".to_owned()).spawn(move || {
            let _ = metrics.shutdown_with_timeout(END);
            drop(other);
        });
        // No messages are sent: both threads have ended once their senders are dropped.
        let _ = end.recv_timeout(END);
    }
}

/// A figure: its name, unit and source.
type Count = (&'static str, &'static str, fn(&BatchStatistics) -> u64);

const COUNTS: [Count; 4] = [
    ("outlast.files", "{file}", |figures| figures.process.files),
    ("outlast.bytes", "By", |figures| figures.process.bytes),
    ("outlast.batches", "{batch}", |figures| figures.process.batches),
    ("outlast.ticks", "{tick}", |figures| figures.cursor.tick),
];
const GAUGES: [Count; 6] = [
    ("outlast.pending", "{file}", |figures| figures.progress.pending),
    ("outlast.pending.size", "By", |figures| figures.pending_bytes),
    ("outlast.in_flight", "{file}", |figures| figures.in_flight),
    ("outlast.workers", "{thread}", |figures| figures.workers.len() as u64),
    ("outlast.memory.rss", "By", |figures| figures.memory.rss_bytes),
    ("outlast.memory.limit", "By", |figures| figures.memory.limit_bytes),
];

/// Exports the figures of an engine periodically. Does nothing without a collector.
pub(crate) fn observe(engine: &Arc<Engine>) {
    let meter = global::meter("outlast");
    for (name, unit, read) in COUNTS {
        let engine = Arc::clone(engine);
        let counter = meter.u64_observable_counter(name).with_unit(unit);
        counter.with_callback(move |out| out.observe(read(&engine.statistics()), &[])).build();
    }
    for (name, unit, read) in GAUGES {
        let engine = Arc::clone(engine);
        let gauge = meter.u64_observable_gauge(name).with_unit(unit);
        gauge.with_callback(move |out| out.observe(read(&engine.statistics()), &[])).build();
    }
    let queue = Arc::clone(engine);
    let queued = meter.u64_observable_gauge("outlast.pending.class").with_unit("{file}");
    let observed = queued.with_callback(move |out| {
        let pending = queue.statistics().pending_by_class;
        for class in BatchPriority::ALL {
            out.observe(pending.of(class), &[KeyValue::new("class", class.as_str())]);
        }
    });
    observed.build();
    let engine = Arc::clone(engine);
    let files = meter.u64_observable_gauge("outlast.job.files").with_unit("{file}");
    let observed = files.with_callback(move |out| {
        let progress = engine.statistics().progress;
        let outcomes = [
            ("ok", progress.ok),
            ("failed", progress.failed),
            ("unchanged", progress.unchanged),
            ("removed", progress.removed),
        ];
        for (outcome, count) in outcomes {
            out.observe(count, &[KeyValue::new("outcome", outcome)]);
        }
    });
    observed.build();
}
