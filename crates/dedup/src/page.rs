//! Pages that are made the same, before Chrome sees them.
//!
//! Two pages are near-duplicates here only if nothing can show on the screenshot but a few words: nearly equal shape and
//! text, and the very same style. Whatever differs more is rendered and compared then. Pages of one shape and style with different
//! texts are a *theme*; a theme that floods the crawl is capped like a domain.

use std::collections::HashMap;

use item::ItemId;

use crate::cluster::{Assignment, Contender, Groups};
use crate::{Hash64, PageSketch, neighbours};

/// When two pages count as made the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PagePolicy {
    /// Bits of the shape that may differ.
    pub shape_bits_max: u32,
    /// Bits of the style that may differ within a theme.
    pub style_bits_max: u32,
    /// Runs of words that two near-duplicates share at least. More than 1 finds none.
    pub text_share_min: f64,
}

impl Default for PagePolicy {
    fn default() -> Self {
        // Two designs of one text differ in style; pages of one template in none of the two.
        Self { shape_bits_max: 3, style_bits_max: 2, text_share_min: 0.9 }
    }
}

/// What the decision needs of one item.
#[derive(Debug, Clone, Copy)]
pub struct PageNote {
    /// Identity.
    pub id: ItemId,
    /// What the page is.
    pub sketch: PageSketch,
    /// Which of several to keep: the highest, then the smallest id.
    pub rank: f64,
}

/// Themes and near-duplicates of one set of pages.
#[derive(Debug, Clone)]
pub struct Pages {
    /// One assignment per note: groups of near-duplicates.
    pub duplicates: Vec<Assignment>,
    /// The theme of each note, by the smallest id of its pages.
    pub themes: Vec<ItemId>,
    /// Pairs that were not looked at, because too many pages of one theme share a piece of text.
    pub left_out: u64,
}

/// Groups pages by how they are made.
pub fn assign(notes: &[PageNote], policy: &PagePolicy) -> Pages {
    let mut themes = themes(notes, policy);
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for index in 0..notes.len() {
        members.entry(themes.find(index)).or_default().push(index);
    }
    let mut duplicates = Groups::new(notes.len());
    let mut smallest = vec![None; notes.len()];
    let mut left_out = 0;
    // The order of the map is not fixed, but each theme is grouped apart.
    for members in members.values() {
        let id = members.iter().map(|&index| notes[index].id).min();
        for &index in members {
            smallest[index] = id;
        }
        left_out += join_by_text(notes, members, policy, &mut duplicates);
    }
    let contenders: Vec<_> = notes.iter().map(|note| Contender { id: note.id, score: note.rank }).collect();
    let themes = smallest.into_iter().zip(notes).map(|(id, note)| id.unwrap_or(note.id)).collect();
    Pages { duplicates: duplicates.assign(&contenders), themes, left_out }
}

/// Joins pages of nearly equal shape and style.
fn themes(notes: &[PageNote], policy: &PagePolicy) -> Groups {
    let mut groups = Groups::new(notes.len());
    let mut first_of: HashMap<(Hash64, Hash64), usize> = HashMap::new();
    let mut distinct = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        let first = *first_of.entry((note.sketch.shape, note.sketch.style)).or_insert(index);
        groups.join(first, index);
        if first == index {
            distinct.push(index);
        }
    }
    let shapes: Vec<Hash64> = distinct.iter().map(|&index| notes[index].sketch.shape).collect();
    neighbours::for_each_pair(&shapes, &neighbours::Policy::exact(policy.shape_bits_max), |pair| {
        let (a, b) = (distinct[pair.a], distinct[pair.b]);
        if notes[a].sketch.style.distance(&notes[b].sketch.style) <= policy.style_bits_max {
            groups.join(a, b);
        }
    });
    groups
}

/// Joins pages of one theme that say the same; gives the number of pairs that were left out.
fn join_by_text(notes: &[PageNote], members: &[usize], policy: &PagePolicy, groups: &mut Groups) -> u64 {
    /// Pages of one theme with one band of text that are compared with each other; beyond, each with so many that follow in
    /// the order of their texts.
    const CROWD: usize = 500;
    if members.len() < 2 {
        return 0;
    }
    let mut left_out = 0;
    let telling = members.iter().filter(|&&index| notes[index].sketch.text.is_telling());
    let mut bands: Vec<(u64, usize)> =
        telling.flat_map(|&index| notes[index].sketch.text.bands().map(move |band| (band, index))).collect();
    bands.sort_unstable_by(|a, b| {
        let key = |index: usize| (&notes[index].sketch.text, notes[index].id);
        a.0.cmp(&b.0).then_with(|| key(a.1).cmp(&key(b.1)))
    });
    for run in bands.chunk_by(|a, b| a.0 == b.0) {
        for (place, &(_, a)) in run.iter().enumerate() {
            let behind = &run[place + 1..];
            left_out += behind.len().saturating_sub(CROWD) as u64;
            for &(_, b) in behind.iter().take(CROWD) {
                let is_near = || {
                    let (a, b) = (&notes[a].sketch, &notes[b].sketch);
                    a.shape.distance(&b.shape) <= policy.shape_bits_max
                        && a.style_digest == b.style_digest
                        && a.text.similarity(&b.text) >= policy.text_share_min
                };
                if groups.find(a) != groups.find(b) && is_near() {
                    groups.join(a, b);
                }
            }
        }
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::id;

    fn page(style: &str, class: &str, text: &str, changed: usize) -> PageSketch {
        let word = |n: usize| {
            let mark = if changed > 0 && n.is_multiple_of(changed) { "x" } else { "" };
            format!("{text}{}{}{mark} ", char::from(b'a' + (n / 26) as u8), char::from(b'a' + (n % 26) as u8))
        };
        let words: String = (0..200).map(word).collect();
        PageSketch::of(&format!("<style>{style}</style><main><ul><li>a<li>b</ul><p class={class}>{words}</p></main>"))
    }

    fn check(sketches: &[PageSketch], duplicates: usize, themes: usize) {
        let notes: Vec<_> =
            sketches.iter().zip(0..).map(|(&sketch, n)| PageNote { id: id(n), sketch, rank: 0.0 }).collect();
        let pages = assign(&notes, &PagePolicy::default());
        assert_eq!(pages.duplicates.iter().filter(|page| page.kept).count(), duplicates);
        assert_eq!(pages.themes.iter().collect::<std::collections::BTreeSet<_>>().len(), themes);
    }

    #[test]
    fn duplicates_share_all_three_and_themes_all_but_the_text() {
        let (style, other) = ("p{color:red;margin:0}", "p{float:left}h1{font:serif;top:3px}ul{display:flex}");
        let base = page(style, "a", "q", 0);
        check(&[base, page(style, "a", "q", 100)], 1, 1);
        check(&[base, page(style, "a", "q", 10)], 2, 1);
        check(&[base, page(style, "a", "w", 0)], 2, 1);
        check(&[base, page(other, "a", "q", 0)], 2, 2);
        let (kit, changed): (String, String) = (
            (0..400).map(|n| format!(".k{n}{{margin:{n}px}}")).collect::<Vec<_>>().concat(),
            (0..400).map(|n| format!(".k{n}{{margin:{}px}}", if n == 7 { 99 } else { n })).collect::<Vec<_>>().concat(),
        );
        check(&[page(&kit, "a", "q", 0), page(&changed, "a", "q", 0)], 2, 1);
        check(&[], 0, 0);
    }
}
