//! Phone numbers in texts.
//!
//! Digits alone do not say what they are, so a number is taken for a phone number only if it is written like one: with the
//! code of a country, with an area code in brackets, with the zero of a long-distance call, or in groups that only phone numbers
//! come in. Otherwise a word before it has to say so. Where in doubt, digits stay.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{around, is_word, regex, words_before};

/// Groups of digits with what may part those of one number.
static CANDIDATE: LazyLock<Regex> = LazyLock::new(|| {
    const SPACE: &str = r"[ \u{a0}\u{202f}]";
    const DASH: &str = r"[-\u{2010}\u{2011}\u{2013}]";
    regex(&format!(
        r"\(?\+?[0-9]+(?:(?:{SPACE}|[./]|{DASH}|{SPACE}(?:{DASH}|/){SPACE}|{SPACE}?\(|{DASH}\(|\)|\)(?:{SPACE}|/|{DASH})|\){SPACE}?{DASH}{SPACE}?|\){SPACE}\()[0-9]+)*\)?"
    ))
});

/// Digits of a number with its country (E.164), the shortest of small countries left out.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;
/// Digits of a number that begins with the zero of a long-distance call. Dates and times have up to eight.
const TRUNK_DIGITS: std::ops::RangeInclusive<usize> = 9..=12;
/// Digits of a number with an area code in brackets.
const AREA_DIGITS: std::ops::RangeInclusive<usize> = 8..=14;
/// Digits of what a word before it calls a phone number.
const NAMED_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;
/// Digits of country and area together: ` / ` after more of them parts two numbers.
const AREA_CODE_DIGITS_MAX: usize = 7;
/// Fewest digits in which two writings of one number agree.
const SAME_DIGITS_MIN: usize = 5;
/// Most numbers of a page that are known from its links; directories have more, but each is masked at its link.
const KNOWN_MAX: usize = 256;
/// Words before a number that are looked at: in `Tel.-Nr.` there are two.
const PHONE_WORDS_SEEN: usize = 2;
const OTHER_WORDS_SEEN: usize = 3;

/// Words that say that a phone number follows, sorted.
const PHONE_WORDS: &[&str] =
    &["fax", "ph", "tel", "telef", "telefax", "telefono", "telefoon", "tlf", "tél", "whatsapp", "тел", "факс"];

/// Words that mean other things as well: only right before a number they say what it is. Sorted.
const NEAR_WORDS: &[&str] = &[
    "call",
    "cell",
    "cellphone",
    "cellulare",
    "celular",
    "gsm",
    "handy",
    "hotline",
    "mob",
    "mobil",
    "mobile",
    "mobilnummer",
    "móvil",
    "portable",
    "sms",
    "моб",
];

/// Beginnings of such words.
const PHONE_STEMS: &[&str] = &["phone", "telefon", "teléfon", "telephone", "téléphone", "телефон"];

/// Ends of such words, in scripts that do not part words.
const PHONE_ENDS: &[&str] = &["传真", "手机", "電話", "电话", "전화"];

/// Words that say that another number follows, sorted.
const OTHER_WORDS: &[&str] = &[
    "abn",
    "account",
    "acn",
    "art",
    "article",
    "artikel",
    "artikelnummer",
    "asin",
    "batch",
    "bestellnummer",
    "bic",
    "cif",
    "cnpj",
    "cpf",
    "doi",
    "ean",
    "gtin",
    "hrb",
    "iban",
    "id",
    "invoice",
    "isbn",
    "issn",
    "item",
    "konto",
    "kontonummer",
    "krs",
    "kundennummer",
    "lot",
    "model",
    "nif",
    "nip",
    "order",
    "part",
    "patent",
    "rechnung",
    "rechnungsnummer",
    "ref",
    "regon",
    "serial",
    "siren",
    "siret",
    "sku",
    "steuernummer",
    "tracking",
    "upc",
    "ust",
    "ustid",
    "vat",
    "version",
];

/// Numbers that the page itself calls phone numbers, without what may stand before them.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<String>);

