//! The messages between engine and child: one JSON object on each line.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::model::{ErrorClass, FileError, in_base64};

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;
/// Values may be nested so deep: `serde_json` and others read no deeper by default.
const DEPTH_MAX: usize = 127;

/// The longest message of a failure, in bytes: a traceback fits, and a listing of failures stays readable.
const MESSAGE_MAX: usize = 16 << 10;
/// The longest identity, in bytes: it stands in each record.
const IDENTITY_MAX: usize = 1000;

const LONE_SURROGATE: &str =
    "the result holds half of a surrogate pair, which is no text: Python makes them of bytes";

/// One file, as a child is asked about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileRequest<'a> {
    /// Name of its root.
    pub root: &'a str,
    /// Path below its root; not always UTF-8.
    pub path: &'a [u8],
    /// Path on this machine.
    pub absolute: &'a Path,
    pub size: u64,
    /// Digest of the content, in hex.
    pub digest: &'a str,
}

/// How a child wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Name and version of its processor, if it has some.
    pub identity: Option<String>,
    /// Globs of the files that it processes.
    pub include: Vec<String>,
    /// Whether content is sent along.
    pub inline: bool,
    /// How many files may be in flight.
    pub window: usize,
    /// Whether it works on several files together. Reserved: the window is filled before answers are waited for in any
    /// case.
    pub batch: bool,
}

/// What a child says.
#[derive(Debug)]
pub(super) enum Reply<'a> {
    Ready(Ready),
    Alive,
    Answer { id: u64, outcome: Result<&'a RawValue, FileError> },
}

/// Returns the first message to a child.
pub(super) fn hello(root: &Path) -> Vec<u8> {
    #[derive(Serialize)]
    struct Hello<'a> {
        r#type: &'static str,
        versions: [u32; 1],
        root: Cow<'a, str>,
    }
    line(&Hello { r#type: "hello", versions: [VERSION], root: root.to_string_lossy() })
}

/// Returns the request that a child end.
pub(super) fn stop() -> Vec<u8> {
    b"{\"type\":\"stop\"}\n".to_vec()
}

/// Returns the message that asks about a file. So many bytes of content follow, if any.
pub(super) fn file(id: u64, file: &FileRequest<'_>, bytes: Option<usize>) -> Vec<u8> {
    #[derive(Serialize)]
    struct File<'a> {
        r#type: &'static str,
        id: u64,
        root: &'a str,
        path: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path_bytes: Option<String>,
        abs: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        abs_bytes: Option<String>,
        size: u64,
        digest: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    }
    let absolute = file.absolute.as_os_str().as_encoded_bytes();
    line(&File {
        r#type: "file",
        id,
        root: file.root,
        path: String::from_utf8_lossy(file.path),
        path_bytes: in_base64(file.path),
        abs: file.absolute.to_string_lossy(),
        abs_bytes: in_base64(absolute),
        size: file.size,
        digest: file.digest,
        bytes,
    })
}

fn line(message: &impl Serialize) -> Vec<u8> {
    // Texts and numbers: nothing that can't be JSON.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// All members that a child may send; others are ignored.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<u64>,
    #[serde(borrow, default, deserialize_with = "given")]
    result: Option<&'a RawValue>,
    class: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
    line: Option<u64>,
    column: Option<u64>,
    retry: Option<bool>,
    version: Option<u32>,
    identity: Option<String>,
    include: Option<Vec<String>>,
    content: Option<Cow<'a, str>>,
    window: Option<u64>,
    batch: Option<bool>,
}

/// Reads a value that is there, be it `null`.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(from).map(Some)
}

/// Reads a line of a child.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(line: &[u8]) -> Result<Reply<'_>, String> {
    match serde_json::from_slice::<Members<'_>>(line) {
        Ok(members) => members.into_reply(),
        // Python writes both by default: that is the file's failure, not the child's.
        Err(error) => without_nan(line)
            .map(|(id, word)| (id, not_json(&word)))
            .or_else(|| failure_in_whole_pairs(line))
            .map(|(id, failure)| Reply::Answer { id, outcome: Err(failure) })
            .ok_or_else(|| format!("sent a line that is no JSON message: {error}: {}", shown(line))),
    }
}

