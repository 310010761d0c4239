//! Words that say what a page is about and some do not want: explicit ones of our own list, and those of the user's lists.

use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

/// Words and phrases in lower case, such as those of a published list of bad words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordList {
    words: HashSet<String, BuildHasherDefault<FxHasher>>,
    /// Words in the longest phrase.
    longest: usize,
}

impl WordList {
    /// A list of one word or phrase a line; empty lines and those that begin with `#` are left out.
    pub fn from_lines(text: &str) -> Self {
        let mut list = Self::default();
        list.add_lines(text);
        list
    }

    /// Adds the lines of a further list.
    pub fn add_lines(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let lower = line.to_lowercase();
            let words: Vec<&str> = words(&lower).collect();
            self.longest = self.longest.max(words.len());
            self.words.insert(words.join(" "));
        }
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words, sorted.
    pub fn sorted(&self) -> Vec<&str> {
        let mut sorted: Vec<&str> = self.words.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted
    }

    /// Share of the text's words that are on the list, those of phrases included, 0 to 1. The text is in lower case.
    pub(super) fn share(&self, text: &str) -> f64 {
        let words: Vec<&str> = words(text).collect();
        let (mut at, mut found) = (0, 0);
        while at < words.len() {
            let most = self.longest.min(words.len() - at);
            let hit = (1..=most).rev().find(|&length| match length {
                1 => self.words.contains(words[at]),
                _ => self.words.contains(&words[at..at + length].join(" ")),
            });
            found += hit.unwrap_or_default();
            at += hit.unwrap_or(1);
        }
        found as f64 / words.len().max(1) as f64
    }
}

/// Runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Explicit words that hardly stand on other pages, sorted. A page on health or on the law uses one or two of them; those that
/// sell use many.
const EXPLICIT: &[&str] = &[
    "bdsm",
    "blowjob",
    "blowjobs",
    "camgirl",
    "camgirls",
    "creampie",
    "cumshot",
    "deepthroat",
    "dildo",
    "dildos",
    "ebony",
    "erotic",
    "erotik",
    "erotika",
    "escort",
    "escorts",
    "fetish",
    "fick",
    "ficken",
    "gangbang",
    "handjob",
    "hardcore",
    "hentai",
    "horny",
    "huren",
    "incest",
    "lesbians",
    "livecam",
    "masturbation",
    "milf",
    "milfs",
    "nackt",
    "naked",
    "nude",
    "nudes",
    "nutten",
    "orgasm",
    "orgy",
    "porn",
    "porno",
    "pornos",
    "porns",
    "pussy",
    "putas",
    "sexcam",
    "sexcams",
    "sexo",
    "sextoys",
    "sexy",
    "shemale",
    "striptease",
    "swinger",
    "threesome",
    "tits",
    "titten",
    "vibrator",
    "voyeur",
    "xnxx",
    "xvideos",
    "xxx",
    "голая",
    "голые",
    "порно",
    "проститутки",
    "секс",
    "эротика",
];

/// The same in scripts without spaces: parts of the text.
const EXPLICIT_PARTS: &[&str] = &[
    "一级片",
    "三级片",
    "乱伦",
    "人妻",
    "伦理片",
    "口交",
    "巨乳",
    "強姦",
    "强奸",
    "性交",
    "成人影片",
    "成人电影",
    "无码",
    "熟女",
    "素人",
    "色情",
    "裸聊",
    "自拍偷拍",
    "自慰",
    "淫",
    "中出し",
    "痴女",
    "アダルト動画",
    "エロ",
    "オナニー",
    "야동",
    "섹스",
];

/// Different explicit words in a text that is in lower case.
pub(super) fn explicit(text: &str) -> usize {
    let found: BTreeSet<&str> =
        words(text).filter_map(|word| EXPLICIT.binary_search(&word).ok().map(|at| EXPLICIT[at])).collect();
    let is_foreign = text.chars().any(|c| c >= '\u{3000}');
    let parts = EXPLICIT_PARTS.iter().filter(|part| is_foreign && text.contains(**part));
    found.len() + parts.count()
}

#[cfg(test)]
mod tests {
    use super::{EXPLICIT, WordList, explicit};

    #[test]
    fn the_list_is_sorted() {
        let mut sorted = EXPLICIT.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, EXPLICIT);
    }

    #[test]
    fn different_words_count_once() {
        let check = |text: &str, expected: usize| assert_eq!(explicit(text), expected, "{text}");
        check("a guide to sussex and essex", 0);
        check("porn, porn and more porn", 1);
        check("xxx milf-porn", 3);
        check("порно видео", 1);
        check("最新成人电影 无码", 2);
    }

    #[test]
    fn words_and_phrases_of_a_list_have_a_share() {
        let list = WordList::from_lines("# a list\nDarn\n\nson of a gun\n");
        let check = |text: &str, expected: f64| assert_eq!(list.share(text), expected, "{text}");
        check("", 0.0);
        check("darn it", 0.5);
        check("darned good", 0.0);
        check("you son of a gun", 0.8);
        check("son of a", 0.0);
        assert_eq!(list.sorted(), ["darn", "son of a gun"]);
        assert!(WordList::default().is_empty());
    }
}
