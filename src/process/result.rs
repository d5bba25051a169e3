//! A processor's result on its way into the record.

use serde::Serialize;

use crate::model::{ErrorClass, FileError};

/// Takes a processor's result: one JSON value on one line, `null` until it is set.
#[derive(Debug, Clone, Default)]
pub struct ResultWriter {
    json: Vec<u8>,
}

impl ResultWriter {
    /// Sets the result to anything that serde can write.
    ///
    /// # Errors
    /// A failure of class `processor` if the value can't be JSON, such as a map with keys that are not strings.
    pub fn set<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), FileError> {
        self.json.clear();
        let written = serde_json::to_writer(&mut self.json, value);
        // Raw JSON that a processor passes on may have line feeds, only between its tokens.
        self.json.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        written.map_err(|error| {
            self.json.clear();
            FileError::new(ErrorClass::Processor, format!("the result is no JSON: {error}"))
        })
    }

    /// Returns a value as the JSON of a result.
    pub(crate) fn json_of<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, FileError> {
        let mut writer = Self::default();
        writer.set(value)?;
        Ok(writer.json)
    }

    /// Returns the result as JSON.
    pub fn as_bytes(&self) -> &[u8] {
        if self.json.is_empty() { b"null" } else { &self.json }
    }

    /// Returns the empty buffer, for a processor of this crate that writes sound JSON on one line by itself.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        self.json.clear();
        &mut self.json
    }

    /// Empties it, and frees what it has grown to beyond this many bytes.
    pub(crate) fn keep(&mut self, bytes: usize) {
        self.json.clear();
        self.json.shrink_to(bytes);
    }

    /// Resets it for the next file.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_result_is_one_line_of_json() {
        let mut result = ResultWriter::default();
        assert_eq!(result.as_bytes(), b"null");
        let raw = serde_json::value::RawValue::from_string("{\n\"a\": \"x\\ny\"}".to_owned()).unwrap();
        result.set(&raw).unwrap();
        assert_eq!(result.as_bytes(), b"{ \"a\": \"x\\ny\"}");
        let unfit = BTreeMap::from([(vec![1], 2)]);
        assert_eq!(result.set(&unfit).unwrap_err().class, ErrorClass::Processor);
        assert_eq!(result.as_bytes(), b"null");
    }
}
