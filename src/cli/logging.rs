//! Logging on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Sets up logging; a filter that can't be read is said, and `warn` taken.
pub(crate) fn init(filter: &str) {
    let parsed = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        super::tell(&format!("outlast: --log {filter}: {error}; logging `warn`"));
        EnvFilter::new("warn")
    });
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        // Of an event that can't be written it would tell on the same stderr, and panic.
        .log_internal_errors(false)
        .init();
}
