//! Where each element stands in the text of a document.
//!
//! A streaming pass: our documents write every end tag and nest well, so tags alone tell where elements are. The list
//! is in document order, the order in which a browser's tree is walked, so the two can be zipped.

use std::cell::RefCell;
use std::rc::Rc;

use lol_html::html_content::Element;
use lol_html::{ElementContentHandlers, HtmlRewriter, Selector, Settings};

/// One element and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementRange {
    /// Tag name as browsers report `localName` of HTML elements: lower case. Names of SVG elements are lower case too.
    pub tag: String,
    /// Bytes `[start of the start tag, end of the end tag)`; elements without an end tag end with their start tag.
    pub range: (u32, u32),
}

/// The byte range of each element of a document in the form that [`clean`](crate::clean()) writes, in document order.
///
/// Text that is no such document gives ranges too, but no promise about them. A document that the streaming parser
/// gives up on has no ranges from there on.
pub fn element_ranges(html: &str) -> Vec<ElementRange> {
    let found = Rc::new(RefCell::new(Vec::<ElementRange>::new()));
    let on_element = {
        let found = Rc::clone(&found);
        move |element: &mut Element<'_, '_>| {
            let start_tag = element.source_location().bytes();
            let index = found.borrow().len();
            let range = (start_tag.start as u32, start_tag.end as u32);
            found.borrow_mut().push(ElementRange { tag: element.tag_name(), range });
            if let Some(handlers) = element.end_tag_handlers() {
                let found = Rc::clone(&found);
                handlers.push(Box::new(move |end_tag| {
                    found.borrow_mut()[index].range.1 = end_tag.source_location().bytes().end as u32;
                    Ok(())
                }));
            }
            Ok(())
        }
    };
    let Ok(every_element) = "*".parse::<Selector>() else { return Vec::new() };
    let mut settings = Settings::new();
    settings = settings.append_element_content_handler((
        std::borrow::Cow::Owned(every_element),
        ElementContentHandlers::default().element(on_element),
    ));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let ended = rewriter.write(html.as_bytes()).and_then(|()| rewriter.end());
    drop(ended); // what was found before an error stands
    found.take()
}

#[cfg(test)]
mod tests {
    use super::element_ranges;

    fn check(html: &str, expected: &[(&str, &str)]) {
        let found = element_ranges(html);
        let slices: Vec<(&str, &str)> =
            found.iter().map(|e| (e.tag.as_str(), &html[e.range.0 as usize..e.range.1 as usize])).collect();
        assert_eq!(slices, expected);
    }

    #[test]
    fn an_element_reaches_from_tag_to_tag() {
        check(
            "<div id=\"ü\"><p>a<br>b</p><img src=\"x\"></div>",
            &[
                ("div", "<div id=\"ü\"><p>a<br>b</p><img src=\"x\"></div>"),
                ("p", "<p>a<br>b</p>"),
                ("br", "<br>"),
                ("img", "<img src=\"x\">"),
            ],
        );
    }

    #[test]
    fn raw_text_holds_no_elements() {
        check("<style>a>b{content:\"<i>\"}</style>", &[("style", "<style>a>b{content:\"<i>\"}</style>")]);
    }

    #[test]
    fn foreign_elements_have_end_tags() {
        check(
            "<svg><path d=\"M0 0\"></path><a></a></svg>",
            &[
                ("svg", "<svg><path d=\"M0 0\"></path><a></a></svg>"),
                ("path", "<path d=\"M0 0\"></path>"),
                ("a", "<a></a>"),
            ],
        );
    }
}
