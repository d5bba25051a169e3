//! The command line as it was given: what is wrong with it, its help and its version.

use std::ffi::OsString;

use anyhow::Result;
use clap::Parser;

use crate::cli::args::Cli;
use crate::cli::exit_code;
use crate::cli::output::terminal::{self, Stream, plain};

/// Reads the arguments of the process. A message on what is wrong repeats some of them, which are made plain before.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let read = |arguments: Vec<OsString>| Cli::try_parse_from(arguments).and_then(Cli::checked);
    let shown = arguments.iter().map(|argument| plain(&argument.to_string_lossy()).into()).collect();
    read(arguments).map_err(|wrong| read(shown).err().unwrap_or(wrong))
}

/// Shows what is wrong, or the help or the version that was asked for.
///
/// # Errors
/// Where what was asked for can't be written.
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
