//! Records as a Parquet table, one row for each.
//!
//! Rows are kept in columns, each with its definition and repetition levels, and written as a row group when there
//! are enough of them: nothing else is held. The results of the AST processor have their own columns; any other
//! result, and one of an unknown shape, is the JSON text in `result_json`.

mod columns;
mod row;
mod schema;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use ::parquet::schema::types::ColumnPath;

use self::columns::{Column, Cursor};
use super::ExportError;
use crate::model::RecordHead;

pub use self::schema::PARQUET_SCHEMA;

/// Rows of a row group at most.
const ROWS_MAX: usize = 64 << 10;
/// Bytes of values and levels from which a row group is written.
const BYTES_MAX: usize = 32 << 20;
/// Longest text of a cell: a reader counts its bytes in 31 bits, together with others of its page.
const CELL_BYTES_MAX: usize = 1 << 30;
/// Columns whose values hardly repeat: a dictionary would only cost time.
const DISTINCT: [&str; 3] = ["path", "digest", "result_json"];

/// Writes records as a Parquet table.
pub struct ParquetWriter<W: Write + Send> {
    path: PathBuf,
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a table. `path` is used in messages.
    ///
    /// # Errors
    /// Where `out` can't be written.
    pub fn new(path: impl AsRef<Path>, out: W) -> Result<Self, ExportError> {
        let path = path.as_ref().to_owned();
        let begun = parse_message_type(PARQUET_SCHEMA)
            .and_then(|schema| SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties())));
        let writer = begun.map_err(|error| failure(&path, error))?;
        let columns = writer.schema_descr().columns().iter().map(|column| Column::new(column)).collect();
        Ok(Self { path, writer, columns, rows: 0, bytes: 0 })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Where `out` can't be written, or the record is too large for the format.
    pub fn push(&mut self, record: &RecordHead<'_>) -> Result<(), ExportError> {
        if record.result.is_some_and(|result| result.get().len() > CELL_BYTES_MAX) {
            let path = record.path.to_string();
            return Err(ExportError::TooLarge { root: record.root.to_string(), path });
        }
        let mut cursor = Cursor::new(&mut self.columns);
        row::put(record, &mut cursor);
        self.bytes += cursor.bytes();
        self.rows += 1;
        if self.rows >= ROWS_MAX || self.bytes >= BYTES_MAX { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and the table's end.
    ///
    /// # Errors
    /// Where `out` can't be written.
    pub fn finish(mut self) -> Result<(), ExportError> {
        self.flush()?;
        self.writer.close().map(drop).map_err(|error| failure(&self.path, error))
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        if mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        self.bytes = 0;
        self.write_group().map_err(|error| failure(&self.path, error))
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else {
                return Err(ParquetError::General("more columns than the schema has".to_owned()));
            };
            column.write(writer.untyped())?;
            writer.close()?;
        }
        group.close().map(drop)
    }
}

fn properties() -> WriterProperties {
    let version = concat!("outlast ", env!("CARGO_PKG_VERSION"));
    let common = WriterProperties::builder()
        .set_created_by(version.to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(None);
    let distinct = |name: &str| ColumnPath::from(name);
    DISTINCT
        .into_iter()
        .fold(common, |common, name| common.set_column_dictionary_enabled(distinct(name), false))
        .build()
}

fn failure(path: &Path, error: ParquetError) -> ExportError {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => ExportError::write(path)(*source),
            Err(other) => ExportError::Encode(other.to_string()),
        },
        other => ExportError::Encode(other.to_string()),
    }
}
