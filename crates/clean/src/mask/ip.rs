//! IP addresses that anyone could reach: those of the ranges for documentation (RFC 5737, RFC 3849) take their place.
//!
//! Private, local and reserved addresses say nothing about a person. Four small numbers with dots are a section of a standard
//! or a version, far more often than an address.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{around, is_word, regex, words_before};

static QUAD: LazyLock<Regex> = LazyLock::new(|| regex(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));

/// Global unicast addresses all begin with a 2 or a 3 of four digits.
static GROUPS: LazyLock<Regex> = LazyLock::new(|| regex(r"[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7}"));

/// Numbers below this are taken for those of sections and versions, if all four are. One public address in four thousand
/// has only such.
const SMALL: u8 = 32;

/// The same if the first three are below this: the fourth may be the number of a build.
const VERY_SMALL: u8 = 10;

/// Words before a version.
const VERSION_WORDS: &[&str] =
    &["build", "chrome", "edge", "firefox", "firmware", "release", "safari", "v", "ver", "version"];

/// The ranges for documentation, without their first and last addresses.
const RANGES: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let quads = QUAD.find_iter(text).map(|found| found.range()).filter(|range| is_quad(text, range));
    let groups = GROUPS.find_iter(text).map(|found| found.range()).filter(|range| is_groups(text, range));
    quads.chain(groups).collect()
}

/// Whether the quad stands alone and is nothing else.
fn is_quad(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = around(text, range);
    let goes_on =
        text[range.end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_part = before.is_some_and(|c| is_word(c) || c == '.') || after.is_some_and(is_word) || goes_on;
    // `Chrome/120.0.0.0`
    let is_product = text[..range.start].strip_suffix('/').is_some_and(|rest| rest.ends_with(is_word));
    let is_version =
        || words_before(text, range.start).next().is_some_and(|word| VERSION_WORDS.contains(&word.as_str()));
    !is_part && !is_product && !is_version()
}

fn is_groups(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = around(text, range);
    !before.is_some_and(|c| is_word(c) || c == ':') && !after.is_some_and(|c| is_word(c) || c == ':')
}

/// Which address became which.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    given: HashMap<IpAddr, IpAddr>,
    reserved: HashSet<IpAddr>,
    last_v4: usize,
    last_v6: u32,
}

impl Addresses {
    pub(super) fn reserve(&mut self, text: &str) {
        let addresses = find(text).into_iter().filter_map(|range| text[range].parse::<IpAddr>().ok());
        self.reserved.extend(addresses.filter(|address| is_documentation(*address)));
    }

    /// The address for `original`; `None` for one that is left alone.
    pub(super) fn replacement(&mut self, original: IpAddr) -> Option<String> {
        if !is_public(original) {
            return None;
        }
        let given = if let Some(given) = self.given.get(&original) {
            *given
        } else {
            let given = match original {
                IpAddr::V4(_) => self.next_v4(),
                IpAddr::V6(_) => self.next_v6(),
            };
            self.given.insert(original, given);
            given
        };
        Some(given.to_string())
    }

    /// The next free one of 762; then they begin again.
    fn next_v4(&mut self) -> IpAddr {
        const HOSTS: usize = 254;
        let count = HOSTS * RANGES.len();
        for _ in 0..count {
            let at = self.last_v4 % count;
            self.last_v4 += 1;
            let [a, b, c] = RANGES[at / HOSTS];
            let address = IpAddr::V4(Ipv4Addr::new(a, b, c, (at % HOSTS + 1) as u8));
            if !self.reserved.contains(&address) {
                return address;
            }
        }
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))
    }

    fn next_v6(&mut self) -> IpAddr {
        loop {
            self.last_v6 += 1;
            let (high, low) = ((self.last_v6 >> 16) as u16, self.last_v6 as u16);
            let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, high, low));
            if !self.reserved.contains(&address) {
                return address;
            }
        }
    }
}

fn is_documentation(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_documentation(),
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            (first, second) == (0x2001, 0xdb8) || (first == 0x3fff && second < 0x1000)
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    if is_documentation(address) {
        return false;
    }
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            let is_reserved = first == 0 || first >= 224;
            let is_small = v4.octets().iter().all(|&octet| octet < SMALL)
                || v4.octets().iter().take(3).all(|&octet| octet < VERY_SMALL);
            !(is_reserved || is_shared || is_small || v4.is_private() || v4.is_loopback() || v4.is_link_local())
        }
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}
