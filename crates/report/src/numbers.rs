//! Numbers over all kept rows, gathered in one pass over the light columns.
//!
//! A row leaves a few floats and its id behind, some fifty bytes, so a million rows fit in memory with ease.

use std::collections::BTreeMap;

use dataset::{DatasetError, PageRow};
use item::ItemId;

use crate::histogram::{Binning, Histogram};
use crate::reader::DatasetFiles;

/// Something that is measured on rows and shown as a histogram.
#[derive(Debug)]
pub(crate) struct Measure {
    pub(crate) title: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) binning: Binning,
    get: fn(&PageRow) -> Option<f64>,
}

/// The histograms, in their order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        title: "Score",
        meaning: "Quality by the scorer, 0 to 1, higher is better.",
        binning: Binning::Unit,
        get: |row| row.quality,
    },
    Measure {
        title: "Page height",
        meaning: "Height of the whole document in CSS px.",
        binning: Binning::Decades,
        get: |row| row.page_height.map(|height| height as f64),
    },
    Measure {
        title: "HTML tokens",
        meaning: "Tokens of the HTML without its style sheet.",
        binning: Binning::Decades,
        get: |row| row.tokens.map(|(_, html)| html as f64),
    },
    Measure {
        title: "CSS tokens",
        meaning: "Tokens of the style sheet.",
        binning: Binning::Decades,
        get: |row| row.tokens.map(|(css, _)| css as f64),
    },
    Measure {
        title: "DOM elements",
        meaning: "Number of elements of the document.",
        binning: Binning::Decades,
        get: |row| row.dom_elements.map(|elements| elements as f64),
    },
    Measure {
        title: "HTML bytes",
        meaning: "Bytes of the HTML without its style sheet.",
        binning: Binning::Decades,
        get: |row| row.html_bytes.map(|value| value as f64),
    },
    Measure {
        title: "CSS bytes",
        meaning: "Bytes of the style sheet.",
        binning: Binning::Decades,
        get: |row| row.css_bytes.map(|value| value as f64),
    },
    Measure {
        title: "Text",
        meaning: "Characters of visible text.",
        binning: Binning::Decades,
        get: |row| row.text_chars.map(|value| value as f64),
    },
    Measure {
        title: "Images",
        meaning: "Number of images in the page.",
        binning: Binning::Decades,
        get: |row| row.n_images.map(|value| value as f64),
    },
];

/// How often each word was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn add(&mut self, word: &str) {
        match self.0.get_mut(word) {
            Some(count) => *count += 1,
            None => _ = self.0.insert(word.to_owned(), 1),
        }
    }

    /// Number of different words.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The `most` most frequent words, equals by name, and the count of all others together.
    pub(crate) fn top(&self, most: usize) -> (Vec<(&str, u64)>, u64) {
        let mut words: Vec<(&str, u64)> = self.0.iter().map(|(word, count)| (word.as_str(), *count)).collect();
        words.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: names stay in order
        let others = words.iter().skip(most).map(|(_, count)| count).sum();
        words.truncate(most);
        (words, others)
    }
}

/// A row in the order of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) id: ItemId,
    pub(crate) score: Option<f64>,
}

/// Upper ends of the classes of cluster sizes; what is larger has a class of its own.
const CLUSTER_CLASSES: [(i64, &str); 6] =
    [(1, "alone"), (2, "2 pages"), (3, "3 pages"), (4, "4 pages"), (9, "5 to 9 pages"), (49, "10 to 49 pages")];
const CLUSTER_CLASS_ABOVE: &str = "50 pages and more";

/// Everything that is said of the kept rows together.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) rows: u64,
    pub(crate) ranked: Vec<Ranked>,
    pub(crate) languages: Tally,
    pub(crate) domains: Tally,
    pub(crate) splits: Tally,
    pub(crate) charsets: Tally,
    /// Levels of simplification.
    pub(crate) levels: Tally,
    /// What came of holding pages against their originals, of those that were.
    pub(crate) proofs: Tally,
    pub(crate) chromes: Tally,
    pub(crate) fonts: Tally,
    /// Values by measure.
    values: Vec<Vec<f32>>,
    /// Rows by class of cluster sizes.
    clusters: BTreeMap<usize, u64>,
}

impl Numbers {
    pub(crate) fn collect(files: &DatasetFiles) -> Result<Self, DatasetError> {
        let mut numbers = Self { values: vec![Vec::new(); MEASURES.len()], ..Self::default() };
        files.each_page(|row| numbers.add(&row))?;
        Ok(numbers)
    }

    fn add(&mut self, row: &PageRow) {
        self.rows += 1;
        self.ranked.push(Ranked { id: row.id, score: row.quality });
        self.languages.add(row.lang.as_deref().unwrap_or("unknown"));
        self.domains.add(&row.domain);
        self.splits.add(&row.split);
        self.charsets.add(row.charset.as_deref().unwrap_or("unknown"));
        row.level.iter().for_each(|level| self.levels.add(level));
        row.proof.iter().for_each(|proof| self.proofs.add(proof));
        row.chrome.iter().for_each(|chrome| self.chromes.add(chrome));
        row.fonts.iter().for_each(|fonts| self.fonts.add(fonts));
        if let Some(size) = row.cluster_size {
            *self.clusters.entry(CLUSTER_CLASSES.partition_point(|(most, _)| *most < size)).or_default() += 1;
        }
        for (values, measure) in self.values.iter_mut().zip(MEASURES) {
            values.extend((measure.get)(row).map(|value| value as f32));
        }
    }

    /// The measures that some row has, with their histograms.
    pub(crate) fn histograms(&self) -> impl Iterator<Item = (&'static Measure, Histogram)> {
        let of =
            |(measure, values): (&'static Measure, &Vec<f32>)| Some((measure, Histogram::of(values, measure.binning)?));
        MEASURES.iter().zip(&self.values).filter_map(of)
    }

    /// Rows by the size of their cluster, small clusters first.
    pub(crate) fn clusters(&self) -> Vec<(&'static str, u64)> {
        let name = |class: usize| CLUSTER_CLASSES.get(class).map_or(CLUSTER_CLASS_ABOVE, |(_, name)| *name);
        self.clusters.iter().map(|(class, count)| (name(*class), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_are_ordered_by_name_and_the_rest_is_summed() {
        let mut tally = Tally::default();
        for word in ["de", "en", "ru", "en", "ar"] {
            tally.add(word);
        }
        assert_eq!(tally.top(2), (vec![("en", 2), ("ar", 1)], 2));
        assert_eq!(tally.top(9).1, 0);
        assert_eq!(tally.len(), 4);
    }
}
