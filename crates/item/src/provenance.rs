//! Where an item comes from.

use serde::{Deserialize, Serialize};

/// The crawl, the archive and the place in it that an item was read from. Rides along and is never rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Target URI of the capture.
    pub url: String,
    /// Registrable domain of the URI's host (public-suffix list); the host itself where it has none.
    pub domain: String,
    /// Crawl that the archive belongs to, such as `CC-MAIN-2024-51`; empty when not named.
    pub crawl: String,
    /// Name of the WARC file, without the folder it happens to lie in.
    pub warc_filename: String,
    /// Where the record starts in the file: bytes, compressed if the file is.
    pub warc_record_offset: u64,
    /// Bytes of the record in the file, compressed if the file is; 0 when unknown.
    pub warc_record_length: u64,
    /// When the capture was made (`WARC-Date`, RFC 3339).
    pub fetched_at: String,
}

/// The registrable domain of a host name by the public-suffix list (`www.example.co.uk` -> `example.co.uk`), lower
/// case. Hosts that have none (IP addresses, single labels, public suffixes themselves) stand for themselves.
///
/// The list is the one compiled into the `psl` crate, so the answer is the same on every machine.
pub fn registrable_domain(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    if is_address {
        return host;
    }
    psl::domain_str(&host).map_or(host.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::registrable_domain;

    #[test]
    fn domains_follow_the_public_suffix_list() {
        let check = |host: &str, expected: &str| assert_eq!(registrable_domain(host), expected, "{host}");
        check("www.Example.co.uk", "example.co.uk");
        check("a.b.example.com.", "example.com");
        check("user.github.io", "user.github.io");
        check("127.0.0.1", "127.0.0.1");
        check("localhost", "localhost");
        check("co.uk", "co.uk");
    }
}
