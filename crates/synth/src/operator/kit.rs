//! What operators share: kinds of sites, colours, and the form of their tests.

use item::Rect;

use super::{Mutation, Region, Site};
use crate::edit::{Page, Say, capitalised};
use crate::metric::{Lab, ciede2000, contrast};
use crate::rng::Rng;

/// Named colours that read well as accents.
pub(super) const COLORS: &[(&str, &str, [u8; 3])] = &[
    ("blue", "#1a56db", [0x1a, 0x56, 0xdb]),
    ("teal", "#0f766e", [0x0f, 0x76, 0x6e]),
    ("green", "#15803d", [0x15, 0x80, 0x3d]),
    ("orange", "#c2410c", [0xc2, 0x41, 0x0c]),
    ("red", "#b91c1c", [0xb9, 0x1c, 0x1c]),
    ("purple", "#7e22ce", [0x7e, 0x22, 0xce]),
    ("pink", "#be185d", [0xbe, 0x18, 0x5d]),
    ("dark gray", "#374151", [0x37, 0x41, 0x51]),
    ("brown", "#78350f", [0x78, 0x35, 0x0f]),
];

/// Light colours that dark text reads well on.
pub(super) const TINTS: &[(&str, &str, [u8; 3])] = &[
    ("light blue", "#dbeafe", [0xdb, 0xea, 0xfe]),
    ("light green", "#dcfce7", [0xdc, 0xfc, 0xe7]),
    ("light yellow", "#fef9c3", [0xfe, 0xf9, 0xc3]),
    ("light pink", "#fce7f3", [0xfc, 0xe7, 0xf3]),
    ("light gray", "#e5e7eb", [0xe5, 0xe7, 0xeb]),
    ("beige", "#f5ecd9", [0xf5, 0xec, 0xd9]),
];

/// A colour that is plainly another one than `old`, and that `beside` reads well with.
pub(super) fn color(
    rng: &mut Rng,
    old: [u8; 3],
    beside: [u8; 3],
    from: &[(&'static str, &'static str, [u8; 3])],
) -> Option<(&'static str, &'static str)> {
    let mut fits: Vec<_> = from
        .iter()
        .filter(|(_, _, rgb)| ciede2000(Lab::from_rgb(*rgb), Lab::from_rgb(old)) > 20.0)
        .filter(|(_, _, rgb)| contrast(*rgb, beside) >= 4.5)
        .collect();
    rng.shuffle(&mut fits);
    fits.first().map(|(name, hex, _)| (*name, *hex))
}

/// The text's colour.
pub(super) fn text_color(page: &Page<'_>, node: usize) -> [u8; 3] {
    crate::metric::css_color(&page.node(node).color).map_or([0; 3], |(rgb, _)| rgb)
}

/// `#rrggbb`
pub(super) fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Sites of one element each, where words can be found for it.
pub(super) fn singles(page: &Page<'_>, fits: impl Fn(usize) -> bool) -> Vec<Site> {
    /// More of one kind add nothing: one is chosen anyway.
    const SITES_MAX: usize = 24;
    let shown = page.shown().filter(|&node| fits(node));
    let site = |node: usize| Some(Site { nodes: vec![node], words: page.describe(node)? });
    shown.filter_map(site).take(SITES_MAX).collect()
}

/// One site of all elements that go by a noun, where there are at least `least`.
pub(super) fn group(page: &Page<'_>, noun: &str, plural: &str, least: usize) -> Vec<Site> {
    let nodes = page.group(noun);
    if nodes.len() < least {
        return Vec::new();
    }
    vec![Site { nodes, words: format!("all {plural}") }]
}

/// The whole page as a site.
pub(super) fn whole(page: &Page<'_>) -> Vec<Site> {
    let body = page.all().find(|&node| page.tag(node) == "body");
    body.map(|node| Site { nodes: vec![node], words: "the page".to_owned() }).into_iter().collect()
}

/// Elements with text of their own that is worth reading.
pub(super) fn is_text(page: &Page<'_>, node: usize) -> bool {
    let is_kind = !matches!(page.tag(node), "input" | "textarea" | "select" | "option" | "svg" | "body" | "html");
    is_kind && page.node(node).text.chars().filter(|letter| letter.is_alphabetic()).count() >= 3
}

/// Area of its box as share of the screenshot's.
pub(super) fn share(page: &Page<'_>, node: usize) -> f32 {
    let Rect { width, height, .. } = page.rect(node);
    width * height / (page.size().0 * page.size().1).max(1.0)
}

/// Containers that are a part of the page to the eye: not all of it, not a word of it.
pub(super) fn is_block(page: &Page<'_>, node: usize) -> bool {
    let is_kind = matches!(
        page.tag(node),
        "div" | "section" | "article" | "header" | "footer" | "nav" | "aside" | "form" | "ul" | "ol" | "table" | "main"
    );
    is_kind && (0.005..0.6).contains(&share(page, node)) && page.rect(node).height >= 24.0
}

