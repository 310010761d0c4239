//! What becomes of a reference: kept, inlined, or a placeholder.

use std::io::Cursor;

use image::ImageReader;
use url::Url;

use crate::{Asset, Assets, CleanPolicy, FontPolicy, ImagePolicy, data_url, dom, reencode};

/// Fill of placeholders: a light grey that reads as "something is here" on white and on dark pages.
pub(crate) const NEUTRAL: &str = "#d5d9de";

/// Size of an image that nothing tells the size of: what CSS takes for replaced elements without one.
pub(crate) const DEFAULT_SIZE: Size = Size { width: 300, height: 150 };

/// Largest edge of a placeholder; more is a mistake or an attack.
const EDGE_MAX: u32 = 10_000;

/// Width and height in CSS px.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The assets and what may be done with them.
#[derive(Clone, Copy)]
pub(crate) struct Resources<'a> {
    pub(crate) assets: &'a dyn Assets,
    pub(crate) policy: &'a CleanPolicy,
}

impl Resources<'_> {
    /// The asset at an absolute URL, data URLs included.
    pub(crate) fn get(&self, url: &str) -> Option<Asset> {
        if data_url::is_data_url(url) { data_url::decode(url) } else { self.assets.get(url) }
    }

    /// The style sheet at an absolute URL, data URLs included.
    pub(crate) fn sheet(&self, url: &str) -> Option<Asset> {
        if data_url::is_data_url(url) { data_url::decode(url) } else { self.assets.sheet(url) }
    }

    /// The asset that `reference` leads to from `base`.
    pub(crate) fn resolve(&self, reference: &str, base: &Url) -> Option<Asset> {
        let mut url = base.join(reference.trim()).ok()?;
        url.set_fragment(None);
        self.get(url.as_str())
    }

    /// Whether a data URL that the page brought stays. An inlined asset always does, or cleaning twice would differ.
    pub(crate) fn keeps_data_url(&self, reference: &str) -> bool {
        const ENVELOPE_BYTES: usize = 64;
        let policy = self.policy;
        let fonts = if policy.fonts == FontPolicy::Inline { policy.inline_font_bytes_max } else { 0 };
        let inlined_bytes_max = policy.inline_image_bytes_max.max(fonts).div_ceil(3) * 4 + ENVELOPE_BYTES;
        data_url::is_data_url(reference) && reference.len() <= self.policy.data_url_bytes_max.max(inlined_bytes_max)
    }

    /// What to write for a URL in CSS; `None` to leave it as it is.
    pub(crate) fn css_url(&self, reference: &str, base: &Url) -> Option<String> {
        let reference = reference.trim();
        if reference.starts_with('#') || self.keeps_data_url(reference) {
            return None;
        }
        let image = if reference.is_empty() || data_url::is_data_url(reference) {
            None
        } else {
            self.resolve(reference, base).and_then(|asset| self.image(&asset, None))
        };
        // Without the image's size any box would be wrong: an image that failed to load paints nothing.
        Some(format!("url({})", image.as_deref().unwrap_or("data:,")))
    }

    /// The data URL that stands for an image asset: itself or a placeholder of its size. `None` if it is no image.
    pub(crate) fn image(&self, asset: &Asset, shown_at: Option<Size>) -> Option<String> {
        let (mime, size) = image_header(asset)?;
        let pixels = size.map_or(0, |size| u64::from(size.width) * u64::from(size.height));
        if self.policy.images == ImagePolicy::Inline && pixels <= self.policy.inline_image_pixels_max {
            let bytes_max = self.policy.inline_image_bytes_max;
            if asset.bytes.len() <= bytes_max {
                return Some(data_url::encode(mime, &asset.bytes));
            }
            if let Some((mime, bytes)) = reencode::within(&asset.bytes, bytes_max) {
                return Some(data_url::encode(mime, &bytes));
            }
        }
        Some(placeholder(size.or(shown_at).unwrap_or(DEFAULT_SIZE)))
    }
}

