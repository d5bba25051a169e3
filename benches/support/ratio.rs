//! Medians, and ratios pair by pair.

use super::measure::Figures;

/// The median of one figure.
pub(crate) fn median(figures: &[Figures], get: impl Fn(&Figures) -> f64) -> f64 {
    middle(figures.iter().map(get).collect())
}

/// The median of some values.
pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

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
