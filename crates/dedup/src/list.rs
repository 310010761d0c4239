//! Hash lists and the standing index, as files.
//!
//! Both are JSON lines: first a header that names format and recipes, then one line for each picture, page or domain. Every
//! part of a line but its name is optional, so that a benchmark of pictures, one of pages and one of both use one format.
//! Formats and fields stand in docs/dedup.md.

use std::io::BufRead;

use item::ItemId;
use serde::{Deserialize, Serialize};

use crate::phash::{Recipe, Sight, VisualPrint};
use crate::sketch::{PageSketch, SKETCH_RECIPE};
use crate::{Look, Split};

/// First words of a hash list.
pub const HASHLIST_FORMAT: &str = "databuild-hashlist/1";
/// First words of a standing index.
pub const INDEX_FORMAT: &str = "databuild-index/2";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`HASHLIST_FORMAT`] or [`INDEX_FORMAT`].
    pub format: String,
    /// What the list is of; it stands in the reason of each rejection.
    pub name: String,
    /// How pictures are hashed.
    pub phash: String,
    /// How pages are sketched.
    pub sketch: String,
}

impl Header {
    /// The header of a file that this version writes.
    pub fn new(format: &str, name: &str) -> Self {
        Self {
            format: format.to_owned(),
            name: name.to_owned(),
            phash: Recipe::default().to_string(),
            sketch: SKETCH_RECIPE.to_owned(),
        }
    }
}

/// One line of a hash list or of the index.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Entry {
    /// Name of the file in the benchmark; of an index, the id of the row.
    pub name: String,
    /// SHA-256 of the page's HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html_sha256: Option<String>,
    /// [`PageSketch::to_text`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Hashes and size of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// A registrable domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The split of a published row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The edition that a published row came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    /// What a published row says of its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

/// A cluster, as a published row has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its representative.
    pub of: ItemId,
    /// Pages in it.
    pub size: u64,
}

/// A picture in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Width and height in px.
    pub size: [u32; 2],
    /// Hash of the whole picture, hex.
    pub whole: crate::Hash256,
    /// Hash of the first viewport, hex.
    pub viewport: crate::Hash256,
    /// Its hashes mean nothing.
    #[serde(default)]
    pub flat: bool,
    /// [`Look::to_text`].
    pub look: String,
}

impl From<&Sight> for Picture {
    fn from(sight: &Sight) -> Self {
        let VisualPrint { whole, viewport, flat, width, height } = sight.print;
        Self { size: [width, height], whole, viewport, flat, look: sight.look.to_text() }
    }
}

impl Picture {
    /// The picture as barriers see it; `None` when it is malformed.
    pub fn sight(&self) -> Option<Sight> {
        let [width, height] = self.size;
        let print = VisualPrint { whole: self.whole, viewport: self.viewport, flat: self.flat, width, height };
        Some(Sight { print, look: Look::from_text(&self.look)? })
    }
}

/// A list that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file could not be read.
    #[error("read the list")]
    Read(#[source] std::io::Error),
    /// A line is not what it should be.
    #[error("understand line {line}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A part of a line is malformed.
    #[error("understand `{part}` in line {line}")]
    Part {
        /// Its number, from 1.
        line: usize,
        /// Name of the part.
        part: &'static str,
    },
    /// Another format, or hashes of another recipe.
    #[error("use a list of `{found}`, where `{expected}` is needed")]
    Recipe {
        /// What the header says.
        found: String,
        /// What this version can compare.
        expected: String,
    },
}

/// Reads header and entries of a list of that format, and calls `visit` with the number of each line and its entry.
pub(crate) fn read(
    input: impl BufRead,
    format: &str,
    mut visit: impl FnMut(usize, Entry) -> Result<(), ListError>,
) -> Result<Header, ListError> {
    let mut lines = input.lines().zip(1usize..);
    let first = lines.next().map_or(Ok(String::new()), |(line, _)| line).map_err(ListError::Read)?;
    let header: Header = serde_json::from_str(&first).map_err(|source| ListError::Line { line: 1, source })?;
    let expected = Header::new(format, &header.name);
    let pairs = [(&header.format, expected.format), (&header.phash, expected.phash), (&header.sketch, expected.sketch)];
    for (found, expected) in pairs {
        if *found != expected {
            return Err(ListError::Recipe { found: found.clone(), expected });
        }
    }
    for (text, line) in lines {
        let text = text.map_err(ListError::Read)?;
        if !text.trim().is_empty() {
            visit(line, serde_json::from_str(&text).map_err(|source| ListError::Line { line, source })?)?;
        }
    }
    Ok(header)
}

