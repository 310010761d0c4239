//! `components`: parts of rendered pages as rows of their own, each proven by rendering.

use ::render::Farm;
use clean::{CleanPolicy, NoAssets, PartFrame, PartPath, TextPolicy};
use engine::{BatchSize, Context, Demand, Resource, Settings, Stage, StageError};
use item::{
    Attributes, Capture, CharsetSource, Failure, FailureClass, Head, Item, Kept, Node, Rect, Snapshot, Verdict,
    Viewport, name,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::component::{Component, ComponentPolicy, components};
use synth::metric::Picture;

use crate::clean::CleanStage;
use crate::render::{MAIN_VIEW, RenderStage};

/// Name of the view of rows that are components.
const VIEW: &str = "component";
/// Components that are tried for each one that is wanted: some can't stand alone.
const TRIES: usize = 3;
/// What cleaning measures of the component's own code. All else it has from its page: where it comes from, its language, the style
/// sheets that were missing.
const OF_CODE: &[&str] = &[
    name::DOM_SIMHASH,
    name::HTML_BYTES,
    name::CSS_BYTES,
    name::CSS_TOKENS,
    name::HTML_TOKENS,
    name::DOM_ELEMENTS,
    name::DOM_DEPTH,
    name::DOM_TAGS,
    name::TEXT_CHARS,
    name::IMAGES,
    name::CSS_COVERAGE,
];
/// Elements whose styles the component's document has by itself.
const HTML: &str = "html";
/// See [`HTML`].
const BODY: &str = "body";

/// `[components]`: parts of a page (a card, a form, a navigation bar) as rows of their own. By default none are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ComponentsConfig {
    /// Components wanted of each page, at most; 0 makes none.
    pub per_page: usize,
    /// Narrowest component in CSS px.
    pub width_min: u32,
    /// Lowest component in CSS px.
    pub height_min: u32,
    /// Tallest component in CSS px.
    pub height_max: u32,
    /// Fewest elements of a component, itself included.
    pub elements_min: usize,
    /// Most elements of a component.
    pub elements_max: usize,
    /// Largest share of its pixels in which a component may look other than in its page, 0 to 1.
    pub difference_max: f64,
}

impl Default for ComponentsConfig {
    fn default() -> Self {
        let ComponentPolicy { width_min, height_min, height_max, elements_min, elements_max } =
            ComponentPolicy::default();
        Self { per_page: 0, width_min, height_min, height_max, elements_min, elements_max, difference_max: 0.001 }
    }
}

impl ComponentsConfig {
    /// Whether any component is wanted.
    pub const fn is_on(&self) -> bool {
        self.per_page > 0
    }

    const fn policy(&self) -> ComponentPolicy {
        let Self { width_min, height_min, height_max, elements_min, elements_max, .. } = *self;
        ComponentPolicy { width_min, height_min, height_max, elements_min, elements_max }
    }
}

/// The stage. It shares the farm of the render stage.
#[derive(Debug)]
pub struct ComponentsStage {
    config: ComponentsConfig,
    render: RenderStage,
    policy: CleanPolicy,
}

impl ComponentsStage {
    /// A stage that renders and cleans as those stages do.
    pub fn new(config: ComponentsConfig, render: &RenderStage, clean: &CleanStage) -> Self {
        // What is small is what is wanted here.
        let policy = CleanPolicy {
            text_chars_min: 0,
            html_bytes_min: 0,
            unwanted: Vec::new(),
            text: TextPolicy::default(),
            ..clean.policy()
        };
        Self { config, render: render.clone(), policy }
    }

    /// The components of a page that look alone as they do in it. What could not be rendered fails the page, which is tried again
    /// then: a busy machine must not make another dataset.
    fn components(&self, farm: &Farm, snapshot: &Snapshot) -> Result<Vec<Kept<Snapshot>>, Failure> {
        let found = components(snapshot, &self.config.policy());
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let page = Page { farm, snapshot, picture: decode(&snapshot.screenshot)? };
        let mut kept = Vec::new();
        for component in found.iter().take(self.config.per_page * TRIES) {
            if kept.len() == self.config.per_page {
                break;
            }
            // Alone it is shorter; within the elements around it, more of the page's selectors and of what it inherits hold.
            for around in [false, true] {
                if let Some(part) = self.prove(&page, component, around)? {
                    kept.push(part);
                    break;
                }
            }
        }
        Ok(kept)
    }

    /// The component as a document, if that looks as it does in the page.
    fn prove(&self, page: &Page<'_>, component: &Component, around: bool) -> Result<Option<Kept<Snapshot>>, Failure> {
        let Some((html, attributes)) = self.document(page.snapshot, component, around) else { return Ok(None) };
        let Component { left, top, width, height, .. } = *component;
        let viewport = Viewport { width, height, ..page.snapshot.viewport };
        let Some(part) = self.render.render_alone(page.farm, &html, viewport)? else { return Ok(None) };
        let scale = page.snapshot.viewport.device_scale_factor;
        let px = |css: u32| (f64::from(css) * scale).round() as u32;
        let unlike = page.picture.unlike(&decode(&part.body.screenshot)?, px(left), px(top));
        if unlike.is_none_or(|share| share > self.config.difference_max) {
            return Ok(None);
        }
        let place = [left, top, width, height].map(f64::from).to_vec();
        let mut attributes = attributes
            .with(name::VIEW, VIEW)
            .with(name::PART_OF, crate::dataset::sha256_hex(&page.snapshot.screenshot))
            .with(name::PART_BOX, place)
            .with(name::HTML_SHA256, crate::dataset::sha256_hex(html.as_bytes()));
        attributes.merge(dedup::PageSketch::of(&html).attributes());
        attributes.merge(part.attributes);
        Ok(Some(Kept { body: part.body, attributes }))
    }

