//! Screenshots of the same page.
//!
//! In two steps. Hashes and bands of the text's sketch give **candidates**: pages that may be the same, among them every
//! theme with other content. Then each candidate pair is **verified**: pages with text have to say the same and look the
//! same when their rows are aligned, so that a cookie bar joins and another article in the same frame does not; pages
//! with hardly any text have to look the same in all ways. Clusters are the connected components of verified pairs.
//!
//! Flat pictures have hashes that mean nothing and stay alone.

use std::collections::HashMap;

use item::ItemId;

use crate::cluster::{Assignment, Contender, Groups};
use crate::phash::{Sight, VisualPrint};
use crate::text::TextSketch;
use crate::{ImageHash, neighbours};

/// How many times as many bits of the whole page's hash may differ where the text says that it is the same page.
const MOVED_BITS_FACTOR: u32 = 2;

/// When two screenshots count as the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearPolicy {
    /// Bits of the whole page's hash that may differ, in candidates and where there is no text to go by; twice as many where
    /// there is.
    pub whole_bits_max: u32,
    /// Bits of the first viewport's hash that may differ, as above.
    pub viewport_bits_max: u32,
    /// How much taller one page may be than the other, as a share of the taller one, where there is no text.
    pub height_share_max: f64,
    /// Runs of words that two pages have to share. 0 asks for pages that look alike whatever they say.
    pub text_share_min: f64,
    /// Rows of the screenshots that have to be the same.
    pub look_share_min: f64,
}

impl Default for NearPolicy {
    fn default() -> Self {
        // Measured in docs/decisions/0005-perceptual-hash.md.
        Self {
            whole_bits_max: 20,
            viewport_bits_max: 8,
            height_share_max: 0.05,
            text_share_min: 0.65,
            look_share_min: 0.78,
        }
    }
}

/// How alike two screenshots are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Bits of the whole page's hash that differ.
    pub whole_bits: u32,
    /// Bits of the first viewport's hash that differ.
    pub viewport_bits: u32,
    /// How much taller one page is, as a share of the taller one.
    pub height_share: f64,
    /// Runs of words shared; `None` when a page has hardly any.
    pub text_share: Option<f64>,
    /// Rows that are the same when aligned.
    pub look_share: f64,
}

impl NearPolicy {
    /// Whether the two are the same page.
    pub fn is_near(&self, a: &NearNote, b: &NearNote) -> bool {
        if !can_compare(a, b) {
            return false;
        }
        // The dear part comes last.
        let texts_agree = || a.text.similarity(&b.text) >= self.text_share_min;
        // However well rows can be aligned: a bar moves some 45 bits of the first viewport and 30 of the whole, another
        // design of the same text 50 and more.
        let hashes_agree = || a.sight.print.whole.distance(&b.sight.print.whole) <= self.moved_bits_max();
        let looks_agree = || a.sight.look.similarity(&b.sight.look) >= self.look_share_min;
        match (self.text_share_min > 0.0, a.text.is_telling(), b.text.is_telling()) {
            (true, true, true) => hashes_agree() && texts_agree() && looks_agree(),
            (true, false, false) | (false, ..) => self.is_alike(&a.sight.print, &b.sight.print) && looks_agree(),
            // One has a text and the other has none.
            _ => false,
        }
    }

    /// Bits of the whole page's hash that may differ where the text says that it is the same page.
    pub fn moved_bits_max(&self) -> u32 {
        self.whole_bits_max.saturating_mul(MOVED_BITS_FACTOR)
    }

    /// Whether hashes and heights agree.
    pub fn is_alike(&self, a: &VisualPrint, b: &VisualPrint) -> bool {
        height_share(a, b) <= self.height_share_max
            && a.whole.distance(&b.whole) <= self.whole_bits_max
            && a.viewport.distance(&b.viewport) <= self.viewport_bits_max
    }
}

fn can_compare(a: &NearNote, b: &NearNote) -> bool {
    !a.sight.print.flat && !b.sight.print.flat && a.sight.print.width == b.sight.print.width
}

fn height_share(a: &VisualPrint, b: &VisualPrint) -> f64 {
    let (low, high) = (f64::from(a.height.min(b.height)), f64::from(a.height.max(b.height)));
    (high - low) / high.max(1.0)
}

