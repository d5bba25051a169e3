//! Shards: the part of a tree's files that one of several machines processes.
//!
//! A file's shard follows from its path below the root alone, and for ever: h = XXH3-64 of the path's bytes, with seed 0;
//! the shard is (h × N) >> 64. Any machine finds it without asking another, and all shards are about equally large. A
//! path of 64 bytes takes 3 ns; with the first 8 bytes of BLAKE3 it takes 175 to 300 ns, about as much as listing its
//! name, and each runner does it for all files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// One of N shards, as `K/N`: K counts from 0.
///
/// ```
/// use outlast::Shard;
///
/// let shard: Shard = "3/64".parse()?;
/// assert_eq!((shard.index(), shard.count()), (3, 64));
/// assert_eq!(Shard::index_of(b"src/lib.rs", 64), 43);
/// assert!(!shard.holds(b"src/lib.rs"));
/// # Ok::<(), outlast::ShardError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    count: u32,
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is not `K/N`.
    #[error("must be K/N, such as 3/64")]
    Form,
    /// There is no such number.
    #[error("shards count from 0: the first of {count} is 0/{count}, the last {}/{count}", count - 1)]
    Index {
        /// The number of shards.
        count: u32,
    },
    /// Too many shards, or none.
    #[error("there may be 1 to {} shards", Shard::COUNT_MAX)]
    Count,
}

impl Shard {
    /// The most shards that there may be.
    pub const COUNT_MAX: u32 = 10_000;

    /// Creates the shard with this number, from 0, of so many.
    ///
    /// # Errors
    /// There is no such shard.
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        if !(1..=Self::COUNT_MAX).contains(&count) {
            return Err(ShardError::Count);
        }
        if index >= count { Err(ShardError::Index { count }) } else { Ok(Self { index, count }) }
    }

    /// Returns its number, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns how many shards there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Returns the number of the shard, of so many, that holds the file at this path below its root.
    pub fn index_of(path: &[u8], count: u32) -> u32 {
        let product = u128::from(XxHash3_64::oneshot(path)) * u128::from(count);
        // Less than `count`, as the hash is less than 2^64.
        (product >> 64) as u32
    }

    /// Returns whether it holds the file at this path below its root.
    pub fn holds(self, path: &[u8]) -> bool {
        Self::index_of(path, self.count) == self.index
    }

    /// Returns its number as names of folders have it, such as `0003`.
    pub fn padded(self) -> String {
        Self::padded_number(self.index)
    }

    /// Returns the number of a shard as names of folders have it, of however many.
    pub fn padded_number(index: u32) -> String {
        format!("{index:04}")
    }
}

/// As `K/N`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (index, count) = text.split_once('/').ok_or(ShardError::Form)?;
        let number = |text: &str| text.parse().map_err(|_| ShardError::Form);
        Self::new(number(index)?, number(count)?)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_shard_is_refused_with_a_sentence() {
        let error = |text: &str| text.parse::<Shard>().unwrap_err().to_string();
        assert_eq!(error("64/64"), "shards count from 0: the first of 64 is 0/64, the last 63/64");
        assert_eq!(error("0/0"), "there may be 1 to 10000 shards");
        assert_eq!(error("0/10001"), error("0/0"));
        for text in ["", "3", "3/", "/64", "-1/64", "a/b", "3/64/1", "3 / 64"] {
            assert_eq!(error(text), "must be K/N, such as 3/64", "{text}");
        }
        let last: Shard = "63/64".parse().unwrap();
        assert_eq!((last.to_string(), last.padded()), ("63/64".to_owned(), "0063".to_owned()));
    }

    /// By another implementation of the hash. A state of any version relies on them: they never change.
    #[test]
    fn paths_have_the_shards_that_they_had_in_every_version() {
        let [long, longer, longest] = [12, 30, 60].map(|times| "deep/".repeat(times) + "file.json");
        for (path, expected) in [
            (&b"a"[..], [0, 1, 14, 57, 90, 9014]),
            (b"src/lib.rs", [0, 1, 10, 43, 67, 6796]),
            (b"src/main.rs", [0, 1, 11, 44, 69, 6963]),
            (b"a/b/c.ast.json", [0, 0, 1, 5, 9, 906]),
            ("größe/ß.json".as_bytes(), [0, 0, 5, 22, 35, 3508]),
            (b"bad\xff/name", [0, 1, 13, 53, 83, 8392]),
            (b"with space\nand line", [0, 1, 9, 36, 57, 5705]),
            (long.as_bytes(), [0, 0, 3, 15, 23, 2399]),
            (longer.as_bytes(), [0, 1, 11, 44, 70, 7022]),
            (longest.as_bytes(), [0, 1, 15, 63, 98, 9888]),
        ] {
            let found = [1, 2, 16, 64, 100, 10_000].map(|count| Shard::index_of(path, count));
            assert_eq!(found, expected, "{}", path.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn each_path_is_in_exactly_one_shard(path in prop::collection::vec(any::<u8>(), 0..300), count in 1..200_u32) {
            let holders = (0..count).filter(|&index| Shard::new(index, count).unwrap().holds(&path));
            prop_assert_eq!(holders.collect::<Vec<_>>(), [Shard::index_of(&path, count)]);
        }
    }
}
