//! Crawls of Common Crawl: an id stands for a list of archives.

use std::io::{BufRead, BufReader, Read};
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
    let paths = list(client, &url, watch)?;
    // Whatever else a server answers with, its error page for one, has lines, too.
    match paths.iter().find(|path| !path.starts_with("crawl-data/")) {
        Some(odd) => Err(RemoteError::new(&url, Trouble::NoList(format!("`{odd}` is no path of a crawl")))),
        None => Ok(paths),
    }
}

/// The lines of a list on a web server or in S3, such as a crawl's `warc.paths.gz` or `cc-index-table.paths.gz`.
pub fn list(client: &Client, url: &str, watch: &Arc<dyn Watch>) -> Result<Vec<String>, RemoteError> {
    let reader = RemoteReader::new(client.clone(), RemoteFile::at(url), Arc::clone(watch));
    let lines = list_lines(reader).map_err(|error| {
        let unpacking = Trouble::NoList(error.to_string());
        // What the transfer says itself is clearer than what the decompressor makes of it.
        let transfer = error.into_inner().and_then(|inner| inner.downcast::<RemoteError>().ok());
        transfer.map_or_else(|| RemoteError::new(url, unpacking), |transfer| *transfer)
    })?;
    if lines.is_empty() {
        return Err(RemoteError::new(url, Trouble::NoList("it names nothing".into())));
    }
    Ok(lines)
}

/// The lines of a list, gzipped or not, without those that are empty or a comment (`#`).
pub fn list_lines(source: impl Read) -> std::io::Result<Vec<String>> {
    let mut source = BufReader::new(source);
    let is_gzip = source.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let mut text = String::new();
    if is_gzip {
        MultiGzDecoder::new(source).take(LIST_BYTES_MAX).read_to_string(&mut text)?;
    } else {
        source.take(LIST_BYTES_MAX).read_to_string(&mut text)?;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
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
