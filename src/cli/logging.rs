//! Logging on stderr, and in a file as well where one is named.

use std::io::IsTerminal;

use anyhow::Result;
use outlast::service::settings::{Origin, Problem, Settings, SettingsError};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::log_file::LogFile;

/// Sets up logging. A filter that passed the check of the settings and still can't be read is said, and `warn` taken.
///
/// # Errors
/// Where the log file can't be opened.
pub(crate) fn init(settings: &Settings) -> Result<()> {
    let log = settings.log();
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|error| {
        super::tell(&format!("outlast: --log-level {}: {error}; logging `warn`", log.filter));
        EnvFilter::new("warn")
    });
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Of an event that can't be written the layers would tell on the same stderr, and panic.
    let to_stderr =
        fmt::layer().with_writer(std::io::stderr).with_ansi(ansi && !log.json).log_internal_errors(false);
    let to_stderr =
        if log.json { to_stderr.json().with_current_span(false).boxed() } else { to_stderr.boxed() };
    let to_file = match &log.file {
        None => None,
        Some(path) => {
            let file = LogFile::open(path, log.file_bytes_max, log.files_kept).map_err(|error| {
                let origin = settings.get("log-file").map_or(Origin::Default, |one| one.origin.clone());
                let what = format!(
                    "log file {} can't be opened: {error}; name one in a folder that is there",
                    path.display()
                );
                SettingsError(vec![Problem { origin, what }])
            })?;
            let layer = fmt::layer().with_writer(file).with_ansi(false).log_internal_errors(false);
            Some(layer.json().with_current_span(false))
        }
    };
    tracing_subscriber::registry().with(filter).with(to_stderr).with(to_file).init();
    Ok(())
}
