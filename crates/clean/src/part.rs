//! One element of a page as a document of its own.
//!
//! The document has the page's doctype, head and body tag, and in the body the element alone, in the place and in the size that
//! it had. Whether it looks as it did is for the caller to see: what an element looks like can depend on anything around it.

/// Marks the elements around the part, which give it its place in selectors and what it inherits, but no box.
const AROUND: &str = " data-around";
/// Marks the part.
const PART: &str = " data-part";

/// Where an element stands and how it was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartFrame {
    /// Left edge of its border box in CSS px.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Width of its border box in CSS px.
    pub width: f32,
    /// Height.
    pub height: f32,
    /// Colour behind it, as CSS; empty for none.
    pub background: String,
    /// Declarations that the body hands down to it, such as `color:red`.
    pub inherited: Vec<String>,
}

/// Byte ranges of elements in a page's code, from `html` to the element itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPath {
    /// `html`.
    pub html: (u32, u32),
    /// `head`.
    pub head: (u32, u32),
    /// `body`.
    pub body: (u32, u32),
    /// The elements between `body` and the part that stay, outermost first.
    pub around: Vec<(u32, u32)>,
    /// The part.
    pub part: (u32, u32),
}

/// The document. `None` where the ranges are none of that code.
pub fn part(code: &str, path: &PartPath, frame: &PartFrame) -> Option<String> {
    let slice = |(start, end): (u32, u32)| code.get(start as usize..end as usize);
    let doctype = code.get(..path.html.0 as usize)?;
    let head = slice(path.head)?.strip_suffix("</head>")?;
    let around = path.around.iter().map(|range| start_tag(slice(*range)?)).collect::<Option<Vec<_>>>()?;
    let closed = around.iter().rev().map(|tag| Some(format!("</{}>", name(tag)?))).collect::<Option<String>>()?;
    let opened = around.iter().map(|tag| marked(tag, AROUND)).collect::<Option<String>>()?;
    let html = start_tag(slice(path.html)?)?;
    let body = start_tag(slice(path.body)?)?;
    let part = marked(slice(path.part)?, PART)?;
    let rules = rules(frame, !around.is_empty());
    Some(format!("{doctype}{html}{head}<style>{rules}</style></head>{body}{opened}{part}{closed}</body></html>"))
}

/// The rules that put the part into its place. They have to win, whatever the page says.
fn rules(frame: &PartFrame, has_around: bool) -> String {
    let PartFrame { left, top, width, height, background, inherited } = frame;
    let edge = |px: &f32| if *px == 0.0 { "0".to_owned() } else { format!("{px}px") };
    let padding =
        if (*left, *top) == (0.0, 0.0) { "0".to_owned() } else { format!("{} 0 0 {}", edge(top), edge(left)) };
    let background = (!background.is_empty()).then(|| format!("background:{background}"));
    let placed = ["margin:0".to_owned(), format!("padding:{padding}")];
    let body = important(placed.into_iter().chain(background).chain(inherited.iter().cloned()));
    let size = [format!("width:{width}px"), format!("height:{height}px")];
    let part = important(["box-sizing:border-box".to_owned(), "margin:0".to_owned()].into_iter().chain(size));
    let around = if has_around { "[data-around]{display:contents!important}" } else { "" };
    format!("body{{{body}}}{around}[data-part]{{{part}}}")
}

fn important(declarations: impl Iterator<Item = String>) -> String {
    declarations.flat_map(|declaration| [declaration, "!important;".to_owned()]).collect()
}

/// The start tag at the beginning of an element's code. Quotes may hold anything.
fn start_tag(code: &str) -> Option<&str> {
    let mut quote = None;
    let end = code.bytes().position(|byte| match (quote, byte) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) if open == byte => {
            quote = None;
            false
        }
        _ => false,
    })?;
    code.get(..=end).filter(|tag| tag.starts_with('<'))
}

fn name(tag: &str) -> Option<&str> {
    let name = tag.strip_prefix('<')?;
    name.get(..name.find([' ', '>', '/', '\n', '\t'])?)
}

/// An element's code with an attribute more.
fn marked(code: &str, attribute: &str) -> Option<String> {
    let at = 1 + name(code)?.len();
    Some(format!("{}{attribute}{}", code.get(..at)?, code.get(at..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element_ranges;

    const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><style>p{margin:1px}</style></head><body class=\"a>b\"><main \
                        id=\"m\"><section><p>x</p></section></main></body></html>";

    fn path(tags: &[&str]) -> PartPath {
        let ranges = element_ranges(PAGE);
        let range = |tag: &str| ranges.iter().find(|range| range.tag == tag).expect("in the page").range;
        let (part, around) = tags.split_last().expect("a part");
        PartPath {
            html: range("html"),
            head: range("head"),
            body: range("body"),
            around: around.iter().map(|tag| range(tag)).collect(),
            part: range(part),
        }
    }

    #[test]
    fn a_part_stands_alone_or_in_what_was_around_it() {
        let frame = PartFrame {
            width: 300.0,
            height: 20.5,
            background: "red".into(),
            inherited: vec!["color:blue".to_owned(), "font-family:\"a;b\"".to_owned()],
            ..PartFrame::default()
        };
        let check = |tags: &[&str], around: &str, body: &str| {
            let expected = format!(
                "<!DOCTYPE html>\n<html lang=\"en\"><head><style>p{{margin:1px}}</style><style>body{{margin:0!important;\
                 padding:0!important;background:red!important;color:blue!important;font-family:\"a;b\"!important;}}{around}[data-part]\
                 {{box-sizing:border-box!important;margin:0!important;width:300px!important;height:20.5px!important;}}</style></head>\
                 <body class=\"a>b\">{body}</body></html>"
            );
            assert_eq!(part(PAGE, &path(tags), &frame), Some(expected), "{tags:?}");
        };
        check(&["p"], "", "<p data-part>x</p>");
        check(
            &["main", "section"],
            "[data-around]{display:contents!important}",
            "<main data-around id=\"m\"><section data-part><p>x</p></section></main>",
        );
    }

    #[test]
    fn fractions_of_a_pixel_keep_their_place() {
        let check = |left: f32, top: f32, padding: &str| {
            let frame = PartFrame { left, top, width: 1.0, height: 1.0, ..PartFrame::default() };
            let document = part(PAGE, &path(&["p"]), &frame).expect("own ranges");
            assert!(document.contains(&format!("padding:{padding}!important")), "{document}");
        };
        check(0.0, 0.0, "0");
        check(0.5, 0.0, "0 0 0 0.5px");
        check(0.5, 0.25, "0.25px 0 0 0.5px");
    }

    #[test]
    fn ranges_of_other_code_give_nothing() {
        let frame = PartFrame::default();
        let path = path(&["p"]);
        for (start, end) in [(0, 5000), (3, 9), (9, 3)] {
            assert_eq!(part(PAGE, &PartPath { part: (start, end), ..path.clone() }, &frame), None, "{start} {end}");
        }
    }
}
