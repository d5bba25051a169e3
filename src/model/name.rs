//! Names that a user gives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Characters of a name, at most.
const NAME_MAX: usize = 64;

/// Returns the name if it has 1 to 64 of `A-Z a-z 0-9 . _ -`; `of` says in the error what it is to name.
pub(crate) fn checked(name: String, of: &str) -> Result<String, String> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_fine) {
        return Ok(name);
    }
    Err(format!("{name:?} is no name of a {of}: expected 1 to {NAME_MAX} of A-Z a-z 0-9 . _ -"))
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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for RootName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        checked(text, "root").map(Self)
    }
}

impl From<RootName> for String {
    fn from(name: RootName) -> Self {
        name.0
    }
}
