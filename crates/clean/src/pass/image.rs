//! Images: each gets one source that is part of the page.

use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use url::Url;

use super::Context;
use crate::ImagePolicy;
use crate::data_url::is_data_url;
use crate::dom::{Dom, Element, NodeId};
use crate::resource::{DEFAULT_SIZE, Resources, Size, css_pixels, image_header, placeholder};

/// Where scripts that load images late look for the address. Without the script the image would stay empty.
pub(crate) const LAZY_ATTRIBUTES: &[&str] =
    &["data-src", "data-lazy-src", "data-original", "data-lazy", "data-srcset", "data-lazy-srcset"];

/// Where an image came from, in the code of a run that wants to know.
pub(super) const SOURCE_ATTRIBUTE: &str = "data-source";

/// Longest data URL that is taken for a stand-in of an image that a script loads late; real ones are longer.
const STAND_IN_BYTES_MAX: usize = 256;

pub(super) fn replace(dom: &mut Dom, context: &Context<'_>) {
    let nodes: Vec<NodeId> =
        dom.descendants(Dom::DOCUMENT).filter(|&node| dom.element(node).is_some_and(is_image)).collect();
    for node in nodes {
        let candidates = candidates(dom, node);
        if !dom.element(node).is_some_and(Element::is_html) {
            replace_foreign(dom, node, &candidates, context);
        } else if let Some(source) = source_for(dom, node, &candidates, context) {
            if let Some(element) = dom.element_mut(node) {
                element.set("src", &source);
                if context.resources.policy.images == ImagePolicy::Original {
                    name_source(element, &candidates, &context.base);
                }
            }
        } else {
            dom.remove(node);
        }
    }
    drop_sources(dom);
}

/// Says where the image came from. A page that was cleaned before says it already.
fn name_source(element: &mut Element, candidates: &[String], base: &Url) {
    let remote = candidates.iter().filter(|candidate| !is_data_url(candidate));
    let said = element.get(SOURCE_ATTRIBUTE).and_then(|said| Url::parse(said).ok());
    let source = remote.filter_map(|candidate| base.join(candidate).ok()).chain(said);
    match source.into_iter().find(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => element.set(SOURCE_ATTRIBUTE, url.as_str()),
        None => element.remove(SOURCE_ATTRIBUTE),
    }
}

/// `<img>`, `<input type=image>`, and SVG's `<image>` and `<feImage>`.
pub(crate) fn is_image(element: &Element) -> bool {
    match element.html_name() {
        Some(&local_name!("img")) => true,
        Some(&local_name!("input")) => {
            element.get("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("image"))
        }
        Some(_) => false,
        None => matches!(&*element.name.local, "image" | "feImage"),
    }
}

/// Addresses that the image names, best first.
fn candidates(dom: &Dom, node: NodeId) -> Vec<String> {
    let mut found = Vec::new();
    let Some(element) = dom.element(node) else { return found };
    if !element.is_html() {
        let hrefs = element.attributes.iter().filter(|a| a.name.local == local_name!("href"));
        found.extend(hrefs.map(|a| a.value.trim().to_owned()));
        return found;
    }
    let own = ["src", "srcset"].into_iter().chain(LAZY_ATTRIBUTES.iter().copied());
    let mut add = |element: &Element, name: &str| {
        if let Some(value) = element.get(name) {
            let address = if name.ends_with("srcset") { first_of_set(value) } else { value.trim() };
            if !address.is_empty() {
                found.push(address.to_owned());
            }
        }
    };
    own.for_each(|name| add(element, name));
    let picture = dom.parent(node).filter(|&parent| dom.is(parent, &local_name!("picture")));
    for source in picture.into_iter().flat_map(|picture| dom.children(picture)).filter_map(|node| dom.element(node)) {
        add(source, "srcset");
        add(source, "data-srcset");
    }
    best_first(&mut found);
    found
}

/// A tiny data URL before a real address is what is shown until a script runs.
pub(crate) fn best_first(addresses: &mut [String]) {
    if addresses.len() > 1 && is_data_url(&addresses[0]) && addresses[0].len() <= STAND_IN_BYTES_MAX {
        addresses.rotate_left(1);
    }
}

/// The first address of a `srcset`.
pub(crate) fn first_of_set(set: &str) -> &str {
    let address =
        set.trim_start_matches([' ', '\t', '\n', '\r', ',']).split_ascii_whitespace().next().unwrap_or_default();
    address.trim_end_matches(',')
}

/// The `src` that the image gets; `None` if it is a beacon, which shows nothing.
fn source_for(dom: &Dom, node: NodeId, candidates: &[String], context: &Context<'_>) -> Option<String> {
    let element = dom.element(node)?;
    source(&|name| element.get(name), candidates, context.resources, &context.base)
}

/// What stands for the best of the addresses, for an element with such attributes.
pub(crate) fn source<'e>(
    attribute: &dyn Fn(&str) -> Option<&'e str>,
    candidates: &[String],
    resources: Resources<'_>,
    base: &Url,
) -> Option<String> {
    let declared = Declared::of(attribute);
    if let Some(first) = candidates.first().filter(|first| resources.keeps_data_url(first)) {
        return Some(first.clone());
    }
    let remote = candidates.iter().filter(|candidate| !is_data_url(candidate));
    let asset = remote.into_iter().find_map(|candidate| {
        let asset = resources.resolve(candidate, base)?;
        image_header(&asset).map(|(_, size)| (asset, size))
    });
    let dot = |size: Size| size.width <= 1 && size.height <= 1;
    let declared_size = declared.size();
    let is_beacon = match (declared.width.or(declared.height), &asset) {
        (Some(_), _) => declared.width.is_some_and(|w| w <= 1) && declared.height.is_some_and(|h| h <= 1),
        (None, Some((_, size))) => size.is_some_and(dot),
        (None, None) => false,
    };
    if is_beacon {
        return None;
    }
    let own = asset.and_then(|(asset, size)| resources.image(&asset, size.or(declared_size)));
    Some(own.unwrap_or_else(|| placeholder(declared_size.unwrap_or(DEFAULT_SIZE))))
}

