//! Crawls of Common Crawl: an id stands for a list of archives.

use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::{Client, RemoteError, RemoteFile, RemoteReader, Trouble, Watch};

/// Where Common Crawl publishes.
pub const CRAWL_MIRROR: &str = "https://data.commoncrawl.org";

/// Bytes of an unpacked list: the longest real ones name 100,000 archives in 14 MB.
const LIST_BYTES_MAX: u64 = 256 << 20;

/// Whether `text` can be the id of a crawl, such as `CC-MAIN-2024-51`.
pub fn is_crawl_id(text: &str) -> bool {
    let named = text.strip_prefix("CC-").is_some_and(|rest| !rest.is_empty());
    named && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The archives of a crawl, as paths below the mirror, in the order of its list (`warc.paths.gz`).
pub fn crawl_archives(
    client: &Client,
    mirror: &str,
    crawl: &str,
    watch: &Arc<dyn Watch>,
) -> Result<Vec<String>, RemoteError> {
    let url = format!("{}/crawl-data/{crawl}/warc.paths.gz", mirror.trim_end_matches('/'));
    let reader = RemoteReader::new(client.clone(), RemoteFile::at(&url), Arc::clone(watch));
    let mut text = String::new();
    let read = MultiGzDecoder::new(reader).take(LIST_BYTES_MAX).read_to_string(&mut text);
    if let Err(error) = read {
        let unpacking = Trouble::NoList(error.to_string());
        // What the transfer says itself is clearer than what the decompressor makes of it.
        let transfer = error.into_inner().and_then(|inner| inner.downcast::<RemoteError>().ok());
        return Err(transfer.map_or_else(|| RemoteError::new(&url, unpacking), |transfer| *transfer));
    }
    let paths: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if paths.is_empty() {
        return Err(RemoteError::new(&url, Trouble::NoList("it names nothing".into())));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_crawls() {
        let check = |text, expected| assert_eq!(is_crawl_id(text), expected, "{text}");
        check("CC-MAIN-2024-51", true);
        check("CC-NEWS", true);
        check("CC-", false);
        check("my crawl", false);
        check("CC-MAIN/../..", false);
        check("", false);
    }
}
