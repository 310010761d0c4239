//! The page as it was captured, with its assets in it: what a cleaned page is held against.
//!
//! The markup is streamed through as it stands; only addresses become data URLs, by the run's asset policy. None of the
//! code that cleans is used for that (no tree, no rule of a sheet), so that its mistakes do not hide themselves.

use std::cell::{Cell, RefCell};

use item::Capture;
use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, rewrite_str, text};
use url::Url;

use crate::pass::frame::filled;
use crate::pass::image::{Declared, LAZY_ATTRIBUTES, best_first, first_of_set, source};
use crate::resource::{DEFAULT_SIZE, Resources, Size, placeholder};
use crate::{Assets, CleanPolicy, data_url, dom};

const HTML_NAMESPACE: &str = "http://www.w3.org/1999/xhtml";
/// Deepest chain of imports that is followed.
const IMPORT_DEPTH_MAX: usize = 8;

/// A captured page with its assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The markup, with data URLs in place of addresses. It has scripts in it: to be shown with scripts disabled.
    pub html: String,
    /// Bytes of the captured HTML and of every sheet that it takes in.
    pub source_bytes: usize,
}

/// The page as captured, with its assets in it.
pub fn original(capture: &Capture, url: &str, policy: &CleanPolicy, assets: &dyn Assets) -> Original {
    let resources = Resources { assets, policy };
    let page = Url::parse(url).ok();
    let caps = dom::Caps { elements_max: usize::MAX, depth_max: usize::MAX };
    let base = dom::parse(&capture.html, caps).ok().and_then(|dom| {
        let href = dom.base_href()?;
        page.as_ref().map_or_else(|| Url::parse(href), |page| page.join(href.trim())).ok()
    });
    let Some(base) = base.or(page) else {
        return Original { html: capture.html.clone(), source_bytes: capture.html.len() };
    };
    let embedder = Embedder { resources, base, css_bytes: Cell::new(0) };
    let html = embedder.embed(&capture.html);
    Original { html, source_bytes: capture.html.len() + embedder.css_bytes.get() }
}

struct Embedder<'a> {
    resources: Resources<'a>,
    base: Url,
    css_bytes: Cell<usize>,
}

