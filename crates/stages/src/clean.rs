//! `clean`: a capture to a self-contained page.

use std::path::Path;
use std::sync::Arc;

use ::clean::{Asset, Assets, CleanPolicy, FontPolicy, ImagePolicy};
use engine::{BatchSize, Context, Settings, Stage, StageError};
use ingest::AssetIndex;
use ingest::fetch::Fetcher;
use item::{Capture, Item, Page, Verdict, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::find_files;

/// What becomes of pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// A neutral picture of the right size.
    #[default]
    Placeholder,
    /// The picture itself, as a data URL, where the assets have it; else a placeholder.
    Inline,
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

/// `[clean]`: how a capture becomes a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CleanConfig {
    /// WARC files with style sheets and pictures: paths and glob patterns, relative to the pipeline file.
    pub assets: Vec<String>,
    /// How much the code is simplified: `gentle`, `default` or `compact`.
    pub level: Level,
    /// Widths in CSS px of the viewports that count: style rules for others go. Empty keeps rules for all screens.
    pub viewport_widths: Vec<u32>,
    /// What becomes of fonts that a page brings: `installed` or `inline`.
    pub fonts: Fonts,
    /// Largest font that is inlined, in bytes.
    pub inline_font_bytes_max: usize,
    /// What becomes of pictures: `placeholder` or `inline`.
    pub images: Images,
    /// Largest picture that is inlined, in bytes.
    pub inline_image_bytes_max: usize,
    /// Pages that are no content and are rejected, each kind by a rule of its name.
    pub unwanted: Vec<PageKind>,
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
            text_chars_min: policy.text_chars_min,
            html_bytes_min: policy.html_bytes_min,
            html_bytes_max: policy.html_bytes_max,
            elements_max: policy.elements_max,
            depth_max: policy.depth_max,
        }
    }
}

impl CleanConfig {
    fn policy(&self) -> CleanPolicy {
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
            },
            inline_image_bytes_max: self.inline_image_bytes_max,
            unwanted: self.unwanted.iter().copied().map(Into::into).collect(),
            text_chars_min: self.text_chars_min,
            html_bytes_min: self.html_bytes_min,
            html_bytes_max: self.html_bytes_max,
            elements_max: self.elements_max,
            depth_max: self.depth_max,
            ..CleanPolicy::default()
        }
    }
}

/// The stage.
#[derive(Debug)]
pub struct CleanStage {
    config: CleanConfig,
    policy: CleanPolicy,
    assets: Arc<AssetIndex>,
    fetched: Option<Arc<Fetcher>>,
}

impl CleanStage {
    /// Reads the indexes of the asset files, relative to `base`.
    pub fn new(config: &CleanConfig, base: &Path) -> Result<Self, StageError> {
        let files = find_files(&config.assets, base)?;
        let assets = AssetIndex::build(&files, ingest::Limits::default())
            .map_err(|error| StageError::new("index the asset files", error))?;
        Ok(Self { config: config.clone(), policy: config.policy(), assets: Arc::new(assets), fetched: None })
    }

    /// Takes style sheets that the asset files lack from what was fetched.
    pub fn with_fetched(self, fetched: Arc<Fetcher>) -> Self {
        Self { fetched: Some(fetched), ..self }
    }

    pub(crate) fn policy(&self) -> CleanPolicy {
        self.policy.clone()
    }

    pub(crate) fn assets(&self) -> Arc<AssetIndex> {
        Arc::clone(&self.assets)
    }
}

struct StoredAssets<'a> {
    index: &'a AssetIndex,
    fetched: Option<&'a Fetcher>,
}

impl Assets for StoredAssets<'_> {
    fn get(&self, url: &str) -> Option<Asset> {
        // An asset that can't be read is as good as one that was never captured; the page counts it as missing.
        let asset = self.index.get(url).ok().flatten()?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }

    fn sheet(&self, url: &str) -> Option<Asset> {
        self.get(url).or_else(|| {
            let asset = self.fetched?.known(url).ok().flatten()?;
            Some(Asset { mime: asset.mime, bytes: asset.bytes })
        })
    }
}

impl Stage for CleanStage {
    type In = Capture;
    type Out = Page;
    const NAME: &'static str = "clean";
    const VERSION: u32 = 4;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 16, bytes: 4 << 20 }
    }

    fn settings(&self) -> Settings {
        let mut settings = serde_json::json!(self.config);
        // Paths are no behaviour; what stands in the files is.
        settings["assets"] = serde_json::json!(self.assets.digest());
        settings
    }

    fn process(&self, batch: &[Item<Capture>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        let assets = StoredAssets { index: &self.assets, fetched: self.fetched.as_deref() };
        let clean = |item: &Item<Capture>| {
            let mut verdict = ::clean::clean(&item.body, &item.head.provenance.url, &self.policy, &assets);
            if let Verdict::Keep(kept) = &mut verdict {
                kept.attributes.set(name::HTML_SHA256, crate::dataset::sha256_hex(kept.body.html.as_bytes()));
            }
            verdict
        };
        Ok(batch.iter().map(clean).collect())
    }
}
