//! What a page says, as far as that decides whether it is wanted: its kind, its language, its words.

use html5ever::local_name;
use item::{Attributes, Rejection, name};

use super::kind::{PageKind, Scripted, kind};
use super::language::{Language, language};
use super::{Counts, Signals, words};
use crate::dom::Dom;
use crate::{CleanPolicy, rule};

/// Least confidence with which a language is taken for known.
const CONFIDENCE_MIN: f64 = 0.5;

/// What was found out about what a page says.
#[derive(Debug)]
pub(crate) struct Content {
    kind: Option<PageKind>,
    language: Option<Language>,
    explicit_words: usize,
    bad_word_share: Option<f64>,
}

impl Content {
    /// Of a cleaned page; `url` is where it came from.
    pub(crate) fn of(
        dom: &Dom,
        url: &str,
        signals: &Signals,
        counts: &Counts,
        scripted: Scripted,
        policy: &CleanPolicy,
    ) -> Self {
        let text = visible_text(dom);
        let kind = kind(dom, &signals.title, &text, counts, scripted);
        let language = language(&text);
        let explicit_words =
            words::explicit(&format!("{} {} {text}", url.to_lowercase(), signals.title.to_lowercase()));
        let bad_word_share = (!policy.bad_words.is_empty()).then(|| policy.bad_words.share(&text));
        Self { kind, language, explicit_words, bad_word_share }
    }

    /// The language that is taken for the page's own: what it is written in where that is sure, else what it declares.
    fn known_language<'s>(&self, signals: &'s Signals) -> Option<&'s str> {
        let sure = self.language.filter(|language| language.confidence >= CONFIDENCE_MIN);
        sure.map(|language| language.tag).or(Some(signals.lang.as_str()).filter(|lang| !lang.is_empty()))
    }

    /// By which rule such a page is not wanted.
    pub(crate) fn refuse(&self, signals: &Signals, counts: &Counts, policy: &CleanPolicy) -> Result<(), Rejection> {
        if let Some(kind) = self.kind.filter(|kind| policy.unwanted.contains(kind)) {
            let detail = format!("by its code, its title or what it says in {} characters", counts.text_chars);
            return Err(Rejection { rule: kind.rule(), detail });
        }
        if let Some(language) = self.known_language(signals)
            && !policy.languages.is_empty()
            && !policy.languages.iter().any(|wanted| wanted == language)
        {
            let detail = format!("`{language}`, wanted are {}", policy.languages.join(", "));
            return Err(Rejection { rule: rule::LANGUAGE, detail });
        }
        if let Some(most) = policy.explicit_words_max.filter(|&most| self.explicit_words > most) {
            let detail = format!("{} explicit words, the most is {most}", self.explicit_words);
            return Err(Rejection { rule: rule::ADULT, detail });
        }
        if let Some(share) = self.bad_word_share.filter(|&share| share > policy.bad_word_share_max) {
            let detail = format!("{share:.4} of its words are on the list, the most is {}", policy.bad_word_share_max);
            return Err(Rejection { rule: rule::BAD_WORDS, detail });
        }
        Ok(())
    }

    /// Adds what is known.
    pub(crate) fn describe(&self, signals: &Signals, attributes: &mut Attributes) {
        attributes.set(name::LANG, self.known_language(signals).unwrap_or_default());
        if let Some(kind) = self.kind {
            attributes.set(name::PAGE_KIND, kind.rule().name);
        }
        if let Some(language) = self.language {
            attributes.set(name::TEXT_LANG, language.tag);
            attributes.set(name::TEXT_LANG_CONFIDENCE, language.confidence);
        }
        attributes.set(name::EXPLICIT_WORDS, self.explicit_words);
        if let Some(share) = self.bad_word_share {
            attributes.set(name::BAD_WORD_SHARE, share);
        }
    }
}

/// The text of the body, lower case, runs of white space as one space, plain apostrophes.
pub(super) fn visible_text(dom: &Dom) -> String {
    let Some(body) = dom.html_child(&local_name!("body")) else { return String::new() };
    let mut text = String::new();
    let mut next = dom.following(body, body, false);
    while let Some(node) = next {
        let is_style = dom.is(node, &local_name!("style"));
        for word in dom.text(node).unwrap_or_default().split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            push_lower(&mut text, word);
        }
        next = dom.following(node, body, is_style);
    }
    text
}

fn push_lower(text: &mut String, word: &str) {
    if word.is_ascii() {
        let start = text.len();
        text.push_str(word);
        text[start..].make_ascii_lowercase();
    } else {
        let plain = |c: char| if c == '\u{2019}' { '\'' } else { c };
        text.extend(word.chars().flat_map(char::to_lowercase).map(plain));
    }
}
