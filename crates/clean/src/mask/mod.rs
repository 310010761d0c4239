//! Personal data in a text, and what stands in its place.
//!
//! A masked text is masked for good: what is put in place of something is never something that is masked. Addresses
//! become numbered ones of the domains and ranges that are reserved for documentation, so that two people stay two; numbers
//! keep their format and become zeros, so that a picture of them keeps its shape.

mod card;
mod email;
mod iban;
mod ip;
mod phone;

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use regex::Regex;

use crate::Mask;
use email::Names;
use ip::Addresses;
use phone::Known;
pub(crate) use phone::is_same as is_same_phone;

/// Times that a text is looked through until nothing is left to mask. Two do, but for texts that were made for it: what
/// replaces an address may stand next to something that reads as part of one.
const ROUNDS_MAX: usize = 8;

/// Fewest digits of anything that is masked and has no `@`: an address such as `8.8.8.8`.
const DIGITS_MIN: usize = 4;

/// What a text is; in addresses of the web, long numbers name pages and products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Words that are read.
    Text,
    /// The query of a link, or its host.
    Link,
}

/// Masks the texts of one page, and remembers what has become of its addresses.
#[derive(Debug)]
pub(crate) struct Masker<'a> {
    masks: &'a [Mask],
    names: Names,
    addresses: Addresses,
    known: Known,
    /// Places that were masked so far.
    pub(crate) masked: usize,
}

/// Something that was found in a text, and the mask for it.
#[derive(Debug)]
struct Found {
    mask: Mask,
    range: Range<usize>,
}

impl<'a> Masker<'a> {
    pub(crate) fn new(masks: &'a [Mask]) -> Self {
        Self { masks, names: Names::default(), addresses: Addresses::default(), known: Known::default(), masked: 0 }
    }

    pub(crate) fn has(&self, mask: Mask) -> bool {
        self.masks.contains(&mask)
    }

    /// Reads a text of the page before any is masked: addresses that stand in it already are not given away again.
    pub(crate) fn reserve(&mut self, text: &str) {
        if self.has(Mask::Email) && email::may_be_in(text) {
            self.names.reserve(text);
        }
        if self.has(Mask::Ip) && has_digits(text) {
            self.addresses.reserve(text);
        }
    }

    /// A number that the page itself calls one: it is masked wherever it stands.
    pub(crate) fn know_phone(&mut self, number: &str) {
        self.known.add(number);
    }

    /// The masked text, if anything was masked.
    pub(crate) fn mask(&mut self, text: &str, place: Place) -> Option<String> {
        let mut masked = Cow::Borrowed(text);
        for _ in 0..ROUNDS_MAX {
            match self.mask_once(&masked, place) {
                Some(next) => masked = Cow::Owned(next),
                None => break,
            }
        }
        match masked {
            Cow::Owned(masked) => Some(masked),
            Cow::Borrowed(_) => None,
        }
    }

    /// The text with all digits of what is known to be a phone number as zeros, if there were others.
    pub(crate) fn mask_phone(&mut self, number: &str) -> Option<String> {
        let masked = zeroed(number);
        (masked != number).then(|| {
            self.masked += 1;
            masked
        })
    }

    /// That one number in a text is masked, in any format.
    pub(crate) fn mask_phone_in(&mut self, text: &str, number: &str) -> Option<String> {
        let found = phone::find_number(text, number).into_iter().map(|range| Found { mask: Mask::Phone, range });
        self.write(text, found.collect())
    }

    fn mask_once(&mut self, text: &str, place: Place) -> Option<String> {
        // What is found first is looked at by no other, be it masked or not.
        let mut found: Vec<Found> = Vec::new();
        let mut take = |mask: Mask, ranges: Vec<Range<usize>>| {
            for range in ranges {
                if !found.iter().any(|other| other.range.start < range.end && range.start < other.range.end) {
                    found.push(Found { mask, range });
                }
            }
        };
        if self.has(Mask::Email) && email::may_be_in(text) {
            take(Mask::Email, email::find(text));
        }
        if has_digits(text) {
            if self.has(Mask::Iban) {
                take(Mask::Iban, iban::find(text));
            }
            if self.has(Mask::Card) && place == Place::Text {
                take(Mask::Card, card::find(text));
            }
            if self.has(Mask::Ip) {
                take(Mask::Ip, ip::find(text));
            }
            if self.has(Mask::Phone) && place == Place::Text {
                take(Mask::Phone, phone::find(text, &self.known));
            }
        }
        self.write(text, found)
    }

    /// The text with everything found replaced, if that changes anything.
    fn write(&mut self, text: &str, mut found: Vec<Found>) -> Option<String> {
        found.sort_unstable_by_key(|found| found.range.start);
        let mut out = String::new();
        let mut written = 0;
        for Found { mask, range } in found {
            let original = &text[range.clone()];
            let Some(replaced) = self.replacement(mask, original).filter(|replaced| replaced != original) else {
                continue;
            };
            out.push_str(&text[written..range.start]);
            out.push_str(&replaced);
            written = range.end;
            self.masked += 1;
        }
        (written > 0).then(|| {
            out.push_str(&text[written..]);
            out
        })
    }

    fn replacement(&mut self, mask: Mask, original: &str) -> Option<String> {
        match mask {
            Mask::Email => self.names.replacement(original),
            Mask::Ip => original.parse().ok().and_then(|address: IpAddr| self.addresses.replacement(address)),
            Mask::Phone | Mask::Card | Mask::Iban => Some(zeroed(original)),
        }
    }
}

fn has_digits(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).nth(DIGITS_MIN - 1).is_some()
}

/// The same with zeros for digits; in an escape of a link (`%20`) they are none.
fn zeroed(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_escape = |at: usize| {
        let escape = bytes.get(at..at + 3);
        escape.is_some_and(|escape| escape[0] == b'%' && escape[1..].iter().all(u8::is_ascii_hexdigit))
    };
    let is_in_escape = |at: usize| (1..=2).any(|back| at >= back && is_escape(at - back));
    text.char_indices().map(|(at, c)| if c.is_ascii_digit() && !is_in_escape(at) { '0' } else { c }).collect()
}

/// The character before a place, and the one after.
fn around(text: &str, range: &Range<usize>) -> (Option<char>, Option<char>) {
    (text[..range.start].chars().next_back(), text[range.end..].chars().next())
}

/// Letters, digits and the underscore: next to one of them a number is part of something else. Not so in scripts that do
/// not part words by spaces.
fn is_word(c: char) -> bool {
    const CJK: char = '\u{2e80}';
    (c.is_alphanumeric() && c < CJK) || c == '_'
}

/// Most bytes before a number in which words are looked for that say what it is.
const CONTEXT_BYTES: usize = 40;

/// The last words before a place, the nearest first, lower case.
fn words_before(text: &str, at: usize) -> impl Iterator<Item = String> {
    let start = text.ceil_char_boundary(at.saturating_sub(CONTEXT_BYTES));
    let words = text[start..at].rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

#[expect(clippy::expect_used, reason = "constants that the tests compile")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

#[cfg(test)]
mod tests;
