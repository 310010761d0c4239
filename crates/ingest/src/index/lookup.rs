//! Rows of a crawl's own index, looked up where they lie.
//!
//! A crawl's CDXJ index is sorted: some hundred gzipped files whose members hold 3,000 lines each, and one list of those
//! members by their first keys (`cluster.idx`). Keys are URLs with the host turned around (`uk,co,example)/path`), so a
//! domain or the start of a URL is a stretch of keys. The list is searched by bisection over byte ranges, and only the
//! members that can hold such keys are fetched.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::{CdxjReader, IndexError, IndexRow, IndexSelection, RANGE_BYTES_MAX, RANGE_GAP_BYTES, coalesce};
use crate::remote::{Client, RemoteError, RemoteFile, RemoteReader, Watch};

/// Bytes of the list that are read on instead of being halved once more.
const STRETCH_BYTES: u64 = 128 * 1024;
/// Bytes of one look into the list: lines have some hundred.
const LOOK_BYTES: u64 = 8 * 1024;
/// More stretches of keys than this are found by reading all of the list: halving takes ten requests each, and the list
/// has some 100 MB.
const BISECTIONS_MAX: usize = 32;

/// A crawl's index could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The list or a member of the index could not be fetched.
    #[error("fetch a part of the index")]
    Remote(#[from] RemoteError),
    /// The list is none.
    #[error("`{url}` is no list of an index: {reason}")]
    List {
        /// The list.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A row is none.
    #[error("read `{file}` of the index")]
    Rows {
        /// The file with the row.
        file: String,
        /// What is wrong.
        source: IndexError,
    },
}

/// Keys from one on, and before another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    from: String,
    before: String,
}

/// A member of the index: some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    key: String,
    file: String,
    offset: u64,
    length: u64,
}

/// Gives the wanted rows of the CDXJ index in `folder` (with its `cluster.idx`) to `take`. The selection has to name
/// domains, or URLs whose host is known; the error says which pattern does not.
pub fn look_up(
    client: &Client,
    folder: &str,
    selection: &IndexSelection,
    watch: &Arc<dyn Watch>,
    take: &mut dyn FnMut(IndexRow),
) -> Result<(), LookupError> {
    let folder = folder.trim_end_matches('/');
    let url = format!("{folder}/cluster.idx");
    let stretches = stretches(selection).map_err(|reason| LookupError::List { url: url.clone(), reason })?;
    let mut by_file: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for block in (List { client, url, watch }).blocks(&stretches)? {
        by_file.entry(block.file).or_default().push((block.offset, block.length));
    }
    for (file, members) in by_file {
        let remote = RemoteFile::at(format!("{folder}/{file}"));
        // What lies between two members is members, too.
        for range in coalesce(members, RANGE_GAP_BYTES, RANGE_BYTES_MAX) {
            let reader = RemoteReader::range(client.clone(), remote.clone(), range.bytes, Arc::clone(watch));
            for row in CdxjReader::new(BufReader::new(MultiGzDecoder::new(reader))) {
                let row = row.map_err(|source| LookupError::Rows { file: file.clone(), source })?;
                if selection.takes(&row) {
                    take(row);
                }
            }
        }
    }
    Ok(())
}

/// The keys that wanted rows can have.
fn stretches(selection: &IndexSelection) -> Result<Vec<Stretch>, String> {
    let mut found: Vec<Stretch> = Vec::new();
    if selection.domains.is_empty() {
        for pattern in &selection.urls {
            found.push(of_pattern(pattern).ok_or_else(|| {
                format!("`{pattern}` does not say which host is meant, so its rows can be anywhere in the index")
            })?);
        }
    } else {
        found.extend(selection.domains.iter().map(|domain| of_domain(domain)));
    }
    if found.is_empty() {
        return Err("no domain or URL is wanted of it, so all rows would have to be read".to_owned());
    }
    found.sort();
    // Overlapping ones would give rows twice.
    found.dedup_by(|next, last| {
        let overlaps = next.from <= last.before;
        if overlaps && next.before > last.before {
            last.before.clone_from(&next.before);
        }
        overlaps
    });
    Ok(found)
}

