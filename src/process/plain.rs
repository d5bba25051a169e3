//! A plain function as a processor.

use serde::Serialize;

use super::{FileContent, Processor, ResultWriter};
use crate::model::FileError;

/// A processor made of a function: see [`from_fn`].
#[derive(Debug, Clone)]
pub struct PlainProcessor<F> {
    identity: String,
    include: Vec<&'static str>,
    function: F,
}

/// Makes a processor of a plain function that returns anything serde can write.
///
/// `identity` is the name and version: change it when the output changes.
///
/// ```
/// use outlast::{FileContent, Processor, ResultWriter, from_fn};
///
/// let lines = from_fn("lines/1", &["*.txt"], |file: &FileContent<'_>| {
///     Ok(file.bytes.split(|&byte| byte == b'\n').count())
/// });
/// let mut result = ResultWriter::default();
/// lines.process(&FileContent { path: b"a.txt", bytes: b"x\ny" }, &mut result).unwrap();
/// assert_eq!(result.as_bytes(), b"2");
/// ```
pub fn from_fn<F, T>(identity: &str, include: &[&'static str], function: F) -> PlainProcessor<F>
where
    F: Fn(&FileContent<'_>) -> Result<T, FileError> + Send + Sync,
    T: Serialize,
{
    PlainProcessor { identity: identity.to_owned(), include: include.to_vec(), function }
}

impl<F, T> Processor for PlainProcessor<F>
where
    F: Fn(&FileContent<'_>) -> Result<T, FileError> + Send + Sync,
    T: Serialize,
{
    fn identity(&self) -> &str {
        &self.identity
    }

    fn default_include(&self) -> Vec<&str> {
        self.include.clone()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let value = (self.function)(file)?;
        result.set(&value)
    }
}
