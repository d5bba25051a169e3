//! How sizes and durations are written.

use std::time::Duration;

use jiff::fmt::friendly::{Spacing, SpanPrinter};

const KIB: u64 = 1 << 10;
/// Units of sizes. `MB` is 10^6 bytes, `MiB` is 2^20.
pub(crate) const SIZES: [(&str, u64); 9] = [
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
/// Formats a duration so that it can be parsed again.
pub(crate) fn duration_text(duration: Duration) -> String {
    SpanPrinter::new().spacing(Spacing::None).unsigned_duration_to_string(&duration)
}

/// Formats a size in its largest unit without a fraction, in powers of two before powers of ten.
pub(crate) fn size_text(bytes: u64) -> String {
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
