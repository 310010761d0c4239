//! Values to bins with edges that people can read.
//!
//! Sizes of web pages spread over decades, so they are binned on steps of 1, 1.5, 2, 3, 5, 7, 10; scores lie between 0
//! and 1 and get equal steps.

/// Bins of a score: twentieths, so that every threshold people use is an edge.
const SCORE_BINS: usize = 20;
/// Steps of a decade.
const DECADE: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0];
/// Decades that sizes can span: beyond 10^12 there is no page.
const DECADES: i32 = 12;

/// How values are binned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binning {
    /// Twenty equal bins from 0 to 1.
    Unit,
    /// Steps of a decade, for counts and sizes; from the bin of the least value to that of the greatest.
    Decades,
}

/// Values from `from` up to, and without, `to`; the last bin of [`Binning::Unit`] includes 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) count: u64,
}

/// Counted values and what stands out of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) bins: Vec<Bin>,
    /// Number of values.
    pub(crate) values: u64,
    /// Least value, tenth, half and ninety per cent of the values, greatest value.
    pub(crate) quantiles: [f64; 5],
}

impl Histogram {
    /// A histogram of the values; `None` when there are none. Values that are no numbers are left out.
    pub(crate) fn of(values: &[f32], binning: Binning) -> Option<Self> {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let (least, greatest) = (f64::from(*sorted.first()?), f64::from(*sorted.last()?));
        let edges = match binning {
            Binning::Unit => (0..=SCORE_BINS).map(|step| step as f64 / SCORE_BINS as f64).collect(),
            Binning::Decades => decade_edges(least, greatest),
        };
        let below = |edge: f64| sorted.partition_point(|value| f64::from(*value) < edge);
        // What lies outside belongs to the outer bins.
        let last = edges.len() - 2;
        let bins = edges.windows(2).enumerate().map(|(index, pair)| {
            let start = if index == 0 { 0 } else { below(pair[0]) };
            let end = if index == last { sorted.len() } else { below(pair[1]) };
            Bin { from: pair[0], to: pair[1], count: (end - start) as u64 }
        });
        let at = |part: f64| f64::from(sorted[((sorted.len() - 1) as f64 * part).round() as usize]);
        let quantiles = [0.0, 0.1, 0.5, 0.9, 1.0].map(at);
        Some(Self { bins: bins.collect(), values: sorted.len() as u64, quantiles })
    }

    /// Count of the fullest bin.
    pub(crate) fn peak(&self) -> u64 {
        self.bins.iter().map(|bin| bin.count).max().unwrap_or(0)
    }
}

/// Edges around `least` and `greatest`: 0, 1, 2, 3, 5, 7, 10, 15, … Whole numbers, since what is counted is whole.
fn decade_edges(least: f64, greatest: f64) -> Vec<f64> {
    let steps = (0..DECADES).flat_map(|decade| DECADE.map(|step| step * 10f64.powi(decade)));
    let edges: Vec<f64> = std::iter::once(0.0).chain(steps.filter(|edge| edge.fract() == 0.0)).collect();
    let last_bin = edges.len() - 2;
    let bin_of = |value: f64| edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(last_bin);
    edges[bin_of(least)..=bin_of(greatest) + 1].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f32], binning: Binning, expected: &[(f64, f64, u64)]) {
        let histogram = Histogram::of(values, binning).expect("values");
        let bins: Vec<(f64, f64, u64)> = histogram.bins.iter().map(|bin| (bin.from, bin.to, bin.count)).collect();
        assert_eq!(bins, expected);
        assert_eq!(histogram.bins.iter().map(|bin| bin.count).sum::<u64>(), histogram.values);
    }

    #[test]
    fn sizes_fall_into_readable_steps() {
        check(&[0.0, 0.0, 1.0, 4.0], Binning::Decades, &[(0.0, 1.0, 2), (1.0, 2.0, 1), (2.0, 3.0, 0), (3.0, 5.0, 1)]);
        check(&[700.0, 999.0, 1000.0], Binning::Decades, &[(700.0, 1000.0, 2), (1000.0, 1500.0, 1)]);
        check(&[42.0], Binning::Decades, &[(30.0, 50.0, 1)]);
        check(&[f32::NAN, -3.0], Binning::Decades, &[(0.0, 1.0, 1)]);
        check(&[1e20], Binning::Decades, &[(5e11, 7e11, 1)]);
    }

    #[test]
    fn scores_fall_into_twentieths() {
        let histogram = Histogram::of(&[0.0, 0.05, 0.5, 0.99, 1.0, 1.5], Binning::Unit).expect("values");
        assert_eq!(histogram.bins.len(), SCORE_BINS);
        assert_eq!(histogram.bins[SCORE_BINS - 1].count, 3);
        assert_eq!(histogram.bins.iter().map(|bin| bin.count).sum::<u64>(), 6);
        assert_eq!(histogram.quantiles[0], 0.0);
        assert_eq!(histogram.quantiles[4], 1.5);
    }

    #[test]
    fn nothing_has_no_histogram() {
        assert_eq!(Histogram::of(&[], Binning::Unit), None);
        assert_eq!(Histogram::of(&[f32::NAN], Binning::Decades), None);
    }
}