impl Embedder<'_> {
    fn embed(&self, html: &str) -> String {
        let (style, fallback) = (RefCell::new(String::new()), RefCell::new(String::new()));
        // The element before was an image that a script loads.
        let after_lazy = Cell::new(false);
        // What `<source>` elements before an image in the same `<picture>` name.
        let sources = RefCell::new(Vec::<String>::new());
        let settings = RewriteStrSettings::new()
            .with_strict(false)
            .append_element_content_handler(element!("picture", |_| {
                sources.borrow_mut().clear();
                Ok(())
            }))
            .append_element_content_handler(element!("source", |element| {
                sources.borrow_mut().extend(attribute(element, "srcset"));
                element.remove_attribute("srcset");
                Ok(())
            }))
            .append_element_content_handler(element!("*", |element| {
                if element.tag_name() != "noscript" {
                    let is_lazy = LAZY_ATTRIBUTES.iter().any(|name| element.has_attribute(name));
                    after_lazy.set(is_lazy && element.tag_name() == "img");
                }
                self.element(element, &sources);
                Ok(())
            }))
            // Text to a parser that expects scripts to run; markup to a browser in which they do not.
            .append_element_content_handler(text!("noscript", |chunk| {
                fallback.borrow_mut().push_str(chunk.as_str());
                if chunk.last_in_text_node() {
                    let html = fallback.take();
                    // Scripts showed the image before, and nobody saw this one beside it.
                    let is_second = after_lazy.get() && is_one_image(&html);
                    let own = if is_second { String::new() } else { self.embed(&html) };
                    chunk.replace(&own, ContentType::Html);
                } else {
                    chunk.remove();
                }
                Ok(())
            }))
            .append_element_content_handler(text!("style", |chunk| {
                style.borrow_mut().push_str(chunk.as_str());
                if chunk.last_in_text_node() {
                    let css = style.take();
                    chunk.replace(&self.sheet(&css, &self.base, 0), ContentType::Html);
                } else {
                    chunk.remove();
                }
                Ok(())
            }));
        rewrite_str(html, settings).unwrap_or_else(|_| html.to_owned())
    }

    fn element(&self, element: &mut Element<'_, '_>, sources: &RefCell<Vec<String>>) {
        if let Some(style) = attribute(element, "style").filter(|style| style.contains('(')) {
            set(element, "style", &self.sheet(&style, &self.base, 0));
        }
        let image =
            |url: &str| self.resources.resolve(url, &self.base).and_then(|asset| self.resources.image(&asset, None));
        if let Some(background) = attribute(element, "background").filter(|url| !data_url::is_data_url(url)) {
            match image(&background) {
                Some(own) => set(element, "background", &own),
                None => element.remove_attribute("background"),
            }
        }
        match element.tag_name().as_str() {
            "base" => element.remove_attribute("href"),
            "link" => {
                let is_sheet = attribute(element, "rel").is_some_and(|rel| {
                    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("stylesheet"))
                });
                if let Some(own) =
                    attribute(element, "href").filter(|_| is_sheet).and_then(|href| self.linked(&href, &self.base, 0))
                {
                    set(element, "href", &own);
                }
            }
            "img" => self.image(element, &sources.take()),
            // Parsers make an `<img>` of it.
            "image" if element.namespace_uri() == HTML_NAMESPACE => self.image(element, &[]),
            "input" if attribute(element, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("image")) => {
                self.image(element, &[]);
            }
            "image" | "feimage" => {
                let name = if element.has_attribute("href") { "href" } else { "xlink:href" };
                let Some(href) = attribute(element, name).filter(|href| !href.trim_start().starts_with('#')) else {
                    return;
                };
                if !data_url::is_data_url(&href) {
                    let (width, height) = (attribute(element, "width"), attribute(element, "height"));
                    let get = |name: &str| {
                        if name == "width" {
                            width.as_deref()
                        } else if name == "height" {
                            height.as_deref()
                        } else {
                            None
                        }
                    };
                    let size = Declared::of(&get).size();
                    let asset = self.resources.resolve(&href, &self.base);
                    let own = asset.and_then(|asset| self.resources.image(&asset, size));
                    set(element, name, &own.unwrap_or_else(|| placeholder(size.unwrap_or(DEFAULT_SIZE))));
                }
            }
            // Boxes of plug-ins that are no more; what stands in an object for those who lack them is content.
            "embed" => set(element, "style", "display: none !important"),
            // A name that no sheet has a rule for.
            "object" => _ = element.set_tag_name("x-object"),
            "iframe" => {
                element.remove_attribute("src");
                element.remove_attribute("srcdoc");
                fill(element);
            }
            "video" => {
                element.remove_attribute("src");
                let poster = attribute(element, "poster");
                let own = poster.and_then(|url| if data_url::is_data_url(&url) { Some(url) } else { image(&url) });
                match own {
                    Some(own) => set(element, "poster", &own),
                    None => fill(element),
                }
            }
            _ => {}
        }
    }

    fn image(&self, element: &mut Element<'_, '_>, sources: &[String]) {
        let mut addresses = Vec::new();
        for name in ["src", "srcset"].iter().chain(LAZY_ATTRIBUTES) {
            let Some(value) = attribute(element, name) else { continue };
            let address = if name.ends_with("srcset") { first_of_set(&value) } else { value.trim() };
            addresses.extend((!address.is_empty()).then(|| address.to_owned()));
        }
        addresses.extend(sources.iter().map(|set| first_of_set(set).to_owned()).filter(|address| !address.is_empty()));
        best_first(&mut addresses);
        let own: Vec<(&str, Option<String>)> =
            ["style", "width", "height"].into_iter().map(|name| (name, attribute(element, name))).collect();
        let get = |wanted: &str| own.iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| value.as_deref());
        element.remove_attribute("srcset");
        if let Some(source) = source(&get, &addresses, self.resources, &self.base) {
            set(element, "src", &source);
            return;
        }
        // A beacon shows nothing, but the line that it stands in has a height: with scripts, most of them stand nowhere.
        set(element, "src", &placeholder(Size { width: 1, height: 1 }));
        set(element, "style", "display: none !important");
    }

    /// A data URL of the sheet at `reference`.
    fn linked(&self, reference: &str, base: &Url, depth: usize) -> Option<String> {
        let mut url = base.join(reference.trim()).ok()?;
        url.set_fragment(None);
        let asset = self.resources.sheet(url.as_str()).filter(|_| depth <= IMPORT_DEPTH_MAX)?;
        let is_other = ["text/html", "image/", "font/"].iter().any(|kind| asset.mime.trim().starts_with(kind));
        if is_other {
            return None;
        }
        self.css_bytes.set(self.css_bytes.get() + asset.bytes.len());
        let css = crate::css::decoded(&asset);
        let base = if url.cannot_be_a_base() { base } else { &url };
        Some(data_url::encode("text/css;charset=utf-8", self.sheet(&css, base, depth).as_bytes()))
    }

    /// The sheet with data URLs in place of addresses.
    fn sheet(&self, css: &str, base: &Url, depth: usize) -> String {
        let lower = css.to_ascii_lowercase();
        let mut out = String::with_capacity(css.len());
        let mut at = 0;
        while at < css.len() {
            let rest = &lower[at..];
            let next = [rest.find("/*"), rest.find("url("), rest.find("@import")].into_iter().flatten().min();
            let Some(next) = next.map(|next| at + next) else { break };
            out.push_str(&css[at..next]);
            if rest[next - at..].starts_with("/*") {
                let end = css[next + 2..].find("*/").map_or(css.len(), |end| next + 2 + end + 2);
                out.push_str(&css[next..end]);
                at = end;
                continue;
            }
            let is_import = lower[next..].starts_with("@import");
            let start = next + if is_import { "@import".len() } else { "url(".len() };
            let (reference, end, is_url) = reference(css, &lower, start, is_import);
            let own = if is_import {
                self.linked(reference, base, depth + 1)
            } else if reference.starts_with('#') || data_url::is_data_url(reference) {
                Some(reference.to_owned())
            } else {
                self.asset(reference, base)
            };
            let own = own.unwrap_or_else(|| "data:,".to_owned());
            let quoted = own.replace('\\', "\\\\").replace('"', "\\\"");
            out.push_str(if is_import { "@import " } else { "" });
            for text in ["url(\"", quoted.as_str(), "\")"] {
                out.push_str(text);
            }
            at = end + usize::from(is_url && css[end..].starts_with(')'));
        }
        out.push_str(&css[at.min(css.len())..]);
        out
    }

    fn asset(&self, reference: &str, base: &Url) -> Option<String> {
        let asset = self.resources.resolve(reference, base)?;
        self.resources.image(&asset, None).or_else(|| self.resources.font(&asset))
    }
}