impl Known {
    pub(super) fn add(&mut self, number: &str) {
        let number = significant(number);
        // An emergency number is as short as a count.
        if number.len() >= *NAMED_DIGITS.start() && self.0.len() < KNOWN_MAX && !self.0.contains(&number) {
            self.0.push(number);
        }
    }

    fn has(&self, number: &str) -> bool {
        number.len() >= *NAMED_DIGITS.start() && self.0.iter().any(|known| are_same(known, number))
    }
}

/// The digits from the first that is no zero on.
fn significant(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}

/// Whether all digits of the text are that number, perhaps without country or area.
pub(crate) fn is_same(text: &str, number: &str) -> bool {
    let (text, number) = (significant(text), significant(number));
    text.len() <= number.len() && are_same(&text, &number)
}

fn are_same(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() < right.len() { (left, right) } else { (right, left) };
    !short.is_empty() && (left == right || (short.len() >= SAME_DIGITS_MIN && long.ends_with(short)))
}

/// Where that one number stands.
pub(super) fn find_number(text: &str, number: &str) -> Vec<Range<usize>> {
    let number = significant(number);
    candidates(text)
        .flat_map(|candidate| candidate.numbers(|found, _| are_same(&found.significant(), &number)))
        .collect()
}

/// Where phone numbers stand: known ones first, then what is written like one. They may overlap.
pub(super) fn find(text: &str, known: &Known) -> Vec<Range<usize>> {
    let of_page = |candidate: &Candidate<'_>| match known.0.as_slice() {
        [] => Vec::new(),
        _ => candidate.numbers(|number, _| known.has(&number.significant())),
    };
    let written = |candidate: &Candidate<'_>| candidate.numbers(|number, start| number.is_phone(text, start));
    candidates(text).flat_map(|candidate| [of_page(&candidate), written(&candidate)].concat()).collect()
}

fn candidates(text: &str) -> impl Iterator<Item = Candidate<'_>> {
    CANDIDATE.find_iter(text).map(move |found| Candidate::of(text, found.range()))
}

/// Some digits that belong together.
#[derive(Debug, Clone, Copy)]
struct Group<'t> {
    digits: &'t str,
    /// Its place in the text.
    start: usize,
    /// What stands between it and the group before.
    before: &'t str,
}

impl Group<'_> {
    fn end(&self) -> usize {
        self.start + self.digits.len()
    }

    /// Whether what stands before it may part two numbers as well as an area from a number: ` / `.
    fn may_be_another(&self) -> bool {
        self.before.starts_with([' ', '\u{a0}']) && self.before.ends_with([' ', '\u{a0}']) && self.before.len() > 2
    }
}

/// Groups of digits that could be one phone number, or several, or none.
struct Candidate<'t> {
    text: &'t str,
    range: Range<usize>,
    groups: Vec<Group<'t>>,
}

impl<'t> Candidate<'t> {
    fn of(text: &'t str, range: Range<usize>) -> Self {
        let mut groups: Vec<Group<'t>> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let rest = &text[at..range.end];
            let Some(skipped) = rest.find(|c: char| c.is_ascii_digit()) else { break };
            let digits = &rest[skipped..];
            let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
            groups.push(Group { digits, start: at + skipped, before: &rest[..skipped] });
            at += skipped + digits.len();
        }
        Self { text, range, groups }
    }

    /// The longest numbers, from left to right. A number ends where the candidate ends or at a space; a second one begins with
    /// a bracket, or after a mark with spaces around it.
    fn numbers(&self, is_phone: impl Fn(&Number<'_>, usize) -> bool) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut first = 0;
        while first < self.groups.len() {
            let group = &self.groups[first];
            let may_begin = first == 0 || group.before.ends_with(" (") || group.may_be_another();
            let ends = (first + 1..=self.groups.len()).rev().filter(|&end| may_begin && self.may_end(end));
            let longest = ends.map(|end| (end, self.number(first, end))).find(|(_, (number, range))| {
                number.is_one() && stands_alone(self.text, range) && is_phone(number, range.start)
            });
            first = longest.as_ref().map_or(first + 1, |(end, _)| *end);
            found.extend(longest.map(|(_, (_, range))| range));
        }
        found
    }

    fn may_end(&self, end: usize) -> bool {
        self.groups.get(end).is_none_or(|next| next.before.trim_start_matches(')').starts_with([' ', '\u{a0}']))
    }

    /// Groups `first..end`, and their place.
    fn number(&self, first: usize, end: usize) -> (Number<'_>, Range<usize>) {
        let groups = &self.groups[first..end];
        let Group { start, before, .. } = groups[0];
        let start = if first == 0 { self.range.start } else { start - usize::from(before.ends_with('(')) };
        let end = if end == self.groups.len() { self.range.end } else { groups[groups.len() - 1].end() };
        (Number { groups }, start..end)
    }
}