impl<'a> Members<'a> {
    fn into_reply(self) -> Result<Reply<'a>, String> {
        let id = self.id;
        let id = |kind: &str| id.ok_or_else(|| format!("sent a `{kind}` without `id`"));
        match self.kind.as_ref() {
            "ready" => self.into_ready().map(Reply::Ready),
            "alive" => Ok(Reply::Alive),
            "result" => {
                let id = id("result")?;
                let result = self.result.ok_or("sent a `result` without `result`")?;
                let outcome = if is_too_deep(result.get().as_bytes()) {
                    Err(FileError::processor(format!("the result is nested deeper than {DEPTH_MAX} levels")))
                } else if has_lone_surrogate(result.get().as_bytes()) {
                    Err(FileError::processor(LONE_SURROGATE))
                } else {
                    Ok(result)
                };
                Ok(Reply::Answer { id, outcome })
            }
            "error" => Ok(Reply::Answer { id: id("error")?, outcome: Err(self.into_error()?) }),
            other => Err(format!("sent a message of the unknown type `{other}`")),
        }
    }

    fn into_ready(self) -> Result<Ready, String> {
        match self.version {
            Some(VERSION) => {}
            Some(version) => return Err(format!("chose version {version} in `ready`: it must be {VERSION}")),
            None => return Err(format!("sent a `ready` without `version`: it must be {VERSION}")),
        }
        let inline = match self.content.as_deref() {
            None | Some("path") => false,
            Some("inline") => true,
            Some(other) => {
                return Err(format!("sent `content` = `{other}` in `ready`: it must be `path` or `inline`"));
            }
        };
        let window = self.window.unwrap_or(1);
        if !(1..=WINDOW_MAX).contains(&window) {
            return Err(format!("sent `window` = {window} in `ready`: it must be from 1 to {WINDOW_MAX}"));
        }
        let identity = self.identity.filter(|identity| !identity.is_empty());
        if let Some(identity) = identity.as_ref().filter(|identity| identity.contains(char::is_control)) {
            return Err(format!("sent an `identity` with control characters in `ready`: {identity:?}"));
        }
        if let Some(identity) = identity.as_ref().filter(|identity| identity.len() > IDENTITY_MAX) {
            let length = identity.len();
            return Err(format!(
                "sent an `identity` of {length} bytes in `ready`: at most {IDENTITY_MAX} are allowed"
            ));
        }
        let window = usize::try_from(window).unwrap_or(1);
        let batch = self.batch == Some(true);
        Ok(Ready { identity, include: self.include.unwrap_or_default(), inline, window, batch })
    }

    fn into_error(self) -> Result<FileError, String> {
        let class = match self.class.as_deref() {
            Some("parse") => ErrorClass::Parse,
            Some("unsupported") => ErrorClass::Unsupported,
            Some("processor") | None => ErrorClass::Processor,
            Some("io-transient") => ErrorClass::IoTransient,
            Some(other) => {
                return Err(format!(
                    "sent an `error` of class `{other}`: it must be `parse`, `unsupported`, `processor` or `io-transient`"
                ));
            }
        };
        let mut message = self.message.map_or_else(|| "no message".to_owned(), Cow::into_owned);
        if message.len() > MESSAGE_MAX {
            let kept = message.floor_char_boundary(MESSAGE_MAX);
            let missing = message.len() - kept;
            message.truncate(kept);
            message.push_str(&format!("... ({missing} bytes more)"));
        }
        let error = FileError { line: self.line, column: self.column, ..FileError::new(class, message) };
        Ok(if self.retry == Some(true) { error.may_pass() } else { error })
    }
}

/// Most files in flight at once: their contents are in memory together.
const WINDOW_MAX: u64 = 1024;

fn not_json(word: &str) -> FileError {
    FileError::processor(format!("the result holds {word}, which JSON can't express: use null or a text"))
}

/// If a line is an answer but for `NaN`, `Infinity` or `-Infinity` in it, returns its ID and that word.
fn without_nan(line: &[u8]) -> Option<(u64, String)> {
    let mut sound = line.to_vec();
    let mut found = None;
    for (at, end) in words_outside_texts(line) {
        let word = line.get(at..end)?;
        if matches!(word, b"NaN" | b"Infinity" | b"-Infinity") {
            found.get_or_insert_with(|| String::from_utf8_lossy(word).into_owned());
            let place = sound.get_mut(at..end)?;
            place.fill(b' ');
            *place.first_mut()? = b'0';
        }
    }
    let found = found?;
    match serde_json::from_slice::<Members<'_>>(&sound).ok()?.into_reply() {
        Ok(Reply::Answer { id, .. }) => Some((id, found)),
        _ => None,
    }
}

/// Returns where words begin and end that stand outside texts.
fn words_outside_texts(line: &[u8]) -> Vec<(usize, usize)> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in outside_texts(line) {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            match words.last_mut().filter(|(_, end)| *end == at) {
                Some((_, end)) => *end += 1,
                None => words.push((at, at + 1)),
            }
        }
    }
    words
}