/// Whether the markup has one element, an image; `<picture>` and its sources aside.
fn is_one_image(html: &str) -> bool {
    let (images, others) = (Cell::new(0), Cell::new(0));
    let count = element!("*", |element| {
        let counter = match element.tag_name().as_str() {
            "img" => &images,
            "picture" | "source" => return Ok(()),
            _ => &others,
        };
        counter.set(counter.get() + 1);
        Ok(())
    });
    let settings = RewriteStrSettings::new().with_strict(false).append_element_content_handler(count);
    rewrite_str(html, settings).is_ok() && images.get() == 1 && others.get() == 0
}

fn fill(element: &mut Element<'_, '_>) {
    if let Some(filled) = filled(&attribute(element, "style").unwrap_or_default()) {
        set(element, "style", &filled);
    }
}

/// The address that stands at `at`: itself, where it ends, and whether a parenthesis follows.
fn reference<'c>(css: &'c str, lower: &str, at: usize, is_import: bool) -> (&'c str, usize, bool) {
    let mut start = at + css[at..].len() - css[at..].trim_start().len();
    let mut is_url = !is_import;
    if is_import && lower[start..].starts_with("url(") {
        start += "url(".len();
        start += css[start..].len() - css[start..].trim_start().len();
        is_url = true;
    }
    let rest = &css[start..];
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let end = rest[1..].find(quote).map_or(rest.len(), |end| 1 + end);
        let mut after = start + (end + 1).min(rest.len());
        if is_url {
            after += css[after..].len() - css[after..].trim_start().len();
        }
        return (&rest[1..end], after, is_url);
    }
    // Data URLs have semicolons.
    let end = rest.find(if is_url { ')' } else { ';' }).unwrap_or(rest.len());
    (rest[..end].trim(), start + end, is_url)
}

