//! Parsing and formatting of durations and sizes with units.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::model::rules::units::SIZES;
pub(crate) use crate::model::rules::units::duration_text;
pub(super) use crate::model::rules::units::size_text;

/// Parses a duration such as `250ms`, `30s`, `1h30m`, `7d`; without a unit only 0 and, if allowed, seconds.
pub(super) fn duration(text: &str, bare_seconds: bool) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let clear = bare_seconds || number == 0.0;
        return Duration::try_from_secs_f64(number).ok().filter(|_| clear);
    }
    let span = text.parse::<jiff::Span>().ok()?.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    Duration::try_from(span.ok()?).ok()
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
            ("2d 1h", 176_400_000, "49h"),
            ("1w", 604_800_000, "168h"),
            ("0", 0, "0s"),
        ] {
            let read = duration(text, false).unwrap();
            assert_eq!((read.as_millis(), duration_text(read).as_str()), (millis, back), "{text}");
        }
        for wrong in ["", "5", "-5s", "5 parsecs", "s", "1e400", "NaN", "5s ago", "1mo"] {
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