/// Returns whether values of JSON are nested deeper than [`DEPTH_MAX`].
fn is_too_deep(json: &[u8]) -> bool {
    // Most results are shorter than a nesting that is too deep, which needs two brackets a level.
    if json.len() <= 2 * DEPTH_MAX {
        return false;
    }
    let mut depth = 0_usize;
    outside_texts(json).any(|(_, byte)| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH_MAX
    })
}

/// Returns the bytes of JSON that stand outside texts, with their places.
fn outside_texts(json: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let mut in_text = false;
    let mut escaped = false;
    json.iter().copied().enumerate().filter(move |&(_, byte)| {
        let is_quote = byte == b'"' && !escaped;
        in_text ^= is_quote;
        escaped = in_text && byte == b'\\' && !escaped;
        !in_text && !is_quote
    })
}

/// If a line is a failure but for halves of surrogate pairs in its texts, returns its ID and the failure.
fn failure_in_whole_pairs(line: &[u8]) -> Option<(u64, FileError)> {
    let mut sound = line.to_vec();
    for at in lone_surrogates(line) {
        sound.get_mut(at..at + 6)?.copy_from_slice(br"\ufffd");
    }
    match serde_json::from_slice::<Members<'_>>(&sound).ok()?.into_reply() {
        Ok(Reply::Answer { id, outcome: Err(failure) }) => Some((id, failure)),
        _ => None,
    }
}

/// Returns whether JSON holds the escape of a UTF-16 surrogate that is not one of a pair. The grammar allows it; `jq` and
/// others refuse all that they read for it.
fn has_lone_surrogate(json: &[u8]) -> bool {
    lone_surrogates(json).next().is_some()
}

/// Returns where escapes of UTF-16 surrogates begin that are not one of a pair.
fn lone_surrogates(json: &[u8]) -> impl Iterator<Item = usize> {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut next = 0;
    std::iter::from_fn(move || {
        while let Some(distance) = memchr::memchr(b'\\', json.get(next..)?) {
            let at = next + distance;
            next = at
                + match (unit(at), unit(at + 6)) {
                    (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                    (Some(0xd800..=0xdfff), _) => {
                        next = at + 6;
                        return Some(at);
                    }
                    _ => 2,
                };
        }
        None
    })
}

/// Returns a text as JSON on one line, if it is JSON that readers take.
pub(super) fn as_json(text: &str) -> Option<Vec<u8>> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let mut json = raw.get().as_bytes().to_vec();
    if is_too_deep(&json) || has_lone_surrogate(&json) {
        return None;
    }
    // Line feeds stand only between the tokens of JSON.
    json.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    Some(json)
}

