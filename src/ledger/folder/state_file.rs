//! `state.json`: small, for people to read, and checked to the last byte.
//!
//! The last member is the checksum of every byte before it, so that it can be checked without knowing
//! the format of the rest.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::ledger::error::LedgerError;
use crate::model::{ConsumerName, RecordCursor, Root, RootId, Shard, Timestamp};

/// The newest format of a state, of one shard. Anything that an earlier version must not read is another format.
pub const FORMAT: u32 = 5;
/// The format of a state without a shard whose pending files are sorted by priority rules.
const FORMAT_PRIORITIES: u32 = 4;
/// The format of one without either that has consumers.
const FORMAT_CONSUMERS: u32 = 3;
/// The format of a state with none of these.
const FORMAT_PLAIN: u32 = 2;
/// The oldest format that this version reads: states without an id, roots without a target, and jobs with fewer
/// members. A state that is changed has one of the formats above from then on.
const FORMAT_MIN: u32 = 1;

/// A state's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateInfo {
    /// Format of the whole state folder.
    pub format: u32,
    /// The record folder: absolute, or relative to the state folder.
    #[serde(with = "path_text")]
    pub records: PathBuf,
    /// Distinguishes this state's cursors from those of others: a state re-created or repaired has another one. Empty
    /// if the state was last written by a version without.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// All roots ever ingested.
    pub roots: Vec<RootInfo>,
    /// Consumers of the record log.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consumers: BTreeMap<ConsumerName, Consumer>,
    /// Whether the ledger may have priority rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_priorities: bool,
    /// The shard whose files it has; `None` for all files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A consumer of the record log, as the state remembers it. What comes after its cursor is kept for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// Its committed cursor.
    pub cursor: RecordCursor,
    /// When that last moved.
    pub moved: Timestamp,
}

/// A root, as the state remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootInfo {
    /// Number in the keys of its files.
    pub id: u32,
    /// Name in the records.
    pub name: String,
    /// Path as given, absolute, its links not followed; empty where it is not known, after a repair.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Where that led when last probed, without links. Empty in a state of a version that kept such a path in `path`.
    #[serde(default, skip_serializing_if = "is_empty", with = "path_text")]
    pub target: PathBuf,
    /// Identity of the processor that its files are processed with.
    pub processor: String,
    /// Incremented each time all its files become due again.
    pub epoch: u32,
    /// Its filters.
    pub filters: String,
    /// What distinguishes its folder from others at the same path, in hexadecimal; empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// Whether it was added to the roots of a watching process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
}

impl RootInfo {
    /// Creates one that was never probed and had no run yet.
    pub(crate) fn new(id: u32, name: impl Into<String>, path: impl Into<PathBuf>, processor: &str) -> Self {
        Self {
            id,
            name: name.into(),
            path: path.into(),
            target: PathBuf::new(),
            processor: processor.to_owned(),
            epoch: 1,
            filters: String::new(),
            mark: String::new(),
            watched: false,
        }
    }

    /// Returns the root, as the other rooms use it.
    pub fn root(&self) -> Root {
        Root { id: RootId(self.id), name: self.name.clone(), path: self.path.clone() }
    }

    /// Returns where its path led when last probed.
    pub fn target(&self) -> &Path {
        if is_empty(&self.target) { &self.path } else { &self.target }
    }
}

fn is_empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

impl StateInfo {
    pub(super) fn new(records: PathBuf) -> Self {
        Self {
            format: FORMAT_PLAIN,
            records,
            id: new_id(),
            roots: Vec::new(),
            consumers: BTreeMap::new(),
            has_priorities: false,
            shard: None,
        }
    }

    /// Checks that a run on this shard may use the state in `folder`. One that has had no root yet may become any shard's,
    /// and so may one whose description was lost: its roots have no path.
    pub fn check_shard(&self, folder: &Path, wanted: Option<Shard>) -> Result<(), LedgerError> {
        let is_open = self.shard.is_none() && self.roots.iter().all(|root| is_empty(&root.path));
        if self.shard == wanted || is_open {
            return Ok(());
        }
        Err(LedgerError::OtherShard { path: folder.to_owned(), found: self.shard, wanted })
    }
}

