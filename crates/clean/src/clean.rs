//! The recipe: which step follows which, and what is refused where.

use item::{Attributes, Capture, Page, Rejection, Rule, Verdict, name};
use url::Url;

use crate::dom::{self, Caps, Dom, Overflow};
use crate::measure::{self, Content, Counts, Signals};
use crate::pass::truncate::{Cut, Truncation};
use crate::pass::{self, Context, Passed};
use crate::resource::Resources;
use crate::trace::{Removed, Trace};
use crate::{Assets, CleanPolicy, Level, rule};

/// Rounds of writing and parsing until a tree that HTML can't say becomes one that it can. Pages of the corpus take
/// one or two.
const SETTLE_ROUNDS_MAX: usize = 6;

/// Rounds of cutting and cleaning until a page is within its budget. One does, or two where names went with what was cut,
/// so that elements are alike that were not.
const SHORTEN_ROUNDS_MAX: usize = 8;

/// Turns one capture into one self-contained document.
///
/// `url` is where the capture came from; references resolve against it. The kept page carries the attributes of
/// [`item::name`] that the document itself tells (`html_sha256` is left to whoever stores the bytes). Cleaning a cleaned
/// page gives the same bytes.
pub fn clean(capture: &Capture, url: &str, policy: &CleanPolicy, assets: &dyn Assets) -> Verdict<Page> {
    try_clean(capture, url, policy, assets, None).unwrap_or_else(Verdict::Reject)
}

/// [`clean`], and what it took from the page, in the order in which it did. The same page comes out; it takes a few times as
/// long.
pub fn explain(
    capture: &Capture,
    url: &str,
    policy: &CleanPolicy,
    assets: &dyn Assets,
) -> (Verdict<Page>, Vec<Removed>) {
    let trace = Trace::default();
    let verdict = try_clean(capture, url, policy, assets, Some(&trace)).unwrap_or_else(Verdict::Reject);
    (verdict, trace.into_removed())
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
    trace: Option<&Trace>,
) -> Result<Verdict<Page>, Rejection> {
    at_most(rule::TOO_MUCH_INPUT, capture.html.len(), policy.input_bytes_max, "bytes of input")?;
    let caps = Caps { elements_max: policy.elements_max, depth_max: policy.depth_max };
    let mut dom = dom::parse(&capture.html, caps).map_err(|overflow| overflowed(overflow, caps))?;
    if dom.is_frameset() {
        return Err(Rejection { rule: rule::FRAMESET, detail: "a frameset in place of a body".to_owned() });
    }
    let mut context = Context { resources: Resources { assets, policy }, base: base_url(&dom, url), trace };
    let mut signals = Signals::of(&dom, capture, &context.base);
    let scripted = measure::Scripted::of(&dom);
    let passed = pass::run(&mut dom, &context);
    // What comes after is another tree, made of what is left.
    context.trace = None;
    let mut page = settled(dom, passed, &context, caps)?;
    let mut attributes = Attributes::new();
    if let Some(tokens_max) = policy.text.tokens_max {
        let shortened;
        (page, shortened) = within(tokens_max, page, &context, caps)?;
        attributes.merge(shortened.attributes());
    }
    let Cleaned { dom, html, passed } = page;
    if !policy.text.mask.is_empty() {
        attributes.set(name::MASKED, passed.masked);
        signals.title = measure::title(&dom);
    }
    let counts = measure::count(&dom);
    refuse(&counts, &html, policy)?;
    let content = Content::of(&dom, url, &signals, &counts, scripted, policy);
    content.refuse(&signals, &counts, policy)?;
    attributes.merge(measure::attributes(&html, &counts, &passed.styling));
    attributes.set(name::IMAGE_POLICY, policy.images.name());
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
pub(crate) fn base_url(dom: &Dom, url: &str) -> Url {
    let page = Url::parse(url).unwrap_or_else(|_| nowhere());
    let href = dom.base_href();
    href.and_then(|href| page.join(href.trim()).ok()).filter(|base| !base.cannot_be_a_base()).unwrap_or(page)
}

/// A base for pages without an address: references that are not absolute lead to no asset.
#[expect(clippy::expect_used, reason = "a constant that the tests parse")]
fn nowhere() -> Url {
    Url::parse("http://nowhere.invalid/").expect("a plain URL")
}

/// A page as it is after the passes: the tree, and the document that says it.
struct Cleaned {
    dom: Dom,
    html: String,
    passed: Passed,
}

/// The document, and the tree that a parser makes of it. Most trees are that tree already; for the others the passes
/// look again at what was parsed.
fn settled(dom: Dom, passed: Passed, context: &Context<'_>, caps: Caps) -> Result<Cleaned, Rejection> {
    let mut html = dom::serialize(&dom);
    if !dom.may_not_round_trip {
        return Ok(Cleaned { dom, html, passed });
    }
    let Passed { mut styling, mut masked } = passed;
    for _ in 0..SETTLE_ROUNDS_MAX {
        let mut again = dom::parse(&html, caps).map_err(|overflow| overflowed(overflow, caps))?;
        let passed = pass::run(&mut again, context);
        // The page as captured tells what style it had; of what it has become, only the sheet counts.
        styling.css = passed.styling.css;
        masked += passed.masked;
        let written = dom::serialize(&again);
        if written == html {
            return Ok(Cleaned { dom: again, html, passed: Passed { styling, masked } });
        }
        html = written;
    }
    Err(Rejection { rule: rule::UNSTABLE_MARKUP, detail: format!("another tree {SETTLE_ROUNDS_MAX} times") })
}

/// What a budget took from a page.
#[derive(Debug, Default)]
struct Shortened {
    cut: Cut,
    is_over_budget: bool,
}

impl Shortened {
    fn attributes(&self) -> Attributes {
        Attributes::new()
            .with(name::TRUNCATED_ITEMS, self.cut.items)
            .with(name::TRUNCATED_TEXTS, self.cut.texts)
            .with(name::OVER_BUDGET, self.is_over_budget)
    }
}

/// The page within its budget, or as near as it gets.
///
/// It is the cleaned page that is cut, since only of that it is known how long it is; then the passes look at it again, and
/// what only the cut parts used goes, too. Cleaning such a page again finds it short enough, or finds nothing to cut.
fn within(
    tokens_max: usize,
    mut page: Cleaned,
    context: &Context<'_>,
    caps: Caps,
) -> Result<(Cleaned, Shortened), Rejection> {
    let mut shortened = Shortened::default();
    let mut truncation = Truncation::default();
    for _ in 0..SHORTEN_ROUNDS_MAX {
        let Cleaned { mut dom, html, passed } = page;
        let is_long = |html: &str| measure::html_tokens(html, &passed.styling.css) > tokens_max;
        shortened.is_over_budget = is_long(&html);
        let cut = if shortened.is_over_budget {
            truncation.shorten(&mut dom, |dom| is_long(&dom::serialize(dom)))
        } else {
            Cut::default()
        };
        if cut == Cut::default() {
            return Ok((Cleaned { dom, html, passed }, shortened));
        }
        shortened.cut += cut;
        dom.may_not_round_trip = true;
        page = settled(dom, passed, context, caps)?;
    }
    shortened.is_over_budget = measure::html_tokens(&page.html, &page.passed.styling.css) > tokens_max;
    Ok((page, shortened))
}