/// Whether nothing around makes the digits a part of something else: a word, a path, a price, an address.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = around(text, range);
    let joins = |c: char| is_word(c) || matches!(c, '.' | ',' | '/' | '-' | '\'');
    let is_cut = before.is_some_and(|c| match c {
        '.' | ',' | '/' | '-' | '\'' => {
            // `Tel./Fax` ends in a mark, too; it is not one of a number or path if nothing is joined by it.
            text[..range.start - c.len_utf8()].ends_with(is_word)
        }
        '(' | '[' | ':' | ';' | '"' | '|' | '>' => false,
        c => is_word(c) || matches!(c, '#' | '$' | '€' | '£' | '¥' | '=' | '&' | '%' | '@' | '+' | '~'),
    });
    let rest = &text[range.end..];
    let goes_on = after.is_some_and(|c| match c {
        // An extension: `555-2671x12`.
        'x' => !rest[1..].starts_with(|c: char| c.is_ascii_digit()),
        '.' | ',' | '/' | '-' | '\'' | ':' => rest[1..].starts_with(|c: char| c.is_ascii_digit()),
        c => joins(c) || matches!(c, '%' | '@' | '°'),
    });
    let amount = rest.trim_start_matches([' ', '\u{a0}']);
    let is_amount = amount.starts_with(['€', '$', '£', '¥', '%'])
        || ["EUR", "USD", "GBP", "CHF", "PLN"].iter().any(|unit| amount.starts_with(unit));
    !is_cut && !goes_on && !is_amount
}

/// Groups of digits, looked at as one number.
struct Number<'t> {
    groups: &'t [Group<'t>],
}