/// Returns a short name that no other state of the same folder has had, as far as chance goes.
pub(super) fn new_id() -> String {
    // The keys of the standard hash maps are the system's randomness.
    let hash = RandomState::new().hash_one((SystemTime::now(), std::process::id()));
    let [a, b, c, d, ..] = hash.to_le_bytes();
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

const CRC_START: &str = ",\n  \"crc32\": \"";
const END: &str = "\n}";

fn crc_member(body: &str) -> String {
    format!("{CRC_START}{:08x}\"{END}\n", crc32fast::hash(body.as_bytes()))
}

/// Replaces the file. Returns its new content: of the format that it needs.
pub(super) fn write(path: &Path, info: StateInfo) -> Result<StateInfo, LedgerError> {
    let format = match (info.has_priorities, info.consumers.is_empty()) {
        _ if info.shard.is_some() => FORMAT,
        (true, _) => FORMAT_PRIORITIES,
        (false, false) => FORMAT_CONSUMERS,
        (false, true) => FORMAT_PLAIN,
    };
    let info = StateInfo { format, ..info };
    let text = serde_json::to_string_pretty(&info).map_err(|error| LedgerError::io(path)(error.into()))?;
    let body = text.strip_suffix(END).unwrap_or(&text);
    disk::replace(path, format!("{body}{}", crc_member(body)).as_bytes())?;
    Ok(info)
}

/// Reads the file, and checks it.
pub(crate) fn read(path: &Path) -> Result<StateInfo, LedgerError> {
    let bytes = disk::read(path)?;
    let body = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| Some((&text[..text.rfind(CRC_START)?], text)))
        .filter(|(body, text)| text[body.len()..] == crc_member(body))
        .map(|(body, _)| format!("{body}{END}"))
        .ok_or_else(|| LedgerError::damaged(path, "the file is not as written"))?;
    let unreadable = |error: serde_json::Error| LedgerError::damaged(path, format!("no state ({error})"));
    let FormatOnly { format: found } = serde_json::from_str(&body).map_err(unreadable)?;
    if !(FORMAT_MIN..=FORMAT).contains(&found) {
        let folder = path.parent().unwrap_or(path).to_path_buf();
        return Err(LedgerError::OtherFormat { path: folder, found, supported: FORMAT });
    }
    serde_json::from_str(&body).map_err(unreadable)
}

/// Paths as text where they are UTF-8, as `{"base64": …}` otherwise.
mod path_text {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Text {
        Plain(String),
        Encoded { base64: String },
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let text = match path.to_str() {
            Some(text) => Text::Plain(text.to_owned()),
            None => Text::Encoded { base64: STANDARD.encode(path.as_os_str().as_bytes()) },
        };
        text.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        match Text::deserialize(deserializer)? {
            Text::Plain(text) => Ok(text.into()),
            Text::Encoded { base64 } => {
                let bytes = STANDARD.decode(base64).map_err(D::Error::custom)?;
                Ok(OsString::from_vec(bytes).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn sample() -> StateInfo {
        let odd = Path::new("/data").join(OsStr::from_bytes(b"bad\xff"));
        let root = |id, path: PathBuf| RootInfo {
            id,
            name: format!("root,\n  \"crc32\": \"{id}"),
            target: path.join("target"),
            path,
            processor: "ast/1".to_owned(),
            epoch: 3,
            filters: String::new(),
            mark: if id == 1 { "1f".to_owned() } else { String::new() },
            watched: false,
        };
        let records = "records".into();
        let id = "0a1b2c3d".to_owned();
        let cursor: RecordCursor = "3:41@0a1b2c3d".parse().unwrap();
        let consumers = ["a", "b.1"]
            .map(|name| (name.parse().unwrap(), Consumer { cursor: cursor.clone(), moved: Timestamp(5) }));
        let roots = vec![root(1, odd), root(2, PathBuf::new())];
        StateInfo {
            format: FORMAT_CONSUMERS,
            records,
            id,
            roots,
            consumers: consumers.into(),
            has_priorities: false,
            shard: None,
        }
    }

    #[test]
    fn it_reads_back_and_each_flipped_byte_and_each_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write(&path, sample()).unwrap();
        assert_eq!(read(&path).unwrap(), sample());
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            for bytes in [&flipped[..], &whole[..at]] {
                std::fs::write(&path, bytes).unwrap();
                assert!(matches!(read(&path), Err(LedgerError::Damaged { .. })), "byte {at}");
            }
        }
    }

    #[test]
    fn an_earlier_format_is_read_and_what_is_written_is_of_the_one_that_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let body = "{\n  \"format\": 1,\n  \"records\": \"records\",\n  \"roots\": []";
        std::fs::write(&path, format!("{body}{}", crc_member(body))).unwrap();
        let mut info = read(&path).unwrap();
        assert_eq!((info.format, info.id.as_str()), (1, ""));
        info.id = new_id();
        let written = write(&path, info.clone()).unwrap();
        assert_eq!(written, StateInfo { format: FORMAT_PLAIN, ..info });
        assert_eq!(read(&path).unwrap(), written);
        let with_consumers = StateInfo { consumers: sample().consumers, ..written.clone() };
        assert_eq!(write(&path, with_consumers.clone()).unwrap().format, FORMAT_CONSUMERS);
        assert_eq!(
            write(&path, StateInfo { has_priorities: true, ..with_consumers.clone() }).unwrap().format,
            FORMAT_PRIORITIES
        );
        let sharded =
            StateInfo { shard: "3/64".parse().ok(), has_priorities: true, ..with_consumers.clone() };
        assert_eq!(write(&path, sharded.clone()).unwrap(), StateInfo { format: FORMAT, ..sharded });
        let plain = StateInfo { consumers: BTreeMap::new(), ..with_consumers };
        assert_eq!(write(&path, plain).unwrap(), written);
    }

    #[test]
    fn another_format_is_named_even_where_the_rest_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let body = "{\n  \"format\": 9,\n  \"news\": []";
        std::fs::write(&path, format!("{body}{}", crc_member(body))).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, LedgerError::OtherFormat { found: 9, supported: FORMAT, .. }));
        assert!(error.to_string().contains("use the version of outlast that wrote it"));
    }
}
