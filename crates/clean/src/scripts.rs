//! Pages that a script fills: how they are known before anything runs, and what a browser needs to run them without a
//! network.

use html5ever::local_name;
use item::Capture;
use lol_html::html_content::ContentType;
use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::Url;

use crate::clean::base_url;
use crate::measure::{self, Scripted};
use crate::{Assets, CleanPolicy, data_url, dom, pass};

/// Whether the page as captured shows next to nothing until its script fills it.
pub fn is_shell(capture: &Capture, policy: &CleanPolicy) -> bool {
    let caps = dom::Caps { elements_max: policy.elements_max, depth_max: policy.depth_max };
    let Ok(mut dom) = dom::parse(&capture.html, caps) else { return false };
    let scripted = Scripted::of(&dom);
    pass::remove_dead(&mut dom);
    scripted.is_shell(&measure::count(&dom))
}

/// The page as captured with its scripts in it as data URLs, as far as the assets have them, and with its address as the base
/// of what the scripts refer to.
pub fn with_scripts(capture: &Capture, url: &str, policy: &CleanPolicy, assets: &dyn Assets) -> String {
    let caps = dom::Caps { elements_max: policy.elements_max, depth_max: policy.depth_max };
    let Ok(dom) = dom::parse(&capture.html, caps) else { return capture.html.clone() };
    let base = base_url(&dom, url);
    let has_base = dom.base_href().is_some();
    let own_base = Url::parse(url).ok().filter(|_| !has_base && dom.html_child(&local_name!("head")).is_some());
    let settings = RewriteStrSettings::new()
        .with_strict(false)
        .append_element_content_handler(element!("head", |head| {
            if let Some(base) = &own_base {
                let quoted = base.as_str().replace('&', "&amp;").replace('"', "&quot;");
                head.prepend(&format!("<base href=\"{quoted}\">"), ContentType::Html);
            }
            Ok(())
        }))
        .append_element_content_handler(element!("script[src]", |script| {
            let source = script.get_attribute("src").unwrap_or_default().replace("&amp;", "&");
            let asset = base.join(source.trim()).ok().and_then(|mut url| {
                url.set_fragment(None);
                assets.get(url.as_str())
            });
            if let Some(asset) = asset {
                script.set_attribute("src", &data_url::encode("text/javascript", &asset.bytes))?;
                script.remove_attribute("integrity");
                script.remove_attribute("crossorigin");
            }
            Ok(())
        }));
    rewrite_str(&capture.html, settings).unwrap_or_else(|_| capture.html.clone())
}

#[cfg(test)]
mod tests {
    use item::{Capture, CharsetSource};

    use super::{is_shell, with_scripts};
    use crate::{Asset, Assets, CleanPolicy};

    struct One;

    impl Assets for One {
        fn get(&self, url: &str) -> Option<Asset> {
            let script = || Asset { mime: "text/javascript".to_owned(), bytes: "1".into() };
            (url == "https://a.example/d/app.js?a&b").then(script)
        }
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

    #[test]
    fn shells_are_known_as_captured() {
        let check = |html: &str, expected| {
            assert_eq!(is_shell(&capture(html), &CleanPolicy::default()), expected, "{html}");
        };
        check("<div id=root></div><script src=app.js></script>", true);
        check("<div id=root></div><script>let text = 'as long as one likes, it is not seen';</script>", true);
        check("<div id=root><p>Here it is.</div><script src=app.js></script>", false);
        check("<p>A page.", false);
    }

    #[test]
    fn scripts_come_along() {
        let check = |html: &str, expected: &str| {
            let url = "https://a.example/d/p.html?x&y";
            assert_eq!(with_scripts(&capture(html), url, &CleanPolicy::default(), &One), expected);
        };
        check(
            "<head></head><script defer src='app.js?a&amp;b' integrity=x></script>",
            "<head><base href=\"https://a.example/d/p.html?x&amp;y\"></head>\
             <script defer src=\"data:text/javascript;base64,MQ==\"></script>",
        );
        check(
            "<head><base href=/e/></head><script src=app.js?a&b></script>",
            "<head><base href=/e/></head><script src=app.js?a&b></script>",
        );
    }
}
