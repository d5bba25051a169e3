//! stdout and stderr, and the escaping of texts for them.
//!
//! Constraints: the only place of the command that writes there. Names of files, rules, settings and messages are
//! untrusted, and may contain terminal control sequences. Output for people goes through [`Lines`], a call for each
//! line: control characters, including line feeds, are shown as escapes such as `\u{1b}`. JSON keeps its bytes; only
//! on a terminal such characters become JSON escapes, which mean the same.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Result;
use outlast::model::with_remedy;
use serde::Serialize;

use crate::cli::options::global::Format;

/// Returns whether a character controls a terminal, or changes the text direction, which would reorder a line.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes all control characters of a text, which becomes one line.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push_plain(c, &mut shown));
    shown
}

/// Appends one character, escaped if necessary.
pub(crate) fn push_plain(c: char, shown: &mut String) {
    if steers(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
}

/// Replaces such characters in JSON by escapes.
fn plain_json(line: &[u8]) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in String::from_utf8_lossy(line).chars() {
        if c != '\n' && steers(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Writer of lines for people: each call of `writeln!` is one, and a line feed within it is escaped.
pub(crate) struct Lines<'a> {
    out: Box<dyn Write + 'a>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(out: impl Write + 'a) -> Self {
        Self { out: Box::new(out) }
    }

    /// Called by `writeln!`.
    pub(crate) fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        let text = line.to_string();
        let mut shown = plain(text.strip_suffix('\n').unwrap_or(&text));
        shown.push('\n');
        self.out.write_all(shown.as_bytes())
    }
}

/// Prints lines for people on stdout.
pub(crate) fn print(tell: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(Stdout);
    tell(&mut Lines::new(&mut out))?;
    Ok(out.flush()?)
}

/// Prints a report on stdout: as JSON, or as `tell` writes it for people.
pub(crate) fn print_report<T: Serialize>(
    format: Format,
    report: &T,
    tell: impl FnOnce(&mut Lines<'_>) -> io::Result<()>,
) -> Result<()> {
    if format == Format::Json { print_json(report) } else { print(tell) }
}

/// Prints a value as one line of JSON on stdout.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let mut out = json_out();
    serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Returns stdout, for lines of JSON. The caller must flush it: otherwise a late write error is lost.
pub(crate) fn json_out() -> Box<dyn Write> {
    let out = BufWriter::with_capacity(256 << 10, Stdout);
    if Stream::Out.is_terminal() { Box::new(JsonLines { out, line: Vec::new() }) } else { Box::new(out) }
}

/// Prints a trusted text, such as the help, which may have colours.
pub(crate) fn print_own(text: &str) -> Result<()> {
    Ok(Stdout.write_all(text.as_bytes()).and_then(|()| Stdout.flush())?)
}

/// Clears the screen, if stdout is one.
pub(crate) fn clear_screen() -> Result<()> {
    print_own("\x1b[2J\x1b[H")
}

/// Returns whether the reader of stdout has gone, which is not an error.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Returns the exit code of an action, ignoring that its reader closed stdout early.
pub(crate) fn code_of_printed(printed: Result<()>, code: u8) -> Result<u8> {
    match printed {
        Err(error) if !is_closed_pipe(&error) => Err(error),
        _ => Ok(code),
    }
}

/// Writes a line on stderr. Ignores failure, as there is no other channel; the exit code still shows the result.
pub(crate) fn tell(line: &str) {
    let _ = try_tell(line);
}

/// Writes a line on stderr that was requested, and reports failure.
pub(crate) fn try_tell(line: &str) -> io::Result<()> {
    writeln!(Lines::new(io::stderr()), "{line}")
}

/// Writes a line of JSON on stderr.
pub(crate) fn tell_json(line: &str) {
    let _ = Log { json: true }.write_all(format!("{line}\n").as_bytes());
}

/// Writes a trusted text on stderr, which may have colours.
pub(crate) fn tell_own(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The log on stderr. In the human format, fields are escaped before they come here, as the rest has colours.
pub(crate) struct Log {
    pub(crate) json: bool,
}

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.json && Stream::Err.is_terminal() {
            io::stderr().write_all(plain_json(event).as_bytes())?;
        } else {
            io::stderr().write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A standard output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Stream {
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    /// Whether it is a terminal with cursor control: `TERM` is `dumb`, or empty, for one without.
    pub(crate) fn is_steerable(self) -> bool {
        let term = std::env::var_os("TERM").unwrap_or_default();
        self.is_terminal() && !term.is_empty() && term != "dumb"
    }

    /// Whether colours are wanted. An empty `NO_COLOR` counts as unset.
    pub(crate) fn has_colours(self) -> bool {
        self.is_steerable() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
    }
}

/// stdout, which names itself in errors.
#[derive(Debug)]
pub(crate) struct Stdout;

impl Stdout {
    fn named<T>(done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            io::Error::new(error.kind(), format!("stdout can't be written: {}", with_remedy(error)))
        })
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::named(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::named(io::stdout().flush())
    }
}

/// Writer that escapes lines of JSON for a terminal.
struct JsonLines<W: Write> {
    out: W,
    /// The incomplete line so far.
    line: Vec<u8>,
}

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().rposition(|&byte| byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let whole = std::mem::replace(&mut self.line, rest);
            self.out.write_all(plain_json(&whole).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\x1b[31m\u{202e}b\n\u{9b}\x7f"), "a\\u{1b}[31m\\u{202e}b\\n\\u{9b}\\u{7f}");
        assert_eq!(plain("Grüße, 世界 \\u{1b}"), "Grüße, 世界 \\u{1b}");
    }

    #[test]
    fn a_call_is_a_line_whatever_it_holds() {
        let mut written = Vec::new();
        let mut lines = Lines::new(&mut written);
        let name = "a\nroot b";
        writeln!(lines, "root {name}").unwrap();
        writeln!(lines).unwrap();
        drop(lines);
        assert_eq!(written, b"root a\\nroot b\n\n");
    }

    #[test]
    fn json_on_a_terminal_means_the_same() {
        let value = serde_json::json!({ "path": "a\x1b]0;x\x07\u{9b}31m\x7f\u{202e}", "n": 1 });
        let text = value.to_string() + "\n";
        let mut written = Vec::new();
        let mut lines = JsonLines { out: Vec::new(), line: Vec::new() };
        // Wherever the writes split it.
        text.as_bytes().chunks(3).for_each(|part| lines.write_all(part).unwrap());
        written.append(&mut lines.out);
        let written = String::from_utf8(written).unwrap();
        assert!(written.strip_suffix('\n').unwrap().chars().all(|c| !steers(c)), "{written:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
    }
}
