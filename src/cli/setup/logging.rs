//! Logging on stderr, and to a file as well if one is named.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use outlast::service::settings::{LogFormat, Settings, SettingsError, Sourced, log_file_problem};
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};

use super::log_file::LogFile;
use crate::cli::output::terminal;

/// Changes the log level.
pub(crate) type SetLevel = Box<dyn Fn(&Settings) + Send + Sync>;
/// Opens the log file again if it was moved.
pub(crate) type ReopenLog = Box<dyn Fn() + Send + Sync>;

/// The logging setup.
pub(crate) struct Logging {
    pub(crate) set_level: SetLevel,
    pub(crate) reopen: ReopenLog,
    /// Sends the remaining data when dropped.
    #[cfg(feature = "otel")]
    _telemetry: Option<super::otel::Telemetry>,
}

/// Sets up logging, and for a working process traces, if wanted. A filter that passed the check of the settings and
/// still can't be parsed is reported, and replaced by `warn`.
///
/// # Errors
/// The log file can't be opened.
pub(crate) fn init(settings: &Settings, works: bool) -> Result<Logging> {
    let log_filter = settings.log_filter();
    let (filter, level) = reload::Layer::new(filter_of(&log_filter));
    // For an event that can't be written the layers would report to the same stderr, and panic.
    let to_stderr = fmt::layer().log_internal_errors(false);
    let to_stderr = if settings.fields().log_format == LogFormat::Json {
        let json = to_stderr.with_writer(|| terminal::Log { json: true }).with_ansi(false);
        json.json().with_current_span(false).boxed()
    } else {
        let ansi = terminal::Stream::Err.has_colours();
        let human = to_stderr.with_writer(|| terminal::Log { json: false }).with_ansi(ansi);
        human.fmt_fields(debug_fn(write_field).delimited(" ")).boxed()
    };
    let open = |named: &Sourced<PathBuf>| match LogFile::open(&named.value) {
        Ok(file) => Ok(Arc::new(file)),
        Err(error) => Err(SettingsError(vec![log_file_problem(named, &error)])),
    };
    let file = settings.fields().log_file.as_ref().map(open).transpose()?;
    let to_file = file.clone().map(|file| {
        let layer = fmt::layer().with_writer(file).with_ansi(false).log_internal_errors(false);
        layer.json().with_current_span(false)
    });
    #[cfg(feature = "otel")]
    let telemetry = works.then(super::otel::Telemetry::start).flatten();
    #[cfg(feature = "otel")]
    {
        let spans = telemetry.as_ref().map(super::otel::Telemetry::layer);
        let layers = to_stderr.and_then(to_file).with_filter(filter);
        tracing_subscriber::registry().with(spans).with(layers).init();
    }
    #[cfg(not(feature = "otel"))]
    let _ = works;
    #[cfg(not(feature = "otel"))]
    tracing_subscriber::registry().with(filter).with(to_stderr).with(to_file).init();
    Ok(Logging {
        set_level: level_setter(log_filter, level),
        reopen: Box::new(move || file.iter().for_each(|file| file.reopen())),
        #[cfg(feature = "otel")]
        _telemetry: telemetry,
    })
}

/// Writes a field of an event or a span for people: the message, or a name and its value, escaped.
fn write_field(out: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let shown = terminal::plain(&format!("{value:?}"));
    match field.name() {
        "message" => out.write_str(&shown),
        // Added by the crate `log`: the source location of an event.
        name if name.starts_with("log.") => Ok(()),
        name => write!(out, "{}={shown}", name.trim_start_matches("r#")),
    }
}

fn level_setter<S: 'static>(present: String, level: reload::Handle<EnvFilter, S>) -> SetLevel {
    let present = Mutex::new(present);
    Box::new(move |settings| {
        let wanted = settings.log_filter();
        let mut present = present.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted != *present {
            // The subscriber lives as long as the process.
            let _ = level.reload(filter_of(&wanted));
            *present = wanted;
        }
    })
}

fn filter_of(text: &str) -> EnvFilter {
    EnvFilter::try_new(text).unwrap_or_else(|error| {
        terminal::tell(&format!("outlast: --log-level {text}: {error}; logging `warn`"));
        EnvFilter::new("warn")
    })
}
