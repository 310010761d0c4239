//! The table `[clean]`.

use ::clean::{CleanPolicy, FontPolicy, ImagePolicy, TextPolicy, TokenRanges};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tokens::Tokenizer;

/// What becomes of pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// A neutral picture of the right size.
    #[default]
    Placeholder,
    /// The picture itself, as a data URL, where the assets have it; else a placeholder.
    Inline,
    /// A placeholder, with the picture's own address beside it in the attribute `data-source`, which no browser fetches.
    Original,
}

/// What becomes of fonts that a page brings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fonts {
    /// Installed fonts stand in for them.
    #[default]
    Installed,
    /// The font itself, as a data URL, where the assets have it.
    Inline,
}

/// How much a page's code is simplified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Scripts, trackers and metadata go and the sheets become one; all else stays as it was.
    Gentle,
    /// Unused rules, classes and ids go, and what is never shown; white space is made regular.
    #[default]
    Default,
    /// Wrappers that change nothing go too, and the code is not indented.
    Compact,
}

impl From<Level> for ::clean::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Gentle => Self::Gentle,
            Level::Default => Self::Default,
            Level::Compact => Self::Compact,
        }
    }
}

/// What a page can be that is no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageKind {
    /// It shows next to nothing until its script fills it.
    AppShell,
    /// It says that there was an error, under status 200.
    ErrorPage,
    /// Its domain is parked or for sale.
    ParkedDomain,
    /// It asks for proof that the reader is no robot.
    RobotCheck,
    /// It is a server's list of files.
    DirectoryListing,
    /// It is a form to log in with, and little else.
    LoginWall,
    /// It asks for consent to cookies in place of its content.
    ConsentWall,
}

impl From<PageKind> for ::clean::PageKind {
    fn from(kind: PageKind) -> Self {
        match kind {
            PageKind::AppShell => Self::AppShell,
            PageKind::ErrorPage => Self::ErrorPage,
            PageKind::ParkedDomain => Self::ParkedDomain,
            PageKind::RobotCheck => Self::RobotCheck,
            PageKind::DirectoryListing => Self::DirectoryListing,
            PageKind::LoginWall => Self::LoginWall,
            PageKind::ConsentWall => Self::ConsentWall,
        }
    }
}

/// What becomes of pages that show next to nothing without their scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scripts {
    /// They are rejected as `app-shell`, if `unwanted` names that.
    #[default]
    Reject,
    /// Their scripts run, and what comes of it is cleaned.
    Run,
}

/// Personal data that is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl From<Mask> for ::clean::Mask {
    fn from(mask: Mask) -> Self {
        match mask {
            Mask::Email => Self::Email,
            Mask::Phone => Self::Phone,
            Mask::Ip => Self::Ip,
            Mask::Card => Self::Card,
            Mask::Iban => Self::Iban,
        }
    }
}

/// How many tokens a page may have, by the estimate in the column `tokens`. What is not said is not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Fewest of the HTML without its style sheet.
    pub html_min: Option<usize>,
    /// Most of the HTML without its style sheet.
    pub html_max: Option<usize>,
    /// Fewest of the style sheet.
    pub css_min: Option<usize>,
    /// Most of the style sheet.
    pub css_max: Option<usize>,
}

