//! The sample data that ships with the repository: `pipelines/sample` turned into two archives.
//!
//! `captures.toml` is the table of what a crawler is to have seen: a file of `pages/` or `assets/` (or a drawn
//! picture, or a body in place) under a URL, with the ways in which the real web is odd: other charsets, codings,
//! statuses, dates, small changes that make near-duplicates, and damage.

use crate::picture;
use crate::response::{Coding, Response};
use crate::scene;
use crate::warc::WarcBuilder;
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The archive of pages, in the sample's folder.
pub const PAGES_FILE: &str = "sample.warc.gz";
/// The archive of stylesheets and images, in the sample's folder.
pub const ASSETS_FILE: &str = "assets.warc.gz";

/// How much of a cut record is left, in thousandths: enough that a reader has begun to believe in it.
const CUT_KEEPS_PERMILLE: usize = 550;

/// The two archives, not yet compressed.
#[derive(Debug)]
pub struct Sample {
    /// What a crawl of pages would have written.
    pub pages: WarcBuilder,
    /// Stylesheets and images of these pages.
    pub assets: WarcBuilder,
}

/// The sample's folder in this repository.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/sample")
}

impl Sample {
    /// Reads the table and the files it names.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("captures.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let table: Table = toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))?;

        let info = [
            ("software", "databuild testkit"),
            ("format", "WARC File Format 1.0"),
            ("description", "Invented pages of invented companies, written for databuild"),
            ("robots", "none needed: nothing was crawled"),
        ];
        let mut pages = WarcBuilder::new().warcinfo(PAGES_FILE, &info).with_requests();
        for entry in &table.capture {
            pages = entry.add_to(pages, &folder.join("pages")).with_context(|| format!("capture {}", entry.url))?;
        }
        let mut assets = WarcBuilder::new().warcinfo(ASSETS_FILE, &info);
        for entry in &table.asset {
            assets = entry.add_to(assets, &folder.join("assets")).with_context(|| format!("asset {}", entry.url))?;
        }
        Ok(Self { pages, assets })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    capture: Vec<Entry>,
    asset: Vec<Entry>,
}

/// One answer of the invented web.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    url: String,
    /// The body: a file of the folder, ...
    file: Option<String>,
    /// ... or a text in place, ...
    body: Option<String>,
    /// ... or a drawn picture: the name of a scene. What varies in it follows from the URL.
    picture: Option<String>,
    /// Width and height of the picture.
    size: Option<(u32, u32)>,
    /// Pairs of old and new text, applied to the body in this order; each old text must be there.
    #[serde(default)]
    replace: Vec<(String, String)>,
    /// The encoding of the body; UTF-8 without it.
    charset: Option<String>,
    #[serde(default = "ok")]
    status: u16,
    /// The `Content-Type` header; by the name of the file without it, none if empty.
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    coding: Option<CodingName>,
    date: Option<String>,
    /// Whether the record breaks off in the middle.
    #[serde(default)]
    cut: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CodingName {
    Gzip,
    Chunked,
}

fn ok() -> u16 {
    200
}

impl Entry {
    fn add_to(&self, archive: WarcBuilder, folder: &Path) -> anyhow::Result<WarcBuilder> {
        let mut response = Response::new(&self.url)
            .status(self.status)
            .content_type(self.content_type.as_deref().unwrap_or_else(|| self.type_by_name()))
            .coding(match self.coding {
                None => Coding::Plain,
                Some(CodingName::Gzip) => Coding::Gzip,
                Some(CodingName::Chunked) => Coding::Chunked,
            })
            .body(self.body(folder)?);
        if let Some(date) = &self.date {
            response = response.date(date);
        }
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let archive = archive.response(response);
        Ok(if self.cut { archive.cut_last(CUT_KEEPS_PERMILLE) } else { archive })
    }

    fn body(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        let text = match (&self.file, &self.body, &self.picture) {
            (Some(file), None, None) => {
                let path = folder.join(file);
                std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?
            }
            (None, Some(body), None) => body.clone(),
            (None, None, Some(scene)) => return self.drawn(scene),
            _ => bail!("exactly one of file, body and picture says what the body is"),
        };
        let mut text = text;
        for (old, new) in &self.replace {
            ensure!(text.contains(old.as_str()), "nothing to replace: {old:?} is not in the body");
            text = text.replace(old.as_str(), new);
        }
        self.encoded(text)
    }

    fn encoded(&self, text: String) -> anyhow::Result<Vec<u8>> {
        let Some(charset) = &self.charset else { return Ok(text.into_bytes()) };
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).context("no such charset")?;
        let (bytes, _, lossy) = encoding.encode(&text);
        ensure!(!lossy, "the page has characters that {charset} lacks");
        Ok(bytes.into_owned())
    }

    fn drawn(&self, scene: &str) -> anyhow::Result<Vec<u8>> {
        let (width, height) = self.size.context("a picture needs a size")?;
        let canvas = scene::draw(scene, width, height, &self.url).with_context(|| format!("no scene {scene:?}"))?;
        match extension(&self.url) {
            "png" => Ok(canvas.png()),
            "jpg" => Ok(canvas.jpeg(picture::JPEG_QUALITY)),
            other => bail!("pictures are png or jpg, not {other:?}"),
        }
    }

    fn type_by_name(&self) -> &'static str {
        match extension(self.file.as_deref().unwrap_or(&self.url)) {
            "css" => "text/css",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "jpg" => "image/jpeg",
            "xhtml" => "application/xhtml+xml; charset=utf-8",
            _ => "text/html; charset=utf-8",
        }
    }
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}
