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

/// Every rule of this crate.
pub const RULES: &[Rule] =
    &[TOO_MUCH_INPUT, TOO_MANY_ELEMENTS, TOO_DEEP, FRAMESET, BLANK, TOO_SHORT, TOO_SMALL, TOO_LARGE, UNSTABLE_MARKUP];
