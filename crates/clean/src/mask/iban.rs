//! International bank account numbers: a country with its length, and the check digits (ISO 13616).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{around, is_word, regex};

static BEGIN: LazyLock<Regex> = LazyLock::new(|| regex("[A-Z]{2}[0-9]{2}[ \u{a0}]?[0-9A-Z]"));

/// Characters of a number, and the countries whose numbers have so many.
const COUNTRIES: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    BEGIN.find_iter(text).filter_map(|found| number_at(text, found.start())).collect()
}

/// The number that begins there: single spaces may stand in it.
fn number_at(text: &str, start: usize) -> Option<Range<usize>> {
    let country = text.get(start..start + 2)?;
    let is_of = |(_, countries): &&(usize, &str)| countries.split(' ').any(|known| known == country);
    let (length, _) = *COUNTRIES.iter().find(is_of)?;
    let mut number = String::with_capacity(length);
    let mut end = start;
    let mut was_space = false;
    for c in text[start..].chars() {
        match c {
            'A'..='Z' | '0'..='9' => number.push(c),
            ' ' | '\u{a0}' if !was_space => {}
            _ => return None,
        }
        was_space = !c.is_ascii_alphanumeric();
        end += c.len_utf8();
        if number.len() == length {
            break;
        }
    }
    let range = start..end;
    let (before, after) = around(text, &range);
    let is_part = before.is_some_and(is_word) || after.is_some_and(is_word);
    (number.len() == length && !is_part && is_checked(&number)).then_some(range)
}

/// Whether the number with its first four characters at the end is one more than a multiple of 97. Check digits go
/// from 02 to 98, so a masked number has none.
fn is_checked(number: &str) -> bool {
    let check = number.get(2..4).and_then(|check| check.parse::<u8>().ok()).unwrap_or_default();
    let rotated = number.chars().skip(4).chain(number.chars().take(4));
    let rest = rotated
        .filter_map(|c| c.to_digit(36))
        .fold(0, |rest, value| (rest * if value < 10 { 10 } else { 100 } + value) % 97);
    (2..=98).contains(&check) && rest == 1
}
