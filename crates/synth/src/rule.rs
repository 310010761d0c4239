//! Why triples are refused.

use item::Rule;

/// The page came out in other pixels when it was rendered again.
pub const UNSTABLE_PAGE: Rule = Rule {
    name: "unstable-page",
    meaning: "Rendered again, the page, or what a model wrote, gave other pixels than its screenshot, so that nothing can be proven on it.",
};
/// The changed page could not be rendered.
pub const DOES_NOT_RENDER: Rule =
    Rule { name: "does-not-render", meaning: "The page after the edit, or the draft, could not be rendered." };
/// The edit cannot be seen.
pub const INVISIBLE_EDIT: Rule =
    Rule { name: "invisible-edit", meaning: "The edit changes fewer pixels than `synth.change_min` of one screen." };
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
    meaning: "The draft differs from the target by less than `synth.draft_difference_min`.",
};
/// The draft has nothing of the target any more.
pub const DRAFT_TOO_FAR: Rule = Rule {
    name: "draft-too-far",
    meaning: "The draft differs from the target by more than `synth.draft_difference_max`, or a model's draft shows hardly anything of it, or has another height altogether.",
};
/// The same was asked for on a page of the same site.
pub const SAME_INSTRUCTION: Rule = Rule {
    name: "same-instruction",
    meaning: "Another triple of the same site asks for the same in nearly the same words, values aside.",
};
/// A model's answer reaches `synth.vlm.answer_tokens` before its end.
pub const ANSWER_CUT_OFF: Rule =
    Rule { name: "answer-cut-off", meaning: "A model's answer reaches `synth.vlm.answer_tokens` before its end." };
/// A model answers with no words, or with thoughts alone.
pub const ANSWER_EMPTY: Rule =
    Rule { name: "answer-empty", meaning: "A model answers with no words, or with thoughts alone." };
/// A model will not do what it is asked for.
pub const ANSWER_REFUSED: Rule = Rule { name: "answer-refused", meaning: "A model will not do what it is asked for." };
/// The engine could not finish an answer, or called this request wrong.
pub const ENGINE_BROKE: Rule = Rule {
    name: "engine-broke",
    meaning: "The engine could not finish an answer, or called this request wrong; others went well.",
};
/// Code and pictures of the page are more than the model holds.
pub const PROMPT_TOO_LONG: Rule = Rule {
    name: "prompt-too-long",
    meaning: "Code and pictures of the page are more than the model holds: `synth.vlm.context_tokens`.",
};
/// A model's answer has not the form that was asked for.
pub const ANSWER_UNREADABLE: Rule = Rule {
    name: "answer-unreadable",
    meaning: "A model's answer has not the form that was asked for: JSON of a schema, or a whole document in a fenced block.",
};
/// A model that was asked for search/replace blocks wrote none, or unfinished ones, twice.
pub const NO_PATCH: Rule = Rule {
    name: "no-patch",
    meaning: "A model that was asked for search/replace blocks wrote none, or unfinished ones, twice.",
};
/// The search text of a model's block is not in the code, or more than once.
pub const SEARCH_NOT_FOUND: Rule = Rule {
    name: "search-not-found",
    meaning: "The search text of a model's block is not in the code, or more than once.",
};
/// A model gives the code back as it was.
pub const NO_CHANGE: Rule = Rule { name: "no-change", meaning: "A model gives the code back as it was." };
/// The code has scripts, event handlers, frames or references to other places that were not there before.
pub const UNSAFE_ANSWER: Rule = Rule {
    name: "unsafe-answer",
    meaning: "The code has scripts, event handlers, frames or references to other places that were not there before.",
};
/// The code has more parse errors than what was given.
pub const PARSES_WORSE: Rule = Rule {
    name: "parses-worse",
    meaning: "The code has more parse errors than what was given; a draft written from nothing, more than eight.",
};
/// The code has more than twice the bytes that were given, and 16 KiB.
pub const ANSWER_TOO_LARGE: Rule =
    Rule { name: "answer-too-large", meaning: "The code has more than twice the bytes that were given, and 16 KiB." };
/// The edit, which is not one of the whole page, leaves less of the code as it was than `synth.vlm.kept_min`.
pub const REWRITES_TOO_MUCH: Rule = Rule {
    name: "rewrites-too-much",
    meaning: "The edit, which is not one of the whole page, leaves less of the code as it was than `synth.vlm.kept_min`.",
};
/// The polished draft is not nearer to the target in every metric by `synth.polish_margin`.
pub const ANSWER_NOT_NEARER: Rule = Rule {
    name: "answer-not-nearer",
    meaning: "The polished draft is not nearer to the target in every metric by `synth.polish_margin`.",
};
/// A model that judges sees that the instruction was not carried out, or more than it asks for.
pub const JUDGE_SAYS_NO: Rule = Rule {
    name: "judge-says-no",
    meaning: "A model that judges sees that the instruction was not carried out, or more than it asks for.",
};
/// A model that judges says one thing of a pair, and another of the same pair in the other order.
pub const JUDGE_CONTRADICTS_ITSELF: Rule = Rule {
    name: "judge-contradicts-itself",
    meaning: "A model that judges says one thing of a pair, and another of the same pair in the other order.",
};

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
    ANSWER_CUT_OFF,
    ANSWER_EMPTY,
    ANSWER_REFUSED,
    ENGINE_BROKE,
    PROMPT_TOO_LONG,
    ANSWER_UNREADABLE,
    NO_PATCH,
    SEARCH_NOT_FOUND,
    NO_CHANGE,
    UNSAFE_ANSWER,
    PARSES_WORSE,
    ANSWER_TOO_LARGE,
    REWRITES_TOO_MUCH,
    ANSWER_NOT_NEARER,
    JUDGE_SAYS_NO,
    JUDGE_CONTRADICTS_ITSELF,
];
