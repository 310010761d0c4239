//! Measured values on an item.
//!
//! Stages write attributes and later stages, barriers and the sink read them. They stand apart from the body, so that a
//! new measurement changes no body and re-renders nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names of the attributes that more than one crate reads. A stage may write others; the sink ignores what it has no
/// column for.
pub mod name {
    /// Title of the document, white space collapsed.
    pub const TITLE: &str = "title";
    /// Language of the page, as BCP 47 primary tag; empty when unknown.
    pub const LANG: &str = "lang";
    /// SHA-256 of the page's HTML (hex).
    pub const HTML_SHA256: &str = "html_sha256";
    /// Digest of the DOM's shape: tag paths, text ignored (64-bit SimHash as 16 hex digits).
    pub const DOM_SIMHASH: &str = "dom_simhash";
    /// Bytes of HTML without the style sheet.
    pub const HTML_BYTES: &str = "html_bytes";
    /// Bytes of the style sheet.
    pub const CSS_BYTES: &str = "css_bytes";
    /// Tokens of the style sheet and tokens of the HTML, as Vision2UI counts them.
    pub const CSS_TOKENS: &str = "css_tokens";
    /// See [`CSS_TOKENS`].
    pub const HTML_TOKENS: &str = "html_tokens";
    /// Tokens of the style sheet and of the HTML by OpenAI's `cl100k_base`.
    pub const TOKENS_CL100K: &str = "tokens_cl100k";
    /// Tokens of the style sheet and of the HTML by OpenAI's `o200k_base`.
    pub const TOKENS_O200K: &str = "tokens_o200k";
    /// Number of elements.
    pub const DOM_ELEMENTS: &str = "dom_elements";
    /// Depth of the deepest element, `html` being 1.
    pub const DOM_DEPTH: &str = "dom_depth";
    /// Number of different tag names.
    pub const DOM_TAGS: &str = "dom_tags";
    /// Characters of visible text.
    pub const TEXT_CHARS: &str = "text_chars";
    /// Number of images in the page.
    pub const IMAGES: &str = "n_images";
    /// How images were treated: `placeholder`, `inline` or `original`.
    pub const IMAGE_POLICY: &str = "image_policy";
    /// How much of the page's code was simplified away: `gentle`, `default` or `compact`.
    pub const LEVEL: &str = "level";
    /// What came of rendering the page as captured beside the cleaned one: `equal`, `differs` or `no-original`.
    pub const PROOF: &str = "proof";
    /// Share of the pixels in which the two differ, 0 to 1.
    pub const PROOF_DIFFERENCE: &str = "proof_difference";
    /// The document is what the page's scripts have made of it.
    pub const SCRIPTS_RAN: &str = "scripts_ran";
    /// What a page is that is no content, by the name of its rule; content has none.
    pub const PAGE_KIND: &str = "page_kind";
    /// Language that the visible text is written in, as BCP 47 primary tag, found by its letters.
    pub const TEXT_LANG: &str = "text_lang";
    /// How sure that is, 0 to 1.
    pub const TEXT_LANG_CONFIDENCE: &str = "text_lang_confidence";
    /// Number of different explicit words in address, title and text.
    pub const EXPLICIT_WORDS: &str = "explicit_words";
    /// Share of the words that are on the run's list of bad words, 0 to 1.
    pub const BAD_WORD_SHARE: &str = "bad_word_share";
    /// Share of the page's classes that some rule of its style sheet names, 0 to 1.
    pub const CSS_COVERAGE: &str = "css_coverage";
    /// Linked style sheets that were found in the assets.
    pub const CSS_FOUND: &str = "css_found";
    /// Linked style sheets that were missing.
    pub const CSS_MISSING: &str = "css_missing";
    /// Places where personal data was masked; absent where no mask is set.
    pub const MASKED: &str = "masked";
    /// Items of long runs (rows, list items, cards) that were cut to keep the page within its budget; absent without one.
    pub const TRUNCATED_ITEMS: &str = "truncated_items";
    /// Texts that were shortened to keep the page within its budget; absent without one.
    pub const TRUNCATED_TEXTS: &str = "truncated_texts";
    /// The page is longer than its budget even so; absent without a budget.
    pub const OVER_BUDGET: &str = "over_budget";
    /// Robots directives of the page and its headers, comma separated, lower case.
    pub const ROBOTS: &str = "robots";
    /// Licence link of the page, if it names one.
    pub const LICENSE: &str = "license";
    /// Canonical address of the page, as it or its server names it.
    pub const CANONICAL: &str = "canonical";
    /// `true` where the page or its server reserves text and data mining.
    pub const TDM_RESERVED: &str = "tdm_reserved";
    /// Where the terms of that reservation stand.
    pub const TDM_POLICY: &str = "tdm_policy";
    /// The `Server` header.
    pub const SERVER: &str = "server";
    /// The `Content-Language` header.
    pub const CONTENT_LANGUAGE: &str = "content_language";
    /// Charset that the payload was decoded with (WHATWG name).
    pub const CHARSET: &str = "charset";
    /// What named the charset: `bom`, `http`, `meta` or `detected`.
    pub const CHARSET_SOURCE: &str = "charset_source";
    /// Height of the whole document in CSS px.
    pub const PAGE_HEIGHT: &str = "page_height";
    /// Width of the whole document in CSS px.
    pub const PAGE_WIDTH: &str = "page_width";
    /// Name of the view that was rendered, such as `phone`; `main` for the first.
    pub const VIEW: &str = "view";
    /// Views of the page that were wanted and could not be had, with the reason: `phone: page-too-wide`.
    pub const VIEWS_MISSING: &str = "views_missing";
    /// Colour scheme that media queries saw: `light` or `dark`.
    pub const COLOR_SCHEME: &str = "color_scheme";
    /// Media queries heard that the user prefers reduced motion.
    pub const REDUCED_MOTION: &str = "reduced_motion";
    /// What the screenshot is encoded as: `png`, `png-small`, `webp-lossless`, `webp-85`, `jpeg-85`.
    pub const IMAGE_FORMAT: &str = "image_format";
    /// SHA-256 (hex) of the screenshot that the component was cut from.
    pub const PART_OF: &str = "part_of";
    /// Place of the component in that screenshot: left, top, width, height in CSS px.
    pub const PART_BOX: &str = "part_box";
    /// A second render gave the same pixels and nodes.
    pub const STABLE: &str = "stable";
    /// Share of the screenshot's height without content, 0 to 1.
    pub const BLANK_SHARE: &str = "blank_share";
    /// Share of the screenshot's area that text covers, 0 to 1.
    pub const TEXT_COVERAGE: &str = "text_coverage";
    /// SHA-256 of the screenshot bytes (hex).
    pub const SCREENSHOT_SHA256: &str = "screenshot_sha256";
    /// Chrome version that rendered the snapshot.
    pub const CHROME: &str = "chrome";
    /// Digest of the installed font set.
    pub const FONTS: &str = "fonts";
    /// Perceptual hash of the screenshot (hex).
    pub const PHASH: &str = "phash";
    /// Quality score, higher is better.
    pub const SCORE: &str = "score";
    /// Name of the scorer, and version.
    pub const SCORER: &str = "scorer";
    /// All numbers of all scorers: a list of [`ModelScore`](crate::ModelScore)s as JSON.
    pub const SCORES: &str = "scores";
    /// Near-duplicate cluster: the id of its representative.
    pub const CLUSTER: &str = "cluster";
    /// Pages that this one stands for since the barrier `pages`, itself included.
    pub const PAGE_COPIES: &str = "page_copies";
    /// Members of the near-duplicate cluster, with the pages that they stand for.
    pub const CLUSTER_SIZE: &str = "cluster_size";
    /// Split that the row belongs to: `train`, `validation` or `test`.
    pub const SPLIT: &str = "split";
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A count or size.
    Int(i64),
    /// A ratio or score; never NaN or infinite.
    Float(f64),
    /// A word or text.
    Text(String),
    /// Several numbers of one kind, such as sub-scores.
    Floats(Vec<f64>),
}