/// Children that are shown.
pub(super) fn shown_children(page: &Page<'_>, node: usize) -> Vec<usize> {
    page.children(node).iter().copied().filter(|&child| page.is_shown(child)).collect()
}

/// Containers whose 2 to 12 shown children stand side by side.
pub(super) fn is_row(page: &Page<'_>, node: usize) -> bool {
    let children = shown_children(page, node);
    let is_tabular = matches!(page.tag(node), "tr" | "tbody" | "thead" | "table");
    (2..=12).contains(&children.len())
        && !is_tabular
        && page.node(node).text.is_empty()
        && children.windows(2).all(|pair| {
            let (one, two) = (page.rect(pair[0]), page.rect(pair[1]));
            two.x >= one.x + one.width - 1.0 && two.y < one.y + one.height
        })
}

/// Children of one tag that follow each other: cards, entries, rows.
pub(super) fn siblings(page: &Page<'_>, node: usize) -> Vec<usize> {
    let children = shown_children(page, node);
    let same = children.windows(2).all(|pair| page.tag(pair[0]) == page.tag(pair[1]));
    let is_kind = children.first().is_some_and(|&child| {
        matches!(page.tag(child), "li" | "div" | "article" | "section" | "a" | "tr" | "p" | "span")
    });
    if same && is_kind && (2..=24).contains(&children.len()) { children } else { Vec::new() }
}

/// A mutation that declares CSS on the site's elements.
pub(super) fn declared(
    page: &Page<'_>,
    site: &Site,
    declarations: &[(&str, String)],
    region: Region,
    say: Say,
) -> Option<Mutation> {
    let changes = page.declare(&site.nodes, declarations)?;
    Some(Mutation { changes, touched: site.nodes.clone(), region, say })
}

/// `Region::Below` the first of the site's elements.
pub(super) fn below(site: &Site) -> Region {
    site.nodes.first().map_or(Region::Page, |&node| Region::Below(node))
}

/// `Region::Boxes` of the site's elements.
pub(super) fn boxes(site: &Site, margin: f32) -> Region {
    Region::Boxes(site.nodes.clone(), margin)
}

/// Words for what is done to damage a page: the way back is what is asked for.
pub(super) fn repair(goal: &str) -> Say {
    Say { goal: goal.to_owned(), exact: format!("{}.", capitalised(goal)) }
}

/// A share of the elements that fit, by chance, at least one.
pub(super) fn some(page: &Page<'_>, rng: &mut Rng, share: f64, fits: impl Fn(usize) -> bool) -> Vec<usize> {
    let all: Vec<usize> = page.shown().filter(|&node| fits(node)).collect();
    let mut taken: Vec<usize> = all.iter().copied().filter(|_| rng.chance(share)).collect();
    if taken.is_empty() {
        taken.extend(rng.pick(&all));
    }
    taken
}

#[cfg(test)]
pub(super) mod tests {
    use item::Digest;

    use super::super::Operator;
    use crate::edit::{Patch, leaks_code};
    use crate::fixture::Fixture;
    use crate::rng::Rng;

    /// Works with the operator at every site of the sample page and looks for `expected` in one of the results. Each patch must
    /// be reversible to the byte, each instruction free of code, each region a place.
    pub(in super::super) fn check(operator: &Operator, expected: &str) {
        let fixture = Fixture::sample();
        let page = fixture.page();
        let sites = (operator.sites)(&page);
        assert!(!sites.is_empty(), "{} finds a site", operator.name);
        let mut results = Vec::new();
        for (number, site) in sites.iter().enumerate() {
            for severity in [0.2, 0.6, 1.0] {
                let mut rng = Rng::new(&Digest::of(format!("{number} {severity}").as_bytes()));
                let Some(mutation) = (operator.apply)(&page, site, severity, &mut rng) else { continue };
                assert!(Patch::new(page.html(), mutation.changes.clone()).is_ok(), "{}: changes touch", operator.name);
                let Some(patch) = mutation.patch(&page) else { continue };
                let after = patch.apply(page.html());
                assert_ne!(after, page.html(), "{} changes something", operator.name);
                assert_eq!(patch.inverse(page.html()).apply(&after), page.html(), "{}", operator.name);
                for wording in mutation.say.wordings(&mut rng) {
                    assert_eq!(leaks_code(&page, &wording.text), None, "{}: {}", operator.name, wording.text);
                    assert!(!wording.text.contains("  ") && !wording.text.contains(".."), "{}", wording.text);
                }
                if let Some(rect) = mutation.region.shown_box(&page) {
                    assert!(rect.width > 0.0 && rect.height > 0.0, "{}: {rect:?}", operator.name);
                }
                results.push(after);
            }
        }
        assert!(!results.is_empty(), "{} works somewhere", operator.name);
        let found = results.iter().any(|after| after.contains(expected));
        assert!(found, "{}: no result has {expected:?}; the last is\n{}", operator.name, results[results.len() - 1]);
    }
}
