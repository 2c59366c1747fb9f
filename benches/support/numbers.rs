//! Figures of several runs.

/// The middle one; the lower of two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or(f64::NAN)
}

/// As many digits as a reader compares.
pub(crate) fn rounded(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 1_000.0 => 0,
        medium if medium >= 10.0 => 2,
        _ => 4,
    };
    if value.is_finite() {
        format!("{value:.digits$}")
    } else {
        "null".to_owned()
    }
}
