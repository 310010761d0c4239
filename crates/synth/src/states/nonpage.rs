//! What a crawl brings that is no page: drawn anew each time, so that no two of them can be learnt by heart.

use super::words;
use crate::edit::{Change, Page, Patch, escape};
use crate::operator::Principle;
use crate::rng::Rng;

/// A kind of non-page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NonPage {
    /// The page without any style.
    Unstyled,
    /// The page whose style sheet broke off on the way.
    BrokenSheet,
    /// Nothing, or next to nothing: a shell that waits for its script.
    Blank,
    /// A server's error.
    ErrorPage,
    /// A domain that waits for a buyer.
    Parked,
    /// The page behind a question that has to be answered first.
    ConsentWall,
}

impl NonPage {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Unstyled, Self::BrokenSheet, Self::Blank, Self::ErrorPage, Self::Parked, Self::ConsentWall];

    /// The name, as in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unstyled => "unstyled",
            Self::BrokenSheet => "broken-sheet",
            Self::Blank => "blank",
            Self::ErrorPage => "error-page",
            Self::Parked => "parked",
            Self::ConsentWall => "consent-wall",
        }
    }

    /// What it lacks most.
    pub(super) const fn principle(self) -> Principle {
        match self {
            Self::ConsentWall => Principle::Overlap,
            Self::Blank => Principle::Spacing,
            Self::Unstyled | Self::BrokenSheet | Self::ErrorPage | Self::Parked => Principle::Styling,
        }
    }

    /// The document; `None` where it would be the page itself.
    pub(super) fn make(self, page: &Page<'_>, rng: &mut Rng) -> Option<String> {
        let html = match self {
            Self::Unstyled => unstyled(page)?,
            Self::BrokenSheet => broken_sheet(page, rng)?,
            Self::Blank => blank(page, rng)?,
            Self::ErrorPage => error_page(rng),
            Self::Parked => parked(rng),
            Self::ConsentWall => consent_wall(page, rng)?,
        };
        (html != page.html()).then_some(html)
    }
}

fn patched(page: &Page<'_>, changes: Vec<Change>) -> Option<String> {
    Some(Patch::new(page.html(), changes).ok()?.apply(page.html()))
}

fn unstyled(page: &Page<'_>) -> Option<String> {
    let sheets = page.all().filter(|&node| page.tag(node) == "style").filter_map(|node| page.range(node));
    let attributes = page.all().filter_map(|node| page.drop_attribute(node, "style"));
    patched(page, sheets.map(Change::remove).chain(attributes).collect())
}

/// What has come of the sheet is its first part, as when a connection breaks.
fn broken_sheet(page: &Page<'_>, rng: &mut Rng) -> Option<String> {
    let sheet = page.sheet().filter(|sheet| sheet.len() > 200)?;
    let wanted = sheet.start + (sheet.len() as f64 * (0.02 + 0.25 * rng.unit())) as usize;
    let cut = (wanted..sheet.end).find(|&at| page.html().is_char_boundary(at))?;
    patched(page, vec![Change::remove(cut..sheet.end)])
}

/// The body's own background, and perhaps its first child: a bar or a spinner's box.
fn blank(page: &Page<'_>, rng: &mut Rng) -> Option<String> {
    let body = page.all().find(|&node| page.tag(node) == "body")?;
    let inner = page.inner(body)?;
    let first =
        page.children(body).iter().find(|&&child| page.rect(child).height > 0.0 && page.rect(child).height < 160.0);
    let kept = first.and_then(|&child| page.range(child)).filter(|_| rng.chance(0.5));
    let changes = match kept {
        Some(kept) if inner.start < kept.start => {
            vec![Change::remove(inner.start..kept.start), Change::remove(kept.end..inner.end)]
        }
        Some(kept) => vec![Change::remove(kept.end..inner.end)],
        None => vec![Change::remove(inner)],
    };
    patched(page, changes)
}

