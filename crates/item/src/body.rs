//! The bodies that flow.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{ContentHasher, Digest, Sample, Value};

/// What named the charset of a capture, in the order of the HTML standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CharsetSource {
    /// A byte order mark.
    Bom,
    /// The HTTP `Content-Type` header.
    Http,
    /// A `<meta>` in the first 1024 bytes, or an XML declaration.
    Meta,
    /// Guessed from the bytes.
    Detected,
}

impl CharsetSource {
    /// The kebab-case name, as in attributes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bom => "bom",
            Self::Http => "http",
            Self::Meta => "meta",
            Self::Detected => "detected",
        }
    }
}

/// One fetch of one target URI at one time, decoded to text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers in order; names as sent.
    pub headers: Vec<(String, String)>,
    /// MIME type without parameters, lower case, such as `text/html`.
    pub mime: String,
    /// WHATWG name of the charset, such as `windows-1251`.
    pub charset: String,
    /// What named it.
    pub charset_source: CharsetSource,
    /// The payload as text.
    pub html: String,
    /// The crawler cut the payload off.
    pub truncated: bool,
}

impl Capture {
    /// The first header of that name, case ignored.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A clean, self-contained HTML document made from a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The document: UTF-8, with doctype, one style sheet, and nothing that a browser would fetch.
    pub html: String,
}

/// What the page is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Viewport {
    /// Width in CSS px.
    pub width: u32,
    /// Height in CSS px of the first screen; the screenshot may be taller.
    pub height: u32,
    /// Device pixels per CSS px.
    pub device_scale_factor: f64,
}

/// A box in CSS px, origin at the top left of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Whether an element can be seen, and if not, why. The first reason that applies, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// It can be seen.
    #[default]
    Visible,
    /// It has no box, or one without area.
    NoBox,
    /// `visibility` hides it.
    Hidden,
    /// Its opacity, or that of an element around it, is zero.
    Transparent,
    /// An element around it, or its own `clip`, cuts all of it off.
    Clipped,
    /// It lies wholly outside the page.
    OffScreen,
    /// One opaque element that is painted later lies over all of it.
    Covered,
}

impl Visibility {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Visible, Self::NoBox, Self::Hidden, Self::Transparent, Self::Clipped, Self::OffScreen, Self::Covered];

    /// The kebab-case name, as in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::NoBox => "no-box",
            Self::Hidden => "hidden",
            Self::Transparent => "transparent",
            Self::Clipped => "clipped",
            Self::OffScreen => "off-screen",
            Self::Covered => "covered",
        }
    }
}

/// One element of a rendered page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Tag name, lower case.
    pub tag: String,
    /// Index of the parent element in the list; `None` for the root.
    pub parent: Option<u32>,
    /// Border box, page coordinates; all zero when the element has no box.
    pub rect: Rect,
    /// Byte range `[start, end)` of the element in the page's HTML; `None` where the parser implied or moved it.
    pub range: Option<(u32, u32)>,
    /// ARIA role, explicit or implied by the tag; `None` for generic elements.
    pub role: Option<String>,
    /// The text directly inside the element (not its children's), white space collapsed.
    pub text: String,
    /// The value of its `style` attribute.
    pub style: Option<String>,
    /// Has a box with area, and `visibility`, `opacity` and `display` let it be seen.
    pub visible: bool,
    /// Computed font size in CSS px.
    pub font_size: f32,
    /// Computed text colour as CSS writes it.
    pub color: String,
    /// Computed background colour as CSS writes it.
    pub background: String,
    /// Accessible name: what a screen reader calls the element; empty when it has none.
    pub name: String,
    /// Whether it can be seen, also by geometry: unlike `visible`, it knows what is clipped, off the page or covered.
    pub visibility: Visibility,
    /// Computed font families, as CSS writes the list.
    pub font_family: String,
    /// Computed font weight, 1 to 1000; 0 without a box.
    pub font_weight: u16,
    /// Rank in which the browser paints it: of two elements that overlap, the one with the greater rank is in front.
    pub paint_order: u32,
}

/// One render of one page in one viewport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The page's HTML: the very bytes that were rendered.
    pub html: String,
    /// The viewport it was rendered in.
    pub viewport: Viewport,
    /// The screenshot, encoded as the attribute `image_format` says.
    pub screenshot: Bytes,
    /// Width of the screenshot in device px.
    pub width: u32,
    /// Height of the screenshot in device px.
    pub height: u32,
    /// Elements in document order.
    pub nodes: Vec<Node>,
}

/// How the name of a screenshot's file ends, by its first bytes: `png`, `webp` or `jpg`.
pub fn picture_extension(picture: &[u8]) -> &'static str {
    match picture {
        [0xff, 0xd8, ..] => "jpg",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        _ => "png",
    }
}

/// Which body an item has; what the planner compares between neighbouring stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyKind {
    /// [`Capture`]
    Capture,
    /// [`Page`]
    Page,
    /// [`Snapshot`]
    Snapshot,
    /// [`Sample`]
    Sample,
}

/// Any body. A closed set, so that ledgers, events and sinks match on it exhaustively.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// A fetch.
    Capture(Capture),
    /// A clean document.
    Page(Page),
    /// A render.
    Snapshot(Snapshot),
    /// A render on its way through synthesis, or a triple made of one.
    Sample(Sample),
}

