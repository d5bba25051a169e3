//! Rows taken apart into columns: values, and the two levels that describe how they are nested.
//!
//! The *definition level* of an entry counts the optional groups, lists and values on the way to it that exist; the
//! *repetition level* is the depth of the list that the entry continues, 0 at the start of a row. A column's entry
//! without a value stands for what is missing above it.

use std::mem;

use ::parquet::basic::Type;
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::schema::types::ColumnDescriptor;
use bytes::Bytes;

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Bool(bool),
    Int32(i32),
    Int64(i64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Bytes(text.as_bytes())
    }
}

/// The values of a column, by the type that the schema gives it.
#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    /// All texts joined, and where each ends.
    Bytes(Vec<u8>, Vec<usize>),
}

impl Values {
    /// Adds a value; one of another type is left out, and the writer finds it missing.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Bool(values), Cell::Bool(value)) => values.push(value),
            (Self::Int32(values), Cell::Int32(value)) => values.push(value),
            (Self::Int64(values), Cell::Int64(value)) => values.push(value),
            (Self::Double(values), Cell::Double(value)) => values.push(value),
            (Self::Bytes(text, ends), Cell::Bytes(value)) => {
                text.extend_from_slice(value);
                ends.push(text.len());
                return value.len() + size_of::<usize>();
            }
            _ => {}
        }
        size_of::<i64>()
    }
}

/// A column of the current row group.
#[derive(Debug)]
pub(super) struct Column {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    is_nested: bool,
    is_nullable: bool,
}

impl Column {
    pub(super) fn new(described: &ColumnDescriptor) -> Self {
        let values = match described.physical_type() {
            Type::BOOLEAN => Values::Bool(Vec::new()),
            Type::INT32 => Values::Int32(Vec::new()),
            Type::INT64 => Values::Int64(Vec::new()),
            Type::DOUBLE => Values::Double(Vec::new()),
            _ => Values::Bytes(Vec::new(), Vec::new()),
        };
        Self {
            values,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            is_nested: described.max_rep_level() > 0,
            is_nullable: described.max_def_level() > 0,
        }
    }

    /// Adds an entry, and returns about how many bytes it takes.
    fn push(&mut self, cell: Option<Cell<'_>>, level: Level) -> usize {
        if self.is_nullable {
            self.definitions.push(level.definition);
        }
        if self.is_nested {
            self.repetitions.push(level.repetition);
        }
        cell.map_or(0, |cell| self.values.push(cell)) + 2 * size_of::<i16>()
    }

    /// Writes all entries and clears them.
    pub(super) fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let definitions = &self.definitions;
        let repetitions = &self.repetitions;
        let definitions = self.is_nullable.then_some(definitions.as_slice());
        let repetitions = self.is_nested.then_some(repetitions.as_slice());
        match (&mut self.values, writer) {
            (Values::Bool(values), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Int32(values), ColumnWriter::Int32ColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Int64(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Double(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Bytes(text, ends), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                writer.write_batch(&cut(mem::take(text), ends), definitions, repetitions)?;
                ends.clear();
            }
            _ => return Err(ParquetError::General("a column has another type than its values".to_owned())),
        }
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }
}

/// Cuts out the texts, which share the memory of the whole.
fn cut(text: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let text = Bytes::from(text);
    let mut start = 0;
    let mut next = |&end: &usize| text.slice(mem::replace(&mut start, end)..end).into();
    ends.iter().map(&mut next).collect()
}

/// Nesting of an entry.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    definition: i16,
    repetition: i16,
    /// Lists around it.
    lists: i16,
}

/// A group of columns of the schema.
pub(super) trait Group {
    /// Number of its columns, including those of nested groups.
    const WIDTH: usize;

    /// Writes each of its members, in the order of the schema.
    fn put(&self, to: &mut Cursor<'_>);
}

/// Writes one row into the columns, from the first to the last.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    columns: &'a mut [Column],
    next: usize,
    level: Level,
    bytes: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(columns: &'a mut [Column]) -> Self {
        Self { columns, next: 0, level: Level::default(), bytes: 0 }
    }

    /// Returns about how much memory the row takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes a value that each row of its group has.
    pub(super) fn required<'c>(&mut self, cell: impl Into<Cell<'c>>) {
        self.push(Some(cell.into()), self.level);
    }

    /// Writes a value that may be missing.
    pub(super) fn optional<'c>(&mut self, cell: Option<impl Into<Cell<'c>>>) {
        let definition = self.level.definition + i16::from(cell.is_some());
        self.push(cell.map(Into::into), Level { definition, ..self.level });
    }

    /// Writes a group that may be missing.
    pub(super) fn group<G: Group>(&mut self, group: Option<&G>) {
        match group {
            Some(group) => self.deeper(1, |inner| group.put(inner)),
            None => self.missing(G::WIDTH),
        }
    }

    /// Writes a list that may be missing.
    pub(super) fn optional_list<G: Group>(&mut self, items: Option<&[G]>) {
        match items {
            Some(items) => self.deeper(1, |inner| inner.list(items)),
            None => self.missing(G::WIDTH),
        }
    }

    /// Writes a list that may be empty.
    pub(super) fn list<G: Group>(&mut self, items: &[G]) {
        if items.is_empty() {
            return self.missing(G::WIDTH);
        }
        let outer = self.level;
        let start = self.next;
        let lists = outer.lists + 1;
        for (at, item) in items.iter().enumerate() {
            self.next = start;
            let repetition = if at == 0 { outer.repetition } else { lists };
            self.level = Level { definition: outer.definition + 1, repetition, lists };
            item.put(self);
        }
        self.level = outer;
    }

    fn deeper(&mut self, by: i16, put: impl FnOnce(&mut Self)) {
        self.level.definition += by;
        put(self);
        self.level.definition -= by;
    }

    fn missing(&mut self, width: usize) {
        for _ in 0..width {
            self.push(None, self.level);
        }
    }

    fn push(&mut self, cell: Option<Cell<'_>>, level: Level) {
        if let Some(column) = self.columns.get_mut(self.next) {
            self.bytes += column.push(cell, level);
        }
        self.next += 1;
    }
}

macro_rules! cells {
    ($($from:ty => $cell:ident),*) => {
        $(impl From<$from> for Cell<'_> {
            fn from(value: $from) -> Self {
                Self::$cell(value.into())
            }
        })*
    };
}

cells!(bool => Bool, i32 => Int32, i64 => Int64, u32 => Int64, f64 => Double);
