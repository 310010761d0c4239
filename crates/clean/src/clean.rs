//! The recipe: which step follows which, and what is refused where.

use item::{Capture, Page, Rejection, Rule, Verdict, name};
use url::Url;

use crate::dom::{self, Caps, Dom, Overflow};
use crate::measure::{self, Content, Counts, Signals};
use crate::pass::{self, Context, Styling};
use crate::resource::Resources;
use crate::{Assets, CleanPolicy, Level, rule};

/// Rounds of writing and parsing until a tree that HTML can't say becomes one that it can. Pages of the corpus take
/// one or two.
const SETTLE_ROUNDS_MAX: usize = 6;

/// Turns one capture into one self-contained document.
///
/// `url` is where the capture came from; references resolve against it. The kept page carries the attributes of
/// [`item::name`] that the document itself tells (`html_sha256` is left to whoever stores the bytes). Cleaning a cleaned
/// page gives the same bytes.
pub fn clean(capture: &Capture, url: &str, policy: &CleanPolicy, assets: &dyn Assets) -> Verdict<Page> {
    match try_clean(capture, url, policy, assets) {
        Ok(verdict) => verdict,
        Err(rejection) => Verdict::Reject(rejection),
    }
}

/// [`clean`] at another level than the policy's: what a run does when a page comes out wrong.
pub fn clean_at(
    level: Level,
    capture: &Capture,
    url: &str,
    policy: &CleanPolicy,
    assets: &dyn Assets,
) -> Verdict<Page> {
    clean(capture, url, &CleanPolicy { level, ..policy.clone() }, assets)
}

fn try_clean(
    capture: &Capture,
    url: &str,
    policy: &CleanPolicy,
    assets: &dyn Assets,
) -> Result<Verdict<Page>, Rejection> {
    at_most(rule::TOO_MUCH_INPUT, capture.html.len(), policy.input_bytes_max, "bytes of input")?;
    let caps = Caps { elements_max: policy.elements_max, depth_max: policy.depth_max };
    let mut dom = dom::parse(&capture.html, caps).map_err(|overflow| overflowed(overflow, caps))?;
    if dom.is_frameset() {
        return Err(Rejection { rule: rule::FRAMESET, detail: "a frameset in place of a body".to_owned() });
    }
    let context = Context { resources: Resources { assets, policy }, base: base_url(&dom, url) };
    let signals = Signals::of(&dom, capture, &context.base);
    let scripted = measure::Scripted::of(&dom);
    let styling = pass::run(&mut dom, &context);
    let (dom, html, styling) = settled(dom, styling, &context, caps)?;
    let counts = measure::count(&dom);
    refuse(&counts, &html, policy)?;
    let content = Content::of(&dom, url, &signals, &counts, scripted, policy);
    content.refuse(&signals, &counts, policy)?;
    let mut attributes = measure::attributes(&html, &counts, &styling).with(name::IMAGE_POLICY, policy.images.name());
    content.describe(&signals, &mut attributes);
    signals.describe(&mut attributes);
    policy.tokens.refuse(&attributes)?;
    Ok(Verdict::keep(Page { html }, attributes))
}

fn refuse(counts: &Counts, html: &str, policy: &CleanPolicy) -> Result<(), Rejection> {
    if counts.text_chars == 0 && counts.images == 0 && counts.others_seen == 0 {
        return Err(Rejection { rule: rule::BLANK, detail: "no text, no image, no control".to_owned() });
    }
    at_least(rule::TOO_SHORT, counts.text_chars, policy.text_chars_min, "characters of text")?;
    at_least(rule::TOO_SMALL, html.len(), policy.html_bytes_min, "bytes")?;
    at_most(rule::TOO_LARGE, html.len(), policy.html_bytes_max, "bytes")
}

fn at_most(rule: Rule, count: usize, most: usize, unit: &str) -> Result<(), Rejection> {
    if count <= most {
        return Ok(());
    }
    Err(Rejection { rule, detail: format!("{count} {unit}, the most is {most}") })
}

fn at_least(rule: Rule, count: usize, least: usize, unit: &str) -> Result<(), Rejection> {
    if count >= least {
        return Ok(());
    }
    Err(Rejection { rule, detail: format!("{count} {unit}, the least is {least}") })
}

fn overflowed(overflow: Overflow, caps: Caps) -> Rejection {
    match overflow {
        Overflow::Elements(count) => Rejection {
            rule: rule::TOO_MANY_ELEMENTS,
            detail: format!("{count} elements when parsing stopped, the most is {}", caps.elements_max),
        },
        Overflow::Depth(depth) => Rejection {
            rule: rule::TOO_DEEP,
            detail: format!("{depth} levels when parsing stopped, the most is {}", caps.depth_max),
        },
    }
}

/// What references resolve against: the first `<base href>`, itself resolved against the page's address.
fn base_url(dom: &Dom, url: &str) -> Url {
    let page = Url::parse(url).unwrap_or_else(|_| nowhere());
    let href = dom.base_href();
    href.and_then(|href| page.join(href.trim()).ok()).filter(|base| !base.cannot_be_a_base()).unwrap_or(page)
}

/// A base for pages without an address: references that are not absolute lead to no asset.
#[expect(clippy::expect_used, reason = "a constant that the tests parse")]
fn nowhere() -> Url {
    Url::parse("http://nowhere.invalid/").expect("a plain URL")
}

/// The document, and the tree that a parser makes of it. Most trees are that tree already; for the others the passes
/// look again at what was parsed.
fn settled(dom: Dom, styling: Styling, context: &Context<'_>, caps: Caps) -> Result<(Dom, String, Styling), Rejection> {
    let mut html = dom::serialize(&dom);
    if !dom.may_not_round_trip {
        return Ok((dom, html, styling));
    }
    for _ in 0..SETTLE_ROUNDS_MAX {
        let mut again = dom::parse(&html, caps).map_err(|overflow| overflowed(overflow, caps))?;
        let css = pass::run(&mut again, context).css;
        let written = dom::serialize(&again);
        if written == html {
            return Ok((again, html, Styling { css, ..styling }));
        }
        html = written;
    }
    Err(Rejection { rule: rule::UNSTABLE_MARKUP, detail: format!("another tree {SETTLE_ROUNDS_MAX} times") })
}
