//! Mutations of a page: what can be done to it, where, how strongly, and how one says it.
//!
//! One file an operator, with its test. An operator finds its sites on a page and changes the text at one of them; the patch
//! has an exact inverse. Most operators make a page that is as good as before: they make edits. Those that break a
//! [`Principle`] of design make drafts to polish, and bad examples for a scorer.

mod kit;
mod recolor;

use std::fmt;

use item::Rect;

use crate::edit::{Change, Page, Patch, Say};
use crate::rng::Rng;

/// What an edit does, for balancing and for columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something is put in.
    Add,
    /// Something is taken out.
    Remove,
    /// Something goes elsewhere.
    Move,
    /// Something looks different.
    Restyle,
    /// Something says something else.
    Text,
    /// Elements are arranged in another way.
    Layout,
    /// The look of the whole page.
    Theme,
    /// A rule for some widths of the viewport.
    Responsive,
    /// One thing in the place of another.
    Swap,
}

impl Kind {
    /// The kebab-case name, as in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Move => "move",
            Self::Restyle => "restyle",
            Self::Text => "text",
            Self::Layout => "layout",
            Self::Theme => "theme",
            Self::Responsive => "responsive",
            Self::Swap => "swap",
        }
    }
}

/// A principle of design that an operator breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principle {
    /// Text stands out from what is behind it.
    Contrast,
    /// Edges stand in lines.
    Alignment,
    /// Distances are even and large enough.
    Spacing,
    /// Sizes say what is important.
    Hierarchy,
    /// Colours belong together.
    Color,
    /// Content fits into its box.
    Overflow,
    /// Nothing lies upon another.
    Overlap,
    /// Elements have a style.
    Styling,
    /// Pictures have their proportions.
    Proportion,
}

impl Principle {
    /// The kebab-case name, as in columns and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contrast => "contrast",
            Self::Alignment => "alignment",
            Self::Spacing => "spacing",
            Self::Hierarchy => "hierarchy",
            Self::Color => "color",
            Self::Overflow => "overflow",
            Self::Overlap => "overlap",
            Self::Styling => "styling",
            Self::Proportion => "proportion",
        }
    }
}

/// Elements that an operator can work on together, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The elements, in document order.
    pub nodes: Vec<usize>,
    /// Words that fit them alone, such as `the button “Sign up”`.
    pub words: String,
}

/// Which part of the picture may change.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    /// The boxes of some elements, and that many px around them.
    Boxes(Vec<usize>, f32),
    /// From the top of an element's parent down: what stands below may shift.
    Below(usize),
    /// The whole page.
    Page,
}

impl Region {
    /// The box that may change in CSS px of the page before; `None` for the whole page.
    pub fn shown_box(&self, page: &Page<'_>) -> Option<Rect> {
        let (width, height) = page.size();
        match self {
            Self::Page => None,
            Self::Below(node) => {
                let top = page.rect(page.parent(*node).unwrap_or(*node)).y.min(page.rect(*node).y);
                let top = (top - 2.0).max(0.0);
                Some(Rect { x: 0.0, y: top, width, height: (height - top).max(0.0) })
            }
            Self::Boxes(nodes, margin) => {
                let rects = nodes.iter().map(|&node| page.rect(node));
                let edges = rects.map(|r| (r.x, r.y, r.x + r.width, r.y + r.height));
                let (left, top, right, bottom) =
                    edges.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3)))?;
                let (left, top) = (left - margin, top - margin);
                Some(Rect { x: left, y: top, width: right + margin - left, height: bottom + margin - top })
            }
        }
    }

    /// The same for the page afterwards: what is pushed down may make it longer.
    pub fn allowed_box(&self, page: &Page<'_>) -> Option<Rect> {
        let rect = self.shown_box(page)?;
        Some(if matches!(self, Self::Below(_)) { Rect { height: f32::MAX / 4.0, ..rect } } else { rect })
    }
}

/// What an operator has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// Changes of the text.
    pub changes: Vec<Change>,
    /// Elements that may look different, with all that is in them.
    pub touched: Vec<usize>,
    /// Where the picture may change.
    pub region: Region,
    /// What was done, in words.
    pub say: Say,
}

impl Mutation {
    /// The patch; `None` where nothing would change, or two changes touch.
    pub fn patch(&self, page: &Page<'_>) -> Option<Patch> {
        let patch = Patch::new(page.html(), self.changes.clone()).ok()?;
        let html = page.html();
        patch.changes().iter().any(|change| html[change.range.clone()] != change.text).then_some(patch)
    }
}

/// One way to change a page.
pub struct Operator {
    /// Its name: `area.what`.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// The principle that it breaks; `None` where the page is as good as before.
    pub breaks: Option<Principle>,
    /// Where it can work.
    pub sites: fn(&Page<'_>) -> Vec<Site>,
    /// Works at a site; severity is 0 (hardly visible) to 1. `None` where nothing comes of it there.
    pub apply: fn(&Page<'_>, &Site, f64, &mut Rng) -> Option<Mutation>,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator {}", self.name)
    }
}

macro_rules! operators {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*
        /// Every operator, by name.
        pub const OPERATORS: &[&Operator] = &[$(&$file::OPERATOR),*];
    };
}

operators! {
    background, ink, link_color, theme, dark, type_size, headings, type_weight, type_family, leading, tracking,
    type_case, underline, type_align, padding, margin, indent, density, page_width, radius, border, shadow,
    box_width, accent, image_size, image_swap, columns, stack, justify, reverse, order, to_front, remove,
    duplicate, insert, wrap, section, words, mark, stripes, row, grid_lines, markers, field, button_style, bar,
    media, fade, paint, type_chaos, space_chaos, stretch, drop_rules, wrong_values, shift, overlap, spill,
    unstyle,
}

/// The operator of a name.
pub fn operator(name: &str) -> Option<&'static Operator> {
    OPERATORS.iter().copied().find(|operator| operator.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::OPERATORS;

    #[test]
    fn names_are_distinct_and_there_are_enough() {
        let names: BTreeSet<&str> = OPERATORS.iter().map(|operator| operator.name).collect();
        assert_eq!(names.len(), OPERATORS.len());
        assert!(OPERATORS.iter().filter(|operator| operator.breaks.is_none()).count() >= 30, "edits");
        assert!(OPERATORS.iter().filter(|operator| operator.breaks.is_some()).count() >= 10, "damage");
    }
}
