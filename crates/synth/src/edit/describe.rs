//! Words for an element, by what is seen: what it is, what it says, where it stands. Never by class, id or tag.

use std::collections::HashMap;

use super::page::Page;

/// Texts are quoted up to this many characters.
const QUOTE_CHARS: usize = 48;

impl Page<'_> {
    /// What people call such an element.
    pub fn noun(&self, node: usize) -> &'static str {
        match (self.tag(node), self.node(node).role.as_deref()) {
            ("a", Some("button")) | ("button", _) => "button",
            ("input", _) if matches!(self.attribute(node, "type"), Some("submit" | "button")) => "button",
            ("a", _) if self.looks_like_button(node) => "button",
            ("a", _) => "link",
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", _) => "heading",
            ("img" | "picture" | "svg" | "figure", _) => "picture",
            ("nav", _) => "navigation",
            ("header", _) => "header",
            ("footer", _) => "footer",
            ("aside", _) => "sidebar",
            ("form", _) => "form",
            ("table", _) => "table",
            ("ul" | "ol", _) => "list",
            ("li", _) => "list item",
            ("input" | "select" | "textarea", _) => "field",
            ("label", _) => "label",
            ("blockquote", _) => "quotation",
            ("p", _) => "paragraph",
            ("td" | "th", _) => "table cell",
            ("article", _) => "article",
            ("section" | "main" | "div", _) => "block",
            _ => "text",
        }
    }

    /// A link with a background of its own and little text.
    pub fn looks_like_button(&self, node: usize) -> bool {
        let own = crate::metric::css_color(&self.node(node).background).is_some_and(|(_, alpha)| alpha > 0.5);
        let rect = self.rect(node);
        own && rect.height >= 20.0 && rect.height <= 90.0 && rect.width <= 420.0
    }

    /// A phrase that fits exactly one element of the page: `the button “Sign up” at the top right`.
    pub fn describe(&self, node: usize) -> Option<String> {
        let plain = self.phrase(node)?;
        let alike: Vec<usize> = self.shown().filter(|&other| self.phrase(other).as_ref() == Some(&plain)).collect();
        // The same text, once as a block and once as its only content, is one thing to look at.
        let rivals = alike.iter().filter(|&&other| !self.contains(node, other) && !self.contains(other, node));
        if rivals.clone().next().is_none() {
            return Some(plain);
        }
        let place = self.place(node);
        let is_unique = !rivals.clone().any(|&other| self.place(other) == place);
        is_unique.then(|| format!("{plain} at the {place}"))
    }

    fn phrase(&self, node: usize) -> Option<String> {
        let noun = self.noun(node);
        let text = self.text(node);
        let words = if text.is_empty() { self.node(node).name.trim().to_owned() } else { text };
        let quote = words.chars().take(QUOTE_CHARS).collect::<String>();
        let quote = if words.chars().count() > QUOTE_CHARS { format!("{}…", quote.trim_end()) } else { quote };
        let is_container = !self.children(node).is_empty() && words.chars().count() > QUOTE_CHARS;
        match noun {
            "header" | "footer" | "navigation" | "sidebar" if self.count(noun) == 1 => Some(format!("the {noun}")),
            _ if quote.is_empty() => match noun {
                "picture" | "field" | "form" | "table" | "list" => Some(format!("the {noun}")),
                _ => None,
            },
            _ if is_container => Some(format!("the {noun} that begins with “{quote}”")),
            _ => Some(format!("the {noun} “{quote}”")),
        }
    }

    fn count(&self, noun: &str) -> usize {
        self.shown().filter(|&other| self.noun(other) == noun).count()
    }

    /// Where on the page it stands: `top left`, `middle`, `bottom right`, …
    fn place(&self, node: usize) -> String {
        let (rect, (width, height)) = (self.rect(node), self.size());
        let (x, y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
        let row = if y < height / 3.0 {
            "top"
        } else if y < height * 2.0 / 3.0 {
            "middle"
        } else {
            "bottom"
        };
        let column = if x < width / 3.0 {
            " left"
        } else if x < width * 2.0 / 3.0 {
            ""
        } else {
            " right"
        };
        format!("{row}{column}")
    }

    /// Elements of the page in groups that are called by one word, such as all headings.
    pub fn group(&self, noun: &str) -> Vec<usize> {
        self.shown().filter(|&node| self.noun(node) == noun).collect()
    }

    /// How often each noun occurs.
    pub fn nouns(&self) -> HashMap<&'static str, usize> {
        let mut counts = HashMap::new();
        for node in self.shown() {
            *counts.entry(self.noun(node)).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Fixture;

    fn check(html: &str, text: &str, expected: Option<&str>) {
        let fixture = Fixture::new(html);
        let node = fixture.with_text(text);
        assert_eq!(fixture.page().describe(node).as_deref(), expected, "{html}");
    }

    #[test]
    fn phrases_fit_one_element() {
        check("<h1>Welcome</h1><p>x</p>", "Welcome", Some("the heading “Welcome”"));
        check("<button>Go</button>", "Go", Some("the button “Go”"));
        check("<footer>(c) 2024</footer>", "(c) 2024", Some("the footer"));
        // Twice the same, at different places.
        let twice = "<a data-box=\"0 0 50 20\">More</a><a data-box=\"1200 900 50 20\">More</a>";
        check(twice, "More", Some("the link “More” at the top left"));
        // Twice the same, side by side: no words tell them apart.
        check("<a data-box=\"0 0 50 20\">More</a><a data-box=\"60 0 50 20\">More</a>", "More", None);
    }
}