fn pick(rng: &mut Rng, from: &[&'static str]) -> &'static str {
    rng.pick(from).copied().unwrap_or_default()
}

/// A document around a body.
fn document(title: &str, css: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title><style>{css}</style></head>\n<body>{body}</body></html>\n"
    )
}

fn error_page(rng: &mut Rng) -> String {
    let (code, name) = *rng.pick(words::STATUSES).unwrap_or(&("404", "Not Found"));
    let sentence = pick(rng, words::ERROR_SENTENCES);
    let server = format!("{}/{}.{}.{}", pick(rng, words::SERVERS), 1 + rng.below(3), rng.below(30), rng.below(20));
    let number = format!("{:08x}", rng.next_u64() as u32);
    match rng.below(4) {
        0 => document(
            &format!("{code} {name}"),
            "",
            &format!("<center><h1>{code} {name}</h1></center><hr><center>{server}</center>"),
        ),
        1 => document(
            &format!("{code} {name}"),
            "",
            &format!("<h1>{name}</h1><p>{sentence}</p><hr><address>{server} Port {}</address>", 80 + rng.below(9000)),
        ),
        2 => {
            let size = 48 + rng.below(160);
            let (ink, paper) = *rng.pick(words::PLAIN_COLORS).unwrap_or(&("#333333", "#ffffff"));
            let family = pick(rng, words::FAMILIES);
            let css = format!(
                "body{{margin:{}px auto;text-align:center;color:{ink};background:{paper};font-family:{family}}}h1{{font-size:{size}px;margin:0}}",
                40 + rng.below(240)
            );
            let link = pick(rng, words::BACK);
            document(name, &css, &format!("<h1>{code}</h1><p>{sentence}</p><a href=\"#\">{link}</a>"))
        }
        _ => {
            let lines: Vec<String> = (0..6 + rng.below(20))
                .map(|line| {
                    let (part, what) = (pick(rng, words::PARTS), pick(rng, words::CALLS));
                    format!("  #{line} /srv/app/{part}/{what}.php({}): {what}()", 10 + rng.below(800))
                })
                .collect();
            let body = format!("<b>Fatal error</b>: {sentence} [{number}]<pre>{}</pre>", lines.join("\n"));
            document(name, "body{font-family:monospace}", &body)
        }
    }
}

fn parked(rng: &mut Rng) -> String {
    let domain = format!("{}{}.{}", pick(rng, words::HALVES), pick(rng, words::HALVES), pick(rng, words::ENDINGS));
    let sale = pick(rng, words::FOR_SALE);
    let (ink, paper) = *rng.pick(words::PLAIN_COLORS).unwrap_or(&("#222222", "#ffffff"));
    let family = pick(rng, words::FAMILIES);
    let mut links = words::TOPICS.to_vec();
    rng.shuffle(&mut links);
    let links: Vec<String> =
        links.iter().take(4 + rng.below(8)).map(|topic| format!("<li><a href=\"#\">{topic}</a></li>")).collect();
    let links = links.concat();
    let (width, gap) = (320 + rng.below(600), 4 + rng.below(24));
    let css = format!(
        "body{{color:{ink};background:{paper};font-family:{family};text-align:center}}ul{{list-style:none;margin:24px auto;padding:0;width:{width}px}}li{{margin:{gap}px 0;padding:{gap}px;border:1px solid #cccccc}}"
    );
    document(&domain, &css, &format!("<h1>{domain}</h1><p>{sale}</p><ul>{links}</ul><small>© {domain}</small>"))
}

fn consent_wall(page: &Page<'_>, rng: &mut Rng) -> Option<String> {
    let body = page.all().find(|&node| page.tag(node) == "body")?;
    let inner = page.inner(body)?;
    let sentences: Vec<&str> = {
        let mut all = words::CONSENT.to_vec();
        rng.shuffle(&mut all);
        all.into_iter().take(1 + rng.below(4)).collect()
    };
    let (yes, no) = *rng.pick(words::ANSWERS).unwrap_or(&("OK", "No"));
    let color = pick(rng, words::BUTTONS);
    let shade = 0.5 + 0.45 * rng.unit();
    let (width, top) = (420 + rng.below(520), 60 + rng.below(200));
    let place = if rng.chance(0.6) {
        format!("top:{top}px;left:50%;width:{width}px;margin-left:-{}px", width / 2)
    } else {
        format!("left:0;right:0;top:{}px;min-height:{}px", top + 100, 300 + rng.below(300))
    };
    let veil = format!(
        "position:absolute;left:0;top:0;right:0;height:100%;min-height:100vh;background:rgba(0,0,0,{shade:.2});z-index:2147483000"
    );
    let modal = format!(
        "position:absolute;{place};padding:32px;background:#ffffff;color:#222222;font:16px/1.5 sans-serif;z-index:2147483001"
    );
    let button =
        format!("padding:12px 24px;margin:16px 12px 0 0;border:0;background:{color};color:#ffffff;font:inherit");
    let wall = format!(
        "<div style=\"{veil}\"></div><div style=\"{modal}\"><p>{}</p><button style=\"{button}\">{yes}</button><button>{no}</button></div>",
        sentences.join(" ")
    );
    patched(page, vec![Change::insert(inner.end, wall)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use item::Digest;

    use super::*;
    use crate::fixture::Fixture;

    fn make(kind: NonPage, seed: &str) -> Option<String> {
        let fixture = Fixture::sample();
        kind.make(&fixture.page(), &mut Rng::new(&Digest::of(seed.as_bytes())))
    }

    #[test]
    fn each_is_another_document_and_a_whole_one() {
        let original = Fixture::sample().html().to_owned();
        // The sample's sheet is too short to break off in.
        assert_eq!(make(NonPage::BrokenSheet, "seed"), None);
        for kind in NonPage::ALL.into_iter().filter(|&kind| kind != NonPage::BrokenSheet) {
            let html = make(kind, "seed").unwrap_or_else(|| panic!("{kind:?}"));
            assert_ne!(html, original, "{kind:?}");
            assert!(html.contains("<html") && html.contains("</body>"), "{kind:?}: {html}");
        }
        let plain = make(NonPage::Unstyled, "seed").expect("the sample has styles");
        assert!(!plain.contains("<style") && !plain.contains(" style="), "{plain}");
    }

    #[test]
    fn none_is_drawn_twice() {
        for kind in [NonPage::ErrorPage, NonPage::Parked, NonPage::ConsentWall] {
            let all: BTreeSet<_> = (0..50).map(|seed| make(kind, &seed.to_string())).collect();
            assert_eq!(all.len(), 50, "{kind:?}");
        }
    }
}
