//! The actual command line: its errors, help and version.

use std::ffi::OsString;

use anyhow::Result;
use clap::Parser;

use crate::cli::args::Cli;
use crate::cli::exit_code;
use crate::cli::output::terminal::{self, Stream, plain};

/// Parses the arguments of the process. Error messages repeat some of them, which are escaped first.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let read = |arguments: Vec<OsString>| Cli::try_parse_from(arguments).and_then(Cli::checked);
    let shown = arguments.iter().map(|argument| plain(&argument.to_string_lossy()).into()).collect();
    read(arguments).map_err(|wrong| read(shown).err().unwrap_or(wrong))
}

/// Prints the error, or the requested help or version.
///
/// # Errors
/// The requested text can't be written.
pub(crate) fn show(error: &clap::Error) -> Result<u8> {
    let stream = if error.use_stderr() { Stream::Err } else { Stream::Out };
    let text = error.render();
    let text = if stream.has_colours() { text.ansi().to_string() } else { text.to_string() };
    if stream == Stream::Err {
        terminal::tell_own(&text);
        return Ok(exit_code::USAGE);
    }
    terminal::print_own(&text)?;
    Ok(exit_code::DONE)
}
