//! Where an archive lies, and what it is called.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Cancel, Observer, Partition, RunEvent, SourceContext, StageError};
use ingest::index::{ByteRange, RANGE_BYTES_MAX, RANGE_GAP_BYTES, coalesce};
use ingest::remote::{Client, DiskCache, RemoteFile, RemoteReader, Watch};
use item::{ContentHasher, Digest};

use super::files::FileDigests;

/// An archive, before anything is known of its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A file on this machine.
    Local(PathBuf),
    /// A file on a web server.
    Web(String),
    /// An object of a bucket, as a listing describes it.
    Object(RemoteFile),
    /// An archive of a crawl: its path in the crawl's list, and its URL.
    Crawl { path: String, url: String },
    /// Captures in an archive of a crawl, by the rows of an index.
    Rows { path: String, url: String, records: Vec<(u64, u64)> },
}

/// An archive that is known well enough to be read.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Local(PathBuf),
    Remote(RemoteFile),
    Ranges { file: RemoteFile, ranges: Vec<ByteRange> },
}

impl Origin {
    /// Its name in rows, messages and keys. The folder or mirror that it lies in makes no difference.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Local(path) => file_name(path),
            Self::Web(url) | Self::Object(RemoteFile { url, .. }) => {
                let path = url.split(['?', '#']).next().unwrap_or(url);
                path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path).to_owned()
            }
            // What indexes of the crawl call it, so that rows can be joined with them.
            Self::Crawl { path, .. } | Self::Rows { path, .. } => path.clone(),
        }
    }

    /// Looks at the archive: a digest that stands for its content.
    pub(super) fn identify(
        &self,
        digests: &FileDigests,
        client: &Client,
        watch: &dyn Watch,
    ) -> Result<(Partition, Known), StageError> {
        let name = self.name();
        let (bytes, content, known) = match self {
            Self::Local(path) => {
                let (bytes, content) = digests.of(path)?;
                (bytes, content, Known::Local(path.clone()))
            }
            Self::Web(url) => {
                let file = client
                    .describe(url, watch)
                    .map_err(|error| StageError::new(format!("look at archive `{name}`"), error))?;
                (file.bytes.unwrap_or_default(), version_digest(&file), Known::Remote(file))
            }
            Self::Object(file) => (file.bytes.unwrap_or_default(), version_digest(file), Known::Remote(file.clone())),
            // A published crawl never changes, and its paths are unique: asking for the version of each of its 90,000
            // archives would be 90,000 requests.
            Self::Crawl { path, url } => (0, Digest::of(path.as_bytes()), Known::Remote(RemoteFile::at(url))),
            Self::Rows { path, url, records } => {
                let ranges = coalesce(records.iter().copied(), RANGE_GAP_BYTES, RANGE_BYTES_MAX);
                let mut content = ContentHasher::new("rows");
                content.add_text(path);
                for offset in ranges.iter().flat_map(|range| &range.wanted) {
                    content.add_u64(*offset);
                }
                let bytes = ranges.iter().map(|range| range.bytes.end - range.bytes.start).sum();
                (bytes, content.finish(), Known::Ranges { file: RemoteFile::at(url), ranges })
            }
        };
        // The name goes into rows, so a file of another name is another partition.
        let digest = ContentHasher::new("warc").add_text(&name).add_digest(&content).finish();
        Ok((Partition { name, digest, bytes }, known))
    }
}

impl From<RemoteFile> for Origin {
    /// A file that is described well enough need not be asked for.
    fn from(file: RemoteFile) -> Self {
        if file.bytes.is_some() && file.version.is_some() { Self::Object(file) } else { Self::Web(file.url) }
    }
}

/// Stands for the content of a remote file as well as its server can tell.
fn version_digest(file: &RemoteFile) -> Digest {
    let size = file.bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
    ContentHasher::new("remote").add_text(file.version.as_deref().unwrap_or_default()).add_text(&size).finish()
}

impl Known {
    /// The archive's bytes, and where they start in it; of ranges, one after the other. `None` where it lies on this machine.
    pub(super) fn streams(
        &self,
        client: &Client,
        cache: Option<&Arc<DiskCache>>,
        context: &SourceContext,
    ) -> Option<Vec<Stream>> {
        let watch: Arc<dyn Watch> = Arc::new(Watcher::new(context));
        match self {
            Self::Local(_) => None,
            Self::Remote(file) => {
                let fetch = RemoteReader::new(client.clone(), file.clone(), watch);
                let reader: Box<dyn Read + Send> = match cache {
                    Some(cache) => cache.read(file, fetch),
                    None => Box::new(fetch),
                };
                Some(vec![Stream { reader, offset: 0, wanted: None }])
            }
            Self::Ranges { file, ranges } => {
                let stream = |range: &ByteRange| Stream {
                    reader: Box::new(RemoteReader::range(
                        client.clone(),
                        file.clone(),
                        range.bytes.clone(),
                        Arc::clone(&watch),
                    )),
                    offset: range.bytes.start,
                    wanted: Some(range.wanted.clone()),
                };
                Some(ranges.iter().map(stream).collect())
            }
        }
    }
}

/// A part of an archive that comes over the network.
pub(super) struct Stream {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) offset: u64,
    /// Only the records at these offsets, ascending.
    pub(super) wanted: Option<Vec<u64>>,
}

/// Tells a transfer of a stopped run, and the run of a waiting transfer.
pub(super) struct Watcher {
    cancel: Cancel,
    observer: Arc<dyn Observer>,
}

impl Watcher {
    pub(super) fn new(context: &SourceContext) -> Self {
        Self { cancel: context.cancel.clone(), observer: Arc::clone(&context.observer) }
    }
}

impl Watch for Watcher {
    fn stopped(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn waiting(&self, message: &str) {
        self.observer.event(&RunEvent::Noted { message: message.to_owned() });
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives() {
        let check = |origin: Origin, expected: &str| assert_eq!(origin.name(), expected);
        check(Origin::Local("/data/a.warc.gz".into()), "a.warc.gz");
        check(Origin::Web("https://a.example/x/b.warc.gz?token=1".into()), "b.warc.gz");
        check(Origin::Web("https://a.example/".into()), "a.example");
        let path = "crawl-data/CC-MAIN-2024-51/segments/1/warc/c.warc.gz";
        check(Origin::Crawl { path: path.into(), url: format!("https://a.example/{path}") }, path);
    }
}
