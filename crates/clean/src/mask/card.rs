//! Numbers of payment cards: the beginnings, lengths and groups that issuers use, and the check digit (Luhn).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{around, is_word, regex};

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"[0-9]{14,19}|[0-9]{4}(?: [0-9]{4}){3}|[0-9]{4}(?:-[0-9]{4}){3}|[0-9]{4}(?: [0-9]{6} |-[0-9]{6}-)[0-9]{4,5}")
});

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    NUMBER.find_iter(text).map(|found| found.range()).filter(|range| is_card(text, range)).collect()
}

fn is_card(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = around(text, range);
    // More groups of the same kind before or after: a longer number.
    let marks: &[char] = if text[range.clone()].contains(' ') { &['-', '.', ' '] } else { &['-', '.'] };
    let goes_on = |rest: &str| rest.trim_start_matches(marks).starts_with(|c: char| c.is_ascii_digit());
    let comes_on = |rest: &str| rest.trim_end_matches(marks).ends_with(|c: char| c.is_ascii_digit());
    let is_part = before.is_some_and(|c| is_word(c) || matches!(c, '/' | '=' | '#'))
        || after.is_some_and(is_word)
        || goes_on(&text[range.end..])
        || comes_on(&text[..range.start]);
    let digits: Vec<u8> = text[range.clone()].bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    !is_part && is_issued(&digits) && is_checked(&digits)
}

/// Whether an issuer gives numbers of that beginning and length. Those of 13 digits are not given any more, and most numbers
/// of 13 digits are codes of goods.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(4).fold(0_u16, |number, &digit| number * 10 + u16::from(digit));
    match digits.len() {
        19 => prefix / 1000 == 4,
        14 => matches!(prefix, 3000..=3059 | 3600..=3699 | 3800..=3999),
        15 => matches!(prefix / 100, 34 | 37),
        16 => {
            matches!(prefix, 2221..=2720 | 3528..=3589 | 4000..=4999 | 5100..=5599 | 6011 | 6221..=6229 | 6440..=6599)
        }
        _ => false,
    }
}

fn is_checked(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, u32::from(digit) * 2) {
            (0, twice) => twice / 2,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
