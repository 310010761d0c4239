//! What stands at the target in the end: names, sizes and digests, known before the first byte goes.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use dataset::{Manifest, ShardFile};

use crate::digest;
use crate::error::{self, PublishError};

/// Name of the card.
pub(crate) const CARD: &str = "README.md";
/// Name of the dataset's own manifest beside it.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
}

/// A file as it will stand at the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Path at the target.
    pub name: String,
    /// Where its bytes are.
    pub source: Source,
    /// How many.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: String,
}

impl PublishedFile {
    /// A file that was made here.
    pub fn document(name: &str, content: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: content.len() as u64,
            sha256: digest::sha256(&content),
            source: Source::Bytes(content),
        }
    }

    /// A reader of `length` bytes from `start` on.
    pub(crate) fn read(&self, start: u64, length: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.source {
            Source::File(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(start))?;
                Box::new(file.take(length))
            }
            Source::Bytes(bytes) => {
                let mut cursor = Cursor::new(bytes.as_slice());
                cursor.set_position(start);
                Box::new(cursor.take(length))
            }
        })
    }

    pub(crate) fn path(&self) -> &Path {
        match &self.source {
            Source::File(path) => path,
            Source::Bytes(_) => Path::new(&self.name),
        }
    }
}

/// Everything that is published, in the order in which it goes: data, then what describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Name of the run.
    pub title: String,
    /// Digest of the manifest: the same dataset has the same one.
    pub digest: String,
    /// The shards.
    pub data: Vec<PublishedFile>,
    /// What stands beside them: the manifest, Croissant metadata, pictures of the card. The card itself is made when it is
    /// known what stands at the target.
    pub documents: Vec<PublishedFile>,
}

impl Publication {
    /// The dataset of `manifest`, whose files stand below `folder`.
    pub fn new(manifest: &Manifest, folder: &Path) -> Result<Self, PublishError> {
        let mut data = Vec::new();
        for (shard, name) in numbered(manifest) {
            let path = folder.join(&shard.path);
            let found = std::fs::metadata(&path).map_err(error::io("read", &path))?.len();
            if found != shard.bytes {
                return Err(PublishError::Changed { path, found, expected: shard.bytes });
            }
            let (bytes, sha256) = (shard.bytes, shard.sha256.clone());
            data.push(PublishedFile { name, source: Source::File(path), bytes, sha256 });
        }
        let documents = vec![PublishedFile::document(MANIFEST, manifest.to_json().into_bytes())];
        Ok(Self { title: manifest.name.clone(), digest: manifest.digest().to_string(), data, documents })
    }

    /// Adds what stands beside the data.
    pub fn with(mut self, document: PublishedFile) -> Self {
        self.documents.push(document);
        self
    }

    /// All files, with the card that was made.
    pub(crate) fn files(&self, card: PublishedFile) -> Vec<PublishedFile> {
        let mut files = self.data.clone();
        files.extend(self.documents.iter().cloned());
        files.push(card);
        files
    }
}

/// Every shard with the name that it is published by. Numbers are given here, where it is known how many there are.
pub(crate) fn numbered(manifest: &Manifest) -> impl Iterator<Item = (&ShardFile, String)> {
    manifest.subsets.iter().flat_map(|(subset, files)| {
        files.splits.iter().flat_map(move |(split, shards)| {
            let count = shards.len();
            let name = move |index: usize| format!("data/{subset}/{split}-{index:05}-of-{count:05}.parquet");
            shards.iter().enumerate().map(move |(index, shard)| (shard, name(index)))
        })
    })
}

/// Whether a file at a target has a name that only publications give, so that it may be removed by the next.
pub(crate) fn is_our_name(name: &str) -> bool {
    let number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = name.split('/').collect();
    let ["data", _, file] = parts.as_slice() else { return false };
    let Some(stem) = file.strip_suffix(".parquet") else { return false };
    let words: Vec<&str> = stem.rsplitn(4, '-').collect();
    matches!(words.as_slice(), [count, "of", index, _] if number(count) && number(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_are_known() {
        let check = |name: &str, expected: bool| assert_eq!(is_our_name(name), expected, "{name}");
        check("data/pages/train-00000-of-00004.parquet", true);
        check("data/meta/hold-out-00003-of-00004.parquet", true);
        check("data/pages/train-0-of-4.parquet", false);
        check("data/train-00000-of-00004.parquet", false);
        check("extra/pages/train-00000-of-00004.parquet", false);
        check("data/pages/train-00000-of-00004.csv", false);
        check("README.md", false);
    }
}