/// The size that the element's attributes or its own style give it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared {
    width: Option<u32>,
    height: Option<u32>,
}

impl Declared {
    pub(crate) fn of<'e>(attribute: &dyn Fn(&str) -> Option<&'e str>) -> Self {
        let style = attribute("style").unwrap_or_default();
        let from_style = |wanted: &str| {
            style.split(';').filter_map(|declaration| declaration.split_once(':')).find_map(|(name, value)| {
                let value = value.trim();
                let is_length = value.ends_with("px") || value == "0";
                (is_length && name.trim().eq_ignore_ascii_case(wanted)).then(|| css_pixels(value)).flatten()
            })
        };
        let edge = |name: &str| {
            from_style(name).or_else(|| attribute(name).and_then(css_pixels)).map(|edge| edge.round() as u32)
        };
        Self { width: edge("width"), height: edge("height") }
    }

    /// Both edges; one alone gives the other by the shape of the default size.
    pub(crate) fn size(self) -> Option<Size> {
        match (self.width, self.height) {
            (Some(width), Some(height)) => Some(Size { width, height }),
            (Some(width), None) => {
                Some(Size { width, height: width.div_ceil(DEFAULT_SIZE.width / DEFAULT_SIZE.height) })
            }
            (None, Some(height)) => {
                Some(Size { width: height.saturating_mul(DEFAULT_SIZE.width / DEFAULT_SIZE.height), height })
            }
            (None, None) => None,
        }
    }
}

/// SVG images have their box from attributes; only the reference changes. One that names nothing stays as it is.
fn replace_foreign(dom: &mut Dom, node: NodeId, candidates: &[String], context: &Context<'_>) {
    let Some(reference) = candidates.first() else { return };
    let Some(element) = dom.element_mut(node) else { return };
    let source = if reference.starts_with('#') || context.resources.keeps_data_url(reference) {
        reference.clone()
    } else {
        let declared = Declared::of(&|name| element.get(name)).size();
        let asset = context.resources.resolve(reference, &context.base).filter(|_| !is_data_url(reference));
        let own = asset.and_then(|asset| context.resources.image(&asset, declared));
        own.unwrap_or_else(|| placeholder(declared.unwrap_or(DEFAULT_SIZE)))
    };
    let first = element.attributes.iter().position(|a| a.name.local == local_name!("href"));
    element.attributes.retain(|a| a.name.local != local_name!("href"));
    let name = QualName::new(None, ns!(), LocalName::from("href"));
    let at = first.unwrap_or_default().min(element.attributes.len());
    element.attributes.insert(at, Attribute { name, value: source.as_str().into() });
}

/// `<source>` and `<track>` have done their duty.
fn drop_sources(dom: &mut Dom) {
    let is_source = |&node: &NodeId| dom.is(node, &local_name!("source")) || dom.is(node, &local_name!("track"));
    let sources: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(is_source).collect();
    for source in sources {
        dom.remove(source);
    }
}

#[cfg(test)]
mod tests {
    use super::first_of_set;

    #[test]
    fn the_first_address_of_a_set() {
        let check = |set: &str, expected: &str| assert_eq!(first_of_set(set), expected, "{set}");
        check("a.png 1x, b.png 2x", "a.png");
        check(" a.png, b.png 2x", "a.png");
        check("data:image/png;base64,AA== 1x", "data:image/png;base64,AA==");
        check("", "");
    }
}
