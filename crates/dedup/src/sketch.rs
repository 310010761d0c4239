//! What a page is, before anything is rendered: its shape, its style, its text.
//!
//! Shape and style are SimHashes: every tag path, class and declaration votes on 64 bits, so that pages of one template
//! differ in few. They say that two pages are *made* alike; only the text says that they *are* alike.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use item::Attributes;

use crate::Hash64;
use crate::scan::{Piece, attribute, pieces};
use crate::text::{FNV_BASIS, TextSketch, add_byte, mix};

/// Attribute: the sketch of the page (base64); see [`PageSketch::attributes`].
pub const PAGE_SKETCH: &str = "page_sketch";

/// How sketches are made; those of different recipes can't be compared.
pub const SKETCH_RECIPE: &str = "tag-paths-4+classes/declarations+digest/minhash-128-words-3";

/// Ancestors in a tag path, the element itself included: a list in a menu is not a list in an article.
const PATH: usize = 4;
/// Deepest nesting that is followed; deeper elements count as if they stood here.
const DEPTH_MAX: usize = 512;
/// Elements that have no end tag.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// The sketch of one page: 284 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageSketch {
    /// Tag paths and class shapes; text ignored.
    pub shape: Hash64,
    /// Declarations of its style sheets.
    pub style: Hash64,
    /// All declarations, those of `style` attributes included: equal only where the whole style is. A style sheet of
    /// thousands of lines outvotes the few that make one page of a kit differ from another.
    pub style_digest: Hash64,
    /// Visible text.
    pub text: TextSketch,
}

impl PageSketch {
    /// The sketch of a page.
    pub fn of(html: &str) -> Self {
        let mut shape = Votes::default();
        let mut style = Votes::default();
        // A sum, so that the order of rules does not matter.
        let mut style_digest = 0u64;
        let mut open: Vec<u64> = Vec::new();
        for piece in pieces(html) {
            match piece {
                Piece::Open { name, attributes } => {
                    let tag = hash_lower(name);
                    if open.len() < DEPTH_MAX {
                        open.push(tag);
                    }
                    let path = open.iter().rev().take(PATH).fold(FNV_BASIS, |all, tag| mix(all ^ tag));
                    shape.add(path);
                    if let Some(declarations) = attribute(attributes, "style") {
                        let place = mix(declarations.bytes().fold(tag, add_byte));
                        style_digest = style_digest.wrapping_add(place);
                    }
                    let classes = attribute(attributes, "class").unwrap_or_default();
                    classes.split_ascii_whitespace().for_each(|class| shape.add(mix(tag ^ class_shape(class))));
                    if VOID.iter().any(|void| name.eq_ignore_ascii_case(void)) {
                        open.pop();
                    }
                }
                Piece::Close { name } => {
                    // An end tag without its beginning closes nothing.
                    let tag = hash_lower(name);
                    if let Some(at) = open.iter().rposition(|&open| open == tag) {
                        open.truncate(at);
                    }
                }
                Piece::Raw { name, content } if name.eq_ignore_ascii_case("style") => {
                    content.split([';', '{', '}']).map(str::trim).filter(|part| !part.is_empty()).for_each(|part| {
                        let declaration = mix(part.bytes().fold(FNV_BASIS, add_byte));
                        style.add(declaration);
                        style_digest = style_digest.wrapping_add(declaration);
                    });
                }
                Piece::Raw { .. } | Piece::Text(_) => {}
            }
        }
        let style_digest = Hash64::new([style_digest]);
        Self { shape: shape.hash(), style: style.hash(), style_digest, text: TextSketch::of_page(html) }
    }

    /// As an attribute of the item, for barriers to read.
    pub fn attributes(&self) -> Attributes {
        Attributes::new().with(PAGE_SKETCH, self.to_text())
    }

    /// Reads back what [`PageSketch::attributes`] wrote.
    pub fn from_attributes(attributes: &Attributes) -> Option<Self> {
        Self::from_text(attributes.text(PAGE_SKETCH)?)
    }

    /// The written form: shape, style, digest of the style, number of words, minima; base64.
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(24 + TextSketch::BYTES);
        bytes.extend(self.shape.words()[0].to_be_bytes());
        bytes.extend(self.style.words()[0].to_be_bytes());
        bytes.extend(self.style_digest.words()[0].to_be_bytes());
        self.text.write(&mut bytes);
        STANDARD.encode(bytes)
    }

    /// Reads [`PageSketch::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self {
            shape: Hash64::from_bytes(bytes.get(..8)?)?,
            style: Hash64::from_bytes(bytes.get(8..16)?)?,
            style_digest: Hash64::from_bytes(bytes.get(16..24)?)?,
            text: TextSketch::read(&bytes[24..])?,
        })
    }
}

fn hash_lower(name: &str) -> u64 {
    name.bytes().map(|byte| byte.to_ascii_lowercase()).fold(FNV_BASIS, add_byte)
}

/// A class without what a build put into its name: parts with digits are left out (`btn-x3f9` counts as `btn`).
fn class_shape(class: &str) -> u64 {
    let parts = class.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.bytes().any(|b| b.is_ascii_digit()));
    parts.fold(FNV_BASIS, |all, part| part.bytes().fold(add_byte(all, b'-'), add_byte))
}

/// Counts votes on each of 64 bits.
#[derive(Debug)]
struct Votes([i32; 64]);

impl Default for Votes {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Votes {
    fn add(&mut self, hash: u64) {
        for (bit, votes) in self.0.iter_mut().enumerate() {
            *votes += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }

    fn hash(&self) -> Hash64 {
        Hash64::new([self
            .0
            .iter()
            .enumerate()
            .filter(|(_, votes)| **votes > 0)
            .fold(0, |all, (bit, _)| all | 1 << bit)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><style>p{color:red;margin:0}h1{font:x}</style><body class='home page-17'>\
        <h1 class=title>One two three</h1><ul><li>four<li>five</ul><p class='btn-a8f2'>six</p><br><p>seven</p>";

    #[test]
    fn text_and_build_names_do_not_change_the_shape() {
        let check = |from: &str, to: &str, shape: bool, style: bool| {
            let (a, b) = (PageSketch::of(PAGE), PageSketch::of(&PAGE.replace(from, to)));
            assert_eq!((a.shape == b.shape, a.style == b.style), (shape, style), "{from} -> {to}");
        };
        check("six", "sixty words and <!-- more -->", true, true);
        check("btn-a8f2", "btn-77c0", true, true);
        check("page-17", "page-2", true, true);
        check("color:red", "color:blue", true, false);
        check("<ul><li>four<li>five</ul>", "<table><tr><td>four<td>five</table>", false, true);
    }

    #[test]
    fn a_sketch_survives_its_text() {
        let sketch = PageSketch::of(PAGE);
        assert_eq!(PageSketch::from_attributes(&sketch.attributes()), Some(sketch));
        assert_eq!(PageSketch::from_text("AAAA"), None);
        assert_eq!(PageSketch::from_text("é"), None);
    }

    #[test]
    fn a_page_of_nothing_has_a_sketch() {
        let sketch = PageSketch::of("");
        assert_eq!((sketch.shape, sketch.text.words()), (Hash64::new([0]), 0));
        PageSketch::of(&"<div>".repeat(10_000));
    }

    /// Stored sketches must not silently stop matching new ones.
    #[test]
    fn sketches_are_golden() {
        let sketch = PageSketch::of(PAGE);
        let digest = item::Digest::of(sketch.to_text().as_bytes()).short();
        assert_eq!(format!("{} {} {digest}", sketch.shape, sketch.style), include_str!("golden_sketch.txt").trim_end());
    }
}
