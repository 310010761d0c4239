//! What models are told. Constant text stands first, then the page, then what varies, so that servers can keep what they have read.

use item::{ContentHasher, Digest};

/// To propose edits.
pub(super) const PROPOSE: &str = "\
You are a web designer who reviews a page. You see its screenshot, its code and a numbered list of what is visible on it. Propose \
edits that a client could ask for: clear, small, visible, each about one thing on the list, and sensible for this very page. Vary \
them: colours, sizes, spacing, texts, order, things to add or to take out. Write each instruction as a person would say it who sees the \
page and not the code: never name tags, classes, ids or CSS. Where nothing sensible can be edited, propose nothing.\n\
Answer in JSON: {\"edits\": [{\"target\": \"e3\", \"kind\": \"restyle\", \"instruction\": \"…\"}]}. `target` is a name from the list, or `page` for the \
whole page; `kind` is one of add, remove, move, restyle, text, layout, theme, swap.";

/// To choose among edits that are offered.
pub(super) const CHOOSE: &str = "\
You are a web designer who reviews a page. You see its screenshot and a numbered list of edits that could be made. Choose those that \
make most sense on this very page: that a client could ask for, and that leave it a good page.\n\
Answer in JSON: {\"choices\": [\"m3\", \"m7\"]}, with names from the list; with none where none makes sense.";

/// To carry out an edit in search/replace blocks.
pub(super) const PATCH: &str = "\
You edit web pages. You get a page's code, its screenshot and an instruction. Change what the instruction asks for and nothing \
else: every other line stays as it is, to the letter. No scripts, no event handlers, nothing from other sites. Names such as asset:1 \
stand for embedded pictures: keep them. Answer with search/replace blocks only, as many as are needed, in this form:\n\
<<<<<<< SEARCH\n\
lines of the code as they are, enough of them to be found only once\n\
=======\n\
the lines that stand there instead\n\
>>>>>>> REPLACE";

/// To carry out an edit by writing the page anew.
pub(super) const REWRITE: &str = "\
You edit web pages. You get a page's code, its screenshot and an instruction. Change what the instruction asks for and nothing \
else: every other line stays as it is, to the letter. No scripts, no event handlers, nothing from other sites. Names such as asset:1 \
stand for embedded pictures: keep them. Answer with the whole page in one ```html block.";

/// To write a page from its screenshot.
pub(super) const DRAFT: &str = "\
You write web pages from screenshots. Write one HTML document that looks like the screenshot: the same layout, colours, sizes and texts. \
One style sheet in a <style> element; no scripts, no event handlers, nothing from other sites. Where the screenshot shows a picture, put a box \
of its size and main colour. Answer with the document in one ```html block.";

/// To bring a draft nearer to its target.
pub(super) const POLISH: &str = "\
You polish web pages. You see a target screenshot, the screenshot of a draft, and the draft's code. Find where the draft differs \
(layout, sizes, spacing, colours, texts) and change its code so that it looks like the target. No scripts, no event handlers, nothing \
from other sites. Names such as asset:1 stand for embedded pictures: keep them. Answer with the whole corrected document in one ```html block.";

/// To put an edit into words.
pub(super) const DESCRIBE: &str = "\
You see two screenshots of a web page, before and after an edit. Write the instruction that a person would have given for \
this edit: one or two sentences about what is to change, as seen on the page. Never name tags, classes, ids or CSS.\n\
Answer in JSON: {\"instruction\": \"…\"}.";

/// To judge an edit.
pub(super) const JUDGE: &str = "\
You check edits of web pages. You see two screenshots, A and B, and an instruction. One of them may be the page before, and the other the page \
after the instruction was carried out. Which one shows the page after it? Answer `neither` if the instruction was not carried out, or \
not fully. Say also whether the two differ in anything that the instruction does not ask for.\n\
Answer in JSON: {\"after\": \"A\" or \"B\" or \"neither\", \"unrelated\": true or false}.";

/// To judge which of two pages is nearer to a third.
pub(super) const COMPARE: &str = "\
You compare web pages. You see a target screenshot and two others, A and B. Which of the two looks more like the target? Look at layout, \
sizes, spacing, colours and texts.\n\
Answer in JSON: {\"nearer\": \"A\" or \"B\" or \"neither\"}.";

/// Of everything above: other words would get other answers.
pub fn version() -> Digest {
    let mut hasher = ContentHasher::new("prompts");
    for prompt in [PROPOSE, CHOOSE, PATCH, REWRITE, DRAFT, POLISH, DESCRIBE, JUDGE, COMPARE] {
        hasher.add_text(prompt);
    }
    hasher.finish()
}
