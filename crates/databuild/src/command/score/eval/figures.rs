//! How good a ranking is: pairs, areas under curves, ranks, calibration.

use std::collections::BTreeMap;

use dataset::StateRow;
use item::{Digest, ItemId};
use synth::Rng;

/// Resamples of the sites for an interval.
const RESAMPLES: usize = 1_000;
/// Bins of the calibration curve.
const BINS: usize = 10;

/// What is known of a state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) page: ItemId,
    pub(super) site: String,
    pub(super) family: String,
    pub(super) kind: String,
    pub(super) severity: u8,
}

impl Judged {
    pub(super) fn new(row: &StateRow) -> Self {
        let StateRow { page, site, family, kind, severity, .. } = row;
        Self { page: *page, site: site.clone(), family: family.clone(), kind: kind.clone(), severity: *severity }
    }
}

/// A share with its 95 % interval by resampling sites, and what it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) count: usize,
}

/// A bin of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// Mean of the calibrated scores in it.
    pub(super) said: f64,
    /// Share of originals in it.
    pub(super) found: f64,
    pub(super) count: usize,
}

/// How good a ranking is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figures {
    /// Share of pairs of a page and its damaged copy in which the page scores more, by kind and severity.
    pub(super) pairs: BTreeMap<(String, u8), Share>,
    /// The same by severity.
    pub(super) by_severity: BTreeMap<u8, Share>,
    /// The same over all.
    pub(super) all: Share,
    /// Share of pairs within a chain of damage in which less damage scores more.
    pub(super) chains: Share,
    /// Mean over the pages' chains of the rank correlation of score and severity, falling: 1 is perfect.
    pub(super) rank_correlation: f64,
    /// Chance that any original scores more than any non-page, by kind of non-page.
    pub(super) auc: BTreeMap<String, f64>,
    /// The same over all non-pages.
    pub(super) auc_all: f64,
    /// Of the calibrated score, against what it stands for: originals, and non-pages and strongest damage.
    pub(super) calibration: Vec<Bin>,
    /// Mean distance of said and found, by states.
    pub(super) calibration_error: Option<f64>,
}

/// A pair of states of one page: whether the better one scores more; a tie is half.
struct Pair<'a> {
    site: &'a str,
    is_right: f64,
}

impl<'a> Pair<'a> {
    fn new(site: &'a str, better: f64, worse: f64) -> Self {
        let is_right = match better.total_cmp(&worse) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        Self { site, is_right }
    }
}

impl Figures {
    pub(super) fn new(states: &[Judged], scores: &[f64], calibrated: Option<&[f64]>) -> Self {
        let originals: BTreeMap<ItemId, f64> = states
            .iter()
            .zip(scores)
            .filter(|(state, _)| state.family == "original")
            .map(|(state, &score)| (state.page, score))
            .collect();
        let mut pairs: BTreeMap<(String, u8), Vec<Pair<'_>>> = BTreeMap::new();
        for (state, &score) in states.iter().zip(scores).filter(|(state, _)| state.family == "degraded") {
            if let Some(&original) = originals.get(&state.page) {
                pairs.entry((state.kind.clone(), state.severity)).or_default().push(Pair::new(
                    &state.site,
                    original,
                    score,
                ));
            }
        }
        let of_severity = |wanted: u8| {
            pairs.iter().filter(move |((_, severity), _)| *severity == wanted).flat_map(|(_, pairs)| pairs)
        };
        let by_severity = (1..=3).map(|severity| (severity, share(of_severity(severity)))).collect();
        let (chains, rank_correlation) = chains(states, scores, &originals);
        let (auc, auc_all) = areas(states, scores);
        let calibration = calibrated.map(|calibrated| bins(states, calibrated)).unwrap_or_default();
        Self {
            by_severity,
            all: share(pairs.values().flatten()),
            chains,
            rank_correlation,
            auc,
            auc_all,
            calibration_error: calibrated.map(|_| calibration_error(&calibration)),
            calibration,
            pairs: pairs.into_iter().map(|(key, pairs)| (key, share(pairs.iter()))).collect(),
        }
    }
}

/// Figures of a number that nobody says which way is good: the way that ranks more pairs right.
pub(super) fn either_way(states: &[Judged], values: &[f64]) -> Figures {
    let more = Figures::new(states, values, None);
    let less = Figures::new(states, &values.iter().map(|value| -value).collect::<Vec<_>>(), None);
    if more.all.value >= less.all.value { more } else { less }
}

