//! Cursors as the consumers of records keep them: a position in the log, and the state of that log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LogPosition;
use crate::model::name::{self, ParseError};

/// Characters of a state's id, at most.
const ID_MAX: usize = 32;

/// Where a consumer of the records continues. As text it is `SEGMENT:OFFSET@STATE`.
///
/// A state that is re-created, or repaired, has another id: earlier positions mean other records there. The start of
/// the log is that of any state.
///
/// ```
/// use outlast::{LogPosition, RecordCursor};
///
/// let cursor: RecordCursor = "3:41@5f0c9a1e".parse().unwrap();
/// assert_eq!(cursor.position, LogPosition { segment: 3, offset: 41 });
/// assert_eq!(cursor.to_string(), "3:41@5f0c9a1e");
/// assert!(cursor.is_of(Some("5f0c9a1e")) && !cursor.is_of(Some("77aa0013")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordCursor {
    /// The position in the log.
    pub position: LogPosition,
    /// Id of the state; `None` where it was not given.
    pub state: Option<String>,
}

impl RecordCursor {
    /// Returns whether it can be one of the state with this id, if that has one.
    pub fn is_of(&self, state: Option<&str>) -> bool {
        self.state.is_none() || self.state.as_deref() == state
    }

    /// Returns whether it names no state, and should.
    pub fn is_bare(&self) -> bool {
        self.state.is_none() && self.position != LogPosition::START
    }
}

impl fmt::Display for RecordCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Some(state) => write!(f, "{}@{state}", self.position),
            None => self.position.fmt(f),
        }
    }
}

impl FromStr for RecordCursor {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (position, state) = match text.split_once('@') {
            Some((position, state)) => (position, Some(state)),
            None => (text, None),
        };
        let is_id = |id: &str| {
            (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        match position.parse() {
            Ok(position) if state.is_none_or(is_id) => {
                Ok(Self { position, state: state.map(ToOwned::to_owned) })
            }
            _ => Err(ParseError {
                text: text.to_owned(),
                what: "cursor",
                expected: "SEGMENT:OFFSET@STATE, or 1:0 for the start",
            }),
        }
    }
}

impl TryFrom<String> for RecordCursor {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RecordCursor> for String {
    fn from(cursor: RecordCursor) -> Self {
        cursor.to_string()
    }
}

/// Name of a consumer whose cursor the state keeps: 1 to 64 of `A-Z a-z 0-9 . _ -`.
///
/// ```
/// use outlast::ConsumerName;
///
/// let name: ConsumerName = "warehouse-1".parse().unwrap();
/// assert_eq!(name.to_string(), "warehouse-1");
/// assert!("ware house".parse::<ConsumerName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsumerName(String);

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ConsumerName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for ConsumerName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        name::checked(text, "name of a consumer").map(Self)
    }
}

impl From<ConsumerName> for String {
    fn from(name: ConsumerName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_has_a_short_plain_name() {
        for name in ["a", "A.b_c-9", "x".repeat(64).as_str(), ".."] {
            assert_eq!(name.parse::<ConsumerName>().unwrap().to_string(), name);
        }
        for name in ["", "a b", "a/b", "ä", "a\n", "x".repeat(65).as_str()] {
            assert!(name.parse::<ConsumerName>().unwrap_err().expected.contains("1 to 64"), "{name}");
        }
    }

    #[test]
    fn a_cursor_reads_back_and_what_is_none_is_refused() {
        for text in ["1:0", "7:123", "1:0@0a", "4294967295:18446744073709551615@00ff00ff"] {
            let cursor: RecordCursor = text.parse().unwrap();
            assert_eq!(cursor.to_string(), text);
            let json = serde_json::to_string(&cursor).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<RecordCursor>(&json).unwrap(), cursor);
        }
        let long = format!("1:0@{}", "a".repeat(33));
        for text in ["", "1", "0:0", "1:0@", "1:0@a b", "1:0@a@b", "@ab", "1:@ab", "-1:0@a", long.as_str()] {
            assert!(
                text.parse::<RecordCursor>().unwrap_err().expected.contains("SEGMENT:OFFSET@STATE"),
                "{text}"
            );
        }
    }

    #[test]
    fn only_a_cursor_without_a_state_is_any_states() {
        let of = |text: &str, state| text.parse::<RecordCursor>().unwrap().is_of(state);
        assert!(of("2:3", Some("ab")) && of("2:3", None) && of("2:3@ab", Some("ab")));
        assert!(!of("2:3@ab", Some("cd")) && !of("2:3@ab", None) && !of("1:0@ab", Some("cd")));
        let bare = |text: &str| text.parse::<RecordCursor>().unwrap().is_bare();
        assert!(bare("2:3") && !bare("1:0") && !bare("2:3@ab"));
    }
}
