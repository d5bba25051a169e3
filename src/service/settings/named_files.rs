//! Files that settings name: the token that clients of HTTP present, and the log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags};

use super::problem::{Problem, SettingsError, Sourced};
use super::resolved::Settings;
use crate::service::http::HttpSettings;

/// Minimum length of a token: a shorter one could be guessed.
const TOKEN_CHARS_MIN: usize = 16;
const TOKEN_BYTES_MAX: u64 = 4 << 10;
/// Refused permissions of a token file: any for others, writing for the group.
const MODE_REFUSED: u32 = 0o027;

impl Settings {
    /// Returns where HTTP is served, if it is, with the token from its file.
    ///
    /// # Errors
    /// There is no token in the file, or others could read it.
    pub fn http(&self) -> Result<Option<HttpSettings>, SettingsError> {
        let token = self.token()?;
        let shard = self.fields.batch.shard;
        Ok(self.fields.listen.as_ref().map(|listen| HttpSettings { listen: listen.value, token, shard }))
    }

    /// Returns the token in the configured file.
    ///
    /// # Errors
    /// The file contains none, or others could read it.
    pub fn token(&self) -> Result<Option<String>, SettingsError> {
        let Some(file) = &self.fields.token_file else { return Ok(None) };
        let token = read_token(&file.value).map_err(|what| SettingsError(vec![file.problem(what)]))?;
        Ok(Some(token))
    }

    /// Returns all problems with named files that would keep a process from starting. Nothing is created or changed.
    pub fn check_files(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.token().err().into_iter().flat_map(|wrong| wrong.0).collect();
        let log_file = self.fields.log_file.as_ref();
        let wrong = |file: &Sourced<PathBuf>| {
            can_append_to(&file.value).err().map(|error| log_file_problem(file, &error))
        };
        problems.extend(log_file.and_then(wrong));
        problems
    }
}

/// Describes why a log file can't be opened.
pub fn log_file_problem(file: &Sourced<PathBuf>, error: &io::Error) -> Problem {
    let path = file.value.display();
    file.problem(format!("log file {path} can't be opened: {error}; name one in a folder that is there"))
}

/// Checks whether a file could be opened for appending, or created.
fn can_append_to(path: &Path) -> io::Result<()> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    match OpenOptions::new().append(true).custom_flags(nonblocking).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let both = Access::WRITE_OK | Access::EXEC_OK;
            Ok(rustix::fs::accessat(CWD, folder, both, AtFlags::EACCESS)?)
        }
        opened => opened.map(drop),
    }
}

/// Reads the token in a file. No message ever contains any of it.
fn read_token(path: &Path) -> Result<String, String> {
    let wrong = |what: String| format!("token-file {}: {what}", path.display());
    let text = read_small(path).map_err(|error| wrong(error.to_string()))?;
    let token = text.strip_suffix('\n').unwrap_or(&text);
    let token = token.strip_suffix('\r').unwrap_or(token);
    if token.chars().count() < TOKEN_CHARS_MIN {
        return Err(wrong(format!(
            "a token has {TOKEN_CHARS_MIN} characters or more: `openssl rand -hex 32`"
        )));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("a token is one line of ASCII characters without spaces".to_owned()));
    }
    Ok(token.to_owned())
}

fn read_small(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    // The mode of the opened file: another file may have replaced it at its path.
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & MODE_REFUSED != 0 {
        let what = format!("others can read or change it (its mode is {mode:04o}): `chmod 600`");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    let mut text = String::new();
    file.take(TOKEN_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::service::settings::load::given;

    const TOKEN: &str = "0123456789abcdef";

    fn with(listen: &str, token_file: Option<&Path>) -> Result<Settings, SettingsError> {
        let mut flags = vec![("listen", listen)];
        flags.extend(token_file.map(|path| ("token-file", path.to_str().unwrap())));
        given(&flags).load()
    }

    #[test]
    fn an_address_that_others_reach_needs_a_token() {
        for local in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(with(local, None).unwrap().http().unwrap().unwrap().token, None, "{local}");
        }
        for open in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1"] {
            let error = with(open, None).unwrap_err().to_string();
            assert!(error.starts_with("flag --listen: ") && error.contains("token-file"), "{error}");
            assert!(with(open, Some(Path::new("/t"))).is_ok());
        }
        assert_eq!(given(&[]).load().unwrap().http().unwrap(), None);
    }

    #[test]
    fn a_token_is_read_from_a_file_that_only_its_owner_reads_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let read = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            with("0.0.0.0:1", Some(&path)).unwrap().http()
        };
        let settings = read(&format!("{TOKEN}\n"), 0o400).unwrap().unwrap();
        assert_eq!(settings.token.as_deref(), Some(TOKEN));
        assert!(!format!("{settings:?}").contains(TOKEN));
        assert!(read(TOKEN, 0o640).is_ok(), "as systemd hands credentials over");
        for (text, mode, why) in [
            (TOKEN, 0o644, "chmod 600"),
            (TOKEN, 0o620, "chmod 600"),
            ("short", 0o600, "16 characters"),
            ("", 0o600, "16 characters"),
            ("0123456789 abcdef", 0o600, "without spaces"),
            ("0123456789abcdef\nsecond", 0o600, "one line"),
        ] {
            let error = read(text, mode).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("token"), "{text:?}: {error}");
            assert!(!error.contains("0123456789"), "{error}");
        }
        fs::remove_file(&path).unwrap();
        assert!(with("0.0.0.0:1", Some(&path)).unwrap().http().is_err());
    }
}