impl Number<'_> {
    fn digits(&self) -> String {
        self.groups.iter().map(|group| group.digits).collect()
    }

    fn significant(&self) -> String {
        significant(&self.digits())
    }

    /// Some number, and not one and the beginning of something else.
    fn is_one(&self) -> bool {
        let mut digits = 0;
        let mut is_zero = true;
        for (at, group) in self.groups.iter().enumerate() {
            let is_another = group.may_be_another() && digits > AREA_CODE_DIGITS_MAX;
            // `901820 (24 h)`
            let is_open = group.before.ends_with('(')
                && self.groups.get(at + 1).is_some_and(|next| !next.before.starts_with(')'));
            if at > 0 && (is_another || is_open) {
                return false;
            }
            digits += group.digits.len();
            is_zero &= group.digits.bytes().all(|digit| digit == b'0');
        }
        let last = &self.groups[self.groups.len() - 1];
        let ends_in_bracket = self.groups.len() > 1 && last.before.ends_with('(');
        !is_zero && !ends_in_bracket
    }

    fn is_phone(&self, text: &str, start: usize) -> bool {
        let digits = self.digits();
        if self.groups[0].before.ends_with('+') {
            return self.is_international(&digits);
        }
        if self.is_address() || self.has_date() || is_book(&digits) {
            return false;
        }
        let words: Vec<String> = words_before(text, start).take(OTHER_WORDS_SEEN).collect();
        let is_near = words.first().is_some_and(|word| NEAR_WORDS.binary_search(&word.as_str()).is_ok());
        if is_near || words.iter().take(PHONE_WORDS_SEEN).any(|word| is_phone_word(word)) {
            return NAMED_DIGITS.contains(&digits.len());
        }
        if words.iter().any(|word| OTHER_WORDS.binary_search(&word.as_str()).is_ok()) || self.counts_up() {
            return false;
        }
        self.dials_abroad(&digits) || self.has_area(&digits) || self.has_trunk(&digits) || self.is_in_known_groups()
    }

    /// `+44 20 7946 0958`
    fn is_international(&self, digits: &str) -> bool {
        // `+10 000 000` is a number of millions: groups of three, and no country has such short ones.
        let (first, rest) = (self.groups[0].digits, &self.groups[1..]);
        let is_amount = digits.len() < 10
            && first.len() <= 3
            && !rest.is_empty()
            && rest.iter().all(|group| group.digits.len() == 3 && matches!(group.before, " " | "." | "\u{a0}"));
        INTERNATIONAL_DIGITS.contains(&digits.len()) && has_country_code(digits) && !is_amount
    }

    /// `0049 30 901820`
    fn dials_abroad(&self, digits: &str) -> bool {
        digits.strip_prefix("00").is_some_and(|rest| {
            self.groups.len() > 1
                && INTERNATIONAL_DIGITS.contains(&rest.len())
                && has_country_code(rest)
                && self.groups[0].digits.len() > 2
        })
    }

    /// `(030) 901820`, `8 (495) 123-45-67`; not `12 (2019) 345-678`.
    fn has_area(&self, digits: &str) -> bool {
        let has_area = self.groups.windows(2).take(2).any(|pair| {
            let [area, next] = pair else { return false };
            area.before.ends_with('(')
                && next.before.starts_with(')')
                && (2..=5).contains(&area.digits.len())
                && !is_year(area.digits)
        });
        let has_short_lead = self.groups[0].before.ends_with('(') || self.groups[0].digits.len() <= 3;
        has_area && has_short_lead && AREA_DIGITS.contains(&digits.len())
    }

    /// `030 901820`, `06 12 34 56 78`
    fn has_trunk(&self, digits: &str) -> bool {
        let first = self.groups[0].digits.as_bytes();
        let has_trunk = first.len() > 1 && first[0] == b'0' && first[1] != b'0';
        let rest = &self.groups[1..];
        let has_points = rest.iter().any(|group| group.before == ".");
        // With points in it, it could be a time or a decimal as well.
        let is_regular = !has_points || (rest.len() > 1 && rest.iter().all(|group| group.before == "."));
        // `NJ 07738-1543`
        let is_zip = matches!(rest, [four] if first.len() == 5 && four.digits.len() == 4 && four.before == "-");
        has_trunk && is_regular && !is_zip && !rest.is_empty() && TRUNK_DIGITS.contains(&digits.len())
    }

    /// Groups of digits that numbers of some country come in and little else does.
    fn is_in_known_groups(&self) -> bool {
        let lengths: Vec<usize> = self.groups.iter().map(|group| group.digits.len()).collect();
        let first = self.groups[0].digits;
        let second = self.groups.get(1).map_or("", |group| group.digits);
        let third = self.groups.get(2).map_or("", |group| group.digits);
        let parted_by = |marks: &[&str]| self.groups[1..].iter().all(|group| marks.contains(&group.before));
        let is_from = |digits: &str, least: char| digits.starts_with(|digit| digit >= least);
        match lengths.as_slice() {
            // North America; neither area nor exchange begins with 0 or 1.
            [3, 3, 4] => is_from(first, '2') && is_from(second, '2') && self.has_one_mark(),
            [1, 3, 3, 4] => first == "1" && is_from(second, '2') && is_from(third, '2') && self.has_one_mark(),
            // Russia.
            [1, 3, 3, 2, 2] => matches!(first, "7" | "8") && parted_by(&["-", " "]),
            // Spain.
            [3, 2, 2, 2] | [2, 3, 2, 2] => is_from(first, '6') && parted_by(&[" "]),
            // Brazil.
            [2, 4 | 5, 4] => is_from(first, '1') && self.groups[1].before == " " && self.groups[2].before == "-",
            // Chinese mobile numbers.
            [3, 4, 4] => first.starts_with('1') && is_from(&first[1..], '3') && self.has_one_mark(),
            // Service numbers of Australia.
            [4, 3, 3] => matches!(first, "1300" | "1800") && parted_by(&[" "]),
            _ => false,
        }
    }

    /// The same mark between all groups, but perhaps another after the first: `415 555-2671`.
    fn has_one_mark(&self) -> bool {
        let last = self.groups.last().map_or("", |group| group.before);
        let is_mark = matches!(last, " " | "-" | "." | "\u{a0}" | "\u{2011}");
        is_mark && self.groups.iter().skip(2).all(|group| group.before == last)
    }

    /// Four numbers of a byte each with points between them.
    fn is_address(&self) -> bool {
        self.groups.len() == 4
            && self.groups.iter().all(|group| group.digits.parse::<u8>().is_ok())
            && self.groups[1..].iter().all(|group| group.before == ".")
    }

    /// Three groups that can be a date. A row of pairs, as numbers in France are written, is none.
    fn has_date(&self) -> bool {
        let rest = &self.groups[1..];
        let are_pairs = self.groups.len() > 3
            && self.groups.iter().all(|group| group.digits.len() == 2)
            && rest.iter().all(|group| group.before == rest[0].before);
        !are_pairs && self.groups.windows(3).any(is_date)
    }

    /// `01 02 03 04 05`: days, pages or slides.
    fn counts_up(&self) -> bool {
        let value = |group: &Group<'_>| group.digits.parse::<u64>().unwrap_or_default();
        self.groups.len() > 2 && self.groups.windows(2).all(|pair| value(&pair[0]).saturating_add(1) == value(&pair[1]))
    }
}