/// What the decision needs of one item; some 1.2 KB.
#[derive(Debug, Clone)]
pub struct NearNote {
    /// Identity.
    pub id: ItemId,
    /// What it looks like.
    pub sight: Sight,
    /// What it says.
    pub text: TextSketch,
    /// Which of a cluster to keep: the highest, then the smallest id.
    pub score: f64,
    /// Pages that it stands for, itself included; they count as members of its cluster.
    pub copies: usize,
    /// It is in the dataset already: it stays, and what is like it goes.
    pub published: bool,
}

impl NearNote {
    /// How alike the two are; `None` when they can't be compared (a flat picture, other widths).
    pub fn likeness(&self, other: &Self) -> Option<Likeness> {
        let (a, b) = (&self.sight.print, &other.sight.print);
        let has_text = self.text.is_telling() && other.text.is_telling();
        can_compare(self, other).then(|| Likeness {
            whole_bits: a.whole.distance(&b.whole),
            viewport_bits: a.viewport.distance(&b.viewport),
            height_share: height_share(a, b),
            text_share: has_text.then(|| self.text.similarity(&other.text)),
            look_share: self.sight.look.similarity(&other.sight.look),
        })
    }
}

/// What clustering did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NearReport {
    /// Pairs that may be the same.
    pub candidates: u64,
    /// Pairs that are.
    pub verified: u64,
    /// Candidates that were not looked at, because too many pages share a piece of text.
    pub left_out: u64,
}

/// One assignment per note.
pub fn assign(notes: &[NearNote], policy: &NearPolicy) -> (Vec<Assignment>, NearReport) {
    let mut groups = Groups::new(notes.len());
    let distinct = collapse(notes, &mut groups);
    let mut report = NearReport::default();
    let left_out = for_each_candidate(notes, &distinct, policy, &mut |a, b| {
        // Only components count, so what is joined already needs no look.
        if groups.find(a) == groups.find(b) {
            return;
        }
        report.candidates += 1;
        if policy.is_near(&notes[a], &notes[b]) {
            report.verified += 1;
            groups.join(a, b);
        }
    });
    report.left_out = left_out;
    let mut members = vec![0; notes.len()];
    notes.iter().enumerate().for_each(|(index, note)| members[groups.find(index)] += note.copies);
    let sizes: Vec<usize> = (0..notes.len()).map(|index| members[groups.find(index)]).collect();
    // What is published goes before everything that is not.
    let score = |note: &NearNote| if note.published { f64::INFINITY } else { note.score };
    let contenders: Vec<_> = notes.iter().map(|note| Contender { id: note.id, score: score(note) }).collect();
    let mut assignments = groups.assign(&contenders);
    assignments.iter_mut().zip(sizes).for_each(|(assignment, size)| assignment.size = size);
    for (assignment, note) in assignments.iter_mut().zip(notes).filter(|(_, note)| note.published) {
        assignment.representative = note.id;
        assignment.kept = true;
    }
    (assignments, report)
}

/// Joins notes that are the same in everything, so that a page with ten thousand copies does not make fifty million
/// pairs; gives the first of each, what is not published first.
fn collapse(notes: &[NearNote], groups: &mut Groups) -> Vec<usize> {
    let mut first_of: HashMap<(&Sight, &TextSketch), usize> = HashMap::new();
    let mut order: Vec<usize> = (0..notes.len()).filter(|&index| !notes[index].sight.print.flat).collect();
    order.sort_by_key(|&index| notes[index].published);
    order.retain(|&index| {
        let first = *first_of.entry((&notes[index].sight, &notes[index].text)).or_insert(index);
        groups.join(first, index);
        first == index
    });
    order
}

/// Calls `visit` with pairs that may be the same, at least one of them not published; a pair may come more than once.
/// Gives the number of pairs that were left out.
pub fn for_each_candidate(
    notes: &[NearNote],
    distinct: &[usize],
    policy: &NearPolicy,
    visit: &mut (dyn FnMut(usize, usize) + Send),
) -> u64 {
    let fresh = distinct.iter().filter(|&&index| !notes[index].published).count();
    let mut by_hash = |radius: u32, key: fn(&VisualPrint) -> ImageHash<4>| {
        let keys: Vec<ImageHash<4>> = distinct.iter().map(|&index| key(&notes[index].sight.print)).collect();
        let search = neighbours::Policy { fresh, ..neighbours::Policy::exact(radius) };
        neighbours::for_each_pair(&keys, &search, |pair| visit(distinct[pair.a], distinct[pair.b]));
    };
    // Without text both radii have to hold, so the search may go by the hash with the smaller one: fewer candidates.
    if policy.viewport_bits_max < policy.whole_bits_max {
        by_hash(policy.viewport_bits_max, |print| print.viewport);
    } else {
        by_hash(policy.whole_bits_max, |print| print.whole);
    }
    if policy.text_share_min > 0.0 { by_text(notes, distinct, visit) } else { 0 }
}