/// Returns the beginning of a line, for a message.
fn shown(line: &[u8]) -> String {
    let begin: String = String::from_utf8_lossy(line.get(..200).unwrap_or(line)).chars().take(120).collect();
    format!("{begin:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> (u64, Result<String, FileError>) {
        match read(line.as_bytes()).unwrap() {
            Reply::Answer { id, outcome } => (id, outcome.map(|raw| raw.get().to_owned())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_are_read_and_unknown_members_are_ignored() {
        assert_eq!(
            answer(r#"{"id":7,"x":[1],"result":{"a": 1},"type":"result"}"#),
            (7, Ok(r#"{"a": 1}"#.to_owned()))
        );
        assert_eq!(answer(r#"{"type":"result","id":7,"result":null}"#), (7, Ok("null".to_owned())));
        let (_, failed) =
            answer(r#"{"type":"error","id":1,"class":"parse","message":"m","line":2,"column":3}"#);
        assert_eq!(failed, Err(FileError::new(ErrorClass::Parse, "m").at(2, 3)));
        let (_, failed) = answer(r#"{"type":"error","id":1,"retry":true}"#);
        assert_eq!(failed, Err(FileError::processor("no message").may_pass()));
    }

    #[test]
    fn what_is_no_message_is_named() {
        let wrong = |line: &str| read(line.as_bytes()).unwrap_err();
        assert!(wrong(r#"{"type":"resutl","id":1}"#).contains("unknown type `resutl`"));
        assert!(wrong(r#"{"type":"result","id":1}"#).contains("without `result`"));
        assert!(wrong(r#"{"type":"result","result":1}"#).contains("without `id`"));
        assert!(wrong(r#"{"type":"error","id":1,"class":"crash"}"#).contains("`crash`"));
        assert!(wrong("hello").contains("no JSON message"));
        assert!(wrong("").contains("no JSON message"));
        assert!(wrong(r#"{"type":"ready","version":2}"#).contains("version 2"));
        assert!(wrong(r#"{"type":"ready","version":1,"window":0}"#).contains("from 1 to 1024"));
        assert!(wrong(r#"{"type":"ready","version":1,"content":"mmap"}"#).contains("`mmap`"));
        assert!(read(b"{\"type\":\"result\",\"id\":1,\"result\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_number_that_json_lacks_fails_its_file_alone() {
        for word in ["NaN", "Infinity", "-Infinity"] {
            let line = format!(r#"{{"type":"result","id":3,"result":{{"t":"a \" NaN \\","x":[1,{word}]}}}}"#);
            let (id, failed) = answer(&line);
            assert_eq!((id, failed.unwrap_err().class), (3, ErrorClass::Processor), "{line}");
        }
        let text = r#"{"type":"result","id":3,"result":"NaN"}"#;
        assert_eq!(answer(text), (3, Ok("\"NaN\"".to_owned())));
        assert!(read(br#"{"type":"result","id":3,"result":Nan}"#).is_err());
    }

    #[test]
    fn a_result_that_readers_would_refuse_fails_its_file_alone() {
        let nested = |levels: usize| {
            let value = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            answer(&format!(r#"{{"type":"result","id":1,"result":{value}}}"#)).1
        };
        assert!(nested(DEPTH_MAX).is_ok() && nested(DEPTH_MAX + 1).is_err() && nested(100_000).is_err());
        let text = format!(r#"{{"type":"result","id":1,"result":"{}"}}"#, "[".repeat(1000));
        assert!(answer(&text).1.is_ok());
        let of_text =
            |text: &str| answer(&format!(r#"{{"type":"result","id":1,"result":["\\\\{text}"]}}"#)).1;
        for whole in [r"\ud83d\ude00", r"\\ud800", r"\u0041\n", r"\\\\udc00", r"\uD83D\uDE00\\ud8"] {
            assert!(of_text(whole).is_ok(), "{whole}");
        }
        for half in [r"\ud800", r"\uDCFF", r"\ud83d\ud83d\ude00", r"\ude00\ud83d", r"\ud83d\n", r"\\\ud800"] {
            assert!(of_text(half).unwrap_err().message.contains("surrogate"), "{half}");
            assert_eq!(as_json(&format!("\"{half}\"")), None, "{half}");
        }
    }

    #[test]
    fn a_failure_is_taken_with_half_pairs_and_cut_where_it_is_endless() {
        let failure = |text: &str| {
            let line = format!(r#"{{"type":"error","id":5,"class":"parse","message":"{text}"}}"#);
            let (id, failure) = answer(&line);
            (id, failure.unwrap_err())
        };
        let expected = |text: &str| (5, FileError::new(ErrorClass::Parse, text));
        assert_eq!(failure(r"no \udcff\ud83d here"), expected("no \u{fffd}\u{fffd} here"));
        assert_eq!(failure(r"\ud83d\ude00\ud800"), expected("\u{1f600}\u{fffd}"));
        let long = failure(&"ä".repeat(5 << 20)).1.message;
        assert!(long.len() < MESSAGE_MAX + 100 && long.ends_with("bytes more)"), "{}", long.len());
        let identity = "i".repeat(IDENTITY_MAX + 1);
        let ready = format!(r#"{{"type":"ready","version":1,"identity":"{identity}"}}"#);
        assert!(read(ready.as_bytes()).unwrap_err().contains("1001 bytes"));
    }

    #[test]
    fn a_file_is_described_by_text_and_where_that_is_not_all_by_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let request = FileRequest {
            root: "r",
            path: b"a\xff\n",
            absolute: Path::new(OsStr::from_bytes(b"/t/a\xff\n")),
            size: 3,
            digest: "00",
        };
        let message = file(7, &request, Some(3));
        assert_eq!(message.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&message).unwrap();
        let expected = serde_json::json!({
            "type": "file", "id": 7, "root": "r", "path": "a\u{fffd}\n", "path_bytes": "Yf8K",
            "abs": "/t/a\u{fffd}\n", "abs_bytes": "L3QvYf8K", "size": 3, "digest": "00", "bytes": 3,
        });
        assert_eq!(value, expected);
        let plain = FileRequest { path: b"a", absolute: Path::new("/t/a"), ..request };
        let value: serde_json::Value = serde_json::from_slice(&file(8, &plain, None)).unwrap();
        let expected = serde_json::json!({
            "type": "file", "id": 8, "root": "r", "path": "a", "abs": "/t/a", "size": 3, "digest": "00",
        });
        assert_eq!(value, expected);
    }
}
