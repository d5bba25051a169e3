//! Parsing and formatting of durations and sizes with units.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::fmt::friendly::{Spacing, SpanPrinter};

const KIB: u64 = 1 << 10;
/// Units of sizes. `MB` is 10^6 bytes, `MiB` is 2^20.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", KIB),
    ("MiB", KIB * KIB),
    ("GiB", KIB * KIB * KIB),
    ("TiB", KIB * KIB * KIB * KIB),
];

/// Parses a duration such as `250ms`, `30s`, `1h30m`; without a unit only 0 and, if allowed, seconds.
pub(super) fn duration(text: &str, bare_seconds: bool) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let clear = bare_seconds || number == 0.0;
        return Duration::try_from_secs_f64(number).ok().filter(|_| clear);
    }
    Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()
}

/// Formats a duration so that it can be parsed again.
pub(crate) fn duration_text(duration: Duration) -> String {
    SpanPrinter::new().spacing(Spacing::None).unsigned_duration_to_string(&duration)
}

/// Parses a size such as `128MB`, `1.5GiB` or `2G`, which is 2GiB; without a unit only 0. Case is ignored.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = &text[..digits];
    let unit = text[digits..].trim_start();
    let whole: f64 = number.parse().ok()?;
    if unit.is_empty() {
        return (whole == 0.0).then_some(0);
    }
    // A letter alone counts in powers of two, as it does for systemd, containers and `ls -h`.
    let is_of = |name: &str| {
        name.eq_ignore_ascii_case(unit)
            || name.strip_suffix("iB").is_some_and(|letter| letter.eq_ignore_ascii_case(unit))
    };
    let (_, bytes) = SIZES.iter().find(|(name, _)| is_of(name))?;
    match number.parse::<u64>() {
        Ok(number) => number.checked_mul(*bytes),
        Err(_) => Some((whole * *bytes as f64) as u64),
    }
}

/// Formats a size in its largest unit without a fraction, in powers of two before powers of ten.
pub(super) fn size_text(bytes: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| bytes > 0 && bytes.is_multiple_of(*unit);
    let binary = SIZES[5..].iter().rev().find(fits);
    let decimal = SIZES[..5].iter().rev().find(fits);
    let unit = match (binary, decimal) {
        // 1000 MiB stays that, rather than 1048576000 B; 128 MB is no whole number of MiB.
        (Some(binary), Some(decimal)) if binary.1 < decimal.1 => Some(decimal),
        (binary, decimal) => binary.or(decimal),
    };
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// Parses an address. A bare port is reachable from this machine only.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let local = |port: &str| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
    let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    local(port).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_come_back_as_text() {
        for (text, millis, back) in [
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("10m", 600_000, "10m"),
            ("6h", 21_600_000, "6h"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1.5s", 1500, "1s500ms"),
            ("0", 0, "0s"),
        ] {
            let read = duration(text, false).unwrap();
            assert_eq!((read.as_millis(), duration_text(read).as_str()), (millis, back), "{text}");
        }
        for wrong in ["", "5", "-5s", "5 parsecs", "s", "1e400", "NaN", "5s ago"] {
            assert_eq!(duration(wrong, false), None, "{wrong}");
        }
        assert_eq!(duration("0.5", true), Some(Duration::from_millis(500)));
        assert_eq!(duration("-1", true), None);
    }

    #[test]
    fn sizes_have_units_and_come_back_as_text() {
        for (text, bytes, back) in [
            ("128MB", 128_000_000, "128MB"),
            ("1GiB", 1 << 30, "1GiB"),
            ("1000MiB", 1000 << 20, "1000MiB"),
            ("1.5 gib", 3 << 29, "1536MiB"),
            ("7B", 7, "7B"),
            ("2G", 2 << 30, "2GiB"),
            ("1.5m", 3 << 19, "1536KiB"),
            ("64 K", 64 << 10, "64KiB"),
            ("0", 0, "0B"),
        ] {
            let read = size(text).unwrap();
            assert_eq!((read, size_text(read).as_str()), (bytes, back), "{text}");
            assert_eq!(size(back), Some(bytes));
        }
        for wrong in ["", "128", "MB", "1 QB", "2i", "2Q", "-1MB", "1e3MB", "99999999999999TB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
