//! Properties that must hold on every real page.
#![expect(clippy::print_stdout, reason = "says what was checked, and what was skipped")]

mod support;

use std::collections::BTreeMap;

use clean::{Assets, CleanPolicy, ImagePolicy, Level, Mask, NoAssets, TextPolicy, clean, element_ranges};
use item::{Capture, CharsetSource, Verdict};
use lol_html::{RewriteStrSettings, element, rewrite_str, text};

fn capture_of(html: &str) -> Capture {
    Capture {
        status: 200,
        headers: Vec::new(),
        mime: "text/html".to_owned(),
        charset: "utf-8".to_owned(),
        charset_source: CharsetSource::Http,
        html: html.to_owned(),
        truncated: false,
    }
}

/// Keeps everything, so that properties are seen on short and on long pages.
fn lenient(level: Level, images: ImagePolicy) -> CleanPolicy {
    CleanPolicy {
        level,
        images,
        unwanted: Vec::new(),
        text_chars_min: 0,
        html_bytes_min: 0,
        html_bytes_max: usize::MAX,
        ..CleanPolicy::default()
    }
}

/// What a browser would fetch, found without any of our parsers: by tags, attributes and text alone.
fn fetchable(html: &str) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    let in_css = |css: &str| {
        // What is escaped is part of a name: `.bg-\\[url\\(...`.
        let mut rest = css.to_ascii_lowercase();
        while let Some(at) = rest.find('\\') {
            let escaped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
            rest.replace_range(at..at + 1 + escaped, "_");
        }
        let mut rest = rest.as_str();
        let mut found = found.borrow_mut();
        if rest.contains("@import") {
            found.push(format!("import in {}", css.chars().take(80).collect::<String>()));
        }
        while let Some(at) = rest.find("url(") {
            let target = rest[at + 4..].trim_start();
            let quote = target.chars().next().filter(|c| matches!(c, '"' | '\''));
            let target = target.trim_start_matches(['"', '\'']);
            if !(target.starts_with("data:") || target.starts_with('#')) {
                found.push(format!("css: {}", target.chars().take(80).collect::<String>()));
            }
            rest = &target[target.find(quote.unwrap_or(')')).unwrap_or(target.len())..];
        }
    };
    let css = std::cell::RefCell::new(String::new());
    let settings = RewriteStrSettings::new()
        .append_element_content_handler(element!("*", |element| {
            let tag = element.tag_name();
            let dead = ["script", "link", "base", "object", "embed", "applet", "frame", "template", "source", "track"];
            if dead.contains(&tag.as_str()) {
                found.borrow_mut().push(format!("<{tag}>"));
            }
            for attribute in element.attributes() {
                let (name, value) = (attribute.name(), attribute.value());
                let value = value.trim_start();
                let is_inside = value.starts_with('#') || value.starts_with("data:");
                let is_fetched = match name.as_str() {
                    "src" | "poster" | "background" => !value.starts_with("data:"),
                    "href" | "xlink:href" => !(is_inside || tag == "a" || tag == "area"),
                    "srcset" | "data" | "action" | "formaction" | "ping" | "manifest" | "srcdoc" | "http-equiv" => true,
                    name => name.starts_with("on"),
                };
                if is_fetched {
                    found.borrow_mut().push(format!("{tag} {name}={}", value.chars().take(80).collect::<String>()));
                }
                if !matches!(name.as_str(), "href" | "src" | "alt" | "title" | "value" | "content" | "placeholder") {
                    in_css(&value.replace("&quot;", "\""));
                }
            }
            Ok(())
        }))
        .append_element_content_handler(text!("style", |chunk| {
            css.borrow_mut().push_str(chunk.as_str());
            Ok(())
        }));
    rewrite_str(html, settings).expect("own output");
    in_css(&css.borrow());
    found.into_inner()
}

/// Cuts a start tag's name out of text.
fn tag_at(html: &str) -> &str {
    let name = html.strip_prefix('<').unwrap_or_default();
    &name[..name.find(['>', ' ']).unwrap_or(name.len())]
}

