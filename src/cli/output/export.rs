//! `outlast records --output`: exports records to a file.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use outlast::engine::{CommittedLog, EngineError};
use outlast::service::Signals;
use outlast::sink::export::{ExportError, OutputFile};
use outlast::{LogPosition, RecordHead};

use crate::cli::exit_code;
use crate::cli::output::terminal;

/// Said where a table is asked for.
pub(crate) const WITHOUT_PARQUET: &str =
    "this outlast was built without the Cargo feature `parquet`; build it with, or use ndjson";

/// How long the export may take to stop when asked to.
const LEAVE: Duration = Duration::from_secs(10);

/// Writes these records of the log of a state, or of one below that folder, to a file, which appears complete or not at
/// all.
pub(crate) fn write(
    state: &Path,
    format: RecordsFormat,
    log: &CommittedLog,
    which: &Which,
    path: &Path,
) -> Result<u8> {
    let stop = Arc::new(AtomicBool::new(false));
    let signals = Signals::install(&stop, LEAVE)?;
    let records = Records { log, which, stop: &stop, path };
    match records.write(state, format) {
        Err(EngineError::Export(error @ ExportError::Interrupted { .. })) => {
            tracing::warn!("{error}");
            Ok(signals.exit_code().unwrap_or(exit_code::UNEXPECTED))
        }
        result => Ok(result.map(|()| exit_code::DONE)?),
    }
}

/// Writes a table of these records to stdout.
pub(crate) fn write_to_stdout(log: &CommittedLog, which: &Which) -> Result<(), EngineError> {
    let path = Path::new("stdout");
    if terminal::Stream::Out.is_terminal() {
        let what = "is a terminal, and a table is no text; name a file, or redirect it";
        return Err(ExportError::target(path, what).into());
    }
    Records { log, which, stop: &AtomicBool::new(false), path }.table(path, terminal::Stdout)
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordsFormat {
    /// A line for each.
    Lines,
    /// The same, compressed with zstd.
    CompressedLines,
    /// A table.
    Table,
}

impl RecordsFormat {
    /// Endings of the names of files.
    pub(crate) const ENDINGS: [(&str, Self); 3] =
        [(".parquet", Self::Table), (".ndjson", Self::Lines), (".ndjson.zst", Self::CompressedLines)];

    /// Returns the format that the ending of a file's name says, if it says one.
    pub(crate) fn by_ending(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        Self::ENDINGS.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }
}

/// The records, and their destination.
struct Records<'a> {
    log: &'a CommittedLog,
    which: &'a Which,
    stop: &'a AtomicBool,
    path: &'a Path,
}

impl Records<'_> {
    fn write(&self, state: &Path, format: RecordsFormat) -> Result<(), EngineError> {
        for folder in [state, Path::new(&self.log.folder)] {
            if is_within(self.path, folder) {
                let what = "lies in a folder of the state, where only runs write; name a file elsewhere";
                return Err(ExportError::Target { path: self.path.to_owned(), what }.into());
            }
        }
        let output = OutputFile::create(self.path)?;
        match format {
            RecordsFormat::Table => self.table(output.path(), output.file())?,
            RecordsFormat::Lines => self.lines(output.path(), output.file())?,
            RecordsFormat::CompressedLines => self.compressed_lines(&output)?,
        }
        Ok(output.commit()?)
    }

    fn lines(&self, path: &Path, out: impl Write) -> Result<(), EngineError> {
        let mut out = BufWriter::with_capacity(256 << 10, out);
        self.each(|line, _| {
            let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
            written.map_err(ExportError::write(path))
        })?;
        Ok(out.flush().map_err(ExportError::write(path))?)
    }

    #[cfg(feature = "parquet")]
    fn compressed_lines(&self, output: &OutputFile) -> Result<(), EngineError> {
        let begun = outlast::sink::export::CompressedWriter::new(output.file());
        let mut out = begun.map_err(ExportError::write(output.path()))?;
        self.lines(output.path(), &mut out)?;
        Ok(out.finish().map_err(ExportError::write(output.path()))?)
    }

    #[cfg(feature = "parquet")]
    fn table(&self, path: &Path, out: impl Write + Send) -> Result<(), EngineError> {
        let mut table = outlast::sink::export::ParquetWriter::new(path, out)?;
        self.each(|_, record| table.push(record))?;
        Ok(table.finish()?)
    }

    /// Unreachable: the arguments were refused before.
    #[cfg(not(feature = "parquet"))]
    fn compressed_lines(&self, output: &OutputFile) -> Result<(), EngineError> {
        self.table(output.path(), output.file())
    }

    /// Unreachable, as well.
    #[cfg(not(feature = "parquet"))]
    fn table(&self, path: &Path, _: impl Write + Send) -> Result<(), EngineError> {
        let what = "can't be written by this outlast, which was built without the Cargo feature `parquet`";
        Err(ExportError::target(path, what).into())
    }

    fn each(
        &self,
        mut tell: impl FnMut(&[u8], &RecordHead<'_>) -> Result<(), ExportError>,
    ) -> Result<(), EngineError> {
        let tell = |line: &[u8], record: &RecordHead<'_>| {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ExportError::Interrupted { path: self.path.to_owned() }.into());
            }
            Ok(tell(line, record)?)
        };
        match self.which {
            Which::Since(since) => self.log.each_from(*since, tell),
            Which::At(positions) => self.log.each_at(positions, tell),
        }
    }
}

/// Returns whether a file, links resolved, lies in this folder or below; false if that can't be determined.
fn is_within(path: &Path, folder: &Path) -> bool {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = path.canonicalize().or_else(|_| parent.canonicalize());
    matches!((real, folder.canonicalize()), (Ok(real), Ok(folder)) if real.starts_with(&folder))
}

/// A selection of records of a log.
pub(crate) enum Which {
    /// All from a cursor on.
    Since(LogPosition),
    /// Those at these positions, one a line.
    At(String),
}
