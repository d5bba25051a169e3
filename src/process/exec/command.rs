//! The command line of a processor: its words, its placeholders and its identity.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// A command that processes files: a program and its arguments.
///
/// With a placeholder in an argument the command is run once for each file; without one it is started once per worker,
/// and answers over a socket.
///
/// ```
/// use outlast::ExecCommand;
///
/// let count = ExecCommand::parse("wc -l {}")?;
/// assert!(count.is_per_file());
/// let index = ExecCommand::parse("./index.py --model 'a b'")?;
/// assert!(!index.is_per_file());
/// assert_eq!(index.words(), ["./index.py", "--model", "a b"]);
/// # Ok::<(), outlast::ExecCommandError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecCommand {
    words: Vec<String>,
}

/// Why a command line can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExecCommandError {
    /// It ends within quotes, or behind a backslash.
    #[error("a quote is not closed, or it ends with a backslash")]
    Unclosed,
    /// It has no words.
    #[error("it names no program")]
    Empty,
    /// A placeholder stands for the program.
    #[error("the program itself can't be a placeholder: name a program, then `{{}}`")]
    PlaceholderProgram,
    /// A word has a NUL byte.
    #[error("a word contains a NUL byte")]
    Nul,
}

/// Why a command can't be used as a processor.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// There is nothing to run.
    #[error("`{program}` {what}")]
    NoProgram {
        /// The program as it is named.
        program: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The first child did not become ready.
    #[error("{message}; a command that is to be run for each file has `{{}}` in an argument")]
    NotReady {
        /// What it did instead, with its last words.
        message: String,
    },
    /// The first child can't work now, and no fault of the command is known: it ended with exit code 75, or was killed.
    #[error("{message}")]
    Away {
        /// How it ended, with its last words.
        message: String,
    },
    /// There is no thread to start processes from.
    #[error("cannot start a thread: {0}")]
    NoThread(#[source] std::io::Error),
}

/// What is put in an argument for a part of a file's path.
#[derive(Debug, Clone, Copy)]
enum Placeholder {
    Path,
    Name,
    Folder,
    WithoutEnding,
}

impl Placeholder {
    /// Every placeholder, as GNU parallel and fd write it.
    const ALL: [(&'static str, Self); 4] =
        [("{}", Self::Path), ("{/}", Self::Name), ("{//}", Self::Folder), ("{.}", Self::WithoutEnding)];

    /// Returns the first placeholder of a text, and where it begins.
    fn first_in(text: &str) -> Option<(usize, &'static str, Self)> {
        let found = Self::ALL.iter().filter_map(|&(mark, kind)| Some((text.find(mark)?, mark, kind)));
        found.min_by_key(|&(at, ..)| at)
    }

    fn of(self, path: &Path) -> OsString {
        match self {
            Self::Path => path.as_os_str().to_owned(),
            Self::Name => path.file_name().unwrap_or_default().to_owned(),
            Self::Folder => path.parent().map(Path::as_os_str).unwrap_or_default().to_owned(),
            Self::WithoutEnding => path.with_extension("").into_os_string(),
        }
    }
}

impl ExecCommand {
    /// Splits a command line as a POSIX shell splits words: quotes and backslashes count, nothing is expanded.
    ///
    /// # Errors
    /// See [`ExecCommandError`].
    pub fn parse(line: &str) -> Result<Self, ExecCommandError> {
        Self::new(shlex::split(line).ok_or(ExecCommandError::Unclosed)?)
    }

    /// Creates it from words, as they are.
    ///
    /// # Errors
    /// See [`ExecCommandError`].
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ExecCommandError> {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let program = words.first().filter(|program| !program.is_empty()).ok_or(ExecCommandError::Empty)?;
        if Placeholder::first_in(program).is_some() {
            return Err(ExecCommandError::PlaceholderProgram);
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(ExecCommandError::Nul);
        }
        Ok(Self { words })
    }

    /// Makes what is relative absolute, for a command that is written in a file of this folder: words that begin with
    /// `./` or `../`, and a program that has a `/`.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        for (at, word) in self.words.iter_mut().enumerate() {
            let is_path =
                word.starts_with("./") || word.starts_with("../") || (at == 0 && word.contains('/'));
            let path = folder.join(word.strip_prefix("./").unwrap_or(word));
            // A folder whose name is no text can't be a part of a word.
            if let Some(path) = path.to_str().filter(|_| is_path) {
                *word = path.to_owned();
            }
        }
        self
    }

    /// Returns program and arguments, with their placeholders.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Returns whether it is run once for each file.
    pub fn is_per_file(&self) -> bool {
        self.arguments().any(|word| Placeholder::first_in(word).is_some())
    }

    /// Returns name and version of the processor. The name is that of the first word that names a file, such as a script
    /// for an interpreter, else the program's; the version, if none is given, a digest of all words and of every file
    /// that is a word.
    ///
    /// The program counts as a file if it has a `/`: one that is looked up in `PATH` is the system's, and changes with it.
    pub fn identity(&self, version: Option<&str>) -> String {
        let named = self.files().next().unwrap_or_else(|| Path::new(self.program()));
        let name = named.file_name().unwrap_or_default().to_string_lossy();
        match version {
            Some(version) => format!("{name}/{version}"),
            None => {
                let digest = self.digest().to_hex();
                format!("{name}/{}", digest.get(..16).unwrap_or_default())
            }
        }
    }

    /// Returns the words that name files.
    fn files(&self) -> impl Iterator<Item = &Path> {
        let words = self.words.iter().enumerate().filter(|(at, word)| *at > 0 || word.contains('/'));
        words.map(|(_, word)| Path::new(word)).filter(|path| path.is_file())
    }

    /// Returns where the program is.
    ///
    /// # Errors
    /// It is no file that may be run, or not in `PATH`.
    pub(super) fn find_program(&self) -> Result<PathBuf, ExecError> {
        let program = self.program();
        let is_program = |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
        if program.contains('/') {
            let path = PathBuf::from(program);
            if is_program(&path) {
                return Ok(path);
            }
            let what = if path.exists() {
                "is no program: make it a file that may be run (`chmod +x`)"
            } else {
                "does not exist"
            };
            return Err(ExecError::NoProgram { program: program.to_owned(), what });
        }
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(program));
        let found = paths.find(|path| is_program(path));
        let what = "is in none of the folders of PATH; a program of this folder is named `./…`";
        found.ok_or_else(|| ExecError::NoProgram { program: program.to_owned(), what })
    }

    pub(super) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(String::as_str)
    }

    /// Returns the arguments for the file at this path.
    pub(super) fn arguments_for<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = OsString> + 'a {
        self.arguments().map(|word| filled(word, path))
    }

    fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for word in &self.words {
            // The length keeps `a b` and `ab` apart.
            hasher.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
        }
        for file in self.files().filter_map(|path| File::open(path).ok()) {
            // One that can't be read to its end counts as far as it was read.
            let _ = hasher.update_reader(file);
        }
        hasher.finalize()
    }
}

