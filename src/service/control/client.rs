//! The side that asks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{ControlError, Request, SOCKET, with_short_path};

/// Whether a run answers for a state.
pub fn is_answered(state: &Path) -> bool {
    with_short_path(state, |short| UnixStream::connect(short.join(SOCKET))).is_ok()
}

/// Asks the run that holds a state, and returns the payload.
///
/// # Errors
/// Nobody listens, the run refused, or the connection broke.
pub fn ask(state: &Path, request: &Request) -> Result<Vec<u8>, ControlError> {
    let path = state.join(SOCKET);
    let nobody = || ControlError::NobodyListens(state.to_owned());
    let refused =
        |what: &str| ControlError::Refused(format!("the run that answers at {}: {what}", path.display()));
    let stream =
        with_short_path(state, |short| UnixStream::connect(short.join(SOCKET))).map_err(|_| nobody())?;
    let mut line =
        serde_json::to_string(request).map_err(io::Error::from).map_err(ControlError::io(&path))?;
    line.push('\n');
    let mut reader = BufReader::new(&stream);
    // A run that ends closes the connections that it has not answered yet, or cuts the answer short.
    (&stream).write_all(line.as_bytes()).map_err(|_| nobody())?;
    line.clear();
    reader.read_line(&mut line).map_err(|_| nobody())?;
    match line.trim_end() {
        "" => Err(nobody()),
        "ok" => {
            let mut payload = Vec::new();
            reader.read_to_end(&mut payload).map_err(|_| nobody())?;
            let last = payload.strip_suffix(b"\n").and_then(|whole| whole.iter().rposition(|&b| b == b'\n'));
            let last = last.ok_or_else(nobody)?;
            match std::str::from_utf8(&payload[last..]).map(str::trim) {
                Ok("end") => {
                    payload.truncate(last);
                    Ok(payload)
                }
                Ok(line) => Err(line.strip_prefix("error ").map_or_else(nobody, refused)),
                Err(_) => Err(nobody()),
            }
        }
        other => Err(match other.split_once(' ') {
            Some(("wrong", what)) => ControlError::Wrong(what.to_owned()),
            Some(("later", what)) => ControlError::Later(what.to_owned()),
            Some(("config", what)) => match serde_json::from_str(what) {
                Ok(problems) => ControlError::Settings(problems),
                Err(_) => refused(what),
            },
            Some(("error", what)) => refused(what),
            _ => refused("no answer of outlast; ask with the version that runs"),
        }),
    }
}
