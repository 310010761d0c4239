//! `clean`: a capture to a self-contained page.

mod config;
mod tokens;

use std::path::Path;
use std::sync::Arc;

use ::clean::{Asset, Assets, CleanPolicy, WordList};
use engine::{BatchSize, Context, Settings, Stage, StageError};
use ingest::AssetIndex;
use ingest::fetch::Fetcher;
use item::{Capture, Item, Page, Verdict, name};

pub use self::config::{CleanConfig, Fonts, Images, Level, Mask, PageKind, Scripts, Tokens};
pub use self::tokens::Tokenizer;
use crate::source::find_files;

/// The stage.
#[derive(Debug)]
pub struct CleanStage {
    config: CleanConfig,
    policy: CleanPolicy,
    assets: Arc<StoredAssets>,
}

impl CleanStage {
    /// Reads the indexes of the asset files, relative to `base`.
    pub fn new(config: &CleanConfig, base: &Path) -> Result<Self, StageError> {
        let files = find_files(&config.assets, base)?;
        let assets = AssetIndex::build(&files, ingest::Limits::default())
            .map_err(|error| StageError::new("index the asset files", error))?;
        let assets = StoredAssets { index: Arc::new(assets), fetched: None };
        let mut bad_words = WordList::default();
        for path in find_files(&config.bad_words, base)? {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| StageError::new(format!("read the list of words {}", path.display()), error))?;
            bad_words.add_lines(&text);
        }
        let policy = CleanPolicy { bad_words: Arc::new(bad_words), ..config.policy() };
        Ok(Self { config: config.clone(), policy, assets: Arc::new(assets) })
    }

    /// Takes style sheets that the asset files lack from what was fetched.
    pub fn with_fetched(self, fetched: Arc<Fetcher>) -> Self {
        let assets = StoredAssets { index: Arc::clone(&self.assets.index), fetched: Some(fetched) };
        Self { assets: Arc::new(assets), ..self }
    }

    /// How long scripts of application shells run; `None` where they do not.
    pub(crate) fn scripts_ms(&self) -> Option<u64> {
        (self.config.scripts == Scripts::Run).then_some(self.config.scripts_ms)
    }

    pub(crate) fn policy(&self) -> CleanPolicy {
        self.policy.clone()
    }

    pub(crate) fn assets(&self) -> Arc<StoredAssets> {
        Arc::clone(&self.assets)
    }
}

/// What was captured beside the pages, and what was fetched since.
#[derive(Debug)]
pub(crate) struct StoredAssets {
    pub(crate) index: Arc<AssetIndex>,
    fetched: Option<Arc<Fetcher>>,
}

impl StoredAssets {
    /// What an answer depends on; what the web gave is a fact like the time of a crawl.
    pub(crate) fn settings(&self) -> Settings {
        serde_json::json!(self.index.digest())
    }
}

impl Assets for StoredAssets {
    fn get(&self, url: &str) -> Option<Asset> {
        // An asset that can't be read is as good as one that was never captured; the page counts it as missing.
        let asset = self.index.get(url).ok().flatten()?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }

    fn sheet(&self, url: &str) -> Option<Asset> {
        self.get(url).or_else(|| {
            let asset = self.fetched.as_ref()?.known(url).ok().flatten()?;
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
        settings["assets"] = self.assets.settings();
        let words = self.policy.bad_words.sorted().join("\n");
        settings["bad_words"] = serde_json::json!(crate::dataset::sha256_hex(words.as_bytes()));
        settings
    }

    fn process(&self, batch: &[Item<Capture>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        let clean = |item: &Item<Capture>| {
            // What was proven to change the page is not done to it.
            let proven = item.head.attributes.text(name::LEVEL).and_then(::clean::Level::named);
            let level = proven.unwrap_or(self.policy.level);
            let mut verdict =
                ::clean::clean_at(level, &item.body, &item.head.provenance.url, &self.policy, &*self.assets);
            if let Verdict::Keep(kept) = &mut verdict {
                tokens::count(&self.config.tokenizers, &kept.body.html, &mut kept.attributes);
                kept.attributes.set(name::LEVEL, level.name());
                kept.attributes.set(name::HTML_SHA256, crate::dataset::sha256_hex(kept.body.html.as_bytes()));
            }
            verdict
        };
        Ok(batch.iter().map(clean).collect())
    }
}
