//! The passes, one file each, in the order in which they run.
//!
//! A pass takes the tree and the run's [`Context`] and changes the tree in place. Each does nothing to a tree that it
//! has been over before; that is what makes cleaning idempotent.

mod attribute;
mod collapse;
mod dead;
pub(crate) mod frame;
mod head;
mod hidden;
pub(crate) mod image;
mod mask;
mod path;
mod simplify;
mod space;
mod style;
pub(crate) mod truncate;
mod undo;
mod unused;

use std::collections::BTreeSet;

use url::Url;

use crate::Level;
use crate::css::{self, Names, SheetCounts};
use crate::dom::Dom;
use crate::resource::Resources;
use crate::trace::Trace;

pub(crate) use dead::remove as remove_dead;

/// What the passes work with.
pub(crate) struct Context<'a> {
    pub(crate) resources: Resources<'a>,
    /// What references of the page resolve against.
    pub(crate) base: Url,
    /// Who wants to know what each pass takes.
    pub(crate) trace: Option<&'a Trace>,
}

impl Context<'_> {
    fn step(&self, dom: &Dom, why: &'static str) {
        if let Some(trace) = self.trace {
            trace.step(dom, why);
        }
    }
}

/// Why things go, one reason a pass.
mod why {
    pub(super) const DEAD: &str = "shows nothing when scripts do not run";
    pub(super) const IDLE: &str = "is metadata that shows nothing";
    pub(super) const SHEET: &str = "moved into the one style sheet";
    pub(super) const IMAGE: &str = "is a beacon, or a source that the picture does not need";
    pub(super) const FRAME: &str = "is another document, or media; a placeholder stands for it";
    pub(super) const ATTRIBUTE: &str = "acts, fetches or counts, or nothing shown depends on it";
    pub(super) const HIDDEN: &str = "is never shown, in no state and no viewport";
    pub(super) const UNUSED: &str = "is named by no rule that is left";
    pub(super) const WRAPPER: &str = "is a wrapper that changes nothing";
    pub(super) const RULE: &str = "matches nothing in the page, or is for other media or viewports";
}

/// What the passes learn about the page's style.
#[derive(Debug, Default)]
pub(crate) struct Styling {
    pub(crate) counts: SheetCounts,
    /// Share of the page's classes that some rule names, 0 to 1.
    pub(crate) coverage: f64,
    /// The joined sheet.
    pub(crate) css: String,
}

/// What is known after the passes.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) styling: Styling,
    /// Places where personal data was masked.
    pub(crate) masked: usize,
}

/// Runs all passes.
pub(crate) fn run(dom: &mut Dom, context: &Context<'_>) -> Passed {
    let mut mask = mask::Mask::of(context);
    if let Some(trace) = context.trace {
        trace.begin(dom);
    }
    dead::remove(dom);
    context.step(dom, why::DEAD);
    head::drop_idle(dom);
    context.step(dom, why::IDLE);
    let sheets = style::take(dom, context);
    context.step(dom, why::SHEET);
    image::replace(dom, context);
    context.step(dom, why::IMAGE);
    frame::replace(dom, context);
    context.step(dom, why::FRAME);
    // Before selectors are asked what they match: some look at addresses.
    mask.page(dom);
    let (css, coverage) = if context.resources.policy.level == Level::Gentle {
        let mut names = Names::default();
        let css = css::joined(&sheets.pieces, context.resources, &mut names);
        attribute::filter(dom, context, &names.attributes);
        (css, coverage(dom, &names))
    } else {
        simplify::run(dom, context, &sheets.pieces)
    };
    if let Some(trace) = context.trace {
        let before = css::joined(&sheets.pieces, context.resources, &mut Names::default());
        trace.sheets(&before, &css, why::RULE);
        context.step(dom, why::ATTRIBUTE);
    }
    let css = style::closing_tag_escaped(css);
    head::settle(dom, &css);
    if context.resources.policy.level != Level::Gentle {
        space::settle_head(dom);
    }
    // Texts that stood apart may be neighbours now.
    mask.texts(dom);
    Passed { styling: Styling { counts: sheets.counts, coverage, css }, masked: mask.masked() }
}

/// Share of the page's classes that some selector names.
fn coverage(dom: &Dom, names: &Names) -> f64 {
    let elements = dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node));
    let classes: BTreeSet<&str> =
        elements.flat_map(|element| element.get("class").unwrap_or_default().split_ascii_whitespace()).collect();
    if classes.is_empty() {
        return 1.0;
    }
    classes.iter().filter(|class| names.classes.contains(**class)).count() as f64 / classes.len() as f64
}
