//! The actual command line: its errors, help and version.

use std::collections::BTreeSet;
use std::ffi::OsString;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::cli::args::Cli;
use crate::cli::exit_code;
use crate::cli::output::terminal::{self, Stream, plain};

/// Parses the arguments of the process. Error messages repeat some of them, which are escaped first.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let read = |arguments: Vec<OsString>| {
        let cli = Cli::try_parse_from(&arguments).and_then(Cli::checked)?;
        repeated(&arguments).map_or(Ok(cli), Err)
    };
    let shown = arguments.iter().map(|argument| plain(&argument.to_string_lossy()).into()).collect();
    read(arguments).map_err(|wrong| read(shown).err().unwrap_or(wrong))
}

/// Returns the error of a global flag that is both before the command and behind it: clap refuses two in one place
/// only, and of these would take the last.
fn repeated(arguments: &[OsString]) -> Option<clap::Error> {
    let flags = arguments.iter().take_while(|argument| *argument != "--");
    let names = flags.filter_map(|flag| flag.to_str()?.strip_prefix("--")?.split('=').next());
    let mut seen = BTreeSet::new();
    let twice: Vec<&str> = names.filter(|name| !seen.insert(*name)).collect();
    if twice.is_empty() {
        return None;
    }
    let mut command = Cli::command();
    command.build();
    let is_repeated = |long| twice.contains(&long);
    let found =
        command.get_arguments().find(|arg| arg.is_global_set() && arg.get_long().is_some_and(is_repeated));
    let what = format!("the argument '{}' cannot be used multiple times", found?);
    Some(command.error(ErrorKind::ArgumentConflict, what))
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