impl Entry {
    pub(crate) fn sight(&self, line: usize) -> Result<Option<Sight>, ListError> {
        let sight = |picture: &Picture| picture.sight().ok_or(ListError::Part { line, part: "picture" });
        self.picture.as_ref().map(sight).transpose()
    }

    pub(crate) fn sketch(&self, line: usize) -> Result<Option<PageSketch>, ListError> {
        let sketch = |text: &String| PageSketch::from_text(text).ok_or(ListError::Part { line, part: "page" });
        self.page.as_ref().map(sketch).transpose()
    }
}

/// A published row.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Identity.
    pub id: ItemId,
    /// Registrable domain.
    pub domain: String,
    /// Where it is.
    pub split: Split,
    /// With which edition of the dataset it came.
    pub edition: u32,
    /// What it says of its cluster. It goes on saying that when more pages are found to be like it, so that its file stays what
    /// it is.
    pub cluster: Cluster,
    /// SHA-256 of the page's HTML.
    pub html_sha256: String,
    /// What it says.
    pub sketch: PageSketch,
    /// What it looks like.
    pub sight: Sight,
}

impl Published {
    /// The line of the index.
    pub fn entry(&self) -> Entry {
        Entry {
            name: self.id.to_string(),
            html_sha256: Some(self.html_sha256.clone()),
            page: Some(self.sketch.to_text()),
            picture: Some(Picture::from(&self.sight)),
            domain: Some(self.domain.clone()),
            split: Some(self.split.name().to_owned()),
            edition: Some(self.edition),
            cluster: Some(self.cluster.clone()),
        }
    }
}

/// Reads a standing index; rows come in the order of the file, of one id the last.
pub fn read_index(input: impl BufRead) -> Result<Vec<Published>, ListError> {
    let mut rows = std::collections::BTreeMap::new();
    read(input, INDEX_FORMAT, |line, entry| {
        let missing = |part| ListError::Part { line, part };
        let published = Published {
            id: entry.name.parse().map_err(|_| missing("name"))?,
            sketch: entry.sketch(line)?.ok_or(missing("page"))?,
            sight: entry.sight(line)?.ok_or(missing("picture"))?,
            domain: entry.domain.ok_or(missing("domain"))?,
            split: entry.split.as_deref().and_then(Split::from_name).ok_or(missing("split"))?,
            edition: entry.edition.filter(|&edition| edition > 0).ok_or(missing("edition"))?,
            cluster: entry.cluster.ok_or(missing("cluster"))?,
            html_sha256: entry.html_sha256.ok_or(missing("html_sha256"))?,
        };
        rows.insert(published.id, published);
        Ok(())
    })?;
    Ok(rows.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::id;
    use crate::near::tests::{note, print, text};

    fn published() -> Published {
        Published {
            id: id(1),
            domain: "a.org".into(),
            split: Split::Test,
            edition: 3,
            cluster: Cluster { of: id(2), size: 4 },
            html_sha256: "00".into(),
            sketch: PageSketch::of("<p class=x>one two three"),
            sight: note(1, print(7, 9, 800), &text("q", 0)).sight,
        }
    }

    fn file(lines: &[String]) -> String {
        let header = serde_json::to_string(&Header::new(INDEX_FORMAT, "run")).expect("plain data");
        [std::slice::from_ref(&header), lines].concat().join("\n")
    }

    #[test]
    fn an_index_survives_its_file() {
        let line = serde_json::to_string(&published().entry()).expect("plain data");
        assert_eq!(read_index(file(&[line.clone(), line]).as_bytes()).expect("own file"), [published()]);
    }

    #[test]
    fn damage_names_the_line() {
        let line = serde_json::to_string(&published().entry()).expect("plain data");
        let check = |text: &str, expected: &str| {
            let error = read_index(text.as_bytes()).expect_err(text);
            assert_eq!(error.to_string(), expected);
        };
        check("", "understand line 1");
        check(&file(&[line.replace("\"test\"", "\"exam\"")]), "understand `split` in line 2");
        check(&file(&[line.clone(), line.replace("\"page\":\"", "\"page\":\"A")]), "understand `page` in line 3");
        check(
            &file(&[]).replace("databuild-index/2", "databuild-index/9"),
            "use a list of `databuild-index/9`, where `databuild-index/2` is needed",
        );
    }
}
