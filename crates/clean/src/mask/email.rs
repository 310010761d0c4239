//! E-mail addresses: numbered ones at `example.com` (RFC 2606) take their place.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::regex;

/// The address itself, its `@` perhaps escaped as in a link. Letters are those of Latin scripts: in Chinese or Japanese text no
/// space parts an address from the words around it.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    const LETTER: &str = r"A-Za-z0-9\u{c0}-\u{24f}";
    let escape = "%2[BbDdEe]|%5[Ff]";
    regex(&format!(
        "[{LETTER}](?:[{LETTER}._+'-]|{escape})*(?:@|%40)[{LETTER}](?:[{LETTER}-]*\\.)+(?:[A-Za-z\\u{{c0}}-\\u{{24f}}]\
         [{LETTER}-]*[{LETTER}])"
    ))
});

/// The addresses that this file gives.
static OWN: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i-u)\bname([0-9]{1,9})(?:@|%40)example\.com"));

/// Ends of file names: `logo@2x.png` is no address.
const FILE_ENDS: &[&str] = &[
    "avif", "bmp", "css", "gif", "gz", "htm", "html", "ico", "jpeg", "jpg", "js", "json", "mjs", "mp4", "pdf", "php",
    "png", "svg", "tgz", "ts", "tsx", "ttf", "webp", "woff", "woff2", "xml",
];

/// Names that lead nowhere (RFC 2606).
const RESERVED_ENDS: &[&str] = &["example", "invalid", "localhost", "test"];

pub(super) fn may_be_in(text: &str) -> bool {
    text.contains('@') || text.contains("%40")
}

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    ADDRESS.find_iter(text).filter_map(|found| without_escape(text, found.range())).collect()
}

/// The end of an escape before the address, as in `mailto:%20a@b.c`, is not part of it.
fn without_escape(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let address = &text[range.clone()];
    let is_escaped =
        text[..range.start].ends_with('%') && address.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !is_escaped {
        return Some(range);
    }
    let is_name = address[2..].starts_with(|c: char| c != '@' && c != '%');
    is_name.then_some(range.start + 2..range.end)
}

fn is_left_alone(domain: &str) -> bool {
    let mut labels = domain.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let is_example = labels.next() == Some("example") && matches!(last, "com" | "net" | "org");
    is_example || RESERVED_ENDS.contains(&last) || FILE_ENDS.binary_search(&last).is_ok()
}

/// Which address became which number.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    reserved: HashSet<u32>,
    last: u32,
}

impl Names {
    pub(super) fn reserve(&mut self, text: &str) {
        let numbers = OWN.captures_iter(text).filter_map(|found| found.get(1)?.as_str().parse::<u32>().ok());
        self.reserved.extend(numbers);
    }

    /// The address for `original`; `None` where that leads nowhere anyway.
    pub(super) fn replacement(&mut self, original: &str) -> Option<String> {
        let (at, is_escaped) = match original.find('@') {
            Some(_) => ("@", false),
            None => ("%40", true),
        };
        let address = if is_escaped { original.replace("%40", "@") } else { original.to_owned() }.to_lowercase();
        let (_, domain) = address.rsplit_once('@')?;
        if is_left_alone(domain) {
            return None;
        }
        let number = if let Some(number) = self.numbers.get(&address) {
            *number
        } else {
            let number = self.next();
            self.numbers.insert(address, number);
            number
        };
        Some(format!("name{number}{at}example.com"))
    }

    fn next(&mut self) -> u32 {
        loop {
            self.last += 1;
            if !self.reserved.contains(&self.last) {
                return self.last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FILE_ENDS;

    #[test]
    fn lists_are_sorted() {
        assert!(FILE_ENDS.is_sorted());
    }
}
