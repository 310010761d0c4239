//! A rendered page as operators see it: the text, the elements with their boxes and looks, and where each stands in the text.

use std::collections::HashMap;
use std::ops::Range;

use item::{Node, Rect, Snapshot};

use super::patch::Change;
use super::sheet::{self, Rule};

/// A start tag in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// From `<` to behind `>`.
    pub range: Range<usize>,
    /// Names, lower case, with the ranges of the whole attribute and of its value without quotes.
    attributes: Vec<(String, Range<usize>, Range<usize>)>,
}

/// A page to be edited. Elements are named by their index in the node list.
#[derive(Debug)]
pub struct Page<'a> {
    html: &'a str,
    nodes: &'a [Node],
    /// Width and height of the screenshot in CSS px.
    size: (f32, f32),
    tags: Vec<Option<Tag>>,
    children: Vec<Vec<usize>>,
    /// The text of the style sheet.
    sheet: Option<Range<usize>>,
    rules: Vec<Rule>,
    /// Elements by class.
    classes: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Page<'a> {
    /// The page of a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let scale = snapshot.viewport.device_scale_factor as f32;
        let size = (snapshot.width as f32 / scale, snapshot.height as f32 / scale);
        Self::of(&snapshot.html, &snapshot.nodes, size)
    }

    /// The page of a text and the nodes of its render; `size` is the screenshot's in CSS px.
    pub fn of(html: &'a str, nodes: &'a [Node], size: (f32, f32)) -> Self {
        let tags: Vec<Option<Tag>> = nodes.iter().map(|node| Tag::read(html, node.range?.0 as usize)).collect();
        let mut children = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                children[parent as usize].push(index);
            }
        }
        let mut page =
            Self { html, nodes, size, tags, children, sheet: None, rules: Vec::new(), classes: HashMap::new() };
        let sheets: Vec<usize> = page.all().filter(|&node| page.tag(node) == "style").collect();
        // The last one wins, and cleaned pages have one.
        page.sheet = sheets.last().and_then(|&node| page.inner(node));
        page.rules = page.sheet.clone().map(|range| sheet::rules(html, range)).unwrap_or_default();
        for node in page.all() {
            for class in page.attribute(node, "class").unwrap_or_default().split_ascii_whitespace() {
                page.classes.entry(class).or_default().push(node);
            }
        }
        page
    }

    /// The text.
    pub fn html(&self) -> &'a str {
        self.html
    }

    /// The screenshot's width and height in CSS px.
    pub fn size(&self) -> (f32, f32) {
        self.size
    }

    /// Every element, in document order.
    pub fn all(&self) -> impl Iterator<Item = usize> + use<'a> {
        0..self.nodes.len()
    }

    /// Elements that can be seen in the screenshot and have a place in the text.
    pub fn shown(&self) -> impl Iterator<Item = usize> + '_ {
        self.all().filter(|&node| self.is_shown(node))
    }

    /// Whether it can be seen in the screenshot, and has a place in the text.
    pub fn is_shown(&self, node: usize) -> bool {
        let Node { visible, rect, visibility, .. } = &self.nodes[node];
        let is_inside = rect.x < self.size.0 && rect.y < self.size.1 && rect.x + rect.width > 0.0;
        *visible
            && *visibility == item::Visibility::Visible
            && is_inside
            && rect.width >= 4.0
            && rect.height >= 4.0
            && self.tags[node].is_some()
    }

    /// What the browser said of it.
    pub fn node(&self, node: usize) -> &'a Node {
        &self.nodes[node]
    }

    /// Its tag name.
    pub fn tag(&self, node: usize) -> &'a str {
        &self.nodes[node].tag
    }

    /// Its box.
    pub fn rect(&self, node: usize) -> Rect {
        self.nodes[node].rect
    }

    /// Its children, in order.
    pub fn children(&self, node: usize) -> &[usize] {
        &self.children[node]
    }

    /// Its parent.
    pub fn parent(&self, node: usize) -> Option<usize> {
        self.nodes[node].parent.map(|parent| parent as usize)
    }

    /// Whether `below` lies in the element, or is it.
    pub fn contains(&self, node: usize, below: usize) -> bool {
        std::iter::successors(Some(below), |&at| self.parent(at)).any(|at| at == node)
    }

    /// Bytes of the whole element.
    pub fn range(&self, node: usize) -> Option<Range<usize>> {
        let (start, end) = self.nodes[node].range?;
        Some(start as usize..end as usize)
    }

    /// Bytes between its tags; `None` where it has no end tag.
    pub fn inner(&self, node: usize) -> Option<Range<usize>> {
        let (range, tag) = (self.range(node)?, self.tags[node].as_ref()?);
        let close = self.html[tag.range.end..range.end].rfind("</")? + tag.range.end;
        Some(tag.range.end..close)
    }

    /// The value of an attribute as it is written.
    pub fn attribute(&self, node: usize, name: &str) -> Option<&'a str> {
        self.tags[node].as_ref()?.value(name).map(|range| &self.html[range])
    }

    /// All text in the element, white space collapsed.
    pub fn text(&self, node: usize) -> String {
        let mut words = String::new();
        let mut open = vec![node];
        while let Some(at) = open.pop() {
            if matches!(self.tag(at), "style" | "script" | "noscript" | "title") {
                continue;
            }
            if !self.nodes[at].text.is_empty() {
                words.push_str(if words.is_empty() { "" } else { " " });
                words.push_str(&self.nodes[at].text);
            }
            open.extend(self.children(at).iter().rev());
        }
        words
    }

    /// The bytes of its own text, where the element holds nothing but text.
    pub fn text_range(&self, node: usize) -> Option<Range<usize>> {
        let inner = self.inner(node)?;
        let is_plain = self.children(node).is_empty() && !self.html[inner.clone()].contains(['<', '&']);
        let text = &self.html[inner.clone()];
        let start = inner.start + (text.len() - text.trim_start().len());
        let end = inner.start + text.trim_end().len();
        (is_plain && start < end).then_some(start..end)
    }

    /// The element's background as seen: its own, or that of the nearest element around it that has one; white at last.
    pub fn background(&self, node: usize) -> [u8; 3] {
        let own = |at: usize| crate::metric::css_color(&self.nodes[at].background).filter(|(_, alpha)| *alpha > 0.5);
        std::iter::successors(Some(node), |&at| self.parent(at)).find_map(own).map_or([255; 3], |(rgb, _)| rgb)
    }

    /// Bytes of the style sheet's text.
    pub fn sheet(&self) -> Option<Range<usize>> {
        self.sheet.clone()
    }

    /// Top-level style rules of the sheet.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Changes that give `targets` the declarations. Where a rule of the sheet has a plain class for selector that means just these
    /// elements, it is changed: values in place, others added. Otherwise the elements' `style` attributes are.
    pub fn declare(&self, targets: &[usize], declarations: &[(&str, String)]) -> Option<Vec<Change>> {
        if let Some(rule) = self.rule_of(targets) {
            return Some(vec![rule.set(self.html, declarations)]);
        }
        targets.iter().map(|&node| self.declare_inline(node, declarations)).collect()
    }

    /// The last rule that is for exactly these elements.
    fn rule_of(&self, targets: &[usize]) -> Option<&Rule> {
        self.rules.iter().rev().find(|rule| {
            let class = self.html[rule.selector.clone()].trim().strip_prefix('.');
            class.and_then(|class| self.classes.get(class)).is_some_and(|nodes| nodes == targets)
        })
    }

    /// A change that adds to the element's `style` attribute.
    pub fn declare_inline(&self, node: usize, declarations: &[(&str, String)]) -> Option<Change> {
        let text: Vec<String> = declarations.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let text = text.join("; ");
        let tag = self.tags[node].as_ref()?;
        Some(match tag.value("style") {
            Some(value) => {
                let old = self.html[value.clone()].trim_end();
                let glue = if old.is_empty() || old.ends_with(';') { "" } else { ";" };
                let at = value.start + old.len();
                Change::replace(at..value.end, format!("{glue}{}{text}", if old.is_empty() { "" } else { " " }))
            }
            None => Change::insert(tag.open_end(self.html), format!(" style=\"{text}\"")),
        })
    }

    /// A change that sets an attribute; `value` is escaped.
    pub fn set_attribute(&self, node: usize, name: &str, value: &str) -> Option<Change> {
        let tag = self.tags[node].as_ref()?;
        let value = escape(value);
        Some(match tag.value(name) {
            Some(range) => Change::replace(range, value),
            None => Change::insert(tag.open_end(self.html), format!(" {name}=\"{value}\"")),
        })
    }

    /// A change that takes an attribute out; `None` where there is none.
    pub fn drop_attribute(&self, node: usize, name: &str) -> Option<Change> {
        let tag = self.tags[node].as_ref()?;
        let (_, whole, _) = tag.attributes.iter().find(|(known, ..)| known == name)?;
        Some(Change::remove(whole.clone()))
    }

    /// A change that adds rules at the end of the style sheet, or a style sheet where there is none.
    pub fn add_css(&self, css: &str) -> Option<Change> {
        if let Some(sheet) = &self.sheet {
            let glue = if self.html[sheet.clone()].ends_with('\n') || sheet.is_empty() { "" } else { "\n" };
            return Some(Change::insert(sheet.end, format!("{glue}{css}\n")));
        }
        let head = self.all().find(|&node| self.tag(node) == "head").and_then(|head| self.inner(head))?;
        Some(Change::insert(head.end, format!("<style>\n{css}\n</style>")))
    }
}

