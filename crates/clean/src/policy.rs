//! What a run wants from cleaning.

use std::sync::Arc;

use item::{Attributes, Rejection, name};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{PageKind, WordList, rule};

/// What becomes of images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImagePolicy {
    /// A neutral box of the image's true size.
    #[default]
    Placeholder,
    /// The asset itself as a data URL, in fewer bytes where it is too large; a placeholder where it is missing or still too large.
    Inline,
    /// A placeholder, with the image's own address beside it in `data-source`, where no browser fetches it.
    Original,
}

impl ImagePolicy {
    /// The kebab-case name, as in attributes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placeholder => "placeholder",
            Self::Inline => "inline",
            Self::Original => "original",
        }
    }
}

/// How much a page is simplified. Ordered: each level does all that the one before it does, so a page that comes out
/// wrong at one level can be cleaned at the one below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What acts, tracks or fetches goes and the sheets become one; every rule, class and space stays as it was.
    Gentle,
    /// Rules that match nothing go, with the classes and ids that no rule is left for, and subtrees that are never shown;
    /// white space is made regular.
    #[default]
    Default,
    /// Wrappers that change nothing are taken away, and neither code nor style sheet is indented.
    Compact,
}

impl Level {
    /// All levels, gentlest first.
    pub const ALL: [Self; 3] = [Self::Gentle, Self::Default, Self::Compact];

    /// The kebab-case name, as in attributes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gentle => "gentle",
            Self::Default => "default",
            Self::Compact => "compact",
        }
    }

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The next gentler level.
    pub const fn gentler(self) -> Option<Self> {
        match self {
            Self::Gentle => None,
            Self::Default => Some(Self::Gentle),
            Self::Compact => Some(Self::Default),
        }
    }
}

/// What becomes of fonts that a page brings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FontPolicy {
    /// Installed fonts stand in for them; fonts that the page carries in data URLs stay.
    #[default]
    Installed,
    /// The font itself as a data URL, where the assets have it.
    Inline,
}

/// How many tokens a page may have, by the estimate of `html_tokens` and `css_tokens`. What is not said is not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenRanges {
    /// Fewest of the HTML without its style sheet.
    pub html_min: Option<usize>,
    /// Most of the HTML without its style sheet.
    pub html_max: Option<usize>,
    /// Fewest of the style sheet.
    pub css_min: Option<usize>,
    /// Most of the style sheet.
    pub css_max: Option<usize>,
}

impl TokenRanges {
    /// Whether a page with such attributes is out of range.
    pub(crate) fn refuse(&self, attributes: &Attributes) -> Result<(), Rejection> {
        let ranges = [
            ("HTML", name::HTML_TOKENS, self.html_min, self.html_max),
            ("CSS", name::CSS_TOKENS, self.css_min, self.css_max),
        ];
        for (what, attribute, least, most) in ranges {
            let count = attributes.int(attribute).and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
            if let Some(least) = least.filter(|&least| count < least) {
                let detail = format!("{count} tokens of {what}, the least is {least}");
                return Err(Rejection { rule: rule::TOO_FEW_TOKENS, detail });
            }
            if let Some(most) = most.filter(|&most| count > most) {
                let detail = format!("{count} tokens of {what}, the most is {most}");
                return Err(Rejection { rule: rule::TOO_MANY_TOKENS, detail });
            }
        }
        Ok(())
    }
}

/// A kind of personal data that is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mask {
    /// E-mail addresses become `name1@example.com`.
    Email,
    /// Phone numbers become zeros.
    Phone,
    /// Public IP addresses become addresses of the ranges for documentation.
    Ip,
    /// Numbers of payment cards become zeros.
    Card,
    /// Account numbers keep their country and become zeros.
    Iban,
}

impl Mask {
    /// All masks.
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::Ip, Self::Card, Self::Iban];

    /// The kebab-case name, as in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Ip => "ip",
            Self::Card => "card",
            Self::Iban => "iban",
        }
    }
}

/// What becomes of a page's text. By default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextPolicy {
    /// What is masked in texts and attributes, before the page is rendered: each once, sorted.
    #[serde(deserialize_with = "sorted")]
    pub mask: Vec<Mask>,
    /// Most tokens of the HTML, the style sheet not counted. A longer page loses the ends of long runs of like elements, then
    /// the ends of long texts.
    pub tokens_max: Option<usize>,
}

impl TextPolicy {
    /// The policy of these masks, in any order.
    pub fn new(masks: impl IntoIterator<Item = Mask>, tokens_max: Option<usize>) -> Self {
        let mut mask: Vec<Mask> = masks.into_iter().collect();
        mask.sort_unstable();
        mask.dedup();
        Self { mask, tokens_max }
    }
}

