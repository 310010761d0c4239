//! Instructions in several styles, and what they must not say.

use item::Wording;

use super::page::Page;
use crate::rng::Rng;

/// What an edit is about, from which instructions in all styles are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// What is wanted, as words after "please" or "could you": `make the button “Sign up” blue`.
    pub goal: String,
    /// The same with values, a whole sentence: `Set the background of the button “Sign up” to #1a73e8.`
    pub exact: String,
}

/// Ways to say it exactly; `{}` is the exact sentence.
const DETAILED: &[&str] = &[
    "{} Leave everything else on the page as it is.",
    "{} Nothing else should change.",
    "Please edit the page as follows: {} All other parts stay the same.",
];
/// Short forms; `{}` is the goal.
const HUMAN: &[&str] = &["I'd like you to {}.", "Can we {}?", "We need to {}.", "Please {}."];
/// The goal amid small talk.
const CONVERSATIONAL: &[&str] = &[
    "Hey, I was just looking at the page again. Could you {}? The rest is fine for me.",
    "Thanks, this looks good so far! One more thing: please {}.",
    "So my colleague had a look and thinks we should {}. Let's try that and leave the rest alone.",
    "Hmm, something bothers me here. Would you {}? I think that would be better.",
];

impl Say {
    /// Instructions in four styles, the canonical (`detailed`) one first.
    pub fn wordings(&self, rng: &mut Rng) -> Vec<Wording> {
        let fill = |template: &str, text: &str| template.replacen("{}", text, 1);
        let mut pick = |from: &[&'static str]| rng.pick(from).copied().unwrap_or("{}");
        let (detailed, human, talk) = (pick(DETAILED), pick(HUMAN), pick(CONVERSATIONAL));
        [
            ("detailed", fill(detailed, &self.exact)),
            ("short", format!("{}.", capitalised(&self.goal))),
            ("human", fill(human, &self.goal)),
            ("conversational", fill(talk, &self.goal)),
        ]
        .into_iter()
        .map(|(style, text)| Wording { style: style.to_owned(), text })
        .collect()
    }
}

/// With a capital at its beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The first thing in an instruction that gives the code away: a name of a class or an id of the page, a tag, a selector, a
/// declaration. What stands in quotation marks is on the page for all to see.
pub fn leaks_code(page: &Page<'_>, instruction: &str) -> Option<String> {
    let values = page.all().flat_map(|node| ["class", "id"].map(|name| page.attribute(node, name).unwrap_or_default()));
    leaks(values, instruction)
}

/// The same where nothing but the document's text is at hand.
pub fn leaks_code_of(html: &str, instruction: &str) -> Option<String> {
    let values = ["class=\"", "id=\""].into_iter().flat_map(|opening| html.split(opening).skip(1));
    leaks(values.map(|rest| rest.split('"').next().unwrap_or_default()), instruction)
}

fn leaks<'a>(names: impl Iterator<Item = &'a str>, instruction: &str) -> Option<String> {
    let mut outside = String::new();
    let mut depth = 0_u32;
    for letter in instruction.chars() {
        match letter {
            '“' => depth += 1,
            '”' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    if let Some(sign) = outside.chars().find(|letter| matches!(letter, '<' | '>' | '{' | '}' | ';' | '=' | '_')) {
        return Some(sign.to_string());
    }
    let words: Vec<&str> = outside.split(|c: char| !(c.is_alphanumeric() || "-#.".contains(c))).collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim_matches(['.', '-'])).collect();
    for forbidden in ["div", "span", "class", "classname", "css", "html", "selector", "href", "onclick"] {
        if words.iter().any(|word| word.eq_ignore_ascii_case(forbidden)) {
            return Some(forbidden.to_owned());
        }
    }
    let is_identifier = |name: &str| {
        let odd = |c: char| c == '-' || c == '_' || c.is_ascii_digit();
        let is_camel = name.chars().skip(1).any(char::is_uppercase) && name.chars().any(char::is_lowercase);
        name.len() >= 3 && (name.contains(odd) || is_camel)
    };
    names
        .flat_map(str::split_ascii_whitespace)
        .find(|name| is_identifier(name) && words.iter().any(|word| word.trim_start_matches('#') == *name))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use item::Digest;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn four_styles() {
        let say =
            Say { goal: "make the heading “Hi” blue".into(), exact: "Set the heading “Hi” to #00f.".into() };
        let wordings = say.wordings(&mut Rng::new(&Digest::of(b"seed")));
        let styles: Vec<&str> = wordings.iter().map(|wording| wording.style.as_str()).collect();
        assert_eq!(styles, ["detailed", "short", "human", "conversational"]);
        assert_eq!(wordings[1].text, "Make the heading “Hi” blue.");
        assert!(wordings[0].text.contains(&say.exact));
        assert!(wordings[3].text.contains(&say.goal));
    }

    #[test]
    fn code_is_found_in_instructions() {
        let fixture = Fixture::new("<p class=\"btn-primary cardTitle lead\" id=\"main2\">x</p>");
        for (instruction, expected) in [
            ("Make the button blue.", None),
            ("Make the lead text blue.", None),
            ("Set it to #1a73e8 with 12 px of space.", None),
            ("Change “btn-primary { }” to “x”.", None),
            ("Make btn-primary blue.", Some("btn-primary")),
            ("Make the cardTitle blue.", Some("cardTitle")),
            ("Colour #main2 blue.", Some("main2")),
            ("Make the <p> blue.", Some("<")),
            ("Make the div blue.", Some("div")),
            ("Set color: red;", Some(";")),
        ] {
            assert_eq!(leaks_code(&fixture.page(), instruction).as_deref(), expected, "{instruction}");
            assert_eq!(leaks_code_of(fixture.html(), instruction).as_deref(), expected, "{instruction}");
        }
    }
}