    /// The component's code: what is left of the page when all else is taken away.
    fn document(&self, snapshot: &Snapshot, component: &Component, around: bool) -> Option<(String, Attributes)> {
        let path = path(snapshot, component.node, around)?;
        let html = clean::part(&snapshot.html, &path, &frame(&snapshot.nodes, component))?;
        let capture = Capture {
            status: 200,
            headers: Vec::new(),
            mime: "text/html".to_owned(),
            charset: "UTF-8".to_owned(),
            charset_source: CharsetSource::Meta,
            html,
            truncated: false,
        };
        let policy = CleanPolicy { viewport_widths: vec![component.width], ..self.policy.clone() };
        match clean::clean(&capture, "", &policy, &NoAssets) {
            Verdict::Keep(Kept { body, attributes }) => Some((body.html, attributes.project(OF_CODE))),
            _ => None,
        }
    }
}

fn decode(screenshot: &[u8]) -> Result<Picture, Failure> {
    Picture::from_encoded(screenshot).map_err(|error| Failure::from_error(FailureClass::Decode, &error))
}

/// A page with its pixels, and where its parts are rendered.
struct Page<'a> {
    farm: &'a Farm,
    snapshot: &'a Snapshot,
    picture: Picture,
}

/// Where the element and those around it stand in the code.
fn path(snapshot: &Snapshot, node: usize, around: bool) -> Option<PartPath> {
    let nodes = &snapshot.nodes;
    let range = |tag: &str| nodes.iter().find(|node| node.tag == tag)?.range;
    let mut outer = Vec::new();
    let mut at = nodes.get(node)?.parent;
    while let Some(index) = at {
        let parent = nodes.get(index as usize)?;
        if parent.tag == BODY {
            break;
        }
        outer.push(parent.range?);
        at = parent.parent;
    }
    outer.reverse();
    Some(PartPath {
        html: range(HTML)?,
        head: range("head")?,
        body: range(BODY)?,
        around: if around { outer } else { Vec::new() },
        part: nodes.get(node)?.range?,
    })
}

/// How the element was seen: its size, the colour behind it, and what it inherits as far as nodes tell.
fn frame(nodes: &[Node], component: &Component) -> PartFrame {
    let ancestors = std::iter::successors(nodes[component.node].parent, |&index| nodes[index as usize].parent);
    let ancestors: Vec<&Node> = ancestors.map(|index| &nodes[index as usize]).collect();
    let declarations = |node: &Node| {
        [
            format!("color:{}", node.color),
            format!("font-family:{}", node.font_family),
            format!("font-size:{}px", node.font_size),
            format!("font-weight:{}", node.font_weight),
        ]
    };
    // What the body says by itself need not be said again.
    let known = ancestors.iter().find(|node| node.tag == BODY).map(|body| declarations(body));
    let inherited = ancestors.first().map_or_else(Vec::new, |parent| declarations(parent).to_vec());
    let is_news = |declaration: &&String| known.as_ref().is_none_or(|known| !known.contains(declaration));
    let inherited = inherited.iter().filter(is_news).cloned().collect();
    let behind = ancestors.iter().find(|node| is_opaque(&node.background));
    let behind = behind.filter(|node| ![BODY, HTML].contains(&node.tag.as_str()));
    let background = behind.map(|node| node.background.clone()).unwrap_or_default();
    let Rect { x, y, width, height } = component.rect;
    PartFrame { left: x.fract(), top: y.fract(), width, height, background, inherited }
}

/// Whether a computed colour lets nothing through.
fn is_opaque(color: &str) -> bool {
    color.starts_with("rgb(")
}

impl Stage for ComponentsStage {
    type In = Snapshot;
    type Out = Snapshot;
    const NAME: &'static str = "components";
    const VERSION: u32 = 1;
    const REMEMBERED: bool = true;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Chrome }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 1 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({
            "components": self.config,
            "clean": [<CleanStage as Stage>::VERSION.to_string(), self.policy.level.name().to_owned()],
            "render": Stage::settings(&self.render),
        })
    }

    /// Two views may have one body.
    fn depends_on(&self, head: &Head) -> Vec<String> {
        head.attributes.text(name::VIEW).map(str::to_owned).into_iter().collect()
    }

    fn process(&self, batch: &[Item<Snapshot>], context: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        let farm = self.render.farm()?;
        let verdict = |item: &Item<Snapshot>| {
            let view = item.head.attributes.text(name::VIEW);
            if view.is_some_and(|view| view != MAIN_VIEW) {
                return Verdict::Annotate(Attributes::new());
            }
            let page = Kept { body: item.body.clone(), attributes: Attributes::new() };
            self.components(&farm, &item.body).map_or_else(Verdict::Fail, |parts| Verdict::Beside(page, parts))
        };
        let verdicts = batch.iter().map(verdict).collect();
        self.render.tell(context);
        Ok(verdicts)
    }

    fn stop(&self) {
        Stage::stop(&self.render);
    }
}
