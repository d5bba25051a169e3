//! The client side of the control socket.
//!
//! Constraint: a process that is stopped, or hangs, blocks no client. The limit is on its silence: while it works on
//! an answer it sends `works`, and a long answer may take any time.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::{ControlError, Request, SOCKET, WORKS, with_short_path};

/// How long the process may stay silent.
const SILENCE_MAX: Duration = Duration::from_secs(8);

/// Returns whether a run answers for a state, or is there and hangs.
pub fn is_answered(state: impl AsRef<Path>) -> bool {
    connect_to(state.as_ref()).is_ok_and(|stream| stream.is_some())
}

/// Connects to the process that listens for a state; `None` if that process accepts no connection in time.
fn connect_to(state: &Path) -> io::Result<Option<UnixStream>> {
    with_short_path(state, |short| {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // The send timeout applies to connecting as well, if the backlog is full.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(SILENCE_MAX))?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(SILENCE_MAX))?;
        match connect(&socket, &SocketAddrUnix::new(short.join(SOCKET))?) {
            Ok(()) => Ok(Some(socket.into())),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
}

/// Sends a request to the run that holds a state, and returns the payload.
///
/// # Errors
/// No process listens, the run refused, was silent for too long, or the connection broke.
pub fn ask(state: impl AsRef<Path>, request: &Request) -> Result<Vec<u8>, ControlError> {
    let state = state.as_ref();
    let path = state.join(SOCKET);
    let no_listener = || ControlError::NotListening(state.to_owned());
    let silent = |process| ControlError::Silent { state: state.to_owned(), process };
    let stream = connect_to(state).map_err(|_| no_listener())?.ok_or_else(|| silent(None))?;
    let process = sockopt::socket_peercred(&stream).ok().map(|peer| peer.pid.as_raw_nonzero().get());
    // A run that ends closes connections that it has not answered yet, or cuts the answer short.
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => silent(process),
        _ => no_listener(),
    };
    let mut line =
        serde_json::to_string(request).map_err(io::Error::from).map_err(ControlError::io(&path))?;
    line.push('\n');
    (&stream).write_all(line.as_bytes()).map_err(broken)?;
    let mut reader = BufReader::new(&stream);
    loop {
        line.clear();
        reader.read_line(&mut line).map_err(broken)?;
        if line.trim_end() != WORKS {
            break;
        }
    }
    if line.trim_end() == "ok" {
        let mut payload = Vec::new();
        reader.read_to_end(&mut payload).map_err(broken)?;
        return whole(payload, &path).unwrap_or_else(|| Err(no_listener()));
    }
    Err(if line.is_empty() { no_listener() } else { refusal(line.trim_end(), &path) })
}

/// Returns the payload if it is complete; `None` if it was cut short.
fn whole(mut payload: Vec<u8>, path: &Path) -> Option<Result<Vec<u8>, ControlError>> {
    let last = payload.strip_suffix(b"\n")?.iter().rposition(|&byte| byte == b'\n')?;
    match std::str::from_utf8(payload.get(last..)?).ok()?.trim() {
        "end" => {
            payload.truncate(last);
            Some(Ok(payload))
        }
        line => line.strip_prefix("error ").map(|what| Err(refused(what, path))),
    }
}

/// Converts a line that was sent instead of an answer.
fn refusal(line: &str, path: &Path) -> ControlError {
    match line.split_once(' ') {
        Some(("wrong", what)) => ControlError::Wrong(what.to_owned()),
        Some(("gone", what)) => ControlError::CursorGone(what.to_owned()),
        Some(("later", what)) => ControlError::Later(what.to_owned()),
        Some(("config", what)) => match serde_json::from_str(what) {
            Ok(problems) => ControlError::Settings(problems),
            Err(_) => refused(what, path),
        },
        Some(("error", what)) => refused(what, path),
        _ => refused("no answer of outlast; ask with the version that runs", path),
    }
}

fn refused(what: &str, path: &Path) -> ControlError {
    ControlError::Refused(format!("the run that answers at {}: {what}", path.display()))
}
