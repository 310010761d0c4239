//! Why a page is not wanted. Only what is cheap and sure is refused here.

use item::Rule;

/// The input is longer than `input_bytes_max`.
pub const TOO_MUCH_INPUT: Rule =
    Rule { name: "too-much-input", meaning: "The page as captured is longer than is parsed at all." };
/// More elements than `elements_max`.
pub const TOO_MANY_ELEMENTS: Rule = Rule {
    name: "too-many-elements",
    meaning: "The parsed page has more elements than a browser lays out in reasonable time.",
};
/// Deeper than `depth_max`.
pub const TOO_DEEP: Rule =
    Rule { name: "too-deep", meaning: "Elements are nested deeper than browsers keep them apart." };
/// A frameset page.
pub const FRAMESET: Rule =
    Rule { name: "frameset", meaning: "The page is a frameset: its content stands in other documents." };
/// Nothing to see.
pub const BLANK: Rule = Rule {
    name: "blank",
    meaning: "The page has no visible text, no image and no form control when its scripts do not run.",
};
/// Less text than `text_chars_min`.
pub const TOO_SHORT: Rule = Rule { name: "too-short", meaning: "The page has too few characters of visible text." };
/// Fewer bytes than `html_bytes_min`.
pub const TOO_SMALL: Rule = Rule { name: "too-small", meaning: "The cleaned document has too few bytes." };
/// More bytes than `html_bytes_max`.
pub const TOO_LARGE: Rule =
    Rule { name: "too-large", meaning: "The cleaned document, style sheet included, has too many bytes." };
/// Parsing what was written gives another tree, again and again.
pub const UNSTABLE_MARKUP: Rule = Rule {
    name: "unstable-markup",
    meaning: "The page's tree cannot be written as HTML: parsing the document gives another tree each time.",
};

/// Waits for its script.
pub const APP_SHELL: Rule = Rule {
    name: "app-shell",
    meaning: "The page shows next to nothing until its script fills it, and scripts do not run.",
};
/// An error under status 200.
pub const ERROR_PAGE: Rule =
    Rule { name: "error-page", meaning: "The page says that there was an error, though its HTTP status is 200." };
/// A placeholder of a registrar.
pub const PARKED_DOMAIN: Rule =
    Rule { name: "parked-domain", meaning: "The page says that its domain is parked or for sale." };
/// Not shown to robots.
pub const ROBOT_CHECK: Rule =
    Rule { name: "robot-check", meaning: "The page asks for proof that the reader is no robot." };
/// A list of files.
pub const DIRECTORY_LISTING: Rule =
    Rule { name: "directory-listing", meaning: "The page is a list of files as servers write it." };
/// Little but a login.
pub const LOGIN_WALL: Rule =
    Rule { name: "login-wall", meaning: "The page is a form to log in with, and little else." };
/// A question about cookies.
pub const CONSENT_WALL: Rule =
    Rule { name: "consent-wall", meaning: "The page asks for consent to cookies in place of its content." };

/// Not one of `languages`.
pub const LANGUAGE: Rule =
    Rule { name: "language", meaning: "The page is written in a language that the run does not want." };
/// More explicit words than `explicit_words_max`.
pub const ADULT: Rule =
    Rule { name: "adult", meaning: "The page's address, title and text have too many different explicit words." };
/// More than `bad_word_share_max`.
pub const BAD_WORDS: Rule =
    Rule { name: "bad-words", meaning: "Too great a share of the page's words is on the run's list of bad words." };
/// Less than the run's ranges of tokens.
pub const TOO_FEW_TOKENS: Rule =
    Rule { name: "too-few-tokens", meaning: "The HTML or the style sheet has fewer tokens than the run wants." };
/// More than the run's ranges of tokens.
pub const TOO_MANY_TOKENS: Rule =
    Rule { name: "too-many-tokens", meaning: "The HTML or the style sheet has more tokens than the run wants." };

/// Every rule of this crate.
pub const RULES: &[Rule] = &[
    TOO_MUCH_INPUT,
    TOO_MANY_ELEMENTS,
    TOO_DEEP,
    FRAMESET,
    BLANK,
    TOO_SHORT,
    TOO_SMALL,
    TOO_LARGE,
    UNSTABLE_MARKUP,
    APP_SHELL,
    DIRECTORY_LISTING,
    ROBOT_CHECK,
    PARKED_DOMAIN,
    ERROR_PAGE,
    CONSENT_WALL,
    LOGIN_WALL,
    LANGUAGE,
    ADULT,
    BAD_WORDS,
    TOO_FEW_TOKENS,
    TOO_MANY_TOKENS,
];