/// `[clean]`: how a capture becomes a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CleanConfig {
    /// WARC files with style sheets and pictures: paths and glob patterns, relative to the pipeline file.
    pub assets: Vec<String>,
    /// How much the code is simplified: `gentle`, `default` or `compact`.
    pub level: Level,
    /// What becomes of pages that show next to nothing without their scripts: `reject`, or `run` those that the asset files have,
    /// without a network, and clean what they make of the page.
    pub scripts: Scripts,
    /// How long they run, in ms.
    pub scripts_ms: u64,
    /// Widths in CSS px of the viewports that count: style rules for others go. Empty keeps rules for all screens.
    pub viewport_widths: Vec<u32>,
    /// What becomes of fonts that a page brings: `installed` or `inline`.
    pub fonts: Fonts,
    /// Largest font that is inlined, in bytes.
    pub inline_font_bytes_max: usize,
    /// What becomes of pictures: `placeholder`, `inline` or `original`.
    pub images: Images,
    /// Largest picture that is inlined, in bytes; larger ones are encoded again to fit.
    pub inline_image_bytes_max: usize,
    /// Pages that are no content and are rejected, each kind by a rule of its name.
    pub unwanted: Vec<PageKind>,
    /// Languages that are wanted, as BCP 47 primary tags such as `en`; empty wants all.
    pub languages: Vec<String>,
    /// Pages with more different explicit words in address, title and text are rejected; by default none.
    pub explicit_words_max: Option<usize>,
    /// Files with a bad word or phrase a line, relative to the pipeline file.
    pub bad_words: Vec<String>,
    /// Pages are rejected when a greater share of their words is in those files, 0 to 1.
    pub bad_word_share_max: f64,
    /// Further tokenizers that count the tokens of HTML and CSS: `cl100k`, `o200k`.
    pub tokenizers: Vec<Tokenizer>,
    /// Pages with fewer or more tokens are rejected.
    pub tokens: Tokens,
    /// Personal data that is masked in the code, before it is rendered: `email`, `phone`, `ip`, `card`, `iban`.
    pub mask: Vec<Mask>,
    /// Most tokens of a page's HTML, by the estimate in `tokens`: the ends of long lists and texts of longer pages are cut off.
    pub shorten_to_tokens: Option<usize>,
    /// Pages with less visible text than this, in characters, are rejected.
    pub text_chars_min: usize,
    /// Pages smaller than this after cleaning, in bytes, are rejected.
    pub html_bytes_min: usize,
    /// Pages larger than this after cleaning, in bytes, are rejected.
    pub html_bytes_max: usize,
    /// Pages with more elements than this are rejected.
    pub elements_max: usize,
    /// Pages nested deeper than this are rejected; hundreds of levels hang browsers.
    pub depth_max: usize,
}

impl Default for CleanConfig {
    fn default() -> Self {
        let policy = CleanPolicy::default();
        Self {
            assets: Vec::new(),
            level: Level::Default,
            scripts: Scripts::Reject,
            scripts_ms: 2_000,
            viewport_widths: Vec::new(),
            fonts: Fonts::Installed,
            inline_font_bytes_max: policy.inline_font_bytes_max,
            images: Images::Placeholder,
            inline_image_bytes_max: policy.inline_image_bytes_max,
            unwanted: vec![
                PageKind::AppShell,
                PageKind::DirectoryListing,
                PageKind::RobotCheck,
                PageKind::ParkedDomain,
                PageKind::ErrorPage,
            ],
            languages: Vec::new(),
            explicit_words_max: policy.explicit_words_max,
            bad_words: Vec::new(),
            bad_word_share_max: policy.bad_word_share_max,
            tokenizers: Vec::new(),
            tokens: Tokens::default(),
            mask: Vec::new(),
            shorten_to_tokens: None,
            text_chars_min: policy.text_chars_min,
            html_bytes_min: policy.html_bytes_min,
            html_bytes_max: policy.html_bytes_max,
            elements_max: policy.elements_max,
            depth_max: policy.depth_max,
        }
    }
}

impl CleanConfig {
    pub(super) fn policy(&self) -> CleanPolicy {
        CleanPolicy {
            level: self.level.into(),
            viewport_widths: self.viewport_widths.clone(),
            fonts: match self.fonts {
                Fonts::Installed => FontPolicy::Installed,
                Fonts::Inline => FontPolicy::Inline,
            },
            inline_font_bytes_max: self.inline_font_bytes_max,
            images: match self.images {
                Images::Placeholder => ImagePolicy::Placeholder,
                Images::Inline => ImagePolicy::Inline,
                Images::Original => ImagePolicy::Original,
            },
            inline_image_bytes_max: self.inline_image_bytes_max,
            unwanted: self.unwanted.iter().copied().map(Into::into).collect(),
            languages: self.languages.clone(),
            explicit_words_max: self.explicit_words_max,
            bad_word_share_max: self.bad_word_share_max,
            tokens: TokenRanges {
                html_min: self.tokens.html_min,
                html_max: self.tokens.html_max,
                css_min: self.tokens.css_min,
                css_max: self.tokens.css_max,
            },
            text: TextPolicy::new(self.mask.iter().copied().map(Into::into), self.shorten_to_tokens),
            text_chars_min: self.text_chars_min,
            html_bytes_min: self.html_bytes_min,
            html_bytes_max: self.html_bytes_max,
            elements_max: self.elements_max,
            depth_max: self.depth_max,
            ..CleanPolicy::default()
        }
    }
}