/// Two files that name the same masks mean the same.
fn sorted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Mask>, D::Error> {
    Ok(TextPolicy::new(Vec::deserialize(deserializer)?, None).mask)
}

/// Limits and choices of one run. The defaults suit a crawl of the open web.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanPolicy {
    /// How much the page is simplified.
    pub level: Level,
    /// Widths in CSS px of the viewports that pages are shown in: rules for others go. Empty keeps rules for all screens.
    pub viewport_widths: Vec<u32>,
    /// What becomes of images.
    pub images: ImagePolicy,
    /// What becomes of fonts.
    pub fonts: FontPolicy,
    /// Largest font that is inlined. Icon fonts take 20 to 100 KiB, text fonts of many scripts up to 300.
    pub inline_font_bytes_max: usize,
    /// Largest asset that is inlined. 64 KiB holds icons and small photographs, and keeps a page of twenty images near
    /// the size at which training code is cut off anyway.
    pub inline_image_bytes_max: usize,
    /// Most pixels of an inlined image: Chrome decodes 4 bytes a pixel, so 25 million are 100 MB of its memory.
    pub inline_image_pixels_max: u64,
    /// Longest data URL that the page brought itself and keeps. As much as an inlined image takes in base64.
    pub data_url_bytes_max: usize,
    /// What is masked, and how much text there may be.
    pub text: TextPolicy,
    /// Pages that are no content, and not wanted. What is left out is only marked, in the attribute `page_kind`.
    pub unwanted: Vec<PageKind>,
    /// Languages that are wanted, as BCP 47 primary tags; empty wants all. A page whose language is not known stays.
    pub languages: Vec<String>,
    /// Most different explicit words in address, title and text; `None` refuses none.
    pub explicit_words_max: Option<usize>,
    /// Words that pages should not have. Whoever keys an answer adds the digest of the lists.
    #[serde(skip)]
    pub bad_words: Arc<WordList>,
    /// Largest share of the words that may be on that list, 0 to 1.
    pub bad_word_share_max: f64,
    /// How many tokens are wanted.
    pub tokens: TokenRanges,
    /// Fewest characters of visible text. A login form has about a hundred.
    pub text_chars_min: usize,
    /// Smallest cleaned document. An empty skeleton takes about a hundred bytes, so this asks for some content.
    pub html_bytes_min: usize,
    /// Largest cleaned document. 2 MiB holds the heaviest real pages with their frameworks; beyond are data dumps.
    pub html_bytes_max: usize,
    /// Longest input that is parsed at all. Parsing takes about ten times the input in memory.
    pub input_bytes_max: usize,
    /// Most elements in the parsed page. Chrome stops answering near 300,000; real pages seldom pass 10,000.
    pub elements_max: usize,
    /// Deepest nesting, `html` being 1. Chrome's own parser flattens what is deeper than 512, so the tree would lie.
    pub depth_max: usize,
    /// Most style sheets of a page, imports included; a bound on look-ups that one page can cause.
    pub sheets_max: usize,
    /// Deepest chain of `@import`. Real sheets use two or three.
    pub import_depth_max: usize,
    /// Most bytes of CSS that are taken from assets, all sheets together; the rest counts as missing.
    pub css_bytes_max: usize,
}

impl Default for CleanPolicy {
    fn default() -> Self {
        Self {
            level: Level::default(),
            viewport_widths: Vec::new(),
            images: ImagePolicy::default(),
            fonts: FontPolicy::default(),
            inline_font_bytes_max: 300 << 10,
            inline_image_bytes_max: 64 << 10,
            inline_image_pixels_max: 25_000_000,
            data_url_bytes_max: 88 << 10,
            text: TextPolicy::default(),
            // A login form is a layout like any other, and consent is asked for on many a page worth having.
            unwanted: vec![
                PageKind::AppShell,
                PageKind::DirectoryListing,
                PageKind::RobotCheck,
                PageKind::ParkedDomain,
                PageKind::ErrorPage,
            ],
            languages: Vec::new(),
            explicit_words_max: None,
            bad_words: Arc::default(),
            bad_word_share_max: 1.0,
            tokens: TokenRanges::default(),
            text_chars_min: 100,
            html_bytes_min: 256,
            html_bytes_max: 2 << 20,
            input_bytes_max: 8 << 20,
            elements_max: 20_000,
            depth_max: 512,
            sheets_max: 200,
            import_depth_max: 8,
            css_bytes_max: 4 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mask, TextPolicy};

    #[test]
    fn masks_are_a_set() {
        assert!(Mask::ALL.is_sorted());
        let policy = TextPolicy::new([Mask::Iban, Mask::Email, Mask::Iban], None);
        assert_eq!(policy.mask, [Mask::Email, Mask::Iban]);
    }
}
