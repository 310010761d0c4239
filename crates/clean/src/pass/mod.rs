//! The passes, one file each, in the order in which they run.
//!
//! A pass takes the tree and the run's [`Context`] and changes the tree in place. Each does nothing to a tree that it
//! has been over before; that is what makes cleaning idempotent.

mod attribute;
mod dead;
mod frame;
mod head;
mod image;
mod style;

use url::Url;

use crate::css::{Names, SheetCounts};
use crate::dom::Dom;
use crate::resource::Resources;

/// What the passes work with.
pub(crate) struct Context<'a> {
    pub(crate) resources: Resources<'a>,
    /// What references of the page resolve against.
    pub(crate) base: Url,
}

/// What the passes learn about the page's style.
#[derive(Debug, Default)]
pub(crate) struct Styling {
    pub(crate) names: Names,
    pub(crate) counts: SheetCounts,
    /// Bytes of the joined sheet.
    pub(crate) css: String,
}

/// Runs all passes.
pub(crate) fn run(dom: &mut Dom, context: &Context<'_>) -> Styling {
    dead::remove(dom);
    let styling = style::join(dom, context);
    image::replace(dom, context);
    frame::replace(dom, context);
    attribute::filter(dom, context, &styling.names);
    head::settle(dom, &styling.css);
    styling
}
