//! The record log as any reader of its files sees it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use serde_json::Value;

use crate::support::schema;

/// A place in the log: segment and offset.
pub(crate) type Position = (u64, u64);

/// One line of the log.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) root: String,
    pub(crate) path: Vec<u8>,
    pub(crate) status: String,
    pub(crate) size: Option<u64>,
    /// In nanoseconds.
    pub(crate) mtime: Option<i64>,
    pub(crate) digest: Option<String>,
    pub(crate) values: Option<u64>,
    pub(crate) tick: u64,
    /// Whether the line is a copy of one that stood in the log before.
    pub(crate) is_copy: bool,
    /// The record, without the mark of a copy.
    pub(crate) json: Value,
}

impl Record {
    /// Reads a line without its line feed.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        let mut json: Value = serde_json::from_slice(line)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(line)))?;
        schema().check(&json).map_err(|error| format!("against the schema, {error}: {json}"))?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed = |name: &str| text(name).ok_or_else(|| format!("no {name} in {json}"));
        let path = match text("path_bytes") {
            Some(encoded) => {
                base64::prelude::BASE64_STANDARD.decode(encoded).map_err(|error| error.to_string())?
            }
            None => needed("path")?.into_bytes(),
        };
        let tick = json["committed_tick"].as_u64().ok_or_else(|| format!("no tick in {json}"))?;
        let mtime = text("mtime").map(|time| time.parse::<jiff::Timestamp>().unwrap().as_nanosecond());
        let (root, status, digest) = (needed("root")?, needed("status")?, text("digest"));
        let members = json.as_object_mut().ok_or("a record is no object")?;
        let marks = ["copied_from", "copied_tick"].map(|mark| members.remove(mark).is_some());
        Ok(Self {
            root,
            path,
            status,
            is_copy: marks == [true; 2],
            size: json["size"].as_u64(),
            mtime: mtime.map(|time| i64::try_from(time).unwrap()),
            digest,
            values: json["result"]["values"].as_u64(),
            tick,
            json,
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.root, self.path.escape_ascii())
    }
}

/// The segments, by number.
pub(crate) fn read_segments(folder: &Path) -> BTreeMap<u64, Vec<u8>> {
    let mut segments = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(number) = name.strip_prefix("records-").and_then(|rest| rest.strip_suffix(".ndjson")) {
            segments.insert(number.parse().unwrap(), std::fs::read(&path).unwrap());
        }
    }
    segments
}

/// Every record up to a committed end, or what is wrong with the log.
pub(crate) fn read_log(folder: &Path, end: Position) -> Result<Vec<Record>, String> {
    let segments = read_segments(folder);
    let mut records = Vec::new();
    let first = segments.keys().next().copied().unwrap_or(1);
    for number in first..=end.0 {
        let whole = match segments.get(&number) {
            Some(bytes) => bytes,
            None if end == (1, 0) => return Ok(records),
            None => return Err(format!("segment {number} is missing")),
        };
        let upto = if number == end.0 { end.1 as usize } else { whole.len() };
        let bytes = whole
            .get(..upto)
            .ok_or_else(|| format!("segment {number} has {} bytes, not {upto}", whole.len()))?;
        if bytes.last().is_some_and(|&byte| byte != b'\n') {
            return Err(format!("segment {number} has a torn line before {upto}"));
        }
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            records.push(Record::parse(line)?);
        }
    }
    Ok(records)
}

/// The latest record of each path that exists, by root and path.
pub(crate) fn current(log: &[Record]) -> BTreeMap<(String, Vec<u8>), Record> {
    let mut latest = BTreeMap::new();
    for record in log {
        let key = (record.root.clone(), record.path.clone());
        if record.status == "removed" {
            latest.remove(&key);
        } else {
            latest.insert(key, record.clone());
        }
    }
    latest
}