fn share<'a>(pairs: impl Iterator<Item = &'a Pair<'a>>) -> Share {
    let mut by_site: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for Pair { site, is_right } in pairs {
        let (right, count) = by_site.entry(site).or_default();
        *right += is_right;
        *count += 1;
    }
    let sites: Vec<(f64, usize)> = by_site.into_values().collect();
    let of = |sites: &mut dyn Iterator<Item = (f64, usize)>| {
        let (right, count) = sites.fold((0.0, 0), |(right, count), (r, c)| (right + r, count + c));
        right / count as f64
    };
    let mut rng = Rng::new(&Digest::of(b"resample sites"));
    let mut values: Vec<f64> =
        (0..RESAMPLES).map(|_| of(&mut (0..sites.len()).map(|_| sites[rng.below(sites.len())]))).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((RESAMPLES - 1) as f64 * share).round() as usize];
    Share {
        value: of(&mut sites.iter().copied()),
        low: at(0.025),
        high: at(0.975),
        count: sites.iter().map(|(_, count)| count).sum(),
    }
}

/// A page's site, and the severities and scores of one kind of damage to it.
type Chain<'a> = (&'a str, Vec<(u8, f64)>);

/// The chains of damage, each with the page itself at its head.
fn chains(states: &[Judged], scores: &[f64], originals: &BTreeMap<ItemId, f64>) -> (Share, f64) {
    let mut chains: BTreeMap<(ItemId, &str), Chain<'_>> = BTreeMap::new();
    for (state, &score) in states.iter().zip(scores).filter(|(state, _)| state.family == "degraded") {
        let chain = chains.entry((state.page, &state.kind)).or_insert_with(|| {
            (&state.site, originals.get(&state.page).map(|&score| (0, score)).into_iter().collect())
        });
        chain.1.push((state.severity, score));
    }
    let mut pairs = Vec::new();
    let mut correlations = Vec::new();
    for (site, chain) in chains.values() {
        for (place, (severity, score)) in chain.iter().enumerate() {
            for (other, worse) in &chain[place + 1..] {
                let (better, worse) = if severity < other { (*score, *worse) } else { (*worse, *score) };
                pairs.push(Pair::new(site, better, worse));
            }
        }
        if chain.len() >= 3 {
            let (severities, scores): (Vec<f64>, Vec<f64>) =
                chain.iter().map(|&(severity, score)| (-f64::from(severity), score)).unzip();
            correlations.push(correlation(&ranks(&severities), &ranks(&scores)));
        }
    }
    let mean = correlations.iter().sum::<f64>() / correlations.len() as f64;
    (share(pairs.iter()), mean)
}

/// Ranks from 1; equal values have the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| other.total_cmp(value).is_lt()).count();
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        (equal as f64 + 1.0).mul_add(0.5, below as f64)
    };
    values.iter().map(rank).collect()
}

/// Pearson's correlation; of ranks it is Spearman's. 0 where one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let square = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let lengths = (square(a, mean_a) * square(b, mean_b)).sqrt();
    if lengths == 0.0 { 0.0 } else { product / lengths }
}

fn areas(states: &[Judged], scores: &[f64]) -> (BTreeMap<String, f64>, f64) {
    let of = |family: &str| -> Vec<(&Judged, f64)> {
        states.iter().zip(scores.iter().copied()).filter(|(state, _)| state.family == family).collect()
    };
    let good: Vec<f64> = of("original").into_iter().map(|(_, score)| score).collect();
    let mut bad: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (state, score) in of("negative") {
        bad.entry(state.kind.clone()).or_default().push(score);
    }
    let all: Vec<f64> = bad.values().flatten().copied().collect();
    (bad.into_iter().map(|(kind, bad)| (kind, area(&good, &bad))).collect(), area(&good, &all))
}

/// Area under the curve of receiver operating characteristic: the chance that a good one scores more than a bad one.
fn area(good: &[f64], bad: &[f64]) -> f64 {
    let mut sorted = bad.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins = |score: &f64| {
        let below = sorted.partition_point(|other| other.total_cmp(score).is_lt()) as f64;
        let not_above = sorted.partition_point(|other| other.total_cmp(score).is_le()) as f64;
        f64::midpoint(below, not_above)
    };
    good.iter().map(wins).sum::<f64>() / (good.len() as f64 * bad.len() as f64)
}

