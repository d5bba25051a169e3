//! Why a file failed, and the consequences.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Class of a file's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// Reading failed with an error that may pass: interrupted, out of descriptors, a stale handle.
    IoTransient,
    /// Reading failed with an error that stays: no permission, a broken disk.
    IoPermanent,
    /// The content is not in the processor's format.
    Parse,
    /// Larger than the limit.
    TooLarge,
    /// The file changed each time while it was read.
    Unstable,
    /// The processor took longer than allowed.
    Timeout,
    /// The processor panicked.
    Panic,
    /// The processor brought the whole process down.
    Crash,
    /// A kind of content that the processor knows and doesn't support.
    Unsupported,
    /// An error of the processor itself.
    Processor,
}

impl ErrorClass {
    /// Every class, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::IoTransient,
        Self::IoPermanent,
        Self::Parse,
        Self::TooLarge,
        Self::Unstable,
        Self::Timeout,
        Self::Panic,
        Self::Crash,
        Self::Unsupported,
        Self::Processor,
    ];

    /// Returns the code in the ledger, from 1.
    pub fn code(self) -> u8 {
        Self::ALL.iter().position(|&class| class == self).map_or(0, |at| at as u8 + 1)
    }

    /// Returns the class with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }

    /// Returns the name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IoTransient => "io-transient",
            Self::IoPermanent => "io-permanent",
            Self::Parse => "parse",
            Self::TooLarge => "too-large",
            Self::Unstable => "unstable",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
            Self::Crash => "crash",
            Self::Unsupported => "unsupported",
            Self::Processor => "processor",
        }
    }

    /// Returns whether another attempt at the same content can help: only then a retry policy may say so.
    pub fn can_pass(self) -> bool {
        match self {
            Self::IoTransient
            | Self::IoPermanent
            | Self::Unstable
            | Self::Timeout
            | Self::Panic
            | Self::Crash
            | Self::Processor => true,
            Self::Parse | Self::TooLarge | Self::Unsupported => false,
        }
    }

    /// Returns whether the environment was at fault and not the content: due again at the next run.
    pub fn is_environmental(self) -> bool {
        match self {
            Self::IoTransient | Self::IoPermanent | Self::TooLarge | Self::Unstable | Self::Timeout => true,
            Self::Parse | Self::Panic | Self::Crash | Self::Unsupported | Self::Processor => false,
        }
    }

    /// Returns the class of a failed read.
    pub fn of_io(error: &std::io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(
                Errno::INTR
                | Errno::AGAIN
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOMEM
                | Errno::STALE
                | Errno::IO
                | Errno::TIMEDOUT
                | Errno::NOTCONN
                | Errno::BUSY
                | Errno::HOSTDOWN,
            ) => Self::IoTransient,
            _ => Self::IoPermanent,
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What all files share, and what can run out or go away: not one file's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// The file system that the files are read from.
    Files,
    /// Room where the state and the records are written.
    Disk,
    /// Memory.
    Memory,
    /// File descriptors.
    Descriptors,
    /// The processor, and what it depends on.
    Processor,
}

impl Resource {
    /// Every resource.
    pub const ALL: [Self; 5] = [Self::Files, Self::Disk, Self::Memory, Self::Descriptors, Self::Processor];

    /// Returns the name in statistics and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Descriptors => "descriptors",
            Self::Processor => "processor",
        }
    }

    /// Returns what is short when the state can't be written, if that may come back.
    pub fn of_state_io(error: &std::io::Error) -> Option<Self> {
        use std::io::ErrorKind;
        match error.kind() {
            // A limit on one file's size is not a resource: waiting does not raise it.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Self::Disk),
            ErrorKind::OutOfMemory => Some(Self::Memory),
            _ => Self::of_io(error).filter(|short| *short == Self::Descriptors),
        }
    }

    /// Returns what may be at fault when processing ends with this class.
    pub fn of_processing(class: ErrorClass) -> Option<Self> {
        matches!(class, ErrorClass::Processor | ErrorClass::Panic | ErrorClass::Timeout)
            .then_some(Self::Processor)
    }

    /// Returns what is short when a file can't be read, if it is not the file's own fault.
    pub fn of_io(error: &std::io::Error) -> Option<Self> {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::MFILE | Errno::NFILE) => Some(Self::Descriptors),
            Some(Errno::NOMEM) => Some(Self::Memory),
            _ => (ErrorClass::of_io(error) == ErrorClass::IoTransient).then_some(Self::Files),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Adds the remedy to a failed write where the system's message doesn't lead to it.
