//! The recipe: which pass follows which, and what is refused where.

use item::{Capture, Page, Verdict};

use crate::dom::{self, Caps, Overflow};
use crate::{Assets, CleanPolicy, rule};

/// Turns one capture into one self-contained document.
///
/// `url` is where the capture came from; references resolve against it. The kept page carries the attributes of
/// [`item::name`] that the document itself tells; the caller adds digests of the stored bytes.
pub fn clean(capture: &Capture, _url: &str, policy: &CleanPolicy, _assets: &dyn Assets) -> Verdict<Page> {
    if capture.html.len() > policy.input_bytes_max {
        let detail = format!("{} bytes, the most is {}", capture.html.len(), policy.input_bytes_max);
        return Verdict::reject(rule::TOO_MUCH_INPUT, detail);
    }
    let caps = Caps { elements_max: policy.elements_max, depth_max: policy.depth_max };
    let dom = match dom::parse(&capture.html, caps) {
        Ok(dom) => dom,
        Err(Overflow::Elements(count)) => {
            return Verdict::reject(rule::TOO_MANY_ELEMENTS, format!("{count} elements, the most is {}", caps.elements_max));
        }
        Err(Overflow::Depth(depth)) => {
            return Verdict::reject(rule::TOO_DEEP, format!("{depth} levels, the most is {}", caps.depth_max));
        }
    };
    let html = dom::serialize(&dom);
    Verdict::keep(Page { html }, item::Attributes::new())
}
