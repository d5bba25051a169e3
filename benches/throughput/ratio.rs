//! Medians, and ratios pair by pair.

use super::measure::Figures;

/// The median of one figure.
pub(crate) fn median(figures: &[Figures], get: impl Fn(&Figures) -> f64) -> f64 {
    middle(figures.iter().map(get).collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Minimum, median and maximum of the ratios a/b, pair by pair.
pub(crate) fn ratio_line(a: &[Figures], b: &[Figures], get: impl Fn(&Figures) -> f64) -> String {
    let mut ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| get(a) / get(b)).collect();
    ratios.sort_by(f64::total_cmp);
    let ends = (ratios.first().copied().unwrap_or(f64::NAN), ratios.last().copied().unwrap_or(f64::NAN));
    format!("{:.2} ({:.2} to {:.2})", middle(ratios.clone()), ends.0, ends.1)
}