#[doc(hidden)]
pub fn with_remedy(error: std::io::Error) -> std::io::Error {
    let remedy = match error.kind() {
        std::io::ErrorKind::FileTooLarge => "raise the limit on the size of files (`ulimit -f`)",
        std::io::ErrorKind::OutOfMemory => {
            "raise the limit on the memory of this process (`ulimit -v`, `ulimit -d`)"
        }
        std::io::ErrorKind::PermissionDenied => "give the user of this process the right to it",
        _ => return error,
    };
    std::io::Error::new(error.kind(), format!("{error}; {remedy}"))
}

/// A file's failure, as in its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileError {
    /// Class of the failure.
    pub class: ErrorClass,
    /// What went wrong, for a person.
    pub message: String,
    /// Line of the fault, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// Column of the fault, in bytes from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u64>,
    /// Whether another attempt may help, according to the processor: see [`FileError::may_pass`].
    #[serde(skip)]
    pub may_pass: bool,
}

impl FileError {
    /// Creates a failure without a position.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), line: None, column: None, may_pass: false }
    }

    /// Creates the failure of a read.
    pub fn from_io(error: &std::io::Error) -> Self {
        Self::new(ErrorClass::of_io(error), error.to_string())
    }

    /// Creates a failure of the processor itself, such as of a service that it asks.
    ///
    /// ```
    /// use outlast::{ErrorClass, FileError};
    ///
    /// let failed: Result<u32, FileError> = "x".parse().map_err(FileError::processor);
    /// assert_eq!(failed.unwrap_err().class, ErrorClass::Processor);
    /// ```
    pub fn processor(what: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Processor, what.to_string())
    }

    /// Adds a position: line from 1, column in bytes from 1.
    #[must_use]
    pub fn at(mut self, line: u64, column: u64) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// Marks a failure of class `processor` as one that may pass: the file is tried again by the retry policy of that
    /// class. Without this mark such a failure is final.
    ///
    /// ```
    /// use outlast::{ErrorClass, FileError};
    ///
    /// let busy = FileError::new(ErrorClass::Processor, "the service is busy").may_pass();
    /// assert!(busy.may_pass);
    /// ```
    #[must_use]
    pub fn may_pass(mut self) -> Self {
        self.may_pass = true;
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileError {}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        Self::from_io(&error)
    }
}

/// A text in another encoding is not in the processor's format.
impl From<std::str::Utf8Error> for FileError {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::new(ErrorClass::Parse, error.to_string())
    }
}

impl From<std::string::FromUtf8Error> for FileError {
    fn from(error: std::string::FromUtf8Error) -> Self {
        error.utf8_error().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_each_classes_own() {
        for class in ErrorClass::ALL {
            assert_eq!(ErrorClass::from_code(class.code()), Some(class));
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{class}\""));
        }
        assert_eq!(ErrorClass::from_code(0), None);
        assert_eq!(ErrorClass::from_code(11), None);
    }

    #[test]
    fn errors_of_the_standard_library_become_failures_with_their_class() {
        fn read(path: &str) -> Result<String, FileError> {
            Ok(String::from_utf8(std::fs::read(path)?)?)
        }
        fn text(bytes: &[u8]) -> Result<&str, FileError> {
            Ok(std::str::from_utf8(bytes)?)
        }
        assert_eq!(read("/no/such/file").unwrap_err().class, ErrorClass::IoPermanent);
        assert_eq!(text(b"\xff").unwrap_err().class, ErrorClass::Parse);
        let owned: FileError = String::from_utf8(vec![0xff]).unwrap_err().into();
        assert_eq!(Err(owned), text(b"\xff"));
    }
}
