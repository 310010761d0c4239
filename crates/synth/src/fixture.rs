//! Pages for tests, laid out by hand: no browser takes part.

use item::{Node, Rect};

use crate::edit::{Page, Tag};

/// A document with the nodes that a render would give.
pub(crate) struct Fixture {
    html: String,
    nodes: Vec<Node>,
}

/// Size of every fixture's screenshot in CSS px.
const SIZE: (f32, f32) = (1280.0, 1000.0);
const VOID: &[&str] = &["img", "input", "br", "hr", "meta"];

impl Fixture {
    /// Elements stand below each other, 600 x 30 px, unless an attribute `data-box` gives left, top, width and height;
    /// `data-bg` is the computed background. Start tags and end tags must match.
    pub(crate) fn new(body: &str) -> Self {
        let html = format!("<!DOCTYPE html><html><head></head><body>{body}</body></html>");
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut at = "<!DOCTYPE html>".len();
        while at < html.len() {
            if let Some(tag) = Tag::read(&html, at) {
                let name: String = html[at + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
                let node = Node {
                    tag: name.clone(),
                    parent: open.last().map(|&parent| parent as u32),
                    rect: Rect { x: 0.0, y: 30.0 * nodes.len() as f32, width: 600.0, height: 30.0 },
                    range: Some((at as u32, tag.range.end as u32)),
                    visible: !matches!(name.as_str(), "head" | "style" | "title"),
                    font_size: 16.0,
                    font_weight: 400,
                    color: "rgb(0, 0, 0)".to_owned(),
                    background: "rgba(0, 0, 0, 0)".to_owned(),
                    ..Node::default()
                };
                nodes.push(node);
                if !VOID.contains(&name.as_str()) {
                    open.push(nodes.len() - 1);
                }
                at = tag.range.end;
            } else if html[at..].starts_with("</") {
                let end = at + html[at..].find('>').expect("an end tag ends") + 1;
                let node = open.pop().expect("end tags match");
                nodes[node].range = Some((nodes[node].range.expect("set").0, end as u32));
                at = end;
            } else {
                let end = at + html[at..].find('<').unwrap_or(html.len() - at);
                let text = html[at..end].split_whitespace().collect::<Vec<_>>().join(" ");
                if let Some(&node) = open.last().filter(|_| !text.is_empty()) {
                    nodes[node].text = text;
                }
                at = end;
            }
        }
        let mut fixture = Self { html, nodes };
        fixture.place();
        fixture
    }

    fn place(&mut self) {
        let page = Page::of(&self.html, &self.nodes, SIZE);
        let looks: Vec<(Option<String>, Option<String>)> = page
            .all()
            .map(|node| {
                (
                    page.attribute(node, "data-box").map(str::to_owned),
                    page.attribute(node, "data-bg").map(str::to_owned),
                )
            })
            .collect();
        for (node, (place, background)) in self.nodes.iter_mut().zip(looks) {
            if let Some(place) = place {
                let edges: Vec<f32> = place.split(' ').map(|edge| edge.parse().expect("a number")).collect();
                node.rect = Rect { x: edges[0], y: edges[1], width: edges[2], height: edges[3] };
            }
            if let Some(background) = background {
                node.background = background;
            }
        }
    }

    /// A page with one of everything.
    pub(crate) fn sample() -> Self {
        Self::new(SAMPLE)
    }

    pub(crate) fn page(&self) -> Page<'_> {
        Page::of(&self.html, &self.nodes, SIZE)
    }

    /// The document.
    pub(crate) fn html(&self) -> &str {
        &self.html
    }

    /// What a render would give.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The first element with that text of its own.
    pub(crate) fn with_text(&self, text: &str) -> usize {
        self.nodes.iter().position(|node| node.text == text).expect("the text is there")
    }
}

const SAMPLE: &str = r#"<style>
body { margin: 0; color: #222222; background: #ffffff }
a { color: #0055aa; padding: 4px 8px }
.hero { padding: 40px; background: #eeeeee }
.card-box { border: 1px solid #cccccc; width: 300px }
</style><header data-box="0 0 1280 60" data-bg="rgb(20, 40, 90)"><nav data-box="600 0 600 60"><a data-box="600 20 80 20">Home</a><a data-box="700 20 80 20">Shop</a><a data-box="800 20 80 20">Blog</a></nav></header><main data-box="0 60 1280 800"><section class="hero" data-box="0 60 1280 200" data-bg="rgb(238, 238, 238)"><h1 data-box="40 80 600 50">Fresh bread every day</h1><p data-box="40 140 600 40">We bake before the sun is up, so that breakfast is warm.</p><button data-box="40 200 120 40" data-bg="rgb(0, 85, 170)">Order now</button></section><section class="cards" data-box="0 260 1280 220"><div class="card-box" data-box="0 260 300 200"><h2 data-box="10 270 280 30">Rye</h2><p data-box="10 310 280 60">Dark and dense, for cheese.</p></div><div class="card-box" data-box="320 260 300 200"><h2 data-box="330 270 280 30">Wheat</h2><p data-box="330 310 280 60">Light, for jam and honey.</p></div><div class="card-box" data-box="640 260 300 200"><h2 data-box="650 270 280 30">Spelt</h2><p data-box="650 310 280 60">Nutty, good with soup.</p></div></section><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="Our oven" width="400" height="200" data-box="0 480 400 200"><ul data-box="420 480 300 120"><li data-box="420 480 300 30">Open from six</li><li data-box="420 510 300 30">Closed on Monday</li><li data-box="420 540 300 30">Cash and card</li></ul><table data-box="760 480 400 120"><tbody data-box="760 480 400 120"><tr data-box="760 480 400 40"><th data-box="760 480 200 40">Bread</th><th data-box="960 480 200 40">Price</th></tr><tr data-box="760 520 400 40"><td data-box="760 520 200 40">Small loaf</td><td data-box="960 520 200 40">2.10</td></tr><tr data-box="760 560 400 40"><td data-box="760 560 200 40">Large loaf</td><td data-box="960 560 200 40">3.90</td></tr></tbody></table><form data-box="0 700 600 100"><label data-box="0 700 200 20">Your mail</label><input type="text" placeholder="you@example.org" data-box="0 720 300 30"><button data-box="0 760 100 30">Subscribe</button></form></main><footer data-box="0 900 1280 100" data-bg="rgb(34, 34, 34)"><p data-box="40 920 600 30">All rights reserved</p></footer>"#;