/// Pairs that share a band of their texts.
fn by_text(notes: &[NearNote], distinct: &[usize], visit: &mut (dyn FnMut(usize, usize) + Send)) -> u64 {
    /// Notes with one band that are compared with each other; beyond, each with so many that follow in the order of their
    /// texts. What is the same page shares other bands, too.
    const CROWD: usize = 500;
    let mut bands: Vec<(u64, usize)> = distinct
        .iter()
        .filter(|&&index| notes[index].text.is_telling())
        .flat_map(|&index| notes[index].text.bands().map(move |band| (band, index)))
        .collect();
    // By text within a band, then by id: an order that arrival can't change.
    bands.sort_unstable_by(|a, b| {
        let key = |index: usize| (&notes[index].text, notes[index].id);
        a.0.cmp(&b.0).then_with(|| key(a.1).cmp(&key(b.1)))
    });
    let mut left_out = 0;
    for run in bands.chunk_by(|a, b| a.0 == b.0) {
        for (place, &(_, a)) in run.iter().enumerate() {
            let behind = &run[place + 1..];
            left_out += behind.len().saturating_sub(CROWD) as u64;
            for &(_, b) in behind.iter().take(CROWD) {
                if !(notes[a].published && notes[b].published) {
                    visit(a, b);
                }
            }
        }
    }
    left_out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cluster::tests::id;
    use crate::{Hash256, Look};
    use proptest::prelude::*;

    pub(crate) fn print(whole: u64, viewport: u64, height: u32) -> VisualPrint {
        VisualPrint {
            whole: Hash256::new([whole, 0, 0, 0]),
            viewport: Hash256::new([viewport, 0, 0, 0]),
            flat: false,
            width: 1280,
            height,
        }
    }

    /// A text of 100 words: `theme` names them, every `step`-th is another one.
    pub(crate) fn text(theme: &str, step: usize) -> TextSketch {
        let word = |n: usize| {
            let other = if step > 0 && n.is_multiple_of(step) { "x" } else { "" };
            format!("{theme}{}{}{other} ", char::from(b'a' + (n / 26) as u8), char::from(b'a' + (n % 26) as u8))
        };
        let words: Vec<String> = (0..100).map(word).collect();
        TextSketch::of_texts(words.iter().map(String::as_str))
    }

    pub(crate) fn note(number: u64, print: VisualPrint, text: &TextSketch) -> NearNote {
        let look = Look::of_luma(&[200; 32 * 32], 32, 32);
        NearNote { id: id(number), sight: Sight { print, look }, text: *text, score: 0.5, copies: 1, published: false }
    }

    fn check(a: &NearNote, b: &NearNote, expected: bool) {
        let policy = NearPolicy::default();
        assert_eq!(policy.is_near(a, b), expected, "{:?} {:?}", a.sight.print, b.sight.print);
        assert_eq!(policy.is_near(b, a), expected);
        let sizes: Vec<_> = assign(&[a.clone(), b.clone()], &policy).0.iter().map(|a| a.size).collect();
        assert_eq!(sizes, if expected { [2, 2] } else { [1, 1] });
    }

    #[test]
    fn without_text_near_means_near_in_all_ways() {
        let none = TextSketch::of_texts(std::iter::empty());
        let base = note(0, print(0, 0, 1000), &none);
        let against = |print: VisualPrint, expected: bool| check(&base, &note(1, print, &none), expected);
        against(base.sight.print, true);
        against(print(0xf_ffff, 0xff, 1050), true);
        against(print(0x1f_ffff, 0, 1000), false);
        against(print(0, 0x1ff, 1000), false);
        against(print(0, 0, 1200), false);
        against(VisualPrint { width: 390, ..base.sight.print }, false);
        against(VisualPrint { flat: true, ..base.sight.print }, false);
        check(&base, &note(1, base.sight.print, &text("q", 0)), false);
    }

    #[test]
    fn with_text_the_same_words_join_and_other_words_part() {
        let base = note(0, print(0, 0, 1000), &text("q", 0));
        // A bar that covers the first viewport: far by hash, the same by text.
        check(&base, &note(1, print(0xff_ffff_ffff, u64::MAX, 1040), &text("q", 50)), true);
        check(&base, &note(1, print(u64::MAX, u64::MAX, 1040), &text("q", 50)), false);
        // A theme with another article: the same by hash, another text.
        check(&base, &note(1, print(0, 0, 1000), &text("w", 0)), false);
        // One text in two designs.
        let mut other = note(1, print(0, 0, 1000), &text("q", 0));
        other.sight.look = Look::of_luma(&[20; 32 * 32], 32, 32);
        check(&base, &other, false);
    }

    #[test]
    fn asked_for_looks_alone_themes_join() {
        let policy = NearPolicy { text_share_min: 0.0, ..NearPolicy::default() };
        let notes = [note(0, print(0, 0, 1000), &text("q", 0)), note(1, print(3, 0, 1000), &text("w", 0))];
        assert!(assign(&notes, &policy).0.iter().all(|assignment| assignment.size == 2));
    }

    #[test]
    fn clusters_chain_and_flat_pictures_stay_alone() {
        let none = TextSketch::of_texts(std::iter::empty());
        let flat = VisualPrint { flat: true, ..print(0, 0, 1000) };
        let prints = [print(0, 0, 1000), print(0xf_ffff, 0, 1000), print(0xff_ffff_ffff, 0, 1000), flat, flat];
        let mut notes: Vec<_> = prints.iter().zip(0..).map(|(&print, n)| note(n, print, &none)).collect();
        notes.iter_mut().zip(0u8..).for_each(|(note, n)| note.score = f64::from(n));
        let sizes: Vec<_> = assign(&notes, &NearPolicy::default()).0.iter().map(|a| (a.size, a.kept)).collect();
        assert_eq!(sizes, [(3, false), (3, false), (3, true), (1, true), (1, true)]);
    }

    #[test]
    fn many_copies_are_one_cluster() {
        let notes: Vec<_> = (0..20_000).map(|n| note(n, print(7, 7, 900), &text("q", 0))).collect();
        let (assignments, report) = assign(&notes, &NearPolicy::default());
        assert!(assignments.iter().all(|a| a.size == 20_000));
        assert_eq!(assignments.iter().filter(|a| a.kept).count(), 1);
        assert_eq!(report.candidates, 0);
    }

    #[test]
    fn a_cluster_counts_the_pages_that_its_members_stand_for() {
        let mut notes = [note(0, print(0, 0, 1000), &text("q", 0)), note(1, print(0, 0, 1000), &text("q", 50))];
        notes[0].copies = 5;
        assert!(assign(&notes, &NearPolicy::default()).0.iter().all(|assignment| assignment.size == 6));
    }

    #[test]
    fn what_is_published_stays_and_its_likes_go() {
        let mut notes = vec![
            note(0, print(0, 0, 1000), &text("q", 0)),
            note(1, print(0, 0, 1000), &text("q", 50)),
            note(2, print(0, 0, 1000), &text("q", 33)),
            note(3, print(0, 0, 1000), &text("w", 0)),
        ];
        notes[0].score = 0.9;
        notes[1].published = true;
        notes[2].published = true;
        let (assignments, _) = assign(&notes, &NearPolicy::default());
        let kept: Vec<_> = assignments.iter().map(|a| a.kept).collect();
        assert_eq!(kept, [false, true, true, true]);
        assert_eq!(assignments[1].representative, id(1));
        assert_eq!(assignments[0].representative, id(1).min(id(2)));
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            rows in proptest::collection::vec((0u64..6, 0u64..4, 0usize..4, any::<bool>()), 1..40),
            turn in 0usize..40,
        ) {
            let themes = ["a", "b", "c", "d"];
            let notes: Vec<NearNote> = rows.iter().zip(0..).map(|(&(bits, bar, words, published), n)| {
                let mut note = note(n, print((1 << bits) - 1, (1 << (bar * 3)) - 1, 1000), &text(themes[words], 20 * bar as usize));
                note.published = published;
                note
            }).collect();
            let straight = assign(&notes, &NearPolicy::default());
            let mut turned = notes.clone();
            turned.rotate_left(turn % notes.len());
            turned.reverse();
            let (mut assignments, _) = assign(&turned, &NearPolicy::default());
            assignments.reverse();
            assignments.rotate_right(turn % notes.len());
            prop_assert_eq!(assignments, straight.0);
        }
    }
}
