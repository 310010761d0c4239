//! Test data of benchmarks must not get into training data.
//!
//! A hash list says what a benchmark holds: pictures, pages, domains. Each page of a run is compared with all lists, by
//! domain, text, build, first viewport and whole picture; the first hit is the reason of its rejection. The limits are
//! wider than those of near-duplicates: a page lost to a false alarm costs one row, a leak costs the benchmark.

use std::collections::HashMap;
use std::io::BufRead;

use item::Rule;

use crate::list::{self, HASHLIST_FORMAT, ListError};
use crate::neighbours::{Policy, for_each_pair};
use crate::phash::{Sight, VisualPrint};
use crate::rules::{BENCHMARK_DOM, BENCHMARK_DOMAIN, BENCHMARK_IMAGE, BENCHMARK_TEXT, BENCHMARK_VIEWPORT};
use crate::sketch::PageSketch;
use crate::{Hash64, Hash256};

/// Runs of words shared with a benchmark's page.
const TEXT_SHARE_MIN: f64 = 0.5;
/// Bits of the whole picture's hash; as for near-duplicates.
const WHOLE_BITS_MAX: u32 = 20;
/// Bits of the first viewport's hash; as for near-duplicates. Benchmarks often show no more than it.
const VIEWPORT_BITS_MAX: u32 = 8;
/// How much longer one picture may be, as a share, for both to count as wholes.
const ASPECT_SHARE_MAX: f64 = 0.1;
/// Bits of shape and of style each.
const DOM_BITS_MAX: u32 = 2;

/// What a benchmark holds of one thing.
#[derive(Debug, Clone)]
struct Thing {
    list: usize,
    name: String,
}

/// All lists of a run.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    names: Vec<String>,
    pictures: Vec<(Thing, VisualPrint)>,
    pages: Vec<(Thing, PageSketch)>,
    domains: HashMap<String, Thing>,
}

/// What is compared with the lists; a page has no picture before it is rendered.
#[derive(Debug, Clone, Copy)]
pub struct Suspect<'a> {
    /// Registrable domain.
    pub domain: &'a str,
    /// What the page is.
    pub sketch: Option<&'a PageSketch>,
    /// What it looks like.
    pub sight: Option<&'a Sight>,
}

/// Something of a benchmark was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which way.
    pub rule: Rule,
    /// List and entry, and how near.
    pub detail: String,
}

impl Lists {
    /// Adds a list.
    pub fn read(&mut self, input: impl BufRead) -> Result<(), ListError> {
        let list = self.names.len();
        let header = list::read(input, HASHLIST_FORMAT, |line, entry| {
            let thing = Thing { list, name: entry.name.clone() };
            if let Some(sight) = entry.sight(line)?.filter(|sight| !sight.print.flat) {
                self.pictures.push((thing.clone(), sight.print));
            }
            if let Some(sketch) = entry.sketch(line)? {
                self.pages.push((thing.clone(), sketch));
            }
            if let Some(domain) = entry.domain {
                self.domains.entry(domain).or_insert(thing);
            }
            Ok(())
        })?;
        self.names.push(header.name);
        Ok(())
    }