/// All hosts below a domain, and itself.
fn of_domain(domain: &str) -> Stretch {
    let turned = turned(&domain.to_ascii_lowercase());
    // `)` ends a host, `,` goes on to another label, `:` to a port, and `;` stands behind all of them.
    Stretch { from: format!("{turned})"), before: format!("{turned};") }
}

/// The start of what a pattern covers; `None` when it leaves the host open.
fn of_pattern(pattern: &str) -> Option<Stretch> {
    let rest = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    if let Some(open) = host.rfind('*') {
        let domain = host[open + 1..].strip_prefix('.')?;
        return domain.contains('.').then(|| of_domain(domain));
    }
    let (name, port) = host.split_once(':').map_or((host.as_str(), ""), |(name, port)| (name, port));
    let port = match port {
        "" | "80" | "443" => String::new(),
        port => format!(":{port}"),
    };
    if name.is_empty() {
        return None;
    }
    // Keys have lower case and no slash at their end; what stands behind `?` is sorted in them.
    let fixed = path.split(['*', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let from = format!("{}{port})/{}", turned(without_www(name)), fixed.trim_end_matches('/'));
    let before = format!("{from}\u{10ffff}");
    Some(Stretch { from, before })
}

/// `uk,co,example` of `example.co.uk`; addresses are left as they are.
fn turned(host: &str) -> String {
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host.to_owned();
    }
    host.split('.').rev().collect::<Vec<_>>().join(",")
}

/// Keys leave `www.` and `www2.` out.
fn without_www(host: &str) -> &str {
    let rest = host.strip_prefix("www").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.and_then(|rest| rest.strip_prefix('.')).filter(|rest| rest.contains('.')).unwrap_or(host)
}

/// The list of members.
struct List<'a> {
    client: &'a Client,
    url: String,
    watch: &'a Arc<dyn Watch>,
}