/// Text for a place in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Tag {
    /// Reads the start tag that begins at a byte.
    pub fn read(html: &str, start: usize) -> Option<Self> {
        let bytes = html.as_bytes();
        if bytes.get(start) != Some(&b'<') || !bytes.get(start + 1)?.is_ascii_alphabetic() {
            return None;
        }
        let mut at = start + 1;
        let skip = |at: &mut usize, stop: fn(u8) -> bool| {
            while bytes.get(*at).is_some_and(|&byte| !stop(byte)) {
                *at += 1;
            }
        };
        skip(&mut at, |byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        let mut attributes = Vec::new();
        loop {
            let gap = at;
            skip(&mut at, |byte| !byte.is_ascii_whitespace() && byte != b'/');
            if *bytes.get(at)? == b'>' {
                return Some(Self { range: start..at + 1, attributes });
            }
            let name_from = at;
            skip(&mut at, |byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'='));
            let name = html.get(name_from..at)?.to_ascii_lowercase();
            if at == name_from {
                at += 1; // a lone `=`
                continue;
            }
            let mut value = at..at;
            if bytes.get(at) == Some(&b'=') {
                at += 1;
                if let quote @ (b'"' | b'\'') = bytes.get(at)? {
                    let length = bytes[at + 1..].iter().position(|byte| byte == quote)?;
                    value = at + 1..at + 1 + length;
                    at = value.end + 1;
                } else {
                    let from = at;
                    skip(&mut at, |byte| byte.is_ascii_whitespace() || byte == b'>');
                    value = from..at;
                }
            }
            attributes.push((name, gap..at, value));
        }
    }

    fn value(&self, name: &str) -> Option<Range<usize>> {
        self.attributes.iter().find(|(known, ..)| known == name).map(|(_, _, value)| value.clone())
    }

    /// Where another attribute can be put in.
    fn open_end(&self, html: &str) -> usize {
        let end = self.range.end - 1;
        if html[..end].ends_with('/') { end - 1 } else { end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn start_tags() {
        let read = |html: &str| {
            let tag = Tag::read(html, 0)?;
            let shown =
                |(name, _, value): &(String, Range<usize>, Range<usize>)| format!("{name}={}", &html[value.clone()]);
            Some((html[tag.range.clone()].to_owned(), tag.attributes.iter().map(shown).collect::<Vec<_>>().join(" ")))
        };
        for (html, expected) in [
            ("<p>x", Some(("<p>", ""))),
            (
                "<a href=\"x>y\" Title='q' hidden data-x=1>z",
                Some(("<a href=\"x>y\" Title='q' hidden data-x=1>", "href=x>y title=q hidden= data-x=1")),
            ),
            ("<img src=\"a\"/>", Some(("<img src=\"a\"/>", "src=a"))),
            ("<p class=\"x", None),
            ("</p>", None),
            ("x", None),
        ] {
            let expected = expected.map(|(tag, list): (&str, &str)| (tag.to_owned(), list.to_owned()));
            assert_eq!(read(html), expected, "{html}");
        }
    }

    fn check(targets: &[&str], expected: &str) {
        let fixture = Fixture::new(
            "<style>.one { color: red }\n.two { margin: 0; }</style><p class=\"one\">a</p><p class=\"two\">b</p>\
             <p class=\"two\" style=\"top: 0\">c</p>",
        );
        let page = fixture.page();
        let targets: Vec<usize> = targets.iter().map(|text| fixture.with_text(text)).collect();
        let changes = page.declare(&targets, &[("color", "blue".to_owned())]).expect("there are tags");
        let patch = super::super::Patch::new(page.html(), changes).expect("fits");
        let after = patch.apply(page.html());
        assert!(after.contains(expected), "{after}");
        assert_eq!(patch.inverse(page.html()).apply(&after), page.html());
    }

    #[test]
    fn declarations_go_where_they_belong() {
        check(&["a"], ".one { color: blue }");
        check(&["b", "c"], ".two { margin: 0; color: blue; }");
        check(&["b"], "<p class=\"two\" style=\"color: blue\">b</p>");
        check(&["c"], "<p class=\"two\" style=\"top: 0; color: blue\">c</p>");
    }
}