impl fmt::Display for ExecCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words.iter().map(String::as_str);
        f.write_str(&shlex::try_join(words).unwrap_or_else(|_| self.words.join(" ")))
    }
}

/// Returns an argument with its placeholders filled in from a path.
fn filled(word: &str, path: &Path) -> OsString {
    let mut argument = OsString::new();
    let mut rest = word;
    while let Some((at, mark, kind)) = Placeholder::first_in(rest) {
        let (before, from_mark) = rest.split_at(at);
        argument.push(before);
        argument.push(kind.of(path));
        rest = from_mark.strip_prefix(mark).unwrap_or_default();
    }
    argument.push(OsStr::from_bytes(rest.as_bytes()));
    argument
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them_and_nothing_is_expanded() {
        let words = |line: &str| ExecCommand::parse(line).map(|command| command.words);
        assert_eq!(
            words(r#"./a.py "x y" 'it''s' a\ b $HOME *.rs ~"#).unwrap(),
            ["./a.py", "x y", "its", "a b", "$HOME", "*.rs", "~"]
        );
        assert_eq!(words("a 'b"), Err(ExecCommandError::Unclosed));
        assert_eq!(words("  "), Err(ExecCommandError::Empty));
        assert_eq!(words("'' a"), Err(ExecCommandError::Empty));
        assert_eq!(words("{} a"), Err(ExecCommandError::PlaceholderProgram));
    }

    #[test]
    fn words_of_a_file_are_relative_to_its_folder_where_they_are_paths() {
        let words = |line: &str| ExecCommand::parse(line).unwrap().within(Path::new("/t/c")).words;
        assert_eq!(
            words("./a.py --x=./y ./b/{/} ../c d/e"),
            ["/t/c/a.py", "--x=./y", "/t/c/b/{/}", "/t/c/../c", "d/e"]
        );
        assert_eq!(words("bin/a /b ."), ["/t/c/bin/a", "/b", "."]);
        assert_eq!(words("python3 {}"), ["python3", "{}"]);
    }

    #[test]
    fn placeholders_stand_for_parts_of_the_path() {
        let command =
            ExecCommand::new(["run", "{}", "{/}", "{//}", "{.}", "--to={//}/out/{/}.x", "{/.}"]).unwrap();
        let of = |path: &str| -> Vec<String> {
            command.arguments_for(Path::new(path)).map(|word| word.into_string().unwrap()).collect()
        };
        assert_eq!(
            of("/t/a.b/c.tar.gz"),
            ["/t/a.b/c.tar.gz", "c.tar.gz", "/t/a.b", "/t/a.b/c.tar", "--to=/t/a.b/out/c.tar.gz.x", "{/.}"]
        );
        assert_eq!(of("/t/{}")[..4], ["/t/{}", "{}", "/t", "/t/{}"], "what is put in is not looked at again");
        assert!(command.is_per_file() && !ExecCommand::parse("run {x}").unwrap().is_per_file());
    }

    #[test]
    fn the_identity_changes_with_the_words_and_with_the_files_that_they_name() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("index.py");
        std::fs::write(&script, "one").unwrap();
        let words = |more: &str| ExecCommand::new([script.to_str().unwrap(), more]).unwrap();
        let identity = words("a").identity(None);
        assert!(identity.starts_with("index.py/"), "{identity}");
        assert_eq!(words("a").identity(None), identity);
        assert_ne!(words("b").identity(None), identity);
        assert_eq!(words("a").identity(Some("7")), "index.py/7");
        let interpreted = ExecCommand::new(["python3", "-u", script.to_str().unwrap(), "{}"]).unwrap();
        assert_eq!(interpreted.identity(Some("7")), "index.py/7");
        assert_eq!(ExecCommand::parse("wc -l {}").unwrap().identity(Some("7")), "wc/7");
        std::fs::write(&script, "two").unwrap();
        assert_ne!(words("a").identity(None), identity);
    }
}
