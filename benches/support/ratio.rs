//! Medians, and ratios pair by pair.

use super::measure::Figures;
use super::measure::middle;

/// Median, minimum and maximum of the ratios a/b, pair by pair.
pub(crate) fn ratio_line(a: &[Figures], b: &[Figures], get: impl Fn(&Figures) -> f64) -> String {
    spread(a.iter().zip(b).map(|(a, b)| get(a) / get(b)).collect())
}

/// Median, minimum and maximum.
pub(crate) fn spread(values: Vec<f64>) -> String {
    let ends = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (value.min(low), value.max(high)));
    format!("{:.2} ({:.2} to {:.2})", middle(values), ends.0, ends.1)
}
