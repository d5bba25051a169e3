//! Names that a user gives, and the error of a text that is none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not what it was given for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: expected {expected}")]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// What it should be.
    pub what: &'static str,
    /// What such a text looks like.
    pub expected: &'static str,
}

/// Characters of a name, at most.
const NAME_MAX: usize = 64;

/// Returns the name if it has 1 to 64 of `A-Z a-z 0-9 . _ -`; `what` is for the error.
pub(crate) fn checked(name: String, what: &'static str) -> Result<String, ParseError> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_fine) {
        return Ok(name);
    }
    Err(ParseError { text: name, what, expected: "1 to 64 of A-Z a-z 0-9 . _ -" })
}

/// Name that a user gives a root, which its records have: 1 to 64 of `A-Z a-z 0-9 . _ -`.
///
/// ```
/// use outlast::RootName;
///
/// let name: RootName = "asts".parse().unwrap();
/// assert_eq!(name.to_string(), "asts");
/// assert!("a/b".parse::<RootName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RootName(String);

impl RootName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RootName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RootName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for RootName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        checked(text, "name of a root").map(Self)
    }
}

impl From<RootName> for String {
    fn from(name: RootName) -> Self {
        name.0
    }
}