/// What the calibrated score stands for is whether a state is an original, among originals, non-pages and strongest damage.
fn bins(states: &[Judged], calibrated: &[f64]) -> Vec<Bin> {
    let mut sums = [(0.0, 0.0, 0_usize); BINS];
    for (state, &said) in states.iter().zip(calibrated) {
        let is_good = state.family == "original";
        if !is_good && state.severity < 3 {
            continue;
        }
        let (sum, good, count) = &mut sums[((said * BINS as f64) as usize).min(BINS - 1)];
        *sum += said;
        *good += f64::from(u8::from(is_good));
        *count += 1;
    }
    let bin =
        |&(sum, good, count): &(f64, f64, usize)| Bin { said: sum / count as f64, found: good / count as f64, count };
    sums.iter().filter(|(_, _, count)| *count > 0).map(bin).collect()
}

fn calibration_error(bins: &[Bin]) -> f64 {
    let count: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(|bin| (bin.said - bin.found).abs() * bin.count as f64).sum::<f64>() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(page: u8, family: &str, kind: &str, severity: u8) -> Judged {
        let site = format!("site-{page}.example");
        Judged { page: ItemId::from_bytes([page; 16]), site, family: family.into(), kind: kind.into(), severity }
    }

    /// A page with one chain and one non-page, and the scores of original, severities 1 to 3, non-page.
    fn pages(scores: &[[f64; 5]]) -> (Vec<Judged>, Vec<f64>) {
        let of = |page: u8| {
            let damage = |severity| state(page, "degraded", "pos.offset", severity);
            [
                state(page, "original", "original", 0),
                damage(1),
                damage(2),
                damage(3),
                state(page, "negative", "blank", 3),
            ]
        };
        ((0..scores.len()).flat_map(|page| of(page as u8)).collect(), scores.iter().flatten().copied().collect())
    }

    #[test]
    fn a_perfect_ranking_is_perfect() {
        let (states, scores) = pages(&[[0.9, 0.6, 0.4, 0.2, 0.0], [0.8, 0.7, 0.4, 0.1, 0.1]]);
        let figures = Figures::new(&states, &scores, Some(&scores));
        assert_eq!((figures.all.value, figures.chains.value, figures.auc_all), (1.0, 1.0, 1.0));
        assert!((figures.rank_correlation - 1.0).abs() < 1e-9);
        assert_eq!((figures.all.low, figures.all.high, figures.all.count), (1.0, 1.0, 6));
        assert_eq!(figures.by_severity[&3].count, 2);
    }

    #[test]
    fn what_is_wrong_counts() {
        let (states, scores) = pages(&[[0.5, 0.6, 0.4, 0.5, 0.7], [0.8, 0.7, 0.4, 0.1, 0.6]]);
        let figures = Figures::new(&states, &scores, None);
        assert!((figures.all.value - 4.5 / 6.0).abs() < 1e-9, "{:?}", figures.all);
        assert_eq!(figures.by_severity[&1].value, 0.5);
        assert_eq!(figures.auc["blank"], 0.5);
        assert!(figures.all.low < figures.all.high);
        assert!(figures.rank_correlation < 1.0 && figures.calibration_error.is_none());
    }

    #[test]
    fn a_number_is_good_one_way_or_the_other() {
        let (states, scores) = pages(&[[0.1, 0.2, 0.3, 0.4, 0.5]]);
        assert_eq!(either_way(&states, &scores).all.value, 1.0);
    }

    #[test]
    fn calibration_compares_said_and_found() {
        let states =
            [state(0, "original", "original", 0), state(1, "negative", "blank", 3), state(2, "degraded", "x", 1)];
        let check = |said: [f64; 3], expected: f64| {
            let error = calibration_error(&bins(&states, &said));
            assert!((error - expected).abs() < 1e-9, "{said:?}: {error}");
        };
        check([1.0, 0.0, 0.5], 0.0); // mild damage has no side
        check([0.9, 0.1, 0.0], 0.1);
        check([0.55, 0.55, 0.0], 0.05);
    }

    #[test]
    fn ranks_and_areas() {
        assert_eq!(ranks(&[3.0, 1.0, 1.0]), [3.0, 1.5, 1.5]);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        assert_eq!(area(&[1.0, 2.0], &[0.0, 1.0]), 3.5 / 4.0);
    }
}