impl List<'_> {
    /// The members that can hold keys of these stretches.
    fn blocks(&self, stretches: &[Stretch]) -> Result<Vec<Block>, LookupError> {
        let file = self.client.describe(&self.url, self.watch.as_ref())?;
        let size = file.bytes.ok_or_else(|| self.broken("the server does not say how long it is".to_owned()))?;
        let mut found = Vec::new();
        if stretches.len() > BISECTIONS_MAX {
            self.collect(&file, 0, size, stretches, &mut found)?;
        } else {
            for stretch in stretches {
                let start = self.bisect(&file, size, &stretch.from)?;
                self.collect(&file, start, size, std::slice::from_ref(stretch), &mut found)?;
            }
        }
        Ok(found)
    }

    fn broken(&self, reason: String) -> LookupError {
        LookupError::List { url: self.url.clone(), reason }
    }

    fn lines(&self, file: &RemoteFile, start: u64, end: u64) -> BufReader<RemoteReader> {
        BufReader::new(RemoteReader::range(self.client.clone(), file.clone(), start..end, Arc::clone(self.watch)))
    }

    /// A place in the list before the member that can hold `key` first.
    fn bisect(&self, file: &RemoteFile, size: u64, key: &str) -> Result<u64, LookupError> {
        let (mut low, mut high) = (0, size);
        while high - low > STRETCH_BYTES {
            let middle = low + (high - low) / 2;
            let mut lines = self.lines(file, middle, (middle + LOOK_BYTES).min(size));
            let mut line = Vec::new();
            self.read_line(&mut lines, &mut line)?;
            self.read_line(&mut lines, &mut line)?;
            let is_before = block(&line).is_some_and(|block| block.key.as_str() < key);
            if is_before {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn read_line(&self, lines: &mut impl BufRead, line: &mut Vec<u8>) -> Result<usize, LookupError> {
        line.clear();
        lines.read_until(b'\n', line).map_err(|error| {
            let reason = error.to_string();
            let transfer = error.into_inner().and_then(|inner| inner.downcast::<RemoteError>().ok());
            transfer.map_or_else(|| self.broken(reason), |transfer| LookupError::Remote(*transfer))
        })
    }

    /// Reads the list from `start` on, until no key of the stretches can follow.
    fn collect(
        &self,
        file: &RemoteFile,
        start: u64,
        size: u64,
        stretches: &[Stretch],
        found: &mut Vec<Block>,
    ) -> Result<(), LookupError> {
        let last = stretches.last().map_or("", |stretch| stretch.before.as_str());
        let mut lines = self.lines(file, start, size);
        let mut line = Vec::new();
        if start > 0 {
            // From the middle of a line to its end.
            self.read_line(&mut lines, &mut line)?;
        }
        let mut before: Option<Block> = None;
        loop {
            let is_end = self.read_line(&mut lines, &mut line)? == 0;
            let next = if is_end {
                None
            } else {
                let shown = || String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
                Some(block(&line).ok_or_else(|| self.broken(format!("`{}` names no member", shown())))?)
            };
            if let Some(before) = before.take() {
                let next_key = next.as_ref().map(|block| block.key.as_str());
                if can_hold(stretches, &before.key, next_key) && found.last() != Some(&before) {
                    found.push(before);
                }
            }
            match next {
                Some(next) if next.key.as_str() < last => before = Some(next),
                _ => return Ok(()),
            }
        }
    }
}

/// Whether a member whose first key is `first`, and before the one that starts with `next`, can hold keys of a stretch.
fn can_hold(stretches: &[Stretch], first: &str, next: Option<&str>) -> bool {
    // The first stretch that is not over before the member begins.
    let at = stretches.partition_point(|stretch| stretch.before.as_str() <= first);
    stretches.get(at).is_some_and(|stretch| next.is_none_or(|next| next >= stretch.from.as_str()))
}

/// `KEY DATE\tFILE\tOFFSET\tLENGTH\tNUMBER`.
fn block(line: &[u8]) -> Option<Block> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let mut fields = line.split('\t');
    let key = fields.next()?.split(' ').next()?.to_owned();
    let file = fields.next()?.to_owned();
    let (offset, length) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    // It becomes a part of an address.
    let is_name = !file.is_empty() && !file.contains(['/', '?', '#']);
    is_name.then_some(Block { key, file, offset, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_domains_are_stretches_of_keys() {
        let check = |pattern: &str, inside: &[&str], outside: &[&str]| {
            let stretch = of_pattern(pattern).unwrap_or_else(|| panic!("{pattern} has a host"));
            let holds = |key: &str| stretch.from.as_str() <= key && key < stretch.before.as_str();
            assert!(inside.iter().all(|key| holds(key)), "{pattern}: {stretch:?}");
            assert!(!outside.iter().any(|key| holds(key)), "{pattern}: {stretch:?}");
        };
        check("https://www.example.com/*", &["com,example)/", "com,example)/a"], &["com,example,a)/", "com,examplf)/"]);
        check("*://example.com/Blog/*", &["com,example)/blog", "com,example)/blog/1"], &["com,example)/a"]);
        check("https://a.example.co.uk:8080/x?y*", &["uk,co,example,a:8080)/x?y=1"], &["uk,co,example,a)/x"]);
        check("*.example.com/*", &["com,example)/", "com,example,www2)/a", "com,example:81)/"], &["com,examplea)/"]);
        check("http://1.2.3.4/*", &["1.2.3.4)/a"], &["4,3,2,1)/a"]);
        for open in ["*", "*/blog/*", "*.com/*", "*example.com/", "https://*/a"] {
            assert_eq!(of_pattern(open), None, "{open}");
        }
    }

    #[test]
    fn members_by_their_first_keys() {
        let stretch = |from: &str, before: &str| Stretch { from: from.into(), before: before.into() };
        let stretches = [stretch("c", "d"), stretch("m", "n")];
        let check = |first: &str, next: Option<&str>, expected| {
            assert_eq!(can_hold(&stretches, first, next), expected, "{first} {next:?}");
        };
        check("a", Some("b"), false);
        check("a", Some("c"), true);
        check("a", Some("z"), true);
        check("cc", Some("cd"), true);
        check("d", Some("e"), false);
        check("d", Some("m"), true);
        check("d", None, true);
        check("n", None, false);
    }

    #[test]
    fn lines_of_the_list() {
        let line = b"com,example)/ 20241204000000\tcdx-00000.gz\t12\t345\t1\n";
        let expected = Block { key: "com,example)/".into(), file: "cdx-00000.gz".into(), offset: 12, length: 345 };
        assert_eq!(block(line), Some(expected));
        assert_eq!(block(b"com,example)/ 2024\t../cdx\t1\t2\t1"), None);
        assert_eq!(block(b"<html>"), None);
    }
}