    /// Whether there is nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty() && self.pages.is_empty() && self.domains.is_empty()
    }

    /// One answer for each suspect.
    pub fn check(&self, suspects: &[Suspect<'_>]) -> Vec<Option<Hit>> {
        let mut hits: Vec<Option<Hit>> = suspects.iter().map(|suspect| self.domain_hit(suspect.domain)).collect();
        self.check_texts(suspects, &mut hits);
        self.check_builds(suspects, &mut hits);
        self.check_pictures(suspects, &mut hits);
        hits
    }

    fn hit(&self, rule: Rule, thing: &Thing, how: &str) -> Hit {
        let separator = if how.is_empty() { "" } else { ", " };
        Hit { rule, detail: format!("`{}` of {}{separator}{how}", thing.name, self.names[thing.list]) }
    }

    fn domain_hit(&self, domain: &str) -> Option<Hit> {
        self.domains.get(domain).map(|thing| self.hit(BENCHMARK_DOMAIN, thing, ""))
    }

    fn check_texts(&self, suspects: &[Suspect<'_>], hits: &mut [Option<Hit>]) {
        let mut by_band: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, (_, page)) in self.pages.iter().enumerate().filter(|(_, (_, page))| page.text.is_telling()) {
            page.text.bands().for_each(|band| by_band.entry(band).or_default().push(index));
        }
        for (suspect, hit) in suspects.iter().zip(hits).filter(|(_, hit)| hit.is_none()) {
            let Some(sketch) = suspect.sketch.filter(|sketch| sketch.text.is_telling()) else { continue };
            let candidates = sketch.text.bands().filter_map(|band| by_band.get(&band)).flatten();
            let best = candidates
                .map(|&index| (sketch.text.similarity(&self.pages[index].1.text), index))
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            if let Some((share, index)) = best.filter(|&(share, _)| share >= TEXT_SHARE_MIN) {
                *hit = Some(self.hit(BENCHMARK_TEXT, &self.pages[index].0, &format!("{share:.2} of the text")));
            }
        }
    }

    fn check_builds(&self, suspects: &[Suspect<'_>], hits: &mut [Option<Hit>]) {
        let listed: Vec<Hash64> = self.pages.iter().map(|(_, page)| page.shape).collect();
        // A page without any style is like every other such page.
        let has_build = |sketch: &PageSketch| sketch.style != Hash64::new([0]) && sketch.shape != Hash64::new([0]);
        let ours: Vec<(usize, &PageSketch)> = open(suspects, hits)
            .filter_map(|index| Some((index, suspects[index].sketch?)))
            .filter(|(_, sketch)| has_build(sketch))
            .collect();
        let shapes: Vec<Hash64> = ours.iter().map(|(_, sketch)| sketch.shape).collect();
        each_match(&listed, &shapes, DOM_BITS_MAX, |entry, own| {
            let ((thing, page), (index, sketch)) = (&self.pages[entry], ours[own]);
            if page.style.distance(&sketch.style) <= DOM_BITS_MAX && has_build(page) {
                better(&mut hits[index], self.hit(BENCHMARK_DOM, thing, ""));
            }
        });
    }

    fn check_pictures(&self, suspects: &[Suspect<'_>], hits: &mut [Option<Hit>]) {
        let listed: Vec<Hash256> = self.pictures.iter().map(|(_, picture)| picture.viewport).collect();
        let ours: Vec<(usize, &VisualPrint)> = open(suspects, hits)
            .filter_map(|index| Some((index, &suspects[index].sight?.print)))
            .filter(|(_, print)| !print.flat)
            .collect();
        let keys: Vec<Hash256> = ours.iter().map(|(_, print)| print.viewport).collect();
        let mut found: Vec<Option<Hit>> = vec![None; suspects.len()];
        each_match(&listed, &keys, VIEWPORT_BITS_MAX, |entry, own| {
            let ((thing, picture), (index, print)) = (&self.pictures[entry], ours[own]);
            better(&mut found[index], self.hit(BENCHMARK_VIEWPORT, thing, ""));
            if is_whole(picture, print) {
                better(&mut found[index], self.hit(BENCHMARK_IMAGE, thing, ""));
            }
        });
        // A picture can be the same as a whole although the first screens were cut at different heights.
        let listed: Vec<Hash256> = self.pictures.iter().map(|(_, picture)| picture.whole).collect();
        let keys: Vec<Hash256> = ours.iter().map(|(_, print)| print.whole).collect();
        each_match(&listed, &keys, WHOLE_BITS_MAX / 2, |entry, own| {
            let ((thing, picture), (index, print)) = (&self.pictures[entry], ours[own]);
            if is_whole(picture, print) {
                better(&mut found[index], self.hit(BENCHMARK_IMAGE, thing, ""));
            }
        });
        for (hit, found) in hits.iter_mut().zip(found) {
            *hit = hit.take().or(found);
        }
    }
}

fn open<'a>(suspects: &'a [Suspect<'_>], hits: &[Option<Hit>]) -> impl Iterator<Item = usize> + use<'a> {
    let open: Vec<usize> = (0..suspects.len()).filter(|&index| hits[index].is_none()).collect();
    open.into_iter()
}

/// Of two hits the one whose text is smaller stands, so that the order of the search does not matter.
fn better(slot: &mut Option<Hit>, hit: Hit) {
    let key = |hit: &Hit| (hit.rule.name, hit.detail.clone());
    if slot.as_ref().is_none_or(|held| key(&hit) < key(held)) {
        *slot = Some(hit);
    }
}

fn is_whole(a: &VisualPrint, b: &VisualPrint) -> bool {
    let aspect = |print: &VisualPrint| f64::from(print.height) / f64::from(print.width.max(1));
    let (low, high) = (aspect(a).min(aspect(b)), aspect(a).max(aspect(b)));
    high - low <= high * ASPECT_SHARE_MAX && a.whole.distance(&b.whole) <= WHOLE_BITS_MAX
}

/// Calls `visit` with the places of each pair of a listed and an own hash within the radius.
fn each_match<const WORDS: usize>(
    listed: &[crate::ImageHash<WORDS>],
    own: &[crate::ImageHash<WORDS>],
    radius: u32,
    mut visit: impl FnMut(usize, usize) + Send,
) {
    if listed.is_empty() {
        return;
    }
    let all = [listed, own].concat();
    for_each_pair(&all, &Policy { fresh: listed.len(), ..Policy::exact(radius) }, |pair| {
        if let Some(own) = pair.b.checked_sub(listed.len()) {
            visit(pair.a, own);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::{Entry, Header, Picture};
    use crate::near::tests::{note, print};

    const PAGE: &str = "<style>p{color:red}</style><main class=a><p>";

    fn words(theme: &str) -> String {
        let word = |n: u8| format!("{theme}{}{}", char::from(b'a' + n / 26), char::from(b'a' + n % 26));
        (0..60).map(word).collect::<Vec<_>>().join(" ")
    }

    fn lists() -> Lists {
        let page = PageSketch::of(&format!("{PAGE}{}", words("q")));
        let picture = note(0, print(0xff, 0xff, 800), &page.text).sight;
        let entries = [
            Entry { name: "1.html".into(), page: Some(page.to_text()), ..Entry::default() },
            Entry { name: "1.png".into(), picture: Some(Picture::from(&picture)), ..Entry::default() },
            Entry { name: "domains.txt".into(), domain: Some("bench.org".into()), ..Entry::default() },
        ];
        let header = serde_json::to_string(&Header::new(HASHLIST_FORMAT, "bench")).expect("plain data");
        let lines = entries.iter().map(|entry| serde_json::to_string(entry).expect("plain data"));
        let text: String = std::iter::once(header).chain(lines).map(|line| line + "\n").collect();
        let mut lists = Lists::default();
        lists.read(text.as_bytes()).expect("own list");
        lists
    }

    #[test]
    fn each_way_of_leaking_has_its_rule() {
        let none = PageSketch::of("");
        let plain = PageSketch::of(&format!("<div><p>{}", words("w")));
        let far = note(0, print(u64::MAX, u64::MAX, 800), &none.text).sight;
        let check = |domain: &str, html: &str, print: VisualPrint, expected: Option<&str>| {
            let (sketch, sight) = (PageSketch::of(html), note(0, print, &none.text).sight);
            let suspects = [
                Suspect { domain, sketch: Some(&sketch), sight: Some(&sight) },
                Suspect { domain: "else.org", sketch: Some(&plain), sight: Some(&far) },
                Suspect { domain: "else.org", sketch: None, sight: None },
            ];
            let hits = lists().check(&suspects);
            assert_eq!(hits[0].as_ref().map(|hit| hit.rule.name), expected, "{hits:?}");
            assert_eq!(hits[1..], [None, None]);
        };
        let unlike = print(u64::MAX, u64::MAX, 800);
        check("bench.org", "", unlike, Some("benchmark-domain"));
        check("a.org", &format!("<h1>{}", words("q")), unlike, Some("benchmark-text"));
        check("a.org", &format!("{PAGE}{}", words("w")), unlike, Some("benchmark-dom"));
        check("a.org", "", print(0xfff, 0xfff, 820), Some("benchmark-image"));
        check("a.org", "", print(0xff, 0xff_ffff_ffff, 800), Some("benchmark-image"));
        check("a.org", "", print(u64::MAX, 0xff, 4000), Some("benchmark-viewport"));
        check("a.org", &format!("<h1>{}", words("e")), unlike, None);
    }

    #[test]
    fn no_list_finds_nothing() {
        assert!(Lists::default().is_empty() && !lists().is_empty());
        assert_eq!(Lists::default().check(&[Suspect { domain: "a.org", sketch: None, sight: None }]), [None]);
    }
}