fn check_ranges(url: &str, html: &str) {
    let mut open: Vec<u32> = Vec::new();
    for element in element_ranges(html) {
        let (start, end) = element.range;
        let slice = &html[start as usize..end as usize];
        assert!(tag_at(slice).eq_ignore_ascii_case(&element.tag), "{url}: {} is {slice:.60}", element.tag);
        let end_tag = format!("</{}>", tag_at(slice));
        let is_void = slice.find('>').is_some_and(|at| at + 1 == slice.len());
        assert!(slice.ends_with(&end_tag) || is_void, "{url}: {} ends in {slice:.200}", element.tag);
        while open.last().is_some_and(|&outer| outer <= start) {
            open.pop();
        }
        assert!(open.last().is_none_or(|&outer| end <= outer), "{url}: {} crosses its parent", element.tag);
        open.push(end);
    }
}

fn check_page(url: &str, capture: &Capture, policy: &CleanPolicy, assets: &dyn Assets) -> Option<&'static str> {
    let page = match clean(capture, url, policy, assets) {
        Verdict::Keep(kept) => kept.body,
        Verdict::Reject(rejection) => return Some(rejection.rule.name),
        other => panic!("{url}: {other:?}"),
    };
    assert_eq!(fetchable(&page.html), Vec::<String>::new(), "{url}");
    check_ranges(url, &page.html);
    match clean(&capture_of(&page.html), url, policy, assets) {
        Verdict::Keep(again) if again.body.html == page.html => None,
        Verdict::Keep(again) => {
            let differs = |(a, b): (u8, u8)| a != b;
            let at = page.html.bytes().zip(again.body.html.bytes()).position(differs);
            let at = at.unwrap_or(page.html.len().min(again.body.html.len())).saturating_sub(100);
            let show =
                |html: &str| String::from_utf8_lossy(&html.as_bytes()[at..html.len().min(at + 240)]).into_owned();
            panic!("{url}: cleaning twice differs:\n{}\n--- second:\n{}", show(&page.html), show(&again.body.html));
        }
        other => panic!("{url}: the cleaned page is not kept: {other:?}"),
    }
}

/// Every how manieth page is checked. All of them take minutes without optimisation: that is for release builds.
const STEP: usize = if cfg!(debug_assertions) { 16 } else { 1 };

/// Checks the pages and counts what fails, so that one run shows all there is.
fn check_all(captures: &[(String, Capture)], policy: &CleanPolicy, assets: &dyn Assets) -> usize {
    let mut rejected: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failed = 0;
    for (url, capture) in captures.iter().step_by(STEP) {
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check_page(url, capture, policy, assets)));
        match outcome {
            Ok(Some(rule)) => *rejected.entry(rule).or_default() += 1,
            Ok(None) => {}
            Err(_) => failed += 1,
        }
    }
    println!("{} pages at {}, rejected: {rejected:?}", captures.len(), policy.level.name());
    failed
}

#[test]
fn pages_are_self_contained_and_settled() {
    let captures = support::captures("pages", "pages-");
    let failed = Level::ALL.map(|level| check_all(&captures, &lenient(level, ImagePolicy::Placeholder), &NoAssets));
    assert_eq!(failed, [0; Level::ALL.len()]);
}

#[test]
fn masked_and_shortened_pages_are_settled() {
    let captures = support::captures("pages", "pages-");
    // Most pages are longer than that, so most are cut.
    let text = TextPolicy::new(Mask::ALL, Some(4_000));
    let policy = CleanPolicy { text, ..lenient(Level::Default, ImagePolicy::Placeholder) };
    assert_eq!(check_all(&captures, &policy, &NoAssets), 0);
}

#[test]
fn templates_with_assets_are_self_contained_and_settled() {
    let Some(assets) = support::Archived::open() else { return };
    let captures = support::captures("templates", "templates");
    let failed = Level::ALL.map(|level| {
        check_all(&captures, &lenient(level, ImagePolicy::Placeholder), &assets)
            + check_all(&captures, &lenient(level, ImagePolicy::Inline), &assets)
    });
    assert_eq!(failed, [0; Level::ALL.len()]);
}