fn is_date(groups: &[Group<'_>]) -> bool {
    let [one, two, three] = groups else { return false };
    if two.before != three.before || !matches!(two.before, "." | "/" | "-" | "\u{2011}") {
        return false;
    }
    let small = |group: &Group<'_>| group.digits.parse::<u32>().ok().filter(|_| group.digits.len() <= 2);
    let are_day_and_month = |left: &Group<'_>, right: &Group<'_>| match (small(left), small(right)) {
        (Some(left), Some(right)) => left.min(right) >= 1 && left.min(right) <= 12 && left.max(right) <= 31,
        _ => false,
    };
    let is_year_of = |group: &Group<'_>| group.digits.len() == 2 || is_year(group.digits);
    (are_day_and_month(one, two) && is_year_of(three)) || (is_year(one.digits) && are_day_and_month(two, three))
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
}

/// ISBN-13 and the codes of goods that books have.
fn is_book(digits: &str) -> bool {
    digits.len() == 13 && (digits.starts_with("978") || digits.starts_with("979"))
}

/// Whether a country or a network has that code.
fn has_country_code(digits: &str) -> bool {
    const UNASSIGNED: &[&str] = &["0", "10", "11", "28", "83", "89"];
    let is_north_american = digits.starts_with('1');
    !UNASSIGNED.iter().any(|code| digits.starts_with(code)) && (!is_north_american || digits.len() == 11)
}

fn is_phone_word(word: &str) -> bool {
    PHONE_WORDS.binary_search(&word).is_ok()
        || PHONE_STEMS.iter().any(|stem| word.starts_with(stem))
        || PHONE_ENDS.iter().any(|end| word.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{NEAR_WORDS, OTHER_WORDS, PHONE_WORDS};

    #[test]
    fn lists_are_sorted() {
        assert!(PHONE_WORDS.is_sorted());
        assert!(NEAR_WORDS.is_sorted());
        assert!(OTHER_WORDS.is_sorted());
    }
}