impl Resources<'_> {
    /// The data URL of a font asset, if fonts are inlined and this is one.
    pub(crate) fn font(&self, asset: &Asset) -> Option<String> {
        let mime = match asset.bytes.get(..4)? {
            b"wOF2" => "font/woff2",
            b"wOFF" => "font/woff",
            b"OTTO" => "font/otf",
            b"\0\x01\0\0" | b"true" => "font/ttf",
            _ => return None,
        };
        let is_wanted =
            self.policy.fonts == FontPolicy::Inline && asset.bytes.len() <= self.policy.inline_font_bytes_max;
        is_wanted.then(|| data_url::encode(mime, &asset.bytes))
    }
}

/// A box of that size. An image with an edge of a pixel or less is a spacer, and is not painted.
pub(crate) fn placeholder(size: Size) -> String {
    let Size { width, height } = size;
    let (width, height) = (width.clamp(1, EDGE_MAX), height.clamp(1, EDGE_MAX));
    let is_spacer = width == 1 || height == 1;
    let fill =
        if is_spacer { String::new() } else { format!("%20style=%27background:{}%27", NEUTRAL.replace('#', "%23")) };
    format!(
        "data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27{width}%27%20height=%27{height}%27{fill}/%3E"
    )
}

/// MIME type by the bytes, and the size if the header tells it. `None` if the bytes are no image that browsers show.
pub(crate) fn image_header(asset: &Asset) -> Option<(&'static str, Option<Size>)> {
    let bytes = asset.bytes.as_ref();
    if let Ok(format) = image::guess_format(bytes) {
        let mime = format.to_mime_type();
        let shown = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"];
        let mime = shown.into_iter().find(|shown| *shown == mime)?;
        let size = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok();
        return Some((mime, size.map(|(width, height)| Size { width, height })));
    }
    // Servers answer missing images with pages, and those may show an SVG.
    let is_page = asset.mime.trim_start().to_ascii_lowercase().starts_with("text/html");
    if is_page { None } else { svg_root(bytes).map(|svg| ("image/svg+xml", svg.size)) }
}

/// Bytes of an SVG file that are looked at for its root; comments and entity lists can come first.
const SVG_HEAD_BYTES: usize = 8 << 10;

/// What an SVG file says of itself.
struct Svg {
    size: Option<Size>,
}

/// The root of an SVG file. `None` if it is no SVG.
fn svg_root(bytes: &[u8]) -> Option<Svg> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(SVG_HEAD_BYTES)]);
    if !head.contains("<svg") {
        return None;
    }
    let caps = dom::Caps { elements_max: SVG_HEAD_BYTES, depth_max: SVG_HEAD_BYTES };
    let dom = dom::parse(&head, caps).ok()?;
    let root = dom
        .descendants(dom::Dom::DOCUMENT)
        .filter_map(|node| dom.element(node))
        .find(|element| !element.is_html() && &*element.name.local == "svg")?;
    let edge = |name: &str| root.get(name).and_then(css_pixels);
    let view_box: Vec<f64> = root
        .get("viewBox")
        .map(|text| text.split([' ', ',', '\t', '\n']).filter_map(|number| number.parse().ok()).collect())
        .unwrap_or_default();
    let view = (view_box.len() == 4 && view_box[2] > 0.0 && view_box[3] > 0.0).then(|| (view_box[2], view_box[3]));
    let size = match (edge("width"), edge("height"), view) {
        (Some(width), Some(height), _) => Some((width, height)),
        (Some(width), None, Some((w, h))) => Some((width, width * h / w)),
        (None, Some(height), Some((w, h))) => Some((height * w / h, height)),
        (None, None, Some(view)) => Some(view),
        _ => None,
    };
    let size = size.map(|(width, height)| Size { width: width.round() as u32, height: height.round() as u32 });
    Some(Svg { size })
}

/// A length in px: a number with nothing or `px` after it.
pub(crate) fn css_pixels(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = text.strip_suffix("px").unwrap_or(text).trim_end();
    number.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}
