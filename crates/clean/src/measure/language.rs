//! Which language a page is written in, by its letters.
//!
//! Trigrams of the text against those of 70 languages (W. B. Cavnar, J. M. Trenkle: N-gram-based text categorization, 1994),
//! by the crate `whatlang`. What a page declares is often its template's language; see `docs/clean.md` for how often each is
//! right.

use whatlang::{Lang, detect};

/// Most characters that are looked at: more make no better answer, and time goes with length.
const TEXT_CHARS_MAX: usize = 2_000;
/// Fewest letters that are judged: a menu of names has no language.
const LETTERS_MIN: usize = 40;

/// A language, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Language {
    /// BCP 47 primary tag.
    pub(crate) tag: &'static str,
    /// 0 to 1.
    pub(crate) confidence: f64,
}

/// The language of a text; `None` where it says too little.
pub(crate) fn language(text: &str) -> Option<Language> {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(end, _)| end);
    let text = &text[..end];
    if text.chars().filter(|c| c.is_alphabetic()).take(LETTERS_MIN).count() < LETTERS_MIN && !has_ideographs(text) {
        return None;
    }
    let found = detect(text)?;
    let tag = tag(found.lang())?;
    Some(Language { tag, confidence: found.confidence().clamp(0.0, 1.0) })
}

/// A few of these say as much as many letters.
fn has_ideographs(text: &str) -> bool {
    const ENOUGH: usize = 10;
    let is_ideograph =
        |c: &char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}');
    text.chars().filter(is_ideograph).take(ENOUGH).count() == ENOUGH
}

/// BCP 47 takes the two letters of ISO 639-1 where there are such.
fn tag(lang: Lang) -> Option<&'static str> {
    TAGS.iter().find(|(known, _)| *known == lang).map(|(_, tag)| *tag)
}

const TAGS: &[(Lang, &str)] = &[
    (Lang::Afr, "af"),
    (Lang::Aka, "ak"),
    (Lang::Amh, "am"),
    (Lang::Ara, "ar"),
    (Lang::Aze, "az"),
    (Lang::Bel, "be"),
    (Lang::Ben, "bn"),
    (Lang::Bul, "bg"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Cmn, "zh"),
    (Lang::Cym, "cy"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Epo, "eo"),
    (Lang::Est, "et"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Guj, "gu"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Hye, "hy"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jav, "jv"),
    (Lang::Jpn, "ja"),
    (Lang::Kan, "kn"),
    (Lang::Kat, "ka"),
    (Lang::Khm, "km"),
    (Lang::Kor, "ko"),
    (Lang::Lat, "la"),
    (Lang::Lav, "lv"),
    (Lang::Lit, "lt"),
    (Lang::Mal, "ml"),
    (Lang::Mar, "mr"),
    (Lang::Mkd, "mk"),
    (Lang::Mya, "my"),
    (Lang::Nep, "ne"),
    (Lang::Nld, "nl"),
    (Lang::Nob, "nb"),
    (Lang::Ori, "or"),
    (Lang::Pan, "pa"),
    (Lang::Pes, "fa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Sin, "si"),
    (Lang::Slk, "sk"),
    (Lang::Slv, "sl"),
    (Lang::Sna, "sn"),
    (Lang::Spa, "es"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tam, "ta"),
    (Lang::Tel, "te"),
    (Lang::Tgl, "tl"),
    (Lang::Tha, "th"),
    (Lang::Tuk, "tk"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Urd, "ur"),
    (Lang::Uzb, "uz"),
    (Lang::Vie, "vi"),
    (Lang::Yid, "yi"),
    (Lang::Zul, "zu"),
];

#[cfg(test)]
mod tests {
    use super::{TAGS, language, tag};

    #[test]
    fn every_language_has_a_tag() {
        for lang in whatlang::Lang::all() {
            assert!(tag(*lang).is_some(), "{lang:?}");
        }
        assert_eq!(TAGS.len(), whatlang::Lang::all().len());
    }

    #[test]
    fn sentences_have_a_language_and_names_have_none() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(language(text).map(|l| l.tag), expected, "{text}");
        check("The kettle is on, and the bread will be out of the oven in a quarter of an hour or so.", Some("en"));
        check("Der Kessel steht auf dem Herd, und das Brot kommt in einer Viertelstunde aus dem Ofen.", Some("de"));
        check(
            "Сегодня было солнечно, и мы пошли гулять в парк вместе с друзьями, которые жили в соседнем доме.",
            Some("ru"),
        );
        check("やかんは火にかけてあり、パンは十五分ほどで焼き上がります。", Some("ja"));
        check("水壶在炉子上，面包再过一刻钟就烤好了。", Some("zh"));
        check("Home | Shop | FAQ", None);
        check("", None);
    }
}
