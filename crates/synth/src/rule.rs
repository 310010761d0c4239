//! Why triples are refused.

use item::Rule;

/// The page came out in other pixels when it was rendered again.
pub const UNSTABLE_PAGE: Rule = Rule {
    name: "unstable-page",
    meaning: "Rendered again, the page gave other pixels than its stored screenshot, so that nothing can be proven on it.",
};
/// The changed page could not be rendered.
pub const DOES_NOT_RENDER: Rule =
    Rule { name: "does-not-render", meaning: "The page after the edit, or the draft, could not be rendered." };
/// The edit cannot be seen.
pub const INVISIBLE_EDIT: Rule =
    Rule { name: "invisible-edit", meaning: "The edit changes a smaller share of the pixels than `synth.change_min`." };
/// The edit changes too much of the picture.
pub const TOO_LARGE_EDIT: Rule = Rule {
    name: "too-large-edit",
    meaning: "The edit, which is not one of the whole page, changes a greater share of the pixels than `synth.change_max`.",
};
/// The edit changes what it does not name.
pub const SPILLING_EDIT: Rule = Rule {
    name: "spilling-edit",
    meaning: "Pixels outside of the edit's region change (more than `synth.spill_max`), or elements that it does not name look different.",
};
/// The way back does not lead back.
pub const INVERSE_DIFFERS: Rule =
    Rule { name: "inverse-differs", meaning: "The inverse of the edit does not give the original document back." };
/// The instruction names code.
pub const CODE_IN_INSTRUCTION: Rule = Rule {
    name: "code-in-instruction",
    meaning: "An instruction gives the answer away: it names a class, an id, a tag or a declaration.",
};
/// The draft is as good as the target.
pub const DRAFT_TOO_NEAR: Rule = Rule {
    name: "draft-too-near",
    meaning: "The draft differs from the target by less than `synth.draft_difference_min`, or the answer is not nearer in every metric by `synth.polish_margin`.",
};
/// The draft has nothing of the target any more.
pub const DRAFT_TOO_FAR: Rule = Rule {
    name: "draft-too-far",
    meaning: "The draft differs from the target by more than `synth.draft_difference_max`.",
};
/// The same was asked for on a page of the same site.
pub const SAME_INSTRUCTION: Rule =
    Rule { name: "same-instruction", meaning: "Another triple of the same site asks for the same, values aside." };

/// All of them.
pub const RULES: &[Rule] = &[
    UNSTABLE_PAGE,
    DOES_NOT_RENDER,
    INVISIBLE_EDIT,
    TOO_LARGE_EDIT,
    SPILLING_EDIT,
    INVERSE_DIFFERS,
    CODE_IN_INSTRUCTION,
    DRAFT_TOO_NEAR,
    DRAFT_TOO_FAR,
    SAME_INSTRUCTION,
];
