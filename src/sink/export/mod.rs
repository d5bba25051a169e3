//! Records as a file for other tools: put under its name as a whole, or not at all.
//!
//! Constraints: what is written holds bounded memory for any number of records; a record whose result
//! has an unknown shape is exported like any other; a file that is there stays as it is until the new
//! one is complete and synced.

#[cfg(feature = "parquet")]
mod compressed;
mod error;
mod output;
#[cfg(feature = "parquet")]
mod parquet;

#[cfg(feature = "parquet")]
pub use compressed::CompressedWriter;
pub use error::ExportError;
pub use output::OutputFile;
#[cfg(feature = "parquet")]
pub use parquet::{PARQUET_SCHEMA, ParquetWriter};
