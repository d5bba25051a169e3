//! Running the binary.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use serde_json::Value;

use super::assert_record;

/// The binary, with nothing of the surroundings' settings.
pub(crate) fn outlast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outlast"));
    for (name, _) in std::env::vars_os() {
        if name == "NO_COLOR" || name.as_encoded_bytes().starts_with(b"OUTLAST_") {
            command.env_remove(name);
        }
    }
    // The user's configuration is looked for there.
    command.env("HOME", "/nowhere").env("XDG_CONFIG_HOME", "/nowhere");
    command
}

/// Gives a program that runs a command the environment of that command.
pub(crate) fn take_environment(program: &mut Command, command: &Command) {
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => program.env(name, value),
            None => program.env_remove(name),
        };
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// The same, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output, which is exactly one JSON object on a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let line = self.stdout.strip_suffix(b"\n").unwrap_or_else(|| panic!("no whole line: {self}"));
        assert!(!line.contains(&b'\n'), "more than one line: {self}");
        let value: Value = serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {self}"));
        assert!(value.is_object(), "{self}");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The lines of standard output; those that are records have the published form.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<&[u8]> {
        let lines: Vec<_> =
            self.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
        lines.iter().filter(|line| line.starts_with(b"{\"root\":")).for_each(|line| assert_record(line));
        lines
    }

    /// Whether it went down instead of saying what is wrong.
    pub(crate) fn crashed(&self) -> bool {
        let text = self.stderr.as_str();
        self.signal.is_some()
            || matches!(self.code, Some(101 | 134))
            || text.contains("panicked at")
            || text.contains("RUST_BACKTRACE")
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout = self.text();
        let cut = stdout.char_indices().nth(2000).map_or(stdout.len(), |(at, _)| at);
        write!(
            f,
            "code {:?}, signal {:?}\nstdout: {}\nstderr: {}",
            self.code,
            self.signal,
            &stdout[..cut],
            self.stderr
        )
    }
}