/// The value of an attribute, with the character references that addresses and styles have resolved.
fn attribute(element: &Element<'_, '_>, name: &str) -> Option<String> {
    let value = element.get_attribute(name)?;
    if !value.contains('&') {
        return Some(value);
    }
    let known = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    Some(known.iter().fold(value, |value, (reference, character)| value.replace(reference, character)))
}

fn set(element: &mut Element<'_, '_>, name: &str, value: &str) {
    // Fails for names that are none.
    let _ = element.set_attribute(name, &value.replace('&', "&amp;"));
}

#[cfg(test)]
mod tests {
    use super::original;
    use crate::{Asset, Assets, CleanPolicy};
    use item::{Capture, CharsetSource};

    struct One;

    impl Assets for One {
        fn get(&self, url: &str) -> Option<Asset> {
            let css = |text: &'static str| Asset { mime: "text/css".to_owned(), bytes: text.into() };
            match url {
                "https://a.example/d/s.css" => Some(css("@import 't.css';p{background:url(x.png)}")),
                "https://a.example/d/t.css" => Some(css("b{}")),
                _ => None,
            }
        }
    }

    fn rendered(html: &str) -> String {
        original(&capture(html), "https://a.example/d/p.html", &CleanPolicy::default(), &One).html
    }

    fn capture(html: &str) -> Capture {
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

    fn check(html: &str, expected: &str, css_bytes: usize) {
        let found = original(&capture(html), "https://a.example/d/p.html", &CleanPolicy::default(), &One);
        assert_eq!(found.html, expected);
        assert_eq!(found.source_bytes, html.len() + css_bytes);
    }

    #[test]
    fn only_addresses_change() {
        check("<p ID=x>a<!-- c --><script>1</script>", "<p ID=x>a<!-- c --><script>1</script>", 0);
        check(
            "<noscript><link rel=stylesheet href=t.css></noscript>",
            "<noscript><link rel=stylesheet href=\"data:text/css;charset=utf-8;base64,Ynt9\"></noscript>",
            3,
        );
        let lazy = "<img data-src=a.png><noscript><img src=a.png></noscript>";
        let shown = rendered(lazy);
        assert!(shown.ends_with("<noscript></noscript>") && shown.matches("data:image").count() == 1, "{shown}");
        let beacon = rendered("<img src=a.png width=1 height=1>");
        assert!(beacon.contains("display: none !important"), "{beacon}");
        check("<object data=a><b>c</b></object>", "<x-object data=a><b>c</b></x-object>", 0);
        check("<style>a{b:url(data:x;base64,AA==)}</style>", "<style>a{b:url(\"data:x;base64,AA==\")}</style>", 0);
        check("<style>a{b:url( 'y' )}/* url(z) */</style>", "<style>a{b:url(\"data:,\")}/* url(z) */</style>", 0);
        check(
            "<link rel=stylesheet href=t.css>",
            "<link rel=stylesheet href=\"data:text/css;charset=utf-8;base64,Yntl\">".replace("Yntl", "Ynt9").as_str(),
            3,
        );
        let import = "<style>@import \"t.css\" print;</style>";
        check(import, "<style>@import url(\"data:text/css;charset=utf-8;base64,Ynt9\") print;</style>", 3);
    }
}
