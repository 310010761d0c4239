//! Rows of a crawl's index: from files here or on a server, or from the crawl's own index.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use dataset::{CrawlIndexReader, CrawlIndexRow, RangeRead};
use engine::StageError;
use flate2::read::MultiGzDecoder;
use ingest::index::{CdxjReader, IndexRow, IndexSelection, look_up};
use ingest::remote::{Client, RemoteFile, RemoteReader, Watch, list};
use item::ContentHasher;

use super::config::{IndexConfig, OfCrawl};
use super::files::find_files;
use super::{is_address, objects};

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

    /// Whether captures are fetched by rows at all.
    pub(super) fn is_used(&self) -> bool {
        !self.files.is_empty() || self.of_crawl != OfCrawl::None
    }

    /// Reads the index and selects.
    pub(super) fn places(&self, reading: &IndexReading<'_>) -> Result<Places, StageError> {
        let selection = self.selection();
        let mut found: Vec<(String, u64, u64)> = Vec::new();
        let mut take = |row: IndexRow| {
            if selection.takes(&row) {
                found.push((row.filename, row.offset, row.length));
            }
        };
        for file in self.index_files(reading)? {
            let failed = |error| StageError::new(format!("read the index `{}`", file.name()), error);
            reading.each_row(&file, &self.domains, &mut take).map_err(failed)?;
        }
        let own = reading.crawls.iter().filter(|_| self.of_crawl == OfCrawl::Cdxj);
        for crawl in own {
            let folder = format!("{}/cc-index/collections/{crawl}/indexes", reading.mirror);
            look_up(reading.client, &folder, &selection, reading.watch, &mut take)
                .map_err(|error| StageError::new(format!("look up captures in the index of `{crawl}`"), error))?;
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

impl IndexConfig {
    fn index_files(&self, reading: &IndexReading<'_>) -> Result<Vec<IndexFile>, StageError> {
        let (urls, patterns): (Vec<_>, Vec<_>) = self.files.iter().partition(|file| is_address(file));
        let patterns: Vec<String> = patterns.into_iter().cloned().collect();
        let mut files = Vec::new();
        for url in urls {
            if objects::is_pattern(url) {
                let found = objects::find_objects(url, reading.client, reading.watch.as_ref())?;
                files.extend(found.into_iter().map(|file| IndexFile::Web(file.url)));
            } else {
                files.push(IndexFile::Web(url.clone()));
            }
        }
        files.extend(find_files(&patterns, reading.base)?.into_iter().map(IndexFile::Local));
        for crawl in reading.crawls.iter().filter(|_| self.of_crawl == OfCrawl::Parquet) {
            let url = format!("{}/crawl-data/{crawl}/cc-index-table.paths.gz", reading.mirror);
            let paths = list(reading.client, &url, reading.watch)
                .map_err(|error| StageError::new(format!("list the index files of `{crawl}`"), error))?;
            // The table has parts for robots.txt files and for failed fetches, too.
            let of_pages = paths.iter().filter(|path| !path.contains("/subset=") || path.contains("/subset=warc/"));
            files.extend(of_pages.map(|path| IndexFile::Web(format!("{}/{path}", reading.mirror))));
        }
        Ok(files)
    }
}

/// A file of an index.
enum IndexFile {
    Local(PathBuf),
    Web(String),
}

impl IndexFile {
    fn name(&self) -> String {
        match self {
            Self::Local(path) => path.display().to_string(),
            Self::Web(url) => url.clone(),
        }
    }

    /// Whether its name, without what stands behind `?`, ends so.
    fn ends_with(&self, ending: &str) -> bool {
        let name = self.name();
        name.split(['?', '#']).next().is_some_and(|path| path.ends_with(ending))
    }
}

/// What reading an index takes.
pub(super) struct IndexReading<'a> {
    pub(super) base: &'a Path,
    pub(super) mirror: &'a str,
    pub(super) crawls: BTreeSet<&'a str>,
    pub(super) client: &'a Client,
    pub(super) watch: &'a Arc<dyn Watch>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl IndexReading<'_> {
    fn each_row(&self, file: &IndexFile, domains: &[String], take: &mut dyn FnMut(IndexRow)) -> Result<(), Error> {
        if file.ends_with(".parquet") {
            let rows = match file {
                IndexFile::Local(path) => CrawlIndexReader::open(path, domains)?,
                IndexFile::Web(url) => CrawlIndexReader::open_ranges(self.ranges(url)?, url, domains)?,
            };
            for row in rows {
                take(index_row(row?));
            }
            return Ok(());
        }
        let source: Box<dyn Read> = match file {
            IndexFile::Local(path) => Box::new(File::open(path)?),
            IndexFile::Web(url) => {
                Box::new(RemoteReader::new(self.client.clone(), RemoteFile::at(url), Arc::clone(self.watch)))
            }
        };
        let mut source = BufReader::new(source);
        let is_gzip = source.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let source: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) };
        for row in CdxjReader::new(BufReader::new(source)) {
            take(row?);
        }
        Ok(())
    }

    fn ranges(&self, url: &str) -> Result<Arc<dyn RangeRead>, Error> {
        let file = self.client.describe(url, self.watch.as_ref())?;
        let size = file.bytes.ok_or("its server does not say how long it is")?;
        Ok(Arc::new(RemoteRanges { client: self.client.clone(), file, size, watch: Arc::clone(self.watch) }))
    }
}

/// A file on a server.
struct RemoteRanges {
    client: Client,
    file: RemoteFile,
    size: u64,
    watch: Arc<dyn Watch>,
}

impl RangeRead for RemoteRanges {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let mut bytes = Vec::new();
        RemoteReader::range(self.client.clone(), self.file.clone(), range, Arc::clone(&self.watch))
            .read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

fn index_row(row: CrawlIndexRow) -> IndexRow {
    IndexRow {
        filename: row.filename,
        offset: row.offset,
        length: row.length,
        url: row.url,
        status: row.status,
        mime: row.mime.map(|mime| mime.to_ascii_lowercase()),
        mime_detected: row.mime_detected.map(|mime| mime.to_ascii_lowercase()),
        languages: row.languages.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
    }
}
