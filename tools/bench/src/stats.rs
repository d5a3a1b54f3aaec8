//! Medians and the deviation of measurements from them.

use serde::Serialize;

/// A median with its noise.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Median {
    /// The median.
    pub(crate) value: f64,
    /// The median of the absolute deviations from it.
    pub(crate) mad: f64,
}

/// The median of some measurements; 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Median {
    let mut values: Vec<f64> = values.into_iter().collect();
    let value = percentile(&mut values, 0.5);
    let mut deviations: Vec<f64> = values.iter().map(|other| (other - value).abs()).collect();
    Median { value, mad: percentile(&mut deviations, 0.5) }
}

/// A percentile (0 to 1) by nearest rank; sorts the values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank among few values"
)]
pub(crate) fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (part * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// A count as a float, exactly: counts of a benchmark are far below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2⁵³")]
pub(crate) fn lossless(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_an_outlier() {
        let median = median([5.0, 1.0, 3.0, 1_000.0, 4.0]);
        assert!((median.value - 4.0).abs() < 1e-9 && (median.mad - 1.0).abs() < 1e-9, "{median:?}");
        assert!(percentile(&mut [1.0, 2.0, 3.0, 4.0], 0.99) > 3.5);
        assert!(percentile(&mut [], 0.5).abs() < 1e-9);
    }
}
