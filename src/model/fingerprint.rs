//! What distinguishes one version of a file from another.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize, Serializer};

/// Nanoseconds since 1970-01-01T00:00:00Z. Times outside the years 1677 to 2262 take the nearest bound, which stands for
/// no time: see [`Timestamp::known`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Converts from whole seconds and nanoseconds, as file systems give them.
    pub fn from_parts(seconds: i64, nanoseconds: u32) -> Self {
        let whole = seconds.checked_mul(1_000_000_000);
        let time = whole.and_then(|whole| whole.checked_add(i64::from(nanoseconds.min(999_999_999))));
        Self(time.unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Returns the time, unless it stands for one that is out of bounds.
    pub fn known(self) -> Option<Self> {
        (self.0 != i64::MIN && self.0 != i64::MAX).then_some(self)
    }

    /// Converts from the system's time type.
    pub fn from_system_time(time: std::time::SystemTime) -> Self {
        let clamp = |d: std::time::Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Self(clamp(after)),
            Err(before) => Self(0_i64.saturating_sub(clamp(before.duration()))),
        }
    }
}

/// RFC 3339 in UTC, with nine digits of the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        write!(f, "{time:.9}")
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text.parse()?;
        let nanoseconds = time.as_nanosecond();
        let clamped = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Ok(Self(i64::try_from(clamped).unwrap_or_default()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Metadata of a file: while this is the same, its content is taken to be the same.
///
/// `inode` 0 together with `ctime` 0 means *not known* (a state that was rebuilt from the records): such a
/// fingerprint equals no other, and the content decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode)]
pub struct Fingerprint {
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the content.
    pub mtime: Timestamp,
    /// Time of the last change of the inode.
    pub ctime: Timestamp,
    /// Number of the inode.
    pub inode: u64,
}

impl Fingerprint {
    /// Takes it from a file's metadata.
    pub fn from_metadata(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let part = |n: i64| u32::try_from(n).unwrap_or(0);
        Self {
            size: metadata.size(),
            mtime: Timestamp::from_parts(metadata.mtime(), part(metadata.mtime_nsec())),
            ctime: Timestamp::from_parts(metadata.ctime(), part(metadata.ctime_nsec())),
            inode: metadata.ino(),
        }
    }

    /// Returns whether a later write could leave this fingerprint unchanged: the content or the inode changed less
    /// than `window_ns` before the content was read. An mtime that lies ahead of a ctime that does not was set by
    /// hand: a write would not leave it.
    pub fn is_racy(&self, read_at: Timestamp, window_ns: i64) -> bool {
        let was_set = self.mtime > read_at && self.ctime <= read_at && self.ctime != Timestamp(0);
        let changed = if was_set { self.ctime } else { self.mtime.max(self.ctime) };
        changed.0 >= read_at.0.saturating_sub(window_ns)
    }
}

/// The first 16 bytes of a content's blake3 hash: enough to distinguish versions of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Shortens a full hash.
    pub fn from_hash(hash: &blake3::Hash) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        Self(short)
    }

    /// Parses the first 32 hex digits of a hash, as records hold them.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_rfc_3339_and_read_back() {
        let time = Timestamp::from_parts(1_795_514_400, 123_456_789);
        assert_eq!(time.to_string(), "2026-11-24T10:00:00.123456789Z");
        assert_eq!("2026-11-24T10:00:00.123456789Z".parse::<Timestamp>().unwrap(), time);
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(time.known(), Some(time));
        for seconds in [i64::MAX, 9_223_372_037, 253_402_300_800, -9_223_372_037, -99_999_999_999, i64::MIN] {
            let out_of_bounds = Timestamp::from_parts(seconds, 5);
            assert_eq!(out_of_bounds.known(), None, "{seconds}");
            assert_eq!(out_of_bounds.0.signum(), seconds.signum());
        }
    }

    #[test]
    fn a_digest_reads_back_from_hex() {
        let hash = blake3::hash(b"x");
        assert_eq!(Digest::from_hex(hash.to_hex().as_str()), Some(Digest::from_hash(&hash)));
        assert_eq!(Digest::from_hex("12"), None);
    }

    #[test]
    fn a_file_changed_just_before_reading_is_racy() {
        let print =
            Fingerprint { mtime: Timestamp(1_000), ctime: Timestamp(5_000), ..Fingerprint::default() };
        assert!(print.is_racy(Timestamp(5_900), 1_000));
        assert!(!print.is_racy(Timestamp(6_100), 1_000));
        let ahead = |mtime| Fingerprint { mtime: Timestamp(mtime), ..print };
        for mtime in [9_000, i64::MAX] {
            assert!(!ahead(mtime).is_racy(Timestamp(6_100), 1_000), "it would be read at each scan");
            assert!(ahead(mtime).is_racy(Timestamp(5_900), 1_000));
            let by_a_server = Fingerprint { ctime: Timestamp(mtime), ..ahead(mtime) };
            assert!(by_a_server.is_racy(Timestamp(6_100), 1_000), "its clock may be ahead");
        }
    }
}
