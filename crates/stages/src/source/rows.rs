//! Rows of a crawl's index, from files on this machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use dataset::CrawlIndexReader;
use engine::StageError;
use flate2::read::MultiGzDecoder;
use ingest::index::{CdxjReader, IndexRow, IndexSelection};
use item::ContentHasher;

use super::config::IndexConfig;
use super::files::find_files;

/// Places of the wanted captures (offset, length), by archive.
pub(super) type Places = BTreeMap<String, Vec<(u64, u64)>>;

impl IndexConfig {
    fn selection(&self) -> IndexSelection {
        IndexSelection {
            urls: self.urls.clone(),
            domains: self.domains.clone(),
            languages: self.languages.clone(),
            mimes: self.mimes.clone(),
            statuses: self.statuses.clone(),
        }
    }

    /// Reads the index and selects.
    pub(super) fn places(&self, base: &Path) -> Result<Places, StageError> {
        let selection = self.selection();
        let mut found: Vec<(String, u64, u64)> = Vec::new();
        for path in find_files(&self.files, base)? {
            let doing = || format!("read the index `{}`", path.display());
            each_row(&path, &mut |row| {
                if selection.takes(&row) {
                    found.push((row.filename, row.offset, row.length));
                }
            })
            .map_err(|error| StageError::new(doing(), error))?;
        }
        found.sort();
        found.dedup();
        if self.rows_max > 0 && found.len() > self.rows_max {
            // By hash, so that more rows contain the fewer ones, and no site comes first.
            found.sort_by_cached_key(|(path, offset, _)| {
                ContentHasher::new("row").add_text(path).add_u64(*offset).finish()
            });
            found.truncate(self.rows_max);
        }
        let mut places = Places::new();
        for (path, offset, length) in found {
            places.entry(path).or_default().push((offset, length));
        }
        Ok(places)
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn each_row(path: &Path, take: &mut dyn FnMut(IndexRow)) -> Result<(), Error> {
    if path.extension().is_some_and(|extension| extension == "parquet") {
        for row in CrawlIndexReader::open(path)? {
            let row = row?;
            take(IndexRow {
                filename: row.filename,
                offset: row.offset,
                length: row.length,
                url: row.url,
                status: row.status,
                mime: row.mime.map(|mime| mime.to_ascii_lowercase()),
                mime_detected: row.mime_detected.map(|mime| mime.to_ascii_lowercase()),
                languages: row.languages.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            });
        }
        return Ok(());
    }
    let file = File::open(path)?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let source: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    for row in CdxjReader::new(BufReader::new(source)) {
        take(row?);
    }
    Ok(())
}