impl Body {
    /// Which body this is.
    pub const fn kind(&self) -> BodyKind {
        match self {
            Self::Capture(_) => BodyKind::Capture,
            Self::Page(_) => BodyKind::Page,
            Self::Snapshot(_) => BodyKind::Snapshot,
            Self::Sample(_) => BodyKind::Sample,
        }
    }

    /// Bytes of content, near enough for a budget.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Capture(capture) => capture.html.len(),
            Self::Page(page) => page.html.len(),
            Self::Snapshot(snapshot) | Self::Sample(Sample::Page(snapshot)) => snapshot.size_bytes(),
            Self::Sample(Sample::Triple(triple)) => triple.size_bytes(),
        }
    }

    /// The digest of the body alone, without the head.
    pub fn digest(&self) -> Digest {
        let mut hasher = ContentHasher::new("body");
        self.hash_into(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn hash_into(&self, hasher: &mut ContentHasher) {
        match self {
            Self::Capture(capture) => {
                hasher.add_text("capture").add_u64(u64::from(capture.status)).add_text(&capture.mime);
                hasher.add_text(&capture.charset).add_text(&capture.html);
                for (name, value) in &capture.headers {
                    hasher.add_text(name).add_text(value);
                }
            }
            Self::Page(page) => {
                hasher.add_text("page").add_text(&page.html);
            }
            Self::Snapshot(snapshot) => {
                hasher.add_text("snapshot");
                snapshot.hash_into(hasher);
            }
            Self::Sample(Sample::Page(snapshot)) => {
                hasher.add_text("sample");
                snapshot.hash_into(hasher);
            }
            Self::Sample(Sample::Triple(triple)) => {
                hasher.add_text("triple");
                triple.hash_into(hasher);
            }
        }
    }
}

impl Snapshot {
    fn size_bytes(&self) -> usize {
        const NODE_BYTES: usize = 256;
        self.html.len() + self.screenshot.len() + self.nodes.len() * NODE_BYTES
    }

    fn hash_into(&self, hasher: &mut ContentHasher) {
        let viewport = self.viewport;
        hasher.add_text(&self.html).add_bytes(&self.screenshot);
        hasher.add_u64(u64::from(viewport.width)).add_u64(u64::from(viewport.height));
        hasher.add_u64(viewport.device_scale_factor.to_bits());
        hasher.add_u64(self.nodes.len() as u64);
        for node in &self.nodes {
            hash_node(hasher, node);
        }
    }
}

fn hash_node(hasher: &mut ContentHasher, node: &Node) {
    let Node { tag, parent, rect, range, role, text, style, visible, font_size, color, background, .. } = node;
    let Node { name, visibility, font_family, font_weight, paint_order, .. } = node;
    hasher.add_text(tag).add_u64(parent.map_or(u64::MAX, u64::from));
    for edge in [rect.x, rect.y, rect.width, rect.height, *font_size] {
        hasher.add_u64(u64::from(edge.to_bits()));
    }
    let (start, end) = range.unwrap_or((u32::MAX, u32::MAX));
    hasher.add_u64(u64::from(start)).add_u64(u64::from(end)).add_u64(u64::from(*visible));
    hasher.add_text(role.as_deref().unwrap_or_default()).add_text(text);
    hasher.add_u64(u64::from(style.is_some())).add_text(style.as_deref().unwrap_or_default());
    hasher.add_text(color).add_text(background).add_text(name).add_text(visibility.name()).add_text(font_family);
    hasher.add_u64(u64::from(*font_weight)).add_u64(u64::from(*paint_order));
}

pub(crate) fn hash_value(hasher: &mut ContentHasher, value: &Value) {
    match value {
        Value::Bool(flag) => hasher.add_text("bool").add_u64(u64::from(*flag)),
        Value::Int(number) => hasher.add_text("int").add_bytes(&number.to_le_bytes()),
        Value::Float(number) => hasher.add_text("float").add_u64(number.to_bits()),
        Value::Text(text) => hasher.add_text("text").add_text(text),
        Value::Floats(numbers) => {
            hasher.add_text("floats").add_u64(numbers.len() as u64);
            for number in numbers {
                hasher.add_u64(number.to_bits());
            }
            hasher
        }
    };
}

/// A body whose kind is known at compile time: what typed stages take and give.
pub trait TypedBody: Sized + Send + 'static {
    /// The kind.
    const KIND: BodyKind;
    /// The body if it is of this kind.
    fn from_body(body: Body) -> Option<Self>;
    /// The body, kind forgotten.
    fn into_body(self) -> Body;
}

macro_rules! typed_body {
    ($($kind:ident),*) => {
        $(impl TypedBody for $kind {
            const KIND: BodyKind = BodyKind::$kind;
            fn from_body(body: Body) -> Option<Self> {
                match body {
                    Body::$kind(body) => Some(body),
                    _ => None,
                }
            }
            fn into_body(self) -> Body {
                Body::$kind(self)
            }
        })*
    };
}
typed_body!(Capture, Page, Snapshot, Sample);