macro_rules! value_from {
    ($($type:ty => $variant:ident($convert:expr)),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(($convert)(value))
            }
        })*
    };
}
value_from! {
    bool => Bool(|v| v),
    i64 => Int(|v| v),
    u32 => Int(i64::from),
    u64 => Int(|v| i64::try_from(v).unwrap_or(i64::MAX)),
    usize => Int(|v| i64::try_from(v).unwrap_or(i64::MAX)),
    f64 => Float(|v: f64| if v.is_finite() { v } else { 0.0 }),
    f32 => Float(|v: f32| if v.is_finite() { f64::from(v) } else { 0.0 }),
    &str => Text(str::to_owned),
    String => Text(|v| v),
    Vec<f64> => Floats(|v| v),
}

/// Named values of one item, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces a value; chainable.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds or replaces a value.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value if it is a whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value if it is a number.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// Takes over all of `other`; its values win.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Only the named values.
    pub fn project(&self, names: &[&str]) -> Self {
        Self(names.iter().filter_map(|n| Some(((*n).to_owned(), self.get(n)?.clone()))).collect())
    }

    /// All values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_through_json() {
        let attributes = Attributes::new()
            .with("whole", 3u32)
            .with("ratio", 1.0)
            .with("word", "de")
            .with("yes", true)
            .with("parts", vec![0.5, 1.0]);
        let json = serde_json::to_string(&attributes).expect("plain data");
        assert_eq!(serde_json::from_str::<Attributes>(&json).expect("own json"), attributes);
        assert_eq!(attributes.float("whole"), Some(3.0));
        assert_eq!(attributes.int("ratio"), None);
    }

    #[test]
    fn a_number_that_is_none_becomes_zero() {
        assert_eq!(Attributes::new().with("x", f64::NAN).float("x"), Some(0.0));
    }
}
